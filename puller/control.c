/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "child.h"
#include "fileio.h"

#define REQUEST_TIMEOUT_S 2
#define ANSWER_MAX (16u << 20)

/* First byte of what the agent sends. */
enum { TAG_LINE = 'l', TAG_ANSWER = 'a', TAG_ANSWER_FILE = 'f' };

static int address(const char *run_dir, const char *name, struct sockaddr_un *ret, struct err *err) {
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if ((size_t)snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", run_dir, name) >= sizeof(ret->sun_path))
                return err_set(err, -ENAMETOOLONG, REASON_CONFIG, "the path %s/%s is too long for a socket", run_dir, name);
        return 0;
}

int control_listen(const char *run_dir, const char *name, struct err *err) {
        struct sockaddr_un sa;
        cleanup_fd int fd = -1;
        mode_t mask;
        int r = address(run_dir, name, &sa, err);

        if (r < 0)
                return r;
        if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "cannot make %s", run_dir);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return err_errno(err, -errno, "control socket");
        /* The lock of the state directory is held: whoever made this one is gone. */
        unlink(sa.sun_path);
        mask = umask(0177);
        r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
        umask(mask);
        if (r >= 0 && listen(fd, 16) < 0)
                r = -errno;
        return r < 0 ? err_errno(err, r, "cannot listen on %s", sa.sun_path) : steal_fd(&fd);
}

static bool peer_allowed(int conn) {
        struct ucred cred;
        socklen_t len = sizeof(cred);

        return getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && (cred.uid == 0 || cred.uid == geteuid());
}

int control_accept(int listener, struct op_request *ret) {
        const struct timeval timeout = {.tv_sec = REQUEST_TIMEOUT_S};
        cleanup_fd int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC), fd = -1;
        cleanup_free char *packet = malloc(CONTROL_PACKET_MAX);
        struct op_answer refusal = {.exit_code = 2, .reason = "usage"};
        struct err err = {0};
        size_t n_fds = 1;
        ssize_t n;

        if (conn < 0 || !packet || !peer_allowed(conn))
                return -EAGAIN;
        setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(conn, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        n = msg_recv(conn, packet, CONTROL_PACKET_MAX, &fd, &n_fds);
        if (n <= 0)
                return -EAGAIN;
        if (op_request_parse(packet, (size_t)n, steal_fd(&fd), ret, &err) < 0) {
                snprintf(refusal.message, sizeof(refusal.message), "%s", err.msg);
                control_answer(conn, &refusal);
                return -EAGAIN;
        }
        return steal_fd(&conn);
}

void control_line(int conn, const char *line) {
        cleanup_buf struct buf b = {0};

        if (conn >= 0 && buf_printf(&b, "%c%s", TAG_LINE, line) >= 0)
                msg_send(conn, b.data, b.len, NULL, 0);
}

void control_answer(int conn, const struct op_answer *answer) {
        cleanup_buf struct buf b = {0};
        cleanup_fd int fd = -1;
        char tag = TAG_ANSWER_FILE;

        if (buf_printf(&b, "%c", TAG_ANSWER) < 0 || op_answer_format(answer, &b, NULL) < 0)
                return;
        if (b.len <= CONTROL_PACKET_MAX) {
                msg_send(conn, b.data, b.len, NULL, 0);
                return;
        }
        fd = memfd_sealed("answer", b.data + 1, b.len - 1, NULL);
        if (fd >= 0)
                msg_send(conn, &tag, 1, &fd, 1);
}

int control_connect(const char *run_dir, struct err *err) {
        struct sockaddr_un sa;
        cleanup_fd int fd = -1;
        int r = address(run_dir, "control.sock", &sa, err);

        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return err_errno(err, -errno, "control socket");
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return err_errno(err, -errno, "cannot reach the agent at %s", sa.sun_path);
        return steal_fd(&fd);
}

int control_ask(int conn, const struct op_request *req, void (*line)(const char *line), struct op_answer *ret, struct err *err) {
        cleanup_free char *packet = malloc(CONTROL_PACKET_MAX + 1);
        cleanup_buf struct buf b = {0};
        int r = packet ? op_request_format(req, &b, err) : -ENOMEM;

        if (r >= 0)
                r = msg_send(conn, b.data, b.len, &req->file, req->file >= 0);
        if (r < 0)
                return err_errno(err, r, "cannot ask the agent");
        for (;;) {
                cleanup_fd int fd = -1;
                size_t n_fds = 1;
                ssize_t n = msg_recv(conn, packet, CONTROL_PACKET_MAX, &fd, &n_fds);

                if (n <= 0)
                        return err_set(err, n < 0 ? (int)n : -EPIPE, REASON_NONE, "the agent has gone without an answer");
                packet[n] = '\0';
                if (packet[0] == TAG_LINE) {
                        if (line)
                                line(packet + 1);
                        continue;
                }
                if (packet[0] == TAG_ANSWER)
                        return op_answer_parse(packet + 1, (size_t)n - 1, ret, err);
                if (packet[0] != TAG_ANSWER_FILE || fd < 0)
                        return err_set(err, -EPROTO, REASON_NONE, "the agent answered in a way that this program does not know");
                buf_done(&b);
                r = memfd_read(fd, ANSWER_MAX, &b, err);
                return r < 0 ? r : op_answer_parse(b.data, b.len, ret, err);
        }
}
