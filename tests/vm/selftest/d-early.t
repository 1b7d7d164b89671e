# SPDX-License-Identifier: Apache-2.0
# Ends before done_testing: as a test does that is killed or exits by mistake.
. "$TESTLIB"
pass "the only check it reaches"
exit 0
