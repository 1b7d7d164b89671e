/* SPDX-License-Identifier: Apache-2.0 */
/* What tar headers may say besides a name and a length: names and lengths once more, holes, numbers beyond all bounds. */
#include "forge.h"

/* Something in front of member 1 and its own header, which may be another one than usual. */
static void before(struct forge *f, const char *name, const char *reason, const struct buf *extra, const struct tar_header *h) {
        const struct bundle_member *m = &f->members[1];
        cleanup_buf struct buf tar = {};

        members_put(f, &tar, 0, 1);
        if (extra)
                must(buf_append(&tar, extra->data, extra->len) == 0);
        tar_header_put(&tar, h);
        tar_data_put(&tar, m->data, m->len);
        members_put(f, &tar, 2, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, reason, &tar);
}

static void pax(struct forge *f, const char *name, const char *reason, const char *key, const char *value) {
        const struct tar_header own = {.path = f->members[1].path, .size = f->members[1].len};
        cleanup_buf struct buf extra = {}, records = {};

        pax_record_put(&records, key, value);
        tar_pax_put(&extra, 'x', &records);
        before(f, name, reason, &extra, &own);
}

/* GNU's way to long names: a member of type L with the name as its content. */
static void gnu(struct forge *f, const char *name, const char *reason, char type, const char *text) {
        const struct tar_header own = {.path = f->members[1].path, .size = f->members[1].len};
        cleanup_buf struct buf extra = {};

        tar_header_put(&extra, &(struct tar_header){.path = "././@LongLink", .type = type, .size = strlen(text) + 1});
        tar_data_put(&extra, text, strlen(text) + 1);
        before(f, name, reason, &extra, &own);
}

static void size_field(struct forge *f, const char *name, const char *reason, const char *field) {
        before(f, name, reason, NULL, &(struct tar_header){.path = f->members[1].path, .size_field = field});
}

static void names_and_lengths(struct forge *f) {
        char longest[300];

        memset(longest, 'a', sizeof(longest));
        memcpy(longest, "sources/", 8);
        longest[256] = '\0';

        /* The extended header counts, as it does for every reader: not the harmless name behind it. */
        pax(f, "pax-path-up", "unsafe-path", "path", "../../etc/cron.d/x");
        pax(f, "pax-path-absolute", "unsafe-path", "path", "/etc/cron.d/x");
        pax(f, "pax-path-other", "unlisted-member", "path", "sources/other");
        pax(f, "pax-path-too-long", "unsafe-path", "path", longest);
        pax(f, "pax-path-twice", "duplicate-member", "path", f->members[0].path);
        pax(f, "pax-size-longer", "length-mismatch", "size", "1000000");
        pax(f, "pax-size-shorter", "length-mismatch", "size", "1");
        pax(f, "pax-size-negative", "malformed", "size", "-1");
        pax(f, "pax-size-beyond-64-bits", "malformed", "size", "99999999999999999999999999");
        /* Of a regular file, nobody looks at where a link would go. */
        pax(f, "good-pax-linkpath", "accepted", "linkpath", "/etc/shadow");
        gnu(f, "gnu-name-up", "unsafe-path", 'L', "../../etc/cron.d/x");
        gnu(f, "gnu-name-other", "unlisted-member", 'L', "sources/other");
        gnu(f, "gnu-name-too-long", "unsafe-path", 'L', longest);
        gnu(f, "good-gnu-link", "accepted", 'K', "/etc/shadow");
}

/* A hole of a block, and then the member's bytes, in the dialects there are. */
static void holes(struct forge *f) {
        const struct tar_header own = {.path = f->members[1].path, .size = f->members[1].len};
        cleanup_buf struct buf records = {}, extra = {}, tar = {};
        char number[32], map[64];
        uint32_t sum = 0;
        char *h;

        snprintf(number, sizeof(number), "%zu", f->members[1].len);
        snprintf(map, sizeof(map), "512,%zu", f->members[1].len);
        pax_record_put(&records, "GNU.sparse.size", "1099511627776");
        pax_record_put(&records, "GNU.sparse.numblocks", "1");
        pax_record_put(&records, "GNU.sparse.offset", "512");
        pax_record_put(&records, "GNU.sparse.numbytes", number);
        tar_pax_put(&extra, 'x', &records);
        before(f, "sparse-pax-0.0", "not-a-file", &extra, &own);
        extra.len = records.len = 0;
        pax_record_put(&records, "GNU.sparse.size", "1099511627776");
        pax_record_put(&records, "GNU.sparse.numblocks", "1");
        pax_record_put(&records, "GNU.sparse.map", map);
        tar_pax_put(&extra, 'x', &records);
        before(f, "sparse-pax-0.1", "not-a-file", &extra, &own);
        extra.len = records.len = 0;
        pax_record_put(&records, "GNU.sparse.realsize", "1099511627776");
        tar_pax_put(&extra, 'x', &records);
        before(f, "sparse-pax-size", "length-mismatch", &extra, &own);

        /* GNU's old form: offset and length of up to four pieces at byte 386, the whole length at byte 483. */
        members_put(f, &tar, 0, 1);
        tar_header_put(&tar, &(struct tar_header){.path = own.path, .type = 'S', .size = own.size});
        h = tar.data + tar.len - BLOCK;
        memcpy(h + 257, "ustar  ", 8);
        snprintf(h + 386, 12, "%011o", BLOCK);
        snprintf(h + 398, 12, "%011llo", (unsigned long long)own.size);
        snprintf(h + 483, 12, "%011llo", 1ULL << 32);
        memset(h + 148, ' ', 8);
        for (int i = 0; i < BLOCK; i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        tar_data_put(&tar, f->members[1].data, f->members[1].len);
        members_put(f, &tar, 2, f->n);
        tar_end_put(&tar);
        case_put_tar(f, "sparse-gnu", "not-a-file", &tar);
}

static void numbers(struct forge *f) {
        size_field(f, "size-negative", "malformed", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00");
        size_field(f, "size-minus-one", "malformed", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
        size_field(f, "size-2^63-1", "malformed", "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff");
        size_field(f, "size-2^63", "malformed", "\x80\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00");
        size_field(f, "size-2^64", "malformed", "\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00");
        size_field(f, "size-octal-8-GiB", "length-mismatch", "77777777777");
        size_field(f, "size-no-number", "length-mismatch", "as long as..");
        before(f, "header-checksum", "malformed", NULL,
               &(struct tar_header){.path = f->members[1].path, .size = f->members[1].len, .bad_checksum = true});
}

/* Extended headers have a length of their own, and readers that keep them in memory. */
static void bombs(struct forge *f) {
        cleanup_buf struct buf manifest = {}, first = {};
        static const char types[] = {'x', 'g', 'L', 'K'};

        envelope_put_plain(f, &manifest, &f->text);
        manifest_tar_put(&first, &manifest);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                cleanup_buf struct buf tar = {}, archive = {};
                char name[32];

                snprintf(name, sizeof(name), "bomb-header-%c", types[i]);
                frame_put(&archive, first.data, first.len);
                tar_header_put(&tar, &(struct tar_header){.path = "x", .type = types[i], .size = 1ULL << 30});
                frame_put_raw(&archive, tar.data, tar.len, 1ULL << 30);
                case_put(f, name, "malformed", BOTH, "test", &archive);
        }
}

void cases_headers(struct forge *f) {
        names_and_lengths(f);
        holes(f);
        numbers(f);
        bombs(f);
}
