/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel: hook invocations and the clock. */

inline leave() {
        d_step {
                inside = inside & ~(1 << me);
                awaited = awaited & ~(1 << me);
                w = 0;
                slot = 0;
                want[me] = 0;
                spare[me] = 0;
                missed = 0;
                ok = 0
        }
}

/* A machine that goes down takes its invocations along. */
#define LOST :: atomic { !up -> leave(); goto outside }

#ifdef NO_DEADLINE
#define SEES_EXPIRY false
#else
#define SEES_EXPIRY passed
#endif

#ifndef TWO_PROGRAMS

/* One program of the chain: of the generation that stood in this slot when the gate was read (claim a). */
inline execute(position) {
        if
        :: slot == 0
        :: slot != 0 && PROG(slot, position) == 0 -> goto miss
        :: slot != 0 && PROG(slot, position) != 0 ->
                printf("invocation %d: program %d of slot %d, age %d\n", me, position, slot, PROG(slot, position));
                assert(slot * 4 + PROG(slot, position) == want[me])
        fi
}

proctype invocation(byte me) {
        byte w;         /* the gate as it was read */
        byte slot;      /* decides */
        bit missed, ok;

outside:
        atomic {
                up && attached ->
                inside = inside | (1 << me);
read:           w = gate;
                printf("invocation %d: reads the gate, slot %d\n", me, ACTIVE(w));
                if
                :: !(w & PENDING) ->
                        if
                        :: slot = ACTIVE(w)
                        :: PROBE(w) != 0 -> slot = PROBE(w)             /* a task of the probe's cgroup */
                        fi;
                        want[me] = GEN(slot);
                        w = 0;
                        goto chain
                :: else ->
                        want[me] = GEN(ACTIVE(w));
                        spare[me] = GEN(FALLBACK(w))
                fi
        }
        /* The clock. The deadline of a word that the gate no longer holds may have passed meanwhile, or not. */
        if
        LOST
        :: atomic {
                up && (gate != w || !SEES_EXPIRY) ->
                if
                :: slot = ACTIVE(w)
                :: slot = FALLBACK(w); want[me] = spare[me]                     /* the supervisor, PID 1 */
                fi;
                w = 0;
                spare[me] = 0;
                goto chain
        }
        :: atomic { up && (gate != w || SEES_EXPIRY) -> printf("invocation %d: the deadline has passed\n", me) }
        fi;
        /* The expiry. */
#ifdef SEVERAL_WORDS
        if
        LOST
        :: atomic { up -> store_first(EXPIRED(w)) }
        fi;
#endif
        if
        LOST
        :: atomic {
                up ->
#ifdef SEVERAL_WORDS
                store_second(w, EXPIRED(w));
#else
                if
                :: gate == w -> REACHED(1); assert(passed)              /* and not some later flip's */
                :: else -> REACHED(2)
                fi;
                cas(w, EXPIRED(w), ok);
#endif
                if
                :: slot = FALLBACK(w); want[me] = spare[me]
                :: !ok -> slot = ACTIVE(gate); want[me] = GEN(slot)         /* what cmpxchg found does as well */
                fi;
                w = 0;
                spare[me] = 0;
                ok = 0
        }
        fi;
chain:
        if
        LOST
        :: atomic { up -> execute(0) }
        fi;
        if
        LOST
        :: atomic { up -> execute(1); leave(); goto outside }
        fi;

miss:   /* A tail call that found nothing: the gate is read once more, then it denies and counts. That must never be. */
        atomic {
                printf("invocation %d: no program in slot %d\n", me, slot);
                assert(!missed);
                missed = 1;
                goto read
        }
}

#else

/* Each generation's own program is attached, the newest runs first, and each asks the gate whether it is the one. */
proctype invocation(byte me) {
        byte slot;
        bit decided, unprotected;
        byte w;
        bit missed, ok;

outside:
        atomic {
                up && attached ->
                inside = inside | (1 << me);
                slot = 3
        }
        do
        LOST
        :: atomic {
                up && slot != 0 ->
                if
                :: ACTIVE(gate) == slot -> decided = 1; printf("invocation %d: slot %d decides\n", me, slot)
                :: ACTIVE(gate) == 0 -> unprotected = 1
                :: ACTIVE(gate) != slot && ACTIVE(gate) != 0 -> printf("invocation %d: slot %d keeps out of it\n", me, slot)
                fi;
                slot--
        }
        :: atomic {
                up && slot == 0 ->
                assert(decided || unprotected);
                decided = 0;
                unprotected = 0;
                leave();
                goto outside
        }
        od
}

#endif

proctype clock() {
end:    do
        :: atomic { (gate & PENDING) && !passed -> passed = 1; printf("clock: the deadline passes\n") }
        od
}
