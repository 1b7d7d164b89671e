# SPDX-License-Identifier: Apache-2.0
# The kernel and the surroundings that every other test takes for granted.
# configs: smp up-preempt
# timeout: 60
. "$TESTLIB"

is "$(uname -r)" "$KERNEL_VERSION" "the kernel that was asked for is running"
case $KERNEL in
latest) like "$(uname -r)" '^([7-9]|[1-9][0-9])\.' "latest is 7 or newer" ;;
*) like "$(uname -r)" "^$KERNEL\." "$KERNEL is a $KERNEL" ;;
esac
case $CONFIG in
smp) is "$(nproc)" 2 "two CPUs" ;;
up-preempt)
        is "$(nproc)" 1 "one CPU"
        like "$(cat /sys/kernel/debug/sched/preempt)" '\(full\)' "full preemption"
        ;;
*) fail "unknown configuration '$CONFIG'" ;;
esac

like "$(cat /sys/kernel/security/lsm)" '(^|,)bpf(,|$)' "bpf is an active LSM"
for m in "/sys/fs/bpf bpf" "/sys/fs/cgroup cgroup2" "/sys/kernel/security securityfs" "/proc proc" "/tmp tmpfs" "/run tmpfs"; do
        like "$(cut -d' ' -f2,3 /proc/mounts)" "^$m\$" "mounted: $m"
done
is "$(stat -c %a /)" 755 "/ can be traversed by everybody"
ok "an unprivileged user can run programs" su -s /bin/sh -c true user
is "$(find /var/lib/lsmpull /sys/fs/bpf -mindepth 1)" "" "state and pins are empty at the start"
ok "a user of the fetcher's exists" id lsmpull-fetch
ok "a user of the reporter's exists" id lsmpull-report
ok "a directory can be made" mkdir $T/before
fails "a BPF LSM program denies" with_bpf /test/progs/deny_mkdir.bpf.o mkdir $T/under
ok "and only while it is attached" mkdir $T/after

ok "overlayfs can be used" modprobe overlay

done_testing
