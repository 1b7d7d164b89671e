/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <zstd.h>

#include "fileio.h"
#include "forge.h"

#define RLE_MAX (128u * 1024) /* of a block */

void must_be(bool cond, const char *what, const char *file, int line) {
        if (cond)
                return;
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
        exit(1);
}

/* ---- tar ------------------------------------------------------------------------------------------------------------ */

void zeros_put(struct buf *b, size_t n) {
        must(buf_reserve(b, n) == 0);
        memset(b->data + b->len, 0, n);
        b->len += n;
}

void tar_data_put(struct buf *tar, const void *p, size_t n) {
        must(buf_append(tar, p, n) == 0);
        zeros_put(tar, (BLOCK - n % BLOCK) % BLOCK);
}

static void field_put(char *field, size_t size, const char *text) {
        memcpy(field, text, strnlen(text, size));
}

void tar_header_put(struct buf *tar, const struct tar_header *h) {
        char b[BLOCK] = {}, size[13];
        unsigned int sum = 0;

        field_put(b, 100, h->path);
        memcpy(b + 100, "0000644\0000000000\0000000000", 24);
        snprintf(size, sizeof(size), "%011llo", (unsigned long long)h->size);
        memcpy(b + 124, h->size_field ? h->size_field : size, 12);
        memcpy(b + 136, "00000000000", 12);
        memset(b + 148, ' ', 8);
        b[156] = h->type ? h->type : '0';
        if (h->link)
                field_put(b + 157, 100, h->link);
        memcpy(b + 257, "ustar\00000", 8);
        for (size_t i = 0; i < sizeof(b); i++)
                sum += (unsigned char)b[i];
        snprintf(b + 148, 8, "%06o", sum + h->bad_checksum);
        must(buf_append(tar, b, sizeof(b)) == 0);
}

void tar_file_put(struct buf *tar, const char *path, const void *p, size_t n) {
        tar_header_put(tar, &(struct tar_header){.path = path, .size = n});
        tar_data_put(tar, p, n);
}

void pax_record_put(struct buf *records, const char *key, const char *value) {
        size_t body = strlen(key) + strlen(value) + 3; /* blank, '=', newline */
        size_t len = body + 1;

        while ((size_t)snprintf(NULL, 0, "%zu", len) + body != len)
                len++;
        must(buf_printf(records, "%zu %s=%s\n", len, key, value) == 0);
}

void tar_pax_put(struct buf *tar, char type, const struct buf *records) {
        tar_header_put(tar, &(struct tar_header){.path = "pax", .type = type, .size = records->len});
        tar_data_put(tar, records->data, records->len);
}

void tar_end_put(struct buf *tar) {
        zeros_put(tar, 2 * BLOCK);
}

void members_put(const struct forge *f, struct buf *tar, size_t from, size_t to) {
        for (size_t i = from; i < to; i++)
                tar_file_put(tar, f->members[i].path, f->members[i].data, f->members[i].len);
}

void manifest_tar_put(struct buf *tar, const struct buf *manifest) {
        tar_file_put(tar, MANIFEST_PATH, manifest->data, manifest->len);
}

/* ---- zstd ----------------------------------------------------------------------------------------------------------- */

void frame_put(struct buf *out, const void *p, size_t n) {
        size_t max = ZSTD_compressBound(n), len;

        must(buf_reserve(out, max) == 0);
        len = ZSTD_compress(out->data + out->len, max, p, n, 3);
        must(!ZSTD_isError(len));
        out->len += len;
}

/* RFC 8878, 3.1.1.2: three bytes; the last bit of the first says "last block", the next two the kind. */
static void block_header_put(struct buf *out, bool last, unsigned int kind, size_t size) {
        const uint32_t h = (uint32_t)(size << 3 | kind << 1 | last);

        must(buf_append(out, (uint8_t[]){(uint8_t)h, (uint8_t)(h >> 8), (uint8_t)(h >> 16)}, 3) == 0);
}

