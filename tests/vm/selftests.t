# SPDX-License-Identifier: Apache-2.0
# Each operation that self-tests know: it passes where a policy denies, a release whose policy does not deny is refused, and the
# node is the same after both, whatever was tried.
# files: tests/vm/node.sh:/test/node.sh tests/data/bundles/selftests-1/selftests.yaml:/test/selftests.yaml
# timeout: 400
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

N=191 # denials in selftests.yaml
mkdir -p /mnt /srv /etc
[ -e /etc/hostname ] || echo guest >/etc/hostname

# All that a test could have harmed; not when a name was made in /tmp last, for that is what some of them do.
node_state() {
        find /etc /tmp /srv /mnt /bin /lib/modules -xdev 2>/dev/null | grep -v -e "^$T" -e '^/tmp$' | sort | xargs stat -c '%n %i %a %u:%g %h %s %Y %Z'
        echo "mounts"
        cut -d ' ' -f 3- /proc/self/mountinfo
        echo "sockets"
        awk 'FNR > 1 { print FILENAME, $2, $3, $4 }' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /proc/net/raw /proc/net/packet
        awk '$8 ~ /^[@\/]/ { print $8 }' /proc/net/unix | sort
        echo "processes"
        for p in /proc/[0-9]*; do
                [ -e "$p/exe" ] && readlink "$p/exe" && cat "$p/comm"
        done 2>/dev/null | paste -d ' ' - - | sort | grep -v -e ' sh$' -e ' readlink$' -e busybox
        echo "kernel"
        cut -d ' ' -f 1 /proc/modules | sort
        cat /sys/kernel/kexec_loaded /proc/sys/kernel/tainted /proc/sys/kernel/hostname /proc/sys/kernel/acct 2>/dev/null
        find /sys/fs/cgroup -name '.lsmpull*' -o -name '*probe*'
        echo "memory"
        awk 'FNR > 1' /proc/sysvipc/shm
}
unharmed() { # NAME
        node_state >"$T/after"
        if cmp -s "$T/before" "$T/after"; then
                pass "$1"
        else
                fail "$1"
                diag "$(diff "$T/before" "$T/after" | head -20)"
        fi
}

config 'confirm: {deadline: 200s, health: 1s}'
is "$(grep -c denied /test/selftests.yaml)" $N "the tests are all there"
lsmpull status >/dev/null # whatever it makes, it has made
node_state >"$T/before"

# ---- a policy that does not deny ------------------------------------------------------------------------------------------

apply selftests-lax
isnt "$status" 0 "a release whose policy denies nothing is refused"
like "$err" "\\[selftest-failed\\]|selftest-failed" "for its self-tests"
like "$err" "$N of $((2 * N)) self-tests failed" "all that expect a denial, and no others"
diag "$err"
run lsmpull status --json
unlike "$out" '"in_force": *\{' "nothing is in force"
unharmed "what nobody denied has done nothing to the node"
touch /etc/hostname
node_state >"$T/after"
fails "that a change would be seen is seen" cmp -s "$T/before" "$T/after"
node_state >"$T/before"

# ---- one that does ------------------------------------------------------------------------------------------------------------

apply selftests-1
is "$status" 0 "a release whose policy denies is installed"
diag "$err"
like "$err" "$((2 * N)) self-tests passed" "all have passed"
unlike "$err" 'warning' "by its own doing"
lsmpull remove selftests --yes >"$T/removed" 2>&1
unharmed "what was denied and what was allowed has done nothing to the node"
done_testing
