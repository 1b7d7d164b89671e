# SPDX-License-Identifier: Apache-2.0
. "$TESTLIB"
pass "before the failure"
ok "a command that fails" sh -c 'echo its output; exit 7'
fails "a command that is not there" /no/such/command
is 1 2 "a comparison that fails"
done_testing
