# SPDX-License-Identifier: Apache-2.0
# An insider with root's rights on the node: he leaves himself a way back in, changes what the system runs, and takes the guard off.
# files: tests/vm/node.sh:/test/node.sh tests/vm/adversary.sh:/test/adversary.sh
# append: lsm.own-boot
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 800
. "$TESTLIB"
. /test/node.sh
. /test/adversary.sh

mkdir -p /etc/cron.d /etc/ssh /root/.ssh /etc/systemd/system /etc/sudoers.d /etc/pam.d /usr/lib/security /boot /run/modules
head -c 64 /dev/zero >/run/modules/x.ko

makes() { sh -c "echo x >$1 && rm $1"; }
attacks() {
        attack "a key for root" makes /root/.ssh/authorized_keys
        attack "a job for cron" makes /etc/cron.d/x
        attack "a rule for sudo" makes /etc/sudoers.d/x
        attack "a unit" makes /etc/systemd/system/x.service
        attack "a library for every program" makes /etc/ld.so.preload
        attack "how logins are checked" makes /etc/pam.d/x
        attack "a program of the system" sh -c 'mv /usr/bin/free /usr/bin/free2 && mv /usr/bin/free2 /usr/bin/free'
        attack "the kernel of the next boot" makes /boot/vmlinuz-x
        attack "a user without a password" sh -c 'cp /etc/passwd /run/p && echo x::0:0::/:/bin/sh >>/etc/passwd && cat /run/p >/etc/passwd'
        attack "passwords are read" sh -c 'busybox cat /etc/shadow'
        attack "a module of his own" adversary module-file /run/modules/x.ko
        attack "another kernel" adversary kexec
        attack "a program in the kernel" adversary bpf
        mkdir -p /sys/fs/bpf/lsmpull/agent
        attack "something among the agent's pins" sh -c 'mkdir /sys/fs/bpf/lsmpull/x && rmdir /sys/fs/bpf/lsmpull/x'
        attack "the pins are unmounted" sh -c 'umount -l /sys/fs/bpf && mount -t bpf bpf /sys/fs/bpf'
}
before_and_after
