# SPDX-License-Identifier: Apache-2.0
# Rules on a node: a file system is known wherever it is mounted, each rule is counted, events name it, and without the kernel's
# addresses everything is denied as before.
# files: tests/vm/node.sh:/test/node.sh
# needs: bpftool
# A bake attaches and detaches programs; see bake.t.
# configs: up-preempt
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
export LC_ALL=C

N=/tmp/n
PIN=/sys/fs/bpf/lsmpull/bundle/rules-node

reads() { cat "$N/$1" >/dev/null; }
# denied_as REASON FILE
denied_as() { [ -e "$N/$2" ] && ! cat "$N/$2" 2>"$T/why" >/dev/null && grep -q "$1" "$T/why"; }
no_access() { denied_as 'Permission denied' "$1"; }
no_permission() { denied_as 'not permitted' "$1"; }
# rule NAME FIELD: of the last status
rule() {
        _at=$(sed -n "s/^\(bundles\.0\.policies\.0\.rules\.[0-9]*\)\.rule=$1\$/\1/p" "$T/status")
        value "$_at.$2"
}
# remembered: how many mounts the engine has found out about and kept. Maps that were made through a token have no names.
remembered() {
        for id in $(bpftool map list | sed -n 's/^\([0-9]*\): lru_hash .*/\1/p'); do
                bpftool map dump id "$id" | grep -c '"key"'
        done
}
put() { # NAME BUNDLE
        apply "$2"
        is "$status" 0 "$1"
        [ "$status" = 0 ] || diag "$err"
}

mkdir -p $N/tree/public $N/disk $N/late $N/elsewhere $N/part
for f in tree/one tree/public/three watched more; do echo content >$N/$f; done
mount -t tmpfs disk $N/disk
mkdir $N/disk/secret
cp /bin/busybox $N/disk/busybox
for f in secret/key open; do echo content >$N/disk/$f; done
echo 1 >/proc/sys/kernel/kptr_restrict

config 'confirm: {deadline: 200s, health: 1s}'
run lsmpull doctor
like "$out" '^\+ kernel-symbols ' "doctor: the kernel's addresses are known"
put "a bundle of rules is installed" rules-node-1

# ---- counted ---------------------------------------------------------------------------------------------------------

status
before=$(rule tree denied)
ok "denied" no_access tree/one
ok "once more" no_access tree/one
ok "allowed by a rule" reads tree/public/three
ok "a policy in audit lets through" reads watched
status
is "$(rule tree denied)" $((before + 2)) "each denial is counted for its rule"
is "$(rule tree policy) $(rule tree allowed) $(rule tree would_deny)" "guarded 0 0" "of its policy, as nothing else"
is "$(rule public allowed) $(rule public denied)" "1 0" "what a rule allows"
is "$(rule watched policy) $(rule watched would_deny) $(rule watched denied)" "watched 1 0" "what audit lets through"
is "$(rule secret denied) $(rule late denied)" "0 0" "rules that nobody has met"
run lsmpull status
like "$out" "^    guarded/tree +$((before + 2)) denied\$" "the table has those that have decided"
like "$out" '^    watched/watched +1 would be$' "each with what it has"
unlike "$out" 'guarded/secret' "and no others"

# ---- named in events ----------------------------------------------------------------------------------------------------

run lsmpull events --json
like "$out" '"policy":"guarded","rule":"tree",.*"mode":"enforce"' "an event names the policy and the rule"
unlike "$out" '"policy":"rules"|"why":' "and not the engine"
like "$out" '"type":"would-deny".*"policy":"watched","rule":"watched",.*"mode":"audit"' "in audit, too"
reads watched
run lsmpull events --policy watched
like "$out" 'would deny  rules-node/watched/watched release 1 ' "for people"
unlike "$out" guarded "one policy alone"

# ---- where file systems are ------------------------------------------------------------------------------------------------

wants loader.rules.remembers true "the engine was told the kernel's addresses"
like "$(value loader.rules.file_systems)" '^([5-9]|[1-9][0-9])$' "and the node's file systems"
is "$(value loader.rules.no_room)" 0 "all of them"
isnt "$(remembered)" 0 "it remembers what it has found out"
ok "on a disk" no_permission disk/secret/key
mount --bind $N/disk $N/elsewhere
ok "the disk elsewhere" no_permission elsewhere/secret/key
ok "what is not protected there" reads elsewhere/open
mount --bind $N/disk/secret $N/part
ok "a folder of it elsewhere" no_permission part/key
mount --bind $N/tree/public $N/part
ok "of what is allowed, still allowed only where it is" reads tree/public/three
umount $N/part
ok "in a mount namespace of its own, with its own place under the old name" \
        unshare -m sh -c "mount --move $N/elsewhere $N/part && mount -t tmpfs none $N/disk && ! cat $N/part/secret/key"
ok "as the root" sh -c "! chroot $N/disk /busybox cat /secret/key"
ok "where the root shows something" chroot $N/disk /busybox cat /open

mount -t tmpfs late $N/late
mkdir $N/late/secret
echo content >$N/late/secret/key
mount --bind $N/late $N/part
ok "mounted after the policy was loaded: denied where it is" no_access late/secret/key
ok "and nowhere else" reads part/secret/key

# ---- modes ---------------------------------------------------------------------------------------------------------------

run shadow_try step 3600 1000 "$KEY" /test/bundles/rules-node-2.tar.zst
is "$status:$out" "0:baking 2 0" "the next release in the shadow of the one in force"
[ "$status" = 0 ] || diag "$err"
ok "what it alone denies" reads more
ok "what it audits" reads watched
ok "what is denied anyway" no_access tree/one
run shadow_try look rules-node
like "$out" '^baking 2 1$' "what it would deny is counted; not what it would let through"
run shadow_try end rules-node
is "$(ls $PIN)" "$(printf 'counters\ngate\nhook\nrules')" "nothing is left of it"

# In audit, and where the kernel does not show its addresses.
echo 2 >/proc/sys/kernel/kptr_restrict
config 'confirm: {deadline: 200s, health: 1s}' 'mode: audit'
run lsmpull doctor
like "$out" '^! kernel-symbols ' "doctor: addresses are not shown"
like "$out" 'sysctl kernel.kptr_restrict=1' "and what would help"
put "the next release, on a node in audit" rules-node-2
status
before=$(rule tree would_deny)
ok "nothing is denied" reads tree/one
ok "the disk that the one before had not seen" reads part/secret/key
status
is "$(rule tree denied) $(rule tree would_deny)" "0 $((before + 1))" "it is counted as what would be denied"
is "$(rule late would_deny)" 1 "the disk's, too"
is "$(value loader.rules.remembers)" false "status knows that nothing is remembered"
run lsmpull status
like "$out" '^rules +every decision is made anew' "and says so"
is "$(find $PIN/rules -mindepth 1 -maxdepth 1 | wc -l)" "$(find $PIN/counters -mindepth 1 -maxdepth 1 | wc -l)" \
        "rules are kept as long as their generation"
lsmpull remove rules-node --yes >/dev/null 2>&1
is "$(find /sys/fs/bpf/lsmpull/bundle -mindepth 1)" "" "and gone with it"
done_testing
