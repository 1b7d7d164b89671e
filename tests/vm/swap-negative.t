# SPDX-License-Identifier: Apache-2.0
# The hammer finds what it must find: swaps that are known to leak. Without this, its silence would prove nothing.
# configs: smp up-preempt
# timeout: 200
. "$TESTLIB"

for how in detach store; do
        # With two processors the one store leaks about once in half a million attempts: that is what the other machine is for.
        if [ "$how" = store ] && [ "$CONFIG" = smp ]; then
                skip "one store over two attached programs: rare on two processors, shown on one"
                continue
        fi
        run bad_swap "$how" 25 /test/progs/bad_swap.bpf.o
        diag "$out"
        is "$status" 0 "the hammer finds leaks in a swap by '$how'"
done
done_testing
