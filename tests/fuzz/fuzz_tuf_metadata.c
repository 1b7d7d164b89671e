/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of metadata, and the search for a target in it: the input's lines are documents whose signatures are taken as checked
 * (fuzz_tuf_trust.c makes real ones, and is slower for it). The first of each kind is a top-level role's; further targets are
 * those of the delegated roles, in the order in which the search wants them.
 */
#include "fuzz.h"
#include "tuf_set.h"

static bool is(const json_t *j, const char *type) {
        const char *found = json_string_value(json_object_get(j, "_type"));

        return found && strcmp(found, type) == 0;
}

/* At most one kind of document is what a document is. */
static bool kind_of(const json_t *j, enum tuf_type *ret, struct tuf_common *ret_common) {
        bool found = false;

        for (enum tuf_type type = TUF_ROOT; type <= TUF_TARGETS; type++) {
                struct tuf_common common = {};
                struct err err = {};

                if (tuf_metadata_check(j, type, &common, &err) < 0) {
                        must(err.reason == REASON_MALFORMED || err.reason == REASON_WRONG_TYPE ||
                             err.reason == REASON_UNSUPPORTED_FORMAT);
                        continue;
                }
                must(!found && is(j, tuf_type_name(type)) && common.version >= 1);
                must(common.issued == 0 || type == TUF_TIMESTAMP);
                found = true;
                *ret = type;
                *ret_common = common;
        }
        return found;
}

static bool next(const uint8_t **data, size_t *size, struct tuf_doc *ret, enum tuf_type *ret_type) {
        while (*size) {
                const uint8_t *end = memchr(*data, '\n', *size);
                size_t n = end ? (size_t)(end - *data) : *size;
                cleanup_json json_t *j = NULL;
                bool good = json_parse_foreign(*data, n, &j, NULL) == 0 && kind_of(j, ret_type, &ret->common);

                *data += end ? n + 1 : n;
                *size -= end ? n + 1 : n;
                if (good) {
                        ret->json = steal_pointer(j);
                        return true;
                }
        }
        return false;
}

static void search(struct tuf_trust *t, const uint8_t *data, size_t size, const char *path) {
        struct tuf_target target;
        struct tuf_want want;
        struct err err = {};
        int r;

        while ((r = tuf_trust_find(t, path, &target, &want, &err)) == -EAGAIN) {
                struct tuf_doc d = {.parent = want.parent};
                const json_t *keys, *role;
                enum tuf_type type;

                must(memchr(want.role, 0, sizeof(want.role)) && want.version >= 1 && want.max <= TUF_TARGETS_MAX);
                must(tuf_set_delegation(t, want.parent, want.role, &keys, &role));
                must(t->n_delegated < TUF_VISITS_MAX);
                if (!next(&data, &size, &d, &type))
                        return;
                d.role = strdup(want.role);
                must(d.role);
                t->docs[TUF_TOP + t->n_delegated++] = d;
                if (type != TUF_TARGETS)
                        return;
        }
        must(r == 0 || r == -ENOENT || r == -ENAMETOOLONG || err.reason == REASON_MIXED_METADATA);
        if (r == 0)
                must(target.length >= 0 && target.entry && target.role && (!target.hash || strlen(target.hash) >= 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_tuf_trust struct tuf_trust *t = calloc(1, sizeof(*t));
        struct tuf_doc d = {};
        enum tuf_type type = TUF_ROOT;

        must(t);
        while (!t->docs[TUF_TARGETS].json && next(&data, &size, &d, &type)) {
                if (t->docs[type].json) {
                        json_decref(d.json);
                } else {
                        d.role = strdup(tuf_type_name(type));
                        must(d.role);
                        t->docs[type] = d;
                }
                d = (struct tuf_doc){};
        }
        if (!t->docs[TUF_TARGETS].json)
                return 0;
        search(t, data, size, "a/b");
        tuf_trust_forget(t);
        search(t, data, size, "x");
        return 0;
}
