# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For tests/vm/paths-*.t: ways around a rule about a path. After lib.sh and node.sh. Each is tried twice: without the rule, where it
# must work, and with it, where it must be denied.
#
#   tried FUNCTION            calls FUNCTION without the bundle $RULES (paths) and with it; each time in a fresh tree below $P:
#                                 prot/key prot/deep/er/key file globs/a/deep/er/key free/ mnt/ other/
#   attack NAME SCRIPT        SCRIPT prints the word "secret" when it gets through, "Permission denied" when it is denied; it may leave
#                             behind what it likes: it has a mount namespace of its own, and the tree is made anew when it is no more
#   attack_shared NAME SCRIPT the same in the node's own mount namespace
#   works NAME SCRIPT         what must print "secret" with the rule, too

# shellcheck disable=SC2154 # set by lib.sh
P=/tmp/p
RULES=${RULES:-paths}
UNSHARE='unshare -m --propagation private'

tree_make() {
        mkdir -p $P/bin/make
        [ -x $P/bin/make/busybox ] || cp /bin/busybox $P/bin/make/
        # By a program that the rules let, as what follows.
        $P/bin/make/busybox rm -rf $P/prot* $P/file $P/globs $P/free $P/noexec $P/nomap
        mkdir -p $P/prot/deep/er $P/globs/a/deep/er $P/free $P/mnt $P/other $P/bin $P/noexec $P/nomap $P/disk $P/late
        printf "#!/bin/sh\n" >$P/noexec/true
        chmod 0755 $P/noexec/true
        $P/bin/make/busybox sh -c "cd $P && for f in prot/key prot/deep/er/key file globs/a/deep/er/key; do echo secret >\$f; done"
}

_attack() { # NAME COMMAND...
        _name=$1
        shift
        tree_make
        "$@" >"$T/.last" 2>&1 </dev/null
        if [ "$phase" = control ]; then
                if grep -q secret "$T/.last"; then pass "works without the rule: $_name"; return; fi
                fail "works without the rule: $_name"
        else
                if ! grep -q secret "$T/.last" && grep -q 'Permission denied' "$T/.last"; then pass "denied: $_name"; return; fi
                fail "denied: $_name"
        fi
        _last
}

attack() { _attack "$1" $UNSHARE sh -c "cd $P; $2"; }
attack_shared() { _attack "$1" sh -c "cd $P; $2"; }

works() {
        [ "$phase" = rule ] || return 0
        tree_make
        $UNSHARE sh -c "cd $P; $2" >"$T/.last" 2>&1 </dev/null
        if grep -q secret "$T/.last"; then pass "allowed: $1"; else fail "allowed: $1"; _last; fi
}

# Three times, for a machine with other things to do; without the rules there is nothing to try.
rule_load() {
        for _i in 1 2 3; do
                apply $RULES
                [ "$status" != 0 ] || break
                diag "$err"
        done
        is "$status" 0 "the rules are in force" || done_testing
}

rule_begin() {
        tree_make
        rule_load
        phase=rule
}

rule_end() {
        lsmpull remove $RULES --yes >/dev/null 2>&1
        phase=control
}

tried() {
        chmod 0755 /tmp
        config 'confirm: {deadline: 200s, health: 1s}'
        phase=control
        "$@"
        rule_begin
        "$@"
        rule_end
}
