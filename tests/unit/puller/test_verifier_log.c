/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's words: a policy's author has nothing else to go by, and the reason word decides whether it is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "util.h"
#include "verifier_log.h"

/* ---- feeding the collector ------------------------------------------------------------------------------------------ */

static struct verifier_log *the_log; /* libbpf's callback has no context: one for each process */
static libbpf_print_fn_t the_callback;

static int install(void **state) {
        the_log = verifier_log_install();
        the_callback = libbpf_set_print(NULL); /* hands out the one before */
        libbpf_set_print(the_callback);
        return the_log && the_callback ? 0 : -1;
}

static int uninstall(void **state) {
        verifier_log_reset(the_log);
        libbpf_set_print(NULL);
        free(the_log);
        return 0;
}

static void say(enum libbpf_print_level level, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        the_callback(level, fmt, ap);
        va_end(ap);
}

static void explain(int r, const char *text, struct err *ret) {
        verifier_log_reset(the_log);
        if (*text)
                say(LIBBPF_WARN, "%s", text);
        *ret = (struct err){};
        verifier_log_explain(the_log, r, "sample", ret);
}

/* ---- what was said -------------------------------------------------------------------------------------------------- */

#define BEGIN                                                                        \
        "libbpf: prog 'lsm_file_open': BPF program load failed: Permission denied\n" \
        "libbpf: prog 'lsm_file_open': -- BEGIN PROG LOAD LOG --\n"
#define END                                                                                                  \
        "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n" \
        "-- END PROG LOAD LOG --\n"                                                                          \
        "libbpf: prog 'lsm_file_open': failed to load: -13\n"                                                \
        "libbpf: failed to load object 'lsm'\n"
#define DUMP                                                              \
        "0: R1=ctx(off=0,imm=0) R10=fp0\n"                                \
        "; int BPF_PROG(lsm_file_open, struct file *file)\n"              \
        "0: (79) r1 = *(u64 *)(r1 +0)\n"                                  \
        "func 'bpf_lsm_file_open' arg0 has btf_id 5 type STRUCT 'file'\n" \
        "1: R1_w=ptr_file(off=0,imm=0)\n"                                 \
        "; if (name[0] == 'x')\n"                                         \
        "1: (71) r0 = *(u8 *)(r2 +0)\n"

static void collected(void **state) {
        verifier_log_reset(the_log);
        assert_int_equal(verifier_log_len(the_log), 0);
        assert_string_equal(verifier_log_text(the_log), "");
        say(LIBBPF_DEBUG, "loading %s\n", "object");
        say(LIBBPF_INFO, "fine so far\n");
        assert_int_equal(verifier_log_len(the_log), 0);
        say(LIBBPF_WARN, "prog '%s': %d\n", "a", -13);
        say(LIBBPF_WARN, "more\n");
        assert_string_equal(verifier_log_text(the_log), "prog 'a': -13\nmore\n");
        assert_int_equal(verifier_log_len(the_log), strlen("prog 'a': -13\nmore\n"));
        verifier_log_reset(the_log);
        assert_string_equal(verifier_log_text(the_log), "");
}

/* A program of a million instructions has a log of hundreds of megabytes. */
static void bounded(void **state) {
        cleanup_free char *line = malloc(65537);

        memset(line, 'x', 65536);
        line[65536] = '\0';
        verifier_log_reset(the_log);
        for (int i = 0; i < 1000; i++)
                say(LIBBPF_WARN, "%s", line);
        assert_in_range(verifier_log_len(the_log), 1 << 20, (16 << 20) + 65536);
        verifier_log_reset(the_log);
}

/* ---- trimming ------------------------------------------------------------------------------------------------------- */

static void verdicts_stay(void **state) {
        static const char *const verdicts[] = {
                "R2 invalid mem access 'scalar'",
                "R2 !read_ok",
                "R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value",
                "R0 invalid mem access 'map_value_or_null'",
                "At program exit the register R0 has value (0x1; 0x0) should have been in (0x0; 0x0)",
                "At program exit the register R0 has smin=1 smax=1 should have been in [-4095, 0]",
                "Unreleased reference id=3 alloc_insn=7",
                "unknown func bpf_ktime_get_tai_ns#208",
                "invalid func unknown#211",
                "BPF program is too large. Processed 1000001 insn",
                "back-edge from insn 3 to 1",
                "access beyond struct file at off 4096 size 8",
        };
        char text[2048], got[1200];

        for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
                int n = snprintf(text, sizeof(text), BEGIN DUMP "%s\n" END, verdicts[i]);

                verifier_log_trim(text, (size_t)n, got, sizeof(got));
                if (!strstr(got, verdicts[i]))
                        fail_msg("lost: %s\nleft: %s", verdicts[i], got);
        }
}

static void noise_goes(void **state) {
        static const char text[] = BEGIN DUMP "R2 invalid mem access 'scalar'\n" END;
        static const char *const noise[] = {"processed", "END PROG", "r1 = *(u64",           "BPF_PROG",
                                            "R1_w=",     "R10=fp0",  "failed to load object"};
        char got[1200];

        verifier_log_trim(text, sizeof(text) - 1, got, sizeof(got));
        for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
                if (strstr(got, noise[i]))
                        fail_msg("'%s' is in: %s", noise[i], got);
}

