/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configured source of a bundle (`source: {bundle: FILE|URL, keys: [...]}`): what is known of it between polls, kept in
 * STATE/source.json. "Not modified" is asked for only with the same address and the same trusted keys, and only when what came
 * last time is in force, or was refused for good: an answer that had to be given up must be fetched again.
 */
#pragma once

#include "fetch.h"
#include "node.h"
#include "swap.h"

struct source {
        char url[2048];
        char keys_hex[SHA256_HEX]; /* of the trusted keys and the threshold */
        char etag[256], last_modified[256];
        uint64_t last_success;                         /* seconds since the epoch; 0: never */
        uint64_t failing_since;                        /* 0: not failing */
        uint32_t failures;                             /* in a row */
        char reason[32], message[512];                 /* of the last failure */
        char refused_reason[32], refused_message[512]; /* the newest release that was refused; "" none */
        int retry_after_s;                             /* not kept: what the server asked for last time */
        bool next_own;                                 /* not kept: that moment is this node's alone (a bake), not a wave's */
        int64_t next_s; /* not kept: seconds after which the answer may change by itself; 0: it will not */
};

/* An absent or unreadable record is an empty one: all it costs is one whole download. */
void source_load(const struct node *n, struct source *ret);
int source_save(const struct node *n, const struct source *s, struct err *err);

/* ---- for whoever polls: one bundle, or a repository (repo.h) ---- */

/* Begins anew when the address is another. */
void source_of(struct source *s, const char *url);
void source_succeeded(struct source *s);
void source_failed(struct source *s, const struct err *why);
/* NULL: nothing that is offered is refused. */
void source_refused(struct source *s, const struct err *why);

/* One poll: fetch, verify, apply. 0 also when there was nothing new. What happened is in *s, saved. */
int source_poll(struct node *n, struct source *s, bool *ret_changed, struct err *err);
/* Forgets the validators: the next poll fetches again. */
void source_forget(const struct node *n, struct source *s);
/* Can it be reached, and does it answer? For the health of a generation on trial. */
int source_reachable(struct node *n, int64_t deadline_ns, struct err *err);
/* Seconds since the epoch: three intervals after it was heard from. UINT64_MAX: there is no source. */
uint64_t source_stale_since(const struct node *n, const struct source *s);
bool source_stale(const struct node *n, const struct source *s, uint64_t now);

/* Fetches one bundle as an operator names it, and applies it. */
int source_install(struct node *n, const char *url, int fd, const char *named, const struct keyring *ring, size_t threshold,
                   struct swap_result *ret, struct release *ret_release, struct err *err);
