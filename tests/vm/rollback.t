# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong with a new release, the one before stays in force, nothing gets through meanwhile, the reason is told and kept,
# and the next good release applies.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 600
. "$TESTLIB"
. /test/node.sh

# left BUNDLE REASON RELEASE: the last install failed for that reason, and release 1 is what is enforced.
left() {
        is "$status" 4 "$1: exit status 4"
        like "$err" "failed: $2: " "$1: the message says $2"
        status
        is "$(value bundles.0.in_force.release) $(value bundles.0.state)" "1 enforcing" "$1: release 1 is in force"
        is "$(value bundles.0.left.release) $(value bundles.0.left.reason)" "$3 $2" "$1: status says why release $3 is not"
        is "$(value bundles.0.staged) $(value bundles.0.step) $(value bundles.0.gate.pending)" "null none false" "$1: nothing is left staged"
        ok "$1: what release 1 denies is denied" denied shadow
        ok "$1: what only the failed release denies is not" allowed gshadow
}

quarantined() {
        like "$(cat $T/status)" "^quarantine.*\.release=$2$" "$1: it is in quarantine"
        apply "$1"
        is "$status" 3 "$1: and not tried again"
        like "$err" 'refused: quarantined: ' "$1: for that reason"
}

not_quarantined() { unlike "$(cat $T/status)" "^quarantine.*\.release=$2$" "$1: what passes is not put into quarantine"; }

config 'confirm: {deadline: 40s, health: 1s}'
ok "nothing is denied at first" allowed shadow
apply rb-1
is "$status" 0 "release 1 installs"
diag "$err"
ok "release 1 denies" denied shadow
hammer_begin

apply rb-verifier
left rb-verifier verifier-rejected 3
like "$err" "invalid mem access" "the verifier's own words reach the user"
ok "the whole log of the verifier is kept" grep -q 'invalid mem access' /var/lib/lsmpull/verifier.log
quarantined rb-verifier 3

apply rb-nohook
left rb-nohook kernel-unsupported 4
like "$err" "no LSM hook 'no_such_hook'" "the missing hook is named"
quarantined rb-nohook 4

run fill_hook /test/progs/fill_hook.bpf.o lsmpull install /test/bundles/rb-noslot.tar.zst --key $KEY
left rb-noslot no-program-slot 5
like "$err" "hook socket_create" "the full hook is named"
not_quarantined rb-noslot 5

apply rb-selftest
left rb-selftest selftest-failed 6
like "$err" "expected EACCES, got ok" "the message says what the self-test found"
quarantined rb-selftest 6

config 'confirm: {deadline: 40s, health: 1s, command: [/bin/sh, -c, "exit 7"]}'
apply rb-health
left rb-health health-failed 7
like "$err" "health command .* status 7" "the message says what failed"
quarantined rb-health 7

config 'confirm: {deadline: 40s, health: 1s, max-denials: 0}'
apply rb-noisy
left rb-noisy health-failed 8
like "$err" "[0-9]+ denials while on trial, more than the 0 allowed" "the message says how many"
quarantined rb-noisy 8

config 'confirm: {deadline: 40s, health: 1s, command: [/bin/sh, -c, "exit 0"]}'
apply rb-noslot
is "$status" 0 "a hook with places again takes what did not fit"
diag "$err"
apply rb-9
is "$status" 0 "the next good release applies"
wants bundles.0.in_force.release '^9$' "and is in force"
wants bundles.0.left '^null$' "old failures are no longer shown as the state of things"
ok "it denies what it should" denied gshadow
run lsmpull status --check
is "$status" 4 "status --check tells of the quarantine"
run lsmpull retry rb
is "$status" 0 "retry forgets it"
run lsmpull status --check
is "$status" 0 "status --check has nothing to tell then"
hammer_end "during all of this nothing got through"
done_testing
