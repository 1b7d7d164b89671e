/* SPDX-License-Identifier: Apache-2.0 */
/* The tables are asked as the engine asks them: which rule decides? */
#include <netinet/in.h>
#include <sys/socket.h>

#include "rules_engine.h"

#define DECIDES(w, id, ...) assert_string_equal(decider(&w, &(struct question){__VA_ARGS__}), id)

/* ---- which rule decides --------------------------------------------------------------------------------------------- */

static void test_most_specific_path(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: etc, on: file.read, path: /etc/, action: deny}\n"
                 "  - {id: ssh, on: file.read, path: /etc/ssh/, action: allow}\n"
                 "  - {id: keys, on: file.read, path: '/etc/ssh/*_key', action: deny}\n"
                 "  - {id: one, on: file.read, path: /etc/ssh/host_key, action: allow}\n"
                 "  - {id: tails, on: file.read, path: '/etc/**/*.pub', action: audit}\n");

        DECIDES(w, "a/etc", .path = "/etc");
        DECIDES(w, "a/etc", .path = "/etc/passwd");
        DECIDES(w, "a/ssh", .path = "/etc/ssh");
        DECIDES(w, "a/ssh", .path = "/etc/ssh/config");
        DECIDES(w, "a/keys", .path = "/etc/ssh/rsa_key");
        DECIDES(w, "a/one", .path = "/etc/ssh/host_key");
        /* "/etc/" is longer than "/etc". */
        DECIDES(w, "a/tails", .path = "/etc/x.pub");
        DECIDES(w, "a/ssh", .path = "/etc/ssh/x.pub");
        DECIDES(w, "", .path = "/etcetera");
        DECIDES(w, "", .path = "/etc/ssh", .op = LSM_OP_FILE_WRITE);
}

static void test_same_path(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: ok, on: [file.read, file.write], path: /x, action: allow}\n"
                 "  - {id: seen, on: [file.read], uid: [1, 2], path: /x, action: audit}\n"
                 "  - {id: no, on: file.read, path: /x, uid: 1, action: deny}\n"
                 "  - {id: no-2, on: file.read, path: /x, gid: 7, action: kill}\n");

        DECIDES(w, "a/no", .path = "/x", .uid = 1);
        DECIDES(w, "a/no", .path = "/x", .uid = 1, .gid = 7);
        DECIDES(w, "a/no-2", .path = "/x", .uid = 2, .gid = 7);
        DECIDES(w, "a/seen", .path = "/x", .uid = 2);
        DECIDES(w, "a/ok", .path = "/x", .uid = 3);
        DECIDES(w, "a/ok", .path = "/x", .uid = 1, .op = LSM_OP_FILE_WRITE);
}

static void test_policies_are_independent(void **state) {
        WORLD(w, "rules: [{id: no, on: file.read, path: /data/, action: deny}]",
              "rules: [{id: ok, on: file.read, path: /data/x, action: allow}]");
        const struct lsm_rules_set *sets = (const struct lsm_rules_set *)w.t.sets.data;

        DECIDES(w, "a/no", .path = "/data/x", .ruleset = 0);
        DECIDES(w, "b/ok", .path = "/data/x", .ruleset = 1);
        DECIDES(w, "a/no", .path = "/data/y", .ruleset = 0);
        DECIDES(w, "", .path = "/data/y", .ruleset = 1);
        assert_int_equal(w.t.sets.len, 2 * sizeof(*sets));
        assert_int_equal(sets[0].mode, 0);
        assert_int_equal(sets[1].mode, 1);
}

