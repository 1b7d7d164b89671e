/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: straight-line code that may end before any step, and then starts from what it finds. */

/* One step: made whole, or SIGKILL comes first; or (WEDGE) the agent never moves again. */
#ifdef WEDGE
#define STEP(...) if :: atomic { __VA_ARGS__ } :: goto killed :: goto wedged fi
#else
#define STEP(...) if :: atomic { __VA_ARGS__ } :: STRIKES -> goto killed fi
#endif

#ifdef SEVERAL_WORDS
#define MOVE(expected, word) if \
        :: ((expected) | (word)) & PENDING -> STEP(store_first(word)); STEP(store_second(expected, word)) \
        :: else -> STEP(cas(expected, word, ok)) \
        fi
#else
#define MOVE(expected, word) STEP(cas(expected, word, ok))
#endif

/* ---- records of the journal ----------------------------------------------------------------------------------------- */

inline record(state, next, count) {
        j_state = state;
        j_next = next;
        j_tries = count
}

/* The trial has ended: the release is confirmed or quarantined, another comes next. */
inline record_verdict() {
        printf("supervisor: journal: the trial is over\n");
        record(IDLE, 0, 0);
        tries = 0
}

/* It has ended, but nothing was found wrong: the same comes once more, then it is quarantined. */
inline record_no_verdict() {
        if
        :: j_tries >= 2 -> record_verdict()
        :: else -> printf("supervisor: journal: idle, %d tries so far\n", j_tries); j_state = IDLE
        fi
}

/* The journal says who is in force; that must be so. */
inline durable() {
        printf("supervisor: journal: in force is slot %d\n", SLOT(j_confirmed));
        assert(j_confirmed == known);
        before = known
}

inline record_confirmed() {
        j_previous = j_confirmed;
        j_confirmed = j_next;
        record_verdict();
        durable()
}

inline record_rolled_back() {
        j_confirmed = j_previous;
        j_previous = 0;
        record_verdict();
        durable()
}

inline record_reloaded() {
        j_confirmed = GEN(slot);
        j_previous = 0;
        durable()
}

/* ---- parts of steps ------------------------------------------------------------------------------------------------- */

/* One that neither the gate nor a rollback needs. */
inline choose_slot(previous) {
        slot = 1;
        do
        :: slot == ACTIVE(gate) || ((gate & PENDING) && slot == FALLBACK(gate)) || slot == SLOT(previous) -> slot++
        :: else -> break
        od;
        assert(slot <= 3)
}

inline fill(position, age) {
        d_step {
                printf("supervisor: program %d of slot %d\n", position, slot);
                PROG(slot, position) = age;
                in_force()
        }
}

/* The new generation is whole. Whoever remembers the one that was in its slot remembers something that is gone. */
#define AGE(gen) gen = (gen == slot * 4 + OWN -> slot * 4 + GONE : gen)
inline whole() {
        d_step {
                AGE(want[0]);
                AGE(spare[0]);
#if READERS > 1
                AGE(want[1]);
                AGE(spare[1]);
#endif
                AGE(j_confirmed);
                AGE(j_previous);
                AGE(j_next);
                AGE(known);
                AGE(before);
                PROG(slot, 0) = OWN;
                PROG(slot, 1) = OWN
        }
}

inline power_cut() {
        d_step {
                printf("the machine goes down\n");
                assert(j_confirmed == known || j_confirmed == before);                                  /* claim d */
                known = j_confirmed;
                before = known;
                if
                :: up && j_state == STAGING -> tries++; assert(tries <= 2)                                    /* claim e */
                :: else
                fi;
                j_boot = 0;
                gate = 0;
                attached = 0;
                passed = 0;
                up = 0;
                prog[2] = 0; prog[3] = 0; prog[4] = 0; prog[5] = 0; prog[6] = 0; prog[7] = 0
        }
}

/* ---- the agent ------------------------------------------------------------------------------------------------------ */

