# SPDX-License-Identifier: Apache-2.0
# The agent's metrics are what its operator sees of a node: they follow releases, denials and failures, and what only the kernel knows
# (how full maps are, what room hooks have) is in them.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
. "$TESTLIB"
. /test/node.sh

B=bundles.0
SOURCE=/tmp/source/rb.tar.zst
PROM=/tmp/metrics/lsmpull.prom

# metric SERIES: its value; nothing when there is no such series
metric() { awk -v series="$1 " 'index($0, series) == 1 { print $NF }' $PROM 2>/dev/null; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
# becomes SERIES VALUE NAME: within a minute
becomes() { ok "$3" wait_for 60 metric_is "$1" "$2" || diag "$1: $(metric "$1"), not $2; $(cat $T/agent)"; }

publish() {
        mkdir -p ${SOURCE%/*}
        cp "/test/bundles/$1.tar.zst" $SOURCE.new
        mv $SOURCE.new $SOURCE
}

mkdir -p /tmp/metrics
config "source: {bundle: $SOURCE, keys: [$KEY]}" "poll: {interval: 1s, jitter: 0}" "confirm: {deadline: 90s, health: 1s}" \
        "metrics: {file: $PROM}"
lsmpull run 2>>$T/agent &
agent=$!
becomes 'lsmpull_polls_total{result="ok"}' 0 "metrics are there before there is anything to tell"
ok "polls that fail are counted" wait_for 60 sh -c "grep -q '^lsmpull_source_failures [1-9]' $PROM"
is "$(stat -c %a $PROM)" 644 "everybody may read the file"

publish rb-1
becomes 'lsmpull_bundle_release{bundle="rb"}' 1 "a release is in force"
is "$(metric 'lsmpull_bundle_state{bundle="rb",state="enforcing"}')" 1 "its state"
is "$(metric 'lsmpull_source_stale')" 0 "the source is well"
is "$(metric 'lsmpull_swaps_total{bundle="rb",result="confirmed"}')" 1 "one swap"
like "$(metric 'lsmpull_swap_duration_seconds{bundle="rb",phase="load"}')" '^[0-9]*\.[0-9]*[1-9]' "how long loading took"
like "$(metric 'lsmpull_swap_duration_seconds{bundle="rb",phase="confirmed"}')" '^[1-9][0-9]*\.' "and all of it, the health check included"
like "$(metric 'lsmpull_hook_free_program_slots{hook="file_open"}')" '^3[0-5]$' "the room that the hook has"

policy=$(sed -n 's/^lsmpull_denials_total{bundle="rb",policy="\([^"]*\)"} .*/\1/p' $PROM | head -n 1)
before=$(metric "lsmpull_denials_total{bundle=\"rb\",policy=\"$policy\"}")
for _ in 1 2 3; do denied shadow || fail "a denial"; done
becomes "lsmpull_denials_total{bundle=\"rb\",policy=\"$policy\"}" $((before + 3)) "three denials are three denials"

like "$(sed -n 's/^lsmpull_map_entries{bundle="rb",map="[^"]*"} //p' $PROM | head -n 1)" '^[0-9][0-9]*$' "how full a map is"

publish rb-health
becomes 'lsmpull_bundle_release{bundle="rb"}' 7 "the next release"
lsmpull rollback >$T/rollback 2>&1
becomes 'lsmpull_bundle_release{bundle="rb"}' 1 "a request is seen at once"
is "$(metric 'lsmpull_quarantined_releases{bundle="rb",reason="operator"}')" 1 "and what was left"
is "$(metric 'lsmpull_refusals_total{reason="trailing-data"}')" 0 "nothing was refused for its form"
echo more >>$SOURCE
ok "what is refused is counted by its reason" wait_for 60 grep -q '^lsmpull_refusals_total{reason="trailing-data"} [1-9]' $PROM

# A place that cannot be written to is said once, and costs nothing else.
kill -TERM $agent
wait $agent
rm -rf /tmp/metrics
: >$T/agent
lsmpull run 2>>$T/agent &
agent=$!
ok "no place to write to: said" wait_for 60 grep -q 'no metrics are written: ' $T/agent
sleep 3
is "$(grep -c 'no metrics are written: ' $T/agent)" 1 "once"
ok "and enforcement is as it was" denied shadow
kill -TERM $agent
wait $agent
done_testing
