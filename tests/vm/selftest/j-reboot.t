# SPDX-License-Identifier: Apache-2.0
# reboot: yes
. "$TESTLIB"
case $1 in
1)
        ok "the disk is there" grep -q ' /var/lib/lsmpull ext4 ' /proc/mounts
        echo kept >/var/lib/lsmpull/file
        touch /run/lost
        reboot_guest
        ;;
2)
        is "$(cat /var/lib/lsmpull/file)" kept "the disk outlives a reboot"
        fails "nothing else does" test -e /run/lost
        echo written >/var/lib/lsmpull/synced
        sync
        echo unwritten >/var/lib/lsmpull/unsynced
        reboot_guest cut
        ;;
3)
        is "$(cat /var/lib/lsmpull/synced)" written "what was synced outlives a power cut"
        fails "what was not does not" test -s /var/lib/lsmpull/unsynced
        ;;
esac
done_testing
