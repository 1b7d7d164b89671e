# SPDX-License-Identifier: Apache-2.0
# What no rule had anything to say about is remembered. Here the same is asked again and again, and each time one thing is another than
# before, of those that rules ask for: what holds for the one never holds for the other, in either order.
# files: tests/vm/node.sh:/test/node.sh
# needs: setpriv unshare
# timeout: 300
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

A=/tmp/a
mkdir -p $A/bin $A/type $A/free $A/quiet $A/loud
cp /bin/busybox $A/bin/busybox
cp /bin/busybox $A/bin/cat
for f in free/in loud/in comm uid gid exe parent owner host slice writes let-by never; do echo content >$A/$f; done
mkdir /dev/again # not where nodev is
mknod -m 0666 /dev/again/null c 1 3
mknod -m 0666 /dev/again/zero c 1 5
mkdir /sys/fs/cgroup/again.slice
chmod -R a+rX $A

# In turns, three times: COMMAND is let through, COMMAND is not, for EACCES or EPERM.
through() {
        name=$1
        shift
        ok "$name" "$@"
}
refused() {
        name=$1
        shift
        run "$@"
        like "$status $err" '^[1-9].*(Permission denied|Operation not permitted)' "$name"
}

reads() { cat "$A/$1" >/dev/null; }
as() { # UID GID FILE
        /usr/bin/setpriv --reuid "$1" --regid "$2" --clear-groups cat "$A/$3"
}
# By one task, which takes one name after the other: "." for each read that was let through, "x" for others.
by_names() { # FILE NAME...
        cat >$T/by_names <<'SH'
f=$1
shift
for name; do
        printf %s "$name" >/proc/$$/comm
        if (exec <"$f") 2>/dev/null; then printf .; else printf x; fi
done
SH
        sh $T/by_names "$@"
}
in_slice() { # FILE
        sh -c 'echo $$ >/sys/fs/cgroup/again.slice/cgroup.procs; exec cat "$1"' sh "$A/$1"
}
renices() { # GID: CAP_SYS_NICE is asked for
        /usr/bin/setpriv --regid "$1" --clear-groups renice -n -1 -p $$
}
counted() { # RULE WHICH
        status
        value "$(sed -n "s/^\(.*rules\.[0-9]*\.\)rule=$1\$/\1/p" $T/status)$2"
}

config 'confirm: {deadline: 200s, health: 1s}'
apply rules-again
is "$status" 0 "a bundle of rules is installed"
diag "$err"
mount -t ramfs ramfs $A/type
echo content >$A/type/file
mkdir $A/type.other
cat $A/comm >$T/null 2>&1

is "$(by_names $A/comm let-off-by-n somebody let-off-by-n else let-off-by let-off-by-n let-off-by-not let-off-by-n let-off-by-m let-off-by-n bad-off-by-n)" .x.xx.x.x.x "one task under one name after the other"
for turn in 1 2 3; do
        through "$turn: one user" as 1001 1002 uid
        refused "$turn: another user" as 1002 1002 uid
        through "$turn: one group" as 1002 1001 gid
        refused "$turn: another group" as 1002 1002 gid
        through "$turn: one program" $A/bin/cat $A/exe
        refused "$turn: another program" cat $A/exe
        through "$turn: the child of one program" $A/bin/busybox sh -c "/bin/cat $A/parent; :"
        refused "$turn: the child of another" sh -c "/bin/cat $A/parent; s=\$?; exit \$s"
        chown 0 $A/owner
        through "$turn: its owner" reads owner
        chown 1001 $A/owner
        refused "$turn: it belongs to somebody else now" reads owner
        through "$turn: on the node" reads host
        refused "$turn: the same program in a namespace of its own" unshare -m cat $A/host
        through "$turn: outside of a policy's scope" reads slice
        refused "$turn: within it" in_slice slice
        through "$turn: outside of it again" reads slice
        mount --bind $A/free $A/quiet
        through "$turn: what no rule names, seen where one has nothing to say" reads quiet/in
        umount $A/quiet
        mount --bind $A/loud $A/quiet
        refused "$turn: seen there, what is denied where it is" reads quiet/in
        umount $A/quiet
        mount --bind $A/free $A/loud
        refused "$turn: what no rule names, seen where all is denied" reads loud/in
        umount $A/loud
        through "$turn: another device" head -c 1 /dev/again/zero
        refused "$turn: a device" head -c 1 /dev/again/null
        through "$turn: opened to be read" sh -c "exec <$A/writes"
        refused "$turn: opened to be written" sh -c "exec >>$A/writes"
        through "$turn: opened to be read again" sh -c "exec <$A/writes"
        through "$turn: a capability of one group" renices 1001
        refused "$turn: of another" renices 1002
        refused "$turn: what is mounted there is of one type" reads type/file
        umount $A/type
        mount -t tmpfs tmpfs $A/type
        echo content >$A/type/file
        through "$turn: and is of another now" reads type/file
        umount $A/type
        mount -t ramfs ramfs $A/type
        echo content >$A/type/file
        refused "$turn: and of the first again" reads type/file
done

# What a rule has to say is told and counted each time.
before=$(counted watched would_deny) let_by=$(counted let-by allowed)
is "$before $let_by" "0 0" "nothing was said of it yet"
is "$(by_names $A/let-by somebody let-off-by-n somebody let-off-by-n let-off-by-m)" ..... "a policy in audit lets through"
is "$(counted watched would_deny)" 3 "each time that it would not have is counted"
for turn in 1 2 3 4; do as 1001 1001 let-by >/dev/null; done
is "$(counted let-by allowed)" 4 "and each time that a rule allowed it"
is "$(counted watched would_deny)" 3 "which is none of those"

lsmpull remove rules-again --yes >/dev/null 2>&1
ok "without the rules: nothing is remembered" in_slice slice
done_testing
