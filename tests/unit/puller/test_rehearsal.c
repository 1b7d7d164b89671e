/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rehearsal: a policy that would keep the agent from working must be found out before it is confirmed, by name of what the
 * agent could not do; and one that does not must not be blamed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "child.h"
#include "probe_cgroup.h"
#include "rehearsal.h"
#include "rehearsal_steps.h"
#include "seccomp_deny.h"
#include "util.h"

#define S 1000000000LL

/* ---- the child: this program again ---- */

/* LSM_TEST_REHEARSAL: what is wrong with it. */
static int rehearsal_role(void) {
        struct rehearsal_progress progress = {.step = 1};
        const char *how = getenv("LSM_TEST_REHEARSAL");

        if (seccomp_deny_from_environment() < 0)
                return 99;
        if (!how)
                return rehearsal_main(CHILD_SOCK);
        if (streq(how, "hangs"))
                return pause();
        if (streq(how, "skips"))
                msg_send(CHILD_SOCK, &progress, sizeof(progress), NULL, 0);
        if (streq(how, "stammers"))
                msg_send(CHILD_SOCK, &progress, 1, NULL, 0);
        return 0;
}

/* ---- helpers ---- */

/* Directories of the agent's own; cgroup and bpffs only where this machine lets us. */
struct place {
        char dir[64], state[80], run[80], bpffs[80], config[80], notify[80], cgroup[PATH_MAX];
        bool has_cgroup;
        int notify_fd;
};

