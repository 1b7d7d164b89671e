# SPDX-License-Identifier: Apache-2.0
# No gap with rules: a bundle of 1,000 over ten hooks is swapped, rolled back and expired under four processes that try all ten
# operations where they are denied, and beside it where they are not.
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# configs: smp up-preempt
# timeout: 400
# timeout-long: 14400
. "$TESTLIB"

if [ "$LONG" = 1 ]; then swaps=300 flips=9000; else swaps=2 flips=300; fi

run swap_hammer --operations --swaps $swaps --flips $flips --key /test/keys/test.pub /test/bundles/swap-rules-1.tar.zst /test/bundles/swap-rules-2.tar.zst
diag "$out"
[ "$status" = 0 ] || diag "$err"
is "$status" 0 "nothing gets through, nothing else is denied"
like "$out" "^$swaps swaps, $flips flips .* [1-9][0-9]{3,} attempts, 0 leaks, 0 wrong denials, 0 empty slots met, 0 calls not dispatched$" \
        "and enough was tried"
done_testing
