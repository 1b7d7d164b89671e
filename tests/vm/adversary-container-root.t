# SPDX-License-Identifier: Apache-2.0
# Root inside a container: a workload that was taken over, with root's rights and what containers are given, looks at the node and its
# network, and brings its own tools.
# files: tests/vm/node.sh:/test/node.sh tests/vm/adversary.sh:/test/adversary.sh
# append: lsm.own-boot
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 800
. "$TESTLIB"
. /test/node.sh
. /test/adversary.sh

attacks() {
        cp /bin/busybox /tmp/busybox
        attack "a tool is brought and run" in_container sh -c '/tmp/busybox true || exit 1'
        attack "the network is listened to" in_container adversary packet
        attack "packets are forged" in_container adversary raw
        attack "files outside are opened by handle" in_container adversary shocker /tmp/busybox
        attack "the kernel's log is read" in_container adversary log
        attack "passwords are read" in_container sh -c 'busybox cat /etc/shadow'
        attack "a program of the node is replaced" in_container sh -c 'echo x >/usr/bin/lsm-x && rm /usr/bin/lsm-x'
}
before_and_after
