/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The swap of one bundle on one node, for spin: every interleaving of
 *
 *   invocation   hook invocations in the kernel: the dispatcher and the programs that it tail-calls         (kernel.pml)
 *   clock        the deadline of a PENDING word may pass at any moment                                      (kernel.pml)
 *   supervisor   the agent: stages, probes, flips, confirms, rolls back, journals. It may be killed before
 *                any step and is restarted; or the machine goes down with it                            (supervisor.pml)
 *
 * This file has the state that they share and the claims:
 *
 *   a  An invocation is decided by exactly one whole generation: the one that its gate word named when it was read. Not
 *      "the newest": who read before a flip may finish after it, and that is no gap.                 execute()
 *   b  What the gate names is never less than the generation confirmed last, or since gone back to by the operator; only
 *      while PENDING, and with that generation as the fallback, may it name another. Claimed after every step and not
 *      only when a task looks, because a crash leaves what stands there.                             in_force()
 *   c  Every run converges: while the agent lives (`converges`), and when it never moves again (`falls_back`). Gate and
 *      journal then say the same.                                                                    settle(), the ltl
 *   d  Confirming never wins over a fallback; nothing but a flip, its end and the operator changes what is in force; a
 *      reboot brings that back, or what it was before a last step that the journal does not have yet. moved(), power_cut()
 *   e  No swap starts while PENDING. No release is flipped to more than twice, or takes the machine down more often while
 *      it is being tried.                                                                            moved(), power_cut()
 *
 * -D NAME builds a variant known to be wrong (`run` lists them). Spin must find an error in each, else the claims prove
 * nothing. -D REPORT makes the search say which points it gets to: a claim about what never happens proves nothing either.
 */

/* ---- the gate: one word, as in lsm_abi.h but with fewer bits. The deadline is `passed`, the sequence counts to 2 ------ */

#define PENDING 64
#define ACTIVE(w) ((w) & 3)
#define FALLBACK(w) (((w) >> 2) & 3)
#define PROBE(w) (((w) >> 4) & 3)
#ifdef NO_SEQUENCE
#define NEXT(w) 0
#else
#define NEXT(w) (~(w) & 128)
#endif

#define ALONE(w, slot) ((slot) | NEXT(w))
#define PROBING(w, slot) (((w) & (PENDING | 15)) | ((slot) << 4) | NEXT(w))
#define FLIPPED(w, slot) ((slot) | (ACTIVE(w) << 2) | PENDING | NEXT(w))
#define EXPIRED(w) (FALLBACK(w) | NEXT(w))

/* ---- what bpffs keeps: it survives the agent, not the machine ------------------------------------------------------- */

byte gate;
bit attached;           /* the dispatchers, all of them */

/*
 * Slots 1 to 3, two programs each; 0: no program. Slot 0 holds the allow stub: generation 0, "nothing enforced".
 *
 * A generation is known by its slot and an age, so that all runs together have finitely many: OWN is the one that the slot
 * was filled with last, NEW is being filled in and becomes OWN when it is whole, GONE is what somebody still remembers.
 */
#define OWN 1
#define NEW 2
#define GONE 3

byte prog[8];
#define PROG(slot, position) prog[(slot) * 2 + (position)]
#define GEN(slot) ((slot) -> (slot) * 4 + PROG(slot, 0) : 0)
#define SLOT(gen) ((gen) / 4)
#define WHOLE(slot) ((slot) == 0 || (PROG(slot, 0) != 0 && PROG(slot, 0) == PROG(slot, 1)))

/* ---- what the disk keeps: the journal, one record, replaced in one step --------------------------------------------- */

#define IDLE 0
#define STAGING 1       /* a slot is being refilled or probed */
#define FLIPPING 2      /* about to flip, or flipped */
#define CONFIRMING 3    /* about to confirm, or confirmed */

#ifndef START           /* the generation in force at the start: 0, or 5: slot 1's */
#define START 0
#endif

bit j_boot;             /* what it says of slots was said in this boot, and stands */
byte j_state;
byte j_confirmed = START;       /* what a reboot brings back; 0: nothing was ever confirmed */
byte j_previous;        /* what `rollback` goes back to; 0: nothing */
byte j_next;            /* the generation on trial, loaded and whole; 0: none */
byte j_tries;           /* how often the release on trial was tried */

#ifndef READERS
#define READERS 2       /* concurrent invocations */
#endif

/* ---- the machine ---------------------------------------------------------------------------------------------------- */

bit up = !START;        /* tasks run: at boot not before the agent says that it is ready */
bit passed;             /* the deadline of the word that is PENDING */
byte inside;            /* invocations in an RCU read section, one bit each */
byte awaited;           /* those that the grace period still waits for */
byte want[READERS];     /* of each: the generation that stood in the slot that decides, when the gate was read */
byte spare[READERS];    /* of each, until it is clear which slot decides: the same of the fallback slot */

