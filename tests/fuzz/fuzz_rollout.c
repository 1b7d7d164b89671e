/* SPDX-License-Identifier: Apache-2.0 */
/* What is accepted is written and read again as the same rollout, and whatever it says, a node's decision is one that it names and
 * may be taken. The first bytes of the input are the node's facts. */
#include "fuzz.h"
#include "rollout.h"

#define FACTS 16

static void decide(const struct rollout *r, const struct rollout_ring *ring, const uint8_t *facts) {
        struct rollout_choice choices[2];
        size_t n = rollout_choices(r, ring->name, choices);
        struct rollout_known known[] = {{ring->choice.release, "a", facts[0] & 1 ? "b" : "a", facts[0] & 2 ? "operator" : NULL},
                                        {ring->otherwise.release, "c", NULL, facts[0] & 4 ? "operator" : NULL}};
        struct rollout_facts f = {.node_id = "node",
                                  .ring = ring->name,
                                  .clock = facts[0] & 8 ? ROLLOUT_CLOCK_DOUBTFUL : ROLLOUT_CLOCK_GOOD,
                                  .expired = facts[0] & 16,
                                  .in_force = facts[0] & 32,
                                  .release = facts[0] & 64 ? ring->choice.release : ring->otherwise.release + 1,
                                  .content = "a",
                                  .floor = facts[0] & 128 ? ring->choice.release + (facts[1] & 1) : 0,
                                  .shadow = {facts[1] & 2, ring->choice.release, "a", facts[1], facts[2]},
                                  .known = known,
                                  .n_known = 2};
        struct rollout_decision d;

        memcpy(&f.now, facts + 4, sizeof(f.now));
        f.issued = f.now / 2;
        rollout_decide(r, &f, &d);
        must(strlen(d.sentence) > 0 && d.next_s >= 0);
        must((d.action == ROLLOUT_KEEP) == (d.choice.release == 0));
        must(n >= 1 && n <= 2);
        if (d.action == ROLLOUT_KEEP)
                return;
        must(memcmp(&d.choice, &choices[0], sizeof(d.choice)) == 0 ||
             (n == 2 && memcmp(&d.choice, &choices[1], sizeof(d.choice)) == 0));
        if (d.action == ROLLOUT_TAKE)
                must(!f.expired && d.choice.release >= f.floor && !(r->hold && f.in_force));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_rollout struct rollout *r = NULL, *again = NULL;
        cleanup_buf struct buf b = {};
        struct err err = {};

        if (size < FACTS)
                return 0;
        if (rollout_parse(data + FACTS, size - FACTS, NULL, &r, &err) < 0) {
                must(err.reason != REASON_NONE && err.msg[0] && !r);
                return 0;
        }
        must(name_valid(r->bundle) && r->n_rings <= ROLLOUT_RINGS_MAX);
        must(rollout_format(r, &b, &err) == 0);
        must(rollout_parse(b.data, b.len, r->bundle, &again, &err) == 0);
        must(r->hold == again->hold && r->n_rings == again->n_rings);
        must(memcmp(r->rings, again->rings, r->n_rings * sizeof(*r->rings)) == 0);
        for (size_t i = 0; i < r->n_rings; i++)
                decide(r, &r->rings[i], data);
        return 0;
}
