/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor: a node that cannot enforce must not pass for one that can, and what is said must lead to the remedy. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cmocka.h>
#include <zlib.h>

#include "doctor.h"
#include "fileio.h"
#include "folder.h"
#include "node_id.h"

/* A machine: the files that the checks read, below a directory. */
struct machine {
        char root[64];
        struct config config;
        struct doctor d;
};

static void machine_init(struct machine *m) {
        struct err err = {0};

        *m = (struct machine){.d.root = m->root, .d.config = &m->config};
        snprintf(m->root, sizeof(m->root), "/tmp/test_doctor.XXXXXX");
        assert_non_null(mkdtemp(m->root));
        if (config_defaults(&m->config, &err) < 0)
                fail_msg("%s", err.msg);
}

static void machine_done(struct machine *m) {
        cleanup_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        doctor_done(&m->d);
        config_done(&m->config);
        assert_int_equal(folder_remove(tmp, m->root + strlen("/tmp/"), NULL), 0);
}

static void path_make(const struct machine *m, const char *name, char ret[static 256]) {
        snprintf(ret, 256, "%s%s", m->root, name);
        for (char *p = strchr(ret + strlen(m->root) + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                mkdir(ret, 0755);
                *p = '/';
        }
}

static void put(const struct machine *m, const char *name, const char *text) {
        char path[256];
        FILE *f;

        path_make(m, name, path);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static void put_link(const struct machine *m, const char *name, const char *text) {
        char path[256];

        path_make(m, name, path);
        unlink(path);
        assert_int_equal(symlink(text, path), 0);
}

/* The findings of one check anew: the result of the one that is asked for, its text in *found. */
static enum finding_result found(struct machine *m, void (*check)(struct doctor *), const char *name, const char **text) {
        doctor_done(&m->d);
        check(&m->d);
        for (size_t i = 0; i < m->d.n; i++) {
                const struct finding *f = &m->d.findings[i];

                if (!streq(f->check, name))
                        continue;
                if (f->result == FINDING_FAIL && !f->remedy)
                        fail_msg("%s fails without a remedy: %s", name, f->found);
                if (text)
                        *text = f->result == FINDING_OK ? f->found : f->remedy;
                return f->result;
        }
        fail_msg("there is no finding '%s'", name);
        return FINDING_FAIL;
}

static void assert_found(struct machine *m, void (*check)(struct doctor *), const char *name, enum finding_result want,
                         const char *containing) {
        const char *text = NULL;

        assert_int_equal(found(m, check, name, &text), want);
        if (containing && (!text || !strstr(text, containing)))
                fail_msg("%s: '%s' does not say '%s'", name, text ? text : "", containing);
}

/* ---- texts --------------------------------------------------------------------------------------------------------- */

static void test_lists(void **state) {
        char wanted[64];

        assert_true(list_has("lockdown,capability,bpf", "bpf"));
        assert_true(list_has("bpf,yama", "bpf"));
        assert_true(list_has("bpf", "bpf"));
        assert_false(list_has("", "bpf"));
        assert_false(list_has("bpfilter,xbpf", "bpf"));
        assert_false(list_has("capability,bpf2", "bpf"));
        lsm_list_with_bpf("lockdown,capability,landlock,yama,ima,evm", wanted, sizeof(wanted));
        assert_string_equal(wanted, "lockdown,landlock,yama,bpf");
        lsm_list_with_bpf("capability", wanted, sizeof(wanted));
        assert_string_equal(wanted, "bpf");
        lsm_list_with_bpf("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,aa,bb,cc,dd,ee,ff", wanted, sizeof(wanted));
        assert_true(strlen(wanted) < sizeof(wanted));
}

static void test_kernel_options(void **state) {
        static const char text[] =
                "# CONFIG_A is not set\nCONFIG_BPF_LSM=y\nCONFIG_BPF_LSM_EXTRA=m\nCONFIG_MOD=m\nCONFIG_STR=\"y\"\n"
                "X_CONFIG_TRICK=y\n";

        assert_int_equal(kernel_option(text, "CONFIG_BPF_LSM"), 'y');
        assert_int_equal(kernel_option(text, "CONFIG_MOD"), 'm');
        assert_int_equal(kernel_option(text, "CONFIG_A"), 'n');
        assert_int_equal(kernel_option(text, "CONFIG_STR"), 'n');
        assert_int_equal(kernel_option(text, "CONFIG_BPF"), 'n');
        assert_int_equal(kernel_option(text, "CONFIG_TRICK"), 'n');
        assert_int_equal(kernel_option("", "CONFIG_BPF_LSM"), 'n');
}

/* ---- the kernel ---------------------------------------------------------------------------------------------------- */

static void test_lsm(void **state) {
        struct machine m;

        machine_init(&m);
        put(&m, "/sys/kernel/security/lsm", "lockdown,capability,yama,bpf");
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_OK, "active");
        assert_found(&m, check_lsm, "active-lsms", FINDING_OK, "yama");
        put(&m, "/sys/kernel/security/lsm", "lockdown,capability,yama");
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "lsm=lockdown,yama,bpf");
        machine_done(&m);
}

