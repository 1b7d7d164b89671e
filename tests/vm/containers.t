# SPDX-License-Identifier: Apache-2.0
# Real containers, on overlayfs, started and removed all the time: a policy in whose scope one is, is in force for its entrypoint, whose
# first act is to try; the node's own processes and containers of other scopes are not denied. docs/scopes.md, "Churn".
# root: debian
# mem: 1536
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 400
# timeout-long: 1800
# files: tests/vm/node.sh:/test/node.sh tests/vm/containers.sh:/test/containers.sh
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/containers.sh
exec </dev/null

ROUNDS=5
[ "$LONG" != 1 ] || ROUNDS=50
config 'confirm: {deadline: 90s, health: 1s}' 'events: {file: {path: /var/log/lsmpull/events.json}}'
containers_prepare

# counted WANT NAME FILE: what became of the containers, by a regular expression
counted() {
        got=$(containers_count "$3")
        like "$got" "$1" "$2"
        diag "$KERNEL: $2: $got"
        case $got in *'broken 0') ;; *) diag "$(grep -v -e 'free$' "$3" | head -5)" ;; esac
}

# ---- the control: what the counting finds ------------------------------------------------------------------------------------

containers_run 5 1 >$T/open
counted '^run 5 leaks 5 denied-wrongly 0 broken 0$' "without a policy all is open, and that is found" $T/open
echo 'plain 0 free' >$T/closed
counted '^run 1 leaks 0 denied-wrongly 3 broken 0$' "and so is what is denied wrongly" $T/closed
echo 'plain 1' >$T/broken
counted 'broken 1$' "and what has not run" $T/broken

lsmpull run 2>>$T/agent &
agent=$!
ok "the agent serves" wait_for 60 test -S /run/lsmpull/control.sock
apply containers-elsewhere
is "$status" 0 "a release whose scopes are elsewhere"
diag "$err"
containers_run 5 1 >$T/elsewhere
counted '^run 5 leaks 5 denied-wrongly 0 broken 0$' "its leaks are found" $T/elsewhere
run lsmpull remove containers --yes

# ---- in force ------------------------------------------------------------------------------------------------------------------

apply containers
is "$status" 0 "a bundle with scopes is installed"
diag "$err"

# The node's own processes, all the while: on files of their own, and in the containers' image.
while :; do cat /secret/boxed /secret/named /secret/pods $C/image/secret/pods || echo DENIED; sleep 0.1; done >$T/host 2>&1 &
host=$!
# One that lives until it is killed, and tries until then, again and again.
while :; do
        container_make libpod killed
        jq '.process.args = ["sh", "-c", "while :; do cat /secret/boxed && echo LEAK; echo tried; done"]' \
                $C/killed/config.json >$C/killed/new && mv $C/killed/new $C/killed/config.json
        container_crun libpod killed run --detach --bundle $C/killed >>$T/killed 2>&1
        container_crun libpod killed exec killed cat /secret/boxed >>$T/exec 2>/dev/null
        $CRUN --systemd-cgroup delete --force killed
        container_remove killed
        [ ! -e $T/enough ] || break
done 2>>$T/loop &
killing=$!
containers_run $ROUNDS 2 >$T/second &
second=$!
containers_run $ROUNDS 1 >$T/first
wait $second
touch $T/enough
wait $killing
kill $host
wait $host
cat $T/first $T/second >$T/all
counted "^run $((ROUNDS * 2)) leaks 0 denied-wrongly 0 broken 0\$" "each kind: its entrypoint is denied what it is to be, and nothing else" $T/all
for k in $KINDS; do ok "$k: there were some" grep -q "^$k " $T/all; done
is "$(grep -c LEAK $T/killed)" 0 "nothing got through until it was killed: $(grep -c tried $T/killed) attempts"
ok "which were some" grep -q tried $T/killed
is "$(grep -c DENIED $T/host)" 0 "the node's own processes were not denied: $(grep -c boxed $T/host) times"
ok "which were some" grep -q boxed $T/host
diag "$KERNEL: $(grep -c tried $T/killed) attempts before it was killed, $(grep -c boxed $T/host) of the node's own"

