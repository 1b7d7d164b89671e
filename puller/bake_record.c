/* SPDX-License-Identifier: Apache-2.0 */
#include "bake_record.h"

#include <stdio.h>

#include "fault.h"
#include "journal.h"
#include "manifest.h"
#include "record.h"

#define FOLDER "bake"
#define TYPE "lsm-bake"
#define BAKE_MAX 8192

static const char *const step_words[] = {
        [BAKE_STARTING] = "starting",
        [BAKE_RUNNING] = "running",
        [BAKE_DONE] = "done",
        [BAKE_FAILED] = "failed",
};

const char *bake_step_word(enum bake_step step) {
        return (size_t)step < ARRAY_SIZE(step_words) ? step_words[step] : "";
}

/* One judgement for both directions: what would be refused at the next start is not written either. */
static const char *record_fault(const struct bake_record *b) {
        const uint64_t numbers[] = {b->release, b->started, b->started_clock, b->for_s, b->allow, b->seconds, b->would_deny};

        if (!*bake_step_word(b->step))
                return "no such step";
        if (!sha256_hex_valid(b->content_hex) || !version_valid(b->version))
                return "no valid content id or version";
        if (*b->base_hex && !sha256_hex_valid(b->base_hex))
                return "no valid content id of what was in force";
        if (!*b->boot_id || !boot_id_valid(b->boot_id))
                return "no boot id";
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (numbers[i] > JSON_INT_MAX)
                        return "a number beyond 2^53";
        return NULL;
}

static int bake_parse(const json_t *doc, const char *bundle, struct bake_record *ret, struct err *err) {
        struct bake_record b = {.present = true};
        const struct {
                const char *key;
                uint64_t *value;
        } numbers[] = {
                {"release", &b.release}, {"started", &b.started}, {"started_clock", &b.started_clock}, {"for", &b.for_s},
                {"allow", &b.allow},     {"seconds", &b.seconds}, {"would_deny", &b.would_deny},
        };
        const struct {
                const char *key;
                char *value;
                size_t size;
        } texts[] = {
                {"content", b.content_hex, sizeof(b.content_hex)},
                {"version", b.version, sizeof(b.version)},
                {"base", b.base_hex, sizeof(b.base_hex)},
                {"boot_id", b.boot_id, sizeof(b.boot_id)},
        };
        const char *fault;
        char name[64];
        size_t step;
        int r;

        r = record_get_text(doc, "bundle", name, sizeof(name), err);
        if (r >= 0 && !streq(name, bundle))
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "this is the bake of '%s'", name);
        if (r >= 0)
                r = record_get_word(doc, "step", step_words, ARRAY_SIZE(step_words), &step, err);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
                r = record_get_text(doc, texts[i].key, texts[i].value, texts[i].size, err);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++)
                r = record_get_uint(doc, numbers[i].key, JSON_INT_MAX, numbers[i].value, err);
        if (r < 0)
                return r;
        b.step = (enum bake_step)step;
        fault = record_fault(&b);
        if (fault)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", fault);
        *ret = b;
        return 0;
}

int bake_record_load(int state_fd, const char *bundle, struct bake_record *ret, struct err *err) {
        cleanup_json json_t *doc = NULL;
        char name[RECORD_NAME_LEN];
        cleanup_fd int dir = record_place(state_fd, FOLDER, bundle, false, name, err);
        int r;

        if (dir < 0)
                return dir;
        r = record_load(dir, name, TYPE, BAKE_MAX, &doc, err);
        if (r >= 0) {
                r = bake_parse(doc, bundle, ret, err);
                if (r < 0)
                        err_wrap(err, r, "%s", name);
        }
        return r < 0 ? err_wrap(err, r, FOLDER) : 0;
}

static void step_fault(enum bake_step step, const char *when) {
        char name[64];

        snprintf(name, sizeof(name), "bake:%s:%s", bake_step_word(step), when);
        fault_point(name);
}

int bake_record_save(int state_fd, const char *bundle, const struct bake_record *b, struct err *err) {
        const char *fault = record_fault(b);
        char name[RECORD_NAME_LEN];
        cleanup_fd int dir = fault ? -1 : record_place(state_fd, FOLDER, bundle, true, name, err);
        int r;

        if (fault)
                return err_set(err, -EINVAL, REASON_MALFORMED, FOLDER ": %s", fault);
        if (dir < 0)
                return dir;
        step_fault(b->step, "before");
        r = record_save(dir, name, TYPE,
                        json_pack("{ss ss ss ss ss ss sI sI sI sI sI sI sI}", "bundle", bundle, "step", bake_step_word(b->step),
                                  "content", b->content_hex, "version", b->version, "base", b->base_hex, "boot_id", b->boot_id,
                                  "release", (json_int_t)b->release, "started", (json_int_t)b->started, "started_clock",
                                  (json_int_t)b->started_clock, "for", (json_int_t)b->for_s, "allow", (json_int_t)b->allow,
                                  "seconds", (json_int_t)b->seconds, "would_deny", (json_int_t)b->would_deny),
                        err);
        if (r < 0)
                return err_wrap(err, r, FOLDER);
        step_fault(b->step, "after");
        return 0;
}

int bake_record_delete(int state_fd, const char *bundle, struct err *err) {
        return record_delete(state_fd, FOLDER, bundle, err);
}

int bake_record_list(int state_fd, char ***ret, size_t *ret_n, struct err *err) {
        return record_list(state_fd, FOLDER, ret, ret_n, err);
}
