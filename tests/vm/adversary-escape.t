# SPDX-License-Identifier: Apache-2.0
# An escape: a container that was given more capabilities and namespaces than it should have uses them to run code in the kernel, to
# reach the node's hardware and disk, and a user makes namespaces in which he is root.
# files: tests/vm/node.sh:/test/node.sh tests/vm/adversary.sh:/test/adversary.sh
# append: lsm.own-boot
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 800
. "$TESTLIB"
. /test/node.sh
. /test/adversary.sh

attacks() {
        mkdir -p /run/modules && head -c 64 /dev/zero >/run/modules/x.ko
        attack "a module is loaded from memory" in_container adversary module
        attack "a module is loaded from a file" in_container adversary module-file /run/modules/x.ko
        attack "a module is loaded from where the system keeps its own, to the container's eyes" \
                in_container sh -c 'mount --bind /run/modules /lib/modules && adversary module-file /lib/modules/x.ko'
        attack "another kernel is loaded" in_container adversary kexec
        attack "a program is loaded into the kernel" in_container adversary bpf
        attack "I/O ports are opened" in_container adversary iopl
        attack "files outside are opened by handle" in_container adversary shocker /etc/../tmp/t
        attack "the node's root is bound" in_container sh -c 'mkdir -p /run/host && mount --bind / /run/host'
        attack "a user becomes root of a namespace" su -s /bin/sh -c 'unshare -U true' user
}
sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null
mkdir -p /tmp/t
before_and_after
