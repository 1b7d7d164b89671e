# SPDX-License-Identifier: Apache-2.0
# A storm of denials and a receiver in the network that is not there for half of it: what it is told, and what the kernel's buffer had
# to drop, is what was denied. LONG=1: a million.
# needs: nginx
# files: tests/vm/node.sh:/test/node.sh tests/vm/storm.sh:/test/storm.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 400
# timeout-long: 3000
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/storm.sh

if [ "$LONG" = 1 ]; then N=500000; else N=10000; fi
P=shadow-protect
BODIES=$T/bodies
of_policy() { counter $P "$1"; }
http() { of sinks http "$1"; }
received() { grep "\"policy\":\"$P\"" "${1:-$BODIES}" | count_of; }
# Nothing waits, and nothing is on its way there.
idle() { quiet && [ "$(http waiting)" = 0 ]; }
attempts() { # NAME ARGS...: a storm of which not one gets through
        _name=$1
        shift
        storm /etc/shadow "$@"
        like "$(cat $T/storm)" "^$1 attempts: 0 let through, $1 denied" "$_name"
}
sums() { # NAME: for each denial the receiver has been told, or it is known to be lost
        wait_for 120 idle
        denied=$(of_policy denied) lost=$(of_policy events_lost)
        diag "denied $denied, lost $lost; received $(received) in $(grep -c . $BODIES) events, of $(grep -c . $T/requests) requests; dropped $(http dropped)"
        is "$(($(received) + lost))" "$denied" "$1: received + lost = denials"
        is "$(http dropped) $(http refused) $(http error)" "0 0 " "$1: none dropped, none refused"
}

# Loki and the like read the body; a proxy's upstream is what makes nginx do that, too.
mkdir -p /var/log/nginx /var/lib/nginx
cat >$T/nginx.conf <<END
user root;
pid $T/nginx.pid;
error_log $T/nginx.log;
events {}
http {
        client_body_buffer_size 4m;
        client_max_body_size 4m;
        client_body_in_single_buffer on;
        log_format body escape=none '\$request_body';
        map "\$status \$http_authorization" \$accepted { "204 Splunk 1111-2222" 1; default 0; }
        server {
                listen 127.0.0.1:8088;
                location = /services/collector/event {
                        access_log $BODIES body if=\$accepted;
                        access_log $T/requests combined;
                        proxy_pass http://127.0.0.1:8089;
                }
        }
        server {
                listen 127.0.0.1:8089;
                access_log off;
                return 204;
        }
}
END
: >$BODIES

storms_begin
echo 1111-2222 >/etc/lsmpull/token
chmod 0600 /etc/lsmpull/token
cat >>/etc/lsmpull/lsmpull.yaml <<END
  http: {url: "http://127.0.0.1:8088/services/collector/event", format: splunk, token: /etc/lsmpull/token, labels: [env=test]}
END
lsmpull run >$T/agent.log 2>&1 &
agent=$!
ok "the agent serves events" wait_for 20 test -S /run/lsmpull/events.sock
ok "a bundle is installed" lsmpull install file:///test/bundles/example.tar.zst --key /test/keys/test.pub

attempts "a storm while nobody receives" $N 4
wait_for 60 quiet
like "$(http error)" "onnect" "status says that the receiver is not there"
ok "and what waits for it" test "$(http waiting)" -gt 10
is "$(http written) $(http dropped)" "0 0" "nothing is lost"
ok "on the disk" test -n "$(find /var/lib/lsmpull/events -name '*.events')"
is "$(stat -c '%a' /var/lib/lsmpull/events)" 700 "where nobody else reads it"
sender=$(grep -al '^lsmpull.[@]sender' /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3 | head -1)
isnt "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$sender/status")" 0 "who sends it is not root"
is "$(sed -n 's/^Cap\(Eff\|Prm\):[[:space:]]*//p' "/proc/$sender/status" | sort -u)" 0000000000000000 "and has no capability"

nginx -c $T/nginx.conf || diag "$(cat $T/nginx.log)"
attempts "a storm while it comes back" $N 4
sums "both halves"
is "$(grep . $BODIES | cut -c1-8 | sort -u)" '{"time":' "what came are events"
is "$(sed -n 's/^{"time":\([0-9]*\)\.\([0-9]*\),.*"type":"denied".*/\1\2/p' $BODIES | wc -l)" "$(grep -c '"type":"denied"' $BODIES)" "each with its time"
grep "\"policy\":\"$P\"" $BODIES | sed 5d >$T/less
isnt "$(($(received $T/less) + lost))" "$denied" "the sum would notice what is missing"

kill -KILL "$sender"
attempts "the sender is killed" 500 1
sums "the sender is killed"
kill $agent && wait $agent
nginx -c $T/nginx.conf -s quit
attempts "neither agent nor receiver" 500 1
lsmpull run >>$T/agent.log 2>&1 &
agent=$!
wait_for 20 test -S /run/lsmpull/events.sock
sleep 5
kill $agent && wait $agent # what waits on the disk waits for the next one
nginx -c $T/nginx.conf
lsmpull run >>$T/agent.log 2>&1 &
agent=$!
wait_for 20 test -S /run/lsmpull/events.sock
sums "another agent"
kill $agent
wait $agent
diag "$(cat $T/agent.log)"
done_testing
