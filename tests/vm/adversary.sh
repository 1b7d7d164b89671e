# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# For tests/vm/adversary-*.t, after node.sh. Each defines attacks(), a list of
#
#   attack NAME COMMAND...      what an adversary does; it leaves things so that it can be done again
#   in_container COMMAND...     as root with all capabilities, in PID and mount namespaces of its own
#
# and calls before_and_after: all of them succeed without the baseline, none with it, all again when it has gone.

attack() {
        _attack=$1
        shift
        case $_want in
        succeed) ok "$_when: $_attack" "$@" ;;
        *) fails "$_when: $_attack" "$@" ;;
        esac
}

in_container() { unshare -m -p -f --mount-proc "$@"; }

before_and_after() {
        config 'confirm: {deadline: 200s, health: 1s}'
        _want=succeed _when="without the baseline"
        attacks
        apply baseline
        is "$status" 0 "the baseline is installed"
        [ "$status" = 0 ] || { diag "$err"; done_testing; }
        unlike "$err" 'prove nothing' "its denials were its own"
        _want=fail _when="with the baseline"
        attacks
        ok "what anybody does goes on" sh -c 'id && ls /etc && sleep 0.1 && cat /etc/passwd'
        ok "it is removed" lsmpull remove baseline --yes
        _want=succeed _when="when it has gone"
        attacks
        done_testing
}
