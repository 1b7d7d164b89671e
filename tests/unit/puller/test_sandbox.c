/* SPDX-License-Identifier: Apache-2.0 */
/* What a taken-over fetcher could still do to the machine. Each probe runs in a process of its own, inside the sandbox. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sandbox.h"
#include "util.h"

#define NOBODY 65534
#define STOPPED 250 /* the sandbox could not be entered */

static const char *const readable[] = {"/etc/hosts", "/usr/lib", "/nonexistent/file", NULL};

struct fixture {
        char dir[64]; /* writable for the sandboxed user by its mode */
        int dir_fd;
        int listener; /* TCP on loopback */
        uint16_t port;
};

static int result(long r) {
        return r < 0 ? errno : 0;
}

/* Runs probe in the sandbox; the errno it ended with, or STOPPED. */
static int sandboxed(const struct sandbox_spec *spec, int (*probe)(const struct fixture *f), const struct fixture *f,
                     struct sandbox_report *ret) {
        int status, pipes[2];
        pid_t pid;

        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct sandbox_report report = {};
                struct err err = {};

                if (sandbox_enter(spec, &report, &err) < 0) {
                        fprintf(stderr, "%s\n", err.msg);
                        _exit(STOPPED);
                }
                if (write(pipes[1], &report, sizeof(report)) != sizeof(report))
                        _exit(STOPPED);
                _exit(probe ? probe(f) : 0);
        }
        close(pipes[1]);
        if (ret)
                assert_int_equal(read(pipes[0], ret, sizeof(*ret)), sizeof(*ret));
        close(pipes[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status))
                fail_msg("killed by signal %d", WTERMSIG(status));
        return WEXITSTATUS(status);
}

static struct sandbox_spec spec_for(enum sandbox_profile profile) {
        return (struct sandbox_spec){
                .uid = NOBODY,
                .gid = NOBODY,
                .profile = profile,
                .readable = readable,
                .writable_dir = -1,
                .max_memory = 1ULL << 30,
                .max_file = 1 << 20,
        };
}

/* ---- probes: 0 when it worked, else errno ---- */

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

/* ---- tests ---- */

static bool landlock_at_least(int abi) {
        return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= abi;
}

struct probe {
        const char *name;
        int (*run)(const struct fixture *f);
        int want;
};
#define PROBE(f, want) \
        { #f, f, want }

static void run_probes(const struct sandbox_spec *spec, const struct probe *probes, size_t n, const struct fixture *f) {
        size_t wrong = 0;

        for (size_t i = 0; i < n; i++) {
                int got = sandboxed(spec, probes[i].run, f, NULL);

                if (got != probes[i].want) {
                        print_error("%s: %s, wanted %s\n", probes[i].name, strerror(got), strerror(probes[i].want));
                        wrong++;
                }
        }
        assert_int_equal(wrong, 0);
}

static const struct probe refused_always[] = {
        PROBE(create_file, EPERM),
        PROBE(create_unnamed, EPERM),
        PROBE(open_for_writing, EPERM),
        PROBE(truncate_by_open, EPERM),
        PROBE(make_folder, EPERM),
        PROBE(remove_file, EPERM),
        PROBE(change_mode, EPERM),
        PROBE(execute, EPERM),
        PROBE(execute_at, EPERM),
        PROBE(start_process, EPERM),
        PROBE(start_vfork, EPERM),
        PROBE(start_clone3, ENOSYS),
        PROBE(raw_socket, EPERM),
        PROBE(packet_socket, EPERM),
        PROBE(netlink_socket, EPERM),
        PROBE(unix_socket, EPERM),
        PROBE(vsock_socket, EPERM),
        PROBE(socket_listen, EPERM),
        PROBE(socket_bind, EPERM),
        PROBE(trace, EPERM),
        PROBE(peek, EPERM),
        PROBE(kill_parent, EPERM),
        PROBE(tgkill_parent, EPERM),
        PROBE(own_signals, EPERM),
        PROBE(call_bpf, EPERM),
        PROBE(call_unshare, EPERM),
        PROBE(call_mount, EPERM),
        PROBE(call_userfaultfd, EPERM),
        PROBE(call_io_uring, EPERM),
        PROBE(call_keyctl, EPERM),
        PROBE(call_perf, EPERM),
        PROBE(terminal_input, EPERM),
        PROBE(map_code, EPERM),
        PROBE(make_code, EPERM),
        PROBE(become_root, EPERM),
        PROBE(become_dumpable, EPERM),
        PROBE(raise_limits, EPERM),
        PROBE(memory_file_too_large, EFBIG),
};

static void nothing_reaches_out_of_the_network_profile(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);

        run_probes(&spec, refused_always, ARRAY_SIZE(refused_always), *state);
}

