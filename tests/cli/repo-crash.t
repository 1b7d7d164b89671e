#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Publishing is killed at each of its writes, one after the other. After each, a client sees the old state or the new one, whole,
# and the same command, run again, completes it.
. "$(dirname "$0")/repo.sh"
need strace
strace -o /dev/null -e trace=getpid -e inject=getpid:signal=KILL:when=99 true 2>/dev/null || { echo "1..0 # SKIP strace may not trace here"; exit 0; }

keys k k2
release 1 1.0.0
release 2 1.1.0
"$program" repo init r --key k.key >/dev/null && publish_as r sample-1.tar.zst k.key &&
        "$program" repo promote -r r sample 1 --ring stable --key k.key >/dev/null &&
        "$program" repo stage -r r sample-2.tar.zst >/dev/null && "$program" sign r/pending/sample-2 --key k.key >/dev/null
result $? "a repository with a release, and the next one pending"
root=r/metadata/1.root.json

# What a client that begins with the first root sees, if it does not refuse: the versions, who may sign, releases, rollouts.
sees() {
        "$program" verify sample-1.tar.zst --root $root --repo "$1" >/dev/null 2>&1 || return 1
        "$program" repo show -r "$1" --json |
                jq -c '(.roles | map([.role, .version])), (.roles | map([.role, (.keys | map(.keyid))])), .releases, .rollouts'
}

# killed NAME MIDDLE CALLS COMMAND...: the command, with REPO for the repository, killed at each of these system calls.
# MIDDLE says what there is
# to be seen: whole: the old state or the new one; middle: also one in between, which clients accept under both roots; late: the new one.
killed() {
        local name=$1 middle=$2 calls=$3 call n=0 i bad='' saw old new before=0 between=0
        shift 3
        rm -rf new
        cp -a r new
        "$program" "${@//REPO/new}" >/dev/null 2>"$tmp/.err" || bad+=" undisturbed: $(<"$tmp/.err")"
        old=$(sees r) && new=$(sees new) && [ -n "$old" ] && [ -n "$new" ] || bad+=" no state"
        for call in $calls; do
                for ((i = 1; i < 200; i++)); do
                        rm -rf c
                        cp -a r c
                        # A shell of its own, whose word about the killed child nobody needs.
                        if (strace -f -o /dev/null -e trace="$call" -e "inject=$call:signal=KILL:when=$i" "$program" "${@//REPO/c}"; exit $?) \
                                >/dev/null 2>&1; then
                                break
                        fi
                        n=$((n + 1))
                        if ! saw=$(sees c); then
                                bad+=" refused-after:$call:$i"
                        elif [ "$saw" = "$old" ]; then
                                before=$((before + 1))
                        elif [ "$saw" != "$new" ]; then
                                between=$((between + 1))
                                [ "$middle" = middle ] || bad+=" mixed-after:$call:$i"
                        fi
                        # Published, and the folder in pending/ is gone, too: then there is nothing to run again.
                        "$program" "${@//REPO/c}" >/dev/null 2>"$tmp/.err" || [ ! -e "$(sed -n 's/.*\(c.pending[^ ]*\).*/\1/p' <<<"${*//REPO/c}")" ] ||
                                bad+=" again:$call:$i:$(<"$tmp/.err")"
                        [ "$(sees c | tail -n 3)" = "$(tail -n 3 <<<"$new")" ] || bad+=" incomplete:$call:$i"
                        [ -z "$(find c -name '.*' -type f)" ] || bad+=" left:$call:$i:$(find c -name '.*' -type f)"
                done
        done
        out="killed $n times; $before times nothing was to be seen of it, $between times a state in between" err=$bad status=0
        case $middle in
        whole) [ -z "$bad" ] && [ $n -gt 4 ] && [ $before -gt 0 ] && [ $between = 0 ] ;;
        middle) [ -z "$bad" ] && [ $n -gt 4 ] && [ $before -gt 0 ] && [ $between -gt 0 ] ;;
        late) [ -z "$bad" ] && [ $n -gt 4 ] && [ $before = 0 ] && [ $between = 0 ] ;;
        esac
        result $? "$name"
        echo "# $name: $out"
}

# The very first state: before it there is nothing to be seen.
bad='' n=0
for ((i = 1; i < 100; i++)); do
        rm -rf c
        if (strace -f -o /dev/null -e trace=renameat -e "inject=renameat:signal=KILL:when=$i" "$program" repo init c --key k.key; exit $?) >/dev/null 2>&1; then
                break
        fi
        n=$((n + 1))
        "$program" repo init c --key k.key >/dev/null 2>&1
        "$program" repo show -r c >/dev/null 2>"$tmp/.err" || bad+=" $i:$(<"$tmp/.err")"
done
err=$bad status=$n
[ -z "$bad" ] && [ $n -gt 5 ]
result $? "init"

killed "publish" whole "renameat fsync write mkdirat unlinkat rmdir" repo publish REPO/pending/sample-2 --key k.key
killed "publish --keep: pruning" late "unlinkat" repo publish REPO/pending/sample-2 --key k.key --keep 1
killed "promote" whole "renameat fsync" repo promote -r REPO sample 1 --ring canary --key k.key
rotation=(--add k2.pub --remove "$(<k.id)" --key k.key --key k2.key)
killed "rotate bundles" whole "renameat fsync" repo rotate bundles -r REPO "${rotation[@]}"
killed "rotate timestamp, with the old key" middle "renameat fsync" repo rotate timestamp -r REPO "${rotation[@]}"
killed "rotate targets, with the old key" middle "renameat fsync" repo rotate targets -r REPO "${rotation[@]}"

done_testing
