/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about types of file systems: which decides about which, and which leave others nothing. */
#include "rules_engine.h"

static const char *mounted(const struct world *w, const char *path, const char *fs) {
        return decider(w, &(struct question){.op = LSM_OP_MOUNT, .path = path, .fs = fs});
}

static void test_types(void **state) {
        WORLD(w, "default: {mount: deny}\n"
                 "rules:\n"
                 "  - {id: several, on: mount, path: /several/, fs: [tmpfs, proc, ext4], action: allow}\n"
                 "  - {id: here, on: mount, path: /here, fs: tmpfs, action: allow}\n"
                 "  - {id: anywhere, on: [mount, file.read], fs: [fuse, ext4], action: audit}\n"
                 "  - {id: none, on: mount, path: /none, uid: 0, action: allow}\n");

        assert_int_equal(w.t.fs.n, 4);
        assert_string_equal(mounted(&w, "/several/x", "proc"), "a/several");
        assert_string_equal(mounted(&w, "/several/x", "ext4"), "a/several");
        assert_string_equal(mounted(&w, "/several/x", "fuse"), "a/anywhere");
        assert_string_equal(mounted(&w, "/several/x", "ext"), "a/default");
        assert_string_equal(mounted(&w, "/several/x", NULL), "a/default");
        assert_string_equal(mounted(&w, "/here", "tmpfs"), "a/here");
        assert_string_equal(mounted(&w, "/here", "ext4"), "a/anywhere");
        assert_string_equal(mounted(&w, "/here", "ext44"), "a/default");
        assert_string_equal(mounted(&w, "/none", "xfs"), "a/none");
        assert_string_equal(decider(&w, &(struct question){.path = "/none", .fs = "fuse"}), "a/anywhere");
        assert_string_equal(decider(&w, &(struct question){.path = "/none", .fs = "tmpfs"}), "");
}

/* Equal sets are one, however they are written; policies share the numbers. */
static void test_numbers(void **state) {
        WORLD(w, "rules: [{id: one, on: mount, path: /x, fs: [b, a], action: deny}]",
              "rules: [{id: two, on: umount, path: /y, fs: [a, b], action: deny}, {id: three, on: umount, fs: [c, b], action: deny}]");
        const struct lsm_rules_rule *rules = (const struct lsm_rules_rule *)w.t.rules.data;

        assert_int_equal(w.t.fs.n, 3);
        assert_string_equal(w.t.fs.v[0], "a");
        assert_string_equal(w.t.fs.v[2], "c");
        assert_string_equal(rules[0].id, "a/one");
        assert_string_equal(rules[1].id, "b/two");
        assert_string_equal(rules[2].id, "b/three");
        assert_true(rules[0].fs != 0);
        assert_int_equal(rules[0].fs, rules[1].fs);
        assert_int_not_equal(rules[0].fs, rules[2].fs);
}

/* An engine without such rules has no code for types, and no map. */
static void test_none(void **state) {
        struct rules_seed seeds[RULES_SEEDS];

        WORLD(w, "rules: [{id: one, on: mount, path: /x, action: deny}]");
        assert_int_equal(w.t.fs.n, 0);
        assert_string_equal(mounted(&w, "/x", "tmpfs"), "a/one");
        assert_int_equal(rules_seeds_make(&w.t, seeds), 0);
        assert_null(seeds[RULES_SEEDS - 1].map);
        rules_seeds_done(seeds);
}

#define ON "on: mount, "

static void test_what_takes_in_what(void **state) {
        expect_dead(ON "fs: fuse", ON "fs: fuse", true);
        expect_dead(ON "fs: [fuse, ext4]", ON "fs: ext4, uid: 3", true);
        expect_dead(ON "fs: fuse", ON "fs: [fuse, ext4]", false);
        expect_dead(ON "fs: fuse", ON "fs: fuseblk", false);
        expect_dead(ON "fs: [fuse, ext4]", ON "uid: 3", false);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_what_takes_in_what),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
