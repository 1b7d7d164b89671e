/* SPDX-License-Identifier: Apache-2.0 */
/* release_verify(): the one way to a release. A fetcher that was taken over must not get a single byte past it. */
#include "state_fixture.h"

#include <sys/mman.h>

#include "made_bundle.h"
#include "release.h"

#define SOURCES 2
#define MEMBERS (SOURCES + 2)

static struct {
        struct privkey *keys[3];
        struct keyring ring; /* of the first two */
        struct made_bundle bundle;
} made;

static int setup(void **state) {
        struct buf pem = {};

        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++)
                if (privkey_generate(&made.keys[i], NULL) < 0)
                        return -1;
        for (size_t i = 0; i < 2; i++) {
                pem.len = 0;
                if (pubkey_pem(privkey_public(made.keys[i]), &pem, NULL) < 0 ||
                    keyring_add_pem(&made.ring, pem.data, pem.len, NULL) < 0)
                        return -1;
        }
        buf_done(&pem);
        made_bundle_make(&made.bundle, MANIFEST_TYPE, SOURCES, 100000, made.keys, 2);
        return 0;
}

static int teardown(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++)
                privkey_free(made.keys[i]);
        keyring_done(&made.ring);
        made_bundle_done(&made.bundle);
        return 0;
}

/* What is handed over, all of it taken by verify(). */
struct offer {
        struct buf bytes;
        struct signature *sigs;
        size_t n_sigs;
        int fds[MEMBERS + 1];
        size_t n_fds;
        struct keyring *ring;
        size_t threshold;
        const uint8_t *content;
};

static void offer_make(struct offer *o, const struct made_bundle *b) {
        *o = (struct offer){.n_sigs = b->env.n_sigs, .n_fds = b->n, .ring = &made.ring, .threshold = 2};
        assert_int_equal(buf_append(&o->bytes, b->env.bytes.data, b->env.bytes.len), 0);
        o->sigs = new_array(o->n_sigs, sizeof(*o->sigs));
        if (o->n_sigs)
                memcpy(o->sigs, b->env.sigs, o->n_sigs * sizeof(*o->sigs));
        for (size_t i = 0; i < b->n; i++) {
                o->fds[i] = memfd_sealed("member", b->members[i].data, b->members[i].len, NULL);
                assert_true(o->fds[i] >= 0);
        }
}

static int offer_verify(struct offer *o, struct release *ret, struct err *err) {
        struct bundle_trust trust = {.ring = o->ring, .threshold = o->threshold, .content = o->content};

        return release_verify(&o->bytes, o->sigs, o->n_sigs, o->fds, o->n_fds, &trust, ret, err);
}

/* Refused for this reason; everything that was handed over is gone, and nothing has come out. */
static void refused(struct offer *o, enum reason want, size_t fds_before) {
        struct release rel = RELEASE_INIT, none = RELEASE_INIT;
        struct err err = {};
        int r = offer_verify(o, &rel, &err);

        if (r >= 0 || err.reason != want || (want && !err.msg[0]))
                fail_msg("%d, '%s': %s; expected '%s'", r, reason_word(err.reason), err.msg, reason_word(want));
        assert_memory_equal(&rel, &none, sizeof(rel));
        assert_null(o->bytes.data);
        for (size_t i = 0; i < o->n_fds; i++)
                assert_int_equal(o->fds[i], -1);
        assert_int_equal(open_fds(), fds_before);
}

