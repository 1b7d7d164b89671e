# SPDX-License-Identifier: Apache-2.0
# System calls: whichever opens a file, it is the same file. docs/path-semantics.md, "System calls".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

opens() {
        for way in beneath in-root no-links reopen handle handle-cold uring uring-worker; do
                attack "$way" "paths_open $way prot/key"
        done
        attack "/proc/self/fd of a folder" 'cat 3<prot /proc/self/fd/3/deep/er/key'
        attack "a thread's working folder" 'cd prot && cat /proc/self/task/*/cwd/key'
}

tried opens
done_testing
