/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of the rehearsal. Each leaves nothing behind, or what the next one takes up; the names are fixed, so that a later
 * rehearsal clears up behind one that was killed. All directories are the agent's own.
 */
#include "rehearsal_steps.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "child.h"
#include "fileio.h"
#include "probe_cgroup.h"

#define OTHER_ID 65534
#define CHILD_TIME_NS 10000000000LL
#define TEXT "rehearsal\n"

static int path_in(const char *dir, const char *name, char ret[static PATH_MAX]) {
        return snprintf(ret, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

#define STATE_OLD "rehearsal"
#define STATE_NEW "rehearsal.new"
#define SOCKET "rehearsal.sock"
#define PIN "rehearsal" /* bpffs takes no dot */
#define CGROUP "lsmpull-rehearsal"

static void remove_in(const char *dir, const char *name) {
        char path[PATH_MAX];

        if (*dir && path_in(dir, name, path) == 0 && unlink(path) < 0)
                rmdir(path);
}

static int cgroup_parent(const struct rehearsal_order *o, char ret[static PATH_MAX]) {
        if (!*o->cgroup_dir)
                return cgroup_own(ret, NULL);
        strcpy(ret, o->cgroup_dir); /* both have room for PATH_MAX */
        return 0;
}

void rehearsal_clear(const struct rehearsal_order *o) {
        char parent[PATH_MAX];

        remove_in(o->state_dir, STATE_OLD);
        remove_in(o->state_dir, STATE_NEW);
        remove_in(o->run_dir, SOCKET);
        remove_in(o->bpffs_dir, PIN);
        if (cgroup_parent(o, parent) == 0)
                remove_in(parent, CGROUP);
}

/* ---- itself ---- */

/* Executing has given the child a comm of its own, and may have given it more capabilities than the supervisor holds. */
static int identity_step(const struct rehearsal_order *o) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        if (prctl(PR_SET_NAME, o->comm, 0, 0, 0) < 0 || syscall(SYS_capset, &header, o->caps) < 0)
                return -errno;
        rehearsal_clear(o);
        return 0;
}

/* ---- its state ---- */

static int write_step(const struct rehearsal_order *o) {
        cleanup_fd int fd = -1;
        char path[PATH_MAX];
        int r = path_in(o->state_dir, STATE_NEW, path);

        if (r < 0)
                return r;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, TEXT, strlen(TEXT));
        if (r < 0)
                return r;
        return fsync(fd) < 0 ? -errno : 0;
}

