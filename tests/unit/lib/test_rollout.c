/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts: a node that moves before its turn defeats the canary, one that never moves misses the fix, and one that moves on the
 * word of an unknown key was moved by nobody. */
#include "rollout_fixture.h"

/* Nodes at known places in the rings of `baseline`: in the first percent, in the first quarter, in the last tenth. */
static char id_first[16], id_middle[16], id_last[16];

/* ---- place ---------------------------------------------------------------------------------------------------------- */

/* printf 'node-1\0baseline' | sha256sum | cut -c 1-16, so that others can compute where a node stands. */
static void place_is_as_documented(void **state) {
        uint64_t place, other;

        assert_int_equal(rollout_place("node-1", "baseline", &place), 0);
        assert_int_equal(place, 0x71cdfc69ef24941aULL);
        assert_int_equal(rollout_place("node-1", "other", &other), 0);
        assert_true(place != other);
        /* The NUL keeps the two apart. */
        assert_int_equal(rollout_place("node-1b", "aseline", &other), 0);
        assert_true(place != other);
}

static void the_ends_of_percent(void **state) {
        static const uint64_t places[] = {0, 1, 1ULL << 63, UINT64_MAX - 1, UINT64_MAX};

        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                assert_false(rollout_place_within(places[i], 0));
                assert_true(rollout_place_within(places[i], 100));
        }
        assert_true(rollout_place_within((1ULL << 63) - 1, 50));
        assert_false(rollout_place_within(1ULL << 63, 50));
        assert_true(rollout_place_within((1ULL << 62) - 1, 25));
        assert_false(rollout_place_within(1ULL << 62, 25));
}

/* 100,000 nodes: each percent is about a hundredth, each is contained in the next. */
static void a_fleet(void **state) {
        static const unsigned percents[] = {1, 5, 10, 25, 50, 75, 99, 100};
        size_t within[ARRAY_SIZE(percents)] = {};
        unsigned tenths[10] = {};

        for (unsigned n = 0; n < 100000; n++) {
                uint64_t place;
                char id[32];
                bool was = false;

                snprintf(id, sizeof(id), "node-%u", n);
                assert_int_equal(rollout_place(id, "baseline", &place), 0);
                tenths[(unsigned)((unsigned __int128)place * 10 >> 64)]++;
                for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
                        bool is = rollout_place_within(place, percents[i]);

                        assert_true(is || !was);
                        within[i] += is;
                        was = is;
                }
        }
        /* Four standard deviations of a binomial distribution. */
        assert_in_range(within[0], 1000 - 126, 1000 + 126);
        assert_in_range(within[1], 5000 - 276, 5000 + 276);
        assert_in_range(within[2], 10000 - 380, 10000 + 380);
        assert_in_range(within[3], 25000 - 548, 25000 + 548);
        assert_in_range(within[4], 50000 - 633, 50000 + 633);
        assert_in_range(within[6], 99000 - 126, 99000 + 126);
        assert_int_equal(within[7], 100000);
        for (size_t i = 0; i < 10; i++)
                assert_in_range(tenths[i], 10000 - 380, 10000 + 380);
}

/* ---- decisions ------------------------------------------------------------------------------------------------------ */

struct scene {
        int line;
        const char *ring, *id;
        int64_t now;
        uint64_t in_force; /* 0: nothing */
        uint64_t floor;
        enum {
                FLAG_HOLD = 1,
                FLAG_EXPIRED = 2,
                FLAG_DOUBTFUL = 4,
                FLAG_Q42 = 8,
                FLAG_Q41 = 16,
                FLAG_REUSED42 = 32,
                FLAG_OTHER_IN_FORCE = 64,
                FLAG_OTHER_SHADOW = 128,
                FLAG_INSTALLED = 256
        } flags;
        int64_t shadow_s; /* release 42 in the shadow for so long; -1: no shadow */
        uint64_t would_deny;
        int64_t issued;

        enum rollout_action action;
        enum rollout_why why;
        uint64_t release; /* of the choice */
        enum reason reason;
        int64_t next_s;
        const char *words; /* in the sentence */
};

