#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# A release repository as its owners use it, from the first key to the fleet.
. "$(dirname "$0")/repo.sh"
need openssl flock

keys owner1 owner2 approver1 approver2 manager online other
release 1 1.0.0
release 2 1.1.0
release 3 1.2.0
release 1 0.1.0 second

# ---- init: one person trying it out ---------------------------------------------------------------------------------

run repo init solo --key other.key
exits 0 "init"
says "one key has every role" "says what one key for all means"
says "copy that to /etc/lsmpull/root.json" "says what nodes need"
[ "$(cd solo && find . -type f | sort | tr '\n' ' ')" = "./metadata/1.bundles.json ./metadata/1.rollouts.json ./metadata/1.root.json ./metadata/1.snapshot.json ./metadata/1.targets.json ./metadata/timestamp.json ./repo.json " ]
result $? "the files of a consistent snapshot, and nothing secret"
[ "$(jq -rs 'map(.signed.spec_version) | unique | join(" ")' solo/metadata/*.json)" = 1.0.34 ]
result $? "spec_version"
[ "$(jq -c '.signed.delegations.roles | map([.name, .paths, .terminating, .threshold])' solo/metadata/1.targets.json)" = '[["bundles",["bundles/*"],true,1],["rollouts",["rollouts/*"],true,1]]' ]
result $? "the delegations"
jq -e '.signed | .issued and .expires' solo/metadata/timestamp.json >.out
result $? "timestamp says when it was issued"
days() { echo $((($(date -d "$(jq -r .signed.expires "$1")" +%s) - $(date +%s) + 60) / 86400)); }
[ "$(days solo/metadata/1.root.json) $(days solo/metadata/1.targets.json) $(days solo/metadata/1.bundles.json) $(days solo/metadata/1.rollouts.json) $(days solo/metadata/1.snapshot.json) $(days solo/metadata/timestamp.json)" = "365 365 90 90 7 1" ]
result $? "the default expiries"
before=$(state solo)
run repo init solo --key other.key
exits 1 "init of what is there"
[ "$(state solo)" = "$before" ]
result $? "and nothing is touched"

# ---- init: roles apart ----------------------------------------------------------------------------------------------

run repo init r --key owner1.key --key online.key --root-key owner1.pub --root-key owner2.pub --bundles-key approver1.pub \
        --bundles-key approver2.pub --rollouts-key manager.pub --timestamp-key online.pub --threshold root=2 --threshold bundles=2 \
        --expires bundles=30d
exits 0 "init with roles apart"
says "r/pending/initial: pending" "what the others have to sign is pending"
says "root: 1 of 2 signatures" "and says what is missing"
[ ! -e r/metadata ]
result $? "nothing is served yet"
run repo publish r/pending/initial --key online.key
refused threshold-not-met "publishing it too early"
[ ! -e r/metadata ]
result $? "nothing is served then either"
for k in owner2 approver1 approver2 manager; do "$program" sign r/pending/initial --key $k.key >/dev/null || echo "# $k"; done
run repo publish r/pending/initial --key manager.key
refused unknown-key "publishing with keys that may not"
run repo publish r/pending/initial --key online.key
exits 0 "publishing it when all have signed"
[ -e r/metadata/timestamp.json ] && [ ! -e r/pending/initial ]
result $? "it is served, and pending no more"
run repo show -r r --json
[ "$(jq -c '.roles | map([.role, .threshold, (.keys | length)])' <<<"$out")" = '[["root",2,2],["targets",1,2],["bundles",2,2],["rollouts",1,1],["snapshot",1,1],["timestamp",1,1]]' ]
result $? "who may sign what"
[ "$(days r/metadata/1.bundles.json)" = 30 ]
result $? "--expires"

# ---- a release ------------------------------------------------------------------------------------------------------

