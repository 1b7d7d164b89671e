# SPDX-License-Identifier: Apache-2.0
# A storm of denials: each one is delivered, folded into the count of another or counted as dropped, and nothing else becomes of any.
# LONG=1: a million of them.
# files: tests/vm/node.sh:/test/node.sh tests/vm/storm.sh:/test/storm.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 500
# timeout-long: 3000
. "$TESTLIB"
. /test/node.sh
. /test/storm.sh

if [ "$LONG" = 1 ]; then N=1000000; else N=20000; fi
P=shadow-protect
of_policy() { counter $P "$1"; }
events() { grep "\"policy\":\"$P\"" $EVENTS; }
all_told() { told "\"policy\":\"$P\""; }
attempts() { # NAME ARGS...: a storm of which not one gets through
        _name=$1
        shift
        storm /etc/shadow "$@"
        like "$(cat $T/storm)" "^$1 attempts: 0 let through, $1 denied" "$_name"
}

storms_begin
lsmpull run >$T/agent.log 2>&1 &
agent=$!
ok "the agent serves events" wait_for 20 test -S /run/lsmpull/events.sock
ok "a bundle is installed" lsmpull install file:///test/bundles/example.tar.zst --key /test/keys/test.pub
wait_for 30 quiet
denied=$(of_policy denied) before=$(all_told)
ok "the policy's counters are there" test -n "$denied" -a -n "$(of_policy events_folded)" -a -n "$(of_policy events_lost)"
is "$before" "$denied" "to begin with, what is counted has been told"

# ---- few are told one by one, at once -------------------------------------------------------------------------------

attempts "a few attempts" 10 1
ok "few denials are told at once, one by one" wait_for 3 sh -c "[ \$(grep -c '\"comm\":\"unprivileged\"' $EVENTS) -ge 10 ]"
is "$(events | grep -c '"count"')" 0 "none is folded"
sleep 3

# ---- many are folded ------------------------------------------------------------------------------------------------

attempts "many attempts" 300 1
ok "the rest is told when the window is over, without another denial" wait_for 20 sh -c "grep -q '\"count\":[0-9]' $EVENTS"
wait_for 30 quiet
is "$(($(all_told) - before))" 310 "as many as there were"
folded=$(of_policy events_folded)
ok "most of them folded" test "$folded" -gt 200
like "$(events | grep '"count"' | tail -1)" '"object":"/etc/shadow".*"count":[0-9]+,"first":"20[0-9-]*T[0-9:.]*Z"' "with the first one's time"

# ---- a storm --------------------------------------------------------------------------------------------------------

attempts "a storm by four processes is denied to the last" $N 4
wait_for 60 quiet
denied=$(of_policy denied) folded=$(of_policy events_folded) lost=$(of_policy events_lost)
diag "denied $denied folded $folded lost $lost; lines $(events | wc -l), of these $(events | grep -c '"count"') with a count, told $(all_told)"
is "$((denied - before))" "$((N + 310))" "the counter has every denial, of all processors"
is "$(($(all_told) + lost))" "$denied" "told + lost = denials"
is "$(sink_dropped)" 0 "the file has missed none"
ok "the storm is a few lines" test "$(events | wc -l)" -lt $((N / 20))

# ---- of more kinds than there are places ------------------------------------------------------------------------------

was=$denied was_folded=$folded
attempts "a storm by so many users that there are not places for all" 20000 4 unprivileged 1000
wait_for 60 quiet
denied=$(of_policy denied) folded=$(of_policy events_folded) lost=$(of_policy events_lost)
diag "denied $denied folded $folded lost $lost; lines $(events | wc -l), told $(all_told)"
is "$((denied - was))" 20000 "the counter has every denial"
is "$(($(all_told) + lost))" "$denied" "told + lost = denials"
is "$(told '"type":"dropped"')" "$(all_lost)" "what was lost is told, too"
is "$(sink_dropped)" 0 "the file has missed none"

# ---- what no reporter was there for ---------------------------------------------------------------------------------

kill $agent && wait $agent
attempts "without an agent" 5000 2
lsmpull run >>$T/agent.log 2>&1 &
agent=$!
wait_for 20 test -S /run/lsmpull/events.sock
wait_for 30 quiet
is "$(($(all_told) + $(of_policy events_lost)))" "$(of_policy denied)" "what came while no agent ran is told by the next one"
is "$(($(of_policy denied) - denied))" 5000 "all of it"

# ---- the kernel's buffer is full ------------------------------------------------------------------------------------

r=$(grep -al '^lsmpull.[@]reporter' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | head -1)
kill -STOP "$r"
denied=$(of_policy denied) was=$(of_policy events_lost)
attempts "while nobody reads" 6000 1 unprivileged 3000
kill -CONT "$r"
wait_for 30 quiet
lost=$(of_policy events_lost)
diag "lost $((lost - was)) of 6000"
is "$(($(of_policy denied) - denied))" 6000 "denied, whether or not anyone reads"
ok "more than the buffer holds" test $((lost - was)) -gt 1000
is "$(($(all_told) + lost))" "$(of_policy denied)" "told + lost = denials, still"
is "$(told '"type":"dropped"')" "$(all_lost)" "and what was lost is told"
kill $agent
wait $agent
diag "$(cat $T/agent.log)"
done_testing
