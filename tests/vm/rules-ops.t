# SPDX-License-Identifier: Apache-2.0
# Rules about mounts, signals, modules, ids and namespaces on a real kernel: what is denied, and what beside it is not.
# files: tests/vm/node.sh:/test/node.sh
# needs: setpriv unshare mount umount
# timeout: 400
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

O=/tmp/o
mkdir -p $O/no/deep $O/yes $O/stays $O/bin $O/root $O/no-root $O/yes-root
echo content >$O/host
echo content >$O/nothost
echo content >$O/closed
chmod -R a+rX /tmp $O
head -c 64 /dev/zero >$O/m.ko
adversary=$(command -v adversary)
cp "$adversary" $O/bin/adversary
sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null # where the kernel is Debian's
mount -t tmpfs stays $O/stays

sleep 1000 &
target=$!

# setpriv ends with 127 when an id is refused, as does what is not there: told apart by what it says.
as() {
        /usr/bin/setpriv "$@" 2>$T/.setpriv && return 0
        _r=$?
        cat $T/.setpriv >&2
        grep -qE 'setres[ug]id failed: (Operation not permitted|Permission denied)' $T/.setpriv && return 1
        return $_r
}
to_uid() { as --reuid "$1" --clear-groups /bin/true; }
to_gid() { as --regid "$1" --clear-groups /bin/true; }
# Not the initramfs, which is no root to be moved: within a mount of it.
pivot() {
        /usr/bin/unshare --mount sh -c "mount --rbind / $O/root && exec chroot $O/root sh -ec '
                mount -t tmpfs x $1 && mkdir $1/old && cd $1 && pivot_root . old'"
}
in_mounts() { /usr/bin/unshare --mount "$@"; }
in_pids() { /usr/bin/unshare --pid --fork "$@"; }
in_users() { /usr/bin/unshare --user --map-root-user "$@"; }

for when in before with; do
        if [ $when = with ]; then
                config 'confirm: {deadline: 300s, health: 1s}'
                apply rules-ops
                is "$status" 0 "a bundle of rules is installed"
                diag "$err"
                no=fails
        else
                no=ok
        fi
        $no "$when: a mount where none is to be" mount -t tmpfs x $O/no/deep
        $no "$when: a bind mount there" mount --bind $O/yes $O/no/deep
        ok "$when: a mount beside it" mount -t tmpfs x $O/yes
        ok "$when: is taken away" umount $O/yes
        ok "$when: by fsopen and move_mount, too" mount_by made tmpfs $O/yes
        ok "$when: moved from there" mount_by take $O/yes $O/root
        umount $O/root
        ok "$when: a copy of what is to stay" in_mounts mount_by clone $O/stays $O/yes
        [ $when = with ] || umount -l $O/no/deep
        [ $when = with ] || umount -l $O/no/deep
        [ $when = with ] && fails "$when: a mount that is to stay" umount $O/stays
        [ $when = with ] && fails "$when: detached" umount -l $O/stays
        [ $when = with ] && fails "$when: moved away" mount --move $O/stays $O/yes
        [ $when = with ] && fails "$when: moved away by move_mount" mount_by take $O/stays $O/yes
        [ $when = with ] && fails "$when: by fsopen and move_mount where none is to be" mount_by made tmpfs $O/no/deep
        $no "$when: the folder above such a place is renamed" mv $O/no $O/other
        [ $when = with ] || mv $O/other $O/no
        ok "$when: a folder beside it is" mv $O/yes $O/other
        mv $O/other $O/yes
        $no "$when: a signal by its name" kill -USR1 $target
        [ $when = with ] || { sleep 1000 & target=$!; }
        ok "$when: another" kill -CONT $target
        ok "$when: one that is only watched" kill -WINCH $target
        $no "$when: another user's id" to_uid 1003
        ok "$when: the next one" to_uid 1005
        $no "$when: another group's id" to_gid 1004
        ok "$when: the next group" to_gid 1005
        $no "$when: a module from memory" $O/bin/adversary module
        $no "$when: a module from a file" $O/bin/adversary module-file $O/m.ko
        ok "$when: the same by another program, refused as no module" adversary module
        ok "$when: the same from a file" adversary module-file $O/m.ko
        $no "$when: another kernel" adversary kexec
        $no "$when: bpf()" $O/bin/adversary bpf
        ok "$when: bpf() by another program" adversary bpf
        $no "$when: a user namespace" as --reuid 1002 --clear-groups /usr/bin/unshare --user /bin/true
        ok "$when: a user namespace of the next user" as --reuid 1005 --clear-groups /usr/bin/unshare --user /bin/true
        $no "$when: another root" pivot $O/no-root
        ok "$when: another root, elsewhere" pivot $O/yes-root
        $no "$when: the node's own reads" cat $O/host
        ok "$when: in a mount namespace it is not the node's own" in_mounts cat $O/host
        ok "$when: nor in a pid namespace" in_pids cat $O/host
        ok "$when: nor in a user namespace" in_users cat $O/host
        ok "$when: but for the node's own: it" cat $O/nothost
        $no "$when: but for the node's own: in a mount namespace" in_mounts cat $O/nothost
        $no "$when: but for the node's own: in a pid namespace" in_pids cat $O/nothost
done
run lsmpull events --json
for rule in mount umount move pivot signal bpf module kexec userns setuid setgid host not-host; do
        like "$out" "\"rule\":\"$rule\"" "a denial by '$rule' is told"
done
like "$out" '"rule":"watched"|watched/watched' "what is only watched is told"
lsmpull remove rules-ops --yes >/dev/null 2>&1
ok "without the bundle: the id" to_uid 1003
ok "without the bundle: the mount" mount -t tmpfs x $O/no/deep
ok "without the bundle: the mount that stayed" umount $O/stays
done_testing
