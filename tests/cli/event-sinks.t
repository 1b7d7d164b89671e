#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where events go: the reporter with its sandbox and its sinks, a file read by jq, and a real systemd-journald, in a mount namespace
# of its own, read by journalctl. In place of the kernel's ring buffer stands a pipe.
#
#   make cli-progs && prove tests/cli/event-sinks.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
prog=$PWD/build/${LSM_VARIANT:-release}/tests/progs/reporter-sinks
command -v jq >/dev/null || { echo "1..0 # SKIP jq is not installed"; exit 0; }
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the reporter becomes another user: needs root"; exit 0; }
[ -x "$prog" ] || { echo "Bail out! $prog is not built: make cli-progs"; exit 1; }

# Once more in a mount namespace, where /run is ours.
if [ -z "${EVENT_SINKS_INSIDE:-}" ]; then
        unshare -m true 2>/dev/null || { echo "1..0 # SKIP no mount namespace may be made here"; exit 0; }
        EVENT_SINKS_INSIDE=1 exec unshare -m --propagation private "$0"
fi
mount -t tmpfs -o mode=755 tmpfs /run || { echo "Bail out! /run of one's own"; exit 1; }

tmp=$(mktemp -d) journald='' count=0 out=''
chmod 755 "$tmp"
cleanup() {
        [ -z "$journald" ] || kill "$journald" 2>/dev/null
        wait 2>/dev/null
        rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf '#   %s\n' "${out//$'\n'/$'\n'#   }"
        fi
}
is() { # NAME GOT WANT
        local was=$out
        out="got '$2', want '$3'; $out"
        [ "$2" = "$3" ]
        result $? "$1"
        out=$was
}
sinks() { # OPTION... EVENTS: sets out to the counters, and err to what the reporter said
        out=$(timeout 120 "$prog" "$@" 2>"$tmp/err")
        err=$(cat "$tmp/err")
}
figure() { jq -r ".[] | select(.name == \"$1\") | .$2" <<<"$out"; }

# ---- the file ----------------------------------------------------------------------------------------------------------------

log=$tmp/log/events.json
sinks --file "$log" 3000
is "the reporter says nothing" "$err" ''
is "every event is written to the file" "$(figure file written) $(figure file dropped)" '3001 0'
is "each in its turn" "$(jq -r 'select(.type == "denied").pid' "$log" | cmp - <(seq 3000) && echo same)" same
is "and what became of a release" "$(jq -r 'select(.type == "swap") | "\(.bundle) \(.release) \(.state)"' "$log")" 'web 7 confirmed'
is "the file is the reporter's, and its group's to read" "$(stat -c '%a %u' "$log") $(stat -c '%a %u' "$tmp/log")" '640 65534 750 65534'

sinks --file "$log" --max-size 65536 --keep 2 20000
is "with rotation, too" "$(figure file written) $(figure file dropped)" '20001 0'
is "full files are kept, as many as were asked for" "$(cd "$tmp/log" && echo *)" 'events.json events.json.1 events.json.2'
is "none is longer than it may be" "$(find "$tmp/log" -size +65536c | wc -l)" 0
pids=$(cat "$log.2" "$log.1" "$log" | jq -r 'select(.type == "denied").pid')
is "they hold the last events, without a hole" "$(cmp <(echo "$pids") <(seq "$(head -n 1 <<<"$pids")" 20000) && echo same)" same

mkdir -m 755 "$tmp/roots"
sinks --file "$tmp/roots/events.json" 10 &
wait_pid=$!
sleep 3
is "a folder of root's stays root's" "$(stat -c '%u %a' "$tmp/roots") $(find "$tmp/roots" -type f | wc -l)" '0 755 0'
chown 65534 "$tmp/roots"
wait $wait_pid
is "and the sink works as soon as it may" "$(wc -l <"$tmp/roots/events.json")" 11

# ---- the journal ---------------------------------------------------------------------------------------------------------------

daemon=/usr/lib/systemd/systemd-journald
[ -x $daemon ] || daemon=/lib/systemd/systemd-journald
journal() { journalctl -q -D /run/log/journal "$@" 2>"$tmp/journalctl"; }
journald_start() {
        mkdir -p /run/systemd/journal /run/log/journal
        $daemon >"$tmp/journald" 2>&1 &
        journald=$!
        for _ in $(seq 100); do [ -S /run/systemd/journal/socket ] && return 0; sleep 0.1; done
        return 1
}
# What was sent has arrived when journald answers a later request.
journald_sync() { journalctl --sync >/dev/null 2>&1 || sleep 2; }

if ! command -v journalctl >/dev/null || [ ! -x $daemon ] || [ ! -s /etc/machine-id ]; then
        for _ in $(seq 9); do
                count=$((count + 1))
                echo "ok $count # SKIP systemd-journald is not installed, or the machine has no id"
        done
else
        printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\nForwardToConsole=no\n' >"$tmp/journald.conf"
        mkdir -p /run/systemd/journald.conf.d && cp "$tmp/journald.conf" /run/systemd/journald.conf.d/test.conf
        out=$(cat "$tmp/journald" 2>/dev/null)
        journald_start
        result $? "systemd-journald runs here"
        sinks --journald 300
        written=$(figure journald written) dropped=$(figure journald dropped)
        is "every event is taken by journald" "$written $dropped $err" '301 0 '
        journald_sync
        is "each is an entry, in its turn" \
                "$(journal -t lsmpull -o json | jq -r 'select(.LSMPULL_TYPE == "denied").LSMPULL_PID' | cmp - <(seq 300) && echo same)" same
        is "that people can read" "$(journal LSMPULL_PID=17 -o cat)" 'denied  #0/#0 release 0  task[5] uid 1000  #0 /etc/shadow  EACCES'
        is "and search" "$(journal MESSAGE_ID=6f0d3b2ac1e84d0f9a5e7741c83b52d6 LSMPULL_TYPE=swap -o json |
                jq -r '"\(.PRIORITY) \(.LSMPULL_BUNDLE) \(.LSMPULL_RELEASE) \(.SYSLOG_IDENTIFIER)"')" '6 web 7 lsmpull'
        is "with its weight" "$(journal -t lsmpull -p warning -o cat | wc -l)" 300
        sinks --journald --object $'/x\nPRIORITY=0\nMESSAGE=all is well\n' 1
        journald_sync
        is "no path forges a field" "$(journal -t lsmpull -p 3 -o cat | wc -l) $(journal -t lsmpull -o cat | grep -c '^all is well')" '0 0'

        # A journald that stands still: the file gets everything at once, the journal is told what it has missed.
        kill -STOP "$journald"
        (sleep 4; kill -CONT "$journald") &
        log=$tmp/slow/events.json
        sinks --file "$log" --journald 20000
        is "a journald that stands still holds nobody up, and everything is counted" \
                "$(figure file written) $(figure file dropped) $(($(figure journald written) + $(figure journald dropped)))" '20001 0 20001'
        dropped=$(figure journald dropped)
        journald_sync
        is "it is told what it has missed, to the number" \
                "$(journal -t lsmpull LSMPULL_TYPE=lost -o json | jq -s 'map(.LSMPULL_COUNT | tonumber) | add // 0')" "$dropped"
fi
echo "1..$count"
