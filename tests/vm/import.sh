# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # set by lib.sh
# For tests that install policies of others, as tests/data/import/vm/table has them: GROUP|POLICY|KIND|SETUP|DENIED|ALLOWED, the last
# three being commands. After lib.sh and node.sh.
#
#   import_group GROUP     each policy of it denies (or reports) what it says and no more, while the bundle is there and no longer

# try COMMAND: yes, or no when it was denied; anything else in $why.
try() {
        why=$(sh -c "$1" 2>&1 </dev/null)
        _r=$?
        case $why in
        *[Pp]'ermission denied'* | *'Operation not permitted'* | *Killed* | *'Segmentation fault'*) answer=no ;;
        *) if [ $_r -ge 126 ]; then answer=no; else answer=yes; fi ;;
        esac
}

# ready GROUP: what each attempt needs; some of it could not be made once the policies are in force.
ready() {
        grep "^$1|" /test/import-table | while IFS='|' read -r _ _ _ setup _; do
                sh -c "$setup" >/dev/null 2>&1 </dev/null
        done
}

# attempts GROUP WHEN: the answers to all that is denied and all that is allowed, a line for each policy.
attempts() {
        grep "^$1|" /test/import-table | while IFS='|' read -r _ policy kind setup denied allowed; do
                sh -c "$setup" >/dev/null 2>&1 </dev/null
                try "$denied"
                denied_answer=$answer denied_why=$why
                try "$allowed"
                printf '%s|%s|%s|%s|%s\n' "$policy" "$kind" "$denied_answer" "$answer" "$(echo "$denied_why; $why" | tr '\n|' '  ')"
        done >"$T/$2"
}

# counted POLICY KIND: the sum over its rules.
counted() {
        awk -F= -v policy="$1" -v kind="$2" '
                { n = split($1, part, "."); key = part[n]; sub(/\.[^.]*$/, "", $1) }
                key == "policy" && $2 == policy { mine[$1] = 1 }
                key == kind { value[$1] = $2 }
                END { for (rule in mine) sum += value[rule]; print sum + 0 }' "$T/status"
}

import_group() {
        group=$1
        attempts $group before
        ready $group
        apply import-$group
        is "$status" 0 "$group: imported and built, it is installed"
        diag "$err"
        [ "$status" = 0 ] || return 1
        attempts $group after
        status
        lsmpull remove import-$group --yes >/dev/null 2>&1
        attempts $group removed
        is "$(wc -l <"$T/after")" "$(grep -c "^$group|" /test/import-table)" "$group: all of the table"
        n=0
        while IFS='|' read -r policy kind denied allowed why; do
                n=$((n + 1))
                was=$(sed -n "${n}s/^[^|]*|[^|]*|\([^|]*|[^|]*\)|.*/\1/p" "$T/before")
                later=$(sed -n "${n}s/^[^|]*|[^|]*|\([^|]*|[^|]*\)|.*/\1/p" "$T/removed")
                wanted=no
                [ "$kind" = denied ] || wanted=yes
                count=$(counted "$policy" "$kind")
                is "$was:$denied|$allowed:$later" "yes|yes:$wanted|yes:yes|yes" "$policy: before, in force ($kind), removed" || diag "$why"
                isnt "$count" 0 "$policy: it was this policy"
        done <"$T/after"
}
