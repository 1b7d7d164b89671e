/* SPDX-License-Identifier: Apache-2.0 */
#include "pause.h"

#include "record.h"

#define RECORD "pause.json"
#define RECORD_TYPE "lsm-pause"
#define RECORD_MAX 4096

void pause_load(const struct node *n, struct pause *ret) {
        cleanup_json json_t *doc = NULL;
        struct pause p = {.paused = true};
        int r = record_load(n->state_fd, RECORD, RECORD_TYPE, RECORD_MAX, &doc, NULL);

        if (r >= 0) {
                record_get_uint(doc, "until", JSON_INT_MAX, &p.until, NULL);
                record_get_uint(doc, "since", JSON_INT_MAX, &p.since, NULL);
        }
        if (r == -ENOENT || (p.until && p.until <= now_seconds()))
                p = (struct pause){0};
        *ret = p;
}

int pause_set(const struct node *n, int64_t for_ns, struct err *err) {
        uint64_t now = now_seconds();
        json_t *doc =
                json_pack("{s:I, s:I}", "until", (json_int_t)(for_ns ? now + (uint64_t)((for_ns + 999999999) / 1000000000) : 0),
                          "since", (json_int_t)now);

        return record_save(n->state_fd, RECORD, RECORD_TYPE, doc, err);
}

int pause_clear(const struct node *n, struct err *err) {
        return unlinkat(n->state_fd, RECORD, 0) < 0 && errno != ENOENT ? err_errno(err, -errno, "cannot resume") : 0;
}
