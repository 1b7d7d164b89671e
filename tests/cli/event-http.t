#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Events to a receiver in the network: reporter and sender with their sandboxes, the spool between them, and a receiver that takes,
# refuses, is busy, denies, lies, hangs and goes away (tests/data/event-receiver). In place of the kernel's ring buffer stands a pipe.
#
#   make cli-progs && prove tests/cli/event-http.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
prog=$PWD/build/${LSM_VARIANT:-release}/tests/progs/reporter-sinks
for tool in jq python3 openssl; do
        command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP the sender becomes another user: needs root"; exit 0; }
[ -x "$prog" ] || { echo "Bail out! $prog is not built: make cli-progs"; exit 1; }

tmp=$(mktemp -d) receiver='' tls='' count=0 out='' err=''
chmod 755 "$tmp"
cleanup() {
        [ -z "$receiver" ] || kill "$receiver" 2>/dev/null
        [ -z "$tls" ] || kill "$tls" 2>/dev/null
        wait 2>/dev/null
        rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

is() { # NAME GOT WANT
        count=$((count + 1))
        if [ "$2" = "$3" ]; then
                echo "ok $count - $1"
        else
                echo "not ok $count - $1"
                printf '#   %s\n' "got:  $2" "want: $3" "${out//$'\n'/$'\n'#   }" "${err//$'\n'/$'\n'#   }"
        fi
}
like() { # NAME GOT REGEX
        count=$((count + 1))
        if [[ $2 =~ $3 ]]; then
                echo "ok $count - $1"
        else
                echo "not ok $count - $1"
                printf '#   %s\n' "got:  $2" "want: $3" "${out//$'\n'/$'\n'#   }" "${err//$'\n'/$'\n'#   }"
        fi
}
start() { # DIR [CERT KEY]: sets port
        mkdir -p "$1"
        echo 204 >"$1/answer"
        python3 tests/data/event-receiver "$@" &
        for _ in $(seq 100); do [ ! -s "$1/port" ] || break; sleep 0.1; done
        port=$(cat "$1/port")
}
answer() { printf '%s\n' "$*" >"$tmp/r/answer.new" && mv "$tmp/r/answer.new" "$tmp/r/answer"; }
send() { # OPTION... EVENTS
        out=$(timeout 200 "$prog" --http "$url" --format "$format" --spool "$tmp/spool" "$@" 2>"$tmp/err")
        err=$(cat "$tmp/err")
}
forget() { rm -rf "$tmp/r/accepted" "$tmp/spool" "$tmp/r/asked"; }
figure() { jq -r ".[0].$1" <<<"$out"; }
figures() { jq -r '.[0] | "\(.written) \(.waiting) \(.refused) \(.dropped)"' <<<"$out"; }
bodies() { jq -r '.[3]' "$tmp/r/accepted"; }
# The events' numbers (pid) in the order in which they were accepted.
pids() {
        case $format in
        loki) bodies | jq -r '.streams[] | select(.stream.type == "denied") | .values[][1] | fromjson | .pid' ;;
        splunk) bodies | jq -r 'select(.event.type == "denied").event.pid' ;;
        otlp) bodies | jq -r '.resourceLogs[].scopeLogs[].logRecords[] | .attributes | map({(.key): (.value | .stringValue // .intValue)}) |
                add | select(."lsmpull.type" == "denied")."lsmpull.pid"' ;;
        esac
}
in_turn() { # N
        pids | cmp -s - <(seq "$1") && echo same
}
lost() { bodies | jq -s '[.[].streams[] | select(.stream.type == "lost") | .values[][1] | fromjson | .count] | add // 0'; }

start "$tmp/r"
receiver=$!

# ---- the forms -----------------------------------------------------------------------------------------------------------------

format=loki url=http://127.0.0.1:$port/loki/api/v1/push
send --tenant team-a --label env=prod 3000
is "Loki: every event is accepted, nothing is said" "$(figures) $err" '3001 0 0 0 '
is "Loki: each in its turn" "$(in_turn 3000)" same
is "Loki: where, for whom" "$(jq -r '"\(.[0]) \(.[1]) \(.[2])"' "$tmp/r/accepted" | sort -u)" '/loki/api/v1/push null team-a'
is "Loki: few labels" "$(bodies | jq -c '.streams[].stream' | sort -u)" \
        '{"job":"lsmpull","host":"node-1","type":"denied","env":"prod"}
{"job":"lsmpull","host":"node-1","type":"swap","env":"prod"}'
is "Loki: the time of each is its own" "$(bodies | jq -r '.streams[].values[] | "\(.[0][:10]) \(.[1] | fromjson | .time[:19] + "Z" | fromdate)"' |
        awk '$1 != $2' | wc -l)" 0
