/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One metadata document of a release repository (TUF 1.0.34, section 4): its `signed` part as JSON, the canonical bytes of that
 * with their signatures, and the bytes of its file.
 */
#pragma once

#include "envelope.h"
#include "sign.h"

#define TUF_SPEC_VERSION "1.0.34"

/* X(identifier, word, _type, who signs it, by default so long in force) */
#define REPO_ROLES(X)                                                       \
        X(ROLE_ROOT, "root", "root", ROLE_ROOT, 365 * 86400LL)              \
        X(ROLE_TARGETS, "targets", "targets", ROLE_ROOT, 365 * 86400LL)     \
        X(ROLE_BUNDLES, "bundles", "targets", ROLE_TARGETS, 90 * 86400LL)   \
        X(ROLE_ROLLOUTS, "rollouts", "targets", ROLE_TARGETS, 90 * 86400LL) \
        X(ROLE_SNAPSHOT, "snapshot", "snapshot", ROLE_ROOT, 7 * 86400LL)    \
        X(ROLE_TIMESTAMP, "timestamp", "timestamp", ROLE_ROOT, 86400LL)

enum repo_role {
#define X(id, ...) id,
        REPO_ROLES(X)
#undef X
                ROLE_COUNT
};

const char *role_name(enum repo_role role);
/* The role whose document says which keys may sign this one's: root or targets. */
enum repo_role role_delegator(enum repo_role role);
int64_t role_default_period(enum repo_role role);
/* ROLE_COUNT: there is none of that name. */
enum repo_role role_find(const char *name);

struct repo_doc {
        json_t *body; /* `signed`; NULL: there is no such document */
        struct envelope env;
        struct buf file; /* as it was read, or as it will be written */
        uint64_t version;
        int64_t expires;
        bool foreign; /* holds what we never write: line feeds in the PEM text of somebody's key */
};
void repo_doc_done(struct repo_doc *doc);
#define cleanup_repo_doc cleanup(repo_doc_done)

/* Splits a file, checks its kind (wrong-type), version and expiry (malformed). Signatures are not looked at. As strict as
 * json_parse(): for what is to be signed. */
int repo_doc_parse(enum repo_role role, const void *p, size_t n, struct repo_doc *ret, struct err *err);
/* The same for what is in force, whoever wrote it: as lib/tuf_signed.h reads it. */
int repo_doc_parse_foreign(enum repo_role role, const void *p, size_t n, struct repo_doc *ret, struct err *err);
/* A new document of that role without content, to be filled in. */
int repo_doc_new(enum repo_role role, struct repo_doc *ret, struct err *err);
/* A copy to be changed. */
int repo_doc_copy(const struct repo_doc *doc, struct repo_doc *ret, struct err *err);
/* Ends the changes to `body`: version and expiry are set, and the bytes are there to be signed. Earlier signatures are gone. */
int repo_doc_seal(struct repo_doc *doc, uint64_t version, int64_t expires, struct err *err);
/* Brings `file` up to date with the signatures. */
int repo_doc_write(struct repo_doc *doc, struct err *err);
/* The same content: version and all. */
bool repo_doc_equal(const struct repo_doc *a, const struct repo_doc *b);
