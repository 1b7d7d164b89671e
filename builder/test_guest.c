/* SPDX-License-Identifier: Apache-2.0 */
#include "test_guest.h"

#include <inttypes.h>
#include <stdio.h>

#define HOOKS_MAX 1024
#define VM_TIMEOUT 124
#define VM_DIED 125

void test_result_done(struct test_result *r) {
        buf_done(&r->said);
        buf_done(&r->log);
        buf_done(&r->notes);
        free(r->hooks);
        free(r->programs);
}

/* One more element, zeroed; NULL: no memory, or more than any bundle has. */
static void *array_add(void *array, size_t *n, size_t size) {
        char *a = *n < HOOKS_MAX ? reallocarray(*(void **)array, *n + 1, size) : NULL;

        if (!a)
                return NULL;
        *(void **)array = a;
        memset(a + *n * size, 0, size);
        return a + (*n)++ * size;
}

/* ---- lines ----------------------------------------------------------------------------------------------------------- */

struct empty {
        uint64_t calls, ns;
};

static int hook_read(struct test_result *r, const struct empty *empty, const char *text) {
        char name[64], how[16];
        uint64_t calls, ns;
        struct test_hook *h;
        double each;

        if (sscanf(text, "%63s %" SCNu64 " %" SCNu64 " %15s", name, &calls, &ns, how) != 4)
                return 0;
        h = array_add(&r->hooks, &r->n_hooks, sizeof(*h));
        if (!h)
                return -ENOMEM;
        each = calls ? (double)ns / (double)calls : 0;
        if (empty->calls)
                each -= (double)empty->ns / (double)empty->calls;
        *h = (struct test_hook){.calls = calls, .instructions = each > 0 ? each : 0, .by_workload = streq(how, "workload")};
        memcpy(h->name, name, sizeof(name));
        return 0;
}

static int program_read(struct test_result *r, const char *text) {
        struct test_program read = {}, *p;

        if (sscanf(text, "%63s %u %u %u", read.hook, &read.instructions, &read.jited, &read.verified) != 4)
                return 0;
        p = array_add(&r->programs, &r->n_programs, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = read;
        return 0;
}

/* What follows the word, or NULL. */
static const char *after(const char *line, const char *word) {
        size_t n = strlen(word);

        if (strncmp(line, word, n) != 0 || (line[n] && line[n] != ' '))
                return NULL;
        return line[n] ? line + n + 1 : line + n;
}

static int line_read(struct test_result *r, struct empty *empty, const char *line) {
        const char *text;

        if ((text = after(line, "@out")))
                return buf_printf(&r->said, "%s\n", text);
        if ((text = after(line, "@log")))
                return buf_printf(&r->log, "%s\n", text);
        if ((text = after(line, "@note")))
                return buf_printf(&r->notes, "%s\n", text);
        if ((text = after(line, "@hook")))
                return hook_read(r, empty, text);
        if ((text = after(line, "@program")))
                return program_read(r, text);
        if ((text = after(line, "@kernel")))
                snprintf(r->kernel, sizeof(r->kernel), "%s", text);
        else if ((text = after(line, "@install")))
                r->installed = sscanf(text, "%d", &r->code) == 1;
        else if ((text = after(line, "@empty")))
                sscanf(text, "%" SCNu64 " %" SCNu64, &empty->calls, &empty->ns);
        else if ((text = after(line, "@workload")))
                sscanf(text, "%zu %zu", &r->tried, &r->denied);
        return 0;
}

static int lines_read(struct test_result *r, const struct buf *text) {
        struct empty empty = {};
        const char *at = text->data ?: "";
        int e = 0;

        while (e == 0 && *at) {
                size_t n = strcspn(at, "\n");
                cleanup_free char *line = strndup(at, n);

                e = line ? line_read(r, &empty, line) : -ENOMEM;
                at += n + (at[n] == '\n');
        }
        return e;
}

/* ---- judgement ------------------------------------------------------------------------------------------------------- */

/* "lsmpull: failed: WORD: WHY" or "lsmpull: refused: WORD: WHY", and the lines that follow; else the last line that there is. */
static void reason_find(struct test_result *r) {
        static const char *const starts[] = {"lsmpull: failed: ", "lsmpull: refused: ", "lsmpull: "};
        const char *text = r->said.data ?: "", *at = NULL, *colon;
        char word[64];
        size_t n;

        for (size_t i = 0; !at && i < ARRAY_SIZE(starts); i++)
                if ((at = strstr(text, starts[i])))
                        at += strlen(starts[i]);
        if (!at)
                at = *text ? text : "lsmpull said nothing";
        colon = strstr(at, ": ");
        snprintf(word, sizeof(word), "%.*s", colon ? (int)(colon - at) : 0, at);
        r->reason = *word ? reason_from_word(word) : REASON_NONE;
        if (r->reason != REASON_NONE)
                at = colon + 2;
        snprintf(r->message, sizeof(r->message), "%s", at);
        n = strlen(r->message);
        while (n > 0 && r->message[n - 1] == '\n')
                r->message[--n] = '\0';
        /* 1 without a reason is lsmpull's own trouble; a signal or no program at all is, too. */
        if (r->code < 0 || r->code > 4)
                r->code = 1;
}

/* A kernel that came up and did not come to an end was stopped by what it ran. */
static void ending_judge(struct test_result *r, int status, const struct buf *vm_text) {
        const char *how = status == VM_TIMEOUT ? "did not end in time" : status == VM_DIED ? "died" : "did not end";
        bool booted = r->kernel[0] && (status == VM_TIMEOUT || status == VM_DIED);

        r->reason = booted ? REASON_NOT_CONFIRMED : REASON_NONE;
        r->code = reason_exit_code(r->reason);
        if (booted)
                snprintf(r->message, sizeof(r->message), "the guest %s %s\n%s", how,
                         r->installed ? "with the bundle in force" : "while the bundle was being installed", vm_text->data ?: "");
        else
                snprintf(r->message, sizeof(r->message), "%s (%d):\n%s",
                         r->kernel[0] ? "the virtual machine did not come to its end" : "it could not be booted", status,
                         vm_text->data ?: "");
}

int test_result_read(struct test_result *r, const struct buf *text, int status, const struct buf *vm_text) {
        int e = lines_read(r, text);

        if (e < 0)
                return e;
        if (!r->installed || status != 0)
                ending_judge(r, status, vm_text);
        else if (r->code != 0)
                reason_find(r);
        return 0;
}
