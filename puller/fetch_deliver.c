/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_deliver.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "child.h"
#include "fileio.h"

#ifndef MFD_NOEXEC_SEAL /* linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEND_BUFFER (32 * 1024)

struct delivery {
        int sock;
        int member; /* the memory file that is being filled */
};

int fetch_begin(int sock) {
        const int size = SEND_BUFFER;

        /* A full socket holds us up before we have too many descriptors in flight, whatever this machine's default is. */
        return setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0 ? -errno : 0;
}

void fetch_end(int sock, struct fetch_packet *answer, int result, const struct err *err) {
        if (result < 0) {
                answer->message = FETCH_FAILED;
                snprintf(answer->reason, sizeof(answer->reason), "%s", reason_word(err->reason));
                snprintf(answer->text, sizeof(answer->text), "%.*s", (int)sizeof(answer->text) - 1, err->msg);
        }
        /* Not by way of exit(): what libraries do at the end, the sandbox may not allow, and nothing here wants it. */
        _exit(msg_send(sock, answer, sizeof(*answer), NULL, 0) == 0 && result == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int fetch_packet_send(int sock, const struct fetch_packet *p, const int *fds, size_t n_fds, struct err *err) {
        int r = msg_send(sock, p, sizeof(*p), fds, n_fds);

        return r < 0 ? err_errno(err, r, "supervisor") : 0;
}

int fetch_memory_file(const char *name) {
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

static int on_manifest(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err) {
        cleanup_free struct fetch_signature *sigs = new_array(env->n_sigs, sizeof(*sigs));
        cleanup_fd int bytes_fd = -1, sigs_fd = -1;

        if (!sigs)
                return err_errno(err, -ENOMEM, "signatures");
        for (size_t i = 0; i < env->n_sigs; i++) {
                memcpy(sigs[i].keyid, env->sigs[i].keyid, sizeof(sigs[i].keyid));
                sigs[i].len = env->sigs[i].len;
                memcpy(sigs[i].sig, env->sigs[i].sig, env->sigs[i].len);
        }
        bytes_fd = memfd_sealed("manifest", env->bytes.data, env->bytes.len, err);
        if (bytes_fd < 0)
                return bytes_fd;
        sigs_fd = memfd_sealed("signatures", sigs, env->n_sigs * sizeof(*sigs), err);
        if (sigs_fd < 0)
                return sigs_fd;
        return fetch_packet_send(((struct delivery *)ctx)->sock, &(struct fetch_packet){.message = FETCH_MANIFEST},
                                 (int[]){bytes_fd, sigs_fd}, 2, err);
}

static int on_member(void *ctx, size_t index, struct err *err) {
        struct delivery *d = ctx;

        close_p(&d->member);
        d->member = fetch_memory_file("member");
        return d->member < 0 ? err_errno(err, d->member, "memory file") : 0;
}

static int on_member_data(void *ctx, size_t index, const void *p, size_t n, struct err *err) {
        struct delivery *d = ctx;
        int r = fd_write_all(d->member, p, n);

        return r < 0 ? err_errno(err, r, "memory file") : 0;
}

static int on_member_end(void *ctx, size_t index, struct err *err) {
        struct delivery *d = ctx;
        int r;

        if (fcntl(d->member, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
                return err_errno(err, -errno, "memory file");
        r = fetch_packet_send(d->sock, &(struct fetch_packet){.message = FETCH_MEMBER, .member = index}, &d->member, 1, err);
        close_p(&d->member);
        d->member = -1;
        return r;
}

int bundle_deliver(int sock, int fd, const struct bundle_trust *trust, const struct bundle_limits *limits, struct err *err) {
        struct delivery d = {.sock = sock, .member = -1};
        const struct bundle_sink sink = {
                .ctx = &d, .manifest = on_manifest, .member = on_member, .data = on_member_data, .member_end = on_member_end};
        struct sig_report report;

        return bundle_read_fd(fd, trust, limits, &sink, &report, err);
}