static int place_setup(void **state) {
        struct place *p = calloc(1, sizeof(*p));
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        char own[PATH_MAX];

        if (!p)
                return -1;
        strcpy(p->dir, "/tmp/test_rehearsal.XXXXXX");
        if (!mkdtemp(p->dir))
                return -1;
        snprintf(p->state, sizeof(p->state), "%s/state", p->dir);
        snprintf(p->run, sizeof(p->run), "%s/run", p->dir);
        snprintf(p->bpffs, sizeof(p->bpffs), "%s/bpffs", p->dir);
        snprintf(p->config, sizeof(p->config), "%s/config", p->dir);
        snprintf(p->notify, sizeof(p->notify), "%s/notify", p->dir);
        if (mkdir(p->state, 0700) < 0 || mkdir(p->run, 0700) < 0 || mkdir(p->bpffs, 0700) < 0)
                return -1;
        close(open(p->config, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        strcpy(addr.sun_path, p->notify);
        p->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (p->notify_fd < 0 || bind(p->notify_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
                return -1;
        /* Else something that looks like it: the step makes and removes a directory. */
        snprintf(p->cgroup, sizeof(p->cgroup), "%s/cgroup", p->dir);
        if (cgroup_own(own, NULL) == 0) {
                snprintf(p->cgroup, sizeof(p->cgroup), "%.3000s/test-rehearsal-%d", own, getpid());
                p->has_cgroup = mkdir(p->cgroup, 0755) == 0;
        }
        if (!p->has_cgroup) {
                snprintf(p->cgroup, sizeof(p->cgroup), "%s/cgroup", p->dir);
                if (mkdir(p->cgroup, 0755) < 0)
                        return -1;
        }
        *state = p;
        return 0;
}

/* Fails where the rehearsal has left something. */
static int place_teardown(void **state) {
        cleanup_free struct place *p = *state;

        close(p->notify_fd);
        if (unlink(p->config) < 0 || unlink(p->notify) < 0 || rmdir(p->state) < 0 || rmdir(p->run) < 0 || rmdir(p->bpffs) < 0 ||
            rmdir(p->cgroup) < 0)
                return -1;
        return rmdir(p->dir);
}

static int rehearse(const struct place *p, const char *bpffs, int64_t seconds, struct err *err) {
        struct rehearsal_spec spec = {
                .state_dir = p->state,
                .run_dir = p->run,
                .bpffs_dir = bpffs,
                .cgroup_dir = p->cgroup,
                .config_file = p->config,
                .notify_socket = p->notify,
        };

        return rehearsal_run(&spec, &waiter_plain, monotonic_ns() + seconds * S, err);
}

static void fails_at(const struct place *p, const char *variable, const char *value, int64_t seconds, const char *step,
                     const char *how) {
        char words[128];
        struct err err = {};
        int r;

        assert_int_equal(setenv(variable, value, 1), 0);
        r = rehearse(p, NULL, seconds, &err);
        assert_int_equal(unsetenv(variable), 0);
        snprintf(words, sizeof(words), "the agent itself could not '%s' under the new policy: %s", step, how);
        if (r != -EBADE || err.reason != REASON_HEALTH_FAILED || !streq(err.msg, words))
                fail_msg("%s=%s: %d [%s] %s; expected %s", variable, value, r, reason_word(err.reason), err.msg, words);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* ---- the tests ---- */

static void all_works_without_a_policy(void **state) {
        struct err err = {};

        if (rehearse(*state, NULL, 30, &err) != 0)
                fail_msg("%s", err.msg);
        if (rehearse(*state, NULL, 30, &err) != 0) /* and again: nothing is in the way */
                fail_msg("%s", err.msg);
}

static void each_denial_is_named(void **state) {
        static const struct {
                const char *deny, *step;
        } cases[] = {
                {"capset", "take its own name and capabilities"},
                {"openat", "write a file in its state directory"},
                {"write", "write a file in its state directory"},
                {"fsync", "write a file in its state directory"},
                {"rename", "rename its journal"},
                {"read", "read its state"},
                {"msync", "map its journal"},
                {"mmap,1=1048576", "map memory"},
                {"memfd_create", "seal a memory file"},
                {"clock_nanosleep", "sleep"},
                {"epoll_create1", "wait for events"},
                {"epoll_ctl", "wait for events"},
                {"clone3", "start a child"},
                {"execve", "start a child"},
                {"pidfd_send_signal", "end a child"},
                {"bind", "answer on its control socket"},
                {"accept4", "answer on its control socket"},
                {"connect", "answer on its control socket"},
                {"mkdir", "make a cgroup"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                fails_at(*state, "LSM_TEST_DENY", cases[i].deny, 30, cases[i].step, "EACCES");
}

/* unlink is clearing up, too: here something is left, and the next rehearsal must cope with it. */
static void leftovers_are_in_nobodys_way(void **state) {
        const struct place *p = *state;
        char path[PATH_MAX];
        struct err err = {};

        fails_at(p, "LSM_TEST_DENY", "unlink", 30, "remove a file of its state", "EACCES");
        snprintf(path, sizeof(path), "%s/rehearsal", p->state);
        assert_int_equal(access(path, F_OK), 0);
        if (rehearse(p, NULL, 30, &err) != 0)
                fail_msg("%s", err.msg);
}

static void steps_that_need_root(void **state) {
        if (geteuid() != 0)
                skip();
        fails_at(*state, "LSM_TEST_DENY", "setresuid", 30, "give a child another user", "EACCES");
        fails_at(*state, "LSM_TEST_DENY", "setgroups", 30, "give a child another user", "EACCES");
}

static void a_missing_configuration_is_named(void **state) {
        struct place p = *(struct place *)*state;
        struct err err = {};

        strcpy(p.config, "/absent");
        assert_int_equal(rehearse(&p, NULL, 30, &err), -EBADE);
        assert_string_equal(err.msg, "the agent itself could not 'read its configuration' under the new policy: ENOENT");
        p = *(struct place *)*state;
        strcpy(p.notify, "/absent");
        assert_int_equal(rehearse(&p, NULL, 30, &err), -EBADE);
        assert_string_equal(err.msg, "the agent itself could not 'reach the service manager' under the new policy: ENOENT");
}

static void a_child_that_is_lost_is_a_failure(void **state) {
        fails_at(*state, "LSM_TEST_REHEARSAL", "hangs", 1, "take its own name and capabilities", "no answer in time");
        fails_at(*state, "LSM_TEST_REHEARSAL", "ends", 20, "take its own name and capabilities", "its process ended");
        fails_at(*state, "LSM_TEST_REHEARSAL", "skips", 20, "take its own name and capabilities", "its answer makes no sense");
        fails_at(*state, "LSM_TEST_REHEARSAL", "stammers", 20, "take its own name and capabilities", "its answer makes no sense");
        /* It cannot say what it was denied, and not even whether. */
        fails_at(*state, "LSM_TEST_DENY", "sendmsg", 20, "take its own name and capabilities", "its process ended");
        fails_at(*state, "LSM_TEST_DENY", "recvmsg", 20, "take its own name and capabilities", "its process ended");
}

static void a_denied_exec_is_a_failure(void **state) {
        struct err err = {};
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (seccomp_deny(SCMP_SYS(execve), EACCES) < 0 || rehearse(*state, NULL, 30, &err) != -EBADE)
                        _exit(2);
                _exit(err.reason == REASON_HEALTH_FAILED && strstr(err.msg, "'execute a program'") ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int wait_canceled(struct waiter *w, int fd, int64_t deadline_ns) {
        return -ECANCELED;
}

static void the_agents_own_trouble_is_no_failure(void **state) {
        struct rehearsal_spec spec = {.state_dir = ((struct place *)*state)->state};
        struct waiter stopping = {.wait = wait_canceled};
        struct err err = {};

        assert_int_equal(rehearsal_run(&spec, &stopping, monotonic_ns() + 20 * S, &err), -ECANCELED);
        assert_int_equal(err.reason, REASON_NONE);
        spec.exe = "/absent";
        assert_int_equal(rehearsal_run(&spec, &waiter_plain, monotonic_ns() + 20 * S, &err), -ENOENT);
        assert_int_equal(err.reason, REASON_NONE);
}

/* Policies go by comm, and executing changes it: the child must be taken for the supervisor. */
static void the_child_has_the_supervisors_comm_and_capabilities(void **state) {
        struct rehearsal_order order = {.comm = "supervisor"};
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
                struct __user_cap_data_struct caps[2];
                char comm[16];

                if (rehearsal_step_perform(0, &order) < 0 || prctl(PR_GET_NAME, comm, 0, 0, 0) < 0 || !streq(comm, "supervisor"))
                        _exit(1);
                if (syscall(SYS_capget, &header, caps) < 0 || caps[0].permitted || caps[1].permitted)
                        _exit(2);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* In a mount namespace of its own: there the bpffs is this test's. 77: this machine does not let us. */
static int rehearse_with_bpffs(const struct place *p) {
        struct err err = {};

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("bpf", p->bpffs, "bpf", 0, NULL) < 0)
                return 77;
        if (rehearse(p, p->bpffs, 30, &err) == 0)
                return 0;
        if (strstr(err.msg, "EPERM"))
                return 77; /* maps cannot be made here at all */
        print_error("%s\n", err.msg);
        return 1;
}

static void a_map_is_pinned_and_opened(void **state) {
        const struct place *p = *state;
        struct err err = {};
        int status;
        pid_t pid;

        /* Not a bpffs: the step must notice. */
        if (rehearse(p, p->bpffs, 30, &err) == 0)
                fail_msg("pinned where there is no bpffs");
        assert_non_null(strstr(err.msg, "'pin a map and open it again'"));

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(rehearse_with_bpffs(p));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(status, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                test(all_works_without_a_policy),
                test(each_denial_is_named),
                test(leftovers_are_in_nobodys_way),
                test(steps_that_need_root),
                test(a_missing_configuration_is_named),
                test(a_child_that_is_lost_is_a_failure),
                test(a_denied_exec_is_a_failure),
                test(the_agents_own_trouble_is_no_failure),
                test(the_child_has_the_supervisors_comm_and_capabilities),
                test(a_map_is_pinned_and_opened),
        };

        if (argc > 1 && streq(argv[1], "@rehearsal"))
                return rehearsal_role();
        if (argc > 1 && streq(argv[1], "@true"))
                return true_main();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
