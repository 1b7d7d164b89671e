/* SPDX-License-Identifier: Apache-2.0 */
/* lsmpull.mode= on the kernel's command line: the way back into a machine that a policy has locked, and nobody's way in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node.h"

static void modes(void **state) {
        static const struct {
                const char *cmdline;
                enum node_mode want;
        } cases[] = {
                {"", NODE_ENFORCE},
                {"\n", NODE_ENFORCE},
                {"BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet\n", NODE_ENFORCE},
                {"lsmpull.mode=off", NODE_OFF},
                {"lsmpull.mode=off\n", NODE_OFF},
                {"quiet lsmpull.mode=audit splash\n", NODE_AUDIT},
                {"quiet lsmpull.mode=enforce\n", NODE_ENFORCE},
                {"  lsmpull.mode=off  quiet\n", NODE_OFF},
                /* the last one counts, as for the kernel's own parameters */
                {"lsmpull.mode=off lsmpull.mode=audit\n", NODE_AUDIT},
                {"lsmpull.mode=audit lsmpull.mode=off\n", NODE_OFF},
                {"lsmpull.mode=off lsmpull.mode=enforce\n", NODE_ENFORCE},
                /* what is not understood does not switch anything off */
                {"lsmpull.mode=\n", NODE_ENFORCE},
                {"lsmpull.mode=of\n", NODE_ENFORCE},
                {"lsmpull.mode=offf\n", NODE_ENFORCE},
                {"lsmpull.mode=OFF\n", NODE_ENFORCE},
                {"lsmpull.mode=off,audit\n", NODE_ENFORCE},
                {"lsmpull.mode=\"off\"\n", NODE_ENFORCE},
                {"lsmpull.mode off\n", NODE_ENFORCE},
                {"lsmpull.mode=audited\n", NODE_ENFORCE},
                {"lsmpull.mode=off lsmpull.mode=\n", NODE_ENFORCE},
                /* another parameter whose name or value ends so */
                {"notlsmpull.mode=off\n", NODE_ENFORCE},
                {"x.lsmpull.mode=off\n", NODE_ENFORCE},
                {"init=/bin/lsmpull.mode=off\n", NODE_ENFORCE},
                {"xlsmpull.mode=off lsmpull.mode=audit\n", NODE_AUDIT},
                {"lsmpull.mode=lsmpull.mode=off\n", NODE_ENFORCE},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (node_mode_parse(cases[i].cmdline) != cases[i].want)
                        fail_msg("\"%s\": %d, not %d", cases[i].cmdline, node_mode_parse(cases[i].cmdline), cases[i].want);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(modes)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
