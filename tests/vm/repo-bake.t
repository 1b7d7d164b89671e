# SPDX-License-Identifier: Apache-2.0
# A canary that bakes: a release of a rollout is in the shadow first, and what it shows there decides whether it is enforced.
# needs: build/lsmbundle
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
. "$TESTLIB"
. /test/node.sh

B=bundles.0
R=/tmp/repo
hostname node

repo() { lsmbundle repo "$@"; }
publish() { # BUNDLE: staged, signed and published
        repo stage "/test/bundles/$1.tar.zst" -r $R &&
                lsmbundle sign $R/pending/rb-* --key $T/all.key && repo publish $R/pending/rb-* -r $R --key $T/all.key
}
promote() { repo promote "$@" --ring canary -r $R --key $T/all.key; }
once() { run lsmpull once; }
in_force() { wants $B.in_force.release "^$1\$" "$2"; }
shadow() { find /sys/fs/bpf/lsmpull/bundle -name shadow; }

ok "a key" lsmbundle keygen all --dir $T
ok "a repository" repo init $R --key $T/all.key
mkdir -p /etc/lsmpull /var/cache
cp $R/metadata/1.root.json /etc/lsmpull/root.json
config "source: {repository: $R}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'poll: {interval: 1m}' \
        'confirm: {deadline: 120s, health: 1s}'
ok "release 1 is published" publish rb-1
ok "release 1 is promoted, to bake" promote rb 1 --bake 1h
once
in_force 1 "a node that has nothing enforces it at once"
hammer_begin
ok "release 2 is published" publish rb-2
ok "release 2 is promoted, to bake" promote rb 2 --bake 1h
once
is "$status" 0 "it bakes"
[ "$status" = 0 ] || diag "$err"
in_force 1 "release 1 stays in force"
is "$(value $B.rollout.why) $(value $B.rollout.bake.release) $(value $B.rollout.bake.for) $(value $B.rollout.bake.would_deny)" \
        "baking 2 3600 0" "status says that release 2 bakes"
ok "it denies nothing" allowed gshadow
once
wants $B.rollout.reason '^bake-failed$' "what it would deny and is not allowed for: bake-failed"
like "$(value $B.rollout.sentence)" '1' "with the number"
in_force 1 "release 1 stays in force"
is "$(value 'quarantine.*.release') $(value 'quarantine.*.reason')" "2 bake-failed" "release 2 is in quarantine"
is "$(shadow) $(value $B.rollout.bake)" " null" "its shadow has ended"
once
in_force 1 "nor does it come at the next poll"
is "$(shadow)" "" "or bake again"
ok "forgotten" lsmpull retry rb
ok "release 2 is promoted with an allowance" promote rb 2 --bake 5s --allow 10
once
ok "it denies nothing" allowed gshadow
wants $B.rollout.bake.policies.0.would_deny '^1$' "status lists what each policy would have denied"
sleep 5
once
is "$status" 0 "it has baked"
[ "$status" = 0 ] || diag "$err"
in_force 2 "release 2 is in force"
ok "it denies" denied gshadow
is "$(shadow) $(ls /var/lib/lsmpull/bake)" " " "its shadow has ended"
ok "release 9 is published" publish rb-9
ok "release 9 is promoted, to bake" promote rb 9 --bake 1h
once
isnt "$(shadow)" "" "it bakes"
ok "back to release 2" promote rb 2
once
in_force 2 "release 2 stays in force"
is "$(shadow)" "" "and nothing bakes any more"
hammer_end "during all of this nothing got through"
done_testing
