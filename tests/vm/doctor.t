# SPDX-License-Identifier: Apache-2.0
# The doctor: on a machine that can enforce it says so; on one that cannot it says what to do, and doing that helps.
# reboot: yes
# timeout: 300
# append-2: lsm=lockdown,capability,yama lockdown=confidentiality lsmpull.mode=off
. "$TESTLIB"
export LC_ALL=C

# finding CHECK: its line, and its remedy
finding() { printf '%s\n' "$out" | awk -v c="$1" '/^[^ ]/ { on = $2 == c } on'; }
# result CHECK: the sign before it
result() { finding "$1" | awk 'NR == 1 { print $1 }'; }
remedy() { finding "$1" | sed -n 's/^ *-> //p'; }

if [ "$PHASE" = 2 ]; then
        run lsmpull doctor
        is "$status" 1 "booted without bpf in the list of LSMs, and locked down: this node cannot enforce"
        is "$(result bpf-lsm)" x "bpf is not active"
        like "$(finding bpf-lsm)" 'lsm=lockdown,yama,bpf' "and what to boot with instead is said"
        is "$(result lockdown)" x "the lockdown is in the way"
        like "$(finding lockdown)" 'lockdown=integrity' "and what would not be"
        is "$(result mode)" x "lsmpull.mode=off is"
        like "$out" '^This node cannot enforce: [0-9]+ of [0-9]+ checks failed' "which is summed up"
        done_testing
fi

run lsmpull doctor
is "$status" 0 "this kernel can enforce"
for check in kernel mode bpf-lsm active-lsms btf jit lockdown capabilities namespaces bpffs cgroup trial-load trial-attach ring-buffer \
        program-slots other-programs user-namespaces unprivileged-bpf clock; do
        is "$(result $check)" + "$check: nothing to do"
done
case $KERNEL in
6.1)
        is "$(result token)" ! "token: this kernel has none"
        like "$(remedy token)" 'boot a kernel of 6.9' "which is said, with what would help"
        ;;
*) is "$(result token)" + "token: obtained" ;;
esac
like "$out" '^This node can enforce\.' "which is summed up"
is "$(find /sys/fs/bpf -mindepth 1; find /var/lib/lsmpull -mindepth 1 ! -name lost+found)" "" "and nothing is left behind"

LC_ALL=C.UTF-8 run lsmpull doctor
like "$out" '^✓ bpf-lsm ' "signs of their own where the terminal has them"

run lsmpull doctor --json
is "$status" 0 "as JSON"
like "$out" '"can_enforce": true' "the verdict"
like "$out" '"check": "trial-load"' "and each check"

run su -s /bin/sh -c 'lsmpull doctor' user
is "$status" 1 "somebody who is not root cannot tell"
like "$(finding capabilities)" 'run this as root' "and is told why"
is "$(result trial-load)" x "and that the kernel refused him"
run lsmpull doctor --bpffs
is "$status" 2 "wrong usage"
run lsmpull doctor nonsense
is "$status" 2 "wrong usage, too"

# ---- what is missing is found, and the remedy helps -----------------------------------------------------------------

umount /sys/fs/bpf
run lsmpull doctor
is "$status" 1 "without bpffs nothing can be pinned"
is "$(remedy bpffs)" "mount -t bpf bpf /sys/fs/bpf" "the remedy is a command"
# shellcheck disable=SC2046
ok "it works" $(remedy bpffs)
run lsmpull doctor
is "$status" 0 "and helps"

umount /sys/kernel/security
run lsmpull doctor
case $KERNEL in
6.1)
        is "$status" 1 "without securityfs this kernel does not say which LSMs are active"
        is "$(remedy bpf-lsm)" "mount -t securityfs securityfs /sys/kernel/security" "the remedy is a command"
        ;;
*) is "$(result bpf-lsm)" + "this kernel says without securityfs that bpf is active" ;;
esac
mount -t securityfs securityfs /sys/kernel/security

before=$(cat /proc/sys/user/max_user_namespaces)
echo 0 >/proc/sys/user/max_user_namespaces
run lsmpull doctor
is "$status" 0 "without user namespaces it can be done"
is "$(result user-namespaces)$(result token)" '!!' "though not as well"
echo "$before" >/proc/sys/user/max_user_namespaces

run unshare -p -f lsmpull doctor
is "$status" 1 "in a PID namespace the agent would not be known to the kernel's programs"
is "$(result namespaces)" x "which is found"

mkdir -p $T/state && chmod 0777 $T/state
run lsmpull doctor --state $T/state
is "$status" 1 "one that everybody may write to"

# ---- what stands on the hooks ---------------------------------------------------------------------------------------

run with_bpf /test/progs/deny_mkdir.bpf.o lsmpull doctor
is "$status" 0 "somebody else's program is no hindrance"
like "$(finding other-programs)" 'others.*: 1: deny_mkdir \(id [0-9]+\) on [a-z]+_mkdir$' "but named, with its hook"

nested=
i=0
while [ $i -lt 33 ]; do
        nested="$nested with_bpf /test/progs/deny_mkdir.bpf.o"
        i=$((i + 1))
done
# shellcheck disable=SC2086
run $nested lsmpull doctor
is "$(result program-slots)" ! "a hook that is nearly full is found"
like "$(finding program-slots)" '_mkdir \(33 of 36 taken\)' "before a bundle needs it"

echo 'confirm: {health: 1s, deadline: 30s}' >$T/config
ok "a bundle is installed" lsmpull install --config $T/config /test/bundles/swap-one-1.tar.zst --key /test/keys/test.pub
run lsmpull doctor
is "$status" 0 "and the node can enforce"
like "$(finding program-slots)" 'taken: file_open 1' "its dispatcher takes a place"
like "$(finding other-programs)" 'no BPF LSM program of anybody else' "and is not taken for somebody else's"
reboot_guest
