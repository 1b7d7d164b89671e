# SPDX-License-Identifier: Apache-2.0
# Rules in YAML on a real kernel: which paths, tasks and policies they are about, and the ways around them that are none.
# files: tests/vm/node.sh:/test/node.sh
# needs: setpriv
# timeout: 300
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

R=/tmp/r
mkdir -p $R/still/in $R/still/beside $R/tree/deep/er $R/tree/public $R/letters $R/a/b $R/bin $R/out
for f in still/in/there exact readable catonly users named watched other tree/one tree/deep/er/two tree/public/three a/b/x.key a/x.keys \
        letters/b1 letters/d1 letters/b letters/b12; do
        echo content >$R/$f
done
cp /bin/busybox $R/bin/busybox
chmod 1777 /tmp
chmod 0755 $R
chmod -R a+rX $R

reads() { cat "$R/$1" >/dev/null; }
denied_here() { # FILE: for EACCES, and not for want of the file
        [ -e "$R/$1" ] && ! cat "$R/$1" 2>"$T/why" >/dev/null && grep -q 'Permission denied' "$T/why"
}
as_user() { /usr/bin/setpriv --reuid "$1" --regid "$1" --clear-groups cat "$2"; }

config 'confirm: {deadline: 200s, health: 1s}'
apply rules-files
is "$status" 0 "a bundle of rules is installed"
diag "$err"

# ---- which paths -----------------------------------------------------------------------------------------------------

ok "an exact path" denied_here exact
ok "what its name begins like is not meant" reads other
ok "a tree: a file in it" denied_here tree/one
ok "a tree: further down" denied_here tree/deep/er/two
ok "a tree within, that is allowed" reads tree/public/three
ok "a glob over folders" denied_here a/b/x.key
ok "what only begins so is not meant" reads a/x.keys
ok "brackets and a question mark" denied_here letters/b1
ok "another letter" reads letters/d1
ok "a letter less" reads letters/b
ok "a letter more" reads letters/b12
ok "only writing: reading is allowed" reads readable
run sh -c "echo more >>$R/readable"
like "$err" 'Operation not permitted' "only writing: writing is denied, with the errno of the rule"

# ---- what is remembered --------------------------------------------------------------------------------------------------

# More files than there is room for: each place has been taken by another one since. Those that are denied are among them.
mkdir $R/many
(cd $R/many && seq 20000 | xargs touch)
for turn in first second; do
        ok "more files than are remembered: all are read, $turn time" sh -c "cd $R/many && cat * >/dev/null"
        for f in exact tree/one tree/deep/er/two a/b/x.key letters/b1; do ok "and then, the $turn time: $f" denied_here $f; done
        for f in other tree/public/three letters/b; do ok "and then, the $turn time: $f is read" reads $f; done
done
rm -r $R/many

# ---- which tasks -------------------------------------------------------------------------------------------------------

ok "all programs but one: another" denied_here catonly
ok "all programs but one: that one" $R/bin/busybox cat $R/catonly
ok "all users but two: root" denied_here users
ok "all users but two: one of them" as_user 1001 $R/users
fails "all users but two: somebody else" as_user 1002 $R/users
printf '#!/bin/sh\nexec 3<%s/named\n' $R >$R/badname
chmod 0755 $R/badname
fails "a task's name" $R/badname
ok "under another name" reads named

# ---- what comes of it --------------------------------------------------------------------------------------------------

ok "a policy in audit lets through" reads watched
run lsmpull events --json
like "$out" '"why":"credentials/exact"|"rule":"exact"' "a denial tells its rule"
like "$out" '"mode":"audit".*watched' "what would have been denied is told, too"

# ---- ways around -------------------------------------------------------------------------------------------------------

ln -s $R/exact $R/out/link
ok "a symbolic link" denied_here out/link
ok "dots" denied_here out/../exact
ok "a folder of the process" sh -c "cd $R/tree && ! cat one"
fails "a hard link is not made" ln $R/exact $R/out/hard
fails "nor one of what is in a tree" ln $R/tree/one $R/out/hard
ok "of what is allowed there, it is" ln $R/other $R/out/other
fails "a rename out" mv $R/exact $R/out/exact
fails "of a file of a tree" mv $R/tree/one $R/out/one
fails "of a folder above" mv $R/tree $R/out/tree
fails "of a folder in it" mv $R/tree/deep $R/out/deep
ok "within the tree" mv $R/tree/one $R/tree/uno
ok "and stays denied" denied_here tree/uno
ok "of what is allowed" mv $R/out/other $R/out/moved
fails "what is not to be made is not" touch $R/still/in/f
fails "nor while its folder is elsewhere" sh -c "mv $R/still/in $R/out/in && touch $R/out/in/f && mv $R/out/in $R/still/in"
fails "nor one further up" sh -c "mv $R/still $R/out/still && mkdir $R/out/still/in/d && mv $R/out/still $R/still"
fails "nor by exchanging it" paths_name exchange $R/still $R/out
ok "that of others is free" mv $R/still/beside $R/still/aside
ok "a file below it as well, where nothing denies that" sh -c "mv $R/still/in/there $R/out/there && mv $R/out/there $R/still/there"
mkdir -p $R/mnt
mount --bind $R/tree $R/mnt
ok "a bind mount elsewhere" denied_here mnt/deep/er/two
umount $R/mnt
ok "another root" sh -c "! chroot $R /bin/busybox cat /tree/deep/er/two"
ok "a new file is denied from the start" sh -c "mkdir $R/tree/new && echo x >$R/tree/new/f && ! cat $R/tree/new/f"

# ---- a path that cannot be followed to its end ------------------------------------------------------------------------------

errors() { status && sed -n 's/.*\.policies\.[0-9]*\.errors=//p' $T/status | awk '{ n += $1 } END { printf "%d", n }'; }
is "$(errors)" 0 "until here every path could be followed"
deep=tree/$(printf 'd/%.0s' $(seq 70))
mkdir -p "$R/$deep" && echo content >"$R/${deep}file"
ok "70 folders down" denied_here "${deep}file"
ok "which is counted" test "$(errors)" -gt 0
for kind in strict lax; do
        far=/tmp/r-$kind/$(printf 'd/%.0s' $(seq 70))
        mkdir -p "$far" && echo content >"${far}x" && echo content >/tmp/r-$kind/d/near.key
        fails "$kind: what the rule is about is denied" cat /tmp/r-$kind/d/near.key
        fails "$kind: a folder that it is in stays where it is" mv /tmp/r-$kind/d /tmp/r-$kind-moved
done
fails "70 folders down, where what is not sure is denied" cat "/tmp/r-strict/${far#/tmp/r-lax/}x"
before=$(errors)
ok "and where it is let through" sh -c "echo content >'${far}y' && cat '${far}y'"
ok "which is counted as well" test "$(errors)" -gt "$before"
ok "where no rule can be about it, it is readable" sh -c "mkdir -p /tmp/far/$deep && echo x >/tmp/far/${deep}file && cat /tmp/far/${deep}file"

lsmpull remove rules-files --yes >/dev/null 2>&1
ok "without the bundle all is readable" reads tree/deep/er/two
ok "and a folder can be away for a while" sh -c "mv $R/still/in $R/out/in && touch $R/out/in/f && mv $R/out/in $R/still/in"
ok "or one further up" sh -c "mv $R/still $R/out/still && mkdir $R/out/still/in/d && mv $R/out/still $R/still"
ok "or exchanged" paths_name exchange $R/still $R/out
done_testing
