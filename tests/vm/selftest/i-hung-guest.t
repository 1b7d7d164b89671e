# SPDX-License-Identifier: Apache-2.0
# Stops the guest's own runner: from outside this looks like a guest that hangs.
# timeout: 2
. "$TESTLIB"
pass "before the guest hangs"
kill -STOP "$PPID"
sleep 1000
done_testing
