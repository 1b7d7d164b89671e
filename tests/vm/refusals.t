# SPDX-License-Identifier: Apache-2.0
# A node that is offered something hostile says why it refuses, and is as it was: what it enforces, its pins, its gate, its state.
# files: tests/vm/node.sh:/test/node.sh
# shellcheck disable=SC2154 # set by run
# timeout: 900
# timeout-long: 3600
. "$TESTLIB"
. /test/node.sh

GATE=/sys/fs/bpf/lsmpull/bundle/refusals/gate
STATE=/var/lib/lsmpull

# The node as a whole: what is pinned, the gate, every file of its state.
snapshot() {
        find /sys/fs/bpf
        gate_show $GATE
        find $STATE
        find $STATE -type f ! -name lock -exec sha256sum {} +
}

# The same, but for what a try leaves behind: the journal and the quarantine say why, the verifier's log is kept, and the gate has
# had a probe.
snapshot_tried() {
        find /sys/fs/bpf
        gate_show --decides $GATE
        find $STATE ! -name quarantine.json ! -name verifier.log
        find $STATE/store -type f -exec sha256sum {} +
}

# offer NAME KEY...: installs a case; all of these keys must have signed
offer() {
        _bundle=/test/hostile/$1.tar.zst _keys=
        shift
        for _k; do _keys="$_keys --key /test/keys/$_k.pub"; done
        # shellcheck disable=SC2086 # words
        run lsmpull install "$_bundle" $_keys
}

# told NAME REASON: how the last install ended. Before anything is loaded: 3; when only the kernel knows: 4.
told() {
        case $2 in
        verifier-rejected) _want="4 lsmpull: failed: $2" ;;
        *) _want="3 lsmpull: refused: $2" ;;
        esac
        is "$status $(printf '%s\n' "$err" | grep '^lsmpull: ' | cut -d: -f 1-3)" "$_want" "$1: $2"
}

# What is tried here of the several hundred cases that `lsmbundle verify` must refuse (tests/cli/refusals.t): one of each sort. All
# of them with LONG=1.
wanted() {
        [ "$LONG" != 1 ] || return 0
        case $1 in
        unlisted-first | unlisted-last | twice-in-a-row | twice-manifest | missing-1 | missing-manifest | order-first-two) ;;
        longer-by-one | shorter-by-one | kind-symlink | kind-hardlink-with-content | kind-character-device | kind-folder | kind-fifo) ;;
        path-up | path-absolute | path-backslash | path-escape | pax-path-up | pax-size-longer | gnu-name-up | sparse-pax-0.1) ;;
        size-negative | size-2^63 | file-empty | file-text | after-one-byte | after-the-archive-again | after-member-in-the-tar) ;;
        cut-before-member-* | cut-after-the-manifest | cut-before-the-zero-blocks | cut-in-member-1 | flipped-in-member-*) ;;
        changed-release | flipped-in-the-signature | signed-by-another-key | signed-by-one-of-two | signed-twice-* | signed-by-nobody) ;;
        type-root | format-2 | bomb-manifest | bomb-after-manifest | bomb-member | bomb-header-x | window-2-GiB | dictionary) ;;
        listed-300-MiB | listed-path-up | manifest-of-more-than-1-MiB | json-duplicate-key | json-control-escaped | json-2^53) ;;
        json-float | json-overlong-utf8 | form-blank | release-0 | name-path | object-is-a-seed | seed-not-whole-records) ;;
        seed-more-than-the-map | scope | optional-program) ;;
        *) return 1 ;;
        esac
}

config 'confirm: {deadline: 40s, health: 1s}'
apply refusals-1
is "$status" 0 "release 1 installs"
diag "$err"
ok "and denies" denied shadow
snapshot >"$T/before"
snapshot_tried >"$T/before-tries"
like "$(cat "$T/before")" "^0x" "the gate can be seen"

n=0
while IFS="$(printf '\t')" read -r name reason where keys; do
        [ "$reason" != accepted ] || continue
        case $where in
        both | node)
                [ "$where" = node ] || wanted "$name" || continue
                # shellcheck disable=SC2086 # words
                offer "$name" $keys
                told "$name" "$reason"
                snapshot >"$T/after"
                ok "$name: pins, gate and state are as they were" cmp "$T/before" "$T/after"
                ;;
        load)
                # shellcheck disable=SC2086 # words
                offer "$name" $keys
                told "$name" "$reason"
                snapshot_tried >"$T/after"
                ok "$name: pins, gate and store are as they were" cmp "$T/before-tries" "$T/after"
                ok "$name: it is in quarantine for that reason" grep -q "\"reason\":\"$reason\"" $STATE/quarantine.json
                rm -f $STATE/quarantine.json
                snapshot >"$T/before" # its journal
                ;;
        esac
        denied shadow || fail "$name: what was denied is denied"
        n=$((n + 1))
done </test/hostile/cases
ok "there were many ($n)" test $n -ge 80

# One key in two files is one key, however often it is named.
cp /test/keys/test.pub "$T/copy.pub"
run lsmpull install /test/hostile/good.tar.zst --key /test/keys/test.pub --key "$T/copy.pub"
told "the same key twice" threshold-not-met
run lsmpull install /test/hostile/good.tar.zst --key /test/keys/test.pub --key "$T/copy.pub" --threshold 2
told "the same key twice, and a threshold of 2" threshold-not-met
config 'confirm: {deadline: 40s, health: 1s}' \
        "source: {bundle: /test/hostile/good.tar.zst, keys: [/test/keys/test.pub, $T/copy.pub]}"
run lsmpull once
told "the same key twice, configured" threshold-not-met
config 'confirm: {deadline: 40s, health: 1s}'

wants bundles.0.in_force.release '^1$' "after all that, release 1 is in force"
is "$(value bundles.0.state) $(value bundles.0.gate.pending) $(value bundles.0.staged)" "enforcing false null" "nothing is on trial"
offer good test
is "$status" 0 "and the good one, which they were made of, installs"
diag "$err"
ok "it is in force" denied gshadow
done_testing
