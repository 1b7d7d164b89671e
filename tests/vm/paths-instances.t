# SPDX-License-Identifier: Apache-2.0
# The same pseudo file system once more: proc and sysfs show the same wherever they are mounted. docs/path-semantics.md, "Mounts".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# needs: unshare
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

instances() {
        attack "a file of /proc" 'cat /proc/sys/kernel/ostype >free/o && echo secret'
        attack "of another /proc" 'mount -t proc proc mnt && cat mnt/sys/kernel/ostype && echo secret'
        attack "of another process namespace's" "$(which unshare) -mpf sh -c 'mount -t proc proc $P/mnt && cat $P/mnt/sys/kernel/ostype && echo secret'"
        attack "of one that is nowhere's root" "$(which unshare) -mpf sh -c 'mount -t proc proc $P/mnt && mount --bind $P/mnt/sys/kernel $P/other && cat $P/other/ostype && echo secret'"
        attack "a file of /sys" 'cat /sys/kernel/uevent_seqnum && echo secret'
        attack "of another network namespace's /sys" "$(which unshare) -mn sh -c 'mount -t sysfs sysfs $P/mnt && cat $P/mnt/kernel/uevent_seqnum && echo secret'"
}

tried instances
done_testing