# ---- what is told of it ----------------------------------------------------------------------------------------------------------

container_make libpod shown
jq '.process.args = ["sh", "-c", "cat /secret/boxed; sleep 600"]' $C/shown/config.json >$C/shown/new && mv $C/shown/new $C/shown/config.json
container_crun libpod shown run --detach --bundle $C/shown >>$T/shown 2>&1
told() { lsmpull events --json >$T/events && grep -q '"object":"/secret/boxed".*"cgroup_path":"/machine.slice/libpod-shown.scope[^"]*","container":"shown"' $T/events; }
ok "an event has the container" wait_for 20 told
fails "nobody has said what it is called" grep -q 'container_name\|pod_name' $T/events
lsmpull events >$T/events
ok "in words, too" grep -q 'container shown' $T/events
LOG=/var/log/lsmpull/events.json
ok "so has what is written to a file" wait_for 20 grep -q '"object":"/secret/boxed".*"cgroup_path":"/machine.slice/libpod-shown.scope[^"]*","container":"shown"' $LOG
$CRUN --systemd-cgroup delete --force shown
container_remove shown

container_make libpod hooked
jq --arg lsmpull "$(command -v lsmpull)" '.process.args = ["sh", "-c", "cat /secret/boxed; sleep 600"]
        | .annotations = {"io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.sandbox-name": "shop-1",
                          "io.kubernetes.cri.sandbox-namespace": "prod"}
        | .hooks = ({path: $lsmpull, args: ["lsmpull", "oci-hook"]} | {createRuntime: [.], poststop: [.]})' \
        $C/hooked/config.json >$C/hooked/new && mv $C/hooked/new $C/hooked/config.json
container_crun libpod hooked run --detach --bundle $C/hooked >>$T/hooked 2>&1
named() { lsmpull events --json >$T/events && grep -q '"object":"/secret/boxed".*"container":"hooked","container_name":"web","pod_name":"shop-1","pod_namespace":"prod"' $T/events; }
ok "a container whose runtime tells a hook: an event has its names" wait_for 20 named || diag "$(cat $T/hooked; tail -3 $T/events)"
lsmpull events >$T/events
ok "in words, too" grep -q 'container hooked web of pod prod/shop-1' $T/events
ok "in the file, too" wait_for 20 grep -q '"object":"/secret/boxed".*"container":"hooked","container_name":"web","pod_name":"shop-1","pod_namespace":"prod"' $LOG
denials=$(grep -c '"object":"/secret/boxed"' $LOG)
placed=$(grep '"object":"/secret/boxed"' $LOG | grep -c '"container":')
diag "$KERNEL: $placed of $denials denials in the file have a container; the others' was gone, or too young"
ok "most denials in the file have one" test $((placed * 2)) -gt $denials
ok "they are kept while it is there" test -e /run/lsmpull/containers/hooked
$CRUN --systemd-cgroup delete --force hooked
container_remove hooked
fails "and no longer" test -e /run/lsmpull/containers/hooked

# ---- what is left --------------------------------------------------------------------------------------------------------------

is "$($CRUN list -q)" "" "no container is left"
is "$(find /sys/fs/cgroup \( -name 'libpod-*' -o -name 'machine-named*' -o -path '*/pods.slice/?*' -o -path '*/other/?*' \) -type d)" "" "nor a cgroup"
sync
echo 3 >/proc/sys/vm/drop_caches # pages that were read there keep a cgroup in memory
gone() { churn left >$T/left || [ $? = 1 ] && grep -q ' gone 0 ' $T/left; }
ok "the kernel remembers no cgroup that is gone" wait_for 40 gone
diag "$KERNEL: $(cat $T/left)"
kill $agent
wait $agent
run lsmpull remove containers --yes
is "$status" 0 "the bundle is removed"
done_testing
