# SPDX-License-Identifier: Apache-2.0
# Programs and libraries: whichever way they are executed, they are the same file. docs/path-semantics.md, "System calls".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh /lib64/ld-linux-x86-64.so.2
# needs: id
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
RULES=paths-exec
. /test/paths.sh

PROG='#!/bin/sh\necho secret\n'

runs() {
        attack "a script" "printf '$PROG' >noexec/s; chmod 755 noexec/s; noexec/s"
        attack "a program" 'cp /bin/busybox noexec/echo && noexec/echo secret'
        for way in fd opath proc; do
                attack "a program, by $way" "cp /bin/busybox noexec/echo && paths_exec $way noexec/echo secret"
        done
        attack "as another script's interpreter" "cp /bin/busybox noexec/sh; printf '#!/tmp/p/noexec/sh\necho secret\n' >free/s; chmod 755 free/s; free/s"
        attack "by a link" 'cp /bin/busybox noexec/echo && ln -s ../noexec/echo free/echo && free/echo secret'
        attack "mounted elsewhere" 'cp /bin/busybox noexec/echo && mount --bind noexec mnt && mnt/echo secret'
        attack "renamed" 'cp /bin/busybox noexec/echo && mv noexec/echo free/echo && free/echo secret'
        attack "a library" 'cp /bin/busybox nomap/lib && paths_exec map nomap/lib && echo secret'
        attack "made executable later" 'cp /bin/busybox nomap/lib && paths_exec mprotect nomap/lib && echo secret'
        attack_map "a program, by its loader" "cp /usr/bin/id nomap/id && /lib64/ld-linux-x86-64.so.2 $P/nomap/id && echo secret"
}

layers() {
        attack "a program in an overlay" "cp /bin/busybox noexec/echo && mount -t overlay o -o lowerdir=$P/noexec:$P/free mnt && mnt/echo secret"
}

# The loader says it in its own words.
attack_map() { attack "$1" "{ $2; } 2>&1 | sed 's/failed to map segment/Permission denied/'"; }

# What is not asked: docs/path-semantics.md says what to write instead.
beside() {
        works "a script that its interpreter reads" "printf '$PROG' >noexec/s; sh noexec/s"
        works "a program copied to memory without a name" 'cp /bin/busybox noexec/echo && paths_exec memfd noexec/echo secret'
        works "a program given to its loader, where only exec is denied" "cp /usr/bin/id noexec/id && /lib64/ld-linux-x86-64.so.2 $P/noexec/id && echo secret"
}

modprobe overlay
all() { runs; layers; beside; }
tried all
done_testing
