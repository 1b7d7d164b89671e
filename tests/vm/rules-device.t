# SPDX-License-Identifier: Apache-2.0
# Rules about devices on a real kernel: nodes that are made, opened, named and moved, by their kind and number, and others beside them.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 400
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

V=/tmp/d/v
# Nodes in /tmp may not be opened.
mkdir -p /tmp/d
mount -t tmpfs -o mode=0755 nodes /tmp/d
mkdir -p $V/only $V/bin $V/hidden/below $V/plain /tmp/d/u
cp /bin/busybox $V/bin/busybox
nodes() { # anew, as the rules let nobody take some away: from where no rule is about them
        rm -rf /tmp/d/u/new && mkdir /tmp/d/u/new
        mknod /tmp/d/u/new/zero c 1 5 && mknod /tmp/d/u/new/full c 1 7 && mknod /tmp/d/u/new/null c 1 3
}
nodes
cp -a /tmp/d/u/new/. $V/
mknod $V/hidden/below/random c 1 8
mknod $V/plain/null c 1 3
echo content >$V/file
chmod 0666 $V/file $V/zero $V/full $V/null

# made KIND MAJOR MINOR [PATH]: made, what it is to be, and taken away again
made() {
        _at=${4:-$V/new}
        rm -f "$_at"
        # shellcheck disable=SC2086 # nothing, for a FIFO
        mknod "$_at" "$1" $2 $3 2>"$T/why" || return 1
        [ "$1" = p ] || [ "$(stat -c '%t:%T' "$_at")" = "$(printf '%x:%x' "$2" "$3")" ] || echo "other numbers" >"$T/why"
        rm -f "$_at"
}
not_made() { ! made "$@" && grep -q 'Permission denied' "$T/why"; }
reads() { head -c 1 "$1" >/dev/null 2>"$T/why"; }
not_read() { ! reads "$1" && grep -q 'Permission denied' "$T/why"; }
writes() { (echo x >>"$1") 2>"$T/why"; }
not_written() { ! writes "$1" && grep -q 'Permission denied' "$T/why"; }
refused() { ! "$@" 2>"$T/why" && grep -q 'Permission denied' "$T/why"; }

for when in without with after; do
        case $when in
        with)
                config 'confirm: {deadline: 200s, health: 1s}'
                apply rules-device
                is "$status" 0 "a bundle of rules is installed"
                diag "$err"
                made=not_made read=not_read written=not_written does=refused
                ;;
        after)
                lsmpull remove rules-device --yes >/dev/null 2>&1
                made=made read=reads written=writes does=ok_so
                ;;
        *) made=made read=reads written=writes does=ok_so ;;
        esac
        ok_so() { "$@" 2>"$T/why"; }

        ok "$when: a block device" $made b 7 0
        ok "$when: of a number that is denied for the other kind" $made b 1 3
        ok "$when: a character device of a major number" $made c 1 9
        ok "$when: with more than 8 bits of the minor one" $made c 1 4711
        ok "$when: a minor number above 255" $made c 250 256
        ok "$when: the same without its upper bits" made c 250 0
        ok "$when: the next one" made c 250 257
        ok "$when: of either kind: a character device" $made c 10 5
        ok "$when: the next one of those" made c 10 6
        ok "$when: another major number" made c 2 9
        ok "$when: one that has the same lowest bits: 257" made c 257 3
        ok "$when: and 513, which no driver has" made c 513 3
        ok "$when: 511, which some may have" made c 511 3
        ok "$when: a FIFO" made p
        ok "$when: elsewhere" made b 7 0 /tmp/d/u/else
        ok "$when: by a longer path: what a rule allows" made c 5 7 $V/only/this
        ok "$when: but nothing else" $made c 5 8 $V/only/this
        ok "$when: and that nowhere else" $made c 5 7 $V/only/that
        ok "$when: not even a FIFO" $made p '' '' $V/only/fifo

        ok "$when: a device is read" $read $V/zero
        ok "$when: wherever its node is" $read /tmp/d/u/new/zero
        ok "$when: written" $written $V/zero
        ok "$when: by a program that is let off" sh -c "$V/bin/busybox head -c 1 $V/zero >/dev/null"
        ok "$when: another device is read" reads $V/null
        ok "$when: and written" writes $V/null
        ok "$when: so is a file" reads $V/file
        ok "$when: in a folder: the device" $read $V/hidden/below/random
        echo content >$V/hidden/below/file
        ok "$when: in a folder: a file" reads $V/hidden/below/file

        ok "$when: its mode" $does chmod 0600 $V/full
        ok "$when: its owner" $does chown 1:1 $V/full
        ok "$when: one more name" $does ln $V/full $V/full2
        rm -f $V/full2 2>/dev/null
        ok "$when: another name" $does mv $V/full $V/plain/full
        [ $when = with ] || mv $V/plain/full $V/full
        ok "$when: another node is put in its place" $does mv $V/null $V/full
        [ $when = with ] || { rm -rf $V/full $V/null && nodes && cp -a /tmp/d/u/new/full /tmp/d/u/new/null $V/; }
        ok "$when: another node's mode" ok_so chmod 0666 $V/null
        ok "$when: another node's name" ok_so mv $V/null $V/null2
        ok "$when: and back" ok_so mv $V/null2 $V/null
        ok "$when: a node of the folder moves to where no rule is" $does mv $V/hidden/below/random /tmp/d/u/random
        [ $when = with ] || mv /tmp/d/u/random $V/hidden/below/random
        ok "$when: a file beside it" ok_so mv $V/hidden/below/file /tmp/d/u/file
        ok "$when: a folder that may have such nodes" $does mv $V/hidden/below /tmp/d/u/below
        [ $when = with ] || mv /tmp/d/u/below $V/hidden/below
        ok "$when: to where they are named" $does mv /tmp/d/u/new $V/new
        [ $when = with ] || mv $V/new /tmp/d/u/new
        ok "$when: where they are not" ok_so mv /tmp/d/u/new /tmp/d/u/old
        rm -rf /tmp/d/u/old && nodes
        ok "$when: it is taken away" $does rm -f $V/full
        [ $when = with ] || mknod $V/full c 1 7
        [ $when = with ] || continue

        run lsmpull events --json
        for rule in made rest opened named hidden; do like "$out" "\"rule\":\"$rule\"" "a denial by '$rule' is told"; done
        unlike "$out" '"rule":"sole"' "and nothing that is allowed"
done
done_testing
