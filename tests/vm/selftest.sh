#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does tests/vm/run notice what goes wrong? Runs tests/vm/selftest/*.t, most of which fail on purpose, and checks what it says.
#
#   tests/vm/selftest.sh [KERNEL]       default 6.12; a handful of boots
set -uo pipefail

kernel=${1:-6.12}
here=$(dirname "$(realpath "$0")")
out=$(mktemp)
trap 'rm -f "$out"' EXIT

if [ "${CI:-}" != true ] && ! { command -v qemu-system-x86_64 && "$here/../../ci/kernels" --only "$kernel"; } >/dev/null; then
        echo "skip    vm-selftest: no QEMU or no kernel $kernel"
        echo "vm-selftest: 0 passed, 0 failed, 1 skipped"
        exit 0
fi

CI=true LSM_VM_GRACE=15 LSM_VM_LOGS=selftest "$here/run" --kernel "$kernel" --config smp --dir "$here/selftest" >"$out" 2>&1
status=$?

passed=0 failed=0
check() {       # check NAME REGEX
        if grep -Eq -- "$2" "$out"; then
                passed=$((passed + 1))
        else
                failed=$((failed + 1))
                echo "not ok  vm-selftest: $1"
                echo "        # no line matches: $2"
        fi
}
w="$kernel smp"

check "a passing test passes, its skip is seen" "^skip    $w a-pass: a check that is skipped \(to be seen\)$"
check "tests begin in a fresh state" "^ok      $w b-clean \(6 checks"
check "no result is lost to a process that ends meanwhile" "^ok      $w ba-told \(400 checks"
check "a failing check is reported" "^not ok  $w c-fail: a command that fails$"
check "its output is shown" "^        # +its output$"
check "a command that cannot be run is no failure as wanted" "^not ok  $w c-fail: a command that is not there$"
check "a failing comparison is reported" "^not ok  $w c-fail: a comparison that fails$"
check "a test that ends early fails" "^not ok  $w d-early: ended after 1 checks, without done_testing$"
check "a test that checks nothing fails" "^not ok  $w e-nothing: checked nothing$"
check "a bad exit status fails" "^not ok  $w f-status: exit status 3$"
check "a guest that cannot be cleaned is not used again" "^ok      $w fz-wreck \(1 checks"
check "a panic fails the test that ran" "^not ok  $w g-panic: the guest crashed$"
check "the console of the panic is shown" "^        #.*Kernel panic - not syncing"
check "a hanging test fails" "^not ok  $w h-hung-test: did not end in time and was stopped$"
check "a hanging guest fails the test that ran" "^not ok  $w i-hung-guest: the guest hung$"
check "a test keeps its disk over reboots" "^ok      $w j-reboot \(5 checks"
check "the remaining tests still run" "^ok      $w z-after \(1 checks"
check "all is counted" "^vm: 420 passed, 9 failed, 1 skipped$"
if [ $status = 1 ]; then
        passed=$((passed + 1))
else
        failed=$((failed + 1))
        echo "not ok  vm-selftest: exit status $status, not 1"
fi

if [ $failed -gt 0 ]; then sed 's/^/    | /' "$out"; fi
echo "vm-selftest: $passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
