/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>

#include "fault.h"
#include "fileio.h"
#include "journal_seen.h"
#include "lsm_abi.h"
#include "manifest.h"
#include "record.h"
#include "text.h"

#define FOLDER "journal"
#define TYPE "lsm-journal"
#define JOURNAL_MAX (64u * 1024)
#define BOOT_ID_LEN 36

static const char *const step_words[] = {
        [STEP_NONE] = "none",         [STEP_STAGING] = "staging", [STEP_PROBING] = "probing",
        [STEP_FLIPPING] = "flipping", [STEP_PENDING] = "pending", [STEP_CONFIRMING] = "confirming",
};

const char *journal_step_word(enum journal_step step) {
        return (size_t)step < ARRAY_SIZE(step_words) ? step_words[step] : "";
}

/* ---- what a journal may say ----------------------------------------------------------------------------------------- */

bool boot_id_valid(const char *id) {
        return !*id || (strlen(id) == BOOT_ID_LEN && strspn(id, "0123456789abcdef-") == BOOT_ID_LEN);
}

static bool gen_valid(const struct journal_gen *g) {
        return !g->present || (sha256_hex_valid(g->content_hex) && version_valid(g->version) && g->release <= JSON_INT_MAX &&
                               g->slot < LSM_SLOTS && g->since <= JSON_INT_MAX);
}

/* One judgement for both directions: what would be refused at the next start is not written either. */
static const char *journal_fault(const struct journal *j) {
        if (!name_valid(j->bundle))
                return "no bundle's name";
        if (!boot_id_valid(j->boot_id))
                return "no boot id";
        if (!gen_valid(&j->confirmed) || !gen_valid(&j->previous) || !gen_valid(&j->staged))
                return "a generation without a valid content id, version or slot";
        if (!*journal_step_word(j->step) || (j->step != STEP_NONE && !j->staged.present))
                return "a step without a staged generation";
        if (*j->left_reason && *j->left_content && !sha256_hex_valid(j->left_content))
                return "no content id of the release that was left";
        if (j->left_release > JSON_INT_MAX || j->highest_release > JSON_INT_MAX)
                return "a release beyond 2^53";
        return NULL;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static int gen_parse(const json_t *doc, const char *key, struct journal_gen *ret, struct err *err) {
        struct journal_gen g = {.present = true};
        uint64_t slot;
        json_t *j;
        int r;

        if (!json_object_get(doc, key))
                return 0;
        r = json_get_object(doc, key, &j, err);
        if (r >= 0)
                r = record_get_text(j, "content", g.content_hex, sizeof(g.content_hex), err);
        if (r >= 0)
                r = record_get_text(j, "version", g.version, sizeof(g.version), err);
        if (r >= 0)
                r = record_get_uint(j, "release", JSON_INT_MAX, &g.release, err);
        if (r >= 0)
                r = record_get_uint(j, "slot", LSM_SLOTS - 1, &slot, err);
        if (r >= 0)
                r = record_get_uint(j, "since", JSON_INT_MAX, &g.since, err);
        if (r < 0)
                return err_wrap(err, r, "'%s'", key);
        if (json_object_get(j, "audit") && !json_is_boolean(json_object_get(j, "audit")))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s': 'audit' is not true or false", key);
        g.audit = json_is_true(json_object_get(j, "audit"));
        if (json_object_get(j, "lowered"))
                r = record_get_text(j, "lowered", g.lowered, sizeof(g.lowered), err);
        if (r < 0)
                return err_wrap(err, r, "'%s'", key);
        g.slot = (uint32_t)slot;
        *ret = g;
        return 0;
}

static int left_parse(const json_t *doc, struct journal *j, struct err *err) {
        json_t *left;
        int r;

        if (!json_object_get(doc, "left"))
                return 0;
        r = json_get_object(doc, "left", &left, err);
        if (r >= 0)
                r = record_get_text(left, "reason", j->left_reason, sizeof(j->left_reason), err);
        if (r >= 0)
                r = record_get_text(left, "message", j->left_message, sizeof(j->left_message), err);
        if (r >= 0)
                r = record_get_text(left, "content", j->left_content, sizeof(j->left_content), err);
        if (r >= 0)
                r = record_get_uint(left, "release", JSON_INT_MAX, &j->left_release, err);
        return r < 0 ? err_wrap(err, r, "'left'") : 0;
}

static int journal_parse(const json_t *doc, const char *bundle, struct journal *ret, struct err *err) {
        struct journal j = {};
        const json_t *removed = json_object_get(doc, "removed");
        const char *fault;
        uint64_t attempts;
        size_t step;
        int r;

        r = record_get_text(doc, "bundle", j.bundle, sizeof(j.bundle), err);
        if (r >= 0)
                r = record_get_text(doc, "boot_id", j.boot_id, sizeof(j.boot_id), err);
        if (r >= 0)
                r = gen_parse(doc, "confirmed", &j.confirmed, err);
        if (r >= 0)
                r = gen_parse(doc, "previous", &j.previous, err);
        if (r >= 0)
                r = gen_parse(doc, "staged", &j.staged, err);
        if (r >= 0)
                r = record_get_word(doc, "step", step_words, ARRAY_SIZE(step_words), &step, err);
        if (r >= 0)
                r = record_get_uint(doc, "attempts", UINT32_MAX, &attempts, err);
        if (r >= 0)
                r = left_parse(doc, &j, err);
        if (r >= 0)
                r = record_get_uint(doc, "highest_release", JSON_INT_MAX, &j.highest_release, err);
        if (r >= 0)
                r = seen_parse(doc, &j, err);
        if (r < 0)
                return r;
        if (!json_is_boolean(removed))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'removed' is not true or false");
        j.step = (enum journal_step)step;
        j.attempts = (uint32_t)attempts;
        j.removed = json_is_true(removed);
        if (!streq(j.bundle, bundle))
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "this is the journal of '%s'", j.bundle);
        fault = journal_fault(&j);
        if (fault)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", fault);
        *ret = j;
        return 0;
}

