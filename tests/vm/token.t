# SPDX-License-Identifier: Apache-2.0
# Policies are loaded without root's rights: through a BPF token where the kernel has one, with two capabilities where it has not,
# with the same effect. And whoever takes over the process that meets the network gets nothing loaded.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 300
. "$TESTLIB"
. /test/node.sh

config 'confirm: {deadline: 60s, health: 1s}'

# ---- the loader ----------------------------------------------------------------------------------------------------------

# enforces NAME: three policies, each by what it denies, as the bundle's own self-tests found before.
enforces() {
        like "$err" "[0-9]+ self-tests passed" "$1: the self-tests passed"
        cp /bin/busybox /tmp/true
        exits 126 "$1: a program in /tmp is not executed" /tmp/true true
        mkdir -p /tmp/hammer
        ok "$1: a password file is closed to who may not" denied shadow
        ok "$1: other files are not" allowed other
        like "$(value bundles.0.policies.0.denied)" '^[1-9]' "$1: denials are counted"
}

loaded_with() { # NAME TOKEN WHY
        apply example
        is "$status" 0 "$1: the three policies install"
        [ "$status" = 0 ] || diag "$err"
        status
        is "$(value loader.token)" "$2" "$1: status says token: $2"
        like "$(value loader.uid)" '^[1-9][0-9]*$' "$1: the loader was not root"
        like "$(value loader.why_no_token)" "$3" "$1: and why"
        enforces "$1"
        ok "$1: removed" lsmpull remove example --yes
}

case $KERNEL in
6.1) loaded_with "no token on this kernel" false '.' ;;
*) loaded_with "a token" true '^$' ;;
esac
config 'confirm: {deadline: 60s, health: 1s}' 'bpf-token: false'
loaded_with "token switched off" false 'bpf-token: false'

# ---- the fetcher ---------------------------------------------------------------------------------------------------------

snapshot() {
        status
        {
                grep -E '^(bundles|quarantine|source)' $T/status
                find /sys/fs/bpf | sort
                find /var/lib/lsmpull -type f | sort | xargs sha256sum
        } >"$T/$1"
}

# hostile WHAT EXIT ERROR [KEY]
hostile() {
        run env LSM_HOSTILE=$1 lsmpull install /test/bundles/rb-2.tar.zst --key ${4:-$KEY} --fetcher /test/progs/hostile_fetcher
        is "$status" "$2" "hostile fetcher, $1: exit status $2"
        like "$err" "$3" "hostile fetcher, $1: the message says why"
        snapshot after
        ok "hostile fetcher, $1: pins, gate and state are as before" cmp $T/before $T/after
}

config 'confirm: {deadline: 60s, health: 1s}'
apply rb-1
is "$status" 0 "a release is in force"
snapshot before
like "$(cat $T/before)" '^/sys/fs/bpf/lsmpull/bundle/rb/gate$' "it is pinned"
hostile nonsense 3 'malformed: .*misbehaves'
hostile 'done' 3 'malformed: .*misbehaves'
hostile other-key 3 '(unknown-key|threshold-not-met): ' /test/keys/other.pub
hostile manifest 3 'bad-signature: '
hostile member 3 'digest-mismatch: '
ok "what is in force denies" denied shadow
ok "what was not loaded does not" allowed gshadow
run env LSM_HOSTILE=nothing lsmpull install /test/bundles/rb-2.tar.zst --key $KEY --fetcher /test/progs/hostile_fetcher
is "$status" 0 "the same fetcher, changing nothing, is believed"
[ "$status" = 0 ] || diag "$err"
ok "release 2 denies" denied gshadow
done_testing
