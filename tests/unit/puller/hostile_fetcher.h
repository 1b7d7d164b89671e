/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetchers that have been taken over, for test_fetch.c: what each does, and what the supervisor must make of it. Each gets
 * what it works with as the request's files: CA the signed bytes, certificate their signatures, key the members, one after
 * the other.
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "child.h"
#include "fetch_proto.h"
#include "fileio.h"
#include "made_bundle.h"

#define N_SOURCES 3
#define SOURCE_LEN 1000

struct hostile {
        struct buf bytes, sigs, members;
        size_t lengths[MADE_MEMBERS_MAX], n;
};

static int sealed(const void *p, size_t n) {
        return memfd_sealed("x", p, n, NULL);
}

static int sealed_with(const void *p, size_t n, int seals) {
        int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd_write_all(fd, p, n) < 0 || (seals && fcntl(fd, F_ADD_SEALS, seals) < 0))
                _exit(90);
        return fd;
}

static void say(uint32_t message, uint32_t member, const int *fds, size_t n_fds) {
        struct fetch_packet p = {.message = message, .member = member};

        if (msg_send(CHILD_SOCK, &p, sizeof(p), fds, n_fds) < 0)
                _exit(91);
}

static void say_sandboxed(void) {
        say(FETCH_SANDBOXED, 0, NULL, 0);
}
static void say_manifest_of(const void *p, size_t n, const void *sigs, size_t n_sigs) {
        say(FETCH_MANIFEST, 0, (int[]){sealed(p, n), sealed(sigs, n_sigs)}, 2);
}
static void say_manifest(const struct hostile *h) {
        say_manifest_of(h->bytes.data, h->bytes.len, h->sigs.data, h->sigs.len);
}
static const char *member_data(const struct hostile *h, size_t i) {
        size_t at = 0;

        for (size_t k = 0; k < i; k++)
                at += h->lengths[k];
        return h->members.data + at;
}
static void say_members(const struct hostile *h, size_t from, size_t to) {
        for (size_t i = from; i < to; i++)
                say(FETCH_MEMBER, i, (int[]){sealed(member_data(h, i), h->lengths[i])}, 1);
}
static void say_done(void) {
        say(FETCH_DONE, 0, NULL, 0);
}
/* Everything right but the last member. */
static void all_but_last(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        say_members(h, 0, h->n - 1);
}
static void last_member(const struct hostile *h, int fd) {
        all_but_last(h);
        say(FETCH_MEMBER, h->n - 1, &fd, 1);
        say_done();
}

