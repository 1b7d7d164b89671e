# SPDX-License-Identifier: Apache-2.0
# A policy that denies everything to everybody, the agent's own files and children included, is left by itself, with and without an
# agent running, and everything works again. Nothing that the release before denies gets through meanwhile.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 600
. "$TESTLIB"
. /test/node.sh

# survived NAME RELEASE REASON: the node is back on release 1 and works.
survived() {
        is "$status" 4 "$1: the install fails"
        like "$err" "failed: ($3): " "$1: the message says why"
        status
        is "$(value bundles.0.in_force.release) $(value bundles.0.state) $(value bundles.0.gate.pending)" "1 enforcing false" \
                "$1: release 1 is in force"
        is "$(value bundles.0.left.release)" "$2" "$1: release $2 was left"
        like "$(value bundles.0.left.reason)" "^($3)$" "$1: with a reason"
        like "$(value 'quarantine.*.release')" "^$2$" "$1: it is in quarantine"
        is "$(value bundles.0.gate.expiries)" 1 "$1: the agent was faster than the deadline"
        ok "$1: files can be made, written, read and removed" sh -c 'echo x >/tmp/works && grep -q x /tmp/works && rm /tmp/works'
        ok "$1: what release 1 denies is denied" denied shadow
}

# The deadline is far away: it is the agent that must get the node out of there, and it takes no longer than it needs.
deny() { # NAME RELEASE REASON
        apply "rb-deny-$1"
        diag "$err"
        survived "$where, deny $1" "$2" "$3"
}

config 'confirm: {deadline: 60s, health: 1s}'
apply rb-1
is "$status" 0 "release 1 installs"
hammer_begin

# Killed in the trial, and the deadline is all there is: until then, no program of this node can be started and no file be opened.
config 'confirm: {deadline: 6s, health: 1s}'
mkfifo $T/clock
exec 9<>$T/clock
fault swap:flipped install /test/bundles/rb-deny-open.tar.zst --key $KEY >$T/killed 2>&1
killed=$?
(: </etc/hostname) 2>&1 && opens=1
seconds=0
until [ $seconds -ge 30 ] || (: </etc/hostname); do
        read -r -t 1 -u 9 _
        seconds=$((seconds + 1))
done 2>&1
is "$killed $opens" "137 " "killed while nothing can be opened"
ok "the kernel has gone back by itself ($seconds s)" allowed gshadow
ok "what release 1 denies is denied" denied shadow
ok "the next start succeeds" lsmpull boot
wants bundles.0.left.reason '^not-confirmed$' "and says what became of the release"
is "$(value bundles.0.gate.expiries) $(value bundles.0.in_force.release)" "1 1" "which the kernel ended"
ok "all is forgotten, for a second time" lsmpull retry rb

config 'confirm: {deadline: 60s, health: 1s, command: [/bin/sh, -c, "read x </etc/hostname"]}'
for where in "no agent" "agent"; do
        if [ "$where" = agent ]; then
                ok "all is forgotten, for a second time" lsmpull retry rb
                lsmpull run 2>$T/agent &
                agent=$!
                ok "an agent runs" wait_for 60 test -S /run/lsmpull/control.sock
        fi
        deny open 20 health-failed
        deny permission 21 health-failed
        deny mmap 22 health-failed
        deny alloc 23 health-failed
        # Here the agent is well: it is the health command, as any other process of the node, that is not.
        deny others 24 health-failed
done

ok "the agent is alive" kill -0 $agent
apply rb-9
is "$status" 0 "the agent takes the next good release"
[ "$status" = 0 ] || diag "$err" "$(cat $T/agent)"
wants bundles.0.in_force.release '^9$' "which is in force"
kill $agent
wait $agent
is $? 0 "the agent ends as it should"
hammer_end "during all of this nothing got through"
done_testing
