# SPDX-License-Identifier: Apache-2.0
# A workload that does what looks legitimate and is not: it reads and writes another process's memory "to debug", mounts the node's
# disk and folders "to look at logs", and runs what it has just downloaded.
# files: tests/vm/node.sh:/test/node.sh tests/vm/adversary.sh:/test/adversary.sh
# reboot: yes
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 800
. "$TESTLIB"
. /test/node.sh
. /test/adversary.sh

setsid sleep 1000 &
other=$!
attacks() {
        printf '#!/bin/sh\n:\n' >/dev/shm/downloaded
        chmod 0755 /dev/shm/downloaded
        attack "another's memory is opened" sh -c "guard_try mem $other"
        attack "another's memory is written" sh -c "guard_try writev $other"
        attack "another is traced" sh -c "guard_try attach $other"
        attack "another's descriptor is taken" sh -c "guard_try getfd $other"
        attack "the node's disk is mounted" in_container sh -c 'mkdir -p /run/disk && mount -t ext4 /dev/vda /run/disk'
        attack "the node's settings are bound" in_container sh -c 'mkdir -p /run/etc && mount --bind /etc /run/etc'
        attack "what was downloaded is run" sh -c "/dev/shm/downloaded || exit 1"
        attack "the network is listened to" adversary packet
}
before_and_after
