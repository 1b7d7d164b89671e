/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_entry.h"

#include "record.h"
#include "tuf_path.h"

int repo_entry_parse(const json_t *custom, struct repo_entry *ret, struct err *err) {
        struct repo_entry e = {};
        int r;

        if (!json_is_object(custom))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "it does not say which release it is (custom)");
        r = record_get_text(custom, "bundle", e.bundle, sizeof(e.bundle), err);
        if (r >= 0)
                r = record_get_text(custom, "version", e.version, sizeof(e.version), err);
        if (r >= 0)
                r = record_get_text(custom, "content", e.content_hex, sizeof(e.content_hex), err);
        if (r >= 0)
                r = record_get_uint(custom, "release", JSON_INT_MAX, &e.release, err);
        if (r >= 0 && json_object_get(custom, "floor"))
                r = record_get_uint(custom, "floor", JSON_INT_MAX, &e.floor, err);
        if (r < 0)
                return err_wrap(err, r, "custom");
        if (!name_valid(e.bundle) || e.release == 0 || hex_decode(e.content_hex, e.content, SHA256_SIZE) < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "custom: no bundle, no release or no content id");
        *ret = e;
        return 0;
}

int repo_entry_find(const struct papers *papers, struct tuf_trust *trust, const char *path, struct repo_entry *ret,
                    struct buf *ret_file, struct err *err) {
        struct tuf_target target;
        int r = papers_target(papers, trust, path, &target, err);

        if (r >= 0)
                r = repo_entry_parse(target.custom, ret, err);
        if (r >= 0 && ret_file)
                r = tuf_path_check(path, err);
        if (r >= 0 && ret_file)
                r = tuf_target_name(path, tuf_trust_consistent(trust) ? target.hash : NULL, ret_file, err);
        return r < 0 ? err_wrap(err, r, "'%s'", path) : 0;
}

uint64_t repo_floor(const struct papers *papers, struct tuf_trust *trust, const char *path, const char *bundle) {
        struct tuf_document document;
        struct tuf_target target;
        const char *name;
        json_t *entry;
        uint64_t floor = 0;

        if (papers_target(papers, trust, path, &target, NULL) < 0 || tuf_trust_document(trust, target.document, &document) < 0)
                return 0;
        json_object_foreach(json_object_get(document.signed_part, "targets"), name, entry) {
                struct repo_entry e;

                if (repo_entry_parse(json_object_get(entry, "custom"), &e, NULL) >= 0 && streq(e.bundle, bundle) &&
                    e.floor > floor)
                        floor = e.floor;
        }
        return floor;
}
