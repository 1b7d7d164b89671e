/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that was taken over would try, each as a function: 0 when it worked, else errno. */
#pragma once

#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "util.h"

struct fixture {
        char dir[64]; /* writable for the sandboxed user by its mode */
        int dir_fd;
        int listener; /* TCP on loopback */
        uint16_t port;
};

static int result(long r) {
        return r < 0 ? errno : 0;
}

static int try_open(const char *path, int flags) {
        return result(open(path, flags | O_CLOEXEC, 0600));
}
static int open_shadow(const struct fixture *f) {
        return try_open("/etc/shadow", O_RDONLY);
}
static int open_passwd(const struct fixture *f) { /* anybody may, but for Landlock */
        return try_open("/etc/passwd", O_RDONLY);
}
static int list_root(const struct fixture *f) {
        return try_open("/", O_RDONLY | O_DIRECTORY);
}
static int open_listed_file(const struct fixture *f) {
        return try_open("/etc/hosts", O_RDONLY);
}
static int create_file(const struct fixture *f) {
        return result(openat(f->dir_fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}
static int create_unnamed(const struct fixture *f) {
        return result(openat(f->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}
static int open_for_writing(const struct fixture *f) {
        return result(openat(f->dir_fd, "file", O_WRONLY | O_CLOEXEC));
}
static int truncate_by_open(const struct fixture *f) {
        return result(openat(f->dir_fd, "file", O_RDONLY | O_TRUNC | O_CLOEXEC));
}
static int make_folder(const struct fixture *f) {
        return result(mkdirat(f->dir_fd, "folder", 0700));
}
static int remove_file(const struct fixture *f) {
        return result(unlinkat(f->dir_fd, "file", 0));
}
static int change_mode(const struct fixture *f) {
        return result(fchmodat(f->dir_fd, "file", 0777, 0));
}
static int execute(const struct fixture *f) {
        execl("/bin/true", "true", NULL);
        return errno;
}
static int execute_at(const struct fixture *f) {
        cleanup_fd int fd = memfd_create("x", MFD_CLOEXEC);
        char *const argv[] = {NULL};

        fexecve(fd, argv, argv);
        return errno;
}
static int start_process(const struct fixture *f) {
        return result(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int start_vfork(const struct fixture *f) {
        return result(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0));
}
static int start_clone3(const struct fixture *f) {
        return result(syscall(SYS_clone3, NULL, 0));
}
static int raw_socket(const struct fixture *f) {
        return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
static int packet_socket(const struct fixture *f) {
        return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}
static int netlink_socket(const struct fixture *f) {
        return result(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int unix_socket(const struct fixture *f) {
        return result(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int vsock_socket(const struct fixture *f) {
        return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}
static int tcp_socket(const struct fixture *f) {
        return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
}
static int udp6_socket(const struct fixture *f) {
        int r = result(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));

        return r == EAFNOSUPPORT ? 0 : r; /* a kernel without IPv6 */
}
static int socket_listen(const struct fixture *f) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return fd < 0 ? errno : result(listen(fd, 1));
}
static int socket_bind(const struct fixture *f) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return fd < 0 ? errno : result(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}
static int tcp_connect(const struct fixture *f) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(f->port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}
static int accept_given(const struct fixture *f) { /* nobody is there: EAGAIN */
        return result(accept4(f->listener, NULL, NULL, SOCK_CLOEXEC));
}
static int trace(const struct fixture *f) {
        return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}
static int peek(const struct fixture *f) {
        char byte;
        struct iovec here = {&byte, 1}, there = {&byte, 1};

        return result(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}
static int kill_parent(const struct fixture *f) {
        return result(kill(getppid(), 0));
}
static int tgkill_parent(const struct fixture *f) {
        return result(syscall(SYS_tgkill, getppid(), getppid(), 0));
}
static int own_signals(const struct fixture *f) {
        return result(fcntl(STDIN_FILENO, F_SETOWN, getppid()));
}
static int call_bpf(const struct fixture *f) {
        union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

        return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}
static int call_unshare(const struct fixture *f) {
        return result(unshare(CLONE_NEWUSER));
}
static int call_mount(const struct fixture *f) {
        return result(mount("none", "/", NULL, MS_REMOUNT, NULL));
}
static int call_userfaultfd(const struct fixture *f) {
        return result(syscall(SYS_userfaultfd, 0));
}
static int call_io_uring(const struct fixture *f) {
        return result(syscall(SYS_io_uring_setup, 1, NULL));
}
static int call_keyctl(const struct fixture *f) {
        return result(syscall(SYS_keyctl, 0, 0, 0));
}
static int call_perf(const struct fixture *f) {
        return result(syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0));
}
static int terminal_input(const struct fixture *f) { /* typing into the operator's terminal */
        return result(ioctl(0, TIOCSTI, "x"));
}
static int map_code(const struct fixture *f) {
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}
static int make_code(const struct fixture *f) {
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return p == MAP_FAILED ? 0 : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int become_root(const struct fixture *f) {
        return result(setresuid(0, 0, 0));
}
static int become_dumpable(const struct fixture *f) {
        return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int raise_limits(const struct fixture *f) {
        return result(setrlimit(RLIMIT_CORE, &(struct rlimit){4096, 4096}));
}
static int memory_file_too_large(const struct fixture *f) {
        int fd = memfd_create("x", MFD_CLOEXEC);

        return fd < 0 ? 0 : result(ftruncate(fd, (1 << 20) + 1));
}
static int memory_file(const struct fixture *f) {
        int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0 || write(fd, "x", 1) != 1)
                return errno;
        return result(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK));
}
static void *thread(void *arg) {
        return arg;
}
static int start_thread(const struct fixture *f) {
        pthread_t t;
        int r = pthread_create(&t, NULL, thread, NULL);

        return r ? r : pthread_join(t, NULL);
}
