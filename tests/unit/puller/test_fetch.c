/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor against its fetcher: a fetcher that has been taken over must get nothing accepted that the trusted keys
 * have not signed, and must not hang the agent, make it leak, or put words into its mouth.
 *
 * The test program is its own fetcher. LSM_TEST_FETCHER names how it misbehaves; unset: it is the real one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "child.h"
#include "fetch.h"
#include "fetch_proto.h"
#include "fileio.h"
#include "hostile_fetcher.h"
#include "made_bundle.h"

#define S 1000000000LL
#define NOBODY 65534
#define BEHAVIOUR "LSM_TEST_FETCHER"
#define TYPE MANIFEST_TYPE

/* ---- the tests' supervisor ---- */

struct fixture {
        struct privkey *key, *second, *stranger;
        struct keyring ring;       /* key and second */
        struct made_bundle bundle; /* signed by key */
        char dir[64], bytes[96], sigs[96], members[96], self[4096];
};

static size_t open_fds(void) {
        size_t n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static bool no_children(void) {
        return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void file_write(const char *path, const void *p, size_t n) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, p, n), 0);
        close(fd);
}

/* The files that the hostile fetcher works from. */
static void hostile_files_write(const struct fixture *f, const struct made_bundle *b) {
        struct fetch_signature sigs[8] = {};
        cleanup_buf struct buf all = {};

        for (size_t i = 0; i < b->env.n_sigs; i++) {
                memcpy(sigs[i].keyid, b->env.sigs[i].keyid, sizeof(sigs[i].keyid));
                sigs[i].len = b->env.sigs[i].len;
                memcpy(sigs[i].sig, b->env.sigs[i].sig, b->env.sigs[i].len);
        }
        for (size_t i = 0; i < b->n; i++)
                assert_int_equal(buf_append(&all, b->members[i].data, b->members[i].len), 0);
        file_write(f->bytes, b->env.bytes.data, b->env.bytes.len);
        file_write(f->sigs, sigs, b->env.n_sigs * sizeof(sigs[0]));
        file_write(f->members, all.data, all.len);
}

static struct fetch_request hostile_request(const struct fixture *f, const char *behaviour) {
        setenv(BEHAVIOUR, behaviour, 1);
        return (struct fetch_request){
                .url = "https://hostile.example/bundle.tar.zst",
                .fd = -1,
                .exe = f->self,
                .limits = bundle_limits_default,
                .timeout_ns = 10 * S,
                .uid = NOBODY,
                .gid = NOBODY,
                .ca = f->bytes,
                .certificate = f->sigs,
                .client_key = f->members,
        };
}

static struct fetch_request local_request(int fd) {
        unsetenv(BEHAVIOUR);
        return (struct fetch_request){
                .fd = fd, .limits = bundle_limits_default, .timeout_ns = 30 * S, .uid = NOBODY, .gid = NOBODY};
}

static void release_check(const struct release *rel, const struct made_bundle *b) {
        assert_int_equal(rel->signed_bytes.len, b->env.bytes.len);
        assert_memory_equal(rel->signed_bytes.data, b->env.bytes.data, b->env.bytes.len);
        assert_int_equal(rel->n_sigs, b->env.n_sigs);
        assert_int_equal(rel->manifest->n_members, b->n);
        assert_int_equal(rel->manifest->release, 7);
        for (size_t i = 0; i < b->n; i++) {
                cleanup_buf struct buf content = {};

                assert_int_equal(memfd_check_sealed(rel->members[i], NULL), 0);
                assert_int_equal(fd_read_all(rel->members[i], 1 << 20, &content, NULL), 0); /* from where it stands: the start */
                assert_int_equal(content.len, b->members[i].len);
                assert_memory_equal(content.data, b->members[i].data, content.len);
        }
}