/* The same list, and two different remedies. */
static void test_lsm_not_built_in(void **state) {
        char name[512];
        struct utsname u;
        struct machine m;

        machine_init(&m);
        assert_int_equal(uname(&u), 0);
        put(&m, "/sys/kernel/security/lsm", "capability,yama");
        snprintf(name, sizeof(name), "/boot/config-%s", u.release);
        put(&m, name, "CONFIG_BPF_LSM=y\n");
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "lsm=yama,bpf");
        put(&m, name, "# CONFIG_BPF_LSM is not set\n");
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "boot a kernel with CONFIG_BPF_LSM=y");
        machine_done(&m);
}

static void test_config_gz(void **state) {
        struct machine m;
        char path[256];
        gzFile f;

        machine_init(&m);
        put(&m, "/sys/kernel/security/lsm", "capability");
        path_make(&m, "/proc/config.gz", path);
        f = gzopen(path, "wb");
        assert_non_null(f);
        gzputs(f, "CONFIG_NET=y\n# CONFIG_BPF_LSM is not set\n");
        gzclose(f);
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "boot a kernel");
        put(&m, "/proc/config.gz", "\037\213 not really");
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "lsm=bpf"); /* not known, then */
        machine_done(&m);
}

/* Whether bpf is active cannot be seen: that is no "yes". */
static void test_lsm_unseen(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_lsm, "bpf-lsm", FINDING_FAIL, "mount -t securityfs");
        machine_done(&m);
}

