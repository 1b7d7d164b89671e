# SPDX-License-Identifier: Apache-2.0
# A release in the shadow of the one in force: it tells exactly what it would deny that is allowed today, and changes nothing.
# files: tests/vm/node.sh:/test/node.sh
# One processor: programs are attached and detached all the time here, which changes code under the other one, and QEMU's emulation
# of two may still run a breakpoint that the kernel has taken back ("Oops: int3" with the right instruction in the dump).
# configs: up-preempt
# timeout: 1500
# timeout-long: 3600
. "$TESTLIB"
. /test/node.sh

PIN=/sys/fs/bpf/lsmpull/bundle/rb
NEW=/test/bundles/rb-bake.tar.zst
if [ "$LONG" = 1 ]; then cycles=200 more='rb-deny-permission rb-deny-alloc'; else cycles=5 more=; fi

bake() { run shadow_try step "$1" "$2" $KEY "${3:-$NEW}"; }
bakes() { # NAME: release 30 bakes, from the beginning
        bake 3600 1000
        is "$status:$out" "0:baking 30 0" "$1"
        [ "$status" = 0 ] || diag "$err"
}
look() { shadow_try look rb; }
count() { look | sed -n 1p | cut -d' ' -f3; }
policy() { look | sed -n "s/^$1 //p"; }
# tries N NAME: the file is opened N times by "unprivileged"
tries() {
        _i=0
        while [ $_i -lt "$1" ]; do
                allowed "$2"
                _i=$((_i + 1))
        done
}
ended() { # NAME: nothing of a bake is left, and what is in force is whole
        is "$(find $PIN -name link-next -o -name shadow) $(ls /var/lib/lsmpull/bake)" " " "$1: nothing is left of the bake"
        ok "$1: what is in force denies" denied shadow
        ok "$1: and nothing else is denied" allowed gshadow
}

config 'confirm: {deadline: 120s, health: 1s}'
run shadow_try order
is "$status" 0 "in which order programs run on a hook is found out: $out"
like "$out" '^(newest|oldest)-first$' "one of two"
order=$out
apply rb-1
is "$status" 0 "release 1 is in force"
hammer_begin

# ---- what is counted -------------------------------------------------------------------------------------------------------

bakes "release 30 bakes beside it"
like "$err" "policy 'plain' is plain and not part of the shadow" "its plain policy is left out, and that is said"
allowed gshadow
tries 6 gshadow
is "$(count)" 7 "what it alone denies is counted, once a call"
is "$(policy first)" "7 0 0" "for the policy that would deny it"
is "$(policy second)" "0 0 0" "not for the next, which would not be asked"
tries 2 other
is "$(policy second)" "2 0 0" "the next is asked about what the first allows"
tries 5 shadow
is "$(count)" 9 "what the release in force denies is not counted"
tries 3 harmless
is "$(count)" 9 "nor what a policy would only audit"
ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1
is "$?" 0 "on a hook on which nothing is enforced nothing is denied"
ok "and counted" test "$(policy no-raw-sockets | cut -d' ' -f1)" -ge 1
is "$(lsmpull status --json | flatten | sed -n 's/^bundles.0.policies.0.would_deny=//p')" 0 "the release in force is not charged with it"

# ---- what is told ----------------------------------------------------------------------------------------------------------

lsmpull events >/dev/null
tries 1 gshadow
run lsmpull events --json --policy rb/first
like "$out" '"type":"would-deny".*"version":"1.0.30","release":30,"policy":"first","hook":"file_open","mode":"shadow","errno":"EACCES"' \
        "the event says that it is of the shadow, and of which release, by name"
like "$out" '"object":"/tmp/hammer/gshadow"' "and what was opened"
tries 1 gshadow
run lsmpull events --policy rb/first
like "$out" 'would deny .*rb/first would be denied by release 30  ' "for people, too"

# ---- it goes on, and it ends ------------------------------------------------------------------------------------------------