static void test_default_is_last(void **state) {
        WORLD(w, "default: {file.read: deny, exec: deny, capability: deny, file.write: allow}\n"
                 "rules:\n"
                 "  - {id: mine, on: file.read, owner: true, action: allow}\n"
                 "  - {id: bin, on: [exec, file.read], path: /usr/bin/, action: allow}\n"
                 "  - {id: not-this, on: exec, path: /usr/bin/nc, action: deny}\n"
                 "  - {id: net, on: capability, cap: [CAP_NET_ADMIN, 13], action: allow}\n");

        DECIDES(w, "a/default", .path = "/etc/passwd");
        DECIDES(w, "a/default", .path = NULL);
        DECIDES(w, "a/mine", .path = "/etc/passwd", .is_owner = true);
        DECIDES(w, "a/bin", .path = "/usr/bin/nc", .is_owner = true);
        DECIDES(w, "a/not-this", .path = "/usr/bin/nc", .op = LSM_OP_EXEC);
        DECIDES(w, "a/not-this", .path = "/usr/bin/nc", .op = LSM_OP_FILE_EXEC);
        DECIDES(w, "a/bin", .path = "/usr/bin/ls", .op = LSM_OP_EXEC);
        DECIDES(w, "a/default", .path = "/opt/x", .op = LSM_OP_EXEC);
        DECIDES(w, "", .path = "/opt/x", .op = LSM_OP_FILE_WRITE);
        DECIDES(w, "a/net", .op = LSM_OP_CAPABILITY, .value = 12);
        DECIDES(w, "a/net", .op = LSM_OP_CAPABILITY, .value = 13);
        DECIDES(w, "a/default", .op = LSM_OP_CAPABILITY, .value = 14);
}

/* ---- whom it is about ----------------------------------------------------------------------------------------------- */

static void test_programs_are_classes(void **state) {
        WORLD(w,
              "rules:\n"
              "  - {id: sh, on: file.read, path: /secret, unless: {exe: [/usr/bin/passwd, /opt/tool/, '/home/*/ok']}, action: deny}\n"
              "  - {id: child, on: file.write, path: /secret, exe: /secret, parent: /usr/sbin/, action: deny}\n");

        DECIDES(w, "a/sh", .path = "/secret", .exe = "/usr/bin/cat");
        DECIDES(w, "a/sh", .path = "/secret", .exe = NULL);
        DECIDES(w, "", .path = "/secret", .exe = "/usr/bin/passwd");
        DECIDES(w, "", .path = "/secret", .exe = "/opt/tool/bin/x");
        DECIDES(w, "", .path = "/secret", .exe = "/home/me/ok");
        DECIDES(w, "a/sh", .path = "/secret", .exe = "/home/me/too/ok");
        DECIDES(w, "a/sh", .path = "/secret", .exe = "/opt/toolx");
        /* One path is an object here and a program there. */
        DECIDES(w, "a/child", .path = "/secret", .exe = "/secret", .parent = "/usr/sbin/cron", .op = LSM_OP_FILE_WRITE);
        DECIDES(w, "", .path = "/secret", .exe = "/secret", .parent = "/usr/bin/cron", .op = LSM_OP_FILE_WRITE);
        DECIDES(w, "", .path = "/secret", .exe = "/usr/sbin/cron", .parent = "/secret", .op = LSM_OP_FILE_WRITE);
}

static void test_what_is_asked_of_a_task_is_known_by_class(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: a, on: file.read, path: /none, action: deny}\n"
                 "  - {id: b, on: file.read, path: /exe, unless: {exe: /bin/x}, action: deny}\n"
                 "  - {id: c, on: file.read, path: /parent, parent: /bin/x, action: deny}\n"
                 "  - {id: d, on: file.read, path: /host, host: false, action: deny}\n"
                 "  - {id: e, on: file.read, path: /but/host, unless: {host: true}, action: deny}\n");
        const struct lsm_rules_class *classes = (const struct lsm_rules_class *)w.t.classes.data;
        const uint64_t all = LSM_CLASS_EXE | LSM_CLASS_PARENT | LSM_CLASS_HOST;

        assert_int_equal(classes[class_of(&w, "/none", false)].ops & all, 0);
        assert_int_equal(classes[class_of(&w, "/exe", false)].ops & all, LSM_CLASS_EXE);
        assert_int_equal(classes[class_of(&w, "/parent", false)].ops & all, LSM_CLASS_PARENT);
        assert_int_equal(classes[class_of(&w, "/host", false)].ops & all, LSM_CLASS_HOST);
        assert_int_equal(classes[class_of(&w, "/but/host", false)].ops & all, LSM_CLASS_HOST);
}