/* A repository's metadata lists the content id: then that decides, signed by whom or not. */
static void by_content(void **state) {
        size_t before = open_fds();
        uint8_t content[SHA256_SIZE];
        struct release rel = RELEASE_INIT;
        struct err err = {};
        struct offer o;

        assert_int_equal(sha256(made.bundle.env.bytes.data, made.bundle.env.bytes.len, content), 0);
        offer_make(&o, &made.bundle);
        o.ring = NULL;
        o.threshold = 0;
        o.n_sigs = 0;
        o.content = content;
        if (offer_verify(&o, &rel, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(rel.manifest->release, 7);
        release_done(&rel);

        offer_make(&o, &made.bundle); /* both keys have signed, and another content is listed */
        content[31] ^= 1;
        o.content = content;
        refused(&o, REASON_DIGEST_MISMATCH, before);
        content[31] ^= 1;

        offer_make(&o, &made.bundle); /* one byte of it is another */
        o.content = content;
        o.bytes.data[o.bytes.len / 2] ^= 1;
        refused(&o, REASON_DIGEST_MISMATCH, before);
}

static void good(void **state) {
        size_t before = open_fds();
        struct release rel = RELEASE_INIT;
        struct err err = {};
        struct offer o;

        offer_make(&o, &made.bundle);
        if (offer_verify(&o, &rel, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(rel.manifest->release, 7);
        assert_int_equal(rel.manifest->n_members, MEMBERS);
        assert_int_equal(rel.report.n_valid, 2);
        assert_int_equal(rel.n_sigs, 2);
        assert_memory_equal(rel.signed_bytes.data, made.bundle.env.bytes.data, made.bundle.env.bytes.len);
        for (size_t i = 0; i < MEMBERS; i++) {
                cleanup_buf struct buf b = {};

                assert_int_equal(o.fds[i], -1);
                assert_int_equal(fd_read_all(rel.members[i], 1 << 20, &b, NULL), 0); /* from its begin */
                assert_int_equal(b.len, made.bundle.members[i].len);
                assert_memory_equal(b.data, made.bundle.members[i].data, b.len);
                assert_int_equal(fcntl(rel.members[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
                assert_int_equal(fcntl(rel.members[i], F_GETFL) & O_ACCMODE, O_RDONLY);
        }
        assert_int_equal(open_fds(), before + MEMBERS);
        release_done(&rel);
        release_done(&rel);
        assert_int_equal(open_fds(), before);
}

/* A sender that keeps its descriptor must not be able to move what the supervisor and the loader read. */
static void sender_keeps_descriptor(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_buf struct buf b = {};
        struct offer o;
        int kept;

        offer_make(&o, &made.bundle);
        kept = dup(o.fds[1]);
        assert_int_equal(offer_verify(&o, &rel, NULL), 0);
        assert_int_equal(lseek(kept, 4000, SEEK_SET), 4000);
        assert_int_equal(fd_read_all(rel.members[1], 1 << 20, &b, NULL), 0);
        assert_int_equal(b.len, made.bundle.members[1].len);
        assert_int_equal(write(kept, "x", 1), -1);
        close(kept);
}

static void nobody_to_trust(void **state) {
        size_t before = open_fds();
        struct keyring empty = {};
        struct offer o;
        struct err err;

        offer_make(&o, &made.bundle);
        o.ring = NULL;
        refused(&o, REASON_UNKNOWN_KEY, before);
        offer_make(&o, &made.bundle);
        o.ring = &empty;
        refused(&o, REASON_UNKNOWN_KEY, before);
        offer_make(&o, &made.bundle);
        o.threshold = 0;
        refused(&o, REASON_UNKNOWN_KEY, before);
        offer_make(&o, &made.bundle);
        assert_true(release_verify(&o.bytes, o.sigs, o.n_sigs, o.fds, o.n_fds, NULL, &(struct release){}, &err) < 0);
        assert_int_equal(open_fds(), before);
}

static void signatures(void **state) {
        size_t before = open_fds();
        struct made_bundle other = {};
        struct offer o;

        offer_make(&o, &made.bundle);
        o.threshold = 3;
        refused(&o, REASON_THRESHOLD_NOT_MET, before);

        offer_make(&o, &made.bundle);
        o.n_sigs = 1;
        refused(&o, REASON_THRESHOLD_NOT_MET, before);

        offer_make(&o, &made.bundle); /* one key's signature twice is one signature */
        o.sigs[1] = o.sigs[0];
        refused(&o, REASON_THRESHOLD_NOT_MET, before);

        offer_make(&o, &made.bundle);
        o.n_sigs = 0;
        refused(&o, REASON_UNKNOWN_KEY, before);

        offer_make(&o, &made.bundle);
        o.sigs[1].sig[63] ^= 1;
        refused(&o, REASON_BAD_SIGNATURE, before);

        for (size_t at = 0; at < made.bundle.env.bytes.len; at += 37) {
                offer_make(&o, &made.bundle);
                o.bytes.data[at] ^= 1;
                refused(&o, REASON_BAD_SIGNATURE, before);
        }

        made_bundle_make(&other, MANIFEST_TYPE, SOURCES, 100000, &made.keys[2], 1);
        offer_make(&o, &other);
        refused(&o, REASON_UNKNOWN_KEY, before);
        made_bundle_done(&other);
}

/* The signatures come first: bytes that nobody has signed are not parsed, whatever they are. */
static void not_parsed_before_signed(void **state) {
        size_t before = open_fds();
        struct offer o;

        offer_make(&o, &made.bundle);
        o.bytes.len = 0;
        assert_int_equal(buf_append(&o.bytes, "{]", 2), 0);
        refused(&o, REASON_BAD_SIGNATURE, before);
        offer_make(&o, &made.bundle);
        buf_done(&o.bytes);
        refused(&o, REASON_BAD_SIGNATURE, before);
}

static struct envelope signed_text(const char *text) {
        struct envelope env = {};

        assert_int_equal(buf_append(&env.bytes, text, strlen(text)), 0);
        for (size_t i = 0; i < 2; i++)
                assert_int_equal(envelope_sign(&env, made.keys[i], NULL), 0);
        return env;
}

/* Signed by the right people, and yet not a bundle's manifest. */
static void signed_for_something_else(void **state) {
        static const struct {
                const char *text;
                enum reason reason;
        } cases[] = {
                {"{\"_type\":\"lsm-rollout\",\"format\":1}", REASON_WRONG_TYPE},
                {"{\"_type\":\"lsm-bundle\",\"format\":2}", REASON_UNSUPPORTED_FORMAT},
                {"{\"_type\":\"lsm-bundle\",\"format\":1}", REASON_MALFORMED},
                {"{\"format\":1,\"_type\":\"lsm-bundle\"}", REASON_MALFORMED}, /* not canonical */
                {"[]", REASON_MALFORMED},
        };
        size_t before = open_fds();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct made_bundle b = {.env = signed_text(cases[i].text)};
                struct offer o;

                offer_make(&o, &b);
                refused(&o, cases[i].reason, before);
                made_bundle_done(&b);
        }
}

static void members_too_many_or_few(void **state) {
        size_t before = open_fds();
        struct offer o;

        for (size_t n = 0; n < MEMBERS; n++) {
                offer_make(&o, &made.bundle);
                for (; o.n_fds > n; o.n_fds--)
                        close(o.fds[o.n_fds - 1]);
                refused(&o, REASON_MISSING_MEMBER, before);
        }
        offer_make(&o, &made.bundle);
        o.fds[o.n_fds++] = memfd_sealed("one more", "", 0, NULL);
        refused(&o, REASON_UNLISTED_MEMBER, before);
}

static void members_differ(void **state) {
        size_t before = open_fds();
        struct offer o;

        for (size_t i = 0; i < MEMBERS; i++) {
                const struct bundle_member *m = &made.bundle.members[i];
                cleanup_free char *data = malloc(m->len + 1);

                memcpy(data, m->data, m->len);
                data[m->len] = 'x';
                offer_make(&o, &made.bundle);
                close(o.fds[i]);
                o.fds[i] = memfd_sealed("longer", data, m->len + 1, NULL);
                refused(&o, REASON_LENGTH_MISMATCH, before);

                offer_make(&o, &made.bundle);
                close(o.fds[i]);
                o.fds[i] = memfd_sealed("shorter", data, m->len - 1, NULL);
                refused(&o, REASON_LENGTH_MISMATCH, before);

                offer_make(&o, &made.bundle);
                close(o.fds[i]);
                data[m->len - 1] ^= 0x80;
                o.fds[i] = memfd_sealed("flipped", data, m->len, NULL);
                refused(&o, REASON_DIGEST_MISMATCH, before);
        }
        offer_make(&o, &made.bundle); /* the two sources have one length */
        int swapped = o.fds[2];
        o.fds[2] = o.fds[3];
        o.fds[3] = swapped;
        refused(&o, REASON_DIGEST_MISMATCH, before);
}

/* What could still change after it was judged, or is no file at all. */
static void not_sealed(void **state) {
        static const int partial[] = {0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW, F_SEAL_WRITE | F_SEAL_SHRINK,
                                      F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE};
        const struct bundle_member *m = &made.bundle.members[1];
        size_t before = open_fds();
        struct offer o;
        int pipes[2];

        for (size_t i = 0; i < ARRAY_SIZE(partial); i++) {
                offer_make(&o, &made.bundle);
                close(o.fds[1]);
                o.fds[1] = memfd_create("open to change", MFD_CLOEXEC | MFD_ALLOW_SEALING);
                assert_int_equal(fd_write_all(o.fds[1], m->data, m->len), 0);
                assert_int_equal(fcntl(o.fds[1], F_ADD_SEALS, partial[i]), 0);
                refused(&o, REASON_MALFORMED, before);
        }
        offer_make(&o, &made.bundle);
        close(o.fds[1]);
        o.fds[1] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        refused(&o, REASON_MALFORMED, before);
        offer_make(&o, &made.bundle);
        close(o.fds[1]);
        o.fds[1] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        refused(&o, REASON_MALFORMED, before);
        offer_make(&o, &made.bundle); /* a pipe must not be waited for */
        close(o.fds[1]);
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        o.fds[1] = pipes[0];
        refused(&o, REASON_MALFORMED, before + 1);
        close(pipes[1]);
        offer_make(&o, &made.bundle);
        close(o.fds[1]);
        o.fds[1] = -1;
        refused(&o, REASON_NONE, before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(by_content),
                cmocka_unit_test(good),
                cmocka_unit_test(sender_keeps_descriptor),
                cmocka_unit_test(nobody_to_trust),
                cmocka_unit_test(signatures),
                cmocka_unit_test(not_parsed_before_signed),
                cmocka_unit_test(signed_for_something_else),
                cmocka_unit_test(members_too_many_or_few),
                cmocka_unit_test(members_differ),
                cmocka_unit_test(not_sealed),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