static const char content41[] = "content-41", content42[] = "content-42";

static void scene_check(const struct rollout *r, const struct scene *s) {
        const struct rollout_known known[] = {
                {.release = 41,
                 .content = content41,
                 .seen_content = content41,
                 .quarantined = s->flags & FLAG_Q41 ? "bake-failed" : NULL},
                {.release = 42,
                 .content = content42,
                 .seen_content = s->flags & FLAG_REUSED42 ? "content-other" : NULL,
                 .quarantined = s->flags & FLAG_Q42 ? "health-failed" : NULL},
        };
        struct rollout_facts f = {
                .node_id = s->id,
                .ring = s->ring,
                .now = s->now,
                .issued = s->issued,
                .clock = s->flags & FLAG_DOUBTFUL ? ROLLOUT_CLOCK_DOUBTFUL : ROLLOUT_CLOCK_GOOD,
                .expired = s->flags & FLAG_EXPIRED,
                .in_force = s->in_force != 0,
                .release = s->in_force,
                .content = s->flags & FLAG_OTHER_IN_FORCE ? "content-other"
                           : s->in_force == 42            ? content42
                           : s->in_force == 41            ? content41
                                                          : NULL,
                .installed = s->flags & FLAG_INSTALLED,
                .floor = s->floor,
                .shadow = {.active = s->shadow_s >= 0,
                           .release = 42,
                           .content = s->flags & FLAG_OTHER_SHADOW ? "content-other" : content42,
                           .seconds = s->shadow_s,
                           .would_deny = s->would_deny},
                .known = known,
                .n_known = ARRAY_SIZE(known),
        };
        struct rollout held = *r;
        struct rollout_decision d;

        held.hold = s->flags & FLAG_HOLD;
        rollout_decide(&held, &f, &d);
        if (d.action != s->action || d.why != s->why || d.choice.release != s->release || d.reason != s->reason)
                fail_msg("line %d: action %d, %s, release %d, '%s': %s", s->line, d.action, rollout_why_word(d.why),
                         (int)d.choice.release, reason_word(d.reason), d.sentence);
        if (d.next_s != s->next_s)
                fail_msg("line %d: next in %lld s, not %lld: %s", s->line, (long long)d.next_s, (long long)s->next_s, d.sentence);
        if (!strstr(d.sentence, s->words))
                fail_msg("line %d: '%s' not in '%s'", s->line, s->words, d.sentence);
        if (s->release)
                assert_string_equal(d.choice.target, s->release == 42 ? B42 : B41);
        else
                assert_string_equal(d.choice.target, "");
        /* The sentence is text for a terminal and for JSON, whole. */
        assert_true(strlen(d.sentence) > 20 && strlen(d.sentence) < sizeof(d.sentence) - 1);
}

/* Finds a node between two places of the ring, in thousandths. */
static void node_find(unsigned from, unsigned to, char ret[static 16]) {
        for (unsigned n = 0; n < 100000; n++) {
                uint64_t place;

                snprintf(ret, 16, "node-%u", n);
                assert_int_equal(rollout_place(ret, "baseline", &place), 0);
                place = (uint64_t)((unsigned __int128)place * 1000 >> 64);
                if (place >= from && place < to)
                        return;
        }
        fail_msg("no node between %u and %u", from, to);
}

static int nodes_find(void **state) {
        node_find(0, 10, id_first);
        node_find(110, 250, id_middle);
        node_find(900, 1000, id_last);
        return 0;
}

#define FIRST id_first
#define MIDDLE id_middle
#define LAST id_last
#define SCENE(...) scene_check(r, &(struct scene){.line = __LINE__, __VA_ARGS__})
/* Without a shadow, and with one. */
#define PLAIN(ring_, id_, now_, in_force_, floor_, flags_, ...)                                                               \
        SCENE(.ring = ring_, .id = id_, .now = now_, .in_force = in_force_, .floor = floor_, .flags = flags_, .shadow_s = -1, \
              __VA_ARGS__)
#define SHADOW(ring_, now_, in_force_, flags_, s, n, ...)                                                                       \
        SCENE(.ring = ring_, .id = MIDDLE, .now = now_, .in_force = in_force_, .flags = flags_, .shadow_s = s, .would_deny = n, \
              __VA_ARGS__)
