# SPDX-License-Identifier: Apache-2.0
# A release repository from its first root to the node: releases follow its rollouts, nobody in between can forge, replay or hold
# back unnoticed, and nothing that goes wrong there takes anything away here.
# needs: nginx openssl build/lsmbundle
# kernels: 6.12
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
. "$TESTLIB"
. /test/node.sh

B=bundles.0
R=/tmp/repo
hostname node

repo() { lsmbundle repo "$@"; }
# publish BUNDLE [ARGS...]: staged, signed and published
publish() {
        _name=$1 && shift
        repo stage "/test/bundles/$_name.tar.zst" -r $R "$@" &&
                lsmbundle sign $R/pending/rb-* --key $T/all.key && repo publish $R/pending/rb-* -r $R --key $T/all.key
}
promote() { repo promote "$@" -r $R --key $T/all.key; }

once() { run lsmpull once; }
in_force() { wants $B.in_force.release "^$1\$" "$2"; }

ok "a key" lsmbundle keygen all --dir $T
ok "a repository" repo init $R --key $T/all.key
mkdir -p /etc/lsmpull /var/cache
cp $R/metadata/1.root.json /etc/lsmpull/root.json
source="repository: $R"
configure() { config "source: {$source}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'poll: {interval: 1m}' 'confirm: {deadline: 90s, health: 1s}' "$@"; }
configure

# ---- from a folder -------------------------------------------------------------------------------------------------------

once
is "$status" 3 "an empty repository: nothing is taken"
like "$err" "unknown-target: .*no rollout" "and it says why"
ok "release 1 is published" publish rb-1
ok "release 1 is promoted" promote rb 1 --ring canary
once
is "$status" 0 "release 1 comes" || diag "$err"
in_force 1 "it is in force"
ok "it denies" denied shadow
like "$(value $B.rollout.sentence)" "release 1 is taken" "status says why"
hammer_begin
once
is "$status $out" "0 nothing new" "nothing new"
wants $B.rollout.why '^current$' "status says that it is current"
ok "release 2 is published" publish rb-2
once
in_force 1 "a release that is published and not promoted does not come"
ok "release 2 is promoted to others" promote rb 2 --ring stable
once
in_force 1 "nor does one for another ring"
ok "release 2 is promoted" promote rb 2 --ring canary
once
is "$status" 0 "release 2 comes"
in_force 2 "it is in force"
ok "it denies what is new" denied gshadow

# ---- back, floors, waves, hold -------------------------------------------------------------------------------------------

ok "back to release 1" promote rb 1 --ring canary
once
in_force 1 "a rollout may go back, above the floor"
ok "release 2 again, on hold" promote rb 2 --ring canary
ok "hold" promote rb --hold
once
in_force 1 "on hold nothing moves"
wants $B.rollout.why '^held$' "status says so"
ok "resume" promote rb --resume
once
in_force 2 "then it does"

# ---- bake ----------------------------------------------------------------------------------------------------------------

ok "back to release 1" promote rb 1 --ring canary
once
in_force 1 "it is in force"
ok "release 2 is to bake for five seconds" promote rb 2 --ring canary --bake 5s
once
in_force 1 "the bake begins: release 1 stays in force"
is "$(value $B.rollout.why)" baking "status says that it bakes"
sleep 7
once
is "$status" 0 "the bake has lasted long enough" || diag "$err"
in_force 2 "release 2 is in force"
like "$(value $B.rollout.why)" '^(baked|baking)$' "status says how it came"
ok "back to release 1 again" promote rb 1 --ring canary
once
in_force 1 "which is in force"
ok "release 2 once more, for an hour" promote rb 2 --ring canary --bake 1h
once
is "$status" 0 "it bakes"
ok "what only release 2 would deny is tried, and goes through" allowed gshadow
once
is "$status" 4 "the bake has failed"
like "$err" "bake-failed: " "it says why"
in_force 1 "release 1 stays in force"
is "$(value 'quarantine.0.reason')" bake-failed "release 2 is in quarantine"
once
in_force 1 "and is not tried again"
ok "retry: the quarantine is forgotten" lsmpull retry rb
ok "release 2 without a bake" promote rb 2 --ring canary
once
in_force 2 "it is in force"

# ---- the floor, and waves ------------------------------------------------------------------------------------------------

ok "release 9, with release 2 as the floor" publish rb-9 --floor 2
once
fails "a rollout below the floor cannot even be written" promote rb 1 --ring canary
ok "release 9 for nobody yet" promote rb 9 --ring canary --waves 1h:0,2h:100
once
in_force 2 "a wave that has not come"
wants $B.rollout.why '^(waiting|current|else)$' "status says so"
like "$(value $B.rollout.sentence)" "due at" "and when it does"

# ---- what the metadata forbids -------------------------------------------------------------------------------------------

cp -r $R $T/newer
refused() { # REASON NAME
        once
        is "$status" 3 "$2: refused"
        like "$err" "refused: $1: " "$2: the reason is $1"
        in_force 2 "$2: what was in force stays"
}
rm -rf $R/metadata && cp -r $T/newer/metadata $R/metadata
sed -i 's/"version":[0-9]*/"version":99/' $R/metadata/timestamp.json
refused '(bad-signature|malformed|unknown-key|threshold-not-met)' "a forged timestamp"
rm -rf $R && cp -r $T/newer $R
now=$(date +%s)
date -s @$((now + 400 * 86400)) >/dev/null
refused expired "metadata that has expired"
wants $B.state '^enforcing$' "expired metadata takes nothing away"
is "$(value $B.rollout.reason)" expired "and status says that this is why nothing moves"
date -s @$((now - 400 * 86400)) >/dev/null
once
is "$status $out" "0 nothing new" "a clock that stands in the past: what was signed says better"
date -s @$now >/dev/null

# ---- removed, and taken again --------------------------------------------------------------------------------------------

rm -rf $R && cp -r $T/newer $R
hammer_end "during all of this nothing got through"
ok "the operator removes it" lsmpull remove rb --yes
once
ok "it does not come back by itself" allowed shadow
ok "retry" lsmpull retry rb
once
in_force 2 "now it does"
done_testing
