# SPDX-License-Identifier: Apache-2.0
# Rules about types of file systems on a real kernel: what is mounted, by mount(2) and by the newer calls, what is taken away and moved,
# and files by what they are on, beside others in the same folder.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

F=/tmp/f V=/tmp/f/v W=/tmp/f/w
mkdir -p $F
mount -t tmpfs -o mode=0755 kinds $F
mount --make-private $F
mkdir -p $F/bin $V/r $V/at $V/only $V/plain $W/hold/r $W/light $F/out $F/u $F/far
cp /bin/busybox $F/bin/busybox
mount -t ramfs ram $V/r
mount -t ramfs ram $W/hold/r
mount -t ramfs ram $F/out
for d in $V $V/r $V/plain $W/hold $W/hold/r $F/out $F/u; do
        echo content >$d/file
        cp /bin/busybox $d/busybox
        mkdir $d/folder
done

puts() { mount_by "$@" 2>"$T/why" || return 1; }
refused() { ! "$@" 2>"$T/why" >"$T/out" && grep -q "$why" "$T/why"; }
at() { # a mount at a place that is used again and again
        puts "$@" || return 1
        for _at in "$@"; do :; done
        umount "$_at" 2>/dev/null || true
}
unseen() { # in a mount namespace of its own: whatever becomes of it is gone
        unshare -m sh -c "$1" 2>"$T/why" >"$T/out"
}
refused_unseen() { ! unseen "$1" && grep -q "$why" "$T/why"; }
mkdir $W/nodes
mount -t ramfs ram $W/nodes
for d in $W/nodes $W/light; do mknod $d/zero c 1 5; done
mknod $W/nodes/null c 1 3

# Not the initramfs, which is no root to be moved: within a mount of it.
pivot_to() { # COMMAND that changes into the new root
        unseen "mkdir -p $F/tree && mount --rbind / $F/tree && exec chroot $F/tree sh -ec '$1 && mkdir -p old && pivot_root . old'"
}
refused_pivot_to() { ! pivot_to "$1" && grep -q "$why" "$T/why"; }
reads() { cat "$1" >/dev/null 2>"$T/why"; }
does() { "$@" >/dev/null 2>"$T/why"; }
denied() { ! does "$@" && grep -q "$why" "$T/why"; }

