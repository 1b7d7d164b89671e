/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks that come and go with the generations. swap.pml takes all dispatchers for one; here is a single hook that some
 * generations have programs on and others do not: its dispatcher, its array, and the agent, which may be killed before any
 * step. (Invocations, grace periods and the gate's own transitions are swap.pml's; the gate moves in one step here.)
 *
 * The claims, after every step, of each slot that the gate names:
 *
 *   f  A generation with programs on the hook has them called: the dispatcher is attached, the programs are its own.
 *   g  A generation without is not in the way: no dispatcher, or the allow stub. Never a hole (which denies everything on
 *      that hook), never another generation's program that was left behind.
 *   h  A hook that no loaded generation needs has no dispatcher, once the agent has nothing under way.
 */

#define NONE 0
#define STUB 1
#define OWN(slot) (1 + gen[slot])

byte entry[4];          /* the hook's array: NONE, STUB, or a generation's program (pinned; empty when the pin has gone) */
bit attached;           /* its dispatcher (pinned) */
bit running;            /* which the kernel calls, and after the pin has gone calls on for a while */

byte gen[4];            /* who was loaded into the slot: 1 or 2, changing with each refill; 0: nobody yet */
bit uses[4];            /* has programs on the hook */
bit kept[4] = { 1, 0, 0, 0 };   /* as the journal has it: whole, and not void */

byte current, fallback, probe, previous;
bit pending;

#define NEEDED(s) (kept[s] && uses[s])

inline right(s) {
        assert(!uses[s] || (attached && entry[s] == OWN(s)));                                                   /* claim f */
        assert(uses[s] || !running || entry[s] == STUB)                                                         /* claim g */
}

inline claims() {
        right(current);
        right(probe);
        if
        :: pending -> right(fallback)
        :: else
        fi
}

#define STEP(...) if :: atomic { __VA_ARGS__; claims() } :: goto killed fi

/* Slots that live on get the stub where they have nothing: before the dispatcher is there. */
#define FILL_STUBS(s) STEP(if :: !uses[s] -> entry[s] = STUB; printf("stub into slot %d\n", s) :: else fi)
#define ATTACH STEP(attached = 1; running = 1; printf("dispatcher attached\n"))

/* The array goes when the kernel has let go of the dispatcher, not when the pin has gone. */
#ifdef EMPTY_EARLY
#define GONE true
#else
#define GONE !running
#endif
#define EMPTY STEP(GONE -> entry[0] = NONE; entry[1] = NONE; entry[2] = NONE; entry[3] = NONE; printf("array emptied\n"))

active proctype kernel() {
end:    do
        :: atomic { running && !attached -> running = 0; printf("kernel: dispatcher let go\n") }
        od
}

active proctype supervisor() {
        byte slot;

idle:   atomic { slot = 0; assert(!attached || NEEDED(1) || NEEDED(2) || NEEDED(3)) };                          /* claim h */
        if
        :: true
        :: previous != 0 ->
                STEP(current = previous; previous = 0; printf("operator: back to slot %d\n", current));
                goto retire
        fi;

        /* Stage: a new generation, with or without programs on the hook. */
        STEP(slot = (current != 1 && previous != 1 -> 1 : (current != 2 && previous != 2 -> 2 : 3)); kept[slot] = 0);
        STEP(gen[slot] = (gen[slot] == 1 -> 2 : 1);
             if
             :: uses[slot] = 0
             :: uses[slot] = 1
             fi;
             printf("slot %d: a new generation, on the hook: %d\n", slot, uses[slot]));
#ifdef STALE_ENTRY
        if
        :: uses[slot] -> STEP(entry[slot] = OWN(slot))
        :: else
        fi;
#else
        STEP(entry[slot] = (uses[slot] -> OWN(slot) : (attached -> STUB : NONE)));
#endif
        if
        :: uses[slot] && !attached ->
#ifndef DISPATCHER_LATE
#ifdef ATTACH_FIRST
                ATTACH;
#endif
                FILL_STUBS(0);
                FILL_STUBS(1);
                FILL_STUBS(2);
                FILL_STUBS(3);
                ATTACH
#endif
        :: else
        fi;

        /* Probe, flip, confirm or fall back. */
        STEP(probe = slot; printf("probe: slot %d\n", slot));
        if
        :: STEP(probe = 0); goto retire
        :: true
        fi;
        STEP(probe = 0; fallback = current; current = slot; pending = 1; kept[slot] = 1; printf("flip to slot %d\n", slot));
#ifdef DISPATCHER_LATE
        ATTACH;
#endif
pends:  if
        :: STEP(pending = 0; previous = fallback; fallback = 0; printf("confirmed slot %d\n", current))
        :: STEP(pending = 0; kept[current] = 0; current = fallback; fallback = 0; printf("back on slot %d\n", current))
        fi;

        /* A hook that nobody needs any more loses its dispatcher. Whoever `rollback` would bring back needs it. */
retire: STEP(kept[1] = kept[1] && (current == 1 || previous == 1);
             kept[2] = kept[2] && (current == 2 || previous == 2);
             kept[3] = kept[3] && (current == 3 || previous == 3));
        if
#ifdef DETACH_EARLY
        :: attached && !uses[current] -> STEP(attached = 0; printf("dispatcher detached\n"))
#else
        :: attached && !NEEDED(1) && !NEEDED(2) && !NEEDED(3) -> STEP(attached = 0; printf("dispatcher detached\n"))
#endif
        :: else
        fi;
        if
        :: !attached -> EMPTY
        :: else
        fi;
        goto idle;

killed: printf("killed\n");
        slot = 0;
        if
        :: pending -> goto pends
        :: else -> STEP(probe = 0); goto retire
        fi
}