int journal_load(int state_fd, const char *bundle, struct journal *ret, struct err *err) {
        cleanup_json json_t *doc = NULL;
        char name[RECORD_NAME_LEN];
        cleanup_fd int dir = record_place(state_fd, FOLDER, bundle, false, name, err);
        int r;

        if (dir < 0)
                return dir;
        r = record_load(dir, name, TYPE, JOURNAL_MAX, &doc, err);
        if (r >= 0) {
                r = journal_parse(doc, bundle, ret, err);
                if (r < 0)
                        err_wrap(err, r, "%s", name);
        }
        return r < 0 ? err_wrap(err, r, FOLDER) : 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

/* Adds an object or a value; NULL means there was no memory for it. */
static int put(json_t *doc, const char *key, json_t *value) {
        return json_object_set_new(doc, key, value) < 0 ? -ENOMEM : 0;
}

static int gen_put(json_t *doc, const char *key, const struct journal_gen *g) {
        json_t *gen;

        if (!g->present)
                return 0;
        gen = json_pack("{ss ss sI sI sI sb}", "content", g->content_hex, "version", g->version, "release",
                        (json_int_t)g->release, "slot", (json_int_t)g->slot, "since", (json_int_t)g->since, "audit", g->audit);
        if (gen && *g->lowered && put(gen, "lowered", json_string(g->lowered)) < 0) {
                json_decref(gen);
                gen = NULL;
        }
        return put(doc, key, gen);
}

static int left_put(json_t *doc, const struct journal *j) {
        if (!*j->left_reason)
                return 0;
        return put(doc, "left",
                   json_pack("{so so ss sI}", "reason", record_text(j->left_reason), "message", record_text(j->left_message),
                             "content", j->left_content, "release", (json_int_t)j->left_release));
}

static json_t *journal_format(const struct journal *j) {
        cleanup_json json_t *doc = json_pack("{ss ss ss sI sI sb}", "bundle", j->bundle, "boot_id", j->boot_id, "step",
                                             journal_step_word(j->step), "attempts", (json_int_t)j->attempts, "highest_release",
                                             (json_int_t)j->highest_release, "removed", j->removed);

        if (!doc || gen_put(doc, "confirmed", &j->confirmed) < 0 || gen_put(doc, "previous", &j->previous) < 0 ||
            gen_put(doc, "staged", &j->staged) < 0 || left_put(doc, j) < 0 || put(doc, "seen", seen_format(j)) < 0)
                return NULL;
        return steal_pointer(doc);
}

static void step_fault(enum journal_step step, const char *when) {
        char name[64];

        snprintf(name, sizeof(name), "journal:%s:%s", journal_step_word(step), when);
        fault_point(name);
}

int journal_save(int state_fd, const struct journal *j, struct err *err) {
        const char *fault = journal_fault(j);
        cleanup_fd int dir = -1;
        char name[RECORD_NAME_LEN];
        int r;

        if (fault)
                return err_set(err, -EINVAL, REASON_MALFORMED, FOLDER ": %s", fault);
        dir = record_place(state_fd, FOLDER, j->bundle, true, name, err);
        if (dir < 0)
                return dir;
        step_fault(j->step, "before");
        r = record_save(dir, name, TYPE, journal_format(j), err);
        if (r < 0)
                return err_wrap(err, r, FOLDER);
        step_fault(j->step, "after");
        return 0;
}

int journal_delete(int state_fd, const char *bundle, struct err *err) {
        return record_delete(state_fd, FOLDER, bundle, err);
}

/* ---- all of them ---------------------------------------------------------------------------------------------------- */

int journal_list(int state_fd, char ***ret, size_t *ret_n, struct err *err) {
        return record_list(state_fd, FOLDER, ret, ret_n, err);
}

int boot_id_read(char ret[static 37], struct err *err) {
        cleanup_buf struct buf b = {};
        int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 4096, &b, err);

        if (r < 0)
                return r;
        if (b.len < BOOT_ID_LEN)
                return err_set(err, -EBADMSG, REASON_NONE, "the kernel's boot id has %zu characters", b.len);
        b.data[BOOT_ID_LEN] = 0;
        if (!boot_id_valid(b.data))
                return err_set(err, -EBADMSG, REASON_NONE, "the kernel's boot id is '%s'", b.data);
        memcpy(ret, b.data, BOOT_ID_LEN + 1);
        return 0;
}
