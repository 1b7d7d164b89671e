# SPDX-License-Identifier: Apache-2.0
# Somebody else with root's rights can end enforcement in a dozen ways, without the guard. With it he cannot, and the agent goes on: it
# takes releases, goes back, is ended and started by PID 1, and is replaced by a new version of itself.
# files: tests/vm/node.sh:/test/node.sh
# append: lsm.own-boot
# timeout: 400
. "$TESTLIB"
. /test/node.sh

PINS=/sys/fs/bpf/lsmpull
UNIT=/sys/fs/cgroup/system.slice/lsmpull.service
LINK=$PINS/bundle/rb/hook/file_open/link
GATE=$PINS/bundle/rb/gate

# by_init COMMANDS...: PID 1 does it.
by_init() {
        rm -f /run/pid1.done
        printf '%s\n' "$@" 'touch /run/pid1.done' >/run/pid1
        kill -USR1 1
        wait_for 30 test -e /run/pid1.done
}

# As a service manager does: from a process of PID 1's in the unit's cgroup.
agent_begin() {
        rm -f /run/lsmpull/control.sock
        by_init "mkdir -p $UNIT" "(echo 0 >$UNIT/cgroup.procs; exec lsmpull run 2>>/run/agent.log) &"
        wait_for 60 test -S /run/lsmpull/control.sock || { fail "the agent starts"; diag "$(cat /run/agent.log)"; }
        agent=$(sed -n 1p $UNIT/cgroup.procs)
}
agent_end() {
        by_init "kill -TERM $agent"
        wait_for 30 sh -c "! kill -0 $agent 2>/dev/null"
}

config "source: {bundle: /run/source/rb.tar.zst, keys: [$KEY]}" 'poll: {interval: 10m, jitter: 0}' 'confirm: {deadline: 120s, health: 1s}'
mkdir -p /run/source
cp /test/bundles/rb-1.tar.zst /run/source/rb.tar.zst
agent_begin
at_rest() { status && [ "$(value 'bundles.*.gate.pending')" = false ]; }
ok "a release is in force" wait_for 60 denied shadow
ok "and confirmed" wait_for 60 at_rest
agent=$(sed -n 1p $UNIT/cgroup.procs)

# What there is to attack; asked for before anybody is guarded.
map=$(guard_try ids $GATE)
# shellcheck disable=SC2046
set -- $(guard_try ids $LINK)
link=$1 prog=$2
diag "map $map, link $link, program $prog, agent $agent"

# attacks WORD: each of them. "succeed" or "fail" is what is wanted. None ends the agent, where it succeeds.
attack() { # NAME COMMAND...
        _what=$1
        shift
        case $want in
        succeed) ok "without the guard: $_what" "$@" ;;
        *) fails "with the guard: $_what is refused" "$@" ;;
        esac
}
into() { echo "$1" >"$2"; }
attacks() {
        want=$1
        attack "the gate is found by its id, and written" guard_try gate $map
        attack "a map is opened by its id" guard_try map-id $map
        attack "a program is opened by its id" guard_try prog-id $prog
        attack "a link is opened by its id" guard_try link-id $link
        attack "a map is opened by its pin" guard_try ids $GATE
        attack "something is made among the pins" sh -c "mkdir $PINS/bundle/x && rmdir $PINS/bundle/x"
        attack "a pin is renamed" sh -c "mv $GATE $PINS/bundle/rb/g && mv $PINS/bundle/rb/g $GATE"
        attack "the folder of pins is renamed" sh -c "mv $PINS ${PINS}2 && mv ${PINS}2 $PINS"
        attack "a pin is opened to others" sh -c "chmod 0777 $PINS && chmod 0700 $PINS"
        attack "something is mounted over the pins" sh -c 'mount -t tmpfs x /sys/fs/bpf && umount /sys/fs/bpf'
        attack "something is mounted over what they are mounted on" sh -c 'mount -t tmpfs x /sys/fs && umount /sys/fs'
        attack "their mount is made read-only" sh -c 'mount -o remount,bind,ro /sys/fs/bpf && mount -o remount,bind,rw /sys/fs/bpf'
        attack "their mount is moved" sh -c 'mkdir -p /run/m && mount -o move /sys/fs/bpf /run/m && mount -o move /run/m /sys/fs/bpf'
        attack "the agent is traced" guard_try attach $agent
        attack "its memory is opened" guard_try mem $agent
        attack "its memory is written" guard_try writev $agent
        attack "a descriptor of its is taken" guard_try getfd $agent
        attack "it is stopped" sh -c "kill -STOP $agent && kill -CONT $agent"
        attack "its reporter is stopped" sh -c "pid=\$(cat /proc/$agent/task/$agent/children | cut -d' ' -f1); kill -STOP \$pid && kill -CONT \$pid"
        attack "it is slowed down" guard_try nice $agent
        attack "it is scheduled otherwise" guard_try sched $agent
        attack "its I/O waits" guard_try ioprio $agent
        attack "its limits are changed" guard_try rlimit $agent
        attack "it is what memory is taken from first" into 1000 /proc/$agent/oom_score_adj
        attack "its cgroup is frozen" sh -c "echo 1 >$UNIT/cgroup.freeze && echo 0 >$UNIT/cgroup.freeze"
        attack "the cgroup above is frozen" sh -c "echo 1 >$UNIT/../cgroup.freeze && echo 0 >$UNIT/../cgroup.freeze"
        attack "somebody joins its cgroup" sh -c "echo 0 >$UNIT/cgroup.procs && echo 0 >/sys/fs/cgroup/cgroup.procs"
}
attacks succeed