is "the spool is the reporter's own, and empty" "$(stat -c '%u %a' "$tmp/spool") $(find "$tmp/spool" -type f | wc -l)" '65534 700 0'

forget
format=splunk url=http://127.0.0.1:$port/services/collector/event
echo 11111111-2222 >"$tmp/token"
send --token "$tmp/token" --label env=prod 300
is "Splunk: every event is accepted, in its turn" "$(figures) $(in_turn 300)" '301 0 0 0 same'
is "Splunk: the token" "$(jq -r '.[1]' "$tmp/r/accepted" | sort -u)" 'Splunk 11111111-2222'
is "Splunk: an event" "$(bodies | jq -sc '.[0] | [.host, .source, .sourcetype, .fields.env, .event.object, .event.pid]')" \
        '["node-1","lsmpull","lsmpull:event","prod","/etc/shadow",1]'
is "Splunk: its time, to the microsecond" "$(bodies | jq -sr '.[0] | "\(.time | floor) \(.event.time[:19] + "Z" | fromdate)"' | awk '{ print $1 == $2 }') \
$(bodies | grep -cE '^\{"time":[0-9]{10}\.[0-9]{6},')" '1 301'

forget
format=otlp url=http://127.0.0.1:$port/v1/logs
send --token "$tmp/token" --label env=prod 300
is "OTLP: every event is accepted, in its turn" "$(figures) $(in_turn 300)" '301 0 0 0 same'
is "OTLP: the token" "$(jq -r '.[1]' "$tmp/r/accepted" | sort -u)" 'Bearer 11111111-2222'
is "OTLP: whose they are" "$(bodies | jq -sc '.[0].resourceLogs[0].resource.attributes | map([.key, .value.stringValue])')" \
        '[["service.name","lsmpull"],["host.name","node-1"],["env","prod"]]'
is "OTLP: a record" "$(bodies | jq -sc '.[0].resourceLogs[0].scopeLogs[0].logRecords[0] | [.severityNumber, .severityText, .body.stringValue]')" \
        '[13,"WARN","denied  #0/#0 release 0  task[5] uid 1000  #0 /etc/shadow  EACCES"]'
is "OTLP: 64 bits are text" "$(bodies | jq -s '[.[].resourceLogs[].scopeLogs[].logRecords[] | .timeUnixNano, (.attributes[].value.intValue // empty) |
        type] | unique | join(" ")')" '"string"'
forget
answer '200 {"partialSuccess":{"rejectedLogRecords":"7","errorMessage":"too old"}}'
send 10
like "OTLP: what was rejected of it is refused, and not written" "$(figures)" '^(3|4) 0 (7|8) 0$'

# ---- a receiver that does not take everything ---------------------------------------------------------------------------------------

format=loki url=http://127.0.0.1:$port/loki/api/v1/push
forget
answer 'refuse \"pid\":137,'
send 300
is "one event that it does not want: it alone is refused" "$(figures)" '300 0 1 0'
is "the others come, in their turn" "$(pids | cmp - <(seq 300 | grep -vx 137) && echo same)" same

forget
answer 400
send --patience 5 300
is "nothing at all is wanted: it may be us, so nothing is given up at once" "$(figures)" '0 301 0 0'

for bad in 503 429 500 408 close garbage; do
        forget
        answer $bad
        (sleep 2; answer 204) &
        send 200
        is "$bad, and then it works: nothing is lost" "$(figures) $(in_turn 200)" '201 0 0 0 same'
        like "$bad: it is said, and that it works again" "$err" $'^events.http: .*\nevents.http: works again$'
done
forget
answer 429+4
(sleep 1; answer 204) &
SECONDS=0
send 20
is "when it says how long to wait, so long is waited" "$(figures) $((SECONDS >= 4))" '21 0 0 0 1'
is "and it is not asked meanwhile" "$(($(wc -c <"$tmp/r/asked") <= 4))" 1

for bad in 401 403 404 302; do
        forget
        answer $bad
        send --patience 3 200
        is "$bad: nothing is lost, nothing refused" "$(figures)" '0 201 0 0'
        like "$bad: it is said" "$(figure error)" "HTTP status $bad"
        answer 204
        send 1
        is "$bad: what waited goes first when it works" "$(figures) $(pids | cmp - <(seq 200; echo 1) && echo same)" '203 0 0 0 same'
