# SPDX-License-Identifier: Apache-2.0
# Leaves a guest in which nothing can be cleaned up, as a policy does that denies everything and stays.
. "$TESTLIB"
pass "before the damage"
rm /usr/bin/umount
done_testing