static void raw_blocks_put(struct buf *out, const char *p, size_t n, bool last) {
        do {
                size_t size = n < RLE_MAX ? n : RLE_MAX;

                block_header_put(out, last && size == n, 0, size);
                must(buf_append(out, p, size) == 0);
                p += size;
                n -= size;
        } while (n > 0);
}

void frame_put_header(struct buf *out, const void *header, size_t header_len, const void *p, size_t n) {
        must(buf_append(out, header, header_len) == 0);
        raw_blocks_put(out, p, n, true);
}

void frame_put_raw(struct buf *out, const void *p, size_t n, uint64_t zeros) {
        /* no content size, no checksum, no dictionary; a window of 1 MiB */
        must(buf_append(out, (uint8_t[]){0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3}, 6) == 0);
        raw_blocks_put(out, p, n, zeros == 0);
        while (zeros > 0) {
                size_t size = zeros < RLE_MAX ? (size_t)zeros : RLE_MAX;

                zeros -= size;
                block_header_put(out, zeros == 0, 1, size);
                must(buf_append(out, "", 1) == 0);
        }
}

/* ---- manifests ------------------------------------------------------------------------------------------------------ */

void digest_hex(const void *p, size_t n, char hex[static SHA256_HEX]) {
        uint8_t sum[SHA256_SIZE];

        must(sha256(p, n, sum) == 0);
        hex_encode(sum, sizeof(sum), hex);
}

void canonical_put(struct buf *out, const json_t *doc) {
        must(json_canonical(doc, out, NULL) == 0);
}