static void test_selectors_are_and_lists_are_or(void **state) {
        WORLD(w,
              "rules:\n"
              "  - {id: r, on: file.read, path: [/x, /y/], uid: [1, 2], comm: [cat, dog], unless: {gid: [5, 6], comm: dog}, action: deny}\n"
              "  - {id: h, on: file.write, owner: false, action: deny}\n");

        DECIDES(w, "a/r", .path = "/x", .uid = 2, .comm = "cat", .gid = 5);
        DECIDES(w, "a/r", .path = "/y/z", .uid = 1, .comm = "dog", .gid = 7);
        DECIDES(w, "", .path = "/y/z", .uid = 1, .comm = "dog", .gid = 6);
        DECIDES(w, "", .path = "/x", .uid = 3, .comm = "cat");
        DECIDES(w, "", .path = "/x", .uid = 1, .comm = "cats");
        DECIDES(w, "a/h", .path = "/x", .op = LSM_OP_FILE_WRITE);
        DECIDES(w, "", .path = "/x", .op = LSM_OP_FILE_WRITE, .is_owner = true);
}

#define SOCKET(f, t, p) .op = LSM_OP_SOCKET_CREATE, .value = LSM_SOCKET_VALUE(f, t, p)

static void test_sockets(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: raw, on: socket.create, type: raw, action: deny}\n"
                 "  - {id: packet, on: socket.create, family: [packet, 40], action: deny}\n"
                 "  - {id: tcp, on: socket.create, protocol: tcp, uid: 1, action: deny}\n"
                 "  - {id: dgram6, on: socket.create, family: inet6, type: dgram, protocol: [udp, 136], uid: 2, action: deny}\n"
                 "  - {id: any, on: socket.create, uid: 3, action: deny}\n");

        DECIDES(w, "a/raw", SOCKET(AF_INET, SOCK_RAW, 1));
        DECIDES(w, "a/raw", SOCKET(AF_NETLINK, SOCK_RAW, 0));
        DECIDES(w, "a/packet", SOCKET(AF_PACKET, SOCK_DGRAM, 768));
        DECIDES(w, "a/packet", SOCKET(40, SOCK_STREAM, 0));
        DECIDES(w, "", SOCKET(AF_INET, SOCK_STREAM, 0));
        /* Who names no protocol gets the type's own. */
        DECIDES(w, "a/tcp", SOCKET(AF_INET, SOCK_STREAM, 0), .uid = 1);
        DECIDES(w, "a/tcp", SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP), .uid = 1);
        DECIDES(w, "", SOCKET(AF_INET, SOCK_DGRAM, 0), .uid = 1);
        DECIDES(w, "", SOCKET(AF_UNIX, SOCK_STREAM, 0), .uid = 1);
        DECIDES(w, "a/dgram6", SOCKET(AF_INET6, SOCK_DGRAM, 0), .uid = 2);
        DECIDES(w, "a/dgram6", SOCKET(AF_INET6, SOCK_DGRAM, 136), .uid = 2);
        DECIDES(w, "", SOCKET(AF_INET6, SOCK_DGRAM, 58), .uid = 2);
        DECIDES(w, "", SOCKET(AF_INET, SOCK_DGRAM, 0), .uid = 2);
        DECIDES(w, "a/any", SOCKET(AF_UNIX, SOCK_STREAM, 0), .uid = 3);
}

/* ---- what lies below ------------------------------------------------------------------------------------------------ */

