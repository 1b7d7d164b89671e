/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed envelopes: {"signatures":[{"keyid","sig"}...],"signed":{...}}, signed over the canonical JSON of `signed`.
 * One canonicaliser, one key id function, one threshold check, for bundles and repository metadata alike.
 *
 * Order of trust: envelope_parse() (nothing is trusted yet) -> signatures_verify() over the exact bytes ->
 * signed_open() on those same bytes, with the type that is expected here.
 */
#pragma once

#include "json.h"
#include "key.h"

struct signature {
        uint8_t keyid[SHA256_SIZE];
        uint8_t sig[SIG_MAX];
        size_t len;
};

struct envelope {
        struct buf bytes;       /* canonical bytes of `signed` */
        struct signature *sigs; /* as found; not verified */
        size_t n_sigs;
};

#define ENVELOPE_MAX (1u << 20)
#define SIGNATURES_MAX 64

void envelope_done(struct envelope *env);
#define cleanup_envelope cleanup(envelope_done)

/* Splits an envelope. At most ENVELOPE_MAX bytes and SIGNATURES_MAX signatures; one key id twice is malformed. */
int envelope_parse(const void *p, size_t n, struct envelope *ret, struct err *err);
/* The file form of an envelope: signatures sorted by key id, canonical throughout. */
int envelope_format(const struct envelope *env, struct buf *out, struct err *err);
/* Adds this key's signature over env->bytes, or replaces the one it has made before. */
int envelope_sign(struct envelope *env, const struct privkey *key, struct err *err);

/* Which of the ring's keys have signed: valid[i] belongs to ring->keys[i]. */
struct sig_report {
        bool valid[SIGNATURES_MAX];
        size_t n_valid;   /* distinct key material */
        size_t n_unknown; /* signatures by keys that are not in the ring */
};
/*
 * Refuses unless at least `threshold` (>= 1) distinct keys of the ring have signed these bytes, counted by key material.
 * bad-signature: a key of the ring is named and its signature is wrong; unknown-key: no signature is by a key of the ring;
 * threshold-not-met: too few. ret_report may be NULL; it is filled on refusal, too.
 */
int signatures_verify(const void *p, size_t n, const struct signature *sigs, size_t n_sigs, const struct keyring *ring,
                      size_t threshold, struct sig_report *ret_report, struct err *err);

/* Parses verified bytes: they must be canonical, with `_type` as expected (wrong-type) and `format` 1 (unsupported-format). */
int signed_open(const void *p, size_t n, const char *type, json_t **ret, struct err *err);
