# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For tests/vm/*.t, in the guest: TAP without a plan up front; done_testing prints it, so that a test which ends early is noticed.
#
#   ok NAME COMMAND...          passes when the command succeeds
#   fails NAME COMMAND...       passes when it runs and fails (a command that cannot be run at all does not pass)
#   exits N NAME COMMAND...     passes when it exits with N
#   is GOT WANT NAME            isnt GOT UNWANTED NAME
#   like GOT REGEX NAME         unlike GOT REGEX NAME   (extended regular expressions; any line may match)
#   pass NAME, fail NAME        diag TEXT...
#   skip NAME REASON            skip_all REASON (ends the test)
#   run COMMAND...              keeps $status, $out (stdout) and $err (stderr) for the checks after it
#   wait_for SECONDS COMMAND... succeeds as soon as the command does
#   reboot_guest [cut]          ends this phase; the test is called again with the next phase number after a real reboot, with the
#                               disk at /var/lib/lsmpull as it was. cut: as a power cut, nothing is written back first.
#                               (needs "# reboot: yes" in the test's header)
#   done_testing                the last line of every test
#
# $T is an empty directory; $KERNEL (6.1, 6.12, latest), $CONFIG (smp, up-preempt), $PHASE (1, 2, ...) and $LONG (1: take your time)
# say what is being run.

_n=0
_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# A process in the background that ends while the shell writes interrupts the write: busybox's sh drops the line then, and says so.
_tell() {
        _tries=0
        until printf '%s\n' "$1"; do
                _tries=$((_tries + 1))
                [ $_tries -lt 100 ] || return 1
        done
}

pass() {
        _n=$((_n + 1))
        _tell "ok $_n - $1"
}

fail() {
        _n=$((_n + 1))
        _failed=$((_failed + 1))
        _tell "not ok $_n - $1"
        return 1
}

skip() {
        _n=$((_n + 1))
        _tell "ok $_n - $1 # SKIP $2"
}

skip_all() {
        _tell "1..0 # SKIP $1"
        exit 0
}

# _last: what the command of the last check printed, for the reader of a failure.
_last() { tail -n 40 "$T/.last" | cut -c 1-400 | sed 's/^/#   /'; }

ok() {
        _name=$1
        shift
        "$@" >"$T/.last" 2>&1 && { pass "$_name"; return 0; }
        _r=$?
        fail "$_name"
        diag "exit status $_r from: $*"
        _last
        return 1
}

fails() {
        _name=$1
        shift
        "$@" >"$T/.last" 2>&1
        _r=$?
        if [ $_r -ne 0 ] && [ $_r -lt 126 ]; then pass "$_name"; return 0; fi
        fail "$_name"
        diag "exit status $_r, where a failure was wanted, from: $*"
        _last
        return 1
}

exits() {
        _want=$1 _name=$2
        shift 2
        "$@" >"$T/.last" 2>&1
        _r=$?
        if [ $_r -eq "$_want" ]; then pass "$_name"; return 0; fi
        fail "$_name"
        diag "exit status $_r, not $_want, from: $*"
        _last
        return 1
}

is() {
        if [ "$1" = "$2" ]; then pass "$3"; return 0; fi
        fail "$3"
        diag "got:  $1"
        diag "want: $2"
        return 1
}

isnt() {
        if [ "$1" != "$2" ]; then pass "$3"; return 0; fi
        fail "$3"
        diag "got what must not be: $1"
        return 1
}

like() {
        if printf '%s\n' "$1" | grep -Eq -e "$2"; then pass "$3"; return 0; fi
        fail "$3"
        diag "matches nowhere: $2"
        diag "in: $1"
        return 1
}

unlike() {
        if ! printf '%s\n' "$1" | grep -Eq -e "$2"; then pass "$3"; return 0; fi
        fail "$3"
        diag "must not match: $2"
        diag "in: $1"
        return 1
}

# shellcheck disable=SC2034  # the three are for the caller
run() {
        "$@" >"$T/.out" 2>"$T/.err"
        status=$?
        out=$(cat "$T/.out")
        err=$(cat "$T/.err")
}

wait_for() {
        _until=$(($(date +%s) + $1))
        shift
        until "$@" >/dev/null 2>&1; do
                [ "$(date +%s)" -lt $_until ] || return 1
                sleep 0.1
        done
}

done_testing() {
        _tell "1..$_n"
        [ $_failed -eq 0 ]
        exit
}

reboot_guest() {
        _tell "1..$_n"
        [ "$1" = cut ] || sync
        _tell "@reboot $PHASE"
        case $1 in
        cut) poweroff -n -f ;;
        *) poweroff -f ;;
        esac
}