done
forget
answer token new
echo old >"$tmp/token"
(sleep 2; echo new >"$tmp/token") &
send --token "$tmp/token" --patience 60 50
is "an expired token: the new one is found in the file" "$(figures) $(jq -r '.[1]' "$tmp/r/accepted" | sort -u)" '51 0 0 0 Bearer new'

forget
answer flood
send 20
is "an answer without an end ends, and counts as acceptance" "$(figures)" '21 0 0 0'

# ---- not there ------------------------------------------------------------------------------------------------------------------

forget
kill "$receiver"
wait "$receiver" 2>/dev/null
rm -f "$tmp/r/port"
send --patience 3 2000
is "nobody listens: all of it waits" "$(figures)" '0 2001 0 0'
send --patience 3 --spool-size 1048576 20000
is "more than there is room for: the oldest go, and are counted" "$(jq '.[0] | (.written + .waiting + .dropped == 22002) and .dropped > 15000' <<<"$out")" true
is "the spool is no larger than it may be" "$(($(du -sb "$tmp/spool" | cut -f1) <= 1048576 + 4096))" 1
start "$tmp/r"
receiver=$!
url=http://127.0.0.1:$port/loki/api/v1/push
send --spool-size 1048576 1
is "it comes back: all that waited is taken" "$(figure waiting) $(figure error)" '0 '
is "events that came and events that are told to be lost are all there were" "$(($(bodies | jq '.streams[] | select(.stream.type != "lost") | .values | length' |
        awk '{ n += $1 } END { print n }') + $(lost)))" 22004
is "those that came, came in their turn" "$(pids | awk 'NR > 1 && $1 <= last && $1 != 1 { bad++ } { last = $1 } END { print bad + 0 }')" 0

# ---- killed ---------------------------------------------------------------------------------------------------------------------

forget
answer 204
send --kill 10 20000
is "reporter and sender are killed in turns: what is not dropped has come" "$(($(pids | sort -nu | wc -l) + $(figure dropped)))" 20000
head -n 3 "$tmp/r/accepted" | tail -n 1 >"$tmp/third"
sed -i 3d "$tmp/r/accepted"
is "(a body that did not come would be noticed)" "$(($(pids | sort -nu | wc -l) + $(figure dropped) < 20000))" 1
cat "$tmp/third" >>"$tmp/r/accepted"
is "(and one that came out of its turn)" "$(in_turn 20000 2>/dev/null)" ''
is "nothing waits" "$(figure waiting) $(find "$tmp/spool" -type f | wc -l)" '0 0'

# ---- what it finds ----------------------------------------------------------------------------------------------------------------

forget
mkdir -m 700 "$tmp/spool"
chown 65534 "$tmp/spool"
(
        cd "$tmp/spool" || exit
        echo secret >"$tmp/secret"
        ln -s "$tmp/secret" 0000000000000001.events
        mkfifo 0000000000000002.events
        mkdir 0000000000000003.sending
        head -c 300000 /dev/zero >0000000000000004.events
        printf 'no JSON\n{"v":1}\n{"v":1,"type":"denied","pid":9}\n{"v":1,"ty' >0000000000000005.events
        : >0000000000000006.events
        echo keep >stranger
        chown -h 65534 ./*
)
send 3
is "what others put into the spool holds up nothing" "$(pids | tr '\n' ' ') $(figure waiting)" '9 1 2 3  0'
is "and is not sent" "$(grep -c secret "$tmp/r/accepted") $(cat "$tmp/secret") $(cd "$tmp/spool" && echo *)" '0 secret stranger'
forget
mkdir "$tmp/spool"
timeout 20 "$prog" --http "$url" --format loki --spool "$tmp/spool" 1 >"$tmp/out" 2>&1
is "a folder of another user is not taken" "$? $(cat "$tmp/out")" "2 $tmp/spool: the folder belongs to another user than the reporter's"
rmdir "$tmp/spool"

# ---- TLS ------------------------------------------------------------------------------------------------------------------------

certificate() {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj "/CN=$1" -addext subjectAltName=DNS:localhost \
                -keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>/dev/null
}
certificate ours
certificate other
start "$tmp/t" "$tmp/ours.pem" "$tmp/ours.key"
tls=$!
url=https://localhost:$port/loki/api/v1/push
send --ca "$tmp/other.pem" --patience 3 20
is "TLS: with another authority than the receiver's nothing is sent" "$(figures) $([ -e "$tmp/t/asked" ] || echo unasked)" '0 21 0 0 unasked'
like "TLS: and why is said" "$(figure error)" "certificate does not hold"
send --ca "$tmp/ours.pem" 1
is "TLS: with the right one all of it" "$(figures)" '23 0 0 0'
echo "1..$count"
