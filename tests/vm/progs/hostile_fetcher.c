// SPDX-License-Identifier: Apache-2.0
/*
 * hostile_fetcher @fetcher: a fetcher that somebody has taken over (lsmpull --fetcher). LSM_HOSTILE says what he does:
 *
 *      nonsense        speaks no protocol at all
 *      done            claims to be done, having handed over nothing
 *      other-key       lets the real fetcher trust /test/keys/test.pub, whatever keys the supervisor trusts
 *      manifest        hands over what the real fetcher found, one byte of the manifest changed
 *      member          the same, one byte of the last member changed
 *      nothing         hands over what the real fetcher found, as it is: proves that the others fail for what they change
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "child.h"
#include "fetch_proto.h"
#include "fileio.h"

#define REAL "/usr/sbin/lsmpull"
#define KEY "/test/keys/test.pub"
#define CONTENT_MAX (16u << 20)

static bool does(const char *what) {
        const char *hostile = getenv("LSM_HOSTILE");

        return hostile && streq(hostile, what);
}

static void die(const char *what) {
        fprintf(stderr, "hostile_fetcher: %s\n", what);
        _exit(2);
}

/* The request for the real fetcher, the keys in it replaced by ours: they are what it ends with, and one is as long as another. */
static void keys_replace(char *packet, size_t n) {
        cleanup_buf struct buf pem = {0};
        char *key = memmem(packet, n, "-----BEGIN PUBLIC KEY-----", 26);

        if (!key || file_read(AT_FDCWD, KEY, 4096, &pem, NULL) < 0 || key + pem.len + 1 != packet + n)
                die("the request is not as expected");
        memcpy(key, pem.data, pem.len);
}

/* The same content but for its last byte, sealed like the original. */
static int altered(int fd) {
        cleanup_buf struct buf content = {0};
        int r;

        if (memfd_read(fd, CONTENT_MAX, &content, NULL) < 0 || content.len == 0)
                die("a memory file cannot be read");
        content.data[content.len - 1] ^= 1;
        r = memfd_sealed("altered", content.data, content.len, NULL);
        if (r < 0)
                die("memory file");
        return r;
}

/* Hands on what the real fetcher says; one packet late, so that the last member is known as such. */
static void hand_on(int sock, struct child *real) {
        struct fetch_packet packet, held;
        int fds[2] = {-1, -1}, held_fds[2];
        size_t n_fds = 2, n_held = 0;
        bool holding = false;

        for (;;) {
                ssize_t n = msg_recv(real->sock, &packet, sizeof(packet), fds, &n_fds);

                if (n != sizeof(packet))
                        n_fds = 0;
                if (n == sizeof(packet) && packet.message == FETCH_MANIFEST && does("manifest"))
                        fds[0] = altered(fds[0]);
                if (holding && n == sizeof(packet) && packet.message == FETCH_DONE && held.message == FETCH_MEMBER &&
                    does("member"))
                        held_fds[0] = altered(held_fds[0]);
                if (holding && msg_send(sock, &held, sizeof(held), held_fds, n_held) < 0)
                        return;
                if (n != sizeof(packet))
                        return;
                held = packet;
                memcpy(held_fds, fds, sizeof(fds));
                n_held = n_fds;
                holding = true;
                n_fds = 2;
        }
}

int main(int argc, char **argv) {
        struct fetch_packet packet = {.message = FETCH_SANDBOXED};
        struct child real = CHILD_INIT;
        char *request = malloc(FETCH_PACKET_MAX);
        size_t n_fds = GIVEN_COUNT;
        int fds[GIVEN_COUNT];
        ssize_t n;

        if (argc != 2 || !streq(argv[1], "@fetcher") || !request)
                die("not called as a fetcher");
        n = msg_recv(CHILD_SOCK, request, FETCH_PACKET_MAX, fds, &n_fds);
        if (n <= 0)
                die("no request");
        if (does("nonsense"))
                return msg_send(CHILD_SOCK, "load /tmp/evil.bpf.o, please", 29, NULL, 0) < 0;
        if (does("done")) {
                msg_send(CHILD_SOCK, &packet, sizeof(packet), NULL, 0);
                packet.message = FETCH_DONE;
                return msg_send(CHILD_SOCK, &packet, sizeof(packet), NULL, 0) < 0;
        }
        if (does("other-key"))
                keys_replace(request, (size_t)n);
        if (child_spawn(&(struct child_spec){.exe = REAL, .role = "@fetcher", .cgroup = -1}, &real, NULL) < 0 ||
            msg_send(real.sock, request, (size_t)n, fds, n_fds) < 0)
                die("the real fetcher cannot be started");
        hand_on(CHILD_SOCK, &real);
        child_kill(&real);
        return 0;
}