static void hostile_fetchers_get_nothing(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        size_t wrong = 0;

        for (size_t i = 0; i < ARRAY_SIZE(behaviours); i++) {
                const struct behaviour *b = &behaviours[i];
                struct fetch_request req = hostile_request(f, b->name);
                size_t before = open_fds();
                struct fetched got;
                struct err err = {};
                int r;

                if (b->want == -ETIMEDOUT)
                        req.timeout_ns = S / 2;
                r = fetch_bundle(&req, &trust, &waiter_plain, &got, &err);
                if (r != b->want || (r < 0 && err.reason != b->reason) || (r < 0 && b->message && !strstr(err.msg, b->message))) {
                        print_error("%s: %d %s: %s\n", b->name, r, reason_word(err.reason), r < 0 ? err.msg : "accepted");
                        wrong++;
                }
                if (r == 0)
                        release_check(&got.release, &f->bundle);
                else
                        assert_true(!got.release.manifest && !got.etag && !got.not_modified);
                fetched_done(&got);
                if (open_fds() != before) {
                        print_error("%s: %zu descriptors leaked\n", b->name, open_fds() - before);
                        wrong++;
                }
                assert_true(no_children());
        }
        assert_int_equal(wrong, 0);
}

/* What a fetcher says is shown to operators, on terminals and in JSON. */
static void words_of_a_hostile_fetcher_are_cleaned(void **state) {
        struct fetch_request req = hostile_request(*state, "fails_in_our_name");
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetched got;
        struct err err;

        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EIO);
        assert_int_equal(err.reason, REASON_NONE); /* "operator" is not the fetcher's to say */
        for (const char *p = err.msg; *p; p++)
                assert_true(*p >= ' ' && *p <= '~');
        assert_int_equal(got.retry_after_s, 24 * 3600);
        fetched_done(&got);

        req = hostile_request(f, "fails_with_no_known_reason");
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EIO);
        assert_int_equal(got.retry_after_s, 0);
        fetched_done(&got);

        req = hostile_request(f, "fails_without_end");
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EIO);
        assert_true(strlen(err.msg) < 600);
        fetched_done(&got);
}

static void validators_are_kept_only_when_they_can_be_sent_again(void **state) {
        struct fetch_request req = hostile_request(*state, "good_validators");
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetched got;

        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, NULL), 0);
        assert_string_equal(got.etag, "\"5f-62\"");
        assert_string_equal(got.last_modified, "Sun, 22 Nov 2026 08:00:00 GMT");
        fetched_done(&got);
        req = hostile_request(f, "bad_validators");
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, NULL), 0);
        assert_null(got.etag);
        assert_null(got.last_modified);
        fetched_done(&got);
}

static void not_modified_is_an_answer_to_a_conditional_request(void **state) {
        struct fetch_request req = hostile_request(*state, "not_modified");
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetched got;

        req.etag = "\"1\"";
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, NULL), 0);
        assert_true(got.not_modified);
        assert_null(got.release.manifest);
        fetched_done(&got);
        req = hostile_request(f, "not_modified_after_all");
        req.etag = "\"1\"";
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, NULL), -EBADMSG);
        assert_false(got.not_modified);
        fetched_done(&got);
}

/* A document that a trusted key has signed for another purpose; too few signatures; more content than allowed. */
static void what_was_signed_is_not_enough(void **state) {
        struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetch_request req = hostile_request(f, "manifest_alone");
        struct made_bundle other;
        struct fetched got;
        struct err err;

        made_bundle_make(&other, "lsm-rollout", 1, 10, &f->key, 1);
        hostile_files_write(f, &other);
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_WRONG_TYPE);
        fetched_done(&got);
        made_bundle_done(&other);

        made_bundle_make(&other, TYPE, 1, 10, &f->stranger, 1);
        hostile_files_write(f, &other);
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_UNKNOWN_KEY);
        fetched_done(&got);
        made_bundle_done(&other);

        hostile_files_write(f, &f->bundle);
        trust.threshold = 2;
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_THRESHOLD_NOT_MET);
        fetched_done(&got);

        trust.threshold = 1;
        req.limits.max_members = f->bundle.n - 1;
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EFBIG);
        assert_int_equal(err.reason, REASON_TOO_LARGE);
        req.limits = bundle_limits_default;
        req.limits.max_content = 5000;
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EFBIG);
        assert_int_equal(err.reason, REASON_TOO_LARGE);
}

