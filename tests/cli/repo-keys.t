#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Keys come and go: every role is rotated, and a client that has slept since the first root follows.
. "$(dirname "$0")/repo.sh"
need openssl

keys root1 root2 root3 targets1 targets2 bundles1 bundles2 rollouts1 rollouts2 snapshot1 snapshot2 timestamp1 timestamp2
release 1 1.0.0
release 2 1.1.0
release 3 1.2.0
all=(--key root1.key --key targets1.key --key bundles1.key --key rollouts1.key --key snapshot1.key --key timestamp1.key)
run repo init r "${all[@]}" --root-key root1.pub --targets-key targets1.pub --bundles-key bundles1.pub \
        --rollouts-key rollouts1.pub --snapshot-key snapshot1.pub --timestamp-key timestamp1.pub
exits 0 "init, a key for each role"
online=(--key snapshot1.key --key timestamp1.key)
"$program" repo stage -r r sample-1.tar.zst >/dev/null && "$program" sign r/pending/sample-1 --key bundles1.key >/dev/null &&
        "$program" repo publish r/pending/sample-1 "${online[@]}" >/dev/null &&
        "$program" repo promote -r r sample 1 --ring stable --key rollouts1.key "${online[@]}" >/dev/null
result $? "a release and a rollout"
cp -r r first

# rotated ROLE OLD NEW KEY...: the role goes from one key to the other
rotated() {
        local role=$1 old=$2 new=$3
        shift 3
        run repo rotate "$role" -r r --add "$new.pub" --remove "$(<"$old.id")" "$@"
        exits 0 "rotate $role"
        [[ $out != *pending* ]]
        result $? "rotate $role: published at once"
        [ "$("$program" repo show -r r --json | jq -r --arg r "$role" '.roles[] | select(.role == $r) | .keys | map(.keyid) | join(" ")')" = "$(<"$new.id")" ]
        result $? "rotate $role: the new key has it, the old one does not"
        accepts "rotate $role: a client that knows the first root follows" sample-1.tar.zst r first/metadata/1.root.json
}

rotated timestamp timestamp1 timestamp2 --key root1.key --key snapshot1.key --key timestamp1.key --key timestamp2.key
[[ $out != *note* ]]
result $? "with the old key, no client noticed anything"
run repo refresh -r r --key timestamp1.key
refused unknown-key "the old timestamp key is good for nothing"
rotated snapshot snapshot1 snapshot2 --key root1.key --key snapshot2.key --key timestamp2.key
online=(--key snapshot2.key --key timestamp2.key)
rotated targets targets1 targets2 --key root1.key --key targets1.key --key targets2.key "${online[@]}"
rotated bundles bundles1 bundles2 --key targets2.key --key bundles2.key "${online[@]}"
"$program" repo stage -r r sample-2.tar.zst >/dev/null
run sign r/pending/sample-2 --key bundles1.key
refused unknown-key "the old bundles key may sign no release"
"$program" sign r/pending/sample-2 --key bundles2.key >/dev/null
run repo publish r/pending/sample-2 "${online[@]}"
exits 0 "the new one may"
rotated rollouts rollouts1 rollouts2 --key targets2.key --key rollouts2.key "${online[@]}"
run repo promote -r r sample 2 --ring stable --key rollouts1.key "${online[@]}"
says "rollouts: 0 of 1 signatures" "the old rollouts key moves nothing"
rm -rf r/pending
rotated root root1 root2 --key root1.key --key root2.key
[ "$(version r root)" = 5 ]
result $? "root was at work in four rotations"
run repo rotate root -r r --add root3.pub --key root1.key
says "root: 0 of 1 signatures" "the old root key is good for nothing"
rm -rf r/pending

# ---- what is lost or stolen: the old key is not there to help -----------------------------------------------------------

cp -r first lost
run repo rotate timestamp -r lost --add timestamp2.pub --remove "$(<timestamp1.id)" --key root1.key --key timestamp2.key
exits 0 "rotating a timestamp key that is lost"
says "note:" "says that clients may have met the moment in between"
[ "$(head -n 2 <<<"$out" | tr '\n' ' ')" = "metadata/2.root.json metadata/timestamp.json " ]
result $? "the root came just before the timestamp"
accepts "clients follow" sample-1.tar.zst lost first/metadata/1.root.json

# ---- several owners -----------------------------------------------------------------------------------------------------

run repo rotate root -r r --add root3.pub --threshold 2 --key root2.key
says "rotate.root: pending" "two must sign: it is pending"
says "root: 1 of 2 signatures" "and says who is missing"
run repo publish r/pending/rotate.root "${online[@]}"
refused threshold-not-met "not published before that"
run sign r/pending/rotate.root --key root1.key
refused unknown-key "nor signed by who was removed"
run sign r/pending/rotate.root --key root3.key
says "root > roles > root > threshold: 2" "the second owner sees what changes"
run repo publish r/pending/rotate.root "${online[@]}"
exits 0 "published when both have signed"
run repo rotate targets -r r --add targets1.pub --key root2.key --key targets1.key "${online[@]}"
says "root: 1 of 2 signatures" "from now on two must sign for any root"
"$program" sign r/pending/rotate.targets --key root3.key >/dev/null
run repo publish r/pending/rotate.targets "${online[@]}"
exits 0 "a second targets key"
accepts "a client follows through seven roots" sample-2.tar.zst r first/metadata/1.root.json

# ---- wrong ------------------------------------------------------------------------------------------------------------

run repo rotate bundles -r r --remove "$(<bundles2.id)" --key targets2.key "${online[@]}"
exits 2 "a role without keys"
run repo rotate bundles -r r --threshold 2 --key targets2.key "${online[@]}"
exits 2 "a threshold that cannot be met"
run repo rotate bundles -r r --remove abc --key targets2.key "${online[@]}"
exits 2 "too few digits of a key id"
run repo rotate bundles -r r --remove 0123456789 --key targets2.key "${online[@]}"
exits 2 "a key id that is none"
run repo rotate bundles -r r --add bundles1.key --key targets2.key "${online[@]}"
refused malformed "a private key where a public one belongs"
before=$(state r)
run repo rotate bundles -r r --remove "$(<bundles1.id)" --key targets2.key "${online[@]}"
exits 0 "removing a key that has gone"
complains "has no key" "says so"
[ "$(state r)" = "$before" ]
result $? "and changes nothing"
run repo rotate bundles -r r --add bundles2.pub --key targets2.key "${online[@]}"
[ "$status" = 0 ] && [ "$(state r)" = "$before" ]
result $? "nor does adding one that is there"
run repo rotate bundles -r r --add bundles1.pub --key targets2.key "${online[@]}"
[ "$status" = 0 ] && [ "$(version r bundles)" = "$(jq -r '.signed.version' "$(ls -v r/metadata/*.bundles.json | tail -n 1)")" ]
result $? "a key is added without signing anything but targets anew"
accepts "the client accepts it" sample-2.tar.zst r first/metadata/1.root.json

done_testing
