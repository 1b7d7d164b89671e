/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about devices: which decides about which, and which leave others nothing. */
#include "rules_engine.h"

static const char *made(const struct world *w, const char *path, uint32_t device) {
        return decider(w, &(struct question){.op = LSM_OP_FILE_MKNOD, .path = path, .value = device});
}
#define BLOCK(major, minor) LSM_DEVICE_VALUE(LSM_DEVICE_BLOCK, major, minor)
#define CHAR(major, minor) LSM_DEVICE_VALUE(LSM_DEVICE_CHAR, major, minor)

static void test_kinds_and_numbers(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: kind, on: file.mknod, path: /kind, device: block, action: deny}\n"
                 "  - {id: major, on: file.mknod, path: /major, device: 'b 8:*', action: deny}\n"
                 "  - {id: one, on: file.mknod, path: /one, device: 'c 1:3', action: deny}\n"
                 "  - {id: either, on: file.mknod, path: /either, device: [8:0, '9:*'], action: deny}\n"
                 "  - {id: several, on: file.mknod, path: /several, device: [char, 'b 0:0', 'b 511:1048575'], action: deny}\n");
        static const struct {
                const char *path;
                uint32_t device;
                bool denied;
        } cases[] = {
                {"/kind", BLOCK(0, 0), true},
                {"/kind", BLOCK(511, 9), true},
                {"/kind", BLOCK(4095, 1), true},
                {"/kind", CHAR(8, 0), false},
                {"/kind", 0, false}, /* a FIFO, a socket */
                {"/major", BLOCK(8, 0), true},
                {"/major", BLOCK(8, LSM_DEVICE_MINOR_MAX), true},
                {"/major", BLOCK(9, 0), false},
                {"/major", BLOCK(8 + 512, 0), false},
                {"/major", CHAR(8, 0), false},
                {"/one", CHAR(1, 3), true},
                {"/one", CHAR(1, 4), false},
                {"/one", CHAR(3, 1), false},
                {"/one", CHAR(0, 0), false},
                {"/one", BLOCK(1, 3), false},
                {"/either", BLOCK(8, 0), true},
                {"/either", CHAR(8, 0), true},
                {"/either", CHAR(8, 1), false},
                {"/either", BLOCK(9, 77), true},
                {"/either", CHAR(9, 77), true},
                {"/either", 0, false},
                {"/several", CHAR(300, 7), true},
                {"/several", BLOCK(0, 0), true},
                {"/several", BLOCK(0, 1), false},
                {"/several", BLOCK(511, 1048575), true},
                {"/several", BLOCK(512, 1048575), false},
                {"/several", BLOCK(511, 0), false},
                {"/several", 0, false},
        };

        assert_true(w.t.devices);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const char *rule = made(&w, cases[i].path, cases[i].device);

                if ((rule[0] != '\0') != cases[i].denied || (rule[0] && !streq(rule + 2, cases[i].path + 1)))
                        fail_msg("case %zu, of %s: '%s'", i, cases[i].path, rule);
        }
}

static void test_order(void **state) {
        WORLD(w, "default: {file.mknod: deny}\n"
                 "rules:\n"
                 "  - {id: null, on: file.mknod, path: /dev/, device: ['c 1:3', 'c 5:*'], action: allow}\n"
                 "  - {id: loops, on: [file.mknod, file.read], device: 'b 7:*', action: deny}\n");

        assert_string_equal(made(&w, "/dev/null", CHAR(1, 3)), "a/null");
        assert_string_equal(made(&w, "/dev/tty", CHAR(5, 1)), "a/null");
        assert_string_equal(made(&w, "/dev/mem", CHAR(1, 1)), "a/default");
        assert_string_equal(made(&w, "/tmp/null", CHAR(1, 3)), "a/default");
        assert_string_equal(made(&w, "/dev/loop0", BLOCK(7, 0)), "a/loops");
        assert_string_equal(made(&w, "/dev/fifo", 0), "a/default");
        assert_string_equal(decider(&w, &(struct question){.path = "/x", .value = BLOCK(7, 3)}), "a/loops");
        assert_string_equal(decider(&w, &(struct question){.path = "/x", .value = 0}), "");
}

/* An engine without such rules has no code for devices. */
static void test_no_devices(void **state) {
        WORLD(w, "rules: [{id: made, on: file.mknod, path: /x, action: deny}]");

        assert_false(w.t.devices);
        assert_string_equal(made(&w, "/x", BLOCK(1, 1)), "a/made");
}

#define ON "on: file.mknod, "

static void test_what_takes_in_what(void **state) {
        expect_dead(ON "device: block", ON "device: 'b 8:0'", true);
        expect_dead(ON "device: block", ON "device: 'b 8:*'", true);
        expect_dead(ON "device: block", ON "device: block", true);
        expect_dead(ON "device: [block, char]", ON "device: ['8:0', 'c 1:3']", true);
        expect_dead(ON "device: 'b 8:*'", ON "device: 'b 8:0'", true);
        expect_dead(ON "device: ['b 8:*', 'c 8:*']", ON "device: '8:0'", true);
        expect_dead(ON "device: '8:*'", ON "device: ['b 8:*', 'c 8:1']", true);
        expect_dead(ON "device: block", ON "device: '8:0'", false);
        expect_dead(ON "device: block", ON "device: char", false);
        expect_dead(ON "device: 'b 8:*'", ON "device: block", false);
        expect_dead(ON "device: 'b 8:0'", ON "device: 'b 8:*'", false);
        expect_dead(ON "device: 'b 8:0'", ON "device: ['b 8:0', 'b 8:1']", false);
        /* A FIFO is neither. */
        expect_dead(ON "device: [block, char]", ON "uid: 1", false);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds_and_numbers),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_no_devices),
                cmocka_unit_test(test_what_takes_in_what),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
