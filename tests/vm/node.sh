# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For tests that install releases of the bundle `rb` on a node and look at what becomes of it. After lib.sh.
#
#   config LINE...            replaces /etc/lsmpull/lsmpull.yaml
#   apply NAME [ARGS...]      run lsmpull install /test/bundles/NAME.tar.zst --key /test/keys/test.pub ARGS...
#   status                    status --json into $T/status, one line a value: bundles.0.in_force.release=1
#   value PATH                of the last status: value bundles.0.state
#   wants PATH REGEX NAME     a check of one value of a fresh status
#   denied NAME, allowed NAME may a process named "unprivileged" open /tmp/hammer/NAME?
#   hammer_begin, hammer_end  a process tries /tmp/hammer/shadow all the time between the two; the latter is a check: never with success
#   fault POINT COMMAND...    runs /test/faults/lsmpull, to be killed at the fault point

LSMPULL=lsmpull
KEY=/test/keys/test.pub

config() {
        mkdir -p /etc/lsmpull
        printf '%s\n' "$@" >/etc/lsmpull/lsmpull.yaml
}

apply() {
        _bundle=$1
        shift
        run $LSMPULL install "/test/bundles/$_bundle.tar.zst" --key $KEY "$@"
}

# What jansson prints with indentation: one key or value a line.
flatten() {
        awk '{
                gsub(/^ +|,$/, "")
                key = ""
                if (match($0, /^"[^"]*": /)) {
                        key = substr($0, 2, RLENGTH - 4)
                        $0 = substr($0, RLENGTH + 1)
                } else if (depth > 0 && $0 !~ /^[]}]/)
                        key = count[depth]++
                if ($0 ~ /^[]}]/) { depth--; next }
                path = depth > 1 ? prefix[depth] "." key : key
                if ($0 == "{" || $0 == "[") { prefix[++depth] = path; count[depth] = 0; next }
                gsub(/^"|"$/, "")
                print path "=" $0
        }'
}

status() { $LSMPULL status --json | flatten >$T/status; }
value() { sed -n "s/^$1=//p" $T/status; }

wants() {
        status
        like "$(value "$1")" "$2" "$3"
}

# The name of a script is the name of its process. Not in /tmp: some policies let nothing run there.
try_open() {
        [ -x /run/unprivileged ] || {
                printf '#!/bin/sh\nexec <"/tmp/hammer/$1"\n' >/run/unprivileged
                chmod 0755 /run/unprivileged
        }
        mkdir -p /tmp/hammer
        [ -e "/tmp/hammer/$1" ] || : >"/tmp/hammer/$1"
        /run/unprivileged "$1"
}
allowed() { try_open "$1" 2>/dev/null; }
denied() { try_open "$1" 2>&1 | grep -q 'Permission denied\|Operation not permitted'; }

hammer_begin() {
        hammer_count >$T/hammer &
        _hammer=$!
}
hammer_end() {
        kill -TERM $_hammer
        wait $_hammer
        _r=$?
        is "$_r" 0 "$1: $(cat $T/hammer)"
}

fault() {
        _point=$1
        shift
        LSM_FAULT=$_point /test/faults/lsmpull "$@"
}
