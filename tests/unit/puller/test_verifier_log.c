/* SPDX-License-Identifier: Apache-2.0 */
/* Whose policy does not load must read why in the message itself, on every kernel, and not a page of registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "verifier_log.h"

#define HEAD                                                                                   \
        "libbpf: prog 'lsm_file_open': BPF program load failed: Permission denied\n"           \
        "libbpf: prog 'lsm_file_open': -- BEGIN PROG LOAD LOG --\n"                            \
        "0: R1=ctx() R10=fp0\n"                                                                \
        "; LSM_POLICY(file_open, struct file *file) { @ wild_read.bpf.c:7\n"                   \
        "0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()\n"                          \
        "func 'bpf_lsm_file_open' arg0 has btf_id 725 type STRUCT 'file'\n"                    \
        "3: (61) r1 = *(u32 *)(r1 +0)\n"                                                       \
        "R1 invalid mem access 'scalar'\n"
#define TAIL                                                                                   \
        "processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"             \
        "-- END PROG LOAD LOG --\n"                                                            \
        "libbpf: prog 'lsm_file_open': failed to load: -13\n"                                  \
        "libbpf: failed to load object 'lsm'\n"

static void verdict_shown(void **state) {
        static const char log[] = HEAD TAIL;
        char got[1200];

        verifier_log_trim(log, strlen(log), got, sizeof(got));
        assert_non_null(strstr(got, "R1 invalid mem access 'scalar'\n"));
        assert_non_null(strstr(got, "failed to load: -13"));
        assert_null(strstr(got, "r6 = r1"));
        assert_null(strstr(got, "R10=fp0"));
        assert_null(strstr(got, "processed"));
}

/* As Linux 7.3 writes it. */
static void explanation_left_out(void **state) {
        static const char log[] = HEAD "\nVerification failed: Register Type Safety: Invalid dereference\n"
                                       "\nReason:\n  R1 is an integer scalar here, not a pointer to memory.\n"
                                       "\nSuggestion:\n  Preserve a pointer-valued register where needed, or\n"
                                       "  reload and revalidate the pointer after scalar\n"
                                       "  arithmetic, helper calls, or other operations.\n\n" TAIL;
        char got[1200];

        verifier_log_trim(log, strlen(log), got, sizeof(got));
        assert_non_null(strstr(got, "R1 invalid mem access 'scalar'\n"));
        assert_non_null(strstr(got, "Verification failed: Register Type Safety: Invalid dereference"));
        assert_null(strstr(got, "Suggestion"));
}

static void bounds(void **state) {
        static const char log[] = HEAD TAIL;
        char got[1200], small[16];

        verifier_log_trim("", 0, got, sizeof(got));
        assert_string_equal(got, "");
        verifier_log_trim(log, strlen(log), small, sizeof(small));
        assert_int_equal(strlen(small), sizeof(small) - 1);
        for (size_t n = 1; n < strlen(log); n++) /* cut off anywhere */
                verifier_log_trim(log, n, got, sizeof(got));
        verifier_log_trim("\nVerification failed: ", strlen("\nVerification failed: "), got, sizeof(got));
        assert_string_equal(got, "Verification failed: ");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(verdict_shown),
                cmocka_unit_test(explanation_left_out),
                cmocka_unit_test(bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
