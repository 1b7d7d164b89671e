# SPDX-License-Identifier: Apache-2.0
# Every key is changed, one role after the other, and a node that slept through five roots follows; who has an old key is nobody.
# needs: build/lsmbundle
# kernels: 6.12
# files: tests/vm/node.sh:/test/node.sh
# timeout: 300
. "$TESTLIB"
. /test/node.sh

B=bundles.0
R=/tmp/repo
mkdir -p /etc/lsmpull /var/cache
once() { run lsmpull once; }
key() { lsmbundle keygen "$1" --dir $T; }

all=$(key all)
ok "a repository" lsmbundle repo init $R --key $T/all.key
cp $R/metadata/1.root.json /etc/lsmpull/root.json
ok "with release 1" sh -c "lsmbundle repo stage /test/bundles/rb-1.tar.zst -r $R && lsmbundle sign $R/pending/rb-1 --key $T/all.key &&
        lsmbundle repo publish $R/pending/rb-1 -r $R --key $T/all.key && lsmbundle repo promote rb 1 --ring stable -r $R --key $T/all.key"
config "source: {repository: $R}" 'bundles: [rb]' 'node-id: one' 'confirm: {deadline: 90s, health: 1s}'
once
is "$status" 0 "release 1 comes" || diag "$err"
hammer_begin

keys="--key $T/all.key"
for i in 1 2 3 4 5; do
        key root-$i >/dev/null
        keys="$keys --key $T/root-$i.key"
        ok "root version $((i + 1))" lsmbundle repo rotate root --add $T/root-$i.pub -r $R $keys
done
ok "the first key is no longer root's" lsmbundle repo rotate root --remove "$all" -r $R $keys
once
is "$status" 0 "a node that slept through all of it follows" || diag "$err"
cp -r $R $T/before
for role in targets snapshot timestamp bundles rollouts; do
        key $role >/dev/null
        keys="$keys --key $T/$role.key"
        ok "$role: another key" lsmbundle repo rotate $role --add $T/$role.pub --remove "$all" -r $R $keys
        once
        is "$status" 0 "$role: the node follows" || diag "$err"
        wants $B.state '^enforcing$' "$role: what is in force stays"
done
ok "who has the first key alone can propose" lsmbundle repo promote rb 1 --ring canary -r $R --key $T/all.key
exits 3 "and publish nothing" lsmbundle repo publish $R/pending/promote.rb -r $R --key $T/all.key
tuf_forge $R/metadata/timestamp.json $R/metadata/timestamp.json $T/all.key -- version=99
once
is "$status" 3 "nor does a node believe him"
like "$err" 'refused: .*(unknown-key|threshold-not-met|bad-signature): ' "which it says"
rm -rf $R
cp -r $T/before $R
once
is "$status" 3 "the state before the keys were changed is the past"
like "$err" 'refused: .*(rolled-back-metadata|unknown-key|threshold-not-met): ' "which it says"
wants $B.in_force.release '^1$' "what is in force stays"
hammer_end "during all of this nothing got through"
done_testing
