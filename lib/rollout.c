/* SPDX-License-Identifier: Apache-2.0 */
/* What a node does about a rollout. */
#include "rollout.h"

#include <stdio.h>

const char *rollout_why_word(enum rollout_why why) {
        static const char *const words[ROLLOUT_WHY_COUNT] = {
#define X(id, word) [id] = word,
                ROLLOUT_WHYS(X)
#undef X
        };

        return why >= 0 && why < ROLLOUT_WHY_COUNT ? words[why] : "";
}

const struct rollout_ring *rollout_ring(const struct rollout *r, const char *name) {
        for (size_t i = 0; name && i < r->n_rings; i++)
                if (streq(r->rings[i].name, name))
                        return &r->rings[i];
        return NULL;
}

size_t rollout_choices(const struct rollout *r, const char *ring, struct rollout_choice ret[static 2]) {
        const struct rollout_ring *g = rollout_ring(r, ring);
        size_t n = 0;

        if (!g)
                return 0;
        ret[n++] = g->choice;
        if (g->has_else && g->otherwise.release != g->choice.release)
                ret[n++] = g->otherwise;
        return n;
}

int rollout_choice_check(const struct rollout *r, const struct rollout_choice *c, const char *name, uint64_t release,
                         struct err *err) {
        if (streq(r->bundle, name) && c->release == release)
                return 0;
        return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "'%s' is %.64s release %llu; the rollout says %s release %llu",
                       c->target, name, (unsigned long long)release, r->bundle, (unsigned long long)c->release);
}

/* ---- place ---------------------------------------------------------------------------------------------------------- */

int rollout_place(const char *node_id, const char *bundle, uint64_t *ret) {
        cleanup_digest struct digest *d = digest_new();
        uint8_t hash[SHA256_SIZE];
        uint64_t place = 0;
        int r;

        if (!d)
                return -ENOMEM;
        r = digest_update(d, node_id, strlen(node_id) + 1);
        if (r >= 0)
                r = digest_update(d, bundle, strlen(bundle));
        if (r >= 0)
                r = digest_finish(d, hash);
        if (r < 0)
                return r;
        for (size_t i = 0; i < sizeof(place); i++)
                place = place << 8 | hash[i];
        *ret = place;
        return 0;
}

bool rollout_place_within(uint64_t place, unsigned percent) {
        return (unsigned __int128)place * 100 < (unsigned __int128)percent << 64;
}

/* ---- the decision --------------------------------------------------------------------------------------------------- */

#define NEVER (-1)

struct decider {
        const struct rollout *rollout;
        const struct rollout_facts *facts;
        const struct rollout_ring *ring;
        int64_t turn; /* seconds until this node's wave comes: 0: it has come; NEVER: no wave includes this node */
        struct rollout_decision *ret;
};

typedef unsigned long long ull; /* for printf */

static void say(struct decider *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct decider *d, const char *fmt, ...) {
        size_t n = strlen(d->ret->sentence);
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(d->ret->sentence + n, sizeof(d->ret->sentence) - n, fmt, ap);
        va_end(ap);
}

/* What the sentence begins with when nothing changes. */
static void say_stays(struct decider *d) {
        if (d->facts->in_force)
                say(d, "release %llu stays in force", (ull)d->facts->release);
        else
                say(d, "nothing is in force");
}

/* The time by which waves go. A clock that signed times contradict does not decide who is next; then it is the repository's. */
static int64_t wave_time(const struct rollout_facts *f) {
        int64_t t = f->clock == ROLLOUT_CLOCK_GOOD ? f->now : f->issued;

        return t < 0 ? 0 : t > ROLLOUT_TIME_MAX ? ROLLOUT_TIME_MAX : t;
}

static int64_t turn_find(const struct rollout_ring *ring, uint64_t place, int64_t t) {
        int64_t at = ring->started;
        size_t i = 0;

        if (!ring->has_started)
                return 0;
        while (i < ring->n_waves && !rollout_place_within(place, ring->waves[i].percent))
                i++;
        if (ring->n_waves > 0) {
                if (i == ring->n_waves)
                        return NEVER;
                at += ring->waves[i].after_s;
        }
        return at > t ? at - t : 0;
}

/* Whose turn it is, as a part of a sentence. */
static void say_turn(struct decider *d) {
        double percent = (double)d->ret->place / 0x1p64 * 100;
        char when[32];

        if (d->turn == NEVER) {
                say(d, "and no wave includes this node (at %.2f %%)", percent);
                return;
        }
        rollout_time_format(wave_time(d->facts) + d->turn, when);
        say(d, "and this node (at %.2f %%) is due at %s", percent, when);
        if (d->facts->clock == ROLLOUT_CLOCK_DOUBTFUL)
                say(d, " by the repository's clock, since the node's own cannot be trusted");
}