static int rename_step(const struct rehearsal_order *o) {
        char from[PATH_MAX], to[PATH_MAX];
        cleanup_fd int dir = -1;

        if (path_in(o->state_dir, STATE_NEW, from) < 0 || path_in(o->state_dir, STATE_OLD, to) < 0)
                return -ENAMETOOLONG;
        if (rename(from, to) < 0)
                return -errno;
        dir = open(o->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

static int read_step(const struct rehearsal_order *o) {
        cleanup_buf struct buf b = {};
        char path[PATH_MAX];
        int r = path_in(o->state_dir, STATE_OLD, path);

        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, path, 64, &b, NULL);
        if (r < 0)
                return r;
        return b.len == strlen(TEXT) && memcmp(b.data, TEXT, b.len) == 0 ? 0 : -EIO;
}

/* The journal's page: mapped, written through the mapping, synced. */
static int map_file_step(const struct rehearsal_order *o) {
        cleanup_fd int fd = -1;
        char path[PATH_MAX];
        int r = path_in(o->state_dir, STATE_OLD, path);
        char *p;

        if (r < 0)
                return r;
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        p = mmap(NULL, strlen(TEXT), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        p[0] ^= 1;
        r = msync(p, strlen(TEXT), MS_SYNC) < 0 ? -errno : 0;
        munmap(p, strlen(TEXT));
        return r;
}

static int unlink_step(const struct rehearsal_order *o) {
        char path[PATH_MAX];
        int r = path_in(o->state_dir, STATE_OLD, path);

        if (r < 0)
                return r;
        return unlink(path) < 0 ? -errno : 0;
}

static int config_step(const struct rehearsal_order *o) {
        cleanup_fd int fd = -1;
        char byte;

        fd = open(o->config_file, O_RDONLY | O_CLOEXEC);
        return fd < 0 || read(fd, &byte, 1) < 0 ? -errno : 0;
}

/* ---- memory and time ---- */

static int memory_step(const struct rehearsal_order *o) {
        size_t n = 1 << 20;
        char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
                return -errno;
        p[n - 1] = 1;
        return munmap(p, n) < 0 ? -errno : 0;
}

static int memfd_step(const struct rehearsal_order *o) {
        cleanup_fd int fd = memfd_sealed("rehearsal", TEXT, strlen(TEXT), NULL);

        return fd < 0 ? fd : memfd_check_sealed(fd, NULL);
}

static int sleep_step(const struct rehearsal_order *o) {
        return -clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int epoll_step(const struct rehearsal_order *o) {
        cleanup_fd int ep = epoll_create1(EPOLL_CLOEXEC), a = -1, b = -1;
        struct epoll_event e = {.events = EPOLLIN};
        int pair[2];

        if (ep < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        a = pair[0];
        b = pair[1];
        if (epoll_ctl(ep, EPOLL_CTL_ADD, a, &e) < 0 || epoll_wait(ep, &e, 1, 1) < 0 || send(b, "", 1, MSG_NOSIGNAL) < 0)
                return -errno;
        switch (epoll_wait(ep, &e, 1, 1000)) {
        case 1:
                return 0;
        case 0:
                return -ETIMEDOUT;
        default:
                return -errno;
        }
}

/* ---- its children ---- */

static int spawn_step(const struct rehearsal_order *o) {
        struct child c = CHILD_INIT;
        int status, r;

        r = child_spawn(&(struct child_spec){.role = "@true", .cgroup = -1}, &c, NULL);
        if (r < 0)
                return r;
        r = child_wait(&c, &waiter_plain, monotonic_ns() + CHILD_TIME_NS, &status);
        child_kill(&c);
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -ENOEXEC;
}

static int kill_step(const struct rehearsal_order *o) {
        struct child c = CHILD_INIT;
        int status, r;

        r = child_spawn(&(struct child_spec){.role = "@rehearsal", .cgroup = -1}, &c, NULL); /* waits for its order */
        if (r < 0)
                return r;
        r = syscall(SYS_pidfd_send_signal, c.pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
        if (r == 0)
                r = child_wait(&c, &waiter_plain, monotonic_ns() + CHILD_TIME_NS, &status);
        child_kill(&c);
        return r;
}

/* What the fetcher and the loader begin with. */
static int user_step(const struct rehearsal_order *o) {
        uint32_t needed = 1 << CAP_SETUID | 1 << CAP_SETGID;
        int status;
        pid_t pid;

        if ((o->caps[0].effective & needed) != needed)
                return 0;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                bool done = setgroups(0, NULL) == 0 && setresgid(OTHER_ID, OTHER_ID, OTHER_ID) == 0 &&
                            setresuid(OTHER_ID, OTHER_ID, OTHER_ID) == 0;

                _exit(done ? 0 : errno);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* ---- sockets ---- */

static int descriptor_step(const struct rehearsal_order *o) {
        cleanup_fd int a = -1, b = -1, got = -1;
        size_t n_fds = 1;
        int pair[2], r;
        ssize_t n;
        char byte;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        a = pair[0];
        b = pair[1];
        r = msg_send(a, "x", 1, &a, 1);
        if (r < 0)
                return r;
        n = msg_recv(b, &byte, 1, &got, &n_fds);
        if (n < 0)
                return n;
        return n == 1 && n_fds == 1 ? 0 : -EPROTO;
}

static int control_step(const struct rehearsal_order *o) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        cleanup_fd int listener = -1, client = -1, server = -1;
        char path[PATH_MAX], byte;
        int r = path_in(o->run_dir, SOCKET, path);

        if (r < 0)
                return r;
        if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path) >= (int)sizeof(addr.sun_path))
                return -ENAMETOOLONG;
        listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (listener < 0 || client < 0)
                return -errno;
        if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(listener, 1) < 0)
                return -errno;
        if (connect(client, (struct sockaddr *)&addr, sizeof(addr)) < 0)
                return -errno;
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (server < 0 || send(client, "x", 1, MSG_NOSIGNAL) < 0 || recv(server, &byte, 1, 0) < 0)
                return -errno;
        return unlink(path) < 0 ? -errno : 0;
}

/* Connects, and says nothing. */
static int notify_step(const struct rehearsal_order *o) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        cleanup_fd int fd = -1;
        size_t n = strlen(o->notify_socket);

        if (n >= sizeof(addr.sun_path))
                return -ENAMETOOLONG;
        memcpy(addr.sun_path, o->notify_socket, n);
        if (addr.sun_path[0] == '@')
                addr.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + n) < 0)
                return -errno;
        return 0;
}

