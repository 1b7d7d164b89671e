# SPDX-License-Identifier: Apache-2.0
# Passes, with a skip; leaves things behind that the next test must not see.
. "$TESTLIB"
pass "a check that passes"
skip "a check that is skipped" "to be seen"
mkdir -p /sys/fs/bpf/left /sys/fs/cgroup/left/below /var/lib/lsmpull/left /run/left
mount -t tmpfs left /mnt
sleep 1000 &
done_testing
