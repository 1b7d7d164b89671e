# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of lsmbundle share: TAP, a scratch directory with a cache of its own, small bundles to build.
set -uo pipefail

top=$(dirname "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")")
program=$top/build/${LSM_VARIANT:-release}/lsmbundle
[ -x "$program" ] || { echo "Bail out! $program is not built: make"; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
# What a test sees must not depend on who runs it.
export XDG_CACHE_HOME=$tmp/cache LC_ALL=C GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset SOURCE_DATE_EPOCH CLANG
# A sanitizer's finding must not look like an ordinary failure.
export ASAN_OPTIONS=exitcode=99

count=0 out='' err='' status=0

need() { # PROGRAM...: skips the whole file, visibly
        local p
        for p; do command -v "$p" >/dev/null || { echo "1..0 # SKIP $p is not installed"; exit 0; }; done
}

# run ARG...: lsmbundle, its output in $out and $err, its exit code in $status
run() {
        out=$(timeout 120 "$program" "$@" 2>"$tmp/.err")
        status=$?
        err=$(<"$tmp/.err")
}

result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf 'status %s\nstdout:\n%s\nstderr:\n%s\n' "$status" "$out" "$err" | sed 's/^/#   /'
        fi
}

# check NAME COMMAND...: the command succeeds
check() {
        local name=$1
        shift
        "$@" >/dev/null 2>&1
        result $? "$name"
}
# exits CODE NAME: of the last run
exits() {
        [ "$status" = "$1" ]
        result $? "$2"
}
# says TEXT NAME, complains TEXT NAME: a piece of the last run's output, of its errors
says() {
        [[ $out == *"$1"* ]]
        result $? "$2"
}
complains() {
        [[ $err == *"$1"* ]]
        result $? "$2"
}
# refused WORD NAME: exit code 3 and the reason
refused() {
        [ "$status" = 3 ] && [[ $err == "lsmbundle: refused: $1: "* ]] && [ "$(wc -l <<<"$err")" = 1 ]
        result $? "$2"
}
done_testing() {
        echo "1..$count"
}

# policy FILE [HOOK ARGS]: a small policy in a chain
policy() {
        cat >"$1" <<END
#include <lsm_policy.h>

SEED_SET(names, char[32], 4);

LSM_POLICY(${2:-file_open}, ${3:-struct file *file}) {
        char key[32] = {};

        return bpf_map_lookup_elem(&names, key) ? DENY(EACCES, "because") : ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
END
}

# bundle DIR [LINE...]: bundle.yaml with one policy, p.bpf.c, and further lines of it
bundle() {
        local dir=$1
        shift
        mkdir -p "$dir"
        {
                printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' 'policies:' '  - name: p' \
                        '    source: p.bpf.c' '    mode: enforce'
                [ $# = 0 ] || printf '    %s\n' "$@"
        } >"$dir/bundle.yaml"
        [ -e "$dir/p.bpf.c" ] || policy "$dir/p.bpf.c"
}

# The content id that a build printed.
content_id() {
        sed -n 's/^content id //p' <<<"$out"
}