static const struct rollout_known *known_find(const struct rollout_facts *f, uint64_t release) {
        for (size_t i = 0; i < f->n_known; i++)
                if (f->known[i].release == release)
                        return &f->known[i];
        return NULL;
}

/* Both known, and not the same. */
static bool differs(const char *a, const char *b) {
        return a && b && !streq(a, b);
}

static enum reason choice_judge(const struct rollout_facts *f, const struct rollout_choice *c) {
        const struct rollout_known *k = known_find(f, c->release);

        if (c->release < f->floor)
                return REASON_RELEASE_TOO_OLD;
        if (k && differs(k->content, k->seen_content))
                return REASON_RELEASE_REUSED;
        return k && k->quarantined ? REASON_QUARANTINED : REASON_NONE;
}

static void keep(struct decider *d, enum rollout_why why) {
        d->ret->action = ROLLOUT_KEEP;
        d->ret->why = why;
        say_stays(d);
        say(d, ": ");
}

static void refuse(struct decider *d, enum reason reason, const struct rollout_choice *c) {
        const struct rollout_known *k = c ? known_find(d->facts, c->release) : NULL;

        keep(d, ROLLOUT_REFUSED);
        d->ret->reason = reason;
        if (reason == REASON_RING_UNKNOWN)
                say(d, "the rollout of %s does not name this node's ring '%.63s'", d->rollout->bundle,
                    d->facts->ring ? d->facts->ring : "");
        else if (reason == REASON_EXPIRED)
                say(d, "the repository's metadata has expired, and nothing new is taken from it");
        else if (reason == REASON_RELEASE_TOO_OLD)
                say(d, "ring %s names release %llu, and the oldest that may be taken is %llu", d->ring->name, (ull)c->release,
                    (ull)d->facts->floor);
        else if (reason == REASON_RELEASE_REUSED)
                say(d, "ring %s names release %llu, which this node has seen with another content", d->ring->name,
                    (ull)c->release);
        else if (reason == REASON_QUARANTINED)
                say(d, "release %llu, which ring %s names, is in quarantine here (%.31s)", (ull)c->release, d->ring->name,
                    k && k->quarantined ? k->quarantined : "");
}

static void take(struct decider *d, enum rollout_why why, const struct rollout_choice *c) {
        d->ret->action = ROLLOUT_TAKE;
        d->ret->why = why;
        d->ret->choice = *c;
        say(d, "release %llu is taken: ", (ull)c->release);
}

/* Nothing is enforced. A release that may be taken is better than none, so the one of the two that may is as good as the one that
 * is this node's. */
static void decide_first(struct decider *d) {
        const struct rollout_ring *g = d->ring;
        bool mine = d->turn == 0 || !g->has_else;
        const struct rollout_choice *c = mine ? &g->choice : &g->otherwise, *other = mine ? &g->otherwise : &g->choice;
        enum reason reason = choice_judge(d->facts, c);

        d->ret->wanted = c->release;
        if (d->facts->expired) {
                refuse(d, REASON_EXPIRED, NULL);
                return;
        }
        if (reason != REASON_NONE && g->has_else && choice_judge(d->facts, other) == REASON_NONE) {
                take(d, ROLLOUT_FIRST, other);
                say(d, "nothing was in force, and release %llu, which comes first for this node in ring %s, is refused here (%s)",
                    (ull)c->release, g->name, reason_word(reason));
        } else if (reason != REASON_NONE) {
                refuse(d, reason, c);
        } else {
                take(d, ROLLOUT_FIRST, c);
                say(d, "nothing was in force, and ring %s has it%s", g->name, mine ? "" : " for nodes whose wave has not come");
        }
}

static bool shadow_is(const struct rollout_facts *f, const struct rollout_choice *c) {
        const struct rollout_known *k = known_find(f, c->release);

        return f->shadow.active && f->shadow.release == c->release && !differs(f->shadow.content, k ? k->content : NULL);
}

static void say_bake(struct decider *d) {
        say(d, "%llu would-be denial%s, %llu allowed", (ull)d->facts->shadow.would_deny,
            d->facts->shadow.would_deny == 1 ? "" : "s", (ull)d->ring->bake_allow);
}

/* `c` goes on in the shadow, or begins. */
static void bake(struct decider *d, const struct rollout_choice *c, bool running) {
        int64_t done = running ? d->facts->shadow.seconds : 0, left;
        char text[32];

        left = done < 0 ? d->ring->bake_s : done < d->ring->bake_s ? d->ring->bake_s - done : 0;
        d->ret->action = ROLLOUT_BAKE;
        d->ret->why = ROLLOUT_BAKING;
        d->ret->choice = *c;
        d->ret->next_s = left;
        rollout_duration_format(left > 120 ? (left + 59) / 60 * 60 : left, text);
        say_stays(d);
        say(d, ": release %llu runs in its shadow for another %s", (ull)c->release, text);
        if (running) {
                say(d, " (");
                say_bake(d);
                say(d, ")");
        }
}