static void test_switches(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_btf, "btf", FINDING_FAIL, "CONFIG_DEBUG_INFO_BTF");
        put(&m, "/sys/kernel/btf/vmlinux", "x");
        assert_found(&m, check_btf, "btf", FINDING_OK, NULL);

        assert_found(&m, check_jit, "jit", FINDING_WARN, "as root");
        put(&m, "/proc/sys/net/core/bpf_jit_enable", "0\n");
        assert_found(&m, check_jit, "jit", FINDING_FAIL, "bpf_jit_enable=1");
        put(&m, "/proc/sys/net/core/bpf_jit_enable", "2\n");
        assert_found(&m, check_jit, "jit", FINDING_WARN, "bpf_jit_enable=1");
        put(&m, "/proc/sys/net/core/bpf_jit_enable", "1\n");
        assert_found(&m, check_jit, "jit", FINDING_OK, "on");
        put(&m, "/proc/sys/net/core/bpf_jit_enable", "on\n");
        assert_found(&m, check_jit, "jit", FINDING_WARN, NULL);

        assert_found(&m, check_lockdown, "lockdown", FINDING_OK, NULL);
        put(&m, "/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        assert_found(&m, check_lockdown, "lockdown", FINDING_OK, "none");
        put(&m, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        assert_found(&m, check_lockdown, "lockdown", FINDING_OK, "integrity");
        put(&m, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
        assert_found(&m, check_lockdown, "lockdown", FINDING_FAIL, "lockdown=integrity");

        put(&m, "/proc/sys/kernel/unprivileged_bpf_disabled", "0\n");
        assert_found(&m, check_unprivileged_bpf, "unprivileged-bpf", FINDING_WARN, "unprivileged_bpf_disabled=1");
        put(&m, "/proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
        assert_found(&m, check_unprivileged_bpf, "unprivileged-bpf", FINDING_OK, NULL);

        assert_found(&m, check_kernel_symbols, "kernel-symbols", FINDING_WARN, "CAP_SYSLOG");
        put(&m, "/proc/kallsyms", "0000000000000000 D rename_lock\n0000000000000000 D mount_lock\n");
        put(&m, "/proc/sys/kernel/kptr_restrict", "2\n");
        assert_found(&m, check_kernel_symbols, "kernel-symbols", FINDING_WARN, "kernel.kptr_restrict=1");
        put(&m, "/proc/sys/kernel/kptr_restrict", "1\n");
        assert_found(&m, check_kernel_symbols, "kernel-symbols", FINDING_WARN, "CAP_SYSLOG");
        put(&m, "/proc/kallsyms", "ffffffff82a07a80 D rename_lock\nffffffff82a06a40 D mount_lock\n");
        assert_found(&m, check_kernel_symbols, "kernel-symbols", FINDING_OK, NULL);
        machine_done(&m);
}

static void test_mode(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_mode, "mode", FINDING_WARN, "mount");
        put(&m, "/proc/cmdline", "root=/dev/vda ro quiet\n");
        assert_found(&m, check_mode, "mode", FINDING_OK, "enforce");
        put(&m, "/proc/cmdline", "root=/dev/vda lsmpull.mode=audit\n");
        assert_found(&m, check_mode, "mode", FINDING_WARN, "boot without");
        put(&m, "/proc/cmdline", "lsmpull.mode=off quiet\n");
        assert_found(&m, check_mode, "mode", FINDING_FAIL, "boot without");
        put(&m, "/proc/cmdline", "quiet\n");
        m.config.mode = MODE_AUDIT;
        assert_found(&m, check_mode, "mode", FINDING_WARN, "configuration");
        machine_done(&m);
}

/* ---- the process --------------------------------------------------------------------------------------------------- */

static void test_capabilities(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_capabilities, "capabilities", FINDING_FAIL, "proc");
        put(&m, "/proc/self/status",
            "Name:\tx\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n");
        assert_found(&m, check_capabilities, "capabilities", FINDING_OK, NULL);
        /* all but CAP_BPF, which is 39 */
        put(&m, "/proc/self/status", "Name:\tx\nCapEff:\t0000017fffffffff\n");
        assert_found(&m, check_capabilities, "capabilities", FINDING_FAIL, "root");
        assert_string_equal(m.d.findings[0].found, "without CAP_BPF");
        put(&m, "/proc/self/status", "Name:\tCapEff:\t000001ffffffffff\nCapEff:\t0000000000000000\n");
        assert_found(&m, check_capabilities, "capabilities", FINDING_FAIL, "root");
        machine_done(&m);
}

static void test_namespaces(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_namespaces, "namespaces", FINDING_FAIL, "PID namespace");
        put_link(&m, "/proc/self/ns/pid", "pid:[4026531836]");
        put_link(&m, "/proc/self/ns/user", "user:[4026531837]");
        assert_found(&m, check_namespaces, "namespaces", FINDING_OK, NULL);
        put_link(&m, "/proc/self/ns/user", "user:[4026532000]");
        assert_found(&m, check_namespaces, "namespaces", FINDING_FAIL, "node itself");
        put_link(&m, "/proc/self/ns/pid", "pid:[4026532001]");
        assert_found(&m, check_namespaces, "namespaces", FINDING_FAIL, "PID namespace");
        machine_done(&m);
}

static void test_user_namespaces(void **state) {
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_user_namespaces, "user-namespaces", FINDING_WARN, "CONFIG_USER_NS");
        put(&m, "/proc/sys/user/max_user_namespaces", "0\n");
        assert_found(&m, check_user_namespaces, "user-namespaces", FINDING_WARN, "max_user_namespaces");
        put(&m, "/proc/sys/user/max_user_namespaces", "7\n");
        assert_found(&m, check_user_namespaces, "user-namespaces", FINDING_OK, "7");
        put(&m, "/proc/sys/kernel/unprivileged_userns_clone", "0\n");
        assert_found(&m, check_user_namespaces, "user-namespaces", FINDING_OK, "root alone");
        machine_done(&m);
}

/* ---- file systems -------------------------------------------------------------------------------------------------- */

