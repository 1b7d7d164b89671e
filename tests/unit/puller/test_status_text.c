/* SPDX-License-Identifier: Apache-2.0 */
/* The table that an operator reads in the night: what is in force, what is not and why, nothing twice, nothing cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "status.h"

#define NODE "'mode': 'enforce', 'mode_source': '', 'paused': false, 'time': 1000, 'source': null, 'loader': null"
#define GATE "'gate': {'pending': false, 'misses': 0}"

/* The text of a status, written with ' for ". */
static char *text_of(const char *quoted, bool colour) {
        char *copy = strdup(quoted), *text = NULL;
        json_error_t error;
        size_t n;
        json_t *status;
        FILE *f;

        assert_non_null(copy);
        for (char *p = copy; *p; p++)
                if (*p == '\'')
                        *p = '"';
        status = json_loads(copy, 0, &error);
        if (!status)
                fail_msg("line %d: %s", error.line, error.text);
        f = open_memstream(&text, &n);
        assert_non_null(f);
        status_print(f, status, colour);
        fclose(f);
        json_decref(status);
        free(copy);
        return text;
}

static void shows(const char *status, const char *want) {
        char *text = text_of(status, false);

        assert_string_equal(text, want);
        free(text);
}

static void a_bare_node(void **state) {
        shows("{" NODE ", 'bundles': [], 'quarantine': []}",
              "BUNDLE                   RELEASE          STATE      SINCE\n"
              "(none)                   -                none       nothing is enforced\n"
              "\n"
              "source      none: releases come by `lsmpull install` only\n");
}

static void enforcing(void **state) {
        shows("{'mode': 'enforce', 'time': 1000, 'paused': true, 'loader': {'token': true, 'uid': 992},"
              " 'source': {'address': 'https://m/x', 'last_success': 990, 'stale': false, 'failures': 0},"
              " 'bundles': [{'name': 'web', 'state': 'enforcing', 'in_force': {'release': 7, 'version': '1.2.3', 'since': 700},"
              " 'left': null, 'staged': null, " GATE
              ", 'policies': [{'name': 'p', 'mode': 'enforce', 'hooks': ['file_open', 'mmap_file'],"
              " 'denied': 3, 'would_deny': 0, 'errors': 2, 'events_lost': 0}]}], 'quarantine': []}",
              "BUNDLE                   RELEASE          STATE      SINCE\n"
              "web                      7 (1.2.3)        enforcing  5 min ago\n"
              "  p                      enforce          file_open mmap_file      3 denied, 2 undecidable\n"
              "\n"
              "source      https://m/x\n"
              "            last heard from: 10 s ago\n"
              "loader      uid 992, in a user namespace, BPF token\n"
              "paused      no new releases are taken; `lsmpull resume` ends that\n");
}

/* What is lowered on this node is told from what was signed as it is. */
static void modes(void **state) {
        char *text = text_of(
                "{" NODE ", 'quarantine': [], 'bundles': [{'name': 'web', 'state': 'enforcing', 'in_force':"
                " {'release': 7, 'version': '1.2.3', 'since': 700}, 'left': null, 'staged': null, " GATE
                ", 'policies': [{'name': 'c', 'mode': 'audit', 'signed_mode': 'enforce', 'hooks': ['capable'], 'denied': 0},"
                "{'name': 'd', 'mode': 'audit', 'signed_mode': 'audit', 'hooks': ['bpf'], 'denied': 0},"
                "{'name': 'rules', 'mode': 'enforce', 'signed_mode': 'enforce', 'hooks': ['file_open'], 'denied': 3,"
                " 'written': [{'name': 'keys', 'mode': 'audit', 'signed_mode': 'enforce'},"
                "{'name': 'paths', 'mode': 'enforce', 'signed_mode': 'enforce'}], 'rules': []}]}]}",
                false);

        assert_non_null(strstr(text, "\n  c                      audit, lowered   capable                  0 denied\n"
                                     "  d                      audit            bpf                      0 denied\n"
                                     "  rules                  enforce          file_open                3 denied\n"
                                     "    keys                 audit, lowered\n"
                                     "    paths                enforce\n"));
        free(text);
}

