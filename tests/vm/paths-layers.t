# SPDX-License-Identifier: Apache-2.0
# Overlays: a file that is in a layer is what it is, on whatever it is laid. docs/path-semantics.md, "Overlays".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# needs: unshare
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

# laid LOWER: an overlay of it on mnt, with a layer of its own on top.
laid() {
        echo "mount -t tmpfs t other && mkdir other/u other/w && mount -t overlay o -o lowerdir=$1,upperdir=other/u,workdir=other/w mnt"
}

layers() {
        attack "laid over the tree" "$(laid $P/prot) && cat mnt/key"
        attack "over a folder further down" "$(laid $P/prot/deep) && cat mnt/er/key"
        attack "over a folder above" "$(laid $P) && cat mnt/prot/key"
        attack "read-only, of two" "mount -t overlay o -o lowerdir=$P/prot:$P/free mnt && cat mnt/key"
        attack "an overlay of an overlay" "mount -t overlay o -o lowerdir=$P/prot:$P/free mnt && mount -t overlay o -o lowerdir=$P/mnt:$P/free disk && cat disk/key"
        attack "as the root" "cp /bin/busybox free/ && mount -t overlay o -o lowerdir=$P/prot:$P/free mnt && chroot mnt /busybox cat /key"
        attack "a user namespace's own" "$(which unshare) -Urm sh -c 'cd $P && mount -t overlay o -o userxattr,lowerdir=$P/prot:$P/free mnt && cat mnt/key'"
        attack "by a descriptor" "$(laid $P/prot) && paths_open reopen mnt/key"
        attack "by a mount that is nowhere" "$(laid $P/prot) && paths_open tree mnt/key"
        attack "copied up, and read from the layer" "$(laid $P/prot) && echo more >>mnt/key; cat other/u/key"
        attack "copied up by a change of its mode" "$(laid $P/prot) && chmod 777 mnt/key; cat other/u/key"
        attack "as the layer on top" "mkdir disk/work; mount -t overlay o -o lowerdir=$P/free,upperdir=$P/disk/prot,workdir=$P/disk/work mnt && cat mnt/key"
        attack "writing to the layer on top" "mkdir disk/work; mount -t overlay o -o lowerdir=$P/free,upperdir=$P/disk/prot,workdir=$P/disk/work mnt && echo secret >>mnt/key && echo secret"
        attack "mounted where the rule is about it" "mkdir -p free/prot && echo secret >free/prot/key && mount -t overlay o -o lowerdir=$P/free:$P/bin late && cat late/prot/key"
        works "over what is not denied" "echo secret >free/k && $(laid $P/free) && cat mnt/k && echo more >>mnt/k && cat other/u/k"
}

modprobe overlay
mkdir -p $P/disk
mount -t tmpfs disk $P/disk
mkdir $P/disk/prot
echo secret >$P/disk/prot/key
tried layers
done_testing