static void set(char **place, const char *dir, const char *name) {
        free(*place);
        if (asprintf(place, "%s%s", dir, name) < 0)
                abort();
}

static void test_bpffs(void **state) {
        struct machine m;

        machine_init(&m);
        set(&m.config.bpffs_dir, m.root, "");
        assert_found(&m, check_bpffs, "bpffs", FINDING_FAIL, "mount -t bpf bpf /tmp/test_doctor.");
        set(&m.config.bpffs_dir, m.root, "/nothing");
        assert_found(&m, check_bpffs, "bpffs", FINDING_FAIL, "mount -t bpf bpf /tmp/test_doctor.");
        machine_done(&m);
}

static void test_cgroup(void **state) {
        struct machine m;

        machine_init(&m);
        set(&m.config.cgroup_dir, m.root, "");
        assert_found(&m, check_cgroup, "cgroup", FINDING_FAIL, "cgroup2");
        set(&m.config.cgroup_dir, m.root, "/nothing");
        assert_found(&m, check_cgroup, "cgroup", FINDING_FAIL, NULL);
        machine_done(&m);
}

static void test_state(void **state) {
        struct machine m;

        machine_init(&m);
        m.config.limits.max_content = 1;
        set(&m.config.state_dir, m.root, "/state");
        assert_found(&m, check_state, "state", FINDING_OK, "not made yet");
        assert_int_equal(mkdir(m.config.state_dir, 0700), 0);
        assert_found(&m, check_state, "state", FINDING_OK, "free");
        assert_int_equal(chmod(m.config.state_dir, 0770), 0);
        assert_found(&m, check_state, "state", FINDING_FAIL, "chmod 0700");
        assert_int_equal(chmod(m.config.state_dir, 0700), 0);
        m.config.limits.max_content = UINT64_MAX / 4;
        assert_found(&m, check_state, "state", FINDING_WARN, "make room");
        set(&m.config.state_dir, m.root, "/file");
        put(&m, "/file", "");
        assert_found(&m, check_state, "state", FINDING_FAIL, "--state");
        set(&m.config.state_dir, m.root, "/no/such");
        assert_found(&m, check_state, "state", FINDING_FAIL, "make the directory");
        machine_done(&m);
}

static void test_users(void **state) {
        struct machine m;

        machine_init(&m);
        set(&m.config.fetcher_user, "nobody", "");
        set(&m.config.loader_user, "nobody", "");
        set(&m.config.reporter_user, "nobody", "");
        assert_found(&m, check_users, "users", FINDING_OK, NULL);
        set(&m.config.reporter_user, "no-such-user-here", "");
        assert_found(&m, check_users, "users", FINDING_WARN, "useradd --system --no-create-home no-such-user-here");
        machine_done(&m);
}

/* ---- the verdict --------------------------------------------------------------------------------------------------- */

static void backdate(const struct machine *m, const char *name, int days) {
        struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1800000000 - days * 86400}};
        char path[256];

        path_make(m, name, path);
        assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void test_node_id(void **state) {
        static const char *const bad[] = {"",
                                          "\n",
                                          "uninitialized\n",
                                          "short\n",
                                          "0123456789abcdef0123456789abcdeF\n",
                                          "0123456789abcdef0123456789abcdef0\n",
                                          "0123456789abcdef0123456789abcdef x\n",
                                          "00000000000000000000000000000000\n",
                                          "ffffffffffffffffffffffffffffffff"};
        char id[129], again[129];
        struct err err = {0};
        struct machine m;

        machine_init(&m);
        assert_found(&m, check_node_id, "node-id", FINDING_WARN, "systemd-machine-id-setup");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                put(&m, "/etc/machine-id", bad[i]);
                assert_non_null(machine_id_fault(bad[i]));
                assert_found(&m, check_node_id, "node-id", FINDING_WARN, "node-id in the configuration");
        }
        put(&m, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        assert_found(&m, check_node_id, "node-id", FINDING_OK, "made from");
        /* an image's id, and keys made when the clone first booted */
        put(&m, "/etc/ssh/ssh_host_ed25519_key", "");
        backdate(&m, "/etc/machine-id", 9);
        backdate(&m, "/etc/ssh/ssh_host_ed25519_key", 2);
        assert_found(&m, check_node_id, "node-id", FINDING_WARN, "template");
        backdate(&m, "/etc/machine-id", 2);
        assert_found(&m, check_node_id, "node-id", FINDING_OK, "made from");
        m.config.node_id = strdup("web-17");
        assert_found(&m, check_node_id, "node-id", FINDING_OK, "'web-17'");
        assert_int_equal(node_id_get(&m.config, id, &err), 0);
        assert_string_equal(id, "web-17");
        free(m.config.node_id);
        m.config.node_id = NULL;
        /* of the machine that runs this, if it has one: the same each time, and not the machine's own */
        if (node_id_get(&m.config, id, &err) >= 0) {
                assert_int_equal(node_id_get(&m.config, again, &err), 0);
                assert_string_equal(id, again);
                assert_int_equal(strlen(id), 32);
        } else {
                assert_int_equal(err.reason, REASON_CONFIG);
        }
        machine_done(&m);
}

