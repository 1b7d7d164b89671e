# SPDX-License-Identifier: Apache-2.0
# The agent's metrics are what its operator sees of a node: they follow releases, denials and failures, and what only the kernel knows
# (how full maps are, what room hooks have) is in them.
# needs: build/lsmbundle
# files: tests/vm/node.sh:/test/node.sh
# timeout: 1800
. "$TESTLIB"
. /test/node.sh

B=bundles.0
SOURCE=/tmp/source/rb.tar.zst
PROM=/tmp/metrics/lsmpull.prom

# metric SERIES: its value; nothing when there is no such series
metric() { awk -v series="$1 " 'index($0, series) == 1 { print $NF }' $PROM 2>/dev/null; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }
# becomes SERIES VALUE NAME: within four minutes, for machines that are busy
becomes() { ok "$3" wait_for 240 metric_is "$1" "$2" || diag "$1: $(metric "$1"), not $2; $(cat $T/agent)"; }

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
ok "polls that fail are counted" wait_for 240 sh -c "grep -q '^lsmpull_source_failures [1-9]' $PROM"
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
ok "what is refused is counted by its reason" wait_for 240 grep -q '^lsmpull_refusals_total{reason="trailing-data"} [1-9]' $PROM

# ---- a repository's rollout ----------------------------------------------------------------------------------------------

R=/tmp/repo
publish_to_repo() {
        lsmbundle repo stage "/test/bundles/$1.tar.zst" -r $R && lsmbundle sign $R/pending/rb-* --key $T/all.key &&
                lsmbundle repo publish $R/pending/rb-* -r $R --key $T/all.key
}
promote() { lsmbundle repo promote rb "$@" -r $R --key $T/all.key; }

ok "a key" lsmbundle keygen all --dir $T
ok "a repository" lsmbundle repo init $R --key $T/all.key
ok "with release 2" publish_to_repo rb-2
ok "and release 9" publish_to_repo rb-9
ok "release 2 is promoted" promote 2 --ring canary
mkdir -p /var/cache
cp $R/metadata/1.root.json /etc/lsmpull/root.json
config "source: {repository: $R}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'poll: {interval: 1s, jitter: 0}' \
        'confirm: {deadline: 90s, health: 1s}' "metrics: {file: $PROM}"
kill -HUP $agent
becomes 'lsmpull_bundle_release{bundle="rb"}' 2 "the ring's release arrives"
becomes 'lsmpull_rollout_state{bundle="rb",state="current"}' 1 "the rollout is done here"
is "$(metric 'lsmpull_rollout_info{bundle="rb",ring="canary"}')" 1 "the node's ring"
for role in root timestamp snapshot; do
        file=$(ls $R/metadata/*$role.json | tail -n 1)
        becomes "lsmpull_metadata_expires_timestamp_seconds{role=\"$role\"}" \
                "$(date -u -d "$(sed 's/.*"expires":"\([^T]*\)T\([0-9:]*\)Z".*/\1 \2/' "$file")" +%s)" "when the $role expires"
done
is "$(metric 'lsmpull_rollout_release{bundle="rb"}')" 2 "what the ring has"
ok "an operator installs what the ring does not have" wait_for 240 lsmpull install /test/bundles/rb-noslot.tar.zst --key $KEY
becomes 'lsmpull_rollout_state{bundle="rb",state="installed"}' 1 "no poll undoes that"
is "$(metric 'lsmpull_bundle_release{bundle="rb"}')" 5 "it is in force"
ok "release 9 is promoted" promote 9 --ring canary
becomes 'lsmpull_bundle_release{bundle="rb"}' 9 "what is newer takes its place"
becomes 'lsmpull_rollout_release{bundle="rb"}' 9 "as the rollout wants it"
ok "back to release 2" promote 2 --ring canary
becomes 'lsmpull_bundle_release{bundle="rb"}' 2 "what came from the repository follows it back"

# A place that cannot be written to is said once, and costs nothing else.
kill -TERM $agent
wait $agent
rm -rf /tmp/metrics
: >$T/agent
lsmpull run 2>>$T/agent &
agent=$!
ok "no place to write to: said" wait_for 240 grep -q 'no metrics are written: ' $T/agent
sleep 3
is "$(grep -c 'no metrics are written: ' $T/agent)" 1 "once"
ok "and enforcement is as it was" denied shadow
kill -TERM $agent
wait $agent

# A poll that somebody asks for is a poll. This agent's own turn is far off.
config "source: {repository: $R}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'poll: {interval: 24h, jitter: 0}' "metrics: {file: $PROM}"
mkdir -p /tmp/metrics
lsmpull run 2>>$T/agent &
agent=$!
becomes 'lsmpull_polls_total{result="ok"}' 0 "an agent that has not polled"
ok "lsmpull once" lsmpull once
becomes 'lsmpull_polls_total{result="ok"}' 1 "is counted"
mv $R $R.away
lsmpull once >/dev/null 2>&1
becomes 'lsmpull_polls_total{result="failed"}' 1 "also when it fails"
kill -TERM $agent
wait $agent
done_testing