proctype supervisor() {
        byte old, slot;
        bit ok;

start:
        if
        :: j_boot -> goto adopt
        :: else
        fi;

        /* ---- another boot: bpffs is empty, the journal decides. That all stands again is recorded last ---- */

        STEP(up || inside == 0 -> skip);
#ifdef VOUCH_FIRST
        STEP(j_boot = 1);
#endif
        STEP(if
#ifndef STAGING_FORGIVEN
             :: j_state == STAGING -> j_tries++
#endif
             :: else
             fi;
             record_no_verdict();
             j_next = 0);
        if
        :: j_confirmed != 0 ->
                slot = SLOT(j_confirmed);
                STEP(REACHED(3); attached = 1);
                STEP(fill(0, OWN));
                STEP(fill(1, OWN));
                STEP(gate = slot; printf("supervisor: has restored slot %d\n", slot))
        :: else
        fi;
#ifdef KEEP_PREVIOUS
        STEP(j_boot = 1);
#else
        STEP(j_boot = 1; j_previous = 0);
#endif
        goto ready;

        /* ---- the same boot: the gate decides ---- */
adopt:
        STEP(old = gate; printf("supervisor: restarts\n"));
        if
        :: PROBE(old) != 0 -> MOVE(old, ALONE(old, ACTIVE(old)))
        :: (old & PENDING) ->
                slot = ACTIVE(old);
#ifdef FLIP_PENDING
                goto stage;
#endif
                if
                :: goto health
                :: goto undo
                fi
        :: else
        fi;
#ifdef JOURNAL_WINS
        slot = SLOT((j_state == FLIPPING || j_state == CONFIRMING -> j_next : j_confirmed));
        if
        :: j_state == FLIPPING -> MOVE(old, FLIPPED(old, slot)); goto health
        :: j_state != FLIPPING && slot != ACTIVE(old) -> MOVE(old, ALONE(old, slot))
        :: else
        fi;
#endif
        STEP(if
             :: ACTIVE(gate) == SLOT(j_confirmed) ->
#ifdef TRIES_FORGOTTEN
                     j_tries = (j_state == STAGING -> 0 : j_tries);
#endif
                     record_no_verdict();
                     durable()
             :: ACTIVE(gate) != SLOT(j_confirmed) && j_state == CONFIRMING && ACTIVE(gate) == SLOT(j_next) ->
                     REACHED(4);
                     record_confirmed()
             :: ACTIVE(gate) != SLOT(j_confirmed) && j_state != CONFIRMING && ACTIVE(gate) == SLOT(j_previous) ->
                     REACHED(5);
                     record_rolled_back()
             :: else ->
                     REACHED(11);
                     goto reload
             fi);
        if
        :: goto ready
        :: j_confirmed != 0 -> goto reload      /* something of it is missing in the kernel */
        fi;

        /* ---- the same release again, into another slot: perhaps that which `rollback` would need ---- */
reload:
#ifndef RELOAD_UNRECORDED
        STEP(record_no_verdict(); j_next = 0; j_previous = 0);
#endif
        STEP(choose_slot(j_confirmed); awaited = inside);
        STEP(awaited == 0 -> skip);
        STEP(fill(0, NEW));
        STEP(fill(1, NEW); whole());
        asked = slot;
        old = gate;
        MOVE(old, ALONE(old, slot));
        STEP(record_reloaded());

ready:
        atomic { up = 1; in_force() };
idle:
        atomic { slot = 0; old = 0; ok = 0; settle() };
        if
        :: STEP(settled = 0)
        :: j_previous != 0 -> settled = 0; goto rollback
        fi;

        /* ---- a release comes, or the last one for the second time: then it may still be loaded ---- */
stage:
        if
        :: j_next != 0 -> slot = SLOT(j_next); goto probe
        :: true
        fi;
#ifdef VOID_LATE
        STEP(choose_slot(j_previous); record(STAGING, j_next, j_tries));
#else
        STEP(choose_slot(j_previous); record(STAGING, 0, j_tries));
#endif
        printf("supervisor: journal: staging into slot %d\n", slot);
#ifndef NO_GRACE
        STEP(awaited = inside);
        STEP(awaited == 0 -> printf("supervisor: a grace period has passed\n"));
#endif
        STEP(fill(0, NEW));
        STEP(fill(1, NEW); whole();
             if
             :: slot == 1 -> REACHED(6)
             :: slot == 2 -> REACHED(7)
             :: slot == 3 -> REACHED(8)
             fi);
probe:
        STEP(attached = 1; old = gate);
        MOVE(old, PROBING(old, slot));
        old = gate;
        if
        :: true
        :: MOVE(old, ALONE(old, ACTIVE(old))); STEP(record_verdict()); goto idle                /* a self-test failed */
        :: j_previous != 0 -> goto rollback
        fi;

        /* ---- the swap ---- */

#ifdef TRY_LATE
        STEP(record(FLIPPING, slot * 4 + OWN, j_tries); printf("supervisor: journal: flipping to slot %d\n", slot));
#else
        STEP(record(FLIPPING, slot * 4 + OWN, j_tries + 1); printf("supervisor: journal: flipping to slot %d\n", slot));
#endif
        MOVE(old, FLIPPED(old, slot));
health:
        if
        :: goto undo
        :: true
        fi;
#ifdef CONFIRMED_FIRST
        STEP(j_state = CONFIRMING; j_confirmed = j_next; printf("supervisor: journal: slot %d is confirmed\n", slot));
#else
        STEP(j_state = CONFIRMING; printf("supervisor: journal: confirming slot %d\n", slot));
#endif
#ifdef BLIND_CONFIRM
        STEP(was = gate; gate = ALONE(gate, slot); ok = 1; moved(); was = 0);
#else
#ifdef NO_CLOCK
        STEP(old = gate; late = passed; ok = 0);
#else
        STEP(old = gate; late = passed; ok = passed);
#endif
        if
        :: !(old & PENDING) -> goto fell_back
        :: (old & PENDING) && ok -> MOVE(old, EXPIRED(old)); goto fell_back
        :: (old & PENDING) && !ok -> MOVE(old, ALONE(old, slot))
        fi;
#endif
        if
        :: ok -> STEP(record_confirmed()); goto idle
        :: else -> REACHED(9)
        fi;
fell_back:
#ifdef TRY_LATE
        STEP(late = 0; j_tries++; record_no_verdict());
#else
        STEP(late = 0; record_no_verdict());
#endif
        goto idle;

undo:   /* A check failed, or the operator asks. */
        STEP(old = gate; printf("supervisor: rolls back\n"));
again:  if
        :: (old & PENDING) ->
                MOVE(old, EXPIRED(old));
                if
                :: ok
#ifdef NO_REREAD
                :: else -> goto again
#else
                :: else -> goto undo
#endif
                fi
        :: else
        fi;
        STEP(record_verdict());
        goto idle;

rollback:
        asked = SLOT(j_previous);
        old = gate;
        MOVE(old, ALONE(old, asked));
        STEP(record_rolled_back());
        goto idle;

killed:
        atomic {
                printf("supervisor: killed\n");
                slot = 0; old = 0; ok = 0;
                awaited = 0; asked = 0; late = 0; settled = 0;
                if
                :: true
                :: power_cut()
                fi;
                goto start
        }
#ifdef WEDGE
wedged: end_wedged: false
#endif
}
