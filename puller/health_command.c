/* SPDX-License-Identifier: Apache-2.0 */
#include "health_command.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "buf.h"
#include "child.h"

#define ARGS_MAX 64
#define COMMAND_MAX 32768

struct start {
        uint32_t uid, gid, n;
};

int health_command_run(char *const *argv, uid_t uid, gid_t gid, struct waiter *w, int64_t deadline_ns, struct err *err) {
        const struct child_spec spec = {.role = "@health", .cgroup = -1};
        struct start start = {.uid = uid, .gid = gid};
        cleanup_buf struct buf packet = {0};
        struct child c = CHILD_INIT;
        int r, status = 0;

        while (argv[start.n])
                start.n++;
        r = buf_append(&packet, &start, sizeof(start));
        for (uint32_t i = 0; r >= 0 && i < start.n; i++)
                r = buf_append(&packet, argv[i], strlen(argv[i]) + 1);
        if (r >= 0 && (start.n > ARGS_MAX || packet.len > COMMAND_MAX))
                r = -E2BIG;
        if (r < 0)
                return err_errno(err, r, "health command");
        r = child_spawn(&spec, &c, err);
        if (r < 0)
                return r;
        r = msg_send(c.sock, packet.data, packet.len, NULL, 0);
        if (r >= 0)
                r = child_wait(&c, w, deadline_ns, &status);
        child_kill(&c);
        if (r == -ETIMEDOUT)
                return err_set(err, -EREMOTEIO, REASON_HEALTH_FAILED, "the health command %s did not end in time", argv[0]);
        if (r < 0)
                return err_errno(err, r, "health command %s", argv[0]);
        if (WIFSIGNALED(status))
                return err_set(err, -EREMOTEIO, REASON_HEALTH_FAILED, "the health command %s was ended by signal %d", argv[0],
                               WTERMSIG(status));
        if (status != 0)
                return err_set(err, -EREMOTEIO, REASON_HEALTH_FAILED, "the health command %s failed with status %d", argv[0],
                               WEXITSTATUS(status));
        return 0;
}

int health_command_main(int sock) {
        char packet[COMMAND_MAX], *argv[ARGS_MAX + 1] = {0}, *p;
        struct start start;
        size_t n_fds = 0;
        ssize_t n = msg_recv(sock, packet, sizeof(packet) - 1, NULL, &n_fds);

        if (n < (ssize_t)sizeof(start))
                return EXIT_FAILURE;
        packet[n] = '\0';
        memcpy(&start, packet, sizeof(start));
        p = packet + sizeof(start);
        for (uint32_t i = 0; i < start.n && i < ARGS_MAX && p < packet + n; i++) {
                argv[i] = p;
                p += strlen(p) + 1;
        }
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(start.gid, start.gid, start.gid) < 0 ||
                               setresuid(start.uid, start.uid, start.uid) < 0)) {
                perror("lsmpull: health command");
                return 126;
        }
        if (!argv[0] || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || fcntl(sock, F_SETFD, FD_CLOEXEC) < 0)
                return 126;
        execvp(argv[0], argv);
        fprintf(stderr, "lsmpull: health command %s: %s\n", argv[0], strerror(errno));
        return 127;
}
