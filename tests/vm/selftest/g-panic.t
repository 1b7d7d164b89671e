# SPDX-License-Identifier: Apache-2.0
. "$TESTLIB"
pass "before the panic"
echo c >/proc/sysrq-trigger
done_testing
