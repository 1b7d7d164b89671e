/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe: each operation can end well, and can be denied; a set-up that fails is never taken for a denial; and nothing is
 * left behind or done, whatever the policy lets through. Seccomp, limits and permissions stand in for a policy.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "probe_ops.h"
#include "seccomp_deny.h"

#define TOKEN "0123456789abcdef"

/* ---- helpers ---- */

/* Each test has a directory of its own, which everybody may write to, as /tmp. */
static int directory_new(void **state) {
        char *dir = strdup("/tmp/test_probe.XXXXXX");

        if (!dir || !mkdtemp(dir) || chmod(dir, 01777) < 0)
                return -1;
        *state = dir;
        return 0;
}

static size_t directory_entries(const char *dir) {
        DIR *d = opendir(dir);
        size_t n = 0;

        assert_non_null(d);
        for (const struct dirent *e = readdir(d); e; e = readdir(d))
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        closedir(d);
        return n;
}

static int directory_drop(void **state) {
        cleanup_free char *dir = *state;

        return rmdir(dir); /* what a test has not cleared up makes it fail */
}

static void path_in(const char *dir, const char *name, char ret[static PATH_MAX]) {
        snprintf(ret, PATH_MAX, "%s/%s", dir, name);
}

static void file_make(const char *path, mode_t mode, const char *text) {
        cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(fchmod(fd, mode), 0);
}

/* The test as written: %s in `what` is the test's directory. */
static struct selftest test_of(const char *dir, const char *as, const char *what) {
        cleanup_buf struct buf op = {}, b = {};
        struct selftest t = {};
        struct err err = {};

        for (const char *p = what; *p; p++)
                assert_int_equal(*p == '%' ? buf_printf(&op, "%s", dir) : buf_append(&op, p, 1), 0);
        assert_int_equal(buf_printf(&b, "{\"name\":\"t\",\"as\":%s,\"do\":%s,\"expect\":\"ok\"}", as, op.data), 0);
        if (selftest_parse(b.data, b.len, &t, &err) < 0)
                fail_msg("%s: %s", b.data, err.msg);
        return t;
}

struct denial {
        const char *call;
        int error; /* 0: the process is ended */
        unsigned n;
        struct scmp_arg_cmp match;
};

/* Tries it in a process that is subject to the denial, as the probe is to a policy. */
static struct probe_result tried(const char *dir, const char *as, const char *what, const struct denial *denial) {
        cleanup_selftest struct selftest t = test_of(dir, as, what);
        struct probe_result result = {};
        int pipefd[2], status;
        pid_t pid;

        assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (denial && seccomp_deny_matching(seccomp_syscall_resolve_name(denial->call), denial->error, denial->n,
                                                    &denial->match) < 0)
                        _exit(2);
                probe_try(&t, TOKEN, &result);
                _exit(write(pipefd[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
        }
        close(pipefd[1]);
        assert_int_equal(read(pipefd[0], &result, sizeof(result)), sizeof(result));
        close(pipefd[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        /* A denial of unlink is one of clearing up, too. */
        probe_clear(&t, TOKEN);
        return result;
}

static void expect(const char *dir, const char *as, const char *what, const struct denial *denial, enum probe_kind kind,
                   int error, const char *words) {
        struct probe_result r = tried(dir, as, what, denial);

        if (r.kind != (uint32_t)kind || r.error != error || !strstr(r.what, words))
                fail_msg("as %s do %s%s%s: kind %u, %s, '%s'; expected kind %d, %s, '%s'", as, what, denial ? " without " : "",
                         denial ? denial->call : "", r.kind, errno_name(r.error), r.what, kind, errno_name(error), words);
}

static bool is_root(void) {
        return geteuid() == 0;
}

/* This very user, with what it has got. */
static const char *me(void) {
        static char as[100];

        snprintf(as, sizeof(as), "{\"uid\":%u,\"gid\":%u,\"caps\":\"all\"}", geteuid(), getegid());
        return as;
}

#define NOBODY "{\"uid\":65534,\"comm\":\"unprivileged\"}"

/* ---- what is allowed succeeds ---- */

static const char *const anybody[] = {
        "{\"open\":\"/etc/hostname\"}",
        "{\"open\":\"/etc\"}",
        "{\"open\":\"/dev/null\",\"flags\":[\"read\",\"write\"]}",
        "{\"open\":\"%/\"}",
        "{\"open\":\"%/*/shadow\",\"flags\":[\"read\",\"write\"]}",
        "{\"open\":\"%/\",\"flags\":[\"append\"]}",
        "{\"open\":\"%/\",\"flags\":[\"write\",\"create\"]}",
        "{\"open\":\"%/*/x\",\"flags\":[\"write\",\"create\",\"truncate\"]}",
        "{\"open\":\"%/\",\"flags\":[\"write\",\"truncate\"]}",
        "{\"read\":\"/etc/hostname\"}",
        "{\"read\":\"%/*/x\"}",
        "{\"mmap\":\"/etc/hostname\"}",
        "{\"mmap\":\"/bin/sh\",\"prot\":[\"read\",\"exec\"]}",
        "{\"mmap\":\"/etc/hostname\",\"prot\":[\"read\",\"write\"]}",
        "{\"create\":\"%/\"}",
        "{\"create\":\"%/*/shadow\"}",
        "{\"unlink\":\"%/\"}",
        "{\"unlink\":\"%/*/x\"}",
        "{\"rename\":[\"%/\",\"%/\"]}",
        "{\"rename\":[\"%/*/a\",\"%/*/b\"]}",
        "{\"mkdir\":\"%/\"}",
        "{\"mkdir\":\"%/*/d\"}",
        "{\"exec\":\"%/\"}",
        "{\"exec\":\"%/*/sh\"}",
        "{\"exec\":\"/bin/sh\"}",
        "{\"socket\":[\"inet\",\"stream\"]}",
        "{\"socket\":[\"unix\",\"dgram\"]}",
        "{\"socket\":[\"netlink\",\"raw\"]}",
        "{\"signal\":\"child\",\"send\":\"KILL\"}",
        "{\"signal\":\"child\",\"send\":\"STOP\"}",
        "{\"signal\":\"child\",\"send\":\"SEGV\"}",
        "{\"connect\":{\"family\":\"unix\"}}",
        "{\"connect\":{\"family\":\"unix\",\"type\":\"dgram\"}}",
        "{\"link\":[\"%/\",\"%/\"]}",
        "{\"link\":[\"%/*/a\",\"%/*/b\"]}",
        "{\"symlink\":\"%/\"}",
        "{\"rmdir\":\"%/\"}",
        "{\"rmdir\":\"%/*/d\"}",
        "{\"chmod\":\"%/\"}",
        "{\"chown\":\"%/*/x\"}",
        "{\"truncate\":\"%/\"}",
        "{\"setxattr\":\"%/\"}",
        "{\"mknod\":\"%/\"}",
        "{\"mknod\":\"%/*/s\",\"kind\":\"socket\"}",
        "{\"bind\":{\"family\":\"unix\"}}",
        "{\"listen\":{\"family\":\"unix\"}}",
        "{\"accept\":{\"family\":\"unix\"}}",
        "{\"sendmsg\":{\"family\":\"unix\"}}",
        "{\"ptrace\":\"child\"}",
        "{\"signal\":\"child\"}",
        "{\"fork\":true}",
};

static void what_is_allowed_succeeds(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(anybody); i++) {
                expect(*state, me(), anybody[i], NULL, PROBE_TRIED, 0, "");
                assert_int_equal(directory_entries(*state), 0);
        }
}

static void what_is_allowed_succeeds_as_somebody_else(void **state) {
        if (!is_root())
                skip();
        for (size_t i = 0; i < ARRAY_SIZE(anybody); i++) {
                expect(*state, NOBODY, anybody[i], NULL, PROBE_TRIED, 0, "");
                assert_int_equal(directory_entries(*state), 0);
        }
}

/* In a plain chroot it is not, and then no namespace can keep mounts to itself. */
static bool root_is_a_mount(void) {
        struct statx st;

        return statx(AT_FDCWD, "/", 0, 0, &st) == 0 && st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* As in a container: what is allowed is allowed there, too. */
static void what_is_allowed_succeeds_in_namespaces_of_its_own(void **state) {
        static const char *const subjects[] = {"{\"host\":false}", "{\"host\":false,\"uid\":65534}"};

        if (!is_root() || !root_is_a_mount())
                skip();
        for (size_t i = 0; i < ARRAY_SIZE(anybody); i++)
                for (size_t k = 0; k < ARRAY_SIZE(subjects); k++) {
                        expect(*state, subjects[k], anybody[i], NULL, PROBE_TRIED, 0, "");
                        assert_int_equal(directory_entries(*state), 0);
                }
        expect(*state, subjects[0], "{\"fork\":true}", &(struct denial){"clone", EPERM}, PROBE_SETUP, EPERM,
               "starting a process");
}

static void what_root_may_succeeds(void **state) {
        static const char *const root[] = {
                "{\"socket\":[\"inet\",\"raw\"]}",
                "{\"socket\":[\"packet\",\"raw\"]}",
                "{\"bpf\":\"map-create\"}",
                "{\"bpf\":\"prog-load\"}",
                "{\"mknod\":\"%/\",\"kind\":\"char\"}",
                "{\"mknod\":\"%/\",\"kind\":\"block\"}",
                "{\"bind\":{\"family\":\"inet\",\"address\":\"0.0.0.0\",\"port\":22}}",
                "{\"bind\":{\"family\":\"inet6\",\"type\":\"dgram\",\"port\":53}}",
                "{\"bind\":{\"family\":\"inet\",\"address\":\"192.0.2.1\"}}",
                "{\"connect\":{\"family\":\"inet\",\"address\":\"192.0.2.1\",\"port\":443}}",
                "{\"connect\":{\"family\":\"inet\"}}",
                "{\"connect\":{\"family\":\"inet\",\"type\":\"dgram\",\"address\":\"192.0.2.1\",\"port\":443}}",
                "{\"connect\":{\"family\":\"inet\",\"port\":1}}",
                "{\"connect\":{\"family\":\"unix\",\"address\":\"@app\"}}",
                "{\"sendmsg\":{\"family\":\"unix\",\"address\":\"@app\"}}",
                "{\"connect\":{\"family\":\"unix\",\"address\":\"%/\"}}",
                "{\"bpf\":\"map-freeze\"}",
                "{\"bpf\":\"enable-stats\"}",
                "{\"listen\":{\"family\":\"inet\",\"port\":80}}",
                "{\"listen\":{\"family\":\"inet\",\"address\":\"192.0.2.1\"}}",
                "{\"accept\":{\"family\":\"inet\",\"port\":80}}",
                "{\"accept\":{\"family\":\"inet6\"}}",
                "{\"sendmsg\":{\"family\":\"inet\"}}",
                "{\"sendmsg\":{\"family\":\"inet6\",\"address\":\"2001:db8::1\",\"port\":53}}",
                "{\"userns\":\"create\"}",
                "{\"setuid\":1000}",
                "{\"setgid\":1000}",
        };

        if (!is_root())
                skip();
        for (size_t i = 0; i < ARRAY_SIZE(root); i++)
                expect(*state, "{}", root[i], NULL, PROBE_TRIED, 0, "");
}

/* The node of the next test: a namespace of its own, shared within, so that a mount that is not private would be seen in it (and
 * would not be on the machine that runs the tests). */
static int mount_node_enter(void) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ? -errno : 0;
}

static int mount_try(const char *dir, const char *what, const struct denial *denial) {
        cleanup_selftest struct selftest t = test_of(dir, "{}", what);
        struct probe_result result = {};
        struct stat before, after;

        if (mount_node_enter() < 0 || stat(dir, &before) < 0)
                return 2;
        if (denial && seccomp_deny_matching(seccomp_syscall_resolve_name(denial->call), denial->error, 0, NULL) < 0)
                return 3;
        probe_try(&t, TOKEN, &result);
        if (result.kind != PROBE_TRIED || result.error != (denial ? denial->error : 0)) {
                print_error("%s: kind %u, %s, '%s'\n", what, result.kind, errno_name(result.error), result.what);
                return 1;
        }
        return stat(dir, &after) < 0 || before.st_dev != after.st_dev || before.st_ino != after.st_ino ? 4 : 0;
}

static void a_mount_is_tried_where_nobody_sees_it(void **state) {
        static const char *const mounts[] = {
                "{\"mount\":{\"type\":\"tmpfs\",\"target\":\"%\"}}",
                "{\"mount\":{\"type\":\"proc\",\"target\":\"%\"}}",
                "{\"mount\":{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"%\"}}",
                "{\"umount\":\"%\"}",
                "{\"move-mount\":{\"source\":\"%\",\"target\":\"/mnt\"}}",
                "{\"pivot-root\":\"%\"}",
        };
        static const char *const calls[ARRAY_SIZE(mounts)] = {"mount", "mount", "mount", "umount2", "move_mount", "pivot_root"};

        if (!is_root() || !root_is_a_mount())
                skip();
        for (size_t i = 0; i < 2 * ARRAY_SIZE(mounts); i++) {
                const struct denial denied = {.call = calls[i / 2], .error = EACCES};
                int status;
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(mount_try(*state, mounts[i / 2], i % 2 ? &denied : NULL));
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
}

/* ---- what is denied is seen to be denied ---- */

static void a_denial_is_the_operations_own(void **state) {
        static const struct {
                const char *what;
                struct denial denial;
        } cases[] = {
                {"{\"open\":\"/etc/hostname\"}", {"openat", EACCES}},
                {"{\"open\":\"/etc/hostname\",\"flags\":[\"write\"]}", {"openat", EROFS}},
                {"{\"read\":\"/etc/hostname\"}", {"openat", EPERM}},
                {"{\"read\":\"/etc/hostname\"}", {"read", EACCES}},
                {"{\"mmap\":\"/etc/hostname\"}", {"openat", EACCES}},
                {"{\"mmap\":\"/bin/sh\",\"prot\":[\"read\",\"exec\"]}", {"mmap", EACCES, 1, SCMP_A2_32(SCMP_CMP_EQ, 1 | 4)}},
                {"{\"create\":\"%/\"}", {"openat", EACCES}},
                {"{\"open\":\"%/\",\"flags\":[\"write\",\"create\"]}", {"openat", EACCES}},
                {"{\"mkdir\":\"%/\"}", {"mkdir", EPERM}},
                {"{\"unlink\":\"%/\"}", {"unlink", EACCES}},
                {"{\"rename\":[\"%/\",\"%/\"]}", {"rename", EACCES}},
                {"{\"exec\":\"%/\"}", {"execve", EACCES}},
                {"{\"exec\":\"/bin/sh\"}", {"execve", EPERM}},
                {"{\"socket\":[\"inet\",\"stream\"]}", {"socket", EPERM}},
                {"{\"connect\":{\"family\":\"unix\"}}", {"connect", EPERM}},
                {"{\"link\":[\"%/\",\"%/\"]}", {"link", EACCES}},
                {"{\"symlink\":\"%/\"}", {"symlink", EACCES}},
                {"{\"rmdir\":\"%/\"}", {"rmdir", EPERM}},
                {"{\"chmod\":\"%/\"}", {"chmod", EPERM}},
                {"{\"chown\":\"%/\"}", {"chown", EACCES}},
                {"{\"truncate\":\"%/\"}", {"truncate", EACCES}},
                {"{\"mknod\":\"%/\"}", {"mknodat", EACCES}},
                {"{\"setxattr\":\"%/\"}", {"setxattr", EPERM}},
                {"{\"bind\":{\"family\":\"unix\"}}", {"bind", EACCES}},
                {"{\"listen\":{\"family\":\"unix\"}}", {"listen", EPERM}},
                {"{\"accept\":{\"family\":\"unix\"}}", {"accept4", EACCES}},
                {"{\"sendmsg\":{\"family\":\"unix\"}}", {"sendmsg", EPERM}},
                {"{\"bpf\":\"prog-load\"}", {"bpf", EACCES}},
                {"{\"userns\":\"create\"}", {"unshare", EPERM}},
                {"{\"setuid\":7}", {"setuid", EACCES}},
                {"{\"setgid\":7}", {"setgid", EPERM}},
                {"{\"module-load\":\"memory\"}", {"init_module", EACCES}},
                {"{\"module-load\":\"file\"}", {"finit_module", EPERM}},
                {"{\"module-load\":\"%/\"}", {"finit_module", EPERM}},
                {"{\"kexec\":\"memory\"}", {"kexec_load", EACCES}},
                {"{\"kexec\":\"file\"}", {"kexec_file_load", EPERM}},
                {"{\"ptrace\":\"child\"}", {"ptrace", EPERM}},
                {"{\"signal\":\"child\"}", {"kill", EACCES}},
                {"{\"signal\":\"child\",\"send\":\"STOP\"}", {"kill", EACCES}},
                {"{\"bind\":{\"family\":\"unix\",\"address\":\"%/\"}}", {"bind", EACCES}},
                {"{\"connect\":{\"family\":\"unix\",\"address\":\"%/\"}}", {"connect", EPERM}},
                {"{\"bpf\":\"link-detach\"}", {"bpf", EACCES}},
                {"{\"bpf\":\"map-create\"}", {"bpf", EACCES}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                expect(*state, me(), cases[i].what, &cases[i].denial, PROBE_TRIED, cases[i].denial.error, "");
                assert_int_equal(directory_entries(*state), 0);
        }
}

/* Fork is denied to the subject alone: to the probe it would be a set-up that fails. */
static void a_denied_fork_is_seen(void **state) {
        struct rlimit old, none;

        if (!is_root())
                skip();
        assert_int_equal(getrlimit(RLIMIT_NPROC, &old), 0);
        none = (struct rlimit){0, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NPROC, &none), 0);
        expect(*state, NOBODY, "{\"fork\":true}", NULL, PROBE_TRIED, EAGAIN, "");
        assert_int_equal(setrlimit(RLIMIT_NPROC, &old), 0);
}

static void errors_of_the_path_are_the_operations(void **state) {
        expect(*state, me(), "{\"open\":\"%/absent\"}", NULL, PROBE_TRIED, ENOENT, "");
        expect(*state, me(), "{\"read\":\"%\"}", NULL, PROBE_TRIED, EISDIR, "");
        expect(*state, me(), "{\"exec\":\"%/absent\"}", NULL, PROBE_TRIED, ENOENT, "");
        expect(*state, me(), "{\"open\":\"/etc/hostname/x\"}", NULL, PROBE_TRIED, ENOTDIR, "");
}

/* ---- the subject ---- */

static void the_subjects_permissions_decide(void **state) {
        char secret[PATH_MAX];
        const char *what = "{\"open\":\"%/secret\"}";

        if (!is_root())
                skip();
        path_in(*state, "secret", secret);
        file_make(secret, 0040, "");
        expect(*state, "{}", what, NULL, PROBE_TRIED, 0, "");
        expect(*state, "{\"uid\":65534}", what, NULL, PROBE_TRIED, EACCES, "");
        expect(*state, "{\"uid\":65534,\"gid\":0}", what, NULL, PROBE_TRIED, 0, "");
        expect(*state, "{\"uid\":65534,\"caps\":[\"CAP_DAC_READ_SEARCH\"]}", what, NULL, PROBE_TRIED, 0, "");
        expect(*state, "{\"uid\":65534,\"caps\":[\"CAP_CHOWN\"]}", what, NULL, PROBE_TRIED, EACCES, "");
        assert_int_equal(chmod(secret, 0), 0);
        expect(*state, "{\"caps\":\"none\"}", what, NULL, PROBE_TRIED, EACCES, "");
        assert_int_equal(unlink(secret), 0);
}

/* In a process of its own: what it has become. */
static int become(const struct selftest *t, pid_t parent) {
        struct outcome out = {};
        struct attempt a = {.test = t, .out = &out};
        char comm[16];
        uid_t ru, eu, su;
        gid_t rg, eg, sg;

        if (subject_assume(&a, parent) < 0 || prctl(PR_GET_NAME, comm, 0, 0, 0) < 0 || !streq(comm, "unprivileged"))
                return 1;
        if (getresuid(&ru, &eu, &su) < 0 || ru != 65534 || eu != 65534 || su != 65534)
                return 2;
        if (getresgid(&rg, &eg, &sg) < 0 || rg != 7 || eg != 7 || sg != 7 || getgroups(0, NULL) != 0)
                return 3;
        return setresuid(0, 0, 0) == 0 ? 4 : 0;
}

static void the_subject_is_what_the_test_says(void **state) {
        cleanup_selftest struct selftest t =
                test_of(*state, "{\"uid\":65534,\"gid\":7,\"comm\":\"unprivileged\"}", "{\"fork\":true}");
        pid_t parent = getpid(), pid;
        int status;

        if (!is_root())
                skip();
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(setgroups(1, &(gid_t){5}) < 0 ? 5 : become(&t, parent));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static bool is_denied_with_eacces(const char *cap) {
        static const char *const those[] = {"CAP_DAC_OVERRIDE", "CAP_NET_BIND_SERVICE", "CAP_IPC_OWNER", "CAP_SYS_NICE",
                                            "CAP_LEASE"};

        for (size_t i = 0; i < ARRAY_SIZE(those); i++)
                if (streq(those[i], cap))
                        return true;
        return false;
}

static void capabilities(void **state) {
        char what[64], with[64];

        if (!is_root())
                skip();
        for (int cap = 0; capability_name(cap); cap++) {
                int denied = is_denied_with_eacces(capability_name(cap)) ? EACCES : EPERM;

                if (!capability_testable(cap))
                        continue;
                if (streq(capability_name(cap), "CAP_SYS_MODULE") && syscall(SYS_finit_module, -1, "", 0) < 0 && errno == ENOSYS)
                        continue; /* a kernel without modules */
                snprintf(what, sizeof(what), "{\"capability\":\"%s\"}", capability_name(cap));
                snprintf(with, sizeof(with), "{\"uid\":65534,\"caps\":[\"%s\"]}", capability_name(cap));
                /* The kernel asks for CAP_BPF first. */
                if (streq(capability_name(cap), "CAP_PERFMON"))
                        snprintf(with, sizeof(with), "{\"uid\":65534,\"caps\":[\"CAP_BPF\",\"CAP_PERFMON\"]}");
                if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) {
                        expect(*state, "{}", what, NULL, PROBE_TRIED, 0, "");
                        expect(*state, with, what, NULL, PROBE_TRIED, 0, "");
                } else
                        expect(*state, with, what, NULL, PROBE_SETUP, EPERM, "has not got");
                expect(*state, "{\"caps\":\"none\"}", what, NULL, PROBE_TRIED, denied, "");
                expect(*state, "{\"uid\":65534}", what, NULL, PROBE_TRIED, denied, "");
        }
}

/* ---- a set-up that fails is no denial ---- */

static void a_failed_setup_is_no_denial(void **state) {
        static const struct {
                const char *what;
                struct denial denial;
                const char *words;
        } cases[] = {
                {"{\"open\":\"/etc/hostname\"}", {"clone", EACCES}, "starting a process"},
                {"{\"open\":\"/etc/hostname\"}", {"close_range", EACCES}, "closing descriptors"},
                {"{\"open\":\"/etc/hostname\"}", {"newfstatat", EACCES}, "looking at the file"},
                {"{\"open\":\"/etc/hostname\"}", {"capset", EACCES}, "taking the capabilities"},
                {"{\"open\":\"/etc/hostname\"}", {"prctl", EACCES, 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)}, "taking the comm"},
                {"{\"open\":\"%/\"}", {"openat", EACCES}, "making a scratch file"},
                {"{\"unlink\":\"%/\"}", {"openat", EACCES}, "making a scratch file"},
                {"{\"create\":\"%/*/x\"}", {"mkdir", EACCES}, "making a scratch directory"},
                {"{\"mkdir\":\"%/*/x\"}", {"mkdir", EACCES}, "making a scratch directory"},
                {"{\"exec\":\"%/\"}", {"openat", EACCES}, "making a scratch file"},
                {"{\"exec\":\"%/\"}", {"sendfile", EACCES}, "filling a scratch file"},
                {"{\"exec\":\"/bin/sh\"}", {"seccomp", EACCES}, "loading the filter"},
                {"{\"connect\":{\"family\":\"unix\"}}", {"listen", EACCES}, "listening on a unix socket"},
                {"{\"ptrace\":\"child\"}", {"pipe2", EACCES}, "making a pipe"},
                {"{\"link\":[\"%/\",\"%/\"]}", {"openat", EACCES}, "making a scratch file"},
                {"{\"rmdir\":\"%/\"}", {"mkdir", EACCES}, "making a scratch directory"},
                {"{\"listen\":{\"family\":\"unix\"}}", {"bind", EACCES}, "binding the socket"},
                {"{\"accept\":{\"family\":\"unix\"}}", {"connect", EACCES}, "connecting"},
                {"{\"sendmsg\":{\"family\":\"unix\"}}", {"socketpair", EACCES}, "making a pair"},
                {"{\"module-load\":\"file\"}", {"memfd_create", EACCES}, "making a memory file"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                expect(*state, me(), cases[i].what, &cases[i].denial, PROBE_SETUP, EACCES, cases[i].words);
                assert_int_equal(directory_entries(*state), 0);
        }
        expect(*state, me(), "{\"create\":\"%/absent/*/x\"}", NULL, PROBE_SETUP, ENOENT, "making a scratch directory");
        expect(*state, me(), "{\"open\":\"/etc/hostname\"}", &(struct denial){"newfstatat", 0}, PROBE_SETUP, 0, "by signal 31");
}

static void a_subject_that_cannot_be_taken_is_no_denial(void **state) {
        if (is_root()) {
                expect(*state, NOBODY, "{\"open\":\"%/\"}", &(struct denial){"setresuid", EACCES}, PROBE_SETUP, EACCES, "uid");
                expect(*state, NOBODY, "{\"open\":\"/\"}", &(struct denial){"setresgid", EACCES}, PROBE_SETUP, EACCES, "gid");
                expect(*state, "{}", "{\"mount\":{\"type\":\"tmpfs\",\"target\":\"%\"}}", &(struct denial){"unshare", EACCES},
                       PROBE_SETUP, EACCES, "private mount namespace");
                expect(*state, "{}", "{\"unlink\":\"%/x\"}", &(struct denial){"unshare", EACCES}, PROBE_SETUP, EACCES,
                       "private mount namespace");
                expect(*state, "{}", "{\"bind\":{\"family\":\"inet\"}}", &(struct denial){"unshare", EACCES}, PROBE_SETUP, EACCES,
                       "private network namespace");
                expect(*state, "{}", "{\"connect\":{\"family\":\"inet\",\"port\":80}}", &(struct denial){"unshare", EACCES},
                       PROBE_SETUP, EACCES, "private network namespace");
                expect(*state, "{}", "{\"connect\":{\"family\":\"inet\"}}", &(struct denial){"bind", EACCES}, PROBE_SETUP, EACCES,
                       "finding a closed port");
                expect(*state, "{}", "{\"connect\":{\"family\":\"inet\",\"type\":\"dgram\"}}", &(struct denial){"ioctl", EACCES},
                       PROBE_SETUP, EACCES, "setting up a private network");
                expect(*state, "{}", "{\"connect\":{\"family\":\"inet\"}}", &(struct denial){"connect", EACCES}, PROBE_TRIED,
                       EACCES, "");
        } else {
                expect(*state, "{\"uid\":1,\"gid\":1}", "{\"fork\":true}", NULL, PROBE_SETUP, EPERM, "");
                expect(*state, "{\"caps\":[\"CAP_CHOWN\"]}", "{\"fork\":true}", NULL, PROBE_SETUP, EPERM, "has not got");
        }
        assert_int_equal(directory_entries(*state), 0);
}

/* The bounding set of the agent's unit may lack what a test names. */
static void capabilities_that_are_not_there_are_no_denial(void **state) {
        pid_t pid;
        int status;

        if (!is_root())
                skip();
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                cleanup_selftest struct selftest t = test_of(*state, "{\"caps\":[\"CAP_SYS_TIME\"]}", "{\"fork\":true}");
                struct probe_result result;

                if (setresuid(65534, 65534, 65534) < 0)
                        _exit(2);
                t.as.uid = t.as.gid = 65534;
                probe_try(&t, TOKEN, &result);
                _exit(result.kind == PROBE_SETUP && result.error == EPERM && strstr(result.what, "has not got") ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void a_process_that_dies_is_no_denial(void **state) {
        expect(*state, me(), "{\"open\":\"/etc/hostname\"}", &(struct denial){"openat", 0}, PROBE_DIED, 0, "ended by signal 31");
        expect(*state, me(), "{\"connect\":{\"family\":\"unix\"}}", &(struct denial){"connect", 0}, PROBE_DIED, 0, "signal 31");
        /* Executed, and then unable to load its libraries: neither "ok" nor a denial of exec. */
        expect(*state, me(), "{\"exec\":\"%/\"}", &(struct denial){"read", EACCES}, PROBE_DIED, 0, "ended with status 127");
        assert_int_equal(directory_entries(*state), 0);
}

/* ---- no harm ---- */

static void special_files_are_not_opened(void **state) {
        char path[PATH_MAX];

        path_in(*state, "fifo", path);
        assert_int_equal(mkfifo(path, 0666), 0);
        expect(*state, me(), "{\"open\":\"%/fifo\"}", NULL, PROBE_SETUP, EINVAL, "not be harmless");
        expect(*state, me(), "{\"read\":\"%/fifo\"}", NULL, PROBE_SETUP, EINVAL, "not be harmless");
        expect(*state, me(), "{\"mmap\":\"%/fifo\"}", NULL, PROBE_SETUP, EINVAL, "not be harmless");
        assert_int_equal(unlink(path), 0);
        expect(*state, me(), "{\"open\":\"/dev/tty\"}", NULL, PROBE_SETUP, EINVAL, "not be harmless");
        /* through a link that the text does not show */
        assert_int_equal(symlink("/dev/zero", path), 0);
        expect(*state, me(), "{\"read\":\"%/fifo\"}", NULL, PROBE_SETUP, EINVAL, "not be harmless");
        assert_int_equal(unlink(path), 0);
}

static void a_file_that_exists_is_not_changed(void **state) {
        struct stat before, after;
        char path[PATH_MAX];

        path_in(*state, "precious", path);
        file_make(path, 0666, "precious\n");
        assert_int_equal(stat(path, &before), 0);
        expect(*state, me(), "{\"open\":\"%/precious\",\"flags\":[\"read\",\"write\"]}", NULL, PROBE_TRIED, 0, "");
        expect(*state, me(), "{\"open\":\"%/precious\",\"flags\":[\"append\"]}", NULL, PROBE_TRIED, 0, "");
        expect(*state, me(), "{\"mmap\":\"%/precious\",\"prot\":[\"read\",\"write\"]}", NULL, PROBE_TRIED, 0, "");
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
        assert_int_equal(after.st_ino, before.st_ino);
        assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
        assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim));
        assert_int_equal(unlink(path), 0);
}

/* "Executed" must not mean "has acted": the program of the test may be /usr/sbin/reboot. */
static void a_program_that_exists_does_nothing(void **state) {
        char script[PATH_MAX], marker[PATH_MAX], text[PATH_MAX + 64];

        path_in(*state, "script", script);
        path_in(*state, "marker", marker);
        snprintf(text, sizeof(text), "#!/bin/sh\n: >%s\n", marker);
        file_make(script, 0755, text);
        expect(*state, me(), "{\"exec\":\"%/script\"}", NULL, PROBE_TRIED, 0, "");
        assert_int_equal(access(marker, F_OK), -1);
        assert_int_equal(unlink(script), 0);
}

/* What is not denied happens to a stand-in: as the subject, so that nothing but a policy stands in its way. */
static void what_stands_there_is_not_changed(void **state) {
        static const char *const ops[] = {
                "{\"unlink\":\"%/precious\"}",
                "{\"chmod\":\"%/precious\"}",
                "{\"chown\":\"%/precious\"}",
                "{\"truncate\":\"%/precious\"}",
                "{\"setxattr\":\"%/precious\"}",
                "{\"rename\":[\"%/precious\",\"%/other\"]}",
                "{\"rename\":[\"%/other\",\"%/precious\"]}",
                "{\"link\":[\"%/precious\",\"%/absent/deep/other\"]}",
                "{\"link\":[\"%/absent/deep/precious\",\"%/other\"]}",
                "{\"create\":\"%/precious\"}",
                "{\"mkdir\":\"%/absent/d\"}",
                "{\"rmdir\":\"%/absent/d\"}",
                "{\"symlink\":\"%/link\"}",
                "{\"mknod\":\"%/fifo\"}",
                "{\"open\":\"%/precious\",\"flags\":[\"write\",\"truncate\"]}",
                "{\"open\":\"%/new\",\"flags\":[\"write\",\"create\"]}",
        };
        struct stat before, after;
        char path[PATH_MAX];

        if (!is_root() || !root_is_a_mount())
                skip();
        path_in(*state, "precious", path);
        file_make(path, 0600, "precious\n");
        assert_int_equal(stat(path, &before), 0);
        for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
                expect(*state, "{}", ops[i], NULL, PROBE_TRIED, 0, "");
                expect(*state, NOBODY, ops[i], NULL, PROBE_TRIED, 0, "");
                assert_int_equal(stat(path, &after), 0);
                assert_int_equal(directory_entries(*state), 1);
                assert_int_equal(after.st_ino, before.st_ino);
                assert_int_equal(after.st_mode, before.st_mode);
                assert_int_equal(after.st_size, before.st_size);
                assert_int_equal(after.st_nlink, before.st_nlink);
                assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim));
        }
        assert_int_equal(unlink(path), 0);
        expect(*state, "{}", "{\"unlink\":\"/absent-of-old/x\"}", NULL, PROBE_SETUP, ENOENT, "");
}

static void a_name_that_is_taken_fails_the_test(void **state) {
        cleanup_selftest struct selftest t = test_of(*state, me(), "{\"create\":\"%/*/x\"}");
        char path[PATH_MAX];

        path_in(*state, ".lsmpull-selftest-" TOKEN "-0", path);
        file_make(path, 0600, "");
        expect(*state, me(), "{\"create\":\"%/*/x\"}", NULL, PROBE_SETUP, EEXIST, "scratch directory");
        unlink(path);
}

/* What a killed probe leaves, the supervisor removes. */
static void leftovers_are_cleared(void **state) {
        cleanup_selftest struct selftest t = test_of(*state, me(), "{\"rename\":[\"%/*/a\",\"%/\"]}");
        char path[PATH_MAX];

        path_in(*state, ".lsmpull-selftest-" TOKEN "-0", path);
        assert_int_equal(mkdir(path, 0700), 0);
        path_in(*state, ".lsmpull-selftest-" TOKEN "-0/a", path);
        file_make(path, 0600, "");
        path_in(*state, ".lsmpull-selftest-" TOKEN "-1", path);
        file_make(path, 0600, "");
        probe_clear(&t, TOKEN);
        assert_int_equal(directory_entries(*state), 0);
        probe_clear(&t, TOKEN);
}

#define test(f) cmocka_unit_test_setup_teardown(f, directory_new, directory_drop)

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                test(what_is_allowed_succeeds),
                test(what_is_allowed_succeeds_as_somebody_else),
                test(what_is_allowed_succeeds_in_namespaces_of_its_own),
                test(what_root_may_succeeds),
                test(a_mount_is_tried_where_nobody_sees_it),
                test(a_denial_is_the_operations_own),
                test(a_denied_fork_is_seen),
                test(errors_of_the_path_are_the_operations),
                test(the_subjects_permissions_decide),
                test(the_subject_is_what_the_test_says),
                test(capabilities),
                test(a_failed_setup_is_no_denial),
                test(a_subject_that_cannot_be_taken_is_no_denial),
                test(capabilities_that_are_not_there_are_no_denial),
                test(a_process_that_dies_is_no_denial),
                test(special_files_are_not_opened),
                test(a_file_that_exists_is_not_changed),
                test(a_program_that_exists_does_nothing),
                test(what_stands_there_is_not_changed),
                test(a_name_that_is_taken_fails_the_test),
                test(leftovers_are_cleared),
        };

        if (argc > 1 && streq(argv[1], "@true"))
                return 0;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