for when in without with after; do
        case $when in
        with)
                config 'confirm: {deadline: 200s, health: 1s}'
                apply rules-fs
                is "$status" 0 "a bundle of rules is installed"
                diag "$err"
                if_mounted=refused if_unseen=refused_unseen if_pivot=refused_pivot_to if_done=denied
                ;;
        *)
                [ $when = without ] || lsmpull remove rules-fs --yes >/dev/null 2>&1
                if_mounted=eval_it if_unseen=unseen if_pivot=pivot_to if_done=does
                ;;
        esac
        eval_it() { "$@" 2>"$T/why"; }

        why='not permitted'
        ok "$when: mount(2) of a type" $if_mounted at new ramfs $V/at
        ok "$when: anywhere" $if_mounted at new ramfs $F/far
        ok "$when: of another one" at new tmpfs $V/at
        ok "$when: of a type whose name begins the same" eval_it at new proc $V/at
        # what is behind the dot is the caller's; without the policy the type is not known to this kernel, or it wants more
        mount_by new fuse.any $F/far 2>"$T/why"
        if [ $when = with ]; then like "$(cat "$T/why")" "$why" "$when: with a name of its own behind a dot"
        else unlike "$(cat "$T/why")" "$why" "$when: with a name of its own behind a dot"; fi
        ok "$when: fsopen, move_mount" $if_mounted at made ramfs $V/at
        ok "$when: of another type" at made tmpfs $V/at
        ok "$when: other flags for it" $if_mounted mount_by remount $V/r
        ok "$when: for its mount" $if_mounted mount_by reflag $V/r
        ok "$when: who is told" $if_mounted mount_by private $V/r
        ok "$when: other flags for another" eval_it mount_by remount $F
        ok "$when: a bind mount is of no type" unseen "mount_by bind $F/out $V/at"
        ok "$when: but a copy by open_tree is" $if_unseen "mount_by clone $F/out $V/at"
        ok "$when: of another type" unseen "mount_by clone $F/u $V/at"
        ok "$when: where only one type may be" at new tmpfs $V/only
        ok "$when: not another one" $if_mounted at new proc $V/only
        ok "$when: nor what is mounted already" $if_unseen "mount_by bind $F/u $V/only"

        ok "$when: taken away" $if_unseen "umount $V/r"
        ok "$when: with all below" $if_unseen "umount -l $V/r"
        ok "$when: another one" unseen "mount_by new tmpfs $V/at && umount $V/at"
        ok "$when: with all below that" unseen "mount_by new tmpfs $V/at && umount -l $V/at"
        ok "$when: moved" $if_unseen "mount_by take $V/r $F/far"
        ok "$when: another one" unseen "mount_by new tmpfs $F/far && mount_by take $F/far $V/at"
        ok "$when: moved by a text, it may be any" $if_unseen "mount_by new tmpfs $F/far && mount_by move $F/far $F/u/folder"
        ok "$when: as the root" $if_pivot "cd $F/out"
        ok "$when: another root" pivot_to "mount_by new tmpfs $V/at && cd $V/at"

        why='Permission denied'
        ok "$when: a file on it" $if_done cat $V/r/file
        ok "$when: beside it, on another" reads $V/file
        ok "$when: elsewhere" reads $F/out/file
        ok "$when: mounted elsewhere, it is still there" $if_unseen "mount_by bind $V/r $F/far && cat $F/far/file"
        ok "$when: what is mounted where it is" $if_unseen "mount_by bind $F/out $V/at && cat $V/at/file"
        ok "$when: of another type" unseen "mount_by bind $F/u $V/at && cat $V/at/file"
        ok "$when: by a program that is let off" $F/bin/busybox cat $V/r/file
        ok "$when: a program on it" $if_done $V/r/busybox true
        ok "$when: beside it" does $V/busybox true
        name=$(cat /proc/sys/kernel/domainname)
        ok "$when: a file of proc is written" $if_done sh -c "echo '$name' >/proc/sys/kernel/domainname"

        xattr_by set $V/r/file 2>"$T/why" # ramfs has no attributes
        if [ $when = with ]; then like "$(cat "$T/why")" "$why" "$when: an attribute"
        else unlike "$(cat "$T/why")" "$why" "$when: an attribute"; fi
        for c in 'touch @/new' 'mkdir @/new' 'mkfifo @/new' 'ln -s x @/new' 'ln @/file @/new' 'mv @/file @/new' 'mv @/folder @/new' \
                'chmod 0640 @/file' 'chown 1:1 @/file' 'truncate_by path @/file' 'rm @/file' 'rmdir @/folder'; do
                for d in $V/r $V/plain; do
                        expect=$if_done
                        # of a folder that is moved nobody looks for what is mounted in it
                        [ $d = $V/r ] || [ "$c" = 'mv @/folder @/new' ] || expect=does
                        # shellcheck disable=SC2046 # its words
                        ok "$when: $(echo "$c" | sed "s,@,${d#"$F"},g")" $expect $(echo "$c" | sed "s,@,$d,g")
                        [ $when:$expect != with:denied ] || continue
                        rm -rf $d/new
                        mkdir -p $d/folder
                        echo content >$d/file
                done
        done
        ok "$when: a device on it" $if_done head -c 1 $W/nodes/zero
        ok "$when: made there" $if_done mknod $W/nodes/new c 1 5
        rm -f $W/nodes/new
        ok "$when: on another" does head -c 1 $W/light/zero
        ok "$when: another device on it" does head -c 0 $W/nodes/null
        ok "$when: by a child of what is let off" $F/bin/busybox sh -c "/bin/busybox head -c 1 $W/nodes/zero >/dev/null; :"
        ok "$when: a folder with it further down is moved" $if_done mv $W/hold $W/held
        [ $when = with ] || mv $W/held $W/hold
        ok "$when: one with none" does mv $W/light $W/dark
        mv $W/dark $W/light
        ok "$when: a file beside it" does mv $W/hold/file $W/light/file
        mv $W/light/file $W/hold/file
        [ $when = with ] || continue

        run lsmpull events --json
        for rule in brought rest away moved root opened written names held nodes; do like "$out" "\"rule\":\"$rule\"" "a denial by '$rule' is told"; done
        unlike "$out" '"rule":"only"' "and nothing that is allowed"
done
done_testing
