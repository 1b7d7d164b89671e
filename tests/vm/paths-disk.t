# SPDX-License-Identifier: Apache-2.0
# A disk, and files that the kernel has forgotten the names of: open_by_handle_at finds them without their folder.
# docs/path-semantics.md, "System calls".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# A disk is what there is one for.
# reboot: yes
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

on_disk() {
        for way in reopen handle handle-cold uring; do
                attack "$way" "paths_open $way disk/prot/key"
                attack "mounted elsewhere: $way" "mount --bind disk/prot mnt && paths_open $way mnt/key"
        done
        works "by handle, what is not denied" 'paths_open handle disk/open/key'
}

mkdir -p $P/disk
device=$(sed -n 's|^\([^ ]*\) /var/lib/lsmpull .*|\1|p' /proc/mounts)
mount "$device" $P/disk || fail "the disk is mounted once more"
mkdir -p $P/disk/prot $P/disk/open
echo secret >$P/disk/prot/key
echo secret >$P/disk/open/key
tried on_disk
done_testing