run repo stage -r r sample-1.tar.zst
exits 0 "stage"
says "bundles: 0 of 2 signatures" "says how many must sign"
[ -e r/pending/sample-1/sample-1.0.0.tar.zst ] && [ -e r/pending/sample-1/bundles.json ] && [ "$(jq .base.bundles r/pending/sample-1/pending.json)" = 1 ]
result $? "bundle, metadata and base lie in pending/"
! compgen -G "r/targets/bundles/*sample*" >/dev/null
result $? "nothing of it is served"
run sign r/pending/sample-1 --key approver1.key
exits 0 "the first approver signs"
says "the first release of this bundle" "is told that there is none before"
says "bundles > targets > bundles/sample-1.0.0.tar.zst > custom > release: 1" "sees the metadata field by field"
says "bundles: 1 of 2 signatures" "and that one more is needed"
run sign r/pending/sample-1 --key approver1.key
says "bundles: 1 of 2 signatures" "the same key twice counts once"
run repo publish r/pending/sample-1 --key online.key
refused threshold-not-met "publish below the threshold"
run repo stage -r r sample-1.tar.zst
exits 1 "staging again over a signature"
complains "has been signed" "is refused"
run sign r/pending/sample-1 --key approver2.key --source src-sample
refused digest-mismatch "signing what the sources do not build"
[ "$(jq '.signatures | length' r/pending/sample-1/bundles.json)" = 1 ]
result $? "is not signed"
release 1 1.0.0
run sign r/pending/sample-1 --key approver2.key --source src-sample
exits 0 "signing what the sources build"
says "built again from 'src-sample': the same content id" "and it says so"
run repo publish r/pending/sample-1 --key online.key
exits 0 "publish at the threshold"
[ "$(tail -n 2 <<<"$out" | head -n 1)" = metadata/timestamp.json ]
result $? "timestamp last"
[ "$(jq -c '.signed.targets[] | .custom' r/metadata/2.bundles.json)" = "{\"bundle\":\"sample\",\"content\":\"$("$program" inspect sample-1.tar.zst --json | jq -r .content_id)\",\"floor\":0,\"release\":1,\"version\":\"1.0.0\"}" ]
result $? "what the entry says of the release"
accepts "a TUF client accepts it" sample-1.tar.zst r
says "bundles/sample-1.0.0.tar.zst" "and finds the bundle"
run verify sample-2.tar.zst --root r/metadata/1.root.json --repo r --json
[ "$status" = 3 ] && [ "$(jq -r .reason <<<"$out")" = unknown-target ]
result $? "what is not published is not found"
run repo stage -r r sample-1.tar.zst
exits 0 "staging what is published"
says "published already" "is nothing to do"

release 2 1.1.0
"$program" repo stage -r r sample-2.tar.zst >/dev/null
run sign r/pending/sample-2 --key approver1.key
says "against release 1:" "the signer sees the diff against what is in force"
says "name1" "with what goes"
says "name2" "and what comes"
"$program" sign r/pending/sample-2 --key approver2.key >/dev/null
run repo publish r/pending/sample-2/ --key online.key
exits 0 "publish the next release"
accepts "the client accepts the next" sample-2.tar.zst r
accepts "and the one before" sample-1.tar.zst r

# ---- rollout --------------------------------------------------------------------------------------------------------

