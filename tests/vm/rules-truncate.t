# SPDX-License-Identifier: Apache-2.0
# file.truncate: a file's length stays, in whatever way it would change, on kernels with the hook file_truncate and without.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 300
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

L=/tmp/l
mkdir -p $L/kept $L/free
chmod -R a+rX $L
made() {
        for _f in kept/file free/file; do
                mkdir -p $L/kept $L/free
                echo content >$L/new && mv $L/new $L/$_f
        done
        rm -f $L/kept/old $L/free/old $L/kept/none
}
kept() { # WAY FILE [NEW]: refused for want of permission, and the file as long as before
        truncate_by "$@" 2>"$T/why" >/dev/null && return 1
        grep -q 'Permission denied' "$T/why" && [ "$(stat -c %s "${3:-$2}")" = 8 ]
}
changed() { # WAY FILE [NEW]
        truncate_by "$@" && [ "$(stat -c %s "${3:-$2}")" != 8 ]
}

for when in without with; do
        if [ $when = with ]; then
                config 'confirm: {deadline: 200s, health: 1s}'
                made
                apply rules-truncate
                is "$status" 0 "a bundle of rules is installed"
                diag "$err"
                no=kept
        else
                no=changed
        fi
        for way in path descriptor longer open create; do
                made
                ok "$when: $way" $no $way $L/kept/file
                ok "$when: $way, a file beside it" changed $way $L/free/file
        done
        made
        ok "$when: by a descriptor, where it is now" $no moved $L/free/file $L/kept/old
        made
        ok "$when: opened to be written, as it is" truncate_by nothing $L/kept/file
        ok "$when: its length is what it was" test "$(stat -c %s $L/kept/file)" = 8
        ok "$when: a new file has none to lose" truncate_by create $L/kept/none
done

status
absent=$(value 'bundles\.0\.policies\.0\.hooks_absent\.0')
if grep -qw bpf_lsm_file_truncate /proc/kallsyms; then
        is "$absent" "" "the kernel has the hook, and nothing is left out"
        ok "its dispatcher is attached" test -e /sys/fs/bpf/lsmpull/bundle/rules-truncate/hook/file_truncate/link
else
        is "$absent" file_truncate "the kernel has not the hook: it is left out, and status says so"
        fails "there is no dispatcher for it" test -e /sys/fs/bpf/lsmpull/bundle/rules-truncate/hook/file_truncate
fi
is "$(value 'bundles\.0\.state')" enforcing "and nothing is missing"
n=$(lsmpull events --json | grep -c '"rule":"kept"')
ok "denials are told ($n)" test "$n" -ge 1

# Nothing is missing that would have to be attached anew.
apply rules-truncate
is "$status" 0 "once more"
unlike "$out$err" 'missing|enforced again' "it is complete as it stands"
made
ok "and denies" kept descriptor $L/kept/file

# Loaded from the store, as after a reboot.
config 'confirm: {deadline: 200s, health: 1s}' 'audit: [rules-truncate/lengths]'
apply rules-truncate
like "$out$err" 'enforced again' "lowered to audit it is loaded again"
ok "then it only reports" changed descriptor $L/kept/file
config 'confirm: {deadline: 200s, health: 1s}'
apply rules-truncate
like "$out$err" 'enforced again' "and once more, to enforce"
made
ok "then it denies" kept descriptor $L/kept/file
lsmpull remove rules-truncate --yes >/dev/null 2>&1
made
ok "without the bundle" changed descriptor $L/kept/file
done_testing