static void test_below(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: shadow, on: file.read, path: /etc/shadow, unless: {uid: 0}, action: deny}\n"
                 "  - {id: motd, on: file.read, path: /etc/motd, action: allow}\n"
                 "  - {id: seen, on: file.read, path: /etc/hosts, action: audit}\n"
                 "  - {id: deep, on: file.read, path: /etc/a/b/c/d, uid: 7, action: kill}\n"
                 "  - {id: log, on: file.read, path: /var/log/, action: allow}\n");

        DECIDES(w, "a/shadow", .path = "", .uid = 1, .below = true);
        DECIDES(w, "a/shadow", .path = "/etc", .uid = 1, .below = true);
        DECIDES(w, "", .path = "/etc", .uid = 0, .below = true);
        DECIDES(w, "a/shadow", .path = "/etc/shadow", .uid = 1, .below = true);
        DECIDES(w, "a/deep", .path = "/etc/a/b", .uid = 7, .below = true);
        DECIDES(w, "", .path = "/etc/a/b", .uid = 1, .below = true);
        DECIDES(w, "", .path = "/etc/motd", .uid = 7, .below = true);
        DECIDES(w, "", .path = "/etc/hosts", .uid = 7, .below = true);
        DECIDES(w, "", .path = "/var", .uid = 7, .below = true);
        DECIDES(w, "", .path = "/var/log/x", .uid = 7, .below = true);
        DECIDES(w, "", .path = "/home", .uid = 7, .below = true);
}

/* What cannot be followed is denied by rules that may be about it, but by those that say otherwise; these hold for what is moved. */
static void test_unsure(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: lax, on: file.read, path: '/a/**/*.key', action: deny, on_error: allow}\n"
                 "  - {id: strict, on: file.read, path: '/a/b/**/*.key', action: deny, on_error: deny}\n"
                 "  - {id: either, on: file.read, path: '/c/**/*.key', action: deny, on_error: allow}\n"
                 "  - {id: silent, on: file.read, path: '/c/**/*.key', action: kill}\n");

        DECIDES(w, "a/lax", .path = "/a/x.key");
        DECIDES(w, "a/lax", .path = "/a/d", .below = true);
        DECIDES(w, "", .path = "/a/d", .unsure = true);
        DECIDES(w, "a/strict", .path = "/a/b/d", .unsure = true);
        DECIDES(w, "a/strict", .path = "/a", .unsure = true);
        DECIDES(w, "a/either", .path = "/c/d", .below = true);
        DECIDES(w, "a/silent", .path = "/c/d", .unsure = true);
        DECIDES(w, "", .path = "/d", .unsure = true);
}

static void test_unsure_costs_nothing_unless_asked_for(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: a, on: file.read, path: '/a/**/*.key', action: deny}\n"
                 "  - {id: b, on: file.read, path: '/b/', action: deny}\n");

        assert_int_equal(class_unsure(&w, "/a"), class_of(&w, "/a", true));
        assert_int_equal(class_unsure(&w, "/b"), class_of(&w, "/b", true));
        assert_int_equal(class_unsure(&w, "/"), class_of(&w, "/", true));
}

/* An object is where it is, also where a task may use it by another name: what is allowed there does not take away what is denied. */
static void test_denials_stay_behind_what_is_allowed(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: no, on: file.read, path: /etc/, action: deny}\n"
                 "  - {id: yes, on: file.read, path: /etc/motd, action: allow}\n"
                 "  - {id: yes-2, on: file.read, path: /etc/m*, action: allow}\n");
        uint32_t class = class_of(&w, "/etc/motd", false);
        const struct lsm_rules_class *c = (const struct lsm_rules_class *)w.t.classes.data + class;
        const uint32_t *refs = (const uint32_t *)w.t.refs.data + c->first;

        assert_int_equal(c->n, 2);
        assert_int_equal(refs[0], 1);
        assert_int_equal(refs[1], 0);
}

/* ---- size ----------------------------------------------------------------------------------------------------------- */

