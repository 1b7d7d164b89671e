/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"
#include "manifest_parser.h"

void manifest_free(struct manifest *m) {
        if (!m)
                return;
        for (size_t i = 0; i < m->n_policies; i++) {
                struct manifest_policy *p = &m->policies[i];

                for (size_t k = 0; k < p->n_programs; k++) {
                        free(p->programs[k].name);
                        free(p->programs[k].hook);
                }
                for (size_t k = 0; k < p->n_maps; k++) {
                        free(p->maps[k].name);
                        free(p->maps[k].type);
                }
                free(p->programs);
                free(p->maps);
                free(p->name);
        }
        for (size_t i = 0; i < m->n_members; i++)
                free(m->members[i].path);
        free(m->policies);
        free(m->members);
        free(m->name);
        free(m->version);
        json_decref(m->doc);
        free(m);
}

int manifest_string_parse(struct manifest_parser *ps, const json_t *j, const char *key, bool (*valid)(const char *), char **ret) {
        const char *s;
        char *copy;
        int r;

        r = json_get_string(j, key, &s, ps->err);
        if (r < 0)
                return r;
        if (valid && !valid(s))
                return malformed(ps, "'%s': '%s' has not the form it should have", key, s);
        copy = strdup(s);
        if (!copy)
                return err_errno(ps->err, -ENOMEM, "manifest");
        *ret = copy;
        return 0;
}

int manifest_u32_parse(struct manifest_parser *ps, const json_t *j, const char *key, uint32_t min, uint32_t *ret) {
        long long v;
        int r;

        r = json_get_int(j, key, min, UINT32_MAX, &v, ps->err);
        if (r >= 0)
                *ret = (uint32_t)v;
        return r;
}

int manifest_array_open(struct manifest_parser *ps, const json_t *j, const char *key, size_t max, size_t size, json_t **ret,
                        void *ret_elems) {
        json_t *a, *v;
        void *p;
        size_t i;
        int r;

        r = json_get_array(j, key, &a, ps->err);
        if (r < 0)
                return r;
        if (json_array_size(a) > max)
                return malformed(ps, "'%s' has more than %zu entries", key, max);
        json_array_foreach(a, i, v) if (!json_is_object(v)) return malformed(ps, "'%s' holds something that is not an object",
                                                                             key);
        p = new_array(json_array_size(a), size);
        if (!p)
                return err_errno(ps->err, -ENOMEM, "manifest");
        memcpy(ret_elems, &p, sizeof(p)); /* the caller's pointer has a type of its own */
        *ret = a;
        return 0;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

/* Kinds in the archive's order; -1: no such kind. */
static int member_rank(const char *path) {
        static const char *const folders[] = {"objects/", "seeds/", "sources/"};

        if (streq(path, SELFTESTS_PATH))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (strncmp(path, folders[i], strlen(folders[i])) == 0)
                        return (int)i + 1;
        return -1;
}

static int path_compare(const char *a, const char *b) {
        int x = member_rank(a), y = member_rank(b);

        return x != y ? x - y : strcmp(a, b);
}

static int member_compare(const void *key, const void *elem) {
        return path_compare(key, ((const struct manifest_member *)elem)->path);
}

static int member_parse(struct manifest_parser *ps, const json_t *j, struct manifest_member *ret) {
        const char *hex;
        long long length;
        int r;

        r = manifest_string_parse(ps, j, "path", NULL, &ret->path);
        if (r < 0)
                return r;
        if (!member_path_safe(ret->path))
                return err_set(ps->err, -EBADMSG, REASON_UNSAFE_PATH, "'%s' is not a safe path", ret->path);
        if (member_rank(ret->path) < 0)
                return malformed(ps, "'%s' is no kind of member that this format knows", ret->path);
        r = json_get_int(j, "length", 0, JSON_INT_MAX, &length, ps->err);
        if (r < 0)
                return err_wrap(ps->err, r, "%s", ret->path);
        ret->length = (uint64_t)length;
        r = json_get_string(j, "sha256", &hex, ps->err);
        if (r < 0)
                return err_wrap(ps->err, r, "%s", ret->path);
        if (hex_decode(hex, ret->sha256, sizeof(ret->sha256)) < 0)
                return malformed(ps, "%s: 'sha256' is not 64 lower-case hex digits", ret->path);
        return 0;
}

static int members_parse(struct manifest_parser *ps) {
        struct manifest *m = ps->m;
        json_t *a, *v;
        size_t i;
        int r;

        if (json_array_size(json_object_get(m->doc, "members")) > MEMBERS_MAX)
                return err_set(ps->err, -EFBIG, REASON_TOO_LARGE, "more than %d members", MEMBERS_MAX);
        r = manifest_array_open(ps, m->doc, "members", MEMBERS_MAX, sizeof(*m->members), &a, &m->members);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) {
                int order;

                m->n_members = i + 1;
                r = member_parse(ps, v, &m->members[i]);
                if (r < 0)
                        return err_wrap(ps->err, r, "member");
                order = i > 0 ? path_compare(m->members[i - 1].path, m->members[i].path) : -1;
                if (order == 0)
                        return err_set(ps->err, -EBADMSG, REASON_DUPLICATE_MEMBER, "'%s' is listed twice", m->members[i].path);
                if (order > 0)
                        return err_set(ps->err, -EBADMSG, REASON_WRONG_ORDER, "'%s' is listed after '%s'", m->members[i].path,
                                       m->members[i - 1].path);
        }
        if (m->n_members == 0 || !streq(m->members[0].path, SELFTESTS_PATH))
                return err_set(ps->err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is not listed", SELFTESTS_PATH);
        m->selftests = 0;
        ps->used = new_array(m->n_members, sizeof(*ps->used));
        return ps->used ? 0 : err_errno(ps->err, -ENOMEM, "manifest");
}

int manifest_reference_parse(struct manifest_parser *ps, const json_t *j, const char *key, const char *want, size_t *ret) {
        const struct manifest_member *found;
        const char *path;
        size_t i;
        int r;

        r = json_get_string(j, key, &path, ps->err);
        if (r < 0)
                return r;
        if (!streq(path, want))
                return malformed(ps, "'%s' is '%s' and must be '%s'", key, path, want);
        found = bsearch(path, ps->m->members, ps->m->n_members, sizeof(*found), member_compare);
        if (!found)
                return err_set(ps->err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is not listed", path);
        i = (size_t)(found - ps->m->members);
        if (ps->used[i])
                return malformed(ps, "'%s' is used twice", path);
        ps->used[i] = true;
        *ret = i;
        return 0;
}

int manifest_references_check(struct manifest_parser *ps) {
        for (size_t i = 0; i < ps->m->n_members; i++) {
                int rank = member_rank(ps->m->members[i].path);

                if ((rank == 1 || rank == 2) && !ps->used[i])
                        return malformed(ps, "no policy uses '%s'", ps->m->members[i].path);
        }
        return 0;
}

/* ---- what is only shown ------------------------------------------------------------------------------------------ */

static int strings_check(struct manifest_parser *ps, const json_t *j, const char *key) {
        json_t *a, *v;
        size_t i;
        int r;

        r = json_get_array(j, key, &a, ps->err);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) if (!json_is_string(v)) return malformed(ps, "'%s' holds something that is not a string",
                                                                             key);
        return 0;
}

static int requires_check(struct manifest_parser *ps) {
        static const char *const lists[] = {"hooks", "helpers", "features"};
        json_t *j;
        int r;

        r = json_get_object(ps->m->doc, "requires", &j, ps->err);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(lists); i++)
                r = strings_check(ps, j, lists[i]);
        return r;
}