static void nothing_reaches_out_of_the_parse_profile(void **state) {
        static const struct probe refused[] = {
                PROBE(tcp_socket, EPERM),
                PROBE(udp6_socket, EPERM),
                PROBE(tcp_connect, EPERM),
                PROBE(start_thread, EPERM),
        };
        struct sandbox_spec spec = spec_for(SANDBOX_PARSE);

        run_probes(&spec, refused_always, ARRAY_SIZE(refused_always), *state);
        run_probes(&spec, refused, ARRAY_SIZE(refused), *state);
}

static void nothing_reaches_out_of_the_report_profile(void **state) {
        static const struct probe refused[] = {
                PROBE(tcp_socket, EPERM),
                PROBE(udp6_socket, EPERM),
                PROBE(tcp_connect, EPERM),
                PROBE(start_thread, EPERM),
        };
        static const struct probe allowed[] = {PROBE(accept_given, EAGAIN), PROBE(memory_file, 0)};
        struct sandbox_spec spec = spec_for(SANDBOX_REPORT);

        run_probes(&spec, refused_always, ARRAY_SIZE(refused_always), *state);
        run_probes(&spec, refused, ARRAY_SIZE(refused), *state);
        run_probes(&spec, allowed, ARRAY_SIZE(allowed), *state);
}

/* A sandbox in which nothing works would pass the tests above. */
static void what_the_work_needs_still_works(void **state) {
        static const struct probe both[] = {PROBE(memory_file, 0), PROBE(open_listed_file, 0)};
        static const struct probe network[] = {PROBE(tcp_socket, 0), PROBE(udp6_socket, 0), PROBE(start_thread, 0)};
        struct sandbox_spec parse = spec_for(SANDBOX_PARSE), net = spec_for(SANDBOX_NETWORK);

        run_probes(&parse, both, ARRAY_SIZE(both), *state);
        run_probes(&net, both, ARRAY_SIZE(both), *state);
        run_probes(&net, network, ARRAY_SIZE(network), *state);
}

static void shadow_is_out_of_reach(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);

        if (geteuid() != 0 && !landlock_at_least(1))
                skip();
        assert_int_equal(sandboxed(&spec, open_shadow, *state, NULL), EACCES);
}

static void landlock_leaves_only_what_is_listed(void **state) {
        static const struct probe refused[] = {PROBE(open_passwd, EACCES), PROBE(list_root, EACCES)};
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);

        if (!landlock_at_least(1)) {
                print_message("this kernel has no Landlock\n");
                skip();
        }
        run_probes(&spec, refused, ARRAY_SIZE(refused), *state);
}

static void landlock_limits_where_to_connect(void **state) {
        const struct fixture *f = *state;
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);
        uint16_t other = f->port == 443 ? 444 : 443;

        if (!landlock_at_least(4)) {
                print_message("this kernel's Landlock knows no network\n");
                skip();
        }
        assert_int_equal(sandboxed(&spec, tcp_connect, f, NULL), EACCES);
        spec.ports = &other;
        spec.n_ports = 1;
        assert_int_equal(sandboxed(&spec, tcp_connect, f, NULL), EACCES);
        spec.ports = &f->port;
        assert_int_equal(sandboxed(&spec, tcp_connect, f, NULL), 0);
}

/* Git over the network: a client that keeps a repository in its spool, and is still nothing more than that. */
static void network_and_a_writable_folder(void **state) {
        static const struct probe allowed[] = {PROBE(create_file, 0), PROBE(make_folder, 0),  PROBE(memory_file, 0),
                                               PROBE(tcp_socket, 0),  PROBE(start_thread, 0), PROBE(open_listed_file, 0)};
        static const struct probe refused[] = {PROBE(execute, EPERM), PROBE(call_bpf, EPERM), PROBE(raw_socket, EPERM),
                                               PROBE(start_process, EPERM)};
        const struct fixture *f = *state;
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);
        uint16_t other = f->port == 22 ? 23 : 22;

        spec.writable_dir = f->dir_fd;
        run_probes(&spec, allowed, ARRAY_SIZE(allowed), f);
        run_probes(&spec, refused, ARRAY_SIZE(refused), f);
        if (!landlock_at_least(1))
                return;
        assert_int_equal(sandboxed(&spec, open_passwd, f, NULL), EACCES);
        if (!landlock_at_least(4))
                return;
        spec.ports = &other;
        spec.n_ports = 1;
        assert_int_equal(sandboxed(&spec, tcp_connect, f, NULL), EACCES);
}