void envelope_put(struct buf *out, const struct buf *text, const struct signer *signers, size_t n) {
        must(buf_printf(out, "{\"signatures\":[") == 0);
        for (size_t i = 0; i < n; i++) {
                const struct signer *s = &signers[i];
                const struct buf *over = s->over ? s->over : text;
                char id[KEYID_HEX], hex[2 * SIG_MAX + 1];
                uint8_t sig[SIG_MAX];
                size_t len;

                must(privkey_sign(s->key, over->data, over->len, sig, &len, NULL) == 0);
                hex_encode(sig, len, hex);
                hex_encode(s->keyid ? s->keyid : privkey_public(s->named ? s->named : s->key)->id, SHA256_SIZE, id);
                must(buf_printf(out, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", i ? "," : "", id, hex) == 0);
        }
        must(buf_printf(out, "],\"signed\":") == 0 && buf_append(out, text->data, text->len) == 0 &&
             buf_append(out, "}", 1) == 0);
}

void envelope_put_plain(const struct forge *f, struct buf *out, const struct buf *text) {
        envelope_put(out, text, &(struct signer){.key = f->test}, 1);
}

/* ---- cases ---------------------------------------------------------------------------------------------------------- */

void case_put(struct forge *f, const char *name, const char *reason, enum where where, const char *keys,
              const struct buf *archive) {
        static const char *const words[] = {[BOTH] = "both", [ON_NODE] = "node", [ON_LOAD] = "load"};
        cleanup_fd int fd = -1;
        char path[4096];

        must(streq(reason, "accepted") || reason_from_word(reason) != REASON_NONE);
        must((size_t)snprintf(path, sizeof(path), "%s/%s.tar.zst", f->dir, name) < sizeof(path));
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); /* no name twice */
        must(fd >= 0);
        must(archive->len == 0 || fd_write_all(fd, archive->data, archive->len) == 0);
        must(fprintf(f->table, "%s\t%s\t%s\t%s\n", name, reason, words[where], keys) > 0);
}

void case_put_tar(struct forge *f, const char *name, const char *reason, const struct buf *tar) {
        cleanup_buf struct buf manifest = {}, first = {}, archive = {};

        envelope_put_plain(f, &manifest, &f->text);
        manifest_tar_put(&first, &manifest);
        frame_put(&archive, first.data, first.len);
        frame_put(&archive, tar->data, tar->len);
        case_put(f, name, reason, BOTH, "test", &archive);
}

static void good_tar_put(const struct forge *f, struct buf *tar) {
        members_put(f, tar, 0, f->n);
        tar_end_put(tar);
}

static void manifest_archive_put(const struct forge *f, struct buf *archive, const struct buf *manifest) {
        cleanup_buf struct buf first = {}, tar = {};

        manifest_tar_put(&first, manifest);
        good_tar_put(f, &tar);
        frame_put(archive, first.data, first.len);
        frame_put(archive, tar.data, tar.len);
}

void case_put_manifest(struct forge *f, const char *name, const char *reason, const struct buf *manifest) {
        cleanup_buf struct buf archive = {};

        manifest_archive_put(f, &archive, manifest);
        case_put(f, name, reason, BOTH, "test", &archive);
}

void case_put_text(struct forge *f, const char *name, const char *reason, enum where where, const struct buf *text) {
        cleanup_buf struct buf manifest = {}, archive = {};

        envelope_put_plain(f, &manifest, text);
        manifest_archive_put(f, &archive, &manifest);
        case_put(f, name, reason, where, "test", &archive);
}

/* ---- the good bundle ------------------------------------------------------------------------------------------------- */

static int take_manifest(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err) {
        struct forge *f = ctx;

        f->doc = json_deep_copy(m->doc);
        f->members = new_array(m->n_members + 2, sizeof(*f->members));
        must(f->doc && f->members);
        for (; f->n < m->n_members; f->n++) {
                char *data = malloc(m->members[f->n].length + 1);

                f->members[f->n] = (struct bundle_member){.path = strdup(m->members[f->n].path), .data = data};
                must(data && f->members[f->n].path);
        }
        return 0;
}

static int take_data(void *ctx, size_t i, const void *p, size_t n, struct err *err) {
        struct forge *f = ctx;

        memcpy((char *)f->members[i].data + f->members[i].len, p, n);
        f->members[i].len += n;
        return 0;
}

static void member_add(struct forge *f, const char *path, const char *text) {
        char hex[SHA256_HEX];

        f->members[f->n++] = (struct bundle_member){.path = strdup(path), .data = strdup(text), .len = strlen(text)};
        digest_hex(text, strlen(text), hex);
        must(json_array_append_new(json_object_get(f->doc, "members"), json_pack("{s:s, s:I, s:s}", "path", path, "length",
                                                                                 (json_int_t)strlen(text), "sha256", hex)) == 0);
}

static struct privkey *key_load(const char *dir, const char *name) {
        struct privkey *key = NULL;
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s.key", dir, name);
        must(privkey_load(path, &key, NULL) == 0);
        return key;
}

void forge_init(struct forge *f, const char *bundle, const char *keys, const char *dir) {
        const struct bundle_sink sink = {.ctx = f, .manifest = take_manifest, .data = take_data};
        const struct bundle_trust nobody = {};
        cleanup_fd int fd = open(bundle, O_RDONLY | O_CLOEXEC);
        char table[4096];

        *f = (struct forge){.dir = dir, .test = key_load(keys, "test"), .other = key_load(keys, "other")};
        must(fd >= 0 && bundle_read_fd(fd, &nobody, NULL, &sink, NULL, NULL) == 0);
        /* An empty member is where "nothing more to come" and "not there" are easily mixed up. */
        member_add(f, "sources/empty", "");
        member_add(f, "sources/notes.txt", "what nobody parses\n");
        canonical_put(&f->text, f->doc);
        must(mkdir(dir, 0755) == 0);
        snprintf(table, sizeof(table), "%s/cases", dir);
        f->table = fopen(table, "wxe");
        must(f->table);
}

void forge_done(struct forge *f) {
        must(fclose(f->table) == 0);
        for (size_t i = 0; i < f->n; i++) {
                free((void *)f->members[i].path);
                free((void *)f->members[i].data);
        }
        free(f->members);
        json_decref(f->doc);
        buf_done(&f->text);
        privkey_free(f->test);
        privkey_free(f->other);
}
