/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts: which release the nodes of a ring run, and when (rollouts/NAME.json of a release repository; docs/rollouts.md).
 *
 * The document is parsed as strictly as anything from outside, and one pure function decides what a node does: no clock, no file
 * and no random number is read here, so that the same facts give the same answer on every node, in tests and in simulations.
 */
#pragma once

#include "digest.h"
#include "json.h"

#define ROLLOUT_TYPE "lsm-rollout"
#define ROLLOUT_FORMAT 1
#define ROLLOUT_MAX (256u << 10)
#define ROLLOUT_RINGS_MAX 64
#define ROLLOUT_WAVES_MAX 32
#define ROLLOUT_SECONDS_MAX (366 * 86400LL) /* the longest `for` and `after` */
#define ROLLOUT_TIME_MAX 253402300799LL     /* 9999-12-31T23:59:59Z */

struct rollout_choice {
        uint64_t release;
        char target[256]; /* a target path of the repository: bundles/NAME */
};

struct rollout_wave {
        int64_t after_s; /* since the ring's `started` */
        unsigned percent;
};

struct rollout_ring {
        char name[64];
        struct rollout_choice choice;
        bool has_bake;
        int64_t bake_s;      /* shadow for that long, then enforce ... */
        uint64_t bake_allow; /* ... unless the shadow would have denied more than this */
        bool has_started;
        int64_t started;                              /* seconds since the epoch */
        struct rollout_wave waves[ROLLOUT_WAVES_MAX]; /* none: all at once, from `started` on */
        size_t n_waves;
        bool has_else;
        struct rollout_choice otherwise; /* `else`: for those whose wave has not come */
};

struct rollout {
        char bundle[64];
        bool hold;
        struct rollout_ring *rings; /* sorted by name */
        size_t n_rings;
};

/*
 * p: bytes whose digest the repository's metadata lists. bundle: whose rollout this must be (wrong-bundle); NULL: any.
 * wrong-type, unsupported-format, malformed, unsafe-path, too-large. Every key must be known: one that is passed over might have
 * been what kept a release from this node. What decides differently gets another `format`.
 */
int rollout_parse(const void *p, size_t n, const char *bundle, struct rollout **ret, struct err *err);
void rollout_free(struct rollout *r);
static inline void rollout_free_p(struct rollout **r) {
        rollout_free(*r);
}
#define cleanup_rollout cleanup(rollout_free_p)
/* Appends the canonical document. What rollout_parse() would refuse is not written. */
int rollout_format(const struct rollout *r, struct buf *out, struct err *err);

const struct rollout_ring *rollout_ring(const struct rollout *r, const char *name);

/* ---- the decision --------------------------------------------------------------------------------------------------- */

/* What a node knows about a release that the rollout names. */
struct rollout_known {
        uint64_t release;
        const char *content;      /* its content id, as the metadata has it; NULL: not said */
        const char *seen_content; /* the content id that this release number stood for on this node; NULL: never seen */
        const char *quarantined;  /* the reason word; NULL: it is not */
};

enum rollout_clock {
        ROLLOUT_CLOCK_GOOD,
        /* The node's clock contradicts signed times, or nobody has ever set it: waves go by `issued` alone. */
        ROLLOUT_CLOCK_DOUBTFUL,
};

struct rollout_facts {
        const char *node_id, *ring;
        int64_t now;    /* verification time: never below `issued` */
        int64_t issued; /* the newest verified `issued`; 0: the repository gives none */
        enum rollout_clock clock;
        bool expired; /* the metadata that lists the rollout has expired */

        bool in_force; /* something of this bundle is enforced */
        uint64_t release;
        const char *content;
        bool installed; /* by the operator (`install`), not taken from the repository */
        uint64_t floor; /* the oldest release that may be taken; 0: any */

        struct { /* the generation that runs in the shadow of the one in force */
                bool active;
                uint64_t release;
                const char *content;
                int64_t seconds; /* that it has run so far */
                uint64_t would_deny;
        } shadow;

