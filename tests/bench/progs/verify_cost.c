/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long verifying a bundle takes beside hashing its content alone.
 *
 *      verify_cost make BYTES BUNDLE KEY.pub      a signed bundle with one member of that many bytes that do not compress
 *      verify_cost time BUNDLE KEY.pub ROUNDS     "hash WALL CPU" and "verify WALL CPU", by turns: nanoseconds of the clock and of
 *                                                 processors
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include "../../unit/puller/made_bundle.h"
#include "fileio.h"

static void die(const char *what, const struct err *err) {
        fprintf(stderr, "verify_cost: %s: %s\n", what, err && err->msg[0] ? err->msg : strerror(errno));
        exit(2);
}

static int make(const char *bytes, const char *path, const char *key_path) {
        cleanup_privkey struct privkey *key = NULL;
        cleanup_buf struct buf pem = {0};
        struct made_bundle b;
        struct err err = {0};
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        if (fd < 0 || privkey_generate(&key, &err) < 0 || pubkey_pem(privkey_public(key), &pem, &err) < 0 ||
            file_replace(AT_FDCWD, key_path, 0644, pem.data, pem.len, &err) < 0)
                die(path, &err);
        made_bundle_make(&b, MANIFEST_TYPE, 1, strtoul(bytes, NULL, 10), &key, 1);
        if (bundle_write(fd, &b.env, b.members, b.n, 0, &err) < 0 || close(fd) < 0)
                die(path, &err);
        made_bundle_done(&b);
        return 0;
}

/* ---- ----------------------------------------------------------------------------------------------------------------- */

static int64_t clock_ns(clockid_t id) {
        struct timespec t;

        clock_gettime(id, &t);
        return t.tv_sec * 1000000000LL + t.tv_nsec;
}

struct stopwatch {
        int64_t wall, cpu;
};

static struct stopwatch start(void) {
        return (struct stopwatch){clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_PROCESS_CPUTIME_ID)};
}

static void stop(const char *what, struct stopwatch since) {
        struct stopwatch now = start();

        printf("%s %lld %lld\n", what, (long long)(now.wall - since.wall), (long long)(now.cpu - since.cpu));
}

/* What the bundle holds, kept by a first pass: what is hashed is what is verified. */
static int keep(void *ctx, size_t index, const void *p, size_t n, struct err *err) {
        return buf_append(ctx, p, n);
}

static void verify(int fd, const struct keyring *ring, struct buf *content) {
        const struct bundle_sink sink = {.ctx = content, .data = content ? keep : NULL};
        const struct bundle_trust trust = {.ring = ring, .threshold = 1};
        struct err err = {0};

        if (lseek(fd, 0, SEEK_SET) < 0 || bundle_read_fd(fd, &trust, NULL, &sink, NULL, &err) < 0)
                die("verify", &err);
}

static void hash(const struct buf *content) {
        uint8_t md[EVP_MAX_MD_SIZE];
        unsigned int n;

        if (EVP_Digest(content->data, content->len, md, &n, EVP_sha256(), NULL) != 1)
                die("SHA-256", NULL);
}

static int measure(const char *path, const char *key_path, int rounds) {
        cleanup_keyring struct keyring ring = {0};
        cleanup_buf struct buf content = {0};
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct err err = {0};

        if (fd < 0 || keyring_add_file(&ring, key_path, &err) < 0)
                die(path, &err);
        verify(fd, &ring, &content);
        for (int i = 0; i < rounds; i++) {
                struct stopwatch since = start();

                hash(&content);
                stop("hash", since);
                since = start();
                verify(fd, &ring, NULL);
                stop("verify", since);
        }
        return 0;
}

int main(int argc, char **argv) {
        if (argc == 5 && streq(argv[1], "make"))
                return make(argv[2], argv[3], argv[4]);
        if (argc == 5 && streq(argv[1], "time"))
                return measure(argv[2], argv[3], atoi(argv[4]));
        return 2;
}