rollout() { jq -c "$1" "$(ls -t r/targets/rollouts/* | head -n 1)"; }
run repo promote -r r sample 1 --ring stable --key manager.key --key online.key
exits 0 "promote"
[ "$(rollout .)" = '{"_type":"lsm-rollout","bundle":"sample","format":1,"hold":false,"rings":{"stable":{"release":1,"target":"bundles/sample-1.0.0.tar.zst"}}}' ]
result $? "the rollout's document"
[ "$(version r rollouts) $(version r bundles)" = "2 3" ]
result $? "needs no policy key"
run repo promote -r r sample 2 --ring canary --bake 30m --allow 2 --key manager.key --key online.key
[ "$(rollout .rings.canary.bake)" = '{"allow":2,"for":"30m"}' ]
result $? "--bake, --allow"
run repo promote -r r sample 2 --ring stable --percent 5 --key manager.key --key online.key
[ "$(rollout '.rings.stable | [.waves, .else.release]')" = '[[{"after":"0s","percent":5}],1]' ]
result $? "--percent; else is the release that the ring had"
started=$(rollout .rings.stable.started)
sleep 1
run repo promote -r r sample 2 --ring stable --waves 0s:5,1h:25,3d:100 --key manager.key --key online.key
[ "$(rollout .rings.stable.started)" = "$started" ] && [ "$(rollout '.rings.stable.waves | length')" = 3 ] && [ "$(rollout .rings.stable.else.release)" = 1 ]
result $? "more of the same release keeps started and else"
run repo show -r r
says "5 %, 25 % after 1h, 100 % after 3d" "show has the rollout as a table"
run repo promote -r r sample 2 --ring stable --waves 0s:5,1h:25,3d:100 --key manager.key --key online.key
says "nothing to do" "the same once more is nothing to do"
run repo promote -r r sample --hold --key manager.key --key online.key
[ "$(rollout .hold)" = true ]
result $? "--hold"
run repo show -r r
says "ON HOLD" "show says so"
run repo promote -r r sample --resume --key manager.key --key online.key
[ "$(rollout .hold)" = false ]
result $? "--resume"
run repo promote -r r sample 1 --ring stable --key manager.key --key online.key
[ "$(rollout '.rings.stable')" = '{"release":1,"target":"bundles/sample-1.0.0.tar.zst"}' ]
result $? "back to an older release, at once"
run repo promote -r r sample 2 --ring stable --percent 50 --else none --key manager.key --key online.key
[ "$(rollout '.rings.stable | has("else")')" = false ]
result $? "--else none"
run repo promote -r r sample 2 --ring stable --percent 60 --else 1 --key manager.key --key online.key
[ "$(rollout '.rings.stable.else.release')" = 1 ]
result $? "--else N"
run repo promote -r r sample 2 --ring stable --key manager.key
says "promote.sample: pending" "without the online keys the rollout is pending"
run sign r/pending/promote.sample --key approver1.key
refused unknown-key "a policy key may not sign it"
run sign r/pending/promote.sample --key manager.key
says "rollout > rings > stable" "whoever signs a rollout sees what changes"
run repo publish r/pending/promote.sample --key online.key
exits 0 "and automation publishes it"

for bad in "9 --ring stable:unknown-target" "2 --ring stable --percent 5 --else 9:unknown-target"; do
        read -ra words <<<"${bad%:*}"
        run repo promote -r r sample "${words[@]}" --key manager.key --key online.key
        refused "${bad##*:}" "promote ${bad%:*}"
done
for bad in "2 --ring stable --waves 1h" "2 --ring stable --waves 1h:" "2 --ring stable --waves 1h:5," "2 --ring stable --waves 1x:5" \
        "2 --ring stable --waves 1h:101" "2 --ring stable --waves ,1h:5" "x --ring stable" "2 --ring stable --bake 0m" \
        "2 --ring stable --percent 0" "0 --ring stable" "-- -1 --ring stable"; do
        read -ra words <<<"$bad"
        run repo promote -r r --key manager.key --key online.key sample "${words[@]}"
        exits 2 "promote $bad"
done
run repo promote -r r sample 2 --ring stable --waves 2h:5,1h:10 --key manager.key --key online.key
refused malformed "waves that go back in time"
run repo promote -r r second --hold --key manager.key --key online.key
exits 2 "holding a rollout that is not there"

# ---- the floor ------------------------------------------------------------------------------------------------------

"$program" repo stage -r r sample-2.tar.zst --floor 2 >/dev/null
run sign r/pending/sample-2 --key approver1.key --key approver2.key
says "+ bundles > targets > bundles/sample-1.0.0.tar.zst > custom > floor: 2" "raising the floor alone: all releases say it"
run repo publish r/pending/sample-2 --key online.key
exits 0 "is published"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo r
refused release-too-old "below the floor"
run repo promote -r r sample 1 --ring stable --key manager.key --key online.key
refused release-too-old "nor is it promoted"
run repo stage -r r sample-3.tar.zst --floor 1
refused release-too-old "the floor never goes down"
run repo stage -r r sample-3.tar.zst --floor 4
refused release-too-old "nor above the newest release"
run repo promote -r r sample 2 --ring stable --key manager.key --key online.key
run repo promote -r r sample --hold --key manager.key --key online.key
exits 0 "and rollouts can still be held"

