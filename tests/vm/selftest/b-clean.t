# SPDX-License-Identifier: Apache-2.0
# Finds nothing of what a-pass left behind.
. "$TESTLIB"
fails "no pin" test -e /sys/fs/bpf/left
fails "no cgroup" test -e /sys/fs/cgroup/left
fails "no state" test -e /var/lib/lsmpull/left
fails "no file" test -e /run/left
fails "no mount" grep -q " /mnt " /proc/mounts
fails "no process" pidof sleep
done_testing