ok "an agent's start leaves it as it is" shadow_try recover
before=$(count)
is "$before" "$(look | sed -n 's/^[a-z-]* //p' | awk 'NR > 1 {n += $1} END {print n}')" "the count is the sum over its policies"
bake 3600 1000
is "$status:$out" "0:baking 30 $before" "the next step goes on with it"
ok "the shadow was not made anew" test "$before" -ge 11
bake 1 1000
is "$status:$out" "0:done 30 $before" "under other terms it is done"
bake 1 1000
is "$out" "done 30 $before" "and stays so until it is enforced"
is "$(find $PIN -name shadow)" "" "its shadow has ended"
ok "an agent's start leaves that as it is" shadow_try recover
bake 1 1000
is "$out" "done 30 $before" "it is still done"
bake 3600 0
like "$out" "^failed 30 $before" "under yet other terms it has failed"
like "$out" "bake-failed: release 30 of 'rb' would have denied $before calls in [0-9]+ s that the release in force allowed, and 0 are" \
        "with a reason that has the figures"
ok "it can be forgotten" shadow_try end rb
ended "forgotten"

bakes "it bakes again"
tries 2 gshadow
bake 3600 1
like "$out" "^failed 30 2" "more than what is allowed: failed, before its time is over"
bake 3600 1
like "$out" "^failed 30 2" "until it is forgotten"
ok "it is forgotten" shadow_try end rb
ended "failed"

# ---- it never denies --------------------------------------------------------------------------------------------------------

for all in rb-deny-open rb-deny-others rb-deny-mmap $more; do
        bake 3600 1000000 /test/bundles/$all.tar.zst
        like "$status:$out" "^0:baking " "$all denies everybody something: it bakes"
        ok "$all: files open" allowed gshadow
        ok "$all: processes, pipes and memory are to be had" sh -c 'true | cat && mkdir /tmp/d && rmdir /tmp/d'
        ok "$all: what is in force denies" denied shadow
        ok "$all: it would have denied much" test "$(count)" -ge 1
        ok "$all: it can be ended" shadow_try end rb
done
ended "all that"

# ---- where it begins anew ---------------------------------------------------------------------------------------------------