/* ---- BPF and cgroups ---- */

/* The system call itself: libbpf would first probe the kernel, by loading programs. */
static int bpf(int cmd, union bpf_attr *attr) {
        int r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

        return r < 0 ? -errno : r;
}

static int pin_step(const struct rehearsal_order *o) {
        cleanup_fd int map = -1, again = -1;
        uint32_t key = 0, value = 1;
        char path[PATH_MAX];
        int r = path_in(o->bpffs_dir, PIN, path);

        if (r < 0)
                return r;
        map = bpf(BPF_MAP_CREATE, &(union bpf_attr){.map_type = BPF_MAP_TYPE_ARRAY,
                                                    .key_size = sizeof(key),
                                                    .value_size = sizeof(value),
                                                    .max_entries = 1});
        if (map < 0)
                return map;
        r = bpf(BPF_OBJ_PIN, &(union bpf_attr){.pathname = (uintptr_t)path, .bpf_fd = map});
        if (r < 0)
                return r;
        again = bpf(BPF_OBJ_GET, &(union bpf_attr){.pathname = (uintptr_t)path});
        if (again < 0)
                return again;
        r = bpf(BPF_MAP_UPDATE_ELEM,
                &(union bpf_attr){.map_fd = again, .key = (uintptr_t)&key, .value = (uintptr_t)&value, .flags = BPF_ANY});
        if (r < 0)
                return r;
        return unlink(path) < 0 ? -errno : 0;
}

static int cgroup_step(const struct rehearsal_order *o) {
        cleanup_fd int fd = -1;
        char parent[PATH_MAX], path[PATH_MAX];
        int r = cgroup_parent(o, parent);

        if (r == 0)
                r = path_in(parent, CGROUP, path);
        if (r < 0)
                return r;
        if (mkdir(path, 0755) < 0)
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || rmdir(path) < 0 ? -errno : 0;
}

#define NEEDS(field) offsetof(struct rehearsal_order, field)

const struct rehearsal_step rehearsal_steps[] = {
        {"take its own name and capabilities", identity_step},
        {"write a file in its state directory", write_step, NEEDS(state_dir)},
        {"rename its journal", rename_step, NEEDS(state_dir)},
        {"read its state", read_step, NEEDS(state_dir)},
        {"map its journal", map_file_step, NEEDS(state_dir)},
        {"remove a file of its state", unlink_step, NEEDS(state_dir)},
        {"read its configuration", config_step, NEEDS(config_file)},
        {"map memory", memory_step},
        {"seal a memory file", memfd_step},
        {"sleep", sleep_step},
        {"wait for events", epoll_step},
        {"start a child", spawn_step},
        {"end a child", kill_step},
        {"give a child another user", user_step},
        {"pass a descriptor", descriptor_step},
        {"answer on its control socket", control_step, NEEDS(run_dir)},
        {"reach the service manager", notify_step, NEEDS(notify_socket)},
        {"pin a map and open it again", pin_step, NEEDS(bpffs_dir)},
        {"make a cgroup", cgroup_step},
};
const size_t rehearsal_steps_n = sizeof(rehearsal_steps) / sizeof(rehearsal_steps[0]);

int rehearsal_step_perform(size_t i, const struct rehearsal_order *o) {
        const struct rehearsal_step *step = &rehearsal_steps[i];

        return step->needs && !((const char *)o)[step->needs] ? 0 : step->perform(o);
}