/* Of the engine's rules, those that have decided something. */
static void rules(void **state) {
        char *text = text_of("{" NODE ", 'quarantine': [], 'bundles': [{'name': 'web', 'state': 'enforcing', 'in_force':"
                             " {'release': 7, 'version': '1.2.3', 'since': 700}, 'left': null, 'staged': null, " GATE
                             ", 'policies': [{'name': 'rules', 'mode': 'enforce', 'hooks': ['file_open'], 'denied': 3, 'rules': ["
                             "{'policy': 'credentials', 'rule': 'shadow', 'denied': 3, 'would_deny': 1, 'allowed': 2},"
                             "{'policy': 'credentials', 'rule': 'keys', 'denied': 0, 'would_deny': 0, 'allowed': 0},"
                             "{'policy': 'paths', 'rule': 'default', 'denied': 0, 'would_deny': 4, 'allowed': 0}]}]}]}",
                             false);

        assert_non_null(
                strstr(text, "\n  rules                  enforce          file_open                3 denied\n"
                             "    credentials/shadow                                            3 denied, 1 would be, 2 allowed\n"
                             "    paths/default                                                 4 would be\n\n"));
        assert_null(strstr(text, "keys"));
        free(text);
}

static void rules_without_addresses(void **state) {
        static const char status[] =
                "{'mode': 'enforce', 'time': 1, 'paused': false, 'source': null, 'bundles': [], 'quarantine': [],"
                " 'loader': {'token': true, 'uid': 992, 'rules': {'remembers': %s, 'no_room': %d}}}";
        char quoted[400], *text;

        snprintf(quoted, sizeof(quoted), status, "true", 0);
        text = text_of(quoted, false);
        assert_null(strstr(text, "\nrules "));
        free(text);
        snprintf(quoted, sizeof(quoted), status, "false", 0);
        text = text_of(quoted, false);
        assert_non_null(strstr(text, "\nrules       every decision is made anew"));
        free(text);
        snprintf(quoted, sizeof(quoted), status, "false", 7);
        text = text_of(quoted, false);
        assert_non_null(strstr(text, "\nrules       every decision is made anew"));
        assert_non_null(strstr(text, "\n            7 file systems are known"));
        free(text);
}

static void without_a_token(void **state) {
        char *text = text_of("{'mode': 'enforce', 'time': 1, 'paused': false, 'source': null, 'bundles': [], 'quarantine': [],"
                             " 'loader': {'token': false, 'uid': 992, 'why_no_token': 'this kernel has none'}}",
                             false);

        assert_non_null(strstr(text, "loader      uid 992, CAP_BPF and CAP_PERFMON alone: this kernel has none\n"));
        free(text);
}

static void sinks(void **state) {
        char *text = text_of("{'mode': 'enforce', 'time': 1, 'paused': false, 'source': null, 'bundles': [], 'quarantine': [],"
                             "'sinks': [{'name': 'file', 'written': 5, 'dropped': 2, 'error': 'No space left on device'},"
                             " {'name': 'journald', 'written': 7, 'dropped': 0, 'error': ''}]}",
                             false);

        assert_non_null(strstr(text, "\nevents      file: 5 written, 2 dropped, fails: No space left on device\n"
                                     "            journald: 7 written\n"));
        free(text);
}

#define FAILED(content)                                                                                                          \
        "{" NODE                                                                                                                 \
        ", 'bundles': [{'name': 'web', 'state': 'enforcing', 'in_force': {'release': 1, 'version': '1.0.0', 'since': 0},"        \
        " 'staged': null, " GATE ", 'policies': [], 'left': {'release': 2, 'content': '" content                                 \
        "', 'reason': 'selftest-failed',"                                                                                        \
        " 'message': 'one two'}}], 'quarantine': [{'bundle': 'web', 'release': 2, 'content': 'c2', 'reason': 'selftest-failed'," \
        " 'message': 'one two', 'since': 999, 'holds_here': true}]}"

