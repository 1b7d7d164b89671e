# SPDX-License-Identifier: Apache-2.0
# file.setxattr: attributes and access lists stay as they are, whatever changes them, on kernels that ask about the lists as
# attributes and on those with hooks of their own for them.
# files: tests/vm/node.sh:/test/node.sh
# needs: mount umount
# timeout: 300
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

X=/tmp/x
mkdir -p $X/fs $X/bound $X/elsewhere $X/over
mount -t tmpfs attributes $X/fs
mkdir -p $X/fs/kept $X/fs/free $X/fs/seen $X/fs/other $X/fs/work
for f in kept/file free/file seen/file other/file watched free/mine other/mine; do
        echo content >$X/fs/$f
done
deep=$X/fs/free
for _ in $(seq 80); do
        deep=$deep/n
        mkdir $deep
done
echo content >$deep/key
echo content >$deep/file
chown 1001 $X/fs/*/mine
mount --bind $X/fs/kept $X/elsewhere
mount --bind $X/fs/other $X/bound
modprobe overlay
mount -t overlay over -o lowerdir=$X/fs/free,upperdir=$X/fs/kept,workdir=$X/fs/work $X/over
chmod -R a+rX /tmp $X

refused() { # WAY FILE...: for want of permission, and nothing else
        xattr_by "$@" 2>"$T/why" && return 1
        grep -q 'Permission denied' "$T/why"
}

for when in without with; do
        if [ $when = with ]; then
                config 'confirm: {deadline: 200s, health: 1s}'
                apply rules-xattr
                is "$status" 0 "a bundle of rules is installed"
                diag "$err"
                no=refused
                # There is something to be removed.
                xattr_by set $X/fs/free/file
        else
                no=xattr_by
        fi
        for way in set descriptor remove acl remove-acl; do
                [ $when = with ] || [ $way != remove ] || xattr_by set $X/fs/kept/file
                ok "$when: $way" $no $way $X/fs/kept/file
                ok "$when: $way, a file beside it" xattr_by $way $X/fs/free/file
        done
        ok "$when: the folder" $no set $X/fs/kept
        ok "$when: by another mount" $no set $X/elsewhere/file
        ok "$when: as the layer of an overlay" $no set $X/over/file
        ok "$when: by another mount, which a rule names: the file is where it is" xattr_by set $X/bound/file
        ok "$when: 80 folders deep" $no set $deep/key
        ok "$when: so deep, whatever it is called: it may be what a rule names" $no set $deep/file
        ok "$when: with another root" $no root $X/fs set /kept/file
        ok "$when: what a rule names as it is seen there" $no root $X/fs set /seen/file
        ok "$when: which is not what it is here" xattr_by set $X/fs/seen/file
        ok "$when: what is only watched" xattr_by set $X/fs/watched
        ok "$when: a user who may nowhere" $no user 1001 acl $X/fs/other/mine
        ok "$when: but here" xattr_by user 1001 acl $X/fs/free/mine
        ok "$when: another user" xattr_by acl $X/fs/other/mine
        [ $when = with ] || xattr_by set $X/fs/kept/file
done

status
absent=$(sed -n 's/^bundles\.0\.policies\.0\.hooks_absent\.[0-9]*=//p' "$T/status" | sort | tr '\n' ' ')
if grep -qw bpf_lsm_inode_set_acl /proc/kallsyms; then
        is "$absent" "" "the kernel has hooks for access lists, and nothing is left out"
else
        is "$absent" "inode_remove_acl inode_set_acl " "the kernel has none for access lists: left out, and status says so"
fi
is "$(value 'bundles\.0\.state')" enforcing "and nothing is missing"
run lsmpull events --json
for rule in kept rooted deep nowhere; do
        like "$out" "\"rule\":\"$rule\"" "a denial by '$rule' is told"
done
like "$out" '"rule":"watched"' "what is only watched is told"
unlike "$out" '"rule":"bound"' "nothing by the rule about another mount"
fails "a name under which they could be changed" mv $X/fs/kept/file $X/fs/free/moved
lsmpull remove rules-xattr --yes >/dev/null 2>&1
ok "without the bundle: such a name" mv $X/fs/kept/file $X/fs/free/moved
mv $X/fs/free/moved $X/fs/kept/file
ok "without the bundle" xattr_by remove $X/fs/kept/file
done_testing