static void test_verdict(void **state) {
        struct doctor d = {.root = ""};

        assert_false(doctor_can_enforce(&d)); /* nothing looked at is no clean bill of health */
        doctor_found(&d, "a", FINDING_OK, NULL, "fine");
        assert_true(doctor_can_enforce(&d));
        doctor_found(&d, "b", FINDING_WARN, "do", "weak");
        assert_true(doctor_can_enforce(&d));
        doctor_found(&d, "c", FINDING_FAIL, "do more", "broken %d", 7);
        assert_false(doctor_can_enforce(&d));
        doctor_done(&d);
}

static void test_json(void **state) {
        cleanup_free char *text = NULL;
        cleanup_json json_t *o = NULL;
        struct doctor d = {.root = ""};

        doctor_found(&d, "a", FINDING_OK, NULL, "fine");
        doctor_found(&d, "b", FINDING_FAIL, "do \"it\"", "broken");
        o = doctor_json(&d);
        assert_non_null(o);
        text = json_dumps(o, JSON_COMPACT);
        assert_string_equal(text,
                            "{\"v\":1,\"can_enforce\":false,\"findings\":[{\"check\":\"a\",\"result\":\"ok\",\"found\":\"fine\"},"
                            "{\"check\":\"b\",\"result\":\"fail\",\"found\":\"broken\",\"remedy\":\"do \\\"it\\\"\"}]}");
        doctor_done(&d);
}

static void assert_printed(const struct doctor *d, bool utf8, bool colour, const char *want) {
        char *text = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);

        doctor_print(d, f, utf8, colour);
        fclose(f);
        assert_string_equal(text, want);
        free(text);
}

static void test_printed(void **state) {
        struct doctor d = {.root = ""};

        doctor_found(&d, "a", FINDING_OK, NULL, "fine");
        doctor_found(&d, "b", FINDING_WARN, "do", "weak");
        assert_printed(&d, false, false,
                       "+ a                  fine\n! b                  weak\n                     -> do\n\n"
                       "This node can enforce. Warnings: 1.\n");
        doctor_found(&d, "c", FINDING_FAIL, "more", "broken");
        assert_printed(&d, true, false,
                       "\342\234\223 a                  fine\n! b                  weak\n                     \342\206\222 do\n"
                       "\342\234\227 c                  broken\n                     \342\206\222 more\n\n"
                       "This node cannot enforce: 1 of 3 checks failed. Warnings: 1.\n");
        doctor_done(&d);
        doctor_found(&d, "c", FINDING_FAIL, NULL, "broken");
        assert_printed(&d, false, true,
                       "\033[31mx\033[0m c                  broken\n\nThis node cannot enforce: 1 of 1 checks failed.\n");
        doctor_done(&d);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_kernel_options),
                cmocka_unit_test(test_lsm),
                cmocka_unit_test(test_lsm_not_built_in),
                cmocka_unit_test(test_config_gz),
                cmocka_unit_test(test_lsm_unseen),
                cmocka_unit_test(test_switches),
                cmocka_unit_test(test_mode),
                cmocka_unit_test(test_capabilities),
                cmocka_unit_test(test_namespaces),
                cmocka_unit_test(test_user_namespaces),
                cmocka_unit_test(test_bpffs),
                cmocka_unit_test(test_cgroup),
                cmocka_unit_test(test_state),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_node_id),
                cmocka_unit_test(test_verdict),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_printed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