/* The end of a log is where its verdict is; of a long one, that is all that fits into a message. */
static void the_last_lines(void **state) {
        char got[256];

        verifier_log_trim("one\ntwo\nthree\nfour\nfive\nsix\n", 28, got, sizeof(got));
        assert_string_equal(got, "three\n  four\n  five\n  six");
        verifier_log_trim("one\n\n\ntwo", 9, got, sizeof(got)); /* empty lines, and none at the end */
        assert_string_equal(got, "one\n  two");
        verifier_log_trim("one", 3, got, sizeof(got));
        assert_string_equal(got, "one");
        verifier_log_trim("", 0, got, sizeof(got));
        assert_string_equal(got, "");
        verifier_log_trim("\n", 1, got, sizeof(got));
        assert_string_equal(got, "");
        verifier_log_trim("processed 3 insns\n", 18, got, sizeof(got));
        assert_string_equal(got, "");
}

static void fits(void **state) {
        char text[4096], got[4096];
        size_t n = 0;

        for (int i = 0; i < 4; i++) {
                memset(text + n, 'a' + i, 1000);
                n += 1000;
                text[n++] = '\n';
        }
        for (size_t size = 1; size < 1000; size += 7) {
                memset(got, '#', sizeof(got));
                verifier_log_trim(text, n, got, size);
                assert_true(strlen(got) < size);
                assert_int_equal(got[size], '#');
        }
        verifier_log_trim(text, n, got, sizeof(got));
        assert_true(strlen(got) < 4 * 210); /* one endless line does not push out the others */
        assert_non_null(strstr(got, "aaa"));
        assert_non_null(strstr(got, "ddd"));
}

/* ---- the reason ------------------------------------------------------------------------------------------------------- */

static void reasons(void **state) {
        static const struct {
                int r;
                const char *text;
                enum reason want;
        } cases[] = {
                {-EACCES, BEGIN DUMP "R2 invalid mem access 'scalar'\n" END, REASON_VERIFIER_REJECTED},
                {-EINVAL, BEGIN "At program exit the register R0 has value (0x1; 0x0) should have been in (0x0; 0x0)\n" END,
                 REASON_VERIFIER_REJECTED},
                {-EPERM, BEGIN DUMP "R2 leaks addr into map\n" END, REASON_VERIFIER_REJECTED}, /* the verifier's EPERM */
                {-E2BIG, BEGIN "BPF program is too large. Processed 1000001 insn\n" END, REASON_VERIFIER_REJECTED},
                {-EINVAL, "", REASON_VERIFIER_REJECTED},
                /* not on this kernel; on another one, perhaps */
                {-EINVAL, BEGIN "unknown func bpf_ktime_get_tai_ns#208\n" END, REASON_KERNEL_UNSUPPORTED},
                {-EINVAL, BEGIN "invalid func unknown#211\n" END, REASON_KERNEL_UNSUPPORTED},
                {-EINVAL, BEGIN "program of this type cannot use helper bpf_override_return#58\n" END, REASON_KERNEL_UNSUPPORTED},
                {-ESRCH, "libbpf: prog 'a': failed to find kernel BTF type ID of 'bpf_lsm_nothing': -3\n",
                 REASON_KERNEL_UNSUPPORTED},
                {-EINVAL, "libbpf: failed to find kernel BTF type ID of 'bpf_lsm_nothing'\n", REASON_KERNEL_UNSUPPORTED},
                /* nobody's fault: must be tried again */
                {-ENOMEM, BEGIN DUMP END, REASON_LOAD_FAILED},
                {-ENOSPC, BEGIN DUMP END, REASON_LOAD_FAILED},
                {-EAGAIN, "", REASON_LOAD_FAILED},
                {-EINTR, "", REASON_LOAD_FAILED},
                {-EPERM, "libbpf: map 'names': failed to create: Operation not permitted(-1)\n", REASON_LOAD_FAILED},
                {-EMFILE, "", REASON_LOAD_FAILED},
                {-ENFILE, "", REASON_LOAD_FAILED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct err err;

                explain(cases[i].r, cases[i].text, &err);
                if (err.reason != cases[i].want)
                        fail_msg("%d, %s: %s, not %s", cases[i].r, cases[i].text, reason_word(err.reason),
                                 reason_word(cases[i].want));
        }
}

static void the_message(void **state) {
        struct err err;

        explain(-EACCES, BEGIN DUMP "R2 invalid mem access 'scalar'\n" END, &err);
        assert_non_null(strstr(err.msg, "policy 'sample' does not load on this kernel (Permission denied):\n  "));
        assert_non_null(strstr(err.msg, "R2 invalid mem access 'scalar'"));
        verifier_log_explain(the_log, -EACCES, "sample", NULL); /* nobody wants to know */
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(collected),  cmocka_unit_test(bounded),        cmocka_unit_test(verdicts_stay),
                cmocka_unit_test(noise_goes), cmocka_unit_test(the_last_lines), cmocka_unit_test(fits),
                cmocka_unit_test(reasons),    cmocka_unit_test(the_message),
        };

        return cmocka_run_group_tests(tests, install, uninstall);
}