#define KEEPS(why_, next, words_) .action = ROLLOUT_KEEP, .why = why_, .next_s = next, .words = words_
#define REFUSES(reason_, next, words_) \
        .action = ROLLOUT_KEEP, .why = ROLLOUT_REFUSED, .reason = reason_, .next_s = next, .words = words_
#define TAKES(release_, why_, next, words_) \
        .action = ROLLOUT_TAKE, .why = why_, .release = release_, .next_s = next, .words = words_
#define BAKES(next, words_) .action = ROLLOUT_BAKE, .why = ROLLOUT_BAKING, .release = 42, .next_s = next, .words = words_

static void rings_without_waves(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("all", FIRST, T0, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "ring all has come to it"));
        PLAIN("all", LAST, T0, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "release 42 is taken"));
        PLAIN("all", LAST, 0, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "release 42 is taken"));
        PLAIN("all", FIRST, T0, 42, 0, 0, KEEPS(ROLLOUT_CURRENT, 0, "release 42 is in force, and ring all has it"));
        PLAIN("all", FIRST, T0, 43, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "")); /* a fleet goes back */
        PLAIN("all", FIRST, T0, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 0, "nothing was in force"));
        PLAIN("back", FIRST, T0, 42, 0, 0, TAKES(41, ROLLOUT_TURN, 0, "release 41"));
        PLAIN("back", FIRST, T0, 42, 41, 0, TAKES(41, ROLLOUT_TURN, 0, "release 41"));
        PLAIN("late", FIRST, T0 - 1, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 1, "due at 2026-11-22T08:00:00Z"));
        PLAIN("late", FIRST, T0, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "release 42 is taken"));
        PLAIN("late", FIRST, T0 - 1, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 1, "nothing was in force"));
}

static void unknown_rings(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("beta", FIRST, T0, 41, 0, 0, REFUSES(REASON_RING_UNKNOWN, 0, "does not name this node's ring 'beta'"));
        PLAIN("beta", FIRST, T0, 0, 0, 0, REFUSES(REASON_RING_UNKNOWN, 0, "nothing is in force"));
        PLAIN("", FIRST, T0, 41, 0, 0, REFUSES(REASON_RING_UNKNOWN, 0, "ring ''"));
        PLAIN(NULL, NULL, T0, 41, 0, 0, REFUSES(REASON_RING_UNKNOWN, 0, "release 41 stays in force"));
        PLAIN("Stable", FIRST, T0 + 100 * H, 41, 0, 0, REFUSES(REASON_RING_UNKNOWN, 0, "'Stable'"));
        SHADOW("beta", T0, 41, 0, 60, 0, REFUSES(REASON_RING_UNKNOWN, 0, "release 41 stays in force"));
}

