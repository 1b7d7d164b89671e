/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles for tests, good and hostile. The writer of lib/ makes no bad archive, so tar and zstd are put together here byte by
 * byte; signatures and manifests are made by lib/ itself.
 */
#pragma once

#include <zstd.h>

#include "bundle.h"
#include "unit.h"

/* ---- tar and zstd by hand ------------------------------------------------------------------------------------------- */

static inline void zeros_put(struct buf *b, size_t n) {
        static const char zeros[4096];

        for (; n > sizeof(zeros); n -= sizeof(zeros))
                assert_int_equal(buf_append(b, zeros, sizeof(zeros)), 0);
        assert_int_equal(buf_append(b, zeros, n), 0);
}

/* A ustar header; `size` as it is to be stated. The path takes the name field alone (at most 100 bytes). */
static inline void tar_header_put(struct buf *b, const char *path, char type, const char *link, uint64_t size) {
        char h[512] = {};
        unsigned int sum = 0;

        memcpy(h, path, strlen(path) < 100 ? strlen(path) : 100);
        memcpy(h + 100,
               "0000644\0"
               "0000000\0"
               "0000000\0",
               24);
        snprintf(h + 124, 12, "%011llo", (unsigned long long)size);
        memcpy(h + 136, "00000000000", 12);
        memset(h + 148, ' ', 8);
        h[156] = type;
        if (link)
                memcpy(h + 157, link, strlen(link) < 100 ? strlen(link) : 100);
        memcpy(h + 257,
               "ustar\0"
               "00",
               8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        assert_int_equal(buf_append(b, h, sizeof(h)), 0);
}

static inline void tar_data_put(struct buf *b, const void *p, size_t n) {
        assert_int_equal(buf_append(b, p, n), 0);
        zeros_put(b, (512 - n % 512) % 512);
}

static inline void tar_file_put(struct buf *b, const char *path, const void *p, size_t n) {
        tar_header_put(b, path, '0', NULL, n);
        tar_data_put(b, p, n);
}

/* An extended header with one record for what follows (type 'x'), or for the rest (type 'g'). */
static inline void tar_pax_put(struct buf *b, char type, const char *key, const char *value) {
        char record[1024];
        int len = (int)(strlen(key) + strlen(value) + 3); /* blank, '=', newline */
        int digits = len + 1 >= 10 ? (len + 2 >= 100 ? 3 : 2) : 1;
        int n = snprintf(record, sizeof(record), "%d %s=%s\n", len + digits, key, value);

        assert_int_equal(n, len + digits);
        tar_header_put(b, "pax", type, NULL, (uint64_t)n);
        tar_data_put(b, record, (size_t)n);
}

static inline void tar_end_put(struct buf *b) {
        zeros_put(b, 1024);
}

static inline void frame_put(struct buf *out, const void *p, size_t n) {
        size_t max = ZSTD_compressBound(n), len;

        assert_int_equal(buf_reserve(out, max), 0);
        len = ZSTD_compress(out->data + out->len, max, p, n, 3);
        assert_false(ZSTD_isError(len));
        out->len += len;
}

/* The same as raw blocks: every byte of the tar is a byte of the archive. window_log >= 17. */
static inline void frame_put_raw(struct buf *out, const char *p, size_t n, unsigned int window_log) {
        const uint8_t head[] = {0x28, 0xb5, 0x2f, 0xfd, 0, (uint8_t)((window_log - 10) << 3)};

        assert_int_equal(buf_append(out, head, sizeof(head)), 0);
        do {
                size_t block = n < 65536 ? n : 65536;
                uint32_t h = (uint32_t)(block << 3 | (block == n));

                assert_int_equal(buf_append(out, &h, 3), 0);
                assert_int_equal(buf_append(out, p, block), 0);
                p += block;
                n -= block;
        } while (n > 0);
}

/* ---- a signed bundle ------------------------------------------------------------------------------------------------ */

#define MEMBERS 5
#define LONG_PATH                                                                                                      \
        "sources/a-path-that-does-not-fit-into-a-plain-tar-header-because-its-last-component-alone-has-more-than-one-" \
        "hundred-bytes-in-it.bpf.c"

struct fixture {
        struct privkey *keys[2];
        struct keyring ring;
        struct envelope env; /* signed by the first key */
        struct bundle_member members[MEMBERS];
        char object[3000];
};

static inline void manifest_text(const struct bundle_member *members, size_t n, struct buf *ret) {
        assert_int_equal(buf_printf(ret, "{\"_type\":\"lsm-bundle\",\"abi\":1,\"format\":1,\"members\":["), 0);
        for (size_t i = 0; i < n; i++) {
                uint8_t sum[SHA256_SIZE];
                char hex[SHA256_HEX];

                assert_int_equal(sha256(members[i].data, members[i].len, sum), 0);
                hex_encode(sum, sizeof(sum), hex);
                assert_int_equal(buf_printf(ret, "%s{\"length\":%zu,\"path\":\"%s\",\"sha256\":\"%s\"}", i ? "," : "",
                                            members[i].len, members[i].path, hex),
                                 0);
        }
        assert_int_equal(
                buf_printf(ret, "],\"name\":\"demo\",\"policies\":[{\"maps\":[{\"key_size\":32,\"max_entries\":4,"
                                "\"name\":\"names\","
                                "\"seed\":\"seeds/policy.names.bin\",\"type\":\"hash\",\"value_size\":1}],\"mode\":\"enforce\","
                                "\"name\":\"policy\",\"object\":\"objects/policy.bpf.o\",\"plain\":false,\"programs\":["
                                "{\"hook\":\"file_open\",\"name\":\"p\"}],\"scope\":{}}],\"provenance\":{\"commit\":\"\","
                                "\"compiler\":\"\",\"date\":0,\"sources\":[]},\"release\":1,\"requires\":{\"features\":[],"
                                "\"helpers\":[],\"hooks\":[]},\"version\":\"1.0.0\"}"),
                0);
}

static inline int fixture_init(struct fixture *f) {
        for (int i = 0; i < 2; i++) {
                cleanup_buf struct buf pem = {};

                if (privkey_generate(&f->keys[i], NULL) < 0 || pubkey_pem(privkey_public(f->keys[i]), &pem, NULL) < 0 ||
                    keyring_add_pem(&f->ring, pem.data, pem.len, NULL) < 0)
                        return -1;
        }
        for (size_t i = 0; i < sizeof(f->object); i++)
                f->object[i] = (char)(i * i % 251 ^ i >> 5);
        f->members[0] = (struct bundle_member){"selftests.json", "{}", 2};
        f->members[1] = (struct bundle_member){"objects/policy.bpf.o", f->object, sizeof(f->object)};
        f->members[2] = (struct bundle_member){"seeds/policy.names.bin", f->object, 66};
        f->members[3] = (struct bundle_member){LONG_PATH, "int x;\n", 7};
        f->members[4] = (struct bundle_member){"sources/empty", "", 0};
        manifest_text(f->members, MEMBERS, &f->env.bytes);
        return envelope_sign(&f->env, f->keys[0], NULL);
}

static inline void fixture_done(struct fixture *f) {
        for (int i = 0; i < 2; i++)
                privkey_free(f->keys[i]);
        keyring_done(&f->ring);
        envelope_done(&f->env);
}

/* The first frame's tar, for this envelope. */
static inline void manifest_tar(const struct envelope *env, struct buf *ret) {
        cleanup_buf struct buf text = {};

        assert_int_equal(envelope_format(env, &text, NULL), 0);
        tar_file_put(ret, "manifest.json", text.data, text.len);
}

/* A member as the manifest lists it. */
static inline void member_put(struct buf *tar, const struct fixture *f, size_t i) {
        const struct bundle_member *m = &f->members[i];

        if (strlen(m->path) > 100)
                tar_pax_put(tar, 'x', "path", m->path);
        tar_file_put(tar, m->path, m->data, m->len);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

/* An archive in memory, given out in pieces. */
struct source {
        const char *p;
        size_t n, piece;
};

static inline ssize_t source_read(void *ctx, void *p, size_t n) {
        struct source *s = ctx;

        if (n > s->piece)
                n = s->piece;
        if (n > s->n)
                n = s->n;
        memcpy(p, s->p, n);
        s->p += n;
        s->n -= n;
        return (ssize_t)n;
}

/* ---- the sink: what it was told, in order --------------------------------------------------------------------------- */

struct told {
        struct buf content[MEMBERS];
        size_t begun, ended;
        bool manifest;
        int refuse_at; /* the sink stops at this call; -1: never */
        int calls;
};

static inline int told_call(struct told *t) {
        return t->calls++ == t->refuse_at ? -ECANCELED : 0;
}

static inline int told_manifest(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err) {
        struct told *t = ctx;

        assert_false(t->manifest);
        assert_int_equal(t->begun, 0);
        assert_int_equal(m->n_members, MEMBERS);
        t->manifest = true;
        return told_call(t);
}

static inline int told_member(void *ctx, size_t i, struct err *err) {
        struct told *t = ctx;

        assert_true(t->manifest);
        assert_int_equal(i, t->begun);
        assert_int_equal(t->ended, t->begun);
        t->begun++;
        return told_call(t);
}

static inline int told_data(void *ctx, size_t i, const void *p, size_t n, struct err *err) {
        struct told *t = ctx;

        assert_int_equal(i + 1, t->begun);
        assert_int_equal(buf_append(&t->content[i], p, n), 0);
        return told_call(t);
}

static inline int told_end(void *ctx, size_t i, struct err *err) {
        struct told *t = ctx;

        assert_int_equal(i, t->ended);
        t->ended++;
        return told_call(t);
}

static inline void told_done(struct told *t) {
        for (size_t i = 0; i < MEMBERS; i++)
                buf_done(&t->content[i]);
}
#define cleanup_told cleanup(told_done)

/* ---- helpers -------------------------------------------------------------------------------------------------------- */

static inline int read_told(struct fixture *f, const struct buf *archive, size_t piece, const struct bundle_limits *limits,
                            struct told *t, struct err *err) {
        const struct bundle_sink sink = {
                .ctx = t, .manifest = told_manifest, .member = told_member, .data = told_data, .member_end = told_end};
        const struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct source source = {archive->data, archive->len, piece};

        return bundle_read(source_read, &source, &trust, limits, &sink, NULL, err);
}

static inline int read_archive(struct fixture *f, const struct buf *archive, struct err *err) {
        cleanup_told struct told t = {.refuse_at = -1};

        return read_told(f, archive, SIZE_MAX, NULL, &t, err);
}

static inline void members_tar(const struct fixture *f, struct buf *tar) {
        for (size_t i = 0; i < MEMBERS; i++)
                member_put(tar, f, i);
        tar_end_put(tar);
}

/* The manifest's frame and this tar. */
static inline void archive_of(const struct fixture *f, const struct buf *tar, struct buf *ret) {
        cleanup_buf struct buf first = {};

        manifest_tar(&f->env, &first);
        frame_put(ret, first.data, first.len);
        frame_put(ret, tar->data, tar->len);
}

static inline void good_archive(const struct fixture *f, struct buf *ret) {
        cleanup_buf struct buf tar = {};

        members_tar(f, &tar);
        archive_of(f, &tar, ret);
}

/* Every byte of both tars is a byte of this archive. */
static inline void raw_archive(const struct fixture *f, struct buf *ret) {
        cleanup_buf struct buf first = {}, tar = {};

        manifest_tar(&f->env, &first);
        members_tar(f, &tar);
        frame_put_raw(ret, first.data, first.len, 17);
        frame_put_raw(ret, tar.data, tar.len, 17);
}

static inline int read_tar(struct fixture *f, const struct buf *tar, struct err *err) {
        cleanup_buf struct buf archive = {};

        archive_of(f, tar, &archive);
        return read_archive(f, &archive, err);
}

static inline void assert_content(const struct fixture *f, const struct told *t) {
        assert_int_equal(t->ended, MEMBERS);
        for (size_t i = 0; i < MEMBERS; i++) {
                assert_int_equal(t->content[i].len, f->members[i].len);
                if (f->members[i].len)
                        assert_memory_equal(t->content[i].data, f->members[i].data, f->members[i].len);
        }
}

/* ---- for every test its own bundle ------------------------------------------------------------------------------------ */

static inline int fixture_setup(void **state) {
        *state = calloc(1, sizeof(struct fixture));
        return fixture_init(*state);
}

static inline int fixture_teardown(void **state) {
        fixture_done(*state);
        free(*state);
        return 0;
}

#define with_bundle(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