static void test_same_rules_same_bytes(void **state) {
        const char *text = "default: {exec: deny}\nrules:\n"
                           "  - {id: a, on: file.read, path: [/z, /b/, '/c/*'], exe: [/q, /p], uid: [3, 1, 2], action: deny}\n"
                           "  - {id: b, on: capability, cap: [CAP_SYS_ADMIN, CAP_CHOWN], comm: [y, x], action: audit}\n"
                           "  - {id: c, on: mount, fs: [tmpfs, proc, btrfs], action: deny}\n";
        cleanup_buf struct buf x = {}, y = {};
        struct rules_seed s[RULES_SEEDS], r[RULES_SEEDS];

        WORLD(v, text);
        WORLD(w, text);
        assert_int_equal(rules_source_make(&v.t, &x), 0);
        assert_int_equal(rules_source_make(&w.t, &y), 0);
        assert_string_equal(x.data, y.data);
        assert_int_equal(rules_seeds_make(&v.t, s), 0);
        assert_int_equal(rules_seeds_make(&w.t, r), 0);
        for (size_t i = 0; i < RULES_SEEDS; i++) {
                size_t record = s[i].key_size + s[i].value_size;

                assert_int_equal(s[i].records.len, r[i].records.len);
                assert_int_equal(s[i].records.len % record, 0);
                if (s[i].records.len > 0)
                        assert_memory_equal(s[i].records.data, r[i].records.data, s[i].records.len);
                for (size_t at = record; at < s[i].records.len; at += record)
                        assert_true(memcmp(s[i].records.data + at - record, s[i].records.data + at, s[i].key_size) < 0);
        }
        rules_seeds_done(s);
        rules_seeds_done(r);
}

static void test_hooks(void **state) {
        cleanup_buf struct buf x = {}, y = {};

        WORLD(w, "rules: [{id: a, on: file.unlink, path: /x, action: audit}, {id: b, on: ptrace, action: deny}]");
        WORLD(v, "rules: [{id: a, on: [file.read, file.write], path: /x, action: deny}]");
        assert_int_equal(w.t.hooks.n, 3);
        assert_string_equal(w.t.hooks.v[0], "path_rmdir");
        assert_string_equal(w.t.hooks.v[1], "path_unlink");
        assert_string_equal(w.t.hooks.v[2], "ptrace_access_check");
        /* Moving it away, and another name for it, are ways around: judged, too. */
        assert_int_equal(v.t.hooks.n, 3);
        assert_string_equal(v.t.hooks.v[0], "file_open");
        assert_string_equal(v.t.hooks.v[1], "path_link");
        assert_string_equal(v.t.hooks.v[2], "path_rename");
        assert_int_equal(rules_source_make(&v.t, &x), 0);
        assert_non_null(strstr(x.data, "#define RULES_ON_path_link 1\n"));
        assert_non_null(strstr(x.data, "#define RULES_RULES 1\n"));
        assert_non_null(strstr(x.data, "#define RULES_MEMBERS 1\n"));
        assert_null(strstr(x.data, "RULES_ON_capable"));
}

static void many(struct buf *text, size_t n, const char *fmt) {
        assert_int_equal(buf_printf(text, "rules:\n"), 0);
        for (size_t i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
                assert_int_equal(buf_printf(text, fmt, i, i), 0);
#pragma GCC diagnostic pop
        }
}

static void test_ten_thousand(void **state) {
        cleanup_buf struct buf text = {};

        many(&text, 10000, "  - {id: r%zu, on: file.read, path: /srv/app/data/%05zu/file, uid: 7, action: deny}\n");
        WORLD(w, text.data);
        DECIDES(w, "a/r0", .path = "/srv/app/data/00000/file", .uid = 7);
        DECIDES(w, "a/r9999", .path = "/srv/app/data/09999/file", .uid = 7);
        DECIDES(w, "", .path = "/srv/app/data/09999/file", .uid = 8);
        DECIDES(w, "", .path = "/srv/app/data/09999/files", .uid = 7);
        DECIDES(w, "a/r0", .path = "/srv", .uid = 7, .below = true);
        /* In proportion: the rules, each a class, and one set that they share. */
        assert_int_equal(w.t.members.len, sizeof(struct lsm_rules_member));
        assert_in_range(w.t.classes.len / sizeof(struct lsm_rules_class), 10001, 10001 + 25000);
        assert_in_range(w.t.automaton.n_cells, 10000, 10000 * 20);
}

