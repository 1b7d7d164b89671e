# SPDX-License-Identifier: Apache-2.0
# The agent takes new releases from its source, does what its operator asks and nobody else, can be ended, killed and started again
# without a gap, and keeps its service manager informed.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
. "$TESTLIB"
. /test/node.sh

B=bundles.0
SOURCE=/tmp/source/rb.tar.zst
INTERVAL=1s HEALTH=1s

configure() {
        config "source: {bundle: $SOURCE, keys: [$KEY]}" "poll: {interval: $INTERVAL, jitter: 0}" "confirm: {deadline: 90s, health: $HEALTH}"
}

publish() {
        mkdir -p ${SOURCE%/*}
        cp "/test/bundles/$1.tar.zst" $SOURCE.new
        mv $SOURCE.new $SOURCE
}

agent_begin() {
        rm -f /run/lsmpull/control.sock
        NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=30000000 lsmpull run 2>>$T/agent &
        agent=$!
        wait_for 60 test -S /run/lsmpull/control.sock || fail "the agent starts: $(cat $T/agent)"
}

# agent_end SIGNAL: $ended is how it ended.
agent_end() {
        kill -$1 $agent
        wait $agent
        ended=$?
}

# The configuration is read again, and the poll that this brings is over.
reconfigure() {
        _read=$(grep -c 'configuration read again' $T/agent)
        configure
        kill -HUP $agent
        wait_for 60 read_more_than "$_read" && lsmpull once >/dev/null 2>&1
}
read_more_than() { [ "$(grep -c 'configuration read again' $T/agent)" -gt "$1" ]; }

in_force() { status && [ "$(value $B.in_force.release) $(value $B.gate.pending)" = "$1 false" ]; }
on_trial() { status && [ "$(value $B.state)" = trial ]; }
comes() { ok "$2" wait_for 60 in_force "$1" || diag "$(cat $T/agent)"; }

notify_listen /run/notify >$T/notify &
configure
publish rb-1
agent_begin

# ---- the source ----------------------------------------------------------------------------------------------------------

comes 1 "a node that has nothing takes what its source has"
hammer_begin
ok "the service manager is told that the agent is ready" grep -q ' READY=1' $T/notify
publish rb-2
comes 2 "a new release is taken at the next poll"
ok "it denies" denied gshadow
is "$(value source.failures) $(value source.stale)" "0 false" "status knows the source to be well"
INTERVAL=10m
ok "SIGHUP: the configuration is read again" reconfigure
publish rb-noslot
sleep 3
ok "an interval of ten minutes: nothing comes in three seconds" in_force 2
kill -HUP $agent
comes 5 "SIGHUP: polls at once"

# ---- its operator, and nobody else ---------------------------------------------------------------------------------------

run lsmpull run
is "$status" 1 "a second agent does not start"
like "$err" "another lsmpull" "and says why"
run su -s /bin/sh -c 'lsmpull pause' user
is "$status" 1 "who is not root cannot reach the control socket"
like "$err" "Permission denied" "and is told so"
chmod 0666 /run/lsmpull/control.sock
run su -s /bin/sh -c 'lsmpull pause' user
is "$status" 1 "who is not root is not heard, even where the socket's mode lets him in"
wants paused '^false$' "the agent has not done what he asked"
chmod 0600 /run/lsmpull/control.sock

publish rb-health
run lsmpull once
is "$status" 0 "once: polls at once"
like "$out" "a new release is in force" "once: says what came"
ok "once: which it has" in_force 7
run lsmpull once
is "$status $out" "0 nothing new" "once more: nothing new"
publish rb-9
ok "pause" lsmpull pause
run lsmpull once
is "$status" 3 "paused: once takes nothing"
like "$err" "refused: paused: " "paused: and says so"
kill -HUP $agent
sleep 2
wants $B.in_force.release '^7$' "paused: nor does a poll"
is "$(value paused)" true "paused: status says so"
ok "resume" lsmpull resume
ok "pause for a second" lsmpull pause --for 1s
sleep 2
run lsmpull once
is "$status" 0 "which has passed: the release is taken"
ok "it is in force" in_force 9
ok "rollback" lsmpull rollback
ok "rollback: back on what was before" in_force 7
is "$(value $B.left.release) $(value $B.left.reason)" "9 operator" "rollback: status says that it was the operator"
run lsmpull once
is "$status" 0 "rollback: the release that was left does not come back"
ok "rollback: by itself" in_force 7

# ---- somebody with root's rights -------------------------------------------------------------------------------------------

hammer_end "nothing got through so far"
rm /sys/fs/bpf/lsmpull/bundle/rb/hook/file_open/link
ok "a link is removed: status says that it is" status
is "$(value $B.state) $(value $B.missing_hooks.0)" "incomplete file_open" "a link is removed: the bundle is incomplete"
run lsmpull status --check
is "$status" 4 "a link is removed: status --check tells"
like "$(lsmpull status)" 'not attached to file_open' "a link is removed: so does the table"
kill -HUP $agent
ok "the next poll puts it back" wait_for 60 in_force 7
ok "it is attached" wait_for 60 denied shadow
wants $B.state '^enforcing$' "and status says so"
hammer_begin

# ---- a trial -------------------------------------------------------------------------------------------------------------

HEALTH=60s
ok "the configuration is read again" reconfigure
ok "retry: the quarantine is forgotten" lsmpull retry rb
lsmpull once >$T/once 2>&1 &
once=$!
ok "the release is on trial" wait_for 60 on_trial
is "$(value $B.in_force.release) $(value $B.staged.release) $(value $B.gate.pending)" "7 9 true" "trial: status says which, over which"
like "$(value $B.gate.seconds_left)" '^[1-9][0-9]?$' "trial: and for how long"
run lsmpull install /test/bundles/rb-2.tar.zst --key $KEY
is "$status" 1 "trial: no other swap meanwhile"
like "$err" "working on another request" "trial: and says so"
started=$(date +%s)
run lsmpull rollback rb
is "$status" 0 "trial: the operator calls it off"
like "$out" "called off" "trial: and is told"
ok "trial: that is the end of it" in_force 7
wait $once
is $? 4 "trial: who had asked for the release is told, too"
like "$(cat $T/once)" "failed: operator: " "trial: with the reason"
ok "trial: all that at once" test $(($(date +%s) - started)) -lt 40
is "$(value $B.left.release) $(value $B.left.reason) $(value 'quarantine.*.release')" "9 operator 9" "trial: quarantined"

# ---- ended, killed, started again ----------------------------------------------------------------------------------------

ok "retry: the quarantine is forgotten" lsmpull retry rb
lsmpull once >$T/once 2>&1 &
once=$!
ok "the release is on trial again" wait_for 60 on_trial
agent_end TERM
is $ended 0 "SIGTERM in a trial: the agent ends as it should"
wait $once
ok "SIGTERM in a trial: back on what was before" in_force 7
is "$(value 'quarantine.*.release')" "" "SIGTERM in a trial: not the release's fault"
ok "no agent: what was denied is denied" denied shadow
agent_begin
ok "started again: the same release" in_force 7
lsmpull once >$T/once 2>&1 &
ok "the release is on trial again" wait_for 60 on_trial
agent_end KILL
HEALTH=1s
configure
agent_begin
ok "SIGKILL in a trial: the next start is back on what was before" in_force 7
is "$(value $B.left.release) $(value $B.left.reason)" "9 not-confirmed" "SIGKILL in a trial: status says what became of the release"
run lsmpull once
is "$status" 0 "it is tried once more"
comes 9 "and confirmed"
since=$(value $B.in_force.since) sequence=$(value $B.gate.sequence)
agent_end KILL
ok "SIGKILL at rest: what was denied is denied" denied shadow
agent_begin
status
is "$(value $B.in_force.since) $(value $B.gate.sequence)" "$since $sequence" "the next start adopts what is there, as it is"
hammer_end "during all of this nothing got through"

ok "remove" lsmpull remove rb --yes
wants "$B.*" '^$' "remove: the agent knows of no bundle"
is "$(find /sys/fs/bpf/lsmpull/bundle -mindepth 1)" "" "remove: nothing is in the kernel"
ok "remove: nothing is denied" allowed shadow
agent_end TERM
is $ended 0 "the agent ends as it should"

# ---- the service manager -------------------------------------------------------------------------------------------------

ok "the service manager is told of the end" grep -q ' STOPPING=1' $T/notify
longest=$(awk '/READY=1/ { last = $1 } /WATCHDOG=1/ { if (last && $1 - last > longest) longest = $1 - last; last = $1 }
               /STOPPING=1/ { last = 0 } END { print longest + 0 }' $T/notify)
ok "the watchdog was fed" test "$(grep -c ' WATCHDOG=1' $T/notify)" -gt 10
ok "in time, whatever went on: at least every $longest ms, where 30000 were due" test "$longest" -lt 30000
done_testing
