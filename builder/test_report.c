/* SPDX-License-Identifier: Apache-2.0 */
#include "test_report.h"

#include <stdio.h>

#define LOG_LINES 40 /* of the verifier's log, on a terminal; the verdict is at its end */

/* The programs of a bundle in the order in which they are loaded: by policy. The kernel knows their hooks, not their policies. */
static const struct test_program *program_next(const struct test_result *r, const char *hook, bool *used) {
        for (size_t i = 0; i < r->n_programs; i++)
                if (!used[i] && streq(r->programs[i].hook, hook)) {
                        used[i] = true;
                        return &r->programs[i];
                }
        return NULL;
}

/* ---- text ------------------------------------------------------------------------------------------------------------ */

/* Each line of it with something in front, without other control characters. */
static int lines_add(struct buf *out, const char *front, const char *text) {
        int e = 0;

        while (e == 0 && *text) {
                size_t n = strcspn(text, "\n");

                e = buf_printf(out, "%s", front);
                for (size_t i = 0; e == 0 && i < n; i++)
                        e = buf_printf(out, "%c", (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
                if (e == 0)
                        e = buf_printf(out, "\n");
                text += n + (text[n] == '\n');
        }
        return e;
}

static const char *last_lines(const char *text, size_t n) {
        const char *at = text + strlen(text);

        for (size_t i = 0; i <= n && at > text; i++)
                while (at > text && *--at != '\n')
                        ;
        return *at == '\n' ? at + 1 : at;
}

static int hooks_text(const struct test_result *r, struct buf *out) {
        int e = r->n_hooks ? buf_printf(out, "  %-44s %12s %8s  %s\n", "hook", "instructions", "calls", "measured in") : 0;

        for (size_t i = 0; e == 0 && i < r->n_hooks; i++) {
                const struct test_hook *h = &r->hooks[i];

                if (h->calls)
                        e = buf_printf(out, "  %-44s %12.0f %8ju  %s\n", h->name, h->instructions, (uintmax_t)h->calls,
                                       h->by_workload ? "the workload" : "installing and self-tests");
                else
                        e = buf_printf(out, "  %-44s %12s %8s  nothing called it\n", h->name, "-", "-");
        }
        return e;
}

static int programs_text(const struct manifest *m, const struct test_result *r, struct buf *out) {
        cleanup_free bool *used = new_array(r->n_programs, sizeof(*used));
        int e = 0;

        if (!used)
                return -ENOMEM;
        if (r->n_programs)
                e = buf_printf(out, "  %-44s %12s %8s  %s\n", "policy: hook", "program", "verified", "(instructions)");
        for (size_t i = 0; i < m->n_policies; i++)
                for (size_t k = 0; e == 0 && k < m->policies[i].n_programs; k++) {
                        const char *hook = m->policies[i].programs[k].hook;
                        const struct test_program *p = program_next(r, hook, used);
                        char name[160];

                        snprintf(name, sizeof(name), "%s: %s", m->policies[i].name, hook);
                        if (p)
                                e = buf_printf(out, "  %-44s %12u %8u\n", name, p->instructions, p->verified);
                }
        return e;
}

static int result_text(const struct manifest *m, const struct test_result *r, struct buf *out) {
        const char *log = r->log.data ?: "";
        int e;

        e = buf_printf(out, "\n%-6s %s (%s)\n", r->code == 0 ? "ok" : "not ok", r->kernel[0] ? r->kernel : "?", r->asked);
        if (e == 0)
                e = lines_add(out, "  | ", r->said.data ?: "");
        /* What lsmpull said itself stands there already. */
        if (e == 0 && r->code != 0 && (!r->installed || r->reason == REASON_NOT_CONFIRMED))
                e = lines_add(out, "  ! ", r->message);
        if (e == 0 && *log)
                e = buf_printf(out, "  the verifier's log, its last lines (--json has more):\n");
        if (e == 0)
                e = lines_add(out, "  > ", last_lines(log, LOG_LINES));
        if (e == 0 && r->code == 0)
                e = hooks_text(r, out);
        if (e == 0 && r->code == 0)
                e = programs_text(m, r, out);
        if (e == 0 && r->denied)
                e = buf_printf(out, "  of %zu operations of the workload, %zu were denied\n", r->tried, r->denied);
        return e < 0 ? e : lines_add(out, "  note: ", r->notes.data ?: "");
}

int test_report_text(const struct manifest *m, const struct test_result *results, size_t n, struct buf *out) {
        size_t passed = 0;
        int e = buf_printf(out, "%s %s, release %ju, %zu polic%s, content id %s\n", m->name, m->version, (uintmax_t)m->release,
                           m->n_policies, m->n_policies == 1 ? "y" : "ies", m->content_hex);

        for (size_t i = 0; e == 0 && i < n; i++) {
                passed += results[i].code == 0;
                e = result_text(m, &results[i], out);
        }
        return e < 0 ? e : buf_printf(out, "\n%zu of %zu kernels passed\n", passed, n);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------ */

static json_t *hooks_json(const struct test_result *r) {
        json_t *list = json_array();

        for (size_t i = 0; i < r->n_hooks; i++) {
                const struct test_hook *h = &r->hooks[i];

                json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:s}", "hook", h->name, "calls", (json_int_t)h->calls,
                                                      "instructions", h->calls ? json_real(h->instructions) : json_null(),
                                                      "measured", h->by_workload ? "workload" : "all"));
        }
        return list;
}

static json_t *programs_json(const struct manifest *m, const struct test_result *r) {
        cleanup_free bool *used = new_array(r->n_programs, sizeof(*used));
        json_t *list = json_array();

        for (size_t i = 0; used && i < m->n_policies; i++)
                for (size_t k = 0; k < m->policies[i].n_programs; k++) {
                        const char *hook = m->policies[i].programs[k].hook;
                        const struct test_program *p = program_next(r, hook, used);

                        if (p)
                                json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "policy", m->policies[i].name,
                                                                      "hook", hook, "instructions", (json_int_t)p->instructions,
                                                                      "jited_bytes", (json_int_t)p->jited,
                                                                      "verified_instructions", (json_int_t)p->verified));
                }
        return list;
}

/* A line each. What is no UTF-8 is not kept. */
static json_t *lines_json(const struct buf *text) {
        const char *at = text->data ?: "";
        json_t *list = json_array();

        while (*at) {
                size_t n = strcspn(at, "\n");

                json_array_append_new(list, json_stringn(at, n));
                at += n + (at[n] == '\n');
        }
        return list;
}

static json_t *result_json(const struct manifest *m, const struct test_result *r) {
        return json_pack("{s:s, s:s, s:b, s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I}}", "asked", r->asked, "kernel",
                         r->kernel, "passed", r->code == 0, "code", r->code, "reason", reason_word(r->reason), "message",
                         r->message, "output", lines_json(&r->said), "verifier_log", lines_json(&r->log), "notes",
                         lines_json(&r->notes), "hooks", hooks_json(r), "programs", programs_json(m, r), "workload", "tried",
                         (json_int_t)r->tried, "denied", (json_int_t)r->denied);
}

json_t *test_report_json(const struct manifest *m, const struct test_result *results, size_t n) {
        json_t *list = json_array();

        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, result_json(m, &results[i]));
        return json_pack("{s:s, s:s, s:I, s:s, s:o}", "bundle", m->name, "version", m->version, "release", (json_int_t)m->release,
                         "content_id", m->content_hex, "kernels", list);
}
