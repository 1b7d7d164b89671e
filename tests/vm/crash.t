# SPDX-License-Identifier: Apache-2.0
# The agent may die or hang anywhere in a swap: what was denied stays denied, the kernel goes back by itself, and the next start
# converges to one release or the other. What is the journal's doing alone is the same on every kernel, and tried on one unless LONG=1.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 600
. "$TESTLIB"
. /test/node.sh

B=bundles.0

# converged NAME RELEASE: nothing is half done, and RELEASE is what the journal says and what the kernel does.
converged() {
        status
        is "$(value $B.in_force.release) $(value $B.state)" "$2 enforcing" "$1: release $2 is in force"
        is "$(value $B.staged) $(value $B.step) $(value $B.gate.pending)" "null none false" "$1: nothing is half done"
        ok "$1: what both releases deny is denied" denied shadow
        if [ "$2" = 2 ]; then
                ok "$1: what release 2 alone denies is denied" denied gshadow
        else
                ok "$1: what release 2 alone denies is not" allowed gshadow
        fi
}

# killed_at POINT REASON: an install of release 2 over release 1 is killed there. REASON: why it is not in force then; "confirmed":
# it is; "unknown": the journal has not heard of it.
killed_at() {
        fault "$1" install /test/bundles/rb-2.tar.zst --key $KEY >$T/killed 2>&1
        is $? 137 "$1: killed there"
        ok "$1: what both releases deny is denied" denied shadow
        ok "$1: the next start succeeds" lsmpull boot
        case $2 in
        confirmed)
                converged "$1" 2
                is "$(value $B.left)" null "$1: nothing is said to have failed"
                ;;
        unknown)
                converged "$1" 1
                isnt "$(value $B.left.release)" 2 "$1: nothing was said of release 2"
                ;;
        *)
                converged "$1" 1
                is "$(value $B.left.release) $(value $B.left.reason)" "2 $2" "$1: release 2 was left: $2"
                ;;
        esac
        is "$(value 'quarantine.*.release')" "" "$1: nothing is in quarantine"
        is "$(slots)" "$(($(value $B.previous.release | grep -c .) + 1))" "$1: no programs but those of the releases that are kept"
}

# How many slots of the bundle have programs of their own.
slots() { find /sys/fs/bpf/lsmpull/bundle/rb/counters -mindepth 1 -maxdepth 1 | wc -l; }

installs() {
        apply rb-2
        is "$status" 0 "$1: release 2 installs afterwards"
        [ "$status" = 0 ] || diag "$err"
        wants $B.in_force.release '^2$' "$1: and is in force"
}

back() {
        ok "$1: back on release 1" lsmpull rollback rb
        ok "$1: as if nothing had been" lsmpull retry rb
}

config 'confirm: {deadline: 40s, health: 1s}'
case $KERNEL-$LONG in
6.12-* | *-1) everywhere=1 ;;
*) everywhere=0 ;;
esac

# ---- the first install ---------------------------------------------------------------------------------------------------

fault swap:flipped install /test/bundles/rb-1.tar.zst --key $KEY >$T/killed 2>&1
is $? 137 "killed in the very first trial"
ok "the next start succeeds" lsmpull boot
wants $B.state '^none$' "nothing is in force, as before"
is "$(find /sys/fs/bpf/lsmpull/bundle -mindepth 1)" "" "nothing is left in the kernel"
ok "nothing is denied" allowed shadow
apply rb-1
is "$status" 0 "it installs afterwards"
hammer_begin

# ---- killed at every step ------------------------------------------------------------------------------------------------

if [ $everywhere = 1 ]; then
        killed_at journal:staging:before unknown
        killed_at journal:staging:after failed
        killed_at journal:probing:before failed
        killed_at journal:probing:after failed
        killed_at journal:flipping:before failed
        killed_at journal:flipping:after not-confirmed
        for point in journal:confirming:before journal:confirming:after swap:confirm; do
                ok "$point: forgotten, for the next try" lsmpull retry rb
                killed_at $point not-confirmed
        done
        installs "after nine crashes"
        back "after nine crashes"
        for point in journal:none:before journal:none:after; do
                killed_at $point confirmed
                back $point
        done
fi
killed_at swap:confirmed confirmed
back swap:confirmed

# ---- a second attempt, and no third --------------------------------------------------------------------------------------

killed_at swap:flipped not-confirmed
fault swap:confirm install /test/bundles/rb-2.tar.zst --key $KEY >$T/killed 2>&1
ok "the start after a second attempt succeeds" lsmpull boot
converged "a second attempt" 1
is "$(value 'quarantine.*.release') $(value 'quarantine.*.reason')" "2 not-confirmed" "a second attempt: in quarantine: not-confirmed"
apply rb-2
is "$status" 3 "a third attempt is refused"
like "$err" 'refused: quarantined: ' "with its reason"
ok "the quarantine is forgotten when told so" lsmpull retry rb

# ---- what was decided before the crash is not forgotten ------------------------------------------------------------------