# ---- on guard ----------------------------------------------------------------------------------------------------------------

run lsmpull install /test/bundles/guard.tar.zst --key $KEY
is "$status" 0 "the guard is installed through the agent"
[ "$status" = 0 ] || { diag "$err $(cat /run/agent.log)"; done_testing; }
attacks fail
# Those that would be the end of it.
fails "with the guard: a link is not removed" rm $LINK
fails "nor the folder of pins" rm -r $PINS
fails "the pins are not unmounted" umount /sys/fs/bpf
fails "nor lazily" umount -l /sys/fs/bpf
fails "nor with what they are mounted on" umount -l /sys
fails "the agent is not killed" kill -KILL $agent
fails "nor ended" kill -TERM $agent
fails "nor killed with its cgroup" into 1 $UNIT/cgroup.kill
fails "nor with the one above" into 1 $UNIT/../cgroup.kill
ok "it lives" kill -0 $agent
ok "and enforces" denied shadow

# ---- what goes on ------------------------------------------------------------------------------------------------------------

ok "in other mounts nothing is changed" sh -c 'mount -t tmpfs x /mnt && umount /mnt'
ok "in a mount namespace of one's own bpffs is unmounted" unshare -m sh -c 'mount --make-rprivate / && umount -l /sys/fs/bpf'
ok "another bpffs is one's own" sh -c 'mkdir -p /run/b && mount -t bpf x /run/b && mkdir /run/b/lsmpull && rmdir /run/b/lsmpull && umount /run/b'
ok "other cgroups are frozen" sh -c 'mkdir /sys/fs/cgroup/x && echo 1 >/sys/fs/cgroup/x/cgroup.freeze && rmdir /sys/fs/cgroup/x'
ok "other processes are signalled" sh -c 'sleep 9 & kill -KILL $!'
in_force() { status && [ "$(value 'bundles.*.in_force.release')" = "$1" ]; }
ok "status is told" lsmpull status
cp /test/bundles/rb-2.tar.zst /run/source/rb.tar.zst
run lsmpull once
is "$status" 0 "a poll: the next release is taken"
[ "$status" = 0 ] || diag "$err $(tail -n 5 /run/agent.log)"
ok "it is in force" denied gshadow
ok "rollback" lsmpull rollback rb
ok "the one before is in force" denied shadow
ok "a signal to read the configuration again is taken" kill -HUP $agent
ok "and followed" wait_for 30 grep -q 'configuration read again' /run/agent.log
agent_end
ok "PID 1 ends it" sh -c "! kill -0 $agent 2>/dev/null"
ok "without it: what was denied is denied" denied shadow
fails "without it: its pins are guarded" rm $LINK
run lsmpull install /test/bundles/rb-1.tar.zst --key $KEY
isnt "$status" 0 "without it: a shell's child is not the agent while its lease goes on"
like "$err" 'guard' "and is told so"
# One whose parent is PID 1, because it has no other any more.
sh -c "(sleep 1; exec lsmpull remove guard --yes) >/run/orphan 2>&1 &"
ok "nor is an orphan" wait_for 30 grep -q 'guard the agent' /run/orphan
fails "which has removed nothing" rm $LINK
agent_begin
ok "PID 1 starts it" wait_for 30 lsmpull status
fails "what was started again is guarded" kill -KILL $agent
run lsmpull install /test/bundles/guard.tar.zst --key $KEY
is "$status" 0 "and knows the guard to be in force"

# ---- ways to become the agent ---------------------------------------------------------------------------------------------------

by_init "(echo 0 >$UNIT/cgroup.procs; exec busybox sh -c 'kill -KILL $agent; echo \$? >/run/other') &"
ok "a child of PID 1's in the unit that is another program" wait_for 30 grep -qx 1 /run/other
fails "a folder with the unit's name is not made" mkdir -p /sys/fs/cgroup/x.slice/lsmpull.service
fails "the unit's cgroup is not joined" sh -c "echo 0 >$UNIT/cgroup.procs"

# ---- an upgrade -----------------------------------------------------------------------------------------------------------------

hammer_begin
cp /usr/sbin/lsmpull /usr/sbin/lsmpull.new
mv /usr/sbin/lsmpull.new /usr/sbin/lsmpull
run lsmpull install /test/bundles/rb-1.tar.zst --key $KEY
ok "the program is replaced while it runs: it goes on working" lsmpull status
agent_end
agent_begin
hammer_end "during an upgrade nothing gets through"
fails "the new one is guarded" kill -KILL $agent
run lsmpull once
is "$status" 0 "the new one polls"
diag "$err"

# ---- gone for good ---------------------------------------------------------------------------------------------------------------

agent_end
sleep 22
ok "when the lease is over, root repairs the node by hand" lsmpull remove guard --yes
ok "and is not kept from anything then" rm $LINK
done_testing