bakes "it bakes once more"
tries 1 gshadow
bake 3600 1000 /test/bundles/rb-2.tar.zst
is "$out" "baking 2 0" "another release takes its place"
is "$(ls $PIN/shadow | wc -l)" 1 "and is the only one"
bakes "it takes that one's place"
tries 1 gshadow
rm $PIN/shadow/*/hook/file_open/link
bakes "somebody has taken its dispatcher away: it begins anew"
tries 1 gshadow
apply rb-2
is "$status" 0 "release 2 is installed meanwhile"
[ "$status" = 0 ] || diag "$err"
bakes "another release is in force: it begins anew"
tries 3 gshadow
is "$(count)" 0 "and is compared with that one"
tries 1 other
is "$(count)" 1 "which allows this"
ok "release 2 is rolled back" lsmpull rollback rb
bakes "it begins anew again"
tries 1 gshadow
is "$(count)" 1 "and is compared with release 1"
hammer_end "up to there nothing got through"
rm $PIN/hook/file_open/link
ok "somebody detaches what is in force" wait_for 20 allowed shadow
ok "the agent's start puts it back" lsmpull boot
ok "it denies" denied shadow
hammer_begin
before=$(count)
tries 3 shadow
[ "$order" = oldest-first ] || is "$(count)" "$before" "in front of the shadow"
lsmpull retry rb >/dev/null
apply rb-bake
is "$status" 0 "what bakes is installed"
is "$(find $PIN -name shadow) $(ls /var/lib/lsmpull/bake)" " " "in force it needs no shadow"
ok "it denies" denied gshadow
ok "it is rolled back" lsmpull rollback rb
lsmpull retry rb >/dev/null
ended "rolled back"

# ---- no place on the hook ---------------------------------------------------------------------------------------------------

links=$(find $PIN -name link -exec stat -c %i {} +)
run fill_hook /test/progs/fill_hook.bpf.o shadow_try step 3600 0 $KEY $NEW
is "$status" 1 "no place on a hook: no bake"
like "$err" "failed: no-program-slot: step: hook socket_create: [0-9]+ of about [0-9]+ places are taken, and 1 are needed" "with its reason"
is "$(find $PIN -name link -exec stat -c %i {} +)" "$links" "nothing was attached anew before that was found out"
ended "no place"

# ---- killed -----------------------------------------------------------------------------------------------------------------

killed_at() { # POINT STATE: then an agent's start
        LSM_FAULT=$1 /test/faults/shadow_try step "${3:-3600}" "${4:-1000}" $KEY $NEW >$T/killed 2>&1
        is $? 137 "$1: killed there"
        ok "$1: what is in force denies" denied shadow
        ok "$1: nothing else is denied" allowed gshadow
        ok "$1: the next start succeeds" shadow_try recover
        if [ "$2" = none ]; then
                ended "$1"
        else
                like "$(look)" "^$2 30 " "$1: $2"
                is "$(find $PIN -name link-next)" "" "$1: nothing is half done"
        fi
}
for point in bake:starting:after shadow:attached renew:attached renew:done shadow:attached:2 shadow:filled bake:running:before; do
        [ "$order" = newest-first ] || case $point in renew:*) continue ;; esac
        killed_at $point none
done
killed_at bake:running:after baking
killed_at bake:done:before 'done' 0
ok "done, but not known to be: its shadow still runs" test -d $PIN/shadow
killed_at bake:done:after 'done' 0
is "$(find $PIN -name shadow)" "" "done: its shadow has ended with the next start"
ok "it is forgotten" shadow_try end rb
bakes "after all that it bakes"
killed_at shadow:stopping 'done' 0
ok "it is forgotten" shadow_try end rb
ended "after all that"

# ---- made and ended ---------------------------------------------------------------------------------------------------------

run shadow_try cycles $cycles $KEY $NEW
is "$status:$out" "0:$cycles shadows" "made and ended, again and again"
[ "$status" = 0 ] || diag "$err"
ended "again and again"
hammer_end "during all of this nothing got through"

# The control: a shadow that runs in front of what enforces takes its denials for its own.
if [ "$order" = newest-first ]; then
        ok "a shadow is put in front of what enforces" shadow_try unordered $KEY $NEW
        tries 3 shadow
        is "$(policy first)" "3 0 0" "it counts what is denied already: so the order matters"
        ok "as nobody knows of a bake, the next start takes it away" shadow_try recover
        ended "unordered"
fi

# ---- the bundle goes, or was never there ------------------------------------------------------------------------------------

lsmpull events >/dev/null # makes room in the buffer
bakes "it bakes for the last time"
lsmpull run 2>$T/agent &
agent=$!
ok "an agent starts" wait_for 30 test -S /run/lsmpull/events.sock
tries 1 gshadow
run lsmpull events --policy rb/first
like "$out" 'would be denied by release 30  ' "its reporter knows the names"
kill $agent
wait $agent
is "$(count)" 1 "and the bake goes on"
ok "the bundle is removed" lsmpull remove rb --yes
is "$(find /sys/fs/bpf/lsmpull/bundle /var/lib/lsmpull/bake /var/lib/lsmpull/store -mindepth 1)" "" "nothing is left"
ok "nothing is denied" allowed shadow

bakes "on a node on which nothing is in force it bakes"
tries 2 shadow
tries 2 gshadow
is "$(count)" 4 "all that it would deny is counted"
ok "an agent's start leaves it as it is" lsmpull boot
is "$(count)" 4 "and the count"
rm -r /var/lib/lsmpull/bake
ok "a shadow that nobody knows of" lsmpull boot
is "$(find /sys/fs/bpf/lsmpull/bundle -mindepth 1)" "" "is taken away"
done_testing
