# SPDX-License-Identifier: Apache-2.0
# Storms against rules: each denial, and each one that would have been, is delivered, folded or counted as dropped.
# LONG=1: a million of them.
# files: tests/vm/node.sh:/test/node.sh tests/vm/storm.sh:/test/storm.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 600
# timeout-long: 3000
. "$TESTLIB"
. /test/node.sh
. /test/storm.sh

if [ "$LONG" = 1 ]; then N=1000000; else N=20000; fi
R=/tmp/r
mkdir -p $R
for f in exact watched; do echo content >$R/$f; done
chmod -R a+rX /tmp $R

rule_told() { told "\"rule\":\"$1\""; }
# all_denials: what the policies' counters say; all_told: what events say
all_denials() { echo $(($(counter rules denied) + $(counter rules would_deny))); }
D='"type":"\(denied\|would-deny\)".*"bundle":"rules-files"'
all_told() { told "$D"; }
# accounted NAME: nothing is missing, and nothing told twice
accounted() {
        wait_for 60 quiet
        lost=$(counter rules events_lost)
        diag "$1: denials $(all_denials), folded $(counter rules events_folded), lost $lost; told $(all_told) in $(grep -c "$D" $EVENTS) lines"
        is "$(($(all_told) + lost))" "$(all_denials)" "$1: told + lost = denials"
        is "$(told '"type":"dropped"')" "$(all_lost)" "$1: what was lost is told"
        is "$(sink_dropped)" 0 "$1: the file has missed none"
}

storms_begin
lsmpull run >$T/agent.log 2>&1 &
agent=$!
ok "the agent serves events" wait_for 20 test -S /run/lsmpull/events.sock
ok "a bundle of rules is installed" lsmpull install file:///test/bundles/rules-files.tar.zst --key /test/keys/test.pub
wait_for 30 quiet
ok "the counters are there" test -n "$(counter rules denied)" -a -n "$(counter rules events_folded)" -a -n "$(rule_counter exact denied)"
accounted "to begin with"

# ---- a rule that denies ------------------------------------------------------------------------------------------------

was=$(rule_counter exact denied) was_told=$(rule_told exact) was_folded=$(counter rules events_folded)
storm $R/exact $N 4
like "$(cat $T/storm)" "^$N attempts: 0 let through, $N denied" "a storm by four processes is denied to the last"
accounted "a storm"
is "$(($(rule_counter exact denied) - was))" "$N" "the rule's counter has every denial"
is "$(($(rule_told exact) - was_told + lost))" "$N" "and its events stand for as many"
ok "most of them folded" test $(($(counter rules events_folded) - was_folded)) -gt $((N * 9 / 10))
like "$(grep '"rule":"exact"' $EVENTS | grep '"count"' | tail -1)" '"policy":"credentials".*"object":"/tmp/r/exact".*"count":[0-9]+,"first":"20' "with the rule's name"

# ---- a rule in audit ----------------------------------------------------------------------------------------------------

was=$(rule_counter watched would_deny)
storm $R/watched 5000 2
like "$(cat $T/storm)" '^5000 attempts: 5000 let through, 0 denied' "a storm that a policy in audit lets through"
accounted "in audit"
is "$(($(rule_counter watched would_deny) - was))" 5000 "the rule's counter has each one that would have been denied"
is "$(told '"type":"would-deny".*"rule":"watched"')" "$(rule_counter watched would_deny)" "and its events stand for as many"

# ---- two at a time, by more kinds than there are places --------------------------------------------------------------

was=$(all_denials)
/test/progs/storm $R/watched 5000 2 another >$T/another 2>&1 &
storm $R/exact 20000 2 unprivileged 1000
like "$(cat $T/storm)" ' denied' "storms of a thousand users and of one, at the same time"
wait $!
like "$(cat $T/another)" "^5000 attempts: 5000 let through, 0 denied" "and the other"
accounted "two storms"
is "$(($(all_denials) - was))" 25000 "the counters have every one"

# ---- the kernel's buffer is full ------------------------------------------------------------------------------------

r=$(grep -al '^lsmpull.[@]reporter' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | head -1)
kill -STOP "$r"
was=$(counter rules events_lost)
storm $R/exact 6000 1 unprivileged 3000
like "$(cat $T/storm)" '^6000 attempts: 0 let through, 6000 denied' "denied, whether or not anyone reads"
kill -CONT "$r"
accounted "a full buffer"
ok "more than the buffer holds" test $((lost - was)) -gt 1000
kill $agent
wait $agent
diag "$(cat $T/agent.log)"
done_testing
