# SPDX-License-Identifier: Apache-2.0
# Cgroups are made, moved between and removed all the time: whoever is in a scope is denied from its first instruction, nobody else ever
# is, and nothing stays in the kernel about cgroups that are gone. docs/scopes.md, "Churn".
# files: tests/vm/node.sh:/test/node.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# configs: smp up-preempt
# timeout: 300
# timeout-long: 1800
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

SECONDS_EACH=6
[ "$LONG" != 1 ] || SECONDS_EACH=60

mkdir -p /tmp/churn
for f in slices in-c boxes free; do echo content >/tmp/churn/$f; done
config 'confirm: {deadline: 90s, health: 1s}'

number() { sed -n "s/^\([0-9]*\) $1,.*/\1/p" $T/churned; }
# churned STATUS NAME ARGS...
churned() {
        _want=$1 _name=$2
        shift 2
        churn "$@" >$T/churned 2>&1
        is $? "$_want" "$_name: $(cat $T/churned)"
        diag "$KERNEL $CONFIG: $_name: $(cat $T/churned)"
}
# The last cgroups go a little later than their last tasks; and where the agent has to collect, it does so every few seconds.
nothing_left() {
        wait_for 40 churn left
        is $? 0 "$1: the kernel remembers no cgroup that is gone"
        diag "$KERNEL $CONFIG: $1: $(churn left)"
}

agent_begin() {
        rm -f /run/lsmpull/control.sock
        lsmpull run 2>>$T/agent &
        agent=$!
        ok "the agent serves" wait_for 30 test -S /run/lsmpull/control.sock
}
agent_begin

# ---- the control: what the counting finds ------------------------------------------------------------------------------------

churned 1 "without a policy all is open, and that is found" 3 2 1
apply churn-1
is "$status" 0 "a bundle with scopes is installed"
diag "$err"
churned 1 "wrong answers left in the kernel are found" 3 2 0 poison

# ---- churn --------------------------------------------------------------------------------------------------------------------

churned 0 "makers and movers" $SECONDS_EACH 2 2
ok "it was much" [ "$(number cgroups)" -gt 100 ]
nothing_left "after it"

churn $((SECONDS_EACH * 2)) 2 1 >$T/churned 2>&1 &
churning=$!
swaps=0
while kill -0 $churning 2>/dev/null; do
        apply churn-2
        [ "$status" = 0 ] || break
        run lsmpull rollback churn
        [ "$status" = 0 ] || break
        run lsmpull retry churn # or the release that was left stays out
        [ "$status" = 0 ] || break
        swaps=$((swaps + 2))
done
is "$status" 0 "$swaps swaps meanwhile"
ok "there were some" [ $swaps -gt 0 ]
diag "$err"
wait $churning
is $? 0 "and nothing got through: $(cat $T/churned)"
diag "$KERNEL $CONFIG: with $swaps swaps: $(cat $T/churned)"
nothing_left "after the swaps"

# ---- cgroups do not change their names ------------------------------------------------------------------------------------------

mkdir -p /sys/fs/cgroup/chx.slice/named
fails "version 2 renames no cgroup" mv /sys/fs/cgroup/chx.slice/named /sys/fs/cgroup/chx.slice/other
rmdir /sys/fs/cgroup/chx.slice/named

apply churn-elsewhere
is "$status" 0 "a release whose scopes are elsewhere"
kill $agent
wait $agent
churned 1 "its leaks are found" 3 2 1
if [ "$KERNEL" = 6.1 ]; then # no storage at its cgroups
        exits 1 "without an agent, entries of cgroups that are gone are left" churn left
        diag "$KERNEL $CONFIG: without an agent: $(churn left)"
        agent_begin
        nothing_left "with one again"
        kill $agent
        wait $agent
fi
run lsmpull remove churn --yes
done_testing
