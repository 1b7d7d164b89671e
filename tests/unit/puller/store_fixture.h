/* SPDX-License-Identifier: Apache-2.0 */
/* Two bundles, their keys, and a store to put them into. */
#pragma once

#include "state_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "made_bundle.h"
#include "store.h"

#define SOURCES 3
#define MEMBERS (SOURCES + 2)
#define SOURCE_LEN 70000
#define RECORD (SHA256_SIZE + 2 + SIG_MAX)

static struct {
        struct privkey *keys[3];
        struct buf pems[3];
        struct made_bundle bundle, other; /* signed by keys 0 and 1; by key 2 */
} made;

static inline void receipt_make(struct receipt *r, size_t first, size_t n, size_t threshold) {
        *r = (struct receipt){
                .threshold = threshold, .accepted = 1700000000, .source = strdup("https://example.net/sample.tar.zst")};
        for (size_t i = first; i < first + n; i++)
                assert_int_equal(keyring_add_pem(&r->ring, made.pems[i].data, made.pems[i].len, NULL), 0);
}

static inline void release_make(struct release *rel, const struct made_bundle *b, size_t first, size_t n) {
        cleanup_receipt struct receipt r = {};
        struct buf bytes = {};
        struct signature *sigs = new_array(b->env.n_sigs, sizeof(*sigs));
        int fds[MEMBERS];
        struct err err;

        receipt_make(&r, first, n, n);
        assert_int_equal(b->n, MEMBERS);
        memcpy(sigs, b->env.sigs, b->env.n_sigs * sizeof(*sigs));
        assert_int_equal(buf_append(&bytes, b->env.bytes.data, b->env.bytes.len), 0);
        for (size_t i = 0; i < MEMBERS; i++)
                fds[i] = memfd_sealed("member", b->members[i].data, b->members[i].len, NULL);
        if (release_verify(&bytes, sigs, b->env.n_sigs, fds, MEMBERS, &(struct bundle_trust){&r.ring, n}, rel, &err) < 0)
                fail_msg("%s", err.msg);
}

static inline int setup(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++)
                if (privkey_generate(&made.keys[i], NULL) < 0 ||
                    pubkey_pem(privkey_public(made.keys[i]), &made.pems[i], NULL) < 0)
                        return -1;
        made_bundle_make(&made.bundle, MANIFEST_TYPE, SOURCES, SOURCE_LEN, made.keys, 2);
        made_bundle_make(&made.other, MANIFEST_TYPE, SOURCES, SOURCE_LEN + 1, &made.keys[2], 1);
        return 0;
}

static inline int teardown(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++) {
                privkey_free(made.keys[i]);
                buf_done(&made.pems[i]);
        }
        made_bundle_done(&made.bundle);
        made_bundle_done(&made.other);
        return 0;
}

/* Stores one of the two; ret_hex: its content id. */
static inline void put(int fd, const struct made_bundle *b, char ret_hex[static SHA256_HEX]) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        size_t first = b == &made.other ? 2 : 0, n = b == &made.other ? 1 : 2;
        struct err err;

        release_make(&rel, b, first, n);
        receipt_make(&r, first, n, n);
        if (store_put(fd, &rel, &r, &err) < 0)
                fail_msg("%s", err.msg);
        strcpy(ret_hex, rel.manifest->content_hex);
}

/* A release's file or folder, relative to the state folder. */
#define PATH(hex, name) (snprintf(path, sizeof(path), "store/%s/%s", hex, name), path)

static inline void get_equal(int fd, const char *hex, const struct made_bundle *b) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        struct err err;

        if (store_get(fd, hex, &rel, &r, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(rel.manifest->content_hex, hex);
        assert_int_equal(rel.signed_bytes.len, b->env.bytes.len);
        assert_memory_equal(rel.signed_bytes.data, b->env.bytes.data, b->env.bytes.len);
        assert_int_equal(rel.n_sigs, b->env.n_sigs);
        for (size_t i = 0; i < rel.n_sigs; i++) {
                assert_memory_equal(rel.sigs[i].keyid, b->env.sigs[i].keyid, SHA256_SIZE);
                assert_int_equal(rel.sigs[i].len, b->env.sigs[i].len);
                assert_memory_equal(rel.sigs[i].sig, b->env.sigs[i].sig, rel.sigs[i].len);
        }
        for (size_t i = 0; i < MEMBERS; i++) {
                cleanup_buf struct buf data = {};

                assert_int_equal(fd_read_all(rel.members[i], 1 << 20, &data, NULL), 0);
                assert_int_equal(data.len, b->members[i].len);
                assert_memory_equal(data.data, b->members[i].data, data.len);
                assert_int_equal(memfd_check_sealed(rel.members[i], NULL), 0); /* in memory: the disk may change as it likes */
        }
        assert_int_equal(r.ring.n, rel.report.n_valid);
        assert_int_equal(r.threshold, r.ring.n);
        assert_int_equal(r.accepted, 1700000000);
        assert_string_equal(r.source, "https://example.net/sample.tar.zst");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)
