# SPDX-License-Identifier: Apache-2.0
# The operator lowers policies from enforce to audit on a node, one by one, in C and written as rules: those and no others, without a
# moment in which the rest is not enforced; never the other way.
# files: tests/vm/node.sh:/test/node.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

M=/tmp/m
mkdir -p $M
[ -e /etc/hostname ] || echo guest >/etc/hostname
for f in kept loose seen modes-names; do echo content >$M/$f; done
printf '#!/bin/sh\nexec <%s/modes-names\n' $M >/run/unprivileged
chmod 0755 /run/unprivileged

# what is denied now, of: kept loose seen names
closed() {
        for f in kept loose seen; do
                cat $M/$f >/dev/null 2>&1 || printf '%s ' $f
        done
        /run/unprivileged 2>/dev/null || printf names
}
configure() { config "metrics: {file: $T/node.prom}" 'confirm: {deadline: 200s, health: 1s}' "$@"; }
# reload LINE...: with this in the configuration, by SIGHUP.
reload() {
        configure "$@"
        _before=$(grep -c 'configuration read again\|configuration is left' $T/agent)
        kill -HUP $agent
        again() { [ "$(grep -c 'configuration read again\|configuration is left' $T/agent)" -gt "$_before" ]; }
        wait_for 300 again || fail "the agent reads its configuration: $(tail -3 $T/agent)"
}
modes() { # NAME: signed and effective mode of a policy, as status says
        status
        _at=$(sed -n "s/^\(bundles\.0\.policies\..*\)\.name=$1\$/\1/p" "$T/status")
        printf '%s %s' "$(value "$_at.signed_mode")" "$(value "$_at.mode")"
}

configure
lsmpull run 2>>$T/agent &
agent=$!
wait_for 60 test -S /run/lsmpull/control.sock || fail "the agent starts: $(cat $T/agent)"
is "$(closed)" "" "nothing is denied without the bundle"
apply modes-1
is "$status" 0 "the bundle is installed"
diag "$err"
is "$(closed)" "kept loose names" "it denies what it enforces"
is "$(modes loose), $(modes seen), $(modes names)" "enforce enforce, audit audit, enforce enforce" "status: as signed"

# ---- one of the rules ------------------------------------------------------------------------------------------------------

# All the time, and slowly enough for the agent to work beside it on a slow machine.
while [ ! -e "$T/enough" ]; do
        if cat $M/kept >/dev/null 2>&1; then echo through; else echo denied; fi
        sleep 0.02
done >$T/kept &
hammer=$!
reload 'audit: [modes/loose]'
is "$(closed)" "kept names" "a policy that is written as rules is lowered, and no other"
is "$(modes loose), $(modes kept), $(modes names)" "enforce audit, enforce enforce, enforce enforce" "status: lowered, and what was signed"
run lsmpull status
like "$out" '^    loose +audit, lowered$' "for people"
like "$out" '^    seen +audit$' "what was signed so is not called lowered"
run lsmpull events --json --policy loose
like "$out" '"type":"would-deny".*"policy":"loose".*"mode":"audit"' "what it would have denied is reported"
lsmpull once >/dev/null 2>&1
ok "metrics" wait_for 90 grep -q 'lsmpull_policy_mode{bundle="modes",mode="audit",policy="loose",signed="enforce"} 1' $T/node.prom
ok "of the others, too" grep -q 'lsmpull_policy_mode{bundle="modes",mode="enforce",policy="kept",signed="enforce"} 1' $T/node.prom
is "$(value bundles.0.in_force.release)" 1 "it is the same release"

# ---- one in C; and the next release -------------------------------------------------------------------------------------------

reload 'audit: [modes/loose, modes/names]'
is "$(closed)" "kept " "a policy in C, too"
apply modes-2
is "$status" 0 "the next release is installed"
like "$err$(cat $T/agent)" '2 of them expect a denial by a policy that only audits' "its self-tests see what would be denied"
is "$(closed)" "kept " "and it is lowered as the one before"
reload 'audit: [modes/names]'
is "$(closed)" "kept loose " "one of them is enforced again"

# ---- no way up ------------------------------------------------------------------------------------------------------------------

reload 'audit: [modes/names]' 'policies: {modes/seen: enforce}'
like "$(cat $T/agent)" "the configuration is left as it was" "there is no word to raise a policy"
reload 'audit: [modes/seen, modes/pahts]'
is "$(closed)" "kept loose names" "what is signed as audit stays so; what is not named any more is enforced"
is "$(modes seen)" "audit audit" "status says so"
like "$(cat $T/agent)" "'audit' in the configuration names modes/pahts, which release 2 has not" "a name that is misspelt is said"
touch "$T/enough"
wait $hammer
is "$(sort -u $T/kept)" denied "in all this time the other policy has let nothing through ($(wc -l <$T/kept) attempts)"

# ---- an agent that starts anew ------------------------------------------------------------------------------------------------------

kill -TERM $agent
wait $agent
configure 'audit: [modes/kept]'
lsmpull run 2>>$T/agent &
agent=$!
lowered() { [ "$(closed)" = "loose names" ]; }
ok "what has changed while there was none is followed" wait_for 100 lowered
kill -TERM $agent
wait $agent
configure 'mode: audit'
run lsmpull resume
is "$(closed)" "" "all of them, by mode"
is "$(modes kept)" "enforce audit" "status says so"
done_testing
