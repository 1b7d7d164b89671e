#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lsmpull oci-hook: keeps what a runtime says of a container, and never fails, whatever it is given; the configuration that a runtime
# reads to find it.
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
program=$PWD/build/${LSM_VARIANT:-release}/lsmpull
[ -x "$program" ] || { echo "Bail out! $program is not built: make"; exit 1; }
tmp=$(mktemp -d) count=0 out='' status=0
trap 'rm -rf "$tmp"' EXIT
run=$tmp/run
mkdir "$run"

result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf '#   %s\n' "status $status" "${out//$'\n'/$'\n'#   }"
        fi
}
hook() { # STATE [OPTION...]: its exit status, and all that it says
        local state=$1
        shift
        out=$(printf %s "$state" | "$program" oci-hook --run "$run" "$@" 2>&1)
        status=$?
}
quiet() {
        [ "$status" = 0 ] && [ -z "$out" ]
        result $? "$1"
}
# it never fails: says MESSAGE NAME
says() {
        [ "$status" = 0 ] && [[ $out == *"$1"* ]]
        result $? "$2"
}
state() { # STATUS [ID]
        printf '{"ociVersion":"1.0.2","id":"%s","status":"%s","pid":%d,"bundle":"/b","annotations":{"io.kubernetes.cri.container-name":"web","io.kubernetes.cri.sandbox-name":"shop-1","io.kubernetes.cri.sandbox-namespace":"prod"}}' \
                "${2:-abc}" "$1" $$
}

hook "$(state created)"
quiet "a container is made"
grep -q '"name":"web"' "$run/containers/abc"
result $? "its names are kept"
[ "$(stat -c %a "$run/containers" "$run/containers/abc" | tr '\n' ' ')" = '755 644 ' ]
result $? "for all to read"
hook "$(state stopped)"
quiet "it has stopped"
[ ! -e "$run/containers/abc" ]
result $? "its names are forgotten"

hook ''
says "a container's state" "nothing on stdin"
hook '{"id":"../../../etc/cron.d/x","status":"created","annotations":{"io.kubernetes.pod.name":"p"}}'
says "no such id is known" "an id that is a path"
hook "$(head -c 2000000 /dev/zero | tr '\0' ' ')"
says "too-large" "a state that is too long: read to its end, and not kept"
[ -z "$(ls "$run/containers")" ]
result $? "nothing was kept of these"
hook "$(state created)" --wrong
says "wrong option" "an option that there is not: said, and no failure"
hook "$(state created)" too much
says "'too' is too much" "an argument too many: said, and no failure"
hook "$(state created)" --config "$tmp/none"
says "none" "a configuration that is not there: said, and no failure"
printf 'nonsense: [' >"$tmp/broken"
hook "$(state created)" --config "$tmp/broken"
says "broken" "a broken one: said, and no failure"
run=$tmp/no-agent-has-run
hook "$(state created)"
quiet "where no agent has run, nothing is kept, and nothing is said"
run=$tmp/run
: >"$tmp/file"
rmdir "$run/containers" && ln -s "$tmp" "$run/containers"
hook "$(state created)"
says "containers" "a folder that is a link is not followed"
[ ! -e "$tmp/abc" ]
result $? "and nothing is written there"
out=$("$program" oci-hook --help)
status=$?
says "createRuntime" "--help"

# ---- what tells a runtime of it ----
if command -v jq >/dev/null; then
        out=$(jq -r '[.version, .hook.path, .hook.args[1], (.stages | join("+")), .when.always] | map(tostring) | join(" ")' puller/oci/lsmpull.json)
        [ "$out" = '1.0.0 /usr/local/sbin/lsmpull oci-hook createRuntime+poststop true' ]
        result $? "the hook's configuration for podman and CRI-O"
fi
echo "1..$count"
