/* SPDX-License-Identifier: Apache-2.0 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRATCH "/run/lsmbundle-test"

int workload_begin(void) {
        int fd;

        if (mkdir(SCRATCH, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(SCRATCH "/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, "content\n", 8) != 8) {
                int e = -errno;

                close(fd);
                return e;
        }
        return close(fd) < 0 ? -errno : 0;
}

/* Whatever else goes wrong is not the policy's doing. */
static int tried(struct workload *w, int r) {
        w->tried++;
        if (r < 0 && (errno == EPERM || errno == EACCES))
                w->denied++;
        return r;
}

/* ---- cheap ones ---------------------------------------------------------------------------------------------------- */

static void files(struct workload *w) {
        char text[8];
        struct stat st;
        int fd = tried(w, open(SCRATCH "/file", O_RDWR | O_CLOEXEC));

        if (fd >= 0) {
                void *p;

                tried(w, (int)read(fd, text, sizeof(text)));
                tried(w, (int)pwrite(fd, "content\n", 8, 0));
                tried(w, fstat(fd, &st));
                tried(w, fcntl(fd, F_GETFL));
                p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
                tried(w, p == MAP_FAILED ? -1 : 0);
                if (p != MAP_FAILED) {
                        tried(w, mprotect(p, 4096, PROT_NONE));
                        munmap(p, 4096);
                }
                close(fd);
        }
        tried(w, stat(SCRATCH "/file", &st));
        tried(w, access(SCRATCH "/file", R_OK));
        tried(w, chmod(SCRATCH "/file", 0644));
        getxattr(SCRATCH "/file", "user.none", text, sizeof(text));
}

static void names(struct workload *w) {
        char target[32];
        int fd = tried(w, open(SCRATCH "/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

        if (fd >= 0)
                close(fd);
        tried(w, link(SCRATCH "/new", SCRATCH "/link"));
        tried(w, rename(SCRATCH "/link", SCRATCH "/other"));
        tried(w, unlink(SCRATCH "/other"));
        tried(w, unlink(SCRATCH "/new"));
        tried(w, symlink("file", SCRATCH "/symlink"));
        tried(w, (int)readlink(SCRATCH "/symlink", target, sizeof(target)));
        tried(w, unlink(SCRATCH "/symlink"));
        tried(w, mkdir(SCRATCH "/dir", 0755));
        tried(w, rmdir(SCRATCH "/dir"));
}

static void sockets(struct workload *w) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof(a);
        int server = tried(w, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), client = -1, accepted = -1, datagrams, pair[2];

        if (server >= 0 && tried(w, bind(server, (struct sockaddr *)&a, sizeof(a))) == 0 && tried(w, listen(server, 4)) == 0 &&
            getsockname(server, (struct sockaddr *)&a, &n) == 0) {
                client = tried(w, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
                /* Without a connection accept() would wait for ever. */
                if (client >= 0 && tried(w, connect(client, (struct sockaddr *)&a, sizeof(a))) == 0)
                        accepted = tried(w, accept4(server, NULL, NULL, SOCK_CLOEXEC));
        }
        if (accepted >= 0)
                tried(w, (int)send(accepted, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
        datagrams = tried(w, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (datagrams >= 0)
                tried(w, (int)sendto(datagrams, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&a, sizeof(a)));
        if (tried(w, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) == 0) {
                tried(w, (int)send(pair[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
                tried(w, (int)recv(pair[1], &(char){0}, 1, MSG_DONTWAIT));
                close(pair[0]);
                close(pair[1]);
        }
        for (size_t i = 0; i < 4; i++) {
                int fd = ((int[]){server, client, accepted, datagrams})[i];

                if (fd >= 0)
                        close(fd);
        }
}

/* ---- those that start a process or change mounts ------------------------------------------------------------------- */

static void wait_for(pid_t pid) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

static void program(struct workload *w) {
        pid_t pid = tried(w, fork());

        if (pid == 0) {
                execl("/bin/true", "true", NULL);
                _exit(errno == EPERM || errno == EACCES ? 77 : 1);
        }
        if (pid > 0) {
                int status = 0;

                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
                w->tried++;
                w->denied += WIFEXITED(status) && WEXITSTATUS(status) == 77;
        }
}

static void another_process(struct workload *w) {
        pid_t pid = tried(w, fork());

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        pause();
        }
        if (pid < 0)
                return;
        if (tried(w, (int)ptrace(PTRACE_SEIZE, pid, NULL, NULL)) == 0)
                ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
        tried(w, setpgid(pid, pid));
        tried(w, kill(pid, SIGKILL) < 0 ? kill(pid, SIGTERM) : 0);
        wait_for(pid);
}

static void mounts(struct workload *w) {
        pid_t pid = tried(w, fork());

        if (pid == 0) {
                if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                    mount("tmpfs", SCRATCH, "tmpfs", 0, NULL) == 0)
                        umount(SCRATCH);
                _exit(setgid(65534) < 0 || setuid(65534) < 0);
        }
        if (pid > 0)
                wait_for(pid);
}

void workload_run(struct workload *w, unsigned rounds) {
        for (unsigned i = 0; i < rounds; i++) {
                files(w);
                names(w);
                sockets(w);
        }
        for (unsigned i = 0; i < rounds / 10; i++) {
                program(w);
                another_process(w);
                mounts(w);
        }
}
