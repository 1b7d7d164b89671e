# SPDX-License-Identifier: Apache-2.0
# Checks nothing.
. "$TESTLIB"
done_testing
