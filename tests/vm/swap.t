# SPDX-License-Identifier: Apache-2.0
# No gap: while a policy is swapped, rolled back or expired under them, processes that try what it denies never get through.
# configs: smp up-preempt
# timeout: 600
# timeout-long: 7200
. "$TESTLIB"

if [ "$LONG" = 1 ]; then swaps=300 flips=9000 sleeps=20; else swaps=6 flips=900 sleeps=1; fi

hammered() { # NAME BUNDLE ARGS...
        name=$1 bundle=$2
        shift 2
        run swap_hammer "$@" --key /test/keys/test.pub "/test/bundles/$bundle-1.tar.zst" "/test/bundles/$bundle-2.tar.zst"
        diag "$out"
        [ "$status" = 0 ] || diag "$err"
        is "$status" 0 "$name: nothing gets through, nothing else is denied"
        lsmpull remove "$bundle" --yes >/dev/null 2>&1
}

hammered "one policy on one hook" swap-one --swaps "$swaps" --flips "$flips"
hammered "several policies on several hooks" swap-many --sockets --swaps "$swaps" --flips "$flips"
hammered "somebody else's program sleeps on the hook" swap-one --sleeper /test/progs/sleeper.bpf.o --sleeps "$sleeps"
done_testing