static int provenance_check(struct manifest_parser *ps) {
        uint8_t digest[SHA256_SIZE];
        json_t *j, *a, *v;
        const char *s;
        long long date;
        size_t i;
        int r;

        r = json_get_object(ps->m->doc, "provenance", &j, ps->err);
        if (r >= 0)
                r = json_get_string(j, "commit", &s, ps->err);
        if (r >= 0)
                r = json_get_string(j, "compiler", &s, ps->err);
        if (r >= 0)
                r = json_get_int(j, "date", 0, JSON_INT_MAX, &date, ps->err);
        if (r >= 0)
                r = json_get_array(j, "sources", &a, ps->err);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) {
                r = json_get_string(v, "path", &s, ps->err);
                if (r >= 0)
                        r = json_get_string(v, "sha256", &s, ps->err);
                if (r < 0)
                        return err_wrap(ps->err, r, "provenance");
                if (hex_decode(s, digest, sizeof(digest)) < 0)
                        return malformed(ps, "provenance: 'sha256' is not 64 lower-case hex digits");
        }
        return 0;
}

static int document_parse(struct manifest_parser *ps) {
        struct manifest *m = ps->m;
        long long release;
        int r;

        r = manifest_u32_parse(ps, m->doc, "abi", 1, &m->abi);
        if (r >= 0)
                r = manifest_string_parse(ps, m->doc, "name", name_valid, &m->name);
        if (r >= 0)
                r = manifest_string_parse(ps, m->doc, "version", version_valid, &m->version);
        if (r >= 0)
                r = json_get_int(m->doc, "release", 1, JSON_INT_MAX, &release, ps->err);
        if (r < 0)
                return r;
        m->release = (uint64_t)release;
        r = members_parse(ps);
        if (r >= 0)
                r = manifest_policies_parse(ps);
        if (r >= 0)
                r = requires_check(ps);
        return r < 0 ? r : provenance_check(ps);
}

int manifest_parse(const void *p, size_t n, struct manifest **ret, struct err *err) {
        cleanup_manifest struct manifest *m = calloc(1, sizeof(*m));
        struct manifest_parser ps = {.m = m, .err = err};
        int r;

        if (!m)
                return err_errno(err, -ENOMEM, "manifest");
        if (n > MANIFEST_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a manifest of more than %u bytes", MANIFEST_MAX);
        r = signed_open(p, n, MANIFEST_TYPE, &m->doc, err);
        if (r >= 0)
                r = document_parse(&ps);
        free(ps.used);
        if (r >= 0) {
                r = sha256(p, n, m->content_id);
                if (r < 0)
                        err_errno(err, r, "digest");
        }
        if (r < 0)
                return err_wrap(err, r, "manifest");
        hex_encode(m->content_id, sizeof(m->content_id), m->content_hex);
        *ret = steal_pointer(m);
        return 0;
}
