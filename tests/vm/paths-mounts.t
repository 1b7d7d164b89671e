# SPDX-License-Identifier: Apache-2.0
# Mounts, roots and namespaces: a process may change what it sees, not what a file is. docs/path-semantics.md, "Mounts".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# needs: unshare
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

binds() {
        attack "a bind mount of the folder" 'mount --bind prot mnt && cat mnt/key'
        attack "of a folder further down" 'mount --bind prot/deep/er mnt && cat mnt/key'
        attack "of the file" 'touch free/k && mount --bind prot/key free/k && cat free/k'
        attack "of what is named alone" 'touch free/k && mount --bind file free/k && cat free/k'
        attack "of a folder above" 'mount --bind /tmp mnt && cat mnt/p/prot/key'
        attack "of the root" 'mount --rbind / mnt && cat mnt/tmp/p/prot/key'
        attack "of a bind mount" 'mount --bind prot mnt && mount --bind mnt/deep other && cat other/er/key'
        attack "of what a glob means" 'mount --bind globs/a/deep mnt && cat mnt/er/key'
        attack "read there before" 'mount --bind prot mnt && ! cat mnt/key 2>/dev/null; cat mnt/key'
        attack "something mounted over the tree" 'mount --bind prot mnt && mount -t tmpfs none prot && cat mnt/key'
        attack "over a folder above" 'mount --bind prot mnt && mkdir -p /run/aside && mount --rbind mnt /run/aside && mount -t tmpfs none /tmp && cat /run/aside/key'
        attack "moved" 'mount --bind prot mnt && mount --make-private mnt && mount --move mnt other && cat other/deep/er/key'
        attack "read-only" 'mount --bind prot mnt && mount -o remount,bind,ro mnt && cat mnt/key'
        attack "propagated to where others are" 'mount --bind mnt mnt && mount --make-shared mnt && mkdir mnt/in; mount --bind prot mnt/in; unshare -m --propagation slave cat /tmp/p/mnt/in/key; r=$?; umount mnt/in; rmdir mnt/in; exit $r'
        attack "writing through a bind mount" 'mount --bind prot mnt && echo more >mnt/key && echo secret'
        works "a bind mount of another folder" 'echo secret >free/k && mount --bind free mnt && cat mnt/k'
        attack "another folder mounted over the tree: its name is denied, too" 'echo secret >free/key && mount --bind free prot && cat prot/key'
}

api() {
        attack "a mount that is nowhere (open_tree)" 'paths_open tree prot/key'
        attack "one of a folder further down" 'paths_open tree prot/deep/er/key'
        attack "moved to where something leads (move_mount)" 'paths_open moved prot/key mnt'
        attack "a mount given up, and still open" "mount --bind prot mnt && cd mnt && umount -l /tmp/p/mnt && cat key"
}

roots() {
        export BB=/bin/busybox
        attack "chroot to a folder above" "mkdir -p bin && cp /bin/busybox bin/ && chroot $P /bin/busybox cat /prot/key"
        attack "chroot to the tree" 'cp /bin/busybox prot/ && touch free/k; mkdir -p free/b && cp /bin/busybox free/b && mount --bind free/b prot/deep/er && chroot prot /deep/er/busybox cat /key'
        attack "chroot to the file's folder" 'mkdir prot/deep/er/b && cp /bin/busybox free/ && mount --bind free prot/deep/er/b && chroot prot/deep/er /b/busybox cat /key'
        attack "chroot to a bind mount of it" 'mkdir prot/b && cp /bin/busybox free/ && mount --bind prot mnt && mount --bind free mnt/b && chroot mnt /b/busybox cat /key'
        attack "pivot_root" "mount -t tmpfs new mnt && mkdir mnt/bin mnt/new mnt/x && cp /bin/busybox mnt/bin && mount --bind prot mnt/x && chroot mnt /bin/busybox sh -c '\$BB mount -t tmpfs n /new && \$BB mkdir /new/bin /new/old && \$BB cp \$BB /new/bin && cd /new && \$BB pivot_root . old && \$BB cat /old/x/key'"
        attack "outside of one's root, by an open folder" 'cp /bin/busybox free/ && exec 3<prot && chroot free /busybox cat /proc/self/fd/3/key 2>/dev/null; cp /bin/busybox free/; mkdir free/proc && mount -t proc proc free/proc && exec 3<prot && chroot free /busybox cat /proc/self/fd/3/key'
        attack "another user namespace, its root" "$(which unshare) -Urm cat $P/prot/key"
        attack "mounts of that root" "$(which unshare) -Urm sh -c 'mount --rbind $P/prot $P/mnt && cat $P/mnt/key'"
        attack "another process's root" 'mkdir free/b && cp /bin/busybox free/b/sleep && mount --bind /tmp mnt && chroot mnt /p/free/b/sleep 100 & sleep 1; cat /proc/$!/root/p/prot/key; r=$?; kill $!; exit $r'
        attack "/proc/PID/root" 'sleep 100 & cat /proc/$!/root/tmp/p/prot/key; r=$?; kill $!; exit $r'
        attack "/proc/PID/cwd" 'cd prot/deep; sleep 100 & cd /; cat /proc/$!/cwd/er/key; r=$?; kill $!; exit $r'
        attack "/proc/PID/fd" 'sleep 100 3<prot & sleep 0.2; cat /proc/$!/fd/3/key; r=$?; kill $!; exit $r'
        attack "the root of a process with mounts of its own" 'unshare -m sh -c "mount --bind prot mnt; exec sleep 100" & sleep 0.5; cat /proc/$!/root/tmp/p/mnt/key; r=$?; kill $!; exit $r'
        attack "entered from another mount namespace" 'mount --bind prot mnt; nsenter --mount=/proc/1/ns/mnt cat /tmp/p/prot/key'
}

# A file system of its own, which the node knows from before.
on_disk() {
        attack "a disk, where it is" 'cat disk/prot/key'
        attack "mounted elsewhere" 'mount --bind disk mnt && cat mnt/prot/key'
        attack "a folder of it" 'mount --bind disk/prot mnt && cat mnt/key'
        attack "moved" "mount --move $P/disk $P/mnt && cat mnt/prot/key"
        attack "elsewhere, and something else where it was" "mount --bind disk mnt && mount -t tmpfs none disk && cat mnt/prot/key"
        attack "elsewhere, and unmounted where it was" 'mount --bind disk mnt && umount disk && cat mnt/prot/key'
        attack "unmounted, and a folder of it open" 'cd disk && umount -l /tmp/p/disk && cat prot/key'
        attack "a folder of it open, unmounted" 'cd disk/prot && umount -l /tmp/p/disk && cat key'
        attack "as the root" "cp /bin/busybox disk/ && chroot disk /busybox cat /prot/key"
        attack "a mount that is nowhere" 'paths_open tree disk/prot/key'
        attack "renamed within it" 'mkdir -p disk/free; rm -f disk/free/k; mv disk/prot/key disk/free/k && cat disk/free/k; r=$?; mv disk/free/k disk/prot/key 2>/dev/null; exit $r'
        attack "renamed where it is mounted else" 'mkdir -p disk/free; mount --bind disk mnt; mv mnt/prot/key mnt/free/k && cat mnt/free/k; r=$?; mv mnt/free/k mnt/prot/key 2>/dev/null; exit $r'
}

mkdir -p $P/disk
mount -t tmpfs disk $P/disk
mkdir $P/disk/prot
echo secret >$P/disk/prot/key
all() { binds; api; roots; on_disk; }
tried all
done_testing
