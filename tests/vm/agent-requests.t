# SPDX-License-Identifier: Apache-2.0
# Who asks the agent for something while it is at work waits for his turn, and is told so; status is answered at once; who has gone is
# forgotten; more than eight do not wait.
# needs: openssl build/lsmbundle
# files: tests/vm/node.sh:/test/node.sh
# kernels: 6.12
. "$TESTLIB"
. /test/node.sh

SOURCE=/tmp/source/rb.tar.zst

# A poll that hangs until it is let go: a server that takes what it is sent and says nothing.
poll_hangs() {
        : >$T/hello
        sleep 1000 | nc -l -p 4433 >$T/hello &
        hanging=$!
        config "source: {bundle: 'https://127.0.0.1:4433/rb.tar.zst', keys: [$KEY]}" "https: {ca: $T/ca.pem}" \
                "poll: {interval: 10m, jitter: 0}"
        kill -HUP $agent
        ok "the agent is at work: a poll hangs" wait_for 60 test -s $T/hello
}

# ask NAME COMMAND...: in the background, until it waits; what it says is in $T/NAME.
ask() {
        _who=$1
        shift
        lsmpull "$@" >$T/$_who 2>&1 &
        asker=$!
        wait_for 60 grep -q 'waits for its turn' $T/$_who
}

ip link set lo up
printf '[req]\ndistinguished_name = dn\n[dn]\n' >$T/openssl.cnf
openssl req -config $T/openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=nobody \
        -out $T/ca.pem -keyout $T/ca.key 2>$T/openssl || fail "a certificate is made: $(cat $T/openssl)"
mkdir -p ${SOURCE%/*}
cp /test/bundles/rb-1.tar.zst $SOURCE
config "source: {bundle: $SOURCE, keys: [$KEY]}" "poll: {interval: 10m, jitter: 0}" "confirm: {health: 1s}"
lsmpull run 2>$T/agent &
agent=$!
in_force() { status && [ "$(value bundles.0.in_force.release)" = "$1" ]; }
ok "the agent starts" wait_for 60 in_force 1
run lsmpull once
is "$status" 0 "at rest: a request is answered at once"
unlike "$out$err" "waits for its turn" "and nothing waits"

poll_hangs
ok "a request waits, and says so" ask first pause
first=$asker
ok "so does the next" ask second remove rb --yes
second=$asker
ok "and one whose asker goes away" ask gone rollback rb
kill -KILL $asker
n=3
while [ $n -lt 8 ]; do
        ok "and number $n" ask more$n retry rb
        n=$((n + 1))
done
run lsmpull resume
is "$status" 1 "the ninth is turned away"
like "$err" "working on another request: try again" "and told why"
wants paused '^false$' "status is answered meanwhile; nothing has been done yet"
wants bundles.0.in_force.release '^1$' "and the bundle is there"
ok "the work ends" kill $hanging
wait $first
is $? 0 "the first is answered"
wait $second
is $? 0 "the second as well: $(cat $T/second)"
wants paused '^true$' "the first was done"
wants 'bundles.0.*' '^$' "the second was done"
ok "an agent that is free answers at once" lsmpull resume
like "$(cat $T/agent)" "." "the agent has told of the poll"
unlike "$(cat $T/agent)" "rollback" "what its asker did not wait for was not done"
kill -TERM $agent
wait $agent
is $? 0 "the agent ends as it should"
done_testing
