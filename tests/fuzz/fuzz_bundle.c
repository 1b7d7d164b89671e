/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive from a stranger. Signatures are not asked for (they would end every run at once), digests are: so an archive that
 * is accepted has exactly the content that its manifest lists.
 *
 * Three kinds of input, told apart by the first byte:
 *   0x28  an archive as it is (zstd's magic begins so)
 *   'T'   the tar of the second frame, behind a good manifest; what digests and zstd would hide is then in reach
 *   'F'   two bytes, big-endian: the length of the first frame's tar; then the tars of both frames
 * In the latter two the checksums of tar headers are put right, which libarchive would otherwise refuse.
 */
#include "bundle.h"
#include "fuzz.h"

/* ---- from tar to archive -------------------------------------------------------------------------------------------- */

static void checksums_fix(char *p, size_t n) {
        for (size_t at = 0; at + 512 <= n; at += 512) {
                char *h = p + at, text[8];
                unsigned int sum = 0;

                if (memcmp(h + 257, "ustar", 5) != 0)
                        continue;
                memset(h + 148, ' ', 8);
                for (size_t i = 0; i < 512; i++)
                        sum += (unsigned char)h[i];
                snprintf(text, sizeof(text), "%06o", sum & 0777777);
                memcpy(h + 148, text, 7);
        }
}

/* One frame of raw blocks, with a window of 128 KiB. */
static void frame_put(struct buf *out, const char *p, size_t n) {
        static const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3};

        must(buf_append(out, head, sizeof(head)) == 0);
        do {
                size_t block = n < 65536 ? n : 65536;
                uint32_t h = (uint32_t)(block << 3 | (block == n));

                must(buf_append(out, &h, 3) == 0 && buf_append(out, p, block) == 0);
                p += block;
                n -= block;
        } while (n > 0);
}

/* ---- a good manifest ------------------------------------------------------------------------------------------------ */

static const struct bundle_member members[] = {
        {"selftests.json", "{}", 2},
        {"objects/p.bpf.o", "\177ELF", 4},
        {"seeds/p.m.bin", "key.value...", 12},
        {"sources/p.c", "int x;\n", 7},
};

static const char before[] = "{\"signatures\":[],\"signed\":{\"_type\":\"lsm-bundle\",\"abi\":1,\"format\":1,\"members\":[";
static const char after[] = "],\"name\":\"demo\",\"policies\":[{\"maps\":[{\"key_size\":4,\"max_entries\":4,\"name\":\"m\","
                            "\"seed\":\"seeds/p.m.bin\",\"type\":\"hash\",\"value_size\":8}],\"mode\":\"enforce\",\"name\":\"p\","
                            "\"object\":\"objects/p.bpf.o\",\"plain\":false,"
                            "\"programs\":[{\"hook\":\"file_open\",\"name\":\"p\"}],\"scope\":{}}],"
                            "\"provenance\":{\"commit\":\"\",\"compiler\":\"\",\"date\":0,\"sources\":[]},\"release\":1,"
                            "\"requires\":{\"features\":[],\"helpers\":[],\"hooks\":[]},\"version\":\"1.0.0\"}}";

static void manifest_put(struct buf *tar) {
        cleanup_buf struct buf text = {};
        char header[512] = {};

        must(buf_printf(&text, "%s", before) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
                uint8_t sum[SHA256_SIZE];
                char hex[SHA256_HEX];

                must(sha256(members[i].data, members[i].len, sum) == 0);
                hex_encode(sum, sizeof(sum), hex);
                must(buf_printf(&text, "%s{\"length\":%zu,\"path\":\"%s\",\"sha256\":\"%s\"}", i ? "," : "", members[i].len,
                                members[i].path, hex) == 0);
        }
        must(buf_printf(&text, "%s", after) == 0);
        strcpy(header, "manifest.json");
        snprintf(header + 124, 12, "%011zo", text.len);
        header[156] = '0';
        memcpy(header + 257,
               "ustar\0"
               "00",
               8);
        must(buf_append(tar, header, sizeof(header)) == 0 && buf_append(tar, text.data, text.len) == 0);
        memset(header, 0, sizeof(header));
        must(buf_append(tar, header, (512 - text.len % 512) % 512) == 0);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

struct input {
        const char *p;
        size_t n;
};

static ssize_t input_read(void *ctx, void *p, size_t n) {
        struct input *in = ctx;

        if (n > in->n)
                n = in->n;
        memcpy(p, in->p, n);
        in->p += n;
        in->n -= n;
        return (ssize_t)n;
}

struct seen {
        struct manifest_member *members; /* as listed */
        size_t n, begun, ended;
        uint64_t length;
        struct digest *digest;
};

static int seen_manifest(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err) {
        struct seen *s = ctx;

        must(!s->members && env->bytes.len > 0);
        s->members = new_array(m->n_members, sizeof(*s->members));
        must(s->members);
        memcpy(s->members, m->members, m->n_members * sizeof(*s->members)); /* paths are not followed later */
        s->n = m->n_members;
        return 0;
}

static int seen_member(void *ctx, size_t i, struct err *err) {
        struct seen *s = ctx;

        must(i == s->begun && i == s->ended && i < s->n);
        s->begun++;
        s->length = 0;
        return 0;
}

static int seen_data(void *ctx, size_t i, const void *p, size_t n, struct err *err) {
        struct seen *s = ctx;

        must(i + 1 == s->begun && n <= s->members[i].length - s->length);
        s->length += n;
        must(digest_update(s->digest, p, n) == 0);
        return 0;
}

static int seen_end(void *ctx, size_t i, struct err *err) {
        struct seen *s = ctx;
        uint8_t sum[SHA256_SIZE];

        must(i == s->ended && i + 1 == s->begun && s->length == s->members[i].length);
        must(digest_finish(s->digest, sum) == 0 && memcmp(sum, s->members[i].sha256, sizeof(sum)) == 0);
        s->ended++;
        return 0;
}

static void archive_read(const char *p, size_t n) {
        static const struct bundle_limits limits = {.max_archive = 1 << 20, .max_content = 1 << 20, .max_members = 64};
        struct seen seen = {.digest = digest_new()};
        const struct bundle_sink sink = {
                .ctx = &seen, .manifest = seen_manifest, .member = seen_member, .data = seen_data, .member_end = seen_end};
        const struct bundle_trust nobody = {};
        struct input in = {p, n};
        struct err err = {};

        must(seen.digest);
        if (bundle_read(input_read, &in, &nobody, &limits, &sink, NULL, &err) == 0)
                must(seen.members && seen.ended == seen.n && in.n == 0);
        else
                must(err.reason != REASON_NONE && err.msg[0]);
        digest_free(seen.digest);
        free(seen.members);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_buf struct buf first = {}, second = {}, archive = {};
        size_t n = 0;

        if (size < 1 || (data[0] != 'T' && data[0] != 'F')) {
                archive_read((const char *)data, size);
                return 0;
        }
        if (data[0] == 'T') {
                manifest_put(&first);
                must(buf_append(&second, data + 1, size - 1) == 0);
        } else {
                if (size < 3)
                        return 0;
                n = (size_t)data[1] << 8 | data[2];
                if (n > size - 3)
                        n = size - 3;
                must(buf_append(&first, data + 3, n) == 0 && buf_append(&second, data + 3 + n, size - 3 - n) == 0);
        }
        checksums_fix(first.data, first.len);
        checksums_fix(second.data, second.len);
        frame_put(&archive, first.data, first.len);
        frame_put(&archive, second.data, second.len);
        archive_read(archive.data, archive.len);
        return 0;
}
