/* SPDX-License-Identifier: Apache-2.0 */
/* What a taken-over fetcher could still do to the machine. Each probe runs in a process of its own, inside the sandbox. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>

#include "sandbox_probes.h"

#include <cmocka.h>

#include "sandbox.h"

#define NOBODY 65534
#define STOPPED 250 /* the sandbox could not be entered */

static const char *const readable[] = {"/etc/hosts", "/usr/lib", "/nonexistent/file", NULL};

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
