/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_doc.h"

#include "rollout.h"
#include "tuf_signed.h"

static const struct {
        const char *name, *type;
        enum repo_role delegator;
        int64_t period;
} roles[] = {
#define X(id, word, type, delegator, period) [id] = {word, type, delegator, period},
        REPO_ROLES(X)
#undef X
};

const char *role_name(enum repo_role role) {
        return roles[role].name;
}

enum repo_role role_delegator(enum repo_role role) {
        return roles[role].delegator;
}

int64_t role_default_period(enum repo_role role) {
        return roles[role].period;
}

enum repo_role role_find(const char *name) {
        enum repo_role role = 0;

        while (role < ROLE_COUNT && !streq(roles[role].name, name))
                role++;
        return role;
}

void repo_doc_done(struct repo_doc *doc) {
        json_decref(doc->body);
        envelope_done(&doc->env);
        buf_done(&doc->file);
        *doc = (struct repo_doc){};
}

static int body_read(enum repo_role role, struct repo_doc *doc, struct err *err) {
        const char *type, *expires, *spec;
        long long version;
        int e = json_get_string(doc->body, "_type", &type, err);

        if (e == 0 && !streq(type, roles[role].type))
                e = err_set(err, -EBADMSG, REASON_WRONG_TYPE, "this is a '%.64s', and a '%s' is needed here", type,
                            roles[role].type);
        if (e == 0)
                e = json_get_string(doc->body, "spec_version", &spec, err);
        if (e == 0 && strncmp(spec, "1.", 2) != 0)
                e = err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "TUF version '%.32s', and this program knows 1.x", spec);
        if (e == 0)
                e = json_get_int(doc->body, "version", 1, JSON_INT_MAX, &version, err);
        if (e == 0)
                e = json_get_string(doc->body, "expires", &expires, err);
        if (e == 0 && rollout_time_parse(expires, &doc->expires) < 0)
                e = err_set(err, -EBADMSG, REASON_MALFORMED, "'expires': '%.64s' is no time like 2026-11-22T08:00:00Z", expires);
        if (e == 0)
                doc->version = (uint64_t)version;
        return e;
}

/* doc: with envelope and body, which it takes over in any case. */
static int doc_complete(enum repo_role role, struct repo_doc *doc, const void *p, size_t n, struct repo_doc *ret,
                        struct err *err) {
        int e = body_read(role, doc, err);

        if (e == 0 && buf_append(&doc->file, p, n) < 0)
                e = err_errno(err, -ENOMEM, "metadata");
        if (e < 0)
                return e;
        *ret = *doc;
        *doc = (struct repo_doc){};
        return 0;
}

int repo_doc_parse(enum repo_role role, const void *p, size_t n, struct repo_doc *ret, struct err *err) {
        cleanup_repo_doc struct repo_doc doc = {};
        int e = envelope_parse(p, n, &doc.env, err);

        if (e == 0)
                e = json_parse(doc.env.bytes.data, doc.env.bytes.len, &doc.body, err);
        return e < 0 ? e : doc_complete(role, &doc, p, n, ret, err);
}

/* A key id that is no SHA-256 cannot be looked up here, and counts as that of a stranger. */
static int envelope_from(struct tuf_signed *s, struct envelope *ret) {
        ret->sigs = new_array(s->n_sigs, sizeof(*ret->sigs));
        if (!ret->sigs)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_sigs; i++) {
                struct signature *sig = &ret->sigs[ret->n_sigs];

                if (hex_decode(s->sigs[i].keyid, sig->keyid, sizeof(sig->keyid)) < 0)
                        continue;
                memcpy(sig->sig, s->sigs[i].sig, s->sigs[i].len);
                sig->len = s->sigs[i].len;
                ret->n_sigs++;
        }
        ret->bytes = s->bytes;
        s->bytes = (struct buf){};
        return 0;
}

int repo_doc_parse_foreign(enum repo_role role, const void *p, size_t n, struct repo_doc *ret, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = {};
        cleanup_repo_doc struct repo_doc doc = {.foreign = true};
        int e = repo_doc_parse(role, p, n, ret, NULL);

        if (e == 0)
                return 0;
        e = tuf_signed_parse(p, n, &s, err);
        if (e == 0)
                e = json_parse_canonical(s.bytes.data, s.bytes.len, &doc.body, err);
        if (e == 0 && envelope_from(&s, &doc.env) < 0)
                e = err_errno(err, -ENOMEM, "metadata");
        return e < 0 ? e : doc_complete(role, &doc, p, n, ret, err);
}

int repo_doc_new(enum repo_role role, struct repo_doc *ret, struct err *err) {
        json_t *body = json_pack("{s:s, s:s}", "_type", roles[role].type, "spec_version", TUF_SPEC_VERSION);

        if (!body)
                return err_errno(err, -ENOMEM, "metadata");
        *ret = (struct repo_doc){.body = body};
        return 0;
}

int repo_doc_copy(const struct repo_doc *doc, struct repo_doc *ret, struct err *err) {
        json_t *body = json_deep_copy(doc->body);

        if (!body)
                return err_errno(err, -ENOMEM, "metadata");
        *ret = (struct repo_doc){.body = body, .version = doc->version, .expires = doc->expires, .foreign = doc->foreign};
        return 0;
}

int repo_doc_seal(struct repo_doc *doc, uint64_t version, int64_t expires, struct err *err) {
        char text[32];

        rollout_time_format(expires, text);
        envelope_done(&doc->env);
        if (json_object_set_new(doc->body, "version", json_integer((json_int_t)version)) < 0 ||
            json_object_set_new(doc->body, "expires", json_string(text)) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        doc->version = version;
        doc->expires = expires;
        return doc->foreign ? json_canonical_foreign(doc->body, &doc->env.bytes, err)
                            : json_canonical(doc->body, &doc->env.bytes, err);
}

int repo_doc_write(struct repo_doc *doc, struct err *err) {
        buf_done(&doc->file);
        return envelope_format(&doc->env, &doc->file, err);
}

bool repo_doc_equal(const struct repo_doc *a, const struct repo_doc *b) {
        return a->body && b->body && a->env.bytes.len == b->env.bytes.len &&
               memcmp(a->env.bytes.data, b->env.bytes.data, a->env.bytes.len) == 0;
}