static void honest(const struct hostile *h) {
        all_but_last(h);
        say_members(h, h->n - 1, h->n);
        say_done();
}
static void silent(const struct hostile *h) {
        for (;;)
                pause();
}
static void silent_later(const struct hostile *h) {
        all_but_last(h);
        silent(h);
}
static void stopped(const struct hostile *h) {
        raise(SIGSTOP);
}
static void gone(const struct hostile *h) {
        _exit(3);
}
static void gone_later(const struct hostile *h) {
        all_but_last(h);
        _exit(0);
}
static void killed(const struct hostile *h) {
        raise(SIGKILL);
}
static void closes_and_stays(const struct hostile *h) {
        close(CHILD_SOCK);
        silent(h);
}
static void flood(const struct hostile *h) {
        for (;;)
                say_sandboxed();
}
static void flood_members(const struct hostile *h) {
        honest(h);
        for (;;)
                say_members(h, 0, 1);
}
static void no_sandbox(const struct hostile *h) {
        say_manifest(h);
        say_members(h, 0, h->n);
        say_done();
}
static void done_at_once(const struct hostile *h) {
        say_sandboxed();
        say_done();
}
static void done_too_early(const struct hostile *h) {
        all_but_last(h);
        say_done();
}
static void manifest_alone(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        silent(h);
}
static void two_manifests(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        say_manifest(h);
}
static void member_before_manifest(const struct hostile *h) {
        say_sandboxed();
        say_members(h, 0, 1);
}
static void member_twice(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        say_members(h, 0, 1);
        say_members(h, 0, 1);
}
static void member_skipped(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        say_members(h, 1, h->n);
        say_done();
}
static void member_too_many(const struct hostile *h) {
        all_but_last(h);
        say_members(h, h->n - 1, h->n);
        say(FETCH_MEMBER, h->n, (int[]){sealed("x", 1)}, 1);
}
static void unknown_message(const struct hostile *h) {
        say_sandboxed();
        say(FETCH_FAILED + 1, 0, NULL, 0);
}
static void message_zero(const struct hostile *h) {
        say(0, 0, NULL, 0);
}
static void message_huge(const struct hostile *h) {
        say(UINT32_MAX, 0, NULL, 0);
}
static void short_packet(const struct hostile *h) {
        struct fetch_packet p = {.message = FETCH_SANDBOXED};

        msg_send(CHILD_SOCK, &p, sizeof(p) - 1, NULL, 0);
        silent(h);
}
static void long_packet(const struct hostile *h) {
        char p[sizeof(struct fetch_packet) + 1] = {FETCH_SANDBOXED};

        msg_send(CHILD_SOCK, p, sizeof(p), (int[]){0}, 1);
        silent(h);
}
static void empty_packet(const struct hostile *h) {
        send(CHILD_SOCK, "", 0, 0);
        silent(h);
}
static void garbage(const struct hostile *h) {
        char p[sizeof(struct fetch_packet)];

        memset(p, 0xa5, sizeof(p));
        msg_send(CHILD_SOCK, p, sizeof(p), NULL, 0);
        silent(h);
}
static void heap_of_descriptors(const struct hostile *h) {
        int fds[MSG_FDS_MAX] = {};

        say(FETCH_SANDBOXED, 0, fds, MSG_FDS_MAX);
        silent(h);
}
static void descriptors_with_done(const struct hostile *h) {
        all_but_last(h);
        say_members(h, h->n - 1, h->n);
        say(FETCH_DONE, 0, (int[]){0}, 1);
}
static void manifest_without_signatures(const struct hostile *h) {
        say_sandboxed();
        say(FETCH_MANIFEST, 0, (int[]){sealed(h->bytes.data, h->bytes.len)}, 1);
}
static void member_without_descriptor(const struct hostile *h) {
        all_but_last(h);
        say(FETCH_MEMBER, h->n - 1, NULL, 0);
}
static void unsealed_manifest(const struct hostile *h) {
        say_sandboxed();
        say(FETCH_MANIFEST, 0, (int[]){sealed_with(h->bytes.data, h->bytes.len, 0), sealed(h->sigs.data, h->sigs.len)}, 2);
}
static void unsealed_signatures(const struct hostile *h) {
        say_sandboxed();
        say(FETCH_MANIFEST, 0, (int[]){sealed(h->bytes.data, h->bytes.len), sealed_with(h->sigs.data, h->sigs.len, 0)}, 2);
}
static void unsealed_member(const struct hostile *h) {
        last_member(h, sealed_with(member_data(h, h->n - 1), h->lengths[h->n - 1], 0));
}
static void half_sealed_member(const struct hostile *h) {
        last_member(h, sealed_with(member_data(h, h->n - 1), h->lengths[h->n - 1], F_SEAL_GROW | F_SEAL_SHRINK));
}
/* "No new writers" leaves the mapping that is there already. */
static void writable_member(const struct hostile *h) {
        int fd = sealed_with(member_data(h, h->n - 1), h->lengths[h->n - 1], 0);

        if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
                _exit(92);
        fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
        last_member(h, fd);
}
static void pipe_member(const struct hostile *h) {
        int p[2];

        if (pipe(p) < 0)
                _exit(93);
        last_member(h, p[0]);
}
static void socket_member(const struct hostile *h) {
        last_member(h, socket(AF_UNIX, SOCK_STREAM, 0));
}
static void device_member(const struct hostile *h) {
        last_member(h, open("/dev/zero", O_RDONLY));
}
static void file_member(const struct hostile *h) {
        char path[] = "/tmp/test_fetch.XXXXXX";
        int fd = mkstemp(path);

        unlink(path);
        if (fd_write_all(fd, member_data(h, h->n - 1), h->lengths[h->n - 1]) < 0)
                _exit(94);
        last_member(h, fd);
}
static void path_member(const struct hostile *h) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", sealed(member_data(h, h->n - 1), h->lengths[h->n - 1]));
        last_member(h, open(path, O_PATH));
}
static void wrong_content(const struct hostile *h) {
        char data[SOURCE_LEN];

        memcpy(data, member_data(h, h->n - 1), SOURCE_LEN);
        data[SOURCE_LEN - 1] ^= 1;
        last_member(h, sealed(data, SOURCE_LEN));
}
static void short_content(const struct hostile *h) {
        last_member(h, sealed(member_data(h, h->n - 1), SOURCE_LEN - 1));
}
static void long_content(const struct hostile *h) {
        char data[SOURCE_LEN + 1] = {};

        memcpy(data, member_data(h, h->n - 1), SOURCE_LEN);
        last_member(h, sealed(data, sizeof(data)));
}
/* One that would take long to hash, and much memory to map. */
static void sparse_content(const struct hostile *h) {
        int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (ftruncate(fd, 1LL << 50) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) < 0)
                _exit(95);
        last_member(h, fd);
}
static void swapped_content(const struct hostile *h) { /* two members of one length */
        say_sandboxed();
        say_manifest(h);
        say_members(h, 0, h->n - 2);
        say(FETCH_MEMBER, h->n - 2, (int[]){sealed(member_data(h, h->n - 1), SOURCE_LEN)}, 1);
        say(FETCH_MEMBER, h->n - 1, (int[]){sealed(member_data(h, h->n - 2), SOURCE_LEN)}, 1);
        say_done();
}
static void changed_manifest(const struct hostile *h) {
        char *release = strstr(h->bytes.data, "\"release\":7");

        release[strlen("\"release\":")] = '9';
        say_sandboxed();
        say_manifest(h);
}
static void manifest_in_other_words(const struct hostile *h) { /* the same JSON value, not the signed bytes */
        cleanup_buf struct buf b = {};

        if (buf_printf(&b, " %s", h->bytes.data) < 0)
                _exit(96);
        say_sandboxed();
        say_manifest_of(b.data, b.len, h->sigs.data, h->sigs.len);
}
static void garbage_manifest(const struct hostile *h) {
        say_sandboxed();
        say_manifest_of("{{{{", 4, h->sigs.data, h->sigs.len);
}
static void huge_manifest(const struct hostile *h) {
        static char big[MANIFEST_MAX + 1];

        say_sandboxed();
        say_manifest_of(big, sizeof(big), h->sigs.data, h->sigs.len);
}
static void empty_manifest(const struct hostile *h) {
        say_sandboxed();
        say_manifest_of("", 0, h->sigs.data, h->sigs.len);
}
static void empty_signatures(const struct hostile *h) {
        say_sandboxed();
        say_manifest_of(h->bytes.data, h->bytes.len, "", 0);
}
static void part_of_a_signature(const struct hostile *h) {
        say_sandboxed();
        say_manifest_of(h->bytes.data, h->bytes.len, h->sigs.data, h->sigs.len - 1);
}
static void impossible_signature(const struct hostile *h) {
        ((struct fetch_signature *)h->sigs.data)->len = UINT32_MAX;
        say_sandboxed();
        say_manifest(h);
}
static void too_many_signatures(const struct hostile *h) {
        static struct fetch_signature sigs[SIGNATURES_MAX + 1];

        say_sandboxed();
        say_manifest_of(h->bytes.data, h->bytes.len, sigs, sizeof(sigs));
}
static void unrelated_signature(const struct hostile *h) {
        ((struct fetch_signature *)h->sigs.data)->sig[5] ^= 1;
        say_sandboxed();
        say_manifest(h);
}
static void unknown_signature(const struct hostile *h) {
        ((struct fetch_signature *)h->sigs.data)->keyid[5] ^= 1;
        say_sandboxed();
        say_manifest(h);
}
static void not_modified(const struct hostile *h) {
        say_sandboxed();
        say(FETCH_NOT_MODIFIED, 0, NULL, 0);
}
static void not_modified_after_all(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        say(FETCH_NOT_MODIFIED, 0, NULL, 0);
}
static void fail_with(const char *reason, const char *text, int retry_after_s) {
        struct fetch_packet p = {.message = FETCH_FAILED, .retry_after_s = retry_after_s};

        strcpy(p.reason, reason);
        strcpy(p.text, text);
        msg_send(CHILD_SOCK, &p, sizeof(p), NULL, 0);
        _exit(1);
}
static void fails_for_a_reason(const struct hostile *h) {
        fail_with("digest-mismatch", "'objects/sample.bpf.o' is not what the manifest says", 0);
}
static void fails_in_our_name(const struct hostile *h) {
        fail_with("operator", "\x1b[2J\nlsmpull: everything is fine\xff", INT32_MAX);
}
static void fails_with_no_known_reason(const struct hostile *h) {
        fail_with("because", "", -5);
}
static void fails_without_end(const struct hostile *h) {
        struct fetch_packet p;

        memset(&p, 'A', sizeof(p));
        p.message = FETCH_FAILED;
        msg_send(CHILD_SOCK, &p, sizeof(p), NULL, 0);
        _exit(1);
}
static void validators(const char *etag, const char *last_modified) {
        struct fetch_packet p = {.message = FETCH_DONE};

        memcpy(p.etag, etag, strnlen(etag, sizeof(p.etag)));
        strcpy(p.last_modified, last_modified);
        msg_send(CHILD_SOCK, &p, sizeof(p), NULL, 0);
}
static void good_validators(const struct hostile *h) {
        all_but_last(h);
        say_members(h, h->n - 1, h->n);
        validators("\"5f-62\"", "Sun, 22 Nov 2026 08:00:00 GMT");
}
static void bad_validators(const struct hostile *h) {
        char etag[256];

        memset(etag, 'x', sizeof(etag));
        etag[7] = '\r';
        all_but_last(h);
        say_members(h, h->n - 1, h->n);
        validators(etag, "x\nAuthorization: Basic Zm9v");
}
/* It shares the offset of what it has handed over. */
static void moved_offsets(const struct hostile *h) {
        say_sandboxed();
        say_manifest(h);
        for (size_t i = 0; i < h->n; i++) {
                int fd = sealed(member_data(h, i), h->lengths[i]);

                lseek(fd, h->lengths[i], SEEK_SET);
                say(FETCH_MEMBER, i, &fd, 1);
        }
        say_done();
}

