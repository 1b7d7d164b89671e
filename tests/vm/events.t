# SPDX-License-Identifier: Apache-2.0
# Events: whoever watches a node sees every decision, by name, and nothing that a task writes can fool or stop the watching.
# timeout: 400
. "$TESTLIB"

mkdir -p /etc/lsmpull
echo 'confirm: {health: 1s, deadline: 30s}' >/etc/lsmpull/lsmpull.yaml

install() { lsmpull install file:///test/bundles/example.tar.zst --key /test/keys/test.pub; }
# attempts N FILE: a process called "unprivileged" tries to open it
attempts() { sh -c "printf unprivileged >/proc/\$\$/comm; i=0; while [ \$i -lt $1 ]; do true <\"\$1\"; i=\$((i + 1)); done" sh "$2" 2>/dev/null; }
lines() { printf '%s\n' "$out" | grep -c "$1"; }
reporter() { grep -al '^lsmpull.[@]reporter' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | grep .; }
other_reporter() { reporter | grep -vx "$1"; }
has() { grep -q "$1" "$2"; }

# ---- without an agent -----------------------------------------------------------------------------------------------

run lsmpull events
is "$status" 1 "nothing has been loaded: that is an error, not silence"
like "$err" 'no agent runs here' "and says so"
run su -s /bin/sh -c 'lsmpull events' user
is "$status" 1 "others may not read the buffer"
like "$err" 'only root' "and are told"

ok "a bundle is installed without an agent" install
lsmpull events >/dev/null # of its self-tests
attempts 1 /etc/shadow
run lsmpull events --json
is "$(lines .)" 1 "one attempt is one event"
like "$out" '^\{"v":1,"type":"denied","time":"20[0-9-]*T[0-9:]*\.[0-9]{6}Z","bundle":"example","version":"[0-9.]*","release":1,' "from which bundle"
like "$out" '"policy":"shadow-protect","hook":"file_open","mode":"enforce","errno":"EACCES","why":"reads the password file",' "which decision, by name"
like "$out" '"uid":0,"gid":0,"comm":"unprivileged","object":"/etc/shadow","cgroup":[0-9]+,"cgroup_path":"/' "who, on what, and where"
seconds=$(date -u +%s) told=$(date -u -D '%Y-%m-%dT%H:%M:%S' -d "$(printf '%s' "$out" | sed 's/.*"time":"\([^.]*\).*/\1/')" +%s)
ok "the time is now" test $((seconds - told)) -lt 10 -a $((seconds - told)) -ge 0
run lsmpull events
is "$out" "" "what has been shown is not shown again"

attempts 2 /etc/shadow
su -s /bin/sh -c 'ping -c 1 127.0.0.1' user >/dev/null 2>&1
ping -c 1 -W 1 127.0.0.1 >/dev/null 2>&1
run lsmpull events --policy shadow-protect
is "$(lines 'denied .*example/shadow-protect release 1  unprivileged\[[0-9]*\] uid 0  file_open /etc/shadow  EACCES: reads the password file')" 2 \
        "lines for people, of one policy"
is "$(lines .)" 2 "and of no other"

# ---- what tasks write -----------------------------------------------------------------------------------------------

evil=$(printf '%s/a\nb\033[2J\342\200\256\377' "$T")
mkdir "$evil" && cp /etc/shadow "$evil/shadow"
attempts 1 "$evil/shadow"
run lsmpull events --json
is "$(lines .)" 1 "a path with a line break is one line"
like "$out" '"object":"/[^"]*/a\\\\x0ab\\\\x1b\[2J\\\\xe2\\\\x80\\\\xae\\\\xff/shadow"' "what is not printable is shown as what it is"
attempts 1 "$evil/shadow"
run lsmpull events
is "$(lines .)" 1 "one line for people, too"
unlike "$out" "$(printf '\033')" "without control characters"

# ---- the agent and its reporter -------------------------------------------------------------------------------------

lsmpull run >$T/agent.log 2>&1 &
agent=$!
ok "the agent serves events" wait_for 20 test -S /run/lsmpull/events.sock
ok "through a reporter" wait_for 10 reporter
is "$(stat -c %a:%u /run/lsmpull/events.sock)" 600:0 "to root alone"
run su -s /bin/sh -c 'lsmpull events' user
is "$status" 1 "others are turned away"
r=$(reporter)
like "$(cat /proc/$r/status)" '^Uid:.991.991.991.991$' "the reporter runs as its own user"
like "$(cat /proc/$r/status)" '^Groups:.*$' "with its own groups"
like "$(cat /proc/$r/status)" '^CapEff:.0000000000000000$' "without capabilities"
like "$(cat /proc/$r/status)" '^CapBnd:.0000000000000000$' "that it could not get either"
like "$(cat /proc/$r/status)" '^NoNewPrivs:.1$' "nor by executing something"
like "$(cat /proc/$r/status)" '^Seccomp:.2$' "behind a filter of system calls"

attempts 1 /etc/shadow
run lsmpull events --json --policy example/shadow-protect
is "$(lines '"comm":"unprivileged","object":"/etc/shadow"')" 1 "what has happened before the command is there when it comes"
like "$out" '"cgroup_path":"/' "with the cgroup's path"
run lsmpull events --json --policy example/shadow-protect
is "$(lines .)" 1 "the agent keeps events for the next reader"
run lsmpull events --policy nothing-of-the-sort
is "$status:$out" 0: "a policy without events has none"
run lsmpull events --policy 'not a name'
is "$status" 2 "a wrong name is wrong usage"

lsmpull events --follow --json >$T/first 2>&1 &
first=$!
lsmpull events --follow --json >$T/slow 2>&1 &
slow=$!
ok "two readers follow" wait_for 10 has unprivileged $T/slow
wait_for 10 has unprivileged $T/first
attempts 1 /etc/shadow
ok "they are told at once" wait_for 5 sh -c "[ \$(wc -l <$T/first) -ge 2 ]"

before=$(grep ctxt /proc/$r/status)
sleep 3
is "$(grep ctxt /proc/$r/status)" "$before" "while nothing happens the reporter sleeps"

# ---- a reader that does not read ------------------------------------------------------------------------------------

# denials FILE: that its events stand for
denials() { grep '"denied"' "$1" | sed -n 's/.*"count":\([0-9]*\).*/\1/p; t; s/.*/1/p' | awk '{ n += $1 } END { print n + 0 }'; }
told() { # FILE: all that its reader has seen or been told that it missed
        echo $(($(denials "$1") + $(sed -n 's/.*"lost","count":\([0-9]*\).*/\1/p' "$1" | awk '{n += $1} END {print n + 0}')))
}
has_been_told() { [ "$(told "$1")" -ge "$2" ]; }

shown() { [ "$(denials "$1")" -ge "$2" ]; }
kill -STOP $slow # of so many kinds that none is folded
for i in 1 2 3 4 5; do
        /test/progs/storm /etc/shadow 300 1 unprivileged 300 >/dev/null 2>&1
        ok "one that stands still does not hold up the other ($i)" wait_for 20 shown $T/first $((2 + i * 300))
done
is "$(denials $T/first)" 1502 "which has missed nothing"
like "$(cat /proc/$r/status)" '^RssAnon:.* ([0-9]{1,3}|[123][0-9]{3}) kB$' "nor does it cost memory"
diag "$(grep -E 'RssAnon|VmData' /proc/$r/status)"
kill -CONT $slow
ok "it is told how many it has missed" wait_for 20 has '"type":"lost","count":[0-9]' $T/slow
ok "and gets the rest" wait_for 20 has_been_told $T/slow 1502
is "$(told $T/slow)" 1502 "exactly"
kill $slow

# ---- a policy that denies the reporter what it does -----------------------------------------------------------------

ticks() { awk '{ print $14 + $15 }' "/proc/$r/stat"; }
with_bpf /test/progs/deny_reporter.bpf.o sleep 12 &
denied=$!
ok "the reporter is denied everything" wait_for 10 sh -c "! timeout -s KILL 2 lsmpull events >/dev/null 2>&1"
before=$(ticks)
attempts 3 /etc/shadow
sleep 4
ok "it does not spin" test $(($(ticks) - before)) -lt 100
wait $denied
ok "it serves again when it may" lsmpull events
is "$(reporter)" "$r" "the same one"

# ---- the reporter dies ----------------------------------------------------------------------------------------------

kill -KILL "$(reporter)"
fails "without a reporter, the policy holds" sh -c 'printf unprivileged >/proc/$$/comm; : </etc/shadow'
ok "another one comes" wait_for 20 other_reporter "$r"
n=$(wc -l <$T/first)
attempts 1 /etc/shadow
ok "who followed goes on" wait_for 20 sh -c "[ \$(wc -l <$T/first) -ge $((n + 2)) ]"
kill $first

# ---- as generations come --------------------------------------------------------------------------------------------

ok "an agent removes" lsmpull remove example --yes
ok "and installs" install
run lsmpull events --json
unlike "$out" '"(bundle|policy|hook)":"#' "everything has its name, self-tests of the new release included"
like "$out" '"type":"swap",.*"bundle":"example",.*"state":"removed"' "what becomes of generations is told: removed"
like "$out" '"type":"swap",.*"release":1,"state":"pending"' "on trial"
like "$out" '"type":"swap",.*"release":1,"state":"confirmed"' "confirmed"
lsmpull rollback >/dev/null 2>&1
run lsmpull events
like "$out" '  swap        example release 1 \(0.1.0\)  confirmed' "to people as well"

# ---- audit ----------------------------------------------------------------------------------------------------------

lsmpull remove example --yes
ok "a bundle that audits is installed" lsmpull install /test/bundles/audited.tar.zst --key /test/keys/test.pub
ok "it lets through" sh -c 'printf unprivileged >/proc/$$/comm; true </etc/shadow'
run lsmpull events --json --policy watch-shadow
like "$out" '"type":"would-deny",.*"bundle":"audited","version":"1.0.0","release":7,.*"mode":"audit"' "and tells"
run lsmpull events --policy watch-shadow
like "$out" 'would deny  audited/watch-shadow release 7' "people as well"
run lsmpull events --denied --policy watch-shadow
is "$out" "" "but not as a denial"
kill $agent
wait $agent
diag "$(cat $T/agent.log)"
done_testing