/* A failure is told once: in the quarantine, or under its bundle when the quarantine knows nothing of it. */
static void what_failed_is_told_once(void **state) {
        char *kept = text_of(FAILED("c2"), false), *passing = text_of(FAILED("c3"), false);
        const char *quarantine = "quarantine  web release 2, 1 s ago: selftest-failed\n            one two\n";

        assert_non_null(strstr(kept, quarantine));
        assert_null(strstr(kept, "was left"));
        assert_non_null(strstr(passing, "  release 2 was left: selftest-failed\n    one two\n"));
        assert_non_null(strstr(passing, quarantine));
        free(kept);
        free(passing);
}

/* Long messages go on below; no word is lost, no line is wider than a terminal of 110. */
static void long_messages_are_wrapped(void **state) {
        char message[600] = "", status[2000], *text;

        for (int i = 0; i < 100; i++)
                snprintf(message + strlen(message), sizeof(message) - strlen(message), "%sw%d", i ? " " : "", i);
        snprintf(status, sizeof(status),
                 "{" NODE
                 ", 'bundles': [], 'quarantine': [{'bundle': 'web', 'release': 2, 'content': 'c', 'reason': 'health-failed',"
                 " 'message': '%s', 'since': 0, 'holds_here': false}]}",
                 message);
        text = text_of(status, false);
        assert_non_null(strstr(text, "with another kernel or agent"));
        for (char *p = strstr(text, "            w0 "), *end; p && *p; p = end + 1) {
                end = strchr(p, '\n');
                assert_non_null(end);
                assert_true(end - p <= 110);
                assert_memory_equal(p, "            w", 13);
        }
        for (int i = 0; i < 100; i++) {
                char word[8];

                snprintf(word, sizeof(word), " w%d", i);
                assert_non_null(strstr(text, word));
        }
        free(text);
}

static void one_word_wider_than_a_line(void **state) {
        char word[300], status[1000], *text;

        memset(word, 'x', sizeof(word) - 1);
        word[sizeof(word) - 1] = '\0';
        snprintf(status, sizeof(status),
                 "{" NODE ", 'bundles': [], 'quarantine': [{'bundle': 'web', 'release': 2, 'content': 'c', 'reason': 'malformed',"
                 " 'message': '%s', 'since': 0, 'holds_here': true}]}",
                 word);
        text = text_of(status, false);
        assert_non_null(strstr(text, word));
        free(text);
}

static void refused_and_stale(void **state) {
        char *text = text_of(
                "{'mode': 'audit', 'mode_source': 'configuration', 'time': 1000, 'paused': false, 'loader': null, 'bundles': [],"
                " 'quarantine': [], 'source': {'address': '/x', 'last_success': 0, 'stale': true, 'failures': 1, 'reason': 'failed',"
                " 'message': 'no way', 'refused_reason': 'release-too-old', 'refused_message': 'older'}}",
                false);

        assert_non_null(strstr(text, "last heard from: never (stale)\n"));
        assert_non_null(strstr(text, "            failed 1 time: failed\n            no way\n"));
        assert_non_null(strstr(text, "            what it offers is refused: release-too-old\n            older\n"));
        assert_non_null(strstr(text, "mode        audit (configuration)\n"));
        assert_null(strchr(text, '\033'));
        free(text);
}

static void colours_are_ended(void **state) {
        char *text = text_of(FAILED("c3"), true);
        int on = 0, off = 0;

        for (char *p = text; (p = strchr(p, '\033')); p++) {
                if (strncmp(p, "\033[0m", 4) == 0)
                        off++;
                else
                        on++;
        }
        assert_true(on > 0);
        assert_int_equal(on, off);
        free(text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_bare_node),
                cmocka_unit_test(enforcing),
                cmocka_unit_test(modes),
                cmocka_unit_test(rules),
                cmocka_unit_test(rules_without_addresses),
                cmocka_unit_test(without_a_token),
                cmocka_unit_test(sinks),
                cmocka_unit_test(what_failed_is_told_once),
                cmocka_unit_test(long_messages_are_wrapped),
                cmocka_unit_test(one_word_wider_than_a_line),
                cmocka_unit_test(refused_and_stale),
                cmocka_unit_test(colours_are_ended),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
