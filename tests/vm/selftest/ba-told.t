# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Processes of the background end while results are written: each of these lines must arrive.
. "$TESTLIB"

i=0
while [ $i -lt 400 ]; do
        true &
        true &
        i=$((i + 1))
        pass "line $i of those that are written while something ends, which takes the longer the more there is to be written"
done
wait
done_testing