static void waves(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        /* without `else`: keep until one's turn */
        PLAIN("slow", FIRST, T0, 41, 0, 0, KEEPS(ROLLOUT_WAITING, H, "due at 2026-11-22T09:00:00Z"));
        PLAIN("slow", FIRST, T0 + H - 1, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 1, "release 41 stays in force"));
        PLAIN("slow", FIRST, T0 + H, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, "ring slow has come to it"));
        PLAIN("slow", MIDDLE, T0 + H, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 23 * H, "due at 2026-11-23T08:00:00Z"));
        PLAIN("slow", MIDDLE, T0 + 24 * H, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", LAST, T0 + 24 * H, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 48 * H, "due at 2026-11-25T08:00:00Z"));
        PLAIN("slow", LAST, T0 + 72 * H, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", LAST, T0 + 9999 * H, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", FIRST, 0, 41, 0, 0, KEEPS(ROLLOUT_WAITING, T0 + H, "2026-11-22T09:00:00Z"));
        PLAIN("slow", FIRST, INT64_MIN, 41, 0, 0, KEEPS(ROLLOUT_WAITING, T0 + H, "2026-11-22T09:00:00Z"));
        PLAIN("slow", LAST, INT64_MAX, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", LAST, T0, 42, 0, 0, KEEPS(ROLLOUT_WAITING, 72 * H, "release 42 stays in force"));
        PLAIN("slow", LAST, T0, 40, 0, 0, KEEPS(ROLLOUT_WAITING, 72 * H, "release 40 stays in force"));
        /* a wave that never includes a node */
        PLAIN("part", FIRST, T0, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("part", LAST, T0 + 999 * D, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 0, "no wave includes this node"));
        PLAIN("none", FIRST, T0 + 999 * D, 42, 0, 0, TAKES(41, ROLLOUT_ELSE, 0, "no wave includes this node"));
        /* with `else` */
        PLAIN("stable", LAST, T0, 41, 0, 0, KEEPS(ROLLOUT_WAITING, 72 * H, "release 41 stays in force"));
        PLAIN("stable", LAST, T0, 40, 0, 0, TAKES(41, ROLLOUT_ELSE, 72 * H, "for nodes whose wave has not come"));
        PLAIN("stable", LAST, T0, 42, 0, 0, TAKES(41, ROLLOUT_ELSE, 72 * H, "release 41 is taken"));
        PLAIN("stable", LAST, T0 + 72 * H, 40, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("stable", FIRST, T0 + H, 41, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("stable", FIRST, T0 + H, 42, 0, 0, KEEPS(ROLLOUT_CURRENT, 0, "ring stable has it"));
}

/* A node without any policy does not wait for a wave, unless there is something else for it. */
static void bare_nodes(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("slow", LAST, T0, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 72 * H, "ring slow has it"));
        PLAIN("part", LAST, T0, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 0, "ring part has it"));
        PLAIN("stable", LAST, T0, 0, 0, 0, TAKES(41, ROLLOUT_FIRST, 72 * H, "for nodes whose wave has not come"));
        PLAIN("stable", LAST, T0 + 72 * H, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 0, "ring stable has it"));
        PLAIN("canary", LAST, T0, 0, 0, 0, TAKES(42, ROLLOUT_FIRST, 0, "")); /* nothing to be in the shadow of */
        PLAIN("all", LAST, T0, 0, 0, FLAG_HOLD, TAKES(42, ROLLOUT_FIRST, 0, ""));
        PLAIN("all", LAST, T0, 0, 0, FLAG_EXPIRED, REFUSES(REASON_EXPIRED, 0, "nothing is in force"));
        PLAIN("all", LAST, T0, 0, 43, 0, REFUSES(REASON_RELEASE_TOO_OLD, 0, "the oldest that may be taken is 43"));
        PLAIN("all", LAST, T0, 0, 0, FLAG_Q42, REFUSES(REASON_QUARANTINED, 0, "in quarantine here (health-failed)"));
        PLAIN("stable", LAST, T0, 0, 42, 0, TAKES(42, ROLLOUT_FIRST, 72 * H, "release-too-old"));
        PLAIN("stable", LAST, T0, 0, 0, FLAG_Q41, TAKES(42, ROLLOUT_FIRST, 72 * H, "quarantined"));
        PLAIN("stable", FIRST, T0 + H, 0, 0, FLAG_Q42, TAKES(41, ROLLOUT_FIRST, 0, "quarantined"));
        PLAIN("stable", FIRST, T0 + H, 0, 0, FLAG_REUSED42, TAKES(41, ROLLOUT_FIRST, 0, "release-reused"));
        PLAIN("stable", FIRST, T0 + H, 0, 0, FLAG_Q41 | FLAG_Q42, REFUSES(REASON_QUARANTINED, 0, "release 42"));
        PLAIN("stable", LAST, T0, 0, 0, FLAG_Q41 | FLAG_Q42, REFUSES(REASON_QUARANTINED, 72 * H, "release 41"));
}