static void a_writable_folder_is_writable_and_nothing_else(void **state) {
        static const struct probe allowed[] = {PROBE(create_file, 0), PROBE(open_for_writing, 0), PROBE(make_folder, 0)};
        static const struct probe refused[] = {PROBE(execute, EPERM), PROBE(call_bpf, EPERM)};
        const struct fixture *f = *state;
        struct sandbox_spec spec = spec_for(SANDBOX_PARSE);
        struct fixture elsewhere = *f;

        spec.writable_dir = f->dir_fd;
        run_probes(&spec, allowed, ARRAY_SIZE(allowed), f);
        run_probes(&spec, refused, ARRAY_SIZE(refused), f);
        if (!landlock_at_least(1))
                return;
        elsewhere.dir_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(sandboxed(&spec, create_file, &elsewhere, NULL), EACCES);
        assert_int_equal(sandboxed(&spec, make_folder, &elsewhere, NULL), EACCES);
        close(elsewhere.dir_fd);
}

/* What status shows must be what the kernel says. */
static void the_report_is_true(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_NETWORK);
        struct sandbox_report report = {};
        int abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
        char text[256];

        assert_int_equal(sandboxed(&spec, NULL, *state, &report), 0);
        assert_true(report.parts & SANDBOX_SECCOMP);
        assert_true(report.parts & SANDBOX_NO_CAPS);
        assert_int_equal(!!(report.parts & SANDBOX_UID), geteuid() == 0);
        assert_int_equal(report.uid, geteuid() == 0 ? NOBODY : getuid());
        assert_int_equal(report.landlock_abi, abi < 0 ? 0 : abi);
        assert_int_equal(!!(report.parts & SANDBOX_LANDLOCK_FILES), abi >= 1);
        assert_int_equal(!!(report.parts & SANDBOX_LANDLOCK_NET), abi >= 4);
        assert_int_equal(!!(report.parts & SANDBOX_LANDLOCK_SCOPE), abi >= 6);

        report = (struct sandbox_report){.parts = SANDBOX_UID | SANDBOX_NO_CAPS | SANDBOX_SECCOMP, .uid = 998};
        assert_true(sandbox_report_format(&report, text, sizeof(text)) < (int)sizeof(text));
        assert_string_equal(text, "uid 998, own user, no capabilities, seccomp; without Landlock files, Landlock network, "
                                  "Landlock signals and abstract sockets");
        assert_int_equal(sandbox_report_format(&report, text, 8),
                         strlen("uid 998, own user, no capabilities, seccomp; without "
                                "Landlock files, Landlock network, Landlock signals and abstract sockets"));
        assert_string_equal(text, "uid 998");
}

/* Read from /proc by the parent, while the child waits in the sandbox. */
static void the_kernel_agrees(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_PARSE);
        struct sandbox_report report;
        char path[64], line[256];
        int to[2], from[2], seen = 0, status;
        char byte;
        pid_t pid;
        FILE *p;

        assert_int_equal(pipe2(to, 0) | pipe2(from, 0), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || sandbox_enter(&spec, &report, NULL) < 0)
                        _exit(1);
                _exit(write(from[1], "x", 1) == 1 && read(to[0], &byte, 1) == 1 ? 0 : 1);
        }
        assert_int_equal(read(from[0], &byte, 1), 1);
        snprintf(path, sizeof(path), "/proc/%d/status", pid);
        p = fopen(path, "re");
        assert_non_null(p);
        while (fgets(line, sizeof(line), p)) {
                static const char *const want[] = {
                        "NoNewPrivs:\t1\n",
                        "Seccomp:\t2\n",
                        "CapInh:\t0000000000000000\n",
                        "CapPrm:\t0000000000000000\n",
                        "CapEff:\t0000000000000000\n",
                        "CapAmb:\t0000000000000000\n",
                };
                for (size_t i = 0; i < ARRAY_SIZE(want); i++)
                        seen += streq(line, want[i]);
                if (geteuid() == 0) {
                        seen += streq(line, "CapBnd:\t0000000000000000\n");
                        seen += streq(line, "Groups:\t \n");
                        seen += streq(line, "Uid:\t65534\t65534\t65534\t65534\n");
                        seen += streq(line, "Gid:\t65534\t65534\t65534\t65534\n");
                }
        }
        fclose(p);
        assert_int_equal(seen, geteuid() == 0 ? 10 : 6);
        assert_int_equal(write(to[1], "x", 1), 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        for (int i = 0; i < 2; i++) {
                close(to[i]);
                close(from[i]);
        }
}