/* ---- for the claims alone ------------------------------------------------------------------------------------------- */

byte known = START;     /* what must be in force at least */
byte before = START;    /* what it was before the step that the journal does not have yet; otherwise the same */
byte tries;             /* flips to the release on trial, and machines that went down before there was one */
byte asked;             /* the slot that the operator wants back, or into which the agent has loaded the same release again */
bit late;               /* the deadline had passed when the supervisor came to confirm */
bit settled;            /* the agent has nothing under way */
byte was;               /* the gate before a step; outside of steps 0 */

#ifdef REPORT
c_decl { static int hits[16]; }
#define REACHED(n) c_code { if (!hits[n]++) printf("reached %d\n", n); }
#else
#define REACHED(n) skip
#endif

/* Claim b. */
inline in_force() {
        if
        :: up ->
                assert(known == 0 || attached);
                assert(known == 0 || ACTIVE(gate) != 0);
                assert(WHOLE(ACTIVE(gate)) && WHOLE(PROBE(gate)));
                if
                :: (gate & PENDING) -> assert(WHOLE(FALLBACK(gate)) && GEN(FALLBACK(gate)) == known)
                :: else -> assert(GEN(ACTIVE(gate)) == known)
                fi
        :: else
        fi
}

/* The gate has changed from `was`: claims d and e. */
inline moved() {
        if
        :: (gate & PENDING) && ((was & PENDING) || ACTIVE(gate) != ACTIVE(was)) ->
                printf("  gate: slot %d, PENDING, fallback %d\n", ACTIVE(gate), FALLBACK(gate));
                assert(!(was & PENDING));
                assert(ACTIVE(gate) != 0 && FALLBACK(gate) == ACTIVE(was) && PROBE(gate) == 0);
                tries++;
                assert(tries <= 2);
                if
                :: tries == 2 -> REACHED(10)
                :: else
                fi;
                passed = 0
        :: !(gate & PENDING) && (was & PENDING) && ACTIVE(gate) != FALLBACK(was) ->
                printf("  gate: slot %d, confirmed\n", ACTIVE(gate));
                assert(ACTIVE(gate) == ACTIVE(was) && !late);
                known = GEN(ACTIVE(gate));
                tries = 0;
                passed = 0
        :: !(gate & PENDING) && (was & PENDING) && ACTIVE(gate) == FALLBACK(was) ->
                printf("  gate: slot %d, fallen back from %d\n", ACTIVE(gate), ACTIVE(was));
                passed = 0
        :: !(gate & PENDING) && !(was & PENDING) && ACTIVE(gate) != ACTIVE(was) ->
                printf("  gate: slot %d instead of %d\n", ACTIVE(gate), ACTIVE(was));
                assert(asked != 0 && ACTIVE(gate) == asked);
                known = GEN(ACTIVE(gate));
                asked = 0
        :: else ->
                printf("  gate: slot %d, probe %d\n", ACTIVE(gate), PROBE(gate))
        fi;
        in_force()
}

inline cas(expected, word, ok) {
        d_step {
                if
                :: gate == (expected) ->
                        was = gate;
                        gate = word;
                        ok = 1;
                        moved();
                        was = 0
                :: else ->
                        printf("  gate: compare-and-swap fails\n");
                        ok = 0
                fi
        }
}

#ifdef SEVERAL_WORDS
/* The active slot in a word of its own, the rest in a second: two stores, in the order that looks safest. */
inline store_first(word) {
        if
        :: ((word) & PENDING) -> gate = ACTIVE(gate) | ((word) & 252)
        :: else -> gate = ACTIVE(word) | (gate & 252)
        fi
}
inline store_second(expected, word) {
        if
        :: ((word) & PENDING) -> gate = ACTIVE(word) | (gate & 252)
        :: else -> gate = ACTIVE(gate) | ((word) & 252)
        fi;
        was = expected;
        ok = 1;
        moved();
        was = 0
}
#endif

inline settle() {
        d_step {
                assert(!(gate & PENDING) && PROBE(gate) == 0 && j_state == IDLE);
                assert(j_confirmed == known && before == known && GEN(ACTIVE(gate)) == known);
                settled = 1
        }
}

#ifdef LIVE
bit calm;               /* nothing crashes any more */
active proctype calmness() { calm = 1 }
#define STRIKES !calm
#else
#define STRIKES true
#endif

#include "kernel.pml"
#include "supervisor.pml"

init {
        atomic {
                run invocation(0);
#if READERS > 1
                run invocation(1);
#endif
                run supervisor();
                run clock()
        }
}

#ifdef LIVE
ltl converges { [] (calm -> <> settled) }
#endif
#ifdef WEDGE
ltl falls_back { [] ((gate & PENDING) -> <> !(gate & PENDING)) }
#endif
