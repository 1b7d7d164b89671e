# SPDX-License-Identifier: Apache-2.0
# What is moved into a protected folder and out of it all the time is never opened while it is inside, and never denied while it is
# outside. docs/path-semantics.md, "Renames beside opens".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# configs: smp up-preempt
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 900
# timeout-long: 3600
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

SECONDS_EACH=8
[ "$LONG" != 1 ] || SECONDS_EACH=300

# race NAME WAY FILE OUTSIDE INSIDE
race() {
        rm -f $T/shared
        : >$T/shared
        paths_race try $T/shared "$2" "$3" $SECONDS_EACH >$T/race 2>&1 &
        _try=$!
        sleep 1
        $P/bin/mover move $T/shared "$4" "$5" 2>$T/moved &
        _move=$!
        wait $_try
        _r=$?
        kill $_move 2>/dev/null
        wait $_move
        if [ "$phase" = control ]; then
                is $_r 1 "without the rule: $1: $(cat $T/race $T/moved)"
        else
                is $_r 0 "$1: $(cat $T/race $T/moved)"
        fi
}

races() {
        tree_make
        cp /test/progs/paths_race $P/bin/mover
        mkdir -p $P/free/x/y $P/disk/free/x/y
        for f in free/x/y/key free/k disk/free/x/y/key; do echo secret >$P/$f; done
        race "a folder above moves" folder $P/free/x/y/key $P/free/x $P/prot/x
        race "a folder above moves, seen through another mount" folder $P/mnt/p/free/x/y/key $P/free/x $P/prot/x
        race "the file moves" file $P/free/k $P/free/k $P/prot/k
        race "a folder above moves, opened by handle" handle $P/disk/free/x/y/key $P/disk/free/x $P/disk/prot/x
}

mkdir -p $P/mnt $P/disk
mount -t tmpfs disk $P/disk
mkdir $P/disk/prot
mount --bind /tmp $P/mnt
tried races
done_testing