        const struct rollout_known *known;
        size_t n_known;
};

enum rollout_action {
        ROLLOUT_KEEP, /* what is in force; if there is a shadow, it ends */
        ROLLOUT_TAKE, /* `choice`, at once. If it is in the shadow, it is enforced now */
        ROLLOUT_BAKE, /* `choice` runs in the shadow of what is in force: start it, or let it go on */
        ROLLOUT_FAIL, /* as KEEP, and `choice` is quarantined with `reason` */
};

/* X(identifier, word): why, in status and metrics. */
#define ROLLOUT_WHYS(X)                                                                                         \
        X(ROLLOUT_CURRENT, "current")     /* what the ring is to run is in force */                             \
        X(ROLLOUT_TURN, "turn")           /* taken: this node's wave has come */                                \
        X(ROLLOUT_WAITING, "waiting")     /* kept: it has not */                                                \
        X(ROLLOUT_ELSE, "else")           /* taken: it has not, and this is for such nodes */                   \
        X(ROLLOUT_FIRST, "first")         /* taken: nothing was in force */                                     \
        X(ROLLOUT_BAKING, "baking")       /* in the shadow of what is in force */                               \
        X(ROLLOUT_BAKED, "baked")         /* taken: its shadow has run long enough */                           \
        X(ROLLOUT_HELD, "held")           /* kept: the rollout is on hold */                                    \
        X(ROLLOUT_INSTALLED, "installed") /* kept: the operator installed it, and the ring has nothing newer */ \
        X(ROLLOUT_REFUSED, "refused")     /* kept: `reason` says why */

enum rollout_why {
#define X(id, word) id,
        ROLLOUT_WHYS(X)
#undef X
                ROLLOUT_WHY_COUNT
};
const char *rollout_why_word(enum rollout_why why);

struct rollout_decision {
        enum rollout_action action;
        enum rollout_why why;
        enum reason reason;           /* for FAIL and REFUSED; else REASON_NONE */
        struct rollout_choice choice; /* for TAKE, BAKE and FAIL */
        uint64_t wanted;              /* the release that the ring has for this node now, taken or not; 0: none */
        int64_t next_s;               /* from now: when the answer may change by itself; 0: it will not */
        uint64_t place;               /* in the ring, a fraction of 2^64 */
        char sentence[512];           /* why this node runs what it runs */
};

/* Releases that rollout_decide() may choose for this ring, for the caller to look up: at most 2. Returns how many. */
size_t rollout_choices(const struct rollout *r, const char *ring, struct rollout_choice ret[static 2]);
/* Strings in facts may be NULL where they are optional; node_id and ring too, then they are empty. */
void rollout_decide(const struct rollout *r, const struct rollout_facts *facts, struct rollout_decision *ret);

/* Before anything is loaded: is this manifest (or target entry) what the rollout names? wrong-bundle if not. */
int rollout_choice_check(const struct rollout *r, const struct rollout_choice *c, const char *name, uint64_t release,
                         struct err *err);

/* Place in a ring, a fraction of 2^64: the first 8 bytes, big-endian, of SHA-256(node id, NUL, bundle). The same for all releases
 * of a bundle: 1 % is always the same 1 %, and 25 % contains it. */
int rollout_place(const char *node_id, const char *bundle, uint64_t *ret);
bool rollout_place_within(uint64_t place, unsigned percent);

/* ---- forms ---------------------------------------------------------------------------------------------------------- */

/* "90s", "30m", "24h", "3d", "0s": digits and a unit. */
int rollout_duration_parse(const char *text, int64_t *ret_s);
/* In the largest unit that divides it. */
void rollout_duration_format(int64_t s, char ret[static 32]);
/* "2026-11-22T08:00:00Z": UTC, whole seconds, nothing else. */
int rollout_time_parse(const char *text, int64_t *ret);
void rollout_time_format(int64_t t, char ret[static 32]);