# ---- show -----------------------------------------------------------------------------------------------------------

run repo show -r r
exits 0 "show"
says "$(cut -c1-16 approver1.id)" "names keys"
says "2 of 2" "and thresholds"
says "below the floor" "and what is below the floor"
"$program" repo stage -r r sample-3.tar.zst >/dev/null
run repo show -r r
says "bundles: it is not signed" "and what is pending, and why"
run repo show -r r --json
[ "$(jq -c '.pending | map([.name, .complete, .stale])' <<<"$out")" = '[["sample-3",false,false]]' ]
result $? "also as JSON"
jq -e '.roles | all(.expiry == "good")' <<<"$out" >.out
result $? "nothing expires soon"
jq '.expires.snapshot = "100d"' r/repo.json >r/.new && mv r/.new r/repo.json
run repo show -r r --json
[ "$(jq -r '.roles[] | select(.expiry == "soon") | .role' <<<"$out")" = snapshot ]
result $? "less than a fifth of the time left is marked"
run repo refresh -r r --key approver1.key
exits 0 "refresh with a key whose role is fresh is nothing to publish"
complains "warning: snapshot expires in" "but warns of what expires soon and cannot be signed"

# ---- refresh --------------------------------------------------------------------------------------------------------

rm -rf r/pending
timestamp=$(version r timestamp) snapshot=$(version r snapshot)
run repo refresh -r r --key online.key
exits 0 "refresh"
[ "$(version r timestamp)" = $((timestamp + 1)) ]
result $? "signs timestamp anew each time"
[ "$(version r snapshot)" = $((snapshot + 1)) ]
result $? "and the snapshot, which has passed half of its time"
run repo refresh -r r --key online.key
[ "$(version r snapshot)" = $((snapshot + 1)) ]
result $? "but not one that has not"
run repo refresh -r r --key other.key
refused unknown-key "with a key that has no role"
run repo refresh -r r --all --key approver1.key
says "refresh: pending" "at a threshold of two, the refreshed metadata is pending"
"$program" sign r/pending/refresh --key approver2.key >/dev/null
run repo publish r/pending/refresh --key online.key
exits 0 "until the second has signed"
accepts "the client accepts it" sample-2.tar.zst r

run repo init brief --key other.key --expires timestamp=1s
sleep 2
run repo show -r brief
says "EXPIRED" "show says what has expired"
run repo refresh -r brief --key other.key
exits 0 "and what has expired can be renewed"

# ---- several bundles, pruning, two at once --------------------------------------------------------------------------

publish_as solo sample-1.tar.zst other.key && publish_as solo second-1.tar.zst other.key && publish_as solo sample-2.tar.zst other.key
result $? "two bundles side by side"
"$program" repo promote -r solo sample 1 --ring stable --key other.key >/dev/null
"$program" repo stage -r solo sample-3.tar.zst >/dev/null && "$program" sign solo/pending/sample-3 --key other.key >/dev/null
run repo publish solo/pending/sample-3 --key other.key --keep 1
exits 0 "publish --keep"
[ "$(cd solo/targets/bundles && printf '%s\n' * | sed 's/^[0-9a-f]*\.//' | sort | tr '\n' ' ')" = "sample-1.0.0.tar.zst sample-1.2.0.tar.zst second-0.1.0.tar.zst " ]
result $? "keeps the newest of each bundle, and what a rollout names"
[ "$(ls solo/metadata/*.snapshot.json | wc -l)" = 2 ] && [ -e solo/metadata/1.root.json ]
result $? "metadata out of force goes, roots stay"
accepts "the client accepts what is left" sample-3.tar.zst solo
run repo promote -r solo sample 2 --ring stable --key other.key
refused unknown-target "a pruned release is not promoted"
release 4 1.3.0
run repo stage -r solo sample-4.tar.zst
says "no longer listed, for its file was pruned: bundles/sample-1.1.0.tar.zst" "the next release no longer lists it"

flock solo sleep 3 &
sleep 0.5
run repo refresh -r solo --key other.key
exits 1 "two at once"
complains "somebody else is writing" "the second waits its turn"
wait

done_testing