static void what_is_refused(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("all", LAST, T0, 41, 43, 0, REFUSES(REASON_RELEASE_TOO_OLD, 0, "the oldest that may be taken is 43"));
        PLAIN("all", LAST, T0, 41, 42, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("all", LAST, T0, 41, 0, FLAG_Q42, REFUSES(REASON_QUARANTINED, 0, "release 41 stays in force"));
        PLAIN("all", LAST, T0, 41, 0, FLAG_REUSED42, REFUSES(REASON_RELEASE_REUSED, 0, "with another content"));
        PLAIN("all", LAST, T0, 42, 0, FLAG_OTHER_IN_FORCE, REFUSES(REASON_RELEASE_REUSED, 0, "with another content"));
        PLAIN("all", LAST, T0, 41, 0, FLAG_EXPIRED, REFUSES(REASON_EXPIRED, 0, "release 41 stays in force"));
        PLAIN("all", LAST, T0, 42, 0, FLAG_EXPIRED, KEEPS(ROLLOUT_CURRENT, 0, "release 42 is in force"));
        PLAIN("back", LAST, T0, 42, 42, 0, REFUSES(REASON_RELEASE_TOO_OLD, 0, "ring back names release 41"));
        PLAIN("stable", LAST, T0, 40, 42, 0, REFUSES(REASON_RELEASE_TOO_OLD, 72 * H, "below the floor"));
        PLAIN("stable", LAST, T0, 40, 0, FLAG_Q41, REFUSES(REASON_QUARANTINED, 72 * H, "(bake-failed)"));
        PLAIN("stable", LAST, T0, 41, 42, 0, KEEPS(ROLLOUT_WAITING, 72 * H, "below the floor, release 42"));
        PLAIN("stable", FIRST, T0 + H, 40, 0, FLAG_Q42, REFUSES(REASON_QUARANTINED, 0, "release 40 stays in force"));
        /* the older of two faults does not hide that nothing may be taken */
        PLAIN("all", LAST, T0, 41, 0, FLAG_Q42 | FLAG_EXPIRED | FLAG_HOLD, REFUSES(REASON_QUARANTINED, 0, ""));
}

/* What an operator installed gives way to what is newer, and to nothing else. */
static void installed(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("all", LAST, T0, 43, 0, FLAG_INSTALLED, KEEPS(ROLLOUT_INSTALLED, 0, "the operator installed it"));
        PLAIN("all", LAST, T0, 43, 0, 0, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("all", LAST, T0, 41, 0, FLAG_INSTALLED, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("all", LAST, T0, 42, 0, FLAG_INSTALLED, KEEPS(ROLLOUT_CURRENT, 0, ""));
        PLAIN("all", LAST, T0, 42, 0, FLAG_INSTALLED | FLAG_OTHER_IN_FORCE, REFUSES(REASON_RELEASE_REUSED, 0, ""));
        PLAIN("stable", LAST, T0, 42, 0, FLAG_INSTALLED,
              KEEPS(ROLLOUT_INSTALLED, 72 * H, "ring stable has release 41, which is older"));
        PLAIN("slow", LAST, T0, 43, 0, FLAG_INSTALLED, KEEPS(ROLLOUT_WAITING, 72 * H, ""));
        PLAIN("back", LAST, T0, 42, 0, FLAG_INSTALLED | FLAG_HOLD, KEEPS(ROLLOUT_INSTALLED, 0, "which is older"));
        PLAIN("canary", MIDDLE, T0, 41, 0, FLAG_INSTALLED, BAKES(1800, ""));
}

static void on_hold(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("all", LAST, T0, 41, 0, FLAG_HOLD, KEEPS(ROLLOUT_HELD, 0, "on hold, before release 42"));
        PLAIN("all", LAST, T0, 42, 0, FLAG_HOLD, KEEPS(ROLLOUT_CURRENT, 0, "ring all has it"));
        PLAIN("back", LAST, T0, 42, 0, FLAG_HOLD, KEEPS(ROLLOUT_HELD, 0, "before release 41"));
        PLAIN("stable", LAST, T0, 41, 0, FLAG_HOLD, KEEPS(ROLLOUT_WAITING, 72 * H, ""));
        PLAIN("stable", LAST, T0, 40, 0, FLAG_HOLD, KEEPS(ROLLOUT_HELD, 0, "on hold"));
        PLAIN("canary", LAST, T0, 41, 0, FLAG_HOLD, KEEPS(ROLLOUT_HELD, 0, "on hold"));
        PLAIN("all", LAST, T0, 41, 0, FLAG_HOLD | FLAG_EXPIRED, REFUSES(REASON_EXPIRED, 0, "expired"));
}

static void baking(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        PLAIN("canary", MIDDLE, T0, 41, 0, 0, BAKES(1800, "release 42 runs in its shadow for another 30m"));
        SHADOW("canary", T0, 41, 0, 0, 0, BAKES(1800, "0 would-be denials, 0 allowed"));
        SHADOW("canary", T0, 41, 0, 1799, 0, BAKES(1, "another 1s"));
        SHADOW("canary", T0, 41, 0, -1, 0, BAKES(1800, "release 41 stays in force"));
        SHADOW("canary", T0, 41, 0, 1800, 0, TAKES(42, ROLLOUT_BAKED, 0, "long enough"));
        SHADOW("canary", T0, 41, 0, 99999, 0, TAKES(42, ROLLOUT_BAKED, 0, "long enough"));
        SHADOW("canary", T0, 41, 0, 60, 1, .action = ROLLOUT_FAIL, .why = ROLLOUT_REFUSED, .reason = REASON_BAKE_FAILED,
               .release = 42, .words = "showed 1 would-be denial, 0 allowed");
        SHADOW("canary", T0, 41, 0, 99999, 1, .action = ROLLOUT_FAIL, .why = ROLLOUT_REFUSED, .reason = REASON_BAKE_FAILED,
               .release = 42, .words = "1 would-be denial,");
        SHADOW("lenient", T0, 41, 0, 60, 10, BAKES(3540, "10 would-be denials, 10 allowed"));
        SHADOW("lenient", T0, 41, 0, 3600, 10, TAKES(42, ROLLOUT_BAKED, 0, "10 would-be denials, 10 allowed"));
        SHADOW("lenient", T0, 41, 0, 3600, 11, .action = ROLLOUT_FAIL, .why = ROLLOUT_REFUSED, .reason = REASON_BAKE_FAILED,
               .release = 42, .words = "11 would-be denials, 10 allowed");
        SHADOW("canary", T0, 42, 0, 60, 0, KEEPS(ROLLOUT_CURRENT, 0, ""));
        /* what baked was another content under the same number: from the start */
        SHADOW("canary", T0, 41, FLAG_OTHER_SHADOW, 99999, 5, BAKES(1800, "30m"));
        /* a ring that wants no shadow takes at once what is in it; one whose turn it is not ends it */
        SHADOW("all", T0, 41, 0, 60, 99, TAKES(42, ROLLOUT_TURN, 0, ""));
        SHADOW("slow", T0, 41, 0, 60, 0, KEEPS(ROLLOUT_WAITING, 24 * H, ""));
        /* held or expired: nothing is enforced, but the shadow may go on, and fail */
        SHADOW("canary", T0, 41, FLAG_HOLD, 60, 0, .action = ROLLOUT_BAKE, .why = ROLLOUT_HELD, .release = 42,
               .words = "goes on in its shadow");
        SHADOW("canary", T0, 41, FLAG_HOLD, 99999, 0, .action = ROLLOUT_BAKE, .why = ROLLOUT_HELD, .release = 42,
               .words = "on hold");
        SHADOW("canary", T0, 41, FLAG_EXPIRED, 99999, 0, .action = ROLLOUT_BAKE, .why = ROLLOUT_REFUSED, .reason = REASON_EXPIRED,
               .release = 42, .words = "expired");
        SHADOW("canary", T0, 41, FLAG_HOLD, 60, 1, .action = ROLLOUT_FAIL, .why = ROLLOUT_REFUSED, .reason = REASON_BAKE_FAILED,
               .release = 42, .words = "release 41 stays in force");
        PLAIN("canary", MIDDLE, T0, 41, 0, FLAG_EXPIRED, REFUSES(REASON_EXPIRED, 0, "expired"));
        SHADOW("canary", T0, 41, FLAG_Q42, 60, 0, REFUSES(REASON_QUARANTINED, 0, "quarantine"));
}

/* A clock that nobody can trust does not decide who is next: what was signed does. */
static void doubtful_clocks(void **state) {
        cleanup_rollout struct rollout *r = parse(example);

        /* years ahead */
        PLAIN("slow", LAST, T0 + 9999 * D, 41, 0, FLAG_DOUBTFUL, .issued = T0,
              KEEPS(ROLLOUT_WAITING, 0, "2026-11-25T08:00:00Z by the repository's clock"));
        PLAIN("slow", LAST, T0 + 9999 * D, 41, 0, FLAG_DOUBTFUL, .issued = T0 + 72 * H, TAKES(42, ROLLOUT_TURN, 0, ""));
        /* years behind */
        PLAIN("slow", LAST, 0, 41, 0, FLAG_DOUBTFUL, .issued = T0 + 72 * H, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", LAST, 0, 41, 0, FLAG_DOUBTFUL, .issued = T0 + 71 * H, KEEPS(ROLLOUT_WAITING, 0, "repository's clock"));
        /* a repository that says no time: nobody's turn comes by time */
        PLAIN("slow", FIRST, T0 + 9999 * D, 41, 0, FLAG_DOUBTFUL, KEEPS(ROLLOUT_WAITING, 0, "release 41 stays"));
        PLAIN("all", FIRST, T0, 41, 0, FLAG_DOUBTFUL, TAKES(42, ROLLOUT_TURN, 0, ""));
        PLAIN("slow", FIRST, T0, 0, 0, FLAG_DOUBTFUL, TAKES(42, ROLLOUT_FIRST, 0, ""));
        /* a shadow's time is not the clock's */
        SHADOW("canary", 0, 41, FLAG_DOUBTFUL, 1800, 0, TAKES(42, ROLLOUT_BAKED, 0, ""));
}

/* ---- properties ----------------------------------------------------------------------------------------------------- */

/* Whose turn has come, has come for good; what is announced as the next change is one, and nothing changes before it. */
static void time_only_brings_nodes_in(void **state) {
        cleanup_rollout struct rollout *r = parse(example);
        size_t taken_before = 0;

        for (int64_t t = T0 - H; t <= T0 + 80 * H; t += H / 2) {
                size_t taken = 0;

                for (unsigned n = 0; n < 500; n++) {
                        char id[16];
                        struct rollout_facts f = {.node_id = id, .ring = "slow", .now = t, .in_force = true, .release = 41};
                        struct rollout_decision d, later;

                        snprintf(id, sizeof(id), "n%u", n);
                        rollout_decide(r, &f, &d);
                        taken += d.action == ROLLOUT_TAKE;
                        if (d.action == ROLLOUT_TAKE)
                                continue;
                        assert_true(d.next_s > 0);
                        f.now = t + d.next_s - 1;
                        rollout_decide(r, &f, &later);
                        assert_int_equal(later.action, ROLLOUT_KEEP);
                        f.now = t + d.next_s;
                        rollout_decide(r, &f, &later);
                        assert_int_equal(later.action, ROLLOUT_TAKE);
                }
                assert_true(taken >= taken_before);
                taken_before = taken;
        }
        assert_int_equal(taken_before, 500);
}

/* Whatever the facts: nothing below the floor, nothing in quarantine, nothing with another content, nothing out of an expired
 * repository is taken, and a node on hold that enforces does not move. */
static void never(void **state) {
        static const char *const rings[] = {"canary", "stable", "all", "late", "back", "slow", "part", "none", "lenient", "what"};
        cleanup_rollout struct rollout *r = parse(example);
        uint64_t seed = 7, taken = 0;

        for (unsigned i = 0; i < 200000; i++) {
                uint64_t x = seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                char id[32];
                struct rollout_known known[] = {{.release = 41,
                                                 .content = "a",
                                                 .seen_content = x >> 60 & 1 ? "b" : NULL,
                                                 .quarantined = x >> 61 & 1 ? "operator" : NULL},
                                                {.release = 42,
                                                 .content = "c",
                                                 .seen_content = x >> 62 & 1 ? "c" : "d",
                                                 .quarantined = x >> 63 ? "operator" : NULL}};
                struct rollout_facts f = {.node_id = id,
                                          .ring = rings[(x >> 32) % ARRAY_SIZE(rings)],
                                          .now = T0 + (int64_t)((x >> 20) % 100) * H - 10 * H,
                                          .issued = T0,
                                          .clock = x >> 19 & 1,
                                          .expired = (x >> 16 & 3) == 0,
                                          .in_force = x >> 15 & 1,
                                          .release = 40 + (x >> 13 & 3),
                                          .floor = 40 + (x >> 40) % 4,
                                          .shadow = {x >> 50 & 1, 42, "c", (int64_t)(x >> 44 & 63) * 60, x >> 51 & 3},
                                          .known = known,
                                          .n_known = 2};
                struct rollout_decision d;
                const struct rollout_known *k;

                snprintf(id, sizeof(id), "%u", i);
                r->hold = x >> 12 & 1;
                rollout_decide(r, &f, &d);
                assert_true(d.next_s >= 0);
                assert_true((d.reason == REASON_NONE) == (d.why != ROLLOUT_REFUSED));
                assert_true((d.action == ROLLOUT_KEEP) == (d.choice.release == 0));
                assert_true(d.wanted == 0 || d.wanted == 41 || d.wanted == 42);
                if (d.action != ROLLOUT_KEEP && f.in_force)
                        assert_int_equal(d.wanted, d.choice.release);
                if (d.why == ROLLOUT_CURRENT)
                        assert_int_equal(d.wanted, f.release);
                if (d.action == ROLLOUT_BAKE || d.action == ROLLOUT_FAIL)
                        assert_true(f.in_force && d.choice.release == 42);
                if (d.action != ROLLOUT_TAKE && d.action != ROLLOUT_BAKE)
                        continue;
                k = &known[d.choice.release - 41];
                assert_true(d.choice.release >= f.floor && !k->quarantined);
                assert_true(!k->seen_content || streq(k->content, k->seen_content));
                if (d.action != ROLLOUT_TAKE)
                        continue;
                assert_false(f.expired || (r->hold && f.in_force) || streq(f.ring, "what"));
                assert_true(!f.in_force || d.choice.release != f.release);
                taken++;
        }
        assert_true(taken > 10000);
}

static void choices(void **state) {
        cleanup_rollout struct rollout *r = parse(example);
        struct rollout_choice c[2] = {};
        struct err err = {};

        assert_int_equal(rollout_choices(r, "stable", c), 2);
        assert_true(c[0].release == 42 && c[1].release == 41);
        assert_int_equal(rollout_choices(r, "all", c), 1);
        assert_int_equal(rollout_choices(r, "what", c), 0);
        assert_int_equal(rollout_choices(r, NULL, c), 0);
        assert_done(rollout_choice_check(r, &c[0], "baseline", 42, &err), err);
        assert_true(rollout_choice_check(r, &c[0], "baseline", 41, &err) < 0);
        assert_int_equal(err.reason, REASON_WRONG_BUNDLE);
        assert_true(rollout_choice_check(r, &c[0], "other", 42, &err) < 0);
        assert_int_equal(err.reason, REASON_WRONG_BUNDLE);
        for (int i = 0; i < ROLLOUT_WHY_COUNT; i++)
                assert_true(strlen(rollout_why_word(i)) > 2);
        assert_string_equal(rollout_why_word(ROLLOUT_WHY_COUNT), "");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(place_is_as_documented),
                cmocka_unit_test(the_ends_of_percent),
                cmocka_unit_test(a_fleet),
                cmocka_unit_test(rings_without_waves),
                cmocka_unit_test(unknown_rings),
                cmocka_unit_test(waves),
                cmocka_unit_test(bare_nodes),
                cmocka_unit_test(what_is_refused),
                cmocka_unit_test(installed),
                cmocka_unit_test(on_hold),
                cmocka_unit_test(baking),
                cmocka_unit_test(doubtful_clocks),
                cmocka_unit_test(time_only_brings_nodes_in),
                cmocka_unit_test(never),
                cmocka_unit_test(choices),
        };

        return cmocka_run_group_tests(tests, nodes_find, NULL);
}