if [ $everywhere = 1 ]; then
        config 'confirm: {deadline: 40s, health: 1s, command: [/bin/sh, -c, "exit 7"]}'
        fault journal:none:before install /test/bundles/rb-health.tar.zst --key $KEY >$T/killed 2>&1
        is $? 137 "killed after a failed health check, before it is in the journal"
        config 'confirm: {deadline: 40s, health: 1s}'
        ok "the next start succeeds" lsmpull boot
        converged "a failed health check" 1
        is "$(value $B.left.release) $(value $B.left.reason)" "7 health-failed" "a failed health check: is told after the crash"
        is "$(value 'quarantine.*.release') $(value 'quarantine.*.reason')" "7 health-failed" "a failed health check: quarantined after the crash"
        ok "the quarantine is forgotten when told so" lsmpull retry rb

        installs "after a failed health check"
        fault journal:none:before rollback rb >$T/killed 2>&1
        is $? 137 "killed in a rollback, before it is in the journal"
        ok "the next start succeeds" lsmpull boot
        converged "a rollback" 1
        is "$(value $B.left.release) $(value $B.left.reason)" "2 operator" "a rollback: the operator's, told after the crash"
        ok "the quarantine is forgotten when told so" lsmpull retry rb
fi

# Somebody has detached it. It is loaded again into another slot, which may be the one that the journal knew as the previous release's.
installs "after all that"
hammer_end "during all of this nothing got through"
rm /sys/fs/bpf/lsmpull/bundle/rb/hook/*/link
ok "detached by somebody, nothing is enforced" wait_for 20 allowed shadow
fault journal:none:before:2 boot >$T/killed 2>&1
is $? 137 "killed when the release was enforced again, and the journal did not know"
ok "the next start succeeds" lsmpull boot
converged "enforced again" 2

fault journal:none:after remove rb --yes >$T/killed 2>&1
is $? 137 "killed in a removal"
ok "the next start succeeds" lsmpull boot
status
is "$(value "$B.*")" "" "a removal: finished by the next start"
ok "a removal: nothing is denied" allowed shadow
is "$(find /sys/fs/bpf/lsmpull/bundle /var/lib/lsmpull/store /var/lib/lsmpull/journal -mindepth 1)" "" "a removal: nothing is left"

# ---- past the deadline ---------------------------------------------------------------------------------------------------

# stopped_at POINT NAME: an install of that release is stopped there, and goes on when its deadline has passed.
stopped_at() {
        LSM_FAULT_STOP=$1 /test/faults/lsmpull install "/test/bundles/$2.tar.zst" --key $KEY >$T/stopped 2>&1 &
        stopped=$!
        wait_for 60 grep -q '^State:.*T' /proc/$stopped/status || diag "not stopped: $(cat $T/stopped)"
        wants $B.state '^trial$' "$2 stopped at $1: on trial"
        wait_for 30 trial_over
}
trial_over() { status && [ "$(value $B.state)" != trial ]; }

continued() {
        kill -CONT $stopped
        wait $stopped
        is $? 4 "$1: going on does not confirm"
        like "$(cat $T/stopped)" "failed: not-confirmed: " "$1: the message says so"
        wants $B.left.reason '^not-confirmed$' "$1: and so does status"
        is "$(value $B.in_force.release) $(value $B.gate.pending)" "1 false" "$1: release 1 is in force"
        is "$(value 'quarantine.*.release')" "" "$1: tried once more"
}

apply rb-1
is "$status" 0 "release 1 is in force again"
[ "$status" = 0 ] || diag "$err"
hammer_begin
config 'confirm: {deadline: 4s, health: 1s}'
fault swap:flipped install /test/bundles/rb-2.tar.zst --key $KEY >$T/killed 2>&1
is $? 137 "killed in a trial, and nobody starts the agent again"
ok "the kernel goes back by itself" wait_for 20 allowed gshadow
ok "what both releases deny is denied" denied shadow
wants $B.gate.expiries '^1$' "the gate says that the kernel did it"
lsmpull run 2>$T/agent &
agent=$!
ok "an agent starts" wait_for 30 test -S /run/lsmpull/control.sock
converged "the agent's start" 1
is "$(value $B.left.reason)" not-confirmed "the agent's start: says what became of the trial"
kill $agent
wait $agent
ok "the attempt is forgotten" lsmpull retry rb

config 'confirm: {deadline: 10s, health: 1s}' # time to see the trial, on a slow machine, too
stopped_at swap:flipped rb-2
is "$(value $B.gate.pending) $(value $B.gate.expiries)" "false 2" "stopped while others make calls: the kernel has gone back"
ok "what release 2 alone denies is not denied any more" allowed gshadow
continued "stopped while others make calls"
hammer_end "during all of this nothing got through"
ok "the bundle can be removed" lsmpull remove rb --yes

config 'confirm: {deadline: 40s, health: 1s}'
apply rb-quiet-1
is "$status" 0 "a policy that nobody calls installs"
config 'confirm: {deadline: 10s, health: 1s}'
stopped_at swap:flipped rb-quiet-2
is "$(value $B.gate.pending) $(value $B.gate.expiries)" "true 0" "stopped in silence: nobody has noticed that the time is over"
continued "stopped in silence"
ok "the attempt is forgotten" lsmpull retry rb-quiet
config 'confirm: {deadline: 15s, health: 1s}'
stopped_at swap:confirm rb-quiet-2
is "$(value $B.gate.pending)" "true" "stopped in silence before confirming: nobody has noticed"
continued "stopped in silence before confirming"
like "$(chroot / true 2>&1)" "Operation not permitted" "release 1 decides"
done_testing