static const struct behaviour {
        const char *name;
        void (*run)(const struct hostile *h);
        int want; /* 0: accepted */
        enum reason reason;
        const char *message; /* part of it; NULL: any */
} behaviours[] = {
#define B(name, ...) \
        { #name, name, __VA_ARGS__ }
        B(honest, 0, REASON_NONE, NULL),
        B(moved_offsets, 0, REASON_NONE, NULL),
        B(flood_members, 0, REASON_NONE, NULL), /* whatever comes after the end is nobody's business */
        B(gone, -EIO, REASON_NONE, "exit status 3"),
        B(gone_later, -EIO, REASON_NONE, "exit status 0"),
        B(killed, -EIO, REASON_NONE, "signal 9"),
        B(silent, -ETIMEDOUT, REASON_NONE, "in time"),
        B(silent_later, -ETIMEDOUT, REASON_NONE, "in time"),
        B(stopped, -ETIMEDOUT, REASON_NONE, "in time"),
        B(closes_and_stays, -EIO, REASON_NONE, "closed its socket"),
        B(flood, -EBADMSG, REASON_MALFORMED, "wrong order"),
        B(no_sandbox, -EBADMSG, REASON_MALFORMED, "wrong order"),
        B(done_at_once, -EBADMSG, REASON_MALFORMED, "before it has sent everything"),
        B(done_too_early, -EBADMSG, REASON_MALFORMED, "before it has sent everything"),
        B(manifest_alone, -ETIMEDOUT, REASON_NONE, "in time"),
        B(two_manifests, -EBADMSG, REASON_MALFORMED, "second manifest"),
        B(member_before_manifest, -EBADMSG, REASON_MALFORMED, "not next"),
        B(member_twice, -EBADMSG, REASON_MALFORMED, "not next"),
        B(member_skipped, -EBADMSG, REASON_MALFORMED, "not next"),
        B(member_too_many, -EBADMSG, REASON_MALFORMED, "not next"),
        B(unknown_message, -EBADMSG, REASON_MALFORMED, "unknown message"),
        B(message_zero, -EBADMSG, REASON_MALFORMED, "unknown message"),
        B(message_huge, -EBADMSG, REASON_MALFORMED, "unknown message"),
        B(short_packet, -EBADMSG, REASON_MALFORMED, "too short"),
        B(long_packet, -EBADMSG, REASON_MALFORMED, "too long"),
        B(empty_packet, -EIO, REASON_NONE, "closed its socket"),
        B(garbage, -EBADMSG, REASON_MALFORMED, "unknown message"),
        B(heap_of_descriptors, -EBADMSG, REASON_MALFORMED, "too many descriptors"),
        B(descriptors_with_done, -EBADMSG, REASON_MALFORMED, "wrong descriptors"),
        B(manifest_without_signatures, -EBADMSG, REASON_MALFORMED, "wrong descriptors"),
        B(member_without_descriptor, -EBADMSG, REASON_MALFORMED, "wrong descriptors"),
        B(unsealed_manifest, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(unsealed_signatures, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(unsealed_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(half_sealed_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(writable_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(pipe_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(socket_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(device_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(file_member, -EBADMSG, REASON_MALFORMED, "sealed"),
        B(path_member, -EBADF, REASON_NONE, NULL),
        B(wrong_content, -EBADMSG, REASON_DIGEST_MISMATCH, "sources/0002.yaml"),
        B(short_content, -EBADMSG, REASON_LENGTH_MISMATCH, "sources/0002.yaml"),
        B(long_content, -EBADMSG, REASON_LENGTH_MISMATCH, "sources/0002.yaml"),
        B(sparse_content, -EBADMSG, REASON_LENGTH_MISMATCH, "sources/0002.yaml"),
        B(swapped_content, -EBADMSG, REASON_DIGEST_MISMATCH, "sources/0001.yaml"),
        B(changed_manifest, -EBADMSG, REASON_BAD_SIGNATURE, NULL),
        B(manifest_in_other_words, -EBADMSG, REASON_BAD_SIGNATURE, NULL),
        B(garbage_manifest, -EBADMSG, REASON_BAD_SIGNATURE, NULL), /* and not "malformed": it is never parsed */
        B(huge_manifest, -EFBIG, REASON_TOO_LARGE, "manifest"),
        B(empty_manifest, -EFBIG, REASON_TOO_LARGE, "manifest"),
        B(empty_signatures, -EBADMSG, REASON_UNKNOWN_KEY, "not signed"),
        B(part_of_a_signature, -EBADMSG, REASON_MALFORMED, "part of a signature"),
        B(impossible_signature, -EBADMSG, REASON_MALFORMED, "impossible length"),
        B(too_many_signatures, -EFBIG, REASON_TOO_LARGE, "signatures"),
        B(unrelated_signature, -EBADMSG, REASON_BAD_SIGNATURE, NULL),
        B(unknown_signature, -EBADMSG, REASON_UNKNOWN_KEY, NULL),
        B(not_modified, -EBADMSG, REASON_MALFORMED, "another question"),
        B(not_modified_after_all, -EBADMSG, REASON_MALFORMED, "another question"),
        B(fails_for_a_reason, -EBADMSG, REASON_DIGEST_MISMATCH, "objects/sample.bpf.o"),
        B(fails_in_our_name, -EIO, REASON_NONE, "everything is fine"),
        B(fails_with_no_known_reason, -EIO, REASON_NONE, "does not say why"),
        B(fails_without_end, -EIO, REASON_NONE, "AAAA"),
        B(good_validators, 0, REASON_NONE, NULL),
        B(bad_validators, 0, REASON_NONE, NULL),
#undef B
};

static const struct behaviour *behaviour_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(behaviours); i++)
                if (streq(behaviours[i].name, name))
                        return &behaviours[i];
        return NULL;
}

static int hostile_fetcher_main(const char *name) {
        const struct behaviour *b = behaviour_find(name);
        char packet[FETCH_PACKET_MAX];
        struct manifest *m = NULL;
        struct hostile h = {};
        size_t n_fds = GIVEN_COUNT;
        int fds[GIVEN_COUNT];

        if (!b || msg_recv(CHILD_SOCK, packet, sizeof(packet), fds, &n_fds) <= 0 || n_fds != 3)
                return 80;
        if (fd_read_all(fds[0], SIZE_MAX / 2, &h.bytes, NULL) < 0 || fd_read_all(fds[1], SIZE_MAX / 2, &h.sigs, NULL) < 0 ||
            fd_read_all(fds[2], SIZE_MAX / 2, &h.members, NULL) < 0)
                return 81;
        if (manifest_parse(h.bytes.data, h.bytes.len, &m, NULL) == 0)
                for (h.n = 0; h.n < m->n_members; h.n++)
                        h.lengths[h.n] = m->members[h.n].length;
        b->run(&h);
        return 0;
}
