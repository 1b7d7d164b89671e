# SPDX-License-Identifier: Apache-2.0
# The agent follows the node's mounts: what is mounted after a policy was loaded is known wherever it is mounted besides, and what was
# known stays so. docs/path-semantics.md, "File systems that come and go".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

agent_begin() {
        rm -f /run/lsmpull/control.sock
        lsmpull run 2>>$T/agent &
        agent=$!
        wait_for 60 test -S /run/lsmpull/control.sock || fail "the agent starts: $(cat $T/agent)"
}
agent_end() {
        kill -TERM $agent
        wait $agent
}
is_denied() { [ -e "$1" ] && ! cat "$1" 2>"$T/why" >/dev/null && grep -q 'Permission denied' "$T/why"; }
soon_denied() { ok "$1" wait_for 30 is_denied "$2"; }
# new_disk WHERE: a file system with a secret that nobody has seen yet.
new_disk() {
        mount -t tmpfs new "$1" && mkdir "$1/prot" && echo secret >"$1/prot/key"
}
switches() { sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$agent/status"; }

chmod 1777 /tmp
config 'confirm: {deadline: 200s, health: 1s}'
tree_make
rule_load

# ---- without the agent -------------------------------------------------------------------------------------------------

new_disk $P/late
mount --bind $P/late/prot $P/mnt
ok "mounted after the policy was loaded: denied where it is" is_denied $P/late/prot/key
ok "and nobody has told the engine" cat $P/mnt/key
agent_begin
soon_denied "an agent that starts does: denied elsewhere, where it was read just now" $P/mnt/key

# file_systems N: status says that there are so many
file_systems() { status && [ "$(value loader.rules.file_systems)" = "$1" ]; }
status
with=$(value loader.rules.file_systems)
umount $P/mnt
umount $P/late
ok "it is forgotten with its mount" wait_for 30 file_systems $((with - 1))

# ---- with the agent -------------------------------------------------------------------------------------------------------

wants loader.rules.no_room 0 "there is room"
mount --bind / $P/other # something else
new_disk $P/late
mount --bind $P/late $P/mnt
cat $P/mnt/prot/key >/dev/null 2>&1
soon_denied "mounted while it runs: denied elsewhere" $P/mnt/prot/key
wants loader.rules.file_systems "^$with\$" "status knows that there is one more"
mount --bind $P/late/prot $P/nomap
ok "and of what is mounted then" is_denied $P/nomap/key
umount $P/nomap
umount $P/other

# What is known stays.
umount $P/mnt
mount --move $P/late $P/mnt
sleep 3
ok "moved to where no rule is about it" is_denied $P/mnt/prot/key
mount -t tmpfs none $P/late
sleep 3
ok "and something else in its place" is_denied $P/mnt/prot/key
new_disk $P/other
sleep 3
ok "another disk is not meant" cat $P/other/prot/key
umount $P/other

# Gone, and there again elsewhere.
umount $P/mnt
umount $P/late
sleep 3
new_disk $P/mnt
sleep 3
ok "gone: a number that is used again is another disk" cat $P/mnt/prot/key
umount $P/mnt

# ---- an agent that is restarted ------------------------------------------------------------------------------------------

agent_end
new_disk $P/late
mount --bind $P/late $P/mnt
ok "mounted while no agent runs" cat $P/mnt/prot/key
agent_begin
soon_denied "restarted, it catches up" $P/mnt/prot/key
umount $P/mnt
umount $P/late

# ---- at rest, and under load ------------------------------------------------------------------------------------------------

# It looks after itself every ten seconds.
sleep 3
at=$(switches)
sleep 5
like "$(($(switches) - at))" '^[01]$' "it does not wake up when nothing is mounted"
at=$(($(switches) + 1))
mount -t tmpfs none "$P/mnt"
umount "$P/mnt"
ok "it does when something is" wait_for 5 sh -c "[ \$(sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' /proc/$agent/status) -gt $at ]"

mkdir $P/many
i=0
while [ $i -lt 1100 ]; do
        mkdir "$P/many/a b	c
$i" && mount -t tmpfs "none \\040" "$P/many/a b	c
$i" || break
        i=$((i + 1))
done
new_disk $P/late
mount --bind $P/late $P/mnt
soon_denied "among 1,100 others, in folders with blanks and line feeds" $P/mnt/prot/key
status
like "$(value loader.rules.no_room)" '^[1-9][0-9]*$' "status counts what there is no room for"
is "$(value loader.rules.file_systems)" 1024 "and what there is"
like "$(value loader.rules.mounts_unreadable)" '^[0-9]+$' "nothing is unreadable that the kernel writes"
ok "the agent goes on" kill -0 $agent
diag "$(cat $T/agent)"
agent_end
lsmpull remove paths --yes >/dev/null 2>&1
done_testing
