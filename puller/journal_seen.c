/* SPDX-License-Identifier: Apache-2.0 */
#include "journal_seen.h"

#include "record.h"

const char *journal_seen(const struct journal *j, uint64_t release) {
        for (size_t i = 0; i < j->n_seen; i++)
                if (j->seen[i].release == release)
                        return j->seen[i].content_hex;
        return NULL;
}

void journal_see(struct journal *j, uint64_t release, const char *content_hex) {
        size_t at = 0;

        if (journal_seen(j, release))
                return;
        while (at < j->n_seen && j->seen[at].release > release)
                at++;
        if (at == JOURNAL_SEEN_MAX)
                return;
        if (j->n_seen == JOURNAL_SEEN_MAX)
                j->n_seen--;
        memmove(&j->seen[at + 1], &j->seen[at], (j->n_seen - at) * sizeof(*j->seen));
        j->seen[at] = (struct journal_seen){.release = release};
        memcpy(j->seen[at].content_hex, content_hex, sizeof(j->seen[at].content_hex));
        j->n_seen++;
}

int seen_parse(const json_t *doc, struct journal *j, struct err *err) {
        json_t *list = json_object_get(doc, "seen"), *entry;
        size_t i;

        if (!list)
                return 0;
        if (!json_is_array(list) || json_array_size(list) > JOURNAL_SEEN_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'seen' is no list of at most %d releases", JOURNAL_SEEN_MAX);
        json_array_foreach(list, i, entry) {
                uint64_t release;
                char content[SHA256_HEX];
                int r = record_get_uint(entry, "release", JSON_INT_MAX, &release, err);

                if (r >= 0)
                        r = record_get_text(entry, "content", content, sizeof(content), err);
                if (r >= 0 && !sha256_hex_valid(content))
                        r = err_set(err, -EBADMSG, REASON_MALFORMED, "no content id");
                if (r < 0)
                        return err_wrap(err, r, "'seen'");
                journal_see(j, release, content);
        }
        return 0;
}

json_t *seen_format(const struct journal *j) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < j->n_seen; i++)
                json_array_append_new(
                        list, json_pack("{sI ss}", "release", (json_int_t)j->seen[i].release, "content", j->seen[i].content_hex));
        return list;
}
