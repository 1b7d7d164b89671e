/* SPDX-License-Identifier: Apache-2.0 */
#include "quarantine.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#include "record.h"
#include "text.h"

#define FILE_NAME "quarantine.json"
#define TYPE "lsm-quarantine"
#define FILE_MAX (4u << 20)

void quarantine_done(struct quarantine *q) {
        free(q->entries);
        *q = (struct quarantine){};
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static int entry_parse(const json_t *j, struct quarantine_entry *ret, struct err *err) {
        struct quarantine_entry e = {};
        int r;

        if (!json_is_object(j))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not an object");
        r = record_get_text(j, "bundle", e.bundle, sizeof(e.bundle), err);
        if (r >= 0)
                r = record_get_text(j, "content", e.content_hex, sizeof(e.content_hex), err);
        if (r >= 0)
                r = record_get_uint(j, "release", JSON_INT_MAX, &e.release, err);
        if (r >= 0)
                r = record_get_text(j, "kernel", e.kernel, sizeof(e.kernel), err);
        if (r >= 0)
                r = record_get_text(j, "agent", e.agent, sizeof(e.agent), err);
        if (r >= 0)
                r = record_get_text(j, "reason", e.reason, sizeof(e.reason), err);
        if (r >= 0)
                r = record_get_text(j, "message", e.message, sizeof(e.message), err);
        if (r >= 0)
                r = record_get_uint(j, "since", JSON_INT_MAX, &e.since, err);
        if (r < 0)
                return r;
        if (!name_valid(e.bundle) || !sha256_hex_valid(e.content_hex) || !*e.reason)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "without a bundle's name, a content id or a reason");
        *ret = e;
        return 0;
}

int quarantine_load(int state_fd, struct quarantine *ret, struct err *err) {
        cleanup_quarantine struct quarantine q = {};
        cleanup_json json_t *doc = NULL;
        json_t *entries;
        int r;

        r = record_load(state_fd, FILE_NAME, TYPE, FILE_MAX, &doc, err);
        if (r == -ENOENT) {
                *ret = q;
                return 0;
        }
        if (r < 0)
                return r;
        r = json_get_array(doc, "entries", &entries, err);
        if (r < 0)
                return err_wrap(err, r, FILE_NAME);
        if (json_array_size(entries) > QUARANTINE_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, FILE_NAME ": more than %d entries", QUARANTINE_MAX);
        q.entries = new_array(json_array_size(entries), sizeof(*q.entries));
        if (!q.entries)
                return err_errno(err, -ENOMEM, FILE_NAME);
        for (; q.n < json_array_size(entries); q.n++) {
                r = entry_parse(json_array_get(entries, q.n), &q.entries[q.n], err);
                if (r < 0)
                        return err_wrap(err, r, FILE_NAME ": entry %zu", q.n);
        }
        *ret = q;
        q = (struct quarantine){};
        return 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static json_t *entry_format(const struct quarantine_entry *e) {
        return json_pack("{ss ss sI so so so so sI}", "bundle", e->bundle, "content", e->content_hex, "release",
                         (json_int_t)e->release, "kernel", record_text(e->kernel), "agent", record_text(e->agent), "reason",
                         record_text(e->reason), "message", record_text(e->message), "since", (json_int_t)e->since);
}

static int quarantine_save(int state_fd, const struct quarantine *q, struct err *err) {
        cleanup_json json_t *entries = json_array(), *doc = NULL;

        for (size_t i = 0; i < q->n; i++)
                if (json_array_append_new(entries, entry_format(&q->entries[i])) < 0)
                        return err_errno(err, -ENOMEM, FILE_NAME);
        return record_save(state_fd, FILE_NAME, TYPE, json_pack("{sO}", "entries", entries), err);
}

static void entry_remove(struct quarantine *q, size_t i) {
        memmove(&q->entries[i], &q->entries[i + 1], (--q->n - i) * sizeof(*q->entries));
}

static bool same_key(const struct quarantine_entry *a, const struct quarantine_entry *b) {
        return streq(a->content_hex, b->content_hex) && streq(a->kernel, b->kernel) && streq(a->agent, b->agent);
}

static int entry_init(struct quarantine_entry *e, const char *bundle, const char *content_hex, uint64_t release,
                      const char *reason, const char *message, struct err *err) {
        struct utsname u;

        if (!name_valid(bundle) || !sha256_hex_valid(content_hex) || release > JSON_INT_MAX || !*reason)
                return err_set(err, -EINVAL, REASON_MALFORMED, FILE_NAME ": no such bundle, content id, release or reason");
        if (uname(&u) < 0)
                return err_errno(err, -errno, "uname");
        *e = (struct quarantine_entry){.release = release, .since = (uint64_t)time(NULL)};
        text_clean(e->bundle, sizeof(e->bundle), bundle);
        text_clean(e->content_hex, sizeof(e->content_hex), content_hex);
        text_clean(e->reason, sizeof(e->reason), reason);
        text_clean(e->message, sizeof(e->message), message ? message : "");
        if (!streq(reason, reason_word(REASON_OPERATOR))) {
                text_clean(e->kernel, sizeof(e->kernel), u.release);
                text_clean(e->agent, sizeof(e->agent), LSM_VERSION);
        }
        return 0;
}

int quarantine_add(int state_fd, const char *bundle, const char *content_hex, uint64_t release, const char *reason,
                   const char *message, struct err *err) {
        cleanup_quarantine struct quarantine q = {};
        struct quarantine_entry e, *entries;
        int r;

        r = entry_init(&e, bundle, content_hex, release, reason, message, err);
        if (r >= 0)
                r = quarantine_load(state_fd, &q, err);
        if (r < 0)
                return r;
        for (size_t i = q.n; i-- > 0;)
                if (same_key(&q.entries[i], &e))
                        entry_remove(&q, i);
        if (q.n >= QUARANTINE_MAX) /* in the order they came */
                entry_remove(&q, 0);
        entries = reallocarray(q.entries, q.n + 1, sizeof(*entries));
        if (!entries)
                return err_errno(err, -ENOMEM, FILE_NAME);
        q.entries = entries;
        q.entries[q.n++] = e;
        return quarantine_save(state_fd, &q, err);
}

int quarantine_forget(int state_fd, const char *bundle, struct err *err) {
        cleanup_quarantine struct quarantine q = {};
        int forgotten = 0, r;

        r = quarantine_load(state_fd, &q, err);
        if (r < 0)
                return r;
        for (size_t i = q.n; i-- > 0;)
                if (!bundle || streq(q.entries[i].bundle, bundle)) {
                        entry_remove(&q, i);
                        forgotten++;
                }
        if (forgotten == 0)
                return 0;
        r = quarantine_save(state_fd, &q, err);
        return r < 0 ? r : forgotten;
}

/* ---- judging -------------------------------------------------------------------------------------------------------- */

const struct quarantine_entry *quarantine_find(const struct quarantine *q, const char *content_hex) {
        struct utsname u = {};

        if (uname(&u) < 0) /* cannot fail with a valid pointer; then only what holds on any kernel is found */
                u = (struct utsname){};
        for (size_t i = q->n; i-- > 0;) {
                const struct quarantine_entry *e = &q->entries[i];

                if (!streq(e->content_hex, content_hex))
                        continue;
                if (!*e->kernel || (streq(e->kernel, u.release) && streq(e->agent, LSM_VERSION)))
                        return e;
        }
        return NULL;
}
