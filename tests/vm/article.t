# SPDX-License-Identifier: Apache-2.0
# A policy as articles write it (plain: true) and the same one written with lsm_policy.h do on a real kernel what
# docs/writing-policies.md says of them: who copies from there gets what he was promised.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 240
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

others() { : </tmp/hammer/shadow; }
trace() { cat /sys/kernel/tracing/trace; }
config 'confirm: {deadline: 100s, health: 1s}'

# ---- plain ----------------------------------------------------------------------------------------------------------

apply article-plain
is "$status" 0 "a plain policy installs"
diag "$err"
ok "it denies" denied shadow
ok "what its name begins like is not meant" allowed shadow-too
ok "nor are other processes" others
run lsmpull events --json
is "$out" "" "it makes no events"
wants 'bundles.0.policies.0.denied' '^0$' "and counts nothing"
is "$(value bundles.0.policies.0.mode)" "enforce (plain: cannot be audited)" "status says what it is"
like "$(trace)" 'DENY: unprivileged tried to open shadow' "its own words go to the kernel's trace"

# ---- with lsm_policy.h ----------------------------------------------------------------------------------------------

apply article-policy
is "$status" 0 "the same policy, written with lsm_policy.h, takes its place"
diag "$err"
ok "it denies" denied shadow
ok "and denies no more than the other" allowed shadow-too
run lsmpull events --json
like "$out" '"policy":"shadow-protect","hook":"file_open","mode":"enforce","errno":"EACCES","why":"reads the password file".*"object":"/tmp/hammer/shadow"' \
        "it tells who, what, where and why"
wants 'bundles.0.policies.0.denied' '^[1-9]' "and counts"

# ---- side by side ---------------------------------------------------------------------------------------------------

apply article-mixed
is "$status" 0 "a plain policy stands beside one in the chain"
diag "$err"
ok "the one in the chain denies" denied gshadow
ok "and hands over to the plain one, which denies" denied shadow
ok "what neither means is allowed" allowed shadow-too
status
is "$(value bundles.0.policies.0.name) $(value bundles.0.policies.1.name)" "chained-gshadow plain-shadow" "the plain one is the last"

config 'confirm: {deadline: 100s, health: 1s}' 'mode: audit'
run lsmpull resume
like "$err" 'article: loading it again, now to audit' "a change of mode takes hold"
ok "audit lets through what the chain would deny" allowed gshadow
ok "but a plain policy goes on denying" denied shadow
status
is "$(value bundles.0.policies.0.mode), $(value bundles.0.policies.1.mode)" "audit, enforce (plain: cannot be audited)" \
        "status says which is which"

# ---- the reference --------------------------------------------------------------------------------------------------

config 'confirm: {deadline: 100s, health: 1s}'
lsmpull remove article --yes >/dev/null 2>&1
apply policy-reference
is "$status" 0 "the policy of the reference installs, and its self-tests pass"
diag "$err"
unlike "$err" 'not this bundle' "by what it does, not by something else"
lsmpull events >/dev/null
mkdir -m 0777 $T/dir && : >$T/dir/keep-me && chmod 0755 $T
fails "it denies on one of its hooks" su -s /bin/sh -c "mv $T/dir/keep-me $T/dir/other" user
run lsmpull events --json
like "$out" '"hook":"inode_rename".*"errno":"EACCES","why":"renames a kept file".*"uid":1000.*"object":"keep-me"' "and names the file"
ok "root is not meant" mv $T/dir/keep-me $T/dir/other
done_testing