/* The rollout may not move this node now. What is in the shadow enforces nothing and may stay there. */
static void stop(struct decider *d, const struct rollout_choice *c, bool running) {
        d->ret->next_s = 0;
        if (d->facts->expired) {
                refuse(d, REASON_EXPIRED, NULL);
        } else {
                keep(d, ROLLOUT_HELD);
                say(d, "the rollout is on hold, before release %llu", (ull)c->release);
        }
        if (running) {
                d->ret->action = ROLLOUT_BAKE;
                d->ret->choice = *c;
                say(d, "; that goes on in its shadow (");
                say_bake(d);
                say(d, ")");
        }
}

/* c: what the ring has for this node, and not what is in force. */
static void decide_move(struct decider *d, const struct rollout_choice *c) {
        const struct rollout_facts *f = d->facts;
        bool bakes = d->turn == 0 && d->ring->has_bake, running = bakes && shadow_is(f, c);
        enum reason reason = choice_judge(f, c);

        if (reason != REASON_NONE) {
                refuse(d, reason, c);
        } else if (running && f->shadow.would_deny > d->ring->bake_allow) {
                keep(d, ROLLOUT_REFUSED);
                d->ret->action = ROLLOUT_FAIL;
                d->ret->reason = REASON_BAKE_FAILED;
                d->ret->choice = *c;
                say(d, "in its shadow, release %llu showed ", (ull)c->release);
                say_bake(d);
        } else if (f->expired || d->rollout->hold) {
                stop(d, c, running);
        } else if (bakes && (!running || f->shadow.seconds < d->ring->bake_s)) {
                bake(d, c, running);
        } else if (bakes) {
                take(d, ROLLOUT_BAKED, c);
                say(d, "it has run in the shadow long enough (");
                say_bake(d);
                say(d, ")");
        } else if (d->turn == 0) {
                take(d, ROLLOUT_TURN, c);
                say(d, "ring %s has come to it", d->ring->name);
        } else {
                take(d, ROLLOUT_ELSE, c);
                say(d, "ring %s has it for nodes whose wave has not come, ", d->ring->name);
                say_turn(d);
        }
}

static void decide_next(struct decider *d) {
        const struct rollout_facts *f = d->facts;
        const struct rollout_ring *g = d->ring;
        const struct rollout_choice *c = d->turn == 0 ? &g->choice : g->has_else ? &g->otherwise : NULL;
        const struct rollout_known *k = c ? known_find(f, c->release) : NULL;

        d->ret->wanted = c ? c->release : 0;
        if (c && c->release == f->release && k && differs(k->content, f->content)) {
                refuse(d, REASON_RELEASE_REUSED, c);
        } else if (c && f->installed && c->release < f->release) {
                keep(d, ROLLOUT_INSTALLED);
                say(d, "the operator installed it, and ring %s has release %llu, which is older", g->name, (ull)c->release);
        } else if (c && c->release != f->release) {
                decide_move(d, c);
        } else if (d->turn == 0) {
                d->ret->action = ROLLOUT_KEEP;
                d->ret->why = ROLLOUT_CURRENT;
                say(d, "release %llu is in force, and ring %s has it", (ull)f->release, g->name);
        } else {
                keep(d, ROLLOUT_WAITING);
                say(d, "ring %s comes to release %llu in waves, ", g->name, (ull)g->choice.release);
                say_turn(d);
        }
        if (d->ret->action != ROLLOUT_TAKE && f->release < f->floor)
                say(d, "; what is in force is below the floor, release %llu", (ull)f->floor);
}

void rollout_decide(const struct rollout *r, const struct rollout_facts *facts, struct rollout_decision *ret) {
        struct decider d = {.rollout = r, .facts = facts, .ring = rollout_ring(r, facts->ring), .ret = ret};

        *ret = (struct rollout_decision){0};
        if (!d.ring) {
                refuse(&d, REASON_RING_UNKNOWN, NULL);
                return;
        }
        /* A hash that cannot be computed (no memory) puts the node last: it waits, and asks again. */
        if (rollout_place(facts->node_id ? facts->node_id : "", r->bundle, &ret->place) < 0)
                ret->place = UINT64_MAX;
        d.turn = turn_find(d.ring, ret->place, wave_time(facts));
        /* With a clock that cannot be trusted, only the next metadata brings the next answer. */
        if (d.turn > 0 && facts->clock == ROLLOUT_CLOCK_GOOD)
                ret->next_s = d.turn;
        if (facts->in_force)
                decide_next(&d);
        else
                decide_first(&d);
}