/* The kernel forgets PDEATHSIG when the user changes: a sandboxed child must still end with its supervisor. */
static void it_still_ends_with_its_parent(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_PARSE);
        int alive[2];
        pid_t middle;
        char byte;

        assert_int_equal(pipe2(alive, 0), 0);
        middle = fork();
        assert_true(middle >= 0);
        if (middle == 0) {
                pid_t child = fork();
                struct sandbox_report report;

                if (child == 0) {
                        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || sandbox_enter(&spec, &report, NULL) < 0)
                                _exit(1);
                        if (write(alive[1], "x", 1) != 1)
                                _exit(1);
                        for (;;)
                                poll(NULL, 0, -1);
                }
                close(alive[1]);
                _exit(read(alive[0], &byte, 1) == 1 ? 0 : 1);
        }
        close(alive[1]);
        assert_int_equal(waitpid(middle, NULL, 0), middle);
        /* the end of the pipe: nobody holds it open any more */
        struct timeval limit = {.tv_sec = 10};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(alive[0], &set);
        assert_int_equal(select(alive[0] + 1, &set, NULL, NULL, &limit), 1);
        assert_int_equal(read(alive[0], &byte, 1), 0);
        close(alive[0]);
}

static void root_is_no_sandbox_user(void **state) {
        struct sandbox_spec spec = spec_for(SANDBOX_PARSE);

        if (geteuid() != 0)
                skip();
        spec.uid = 0;
        assert_int_equal(sandboxed(&spec, NULL, *state, NULL), STOPPED);
        spec.uid = NOBODY;
        spec.gid = 0;
        assert_int_equal(sandboxed(&spec, NULL, *state, NULL), STOPPED);
}

static int setup(void **state) {
        static struct fixture f;
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof(a);
        int fd;

        strcpy(f.dir, "/tmp/test_sandbox.XXXXXX");
        if (!mkdtemp(f.dir) || chmod(f.dir, 0777) < 0)
                return -1;
        f.dir_fd = open(f.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd = openat(f.dir_fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || fchmod(fd, 0666) < 0)
                return -1;
        close(fd);
        f.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (f.listener < 0 || bind(f.listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(f.listener, 16) < 0 ||
            getsockname(f.listener, (struct sockaddr *)&a, &n) < 0)
                return -1;
        f.port = ntohs(a.sin_port);
        *state = &f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        unlinkat(f->dir_fd, "file", 0);
        unlinkat(f->dir_fd, "new", 0);
        unlinkat(f->dir_fd, "folder", AT_REMOVEDIR);
        close(f->dir_fd);
        close(f->listener);
        return rmdir(f->dir);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(nothing_reaches_out_of_the_network_profile, setup, teardown),
                cmocka_unit_test_setup_teardown(nothing_reaches_out_of_the_parse_profile, setup, teardown),
                cmocka_unit_test_setup_teardown(nothing_reaches_out_of_the_report_profile, setup, teardown),
                cmocka_unit_test_setup_teardown(what_the_work_needs_still_works, setup, teardown),
                cmocka_unit_test_setup_teardown(shadow_is_out_of_reach, setup, teardown),
                cmocka_unit_test_setup_teardown(landlock_leaves_only_what_is_listed, setup, teardown),
                cmocka_unit_test_setup_teardown(landlock_limits_where_to_connect, setup, teardown),
                cmocka_unit_test_setup_teardown(network_and_a_writable_folder, setup, teardown),
                cmocka_unit_test_setup_teardown(a_writable_folder_is_writable_and_nothing_else, setup, teardown),
                cmocka_unit_test_setup_teardown(the_report_is_true, setup, teardown),
                cmocka_unit_test(the_kernel_agrees),
                cmocka_unit_test(it_still_ends_with_its_parent),
                cmocka_unit_test(root_is_no_sandbox_user),
        };

        return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