/* ---- the real fetcher, on local files ---- */

static int archive_make(const struct made_bundle *b) {
        int fd = memfd_create("archive", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(bundle_write(fd, &b->env, b->members, b->n, 0, NULL), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static void a_local_file_is_fetched(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        size_t before = open_fds();
        int fd = archive_make(&f->bundle);
        struct fetch_request req = local_request(fd);
        struct fetched got;
        struct err err = {};

        if (fetch_bundle(&req, &trust, &waiter_plain, &got, &err) < 0)
                fail_msg("%s", err.msg);
        release_check(&got.release, &f->bundle);
        assert_int_equal(got.release.report.n_valid, 1);
        assert_null(got.etag);
        assert_true(got.sandbox.parts & SANDBOX_SECCOMP);
        assert_int_equal(got.sandbox.uid, geteuid() == 0 ? NOBODY : geteuid());
        fetched_done(&got);
        fetched_done(&got);
        close(fd);
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

/* More members than fit a socket's buffer, signed by two. */
static void many_members(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 2};
        struct privkey *keys[] = {f->key, f->second};
        struct made_bundle b;
        struct fetch_request req;
        struct fetched got;
        struct err err = {};
        int fd;

        made_bundle_make(&b, TYPE, 500, 3, keys, 2);
        fd = archive_make(&b);
        req = local_request(fd);
        if (fetch_bundle(&req, &trust, &waiter_plain, &got, &err) < 0)
                fail_msg("%s", err.msg);
        release_check(&got.release, &b);
        assert_int_equal(got.release.report.n_valid, 2);
        fetched_done(&got);
        made_bundle_done(&b);
        close(fd);
}

static void the_fetchers_refusal_reaches_the_caller(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct made_bundle b;
        struct fetch_request req;
        struct fetched got;
        struct err err;
        int fd;

        made_bundle_make(&b, TYPE, 1, 10, &f->stranger, 1);
        fd = archive_make(&b);
        req = local_request(fd);
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_UNKNOWN_KEY);
        close(fd);
        made_bundle_done(&b);

        fd = archive_make(&f->bundle);
        assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 20), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        req = local_request(fd);
        assert_true(fetch_bundle(&req, &trust, &waiter_plain, &got, &err) < 0);
        assert_int_equal(err.reason, REASON_TRUNCATED);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_true(fetch_bundle(&req, &trust, &waiter_plain, &got, &err) < 0);
        assert_int_equal(reason_exit_code(err.reason), 3);
        close(fd);

        fd = archive_make(&f->bundle);
        req = local_request(fd);
        req.limits.max_archive = 1000;
        assert_true(fetch_bundle(&req, &trust, &waiter_plain, &got, &err) < 0);
        assert_int_equal(err.reason, REASON_TOO_LARGE);
        close(fd);
        assert_true(no_children());
}

static int wait_cancelled(struct waiter *w, int fd, int64_t deadline_ns) {
        return -ECANCELED;
}

static void it_can_be_called_off(void **state) {
        struct waiter w = {.wait = wait_cancelled};
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetch_request req = hostile_request(f, "silent");
        size_t before = open_fds();
        struct fetched got;

        assert_int_equal(fetch_bundle(&req, &trust, &w, &got, NULL), -ECANCELED);
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

static void senseless_requests_start_nothing(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1}, none = {.ring = &(struct keyring){}, .threshold = 1},
                            zero = {.ring = &f->ring, .threshold = 0}, null = {.threshold = 1};
        static const char *const urls[] = {
                "http://example.com/x",
                "HTTP://example.com/x",
                "ftp://example.com/x",
                "file:///etc/shadow",
                "gopher://x/",
                "//example.com/x",
                "example.com/x",
                "https://",
                "https://e:99999/",
                "https://user:secret@example.com/x",
                "https://user@example.com/x",
                "",
        };
        struct fetch_request req = hostile_request(f, "silent");
        struct fetched got;
        struct err err;

        req.exe = "/nonexistent"; /* starting anything would fail with another error */
        assert_int_equal(fetch_bundle(&req, &none, &waiter_plain, &got, &err), -EINVAL);
        assert_int_equal(fetch_bundle(&req, &zero, &waiter_plain, &got, &err), -EINVAL);
        assert_int_equal(fetch_bundle(&req, &null, &waiter_plain, &got, &err), -EINVAL);
        assert_int_equal(fetch_bundle(&req, NULL, &waiter_plain, &got, &err), -EINVAL);
        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                req.url = urls[i];
                err = (struct err){};
                if (fetch_bundle(&req, &trust, &waiter_plain, &got, &err) != -EINVAL || err.reason != REASON_CONFIG)
                        fail_msg("'%s': %s", urls[i], err.msg);
                assert_null(strstr(err.msg, "secret"));
        }
        req.url = NULL;
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EINVAL);
        req.url = "https://example.com/";
        req.client_key = NULL;
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
}