static void test_one_rule_many_paths(void **state) {
        cleanup_buf struct buf text = {};

        assert_int_equal(buf_printf(&text, "rules: [{id: r, on: file.read, action: deny, path: ["), 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(buf_printf(&text, "%s/d/%d", i > 0 ? ", " : "", i), 0);
        assert_int_equal(buf_printf(&text, "]}]\n"), 0);
        WORLD(w, text.data);
        DECIDES(w, "a/r", .path = "/d/999");
        DECIDES(w, "", .path = "/d/1000");
        /* Nothing, that rule, and that rule below. */
        assert_int_equal(w.t.classes.len / sizeof(struct lsm_rules_class), 3);
}

static void test_crowds_are_refused(void **state) {
        static const struct {
                const char *fmt, *message;
                size_t n;
                unsigned line;
        } cases[] = {
                {"  - {id: r%zu, on: file.read, path: /x/, uid: %zu, action: deny}\n", "more than 64 are about the same path", 65,
                 66},
                {"  - {id: r%zu, on: capability, uid: %zu, action: deny}\n", "more than 64 name no path", 65, 66},
                {"  - {id: r%zu, on: file.read, uid: %zu, action: deny}\n",
                 "more than 32 are about files or addresses and name none", 33, 34},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf text = {}, fits = {};
                cleanup_world struct world w;

                many(&fits, cases[i].n - 1, cases[i].fmt);
                WORLD(v, fits.data);
                many(&text, cases[i].n, cases[i].fmt);
                assert_int_equal(world_try(&w, (const char *[]){text.data}, 1), -EBADMSG);
                assert_int_equal(w.diags.n_errors, 1);
                assert_int_equal(w.diags.items[0].line, cases[i].line);
                assert_non_null(strstr(w.diags.items[0].text, cases[i].message));
        }
}

/* What cannot all be listed below a folder: each policy keeps a share, and what denies by default stays. */
static void test_below_is_shared(void **state) {
        cleanup_buf struct buf text = {};

        many(&text, 60, "  - {id: r%zu, on: file.read, path: /x/y, unless: {uid: %zu}, action: deny}\n");
        assert_int_equal(buf_printf(&text, "default: {file.read: deny}\n"), 0);
        WORLD(w, text.data, "rules: [{id: b, on: file.read, path: /x/z, action: deny}]");
        const struct lsm_rules_class *c = (const struct lsm_rules_class *)w.t.classes.data + class_of(&w, "/x", true);

        assert_int_equal(c->n, (LSM_CLASS_RULES_MAX - RULES_POLICIES_MAX) / 2 + 2);
        DECIDES(w, "a/r0", .path = "/x", .uid = 9, .below = true);
        DECIDES(w, "a/r1", .path = "/x", .uid = 0, .below = true);
        DECIDES(w, "b/b", .path = "/x", .uid = 9, .below = true, .ruleset = 1);
        DECIDES(w, "a/default", .path = "/y", .uid = 9, .below = true);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_most_specific_path),
                cmocka_unit_test(test_same_path),
                cmocka_unit_test(test_policies_are_independent),
                cmocka_unit_test(test_default_is_last),
                cmocka_unit_test(test_programs_are_classes),
                cmocka_unit_test(test_what_is_asked_of_a_task_is_known_by_class),
                cmocka_unit_test(test_selectors_are_and_lists_are_or),
                cmocka_unit_test(test_sockets),
                cmocka_unit_test(test_below),
                cmocka_unit_test(test_unsure),
                cmocka_unit_test(test_unsure_costs_nothing_unless_asked_for),
                cmocka_unit_test(test_denials_stay_behind_what_is_allowed),
                cmocka_unit_test(test_same_rules_same_bytes),
                cmocka_unit_test(test_hooks),
                cmocka_unit_test(test_ten_thousand),
                cmocka_unit_test(test_one_rule_many_paths),
                cmocka_unit_test(test_crowds_are_refused),
                cmocka_unit_test(test_below_is_shared),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
