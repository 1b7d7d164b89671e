#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# The metadata that a node trusts is lost or damaged on its disk: it says so and begins from its anchor again, but what vouched for the
# release in force still bounds what a mirror may offer.
. "$(dirname "$0")/repo.sh"
node=$top/build/${LSM_VARIANT:-release}/tests/progs/repo-node
[ -x "$node" ] || { echo "Bail out! $node is not built: make cli-progs"; exit 1; }
chmod 755 "$tmp"

keys k k2
release 1 1.0.0
release 2 1.1.0
"$program" repo init r --key k.key >/dev/null && publish_as r sample-1.tar.zst k.key &&
        "$program" repo promote -r r sample 1 --ring stable --key k.key >/dev/null && cp -a r one && cp r/metadata/1.root.json root.json &&
        publish_as r sample-2.tar.zst k.key && "$program" repo promote -r r sample 2 --ring stable --key k.key >/dev/null && cp -a r two
result $? "a repository with release 1, then 2; no floor"
cat >node.yaml <<END
source: {repository: $tmp/mirror}
trust: {root: $tmp/root.json}
bundles: [sample]
ring: stable
node-id: one
paths: {state: $tmp/node/state, run: $tmp/run, cache: $tmp/node/cache, bpffs: $tmp/none, cgroup: $tmp/none}
END
mirror() { rm -rf mirror && cp -a "$1" mirror; }
poll() {
        err=$(timeout 60 "$node" node.yaml "$tmp/acted" poll 2>&1)
        status=$? out=''
}
has() { # RELEASE NAME
        [[ $(jq .confirmed.release node/state/journal/sample.json) = "$1" ]]
        result $? "$2"
}
mkdir -p node
mirror two
poll
has 2 "a node has release 2" || echo "# $err"
cp -a node before

# damage NAME: what is trusted is lost in this way; the fetcher, whose own copy proves nothing, has lost it, too
damage() {
        rm -rf node && cp -a before node && rm -rf node/cache
        case $1 in
        damaged) echo damaged >node/state/trust ;;
        cut) truncate -s -7 node/state/trust ;;
        lost) rm node/state/trust ;;
        esac
}
for how in damaged cut lost; do
        damage "$how"
        mirror one
        poll
        [[ $status = 3 && $err == *reason=rolled-back-metadata* ]]
        result $? "trusted metadata $how: the state of before is refused" || echo "# $err"
        has 2 "trusted metadata $how: release 2 stays"
        mirror two
        poll
        exits 0 "trusted metadata $how: the honest mirror is taken"
done

# The owners rotate the timestamp key: versions may begin anew, as they may where nothing was lost.
"$program" repo rotate timestamp -r two --add k2.pub --remove "$(<k.id)" --key k.key --key k2.key >/dev/null
damage damaged
mirror two
poll
exits 0 "and so is a newer root with other keys"

# What vouched for it is another anchor's: it says nothing about this repository.
"$program" repo init other --key k2.key >/dev/null && publish_as other sample-1.tar.zst k2.key
damage damaged
cp other/metadata/1.root.json root.json
mirror other
poll
[[ $err != *rolled-back-metadata* ]]
result $? "with another anchor, versions begin anew"
done_testing