static void files_that_are_missing_are_named(void **state) {
        const struct fixture *f = *state;
        struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        struct fetch_request req = hostile_request(f, "silent");
        size_t before = open_fds();
        struct fetched got;
        struct err err;

        req.token = "/nonexistent/token";
        assert_int_equal(fetch_bundle(&req, &trust, &waiter_plain, &got, &err), -ENOENT);
        assert_int_equal(err.reason, REASON_CONFIG);
        assert_non_null(strstr(err.msg, "/nonexistent/token"));
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

static int setup(void **state) {
        static struct fixture f;
        ssize_t n = readlink("/proc/self/exe", f.self, sizeof(f.self) - 1);
        struct privkey **keys[] = {&f.key, &f.second, &f.stranger};

        if (n < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (privkey_generate(keys[i], NULL) < 0)
                        return -1;
        for (size_t i = 0; i < 2; i++) {
                cleanup_buf struct buf pem = {};

                if (pubkey_pem(privkey_public(*keys[i]), &pem, NULL) < 0 || keyring_add_pem(&f.ring, pem.data, pem.len, NULL) < 0)
                        return -1;
        }
        strcpy(f.dir, "/tmp/test_fetch.XXXXXX");
        if (!mkdtemp(f.dir))
                return -1;
        snprintf(f.bytes, sizeof(f.bytes), "%s/bytes", f.dir);
        snprintf(f.sigs, sizeof(f.sigs), "%s/sigs", f.dir);
        snprintf(f.members, sizeof(f.members), "%s/members", f.dir);
        made_bundle_make(&f.bundle, TYPE, N_SOURCES, SOURCE_LEN, &f.key, 1);
        hostile_files_write(&f, &f.bundle);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        unlink(f->bytes);
        unlink(f->sigs);
        unlink(f->members);
        made_bundle_done(&f->bundle);
        keyring_done(&f->ring);
        privkey_free(f->key);
        privkey_free(f->second);
        privkey_free(f->stranger);
        return rmdir(f->dir);
}

int main(int argc, char **argv) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(hostile_fetchers_get_nothing),
                cmocka_unit_test(words_of_a_hostile_fetcher_are_cleaned),
                cmocka_unit_test(validators_are_kept_only_when_they_can_be_sent_again),
                cmocka_unit_test(not_modified_is_an_answer_to_a_conditional_request),
                cmocka_unit_test(what_was_signed_is_not_enough),
                cmocka_unit_test(a_local_file_is_fetched),
                cmocka_unit_test(many_members),
                cmocka_unit_test(the_fetchers_refusal_reaches_the_caller),
                cmocka_unit_test(it_can_be_called_off),
                cmocka_unit_test(senseless_requests_start_nothing),
                cmocka_unit_test(files_that_are_missing_are_named),
        };

        if (argc > 1 && streq(argv[1], "@fetcher"))
                return getenv(BEHAVIOUR) ? hostile_fetcher_main(getenv(BEHAVIOUR)) : fetcher_main(CHILD_SOCK);
        return cmocka_run_group_tests_name("fetch", tests, setup, teardown);
}
