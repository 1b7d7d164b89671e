#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034 # set by and for lsmbundle.sh
# Documentation says what the programs do: every command, option, reason, setting, field and check is described, nothing else is, and
# what is linked to or named is there.
. "$(dirname "$0")/lsmbundle.sh"

node=$top/build/${LSM_VARIANT:-release}/lsmpull
[ -x "$node" ] || { echo "Bail out! $node is not built: make"; exit 1; }
docs=$top/docs

# same NAME ONE OTHER: two lists of words, a word a line, in any order
same() {
        diff <(sort -u <<<"$2") <(sort -u <<<"$3") >"$tmp/.diff"
        status=$? out=$(<"$tmp/.diff") err='< the program, > the document'
        result $status "$1"
}
# described NAME FILE PREFIX WORD...: each word is in backticks in the file, alone or behind others
described() {
        local name=$1 file=$2 missing='' word
        shift 2
        for word; do grep -qF "\`$word\`" "$file" || missing+=" $word"; done
        status=$# out='' err="not in $file:$missing"
        [ -z "$missing" ] && [ $# -gt 0 ]
        result $? "$name"
}
options_of() { grep -oE -- '(^|[ ,])--[a-z][a-z-]*' <<<"$1" | tr -d ' ,' | sort -u; }

# ---- man pages ------------------------------------------------------------------------------------------------------

# man_section FILE COMMAND: the lines of the command's entry, up to the next one's or to the end of the list
man_section() { awk -v c="$2" '/^\.It Ic /{inside = (($3 ~ /^(repo|import)$/ ? $3 " " $4 : $3) == c)} /^\.Ss |^\.Sh /{inside = 0} inside' "$1"; }
man_options() { grep -E '^\.It .*Fl -' | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/Fl /-/' | sort -u; }

common=$(sed -n '/^\.Ss Common options/,/^\.Ss A new/p' "$docs/man/lsmpull.8" | man_options)
commands=$("$node" --help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
same "lsmpull.8 has every command, and no other" "$commands" "$(sed -n 's/^\.It Ic \([a-z-]*\).*/\1/p' "$docs/man/lsmpull.8")"
for c in $commands; do
        same "lsmpull.8 has every option of $c, and no other" "$(options_of "$("$node" "$c" --help)" | sed '$a--help')" \
                "$(printf '%s\n' "$common" --help | grep -v -- --version; man_section "$docs/man/lsmpull.8" "$c" | man_options)"
done

# A command of lsmbundle may be two words.
mapfile -t bundle_commands < <("$program" --help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p')
bundle_options() { # COMMAND
        local words
        read -ra words <<<"$1"
        options_of "$("$program" "${words[@]}" --help | sed -n '/^options:/,$p')"
}
same "lsmbundle.1 has every command, and no other" "$(printf '%s\n' "${bundle_commands[@]}")" \
        "$(sed -n 's/^\.It Ic \(repo [a-z]*\|import [a-z]*\|[a-z]*\).*/\1/p' "$docs/man/lsmbundle.1")"
for c in "${bundle_commands[@]}"; do
        same "lsmbundle.1 has every option of $c, and no other" "$(bundle_options "$c")" \
                "$(man_section "$docs/man/lsmbundle.1" "$c" | man_options | grep -vx -- --version; echo --help)"
done

for page in "$docs"/man/*.[1-8]; do
        if command -v mandoc >/dev/null; then
                check "${page##*/} is good mdoc" mandoc -T lint -W warning "$page"
        else
                count=$((count + 1))
                echo "ok $count - ${page##*/} is good mdoc # SKIP mandoc is not installed"
        fi
done

# ---- completion -----------------------------------------------------------------------------------------------------

# offers PROGRAM WORD...: what is offered for the last word
offers() {
        bash -c 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); "_$2"; printf "%s\n" "${COMPREPLY[@]}"' - \
                "$docs/completion/$1.bash" "$@" | sort -u
}
for c in $commands; do
        same "completion offers every option of lsmpull $c" "$(options_of "$("$node" "$c" --help)" | sed '$a--help')" "$(offers lsmpull "$c" --)"
done
same "completion offers every command of lsmpull" "$commands" "$(offers lsmpull '' | grep -v '^-')"
for c in "${bundle_commands[@]}"; do
        read -ra words <<<"$c"
        same "completion offers every option of lsmbundle $c" "$(bundle_options "$c")" "$(offers lsmbundle "${words[@]}" --)"
done
same "completion offers every command of lsmbundle" "$(printf '%s\n' "${bundle_commands[@]%% *}")" "$(offers lsmbundle '' | grep -v '^-')"
same "completion offers every command of lsmbundle repo" "$(printf '%s\n' "${bundle_commands[@]}" | sed -n 's/^repo //p')" \
        "$(offers lsmbundle repo '' | grep -v '^-')"
same "completion offers every format of lsmbundle import" "$(printf '%s\n' "${bundle_commands[@]}" | sed -n 's/^import //p')" \
        "$(offers lsmbundle import '' | grep -v '^-')"

mkdir -p "files/a dir" files/state/journal
touch files/alice.pub files/alice.key "files/b c.tar.zst" files/lsmpull.yaml files/state/journal/{one,two}.json
same "lsmpull install offers bundles" "files/a dir"$'\nfiles/state\nfiles/b c.tar.zst' "$(offers lsmpull install files/)"
same "lsmpull install --key offers public keys" "files/a dir"$'\nfiles/state\nfiles/alice.pub' "$(offers lsmpull install --key files/)"
same "lsmpull --config offers configurations" "files/lsmpull.yaml" "$(offers lsmpull status --config files/l)"
same "lsmpull --state offers directories" "files/a dir"$'\nfiles/state' "$(offers lsmpull status --state files/)"
same "lsmpull rollback offers the bundles of the node" $'one\ntwo' "$(offers lsmpull rollback --state files/state '')"
same "lsmpull remove goes on with what was typed" "two" "$(offers lsmpull remove --state files/state t)"
same "lsmbundle verify --key offers public keys" "files/alice.pub" "$(offers lsmbundle verify --key files/al)"
same "lsmbundle build --key offers private keys" "files/alice.key" "$(offers lsmbundle build -k files/al)"
same "lsmbundle build offers directories" "files/a dir"$'\nfiles/state' "$(offers lsmbundle build files/)"
same "lsmbundle sign offers bundles, and folders that are pending" "files/a dir"$'\nfiles/b c.tar.zst\nfiles/state' "$(offers lsmbundle sign files/)"
same "lsmbundle repo rotate offers roles" "rollouts"$'\nroot' "$(offers lsmbundle repo rotate ro)"
same "lsmbundle diff offers bundles" "files/b c.tar.zst" "$(offers lsmbundle diff files/b)"

# ---- words ----------------------------------------------------------------------------------------------------------

# "X(REASON_..., "word", code)": word and code
same "reasons.md has every reason with its exit code, and no other" \
        "$(sed -n 's/^ *X(REASON_[A-Z_]*, "\([a-z-]\{1,\}\)", \([0-9]\)).*/\1 \2/p' "$top/lib/err.h")" \
        "$(sed -n 's/^| `\([a-z-]*\)` | \([0-9]\) | .*/\1 \2/p' "$docs/reasons.md")"
[ "$(sed -n 's/^| `[a-z-]*` | [0-9] | .*/x/p' "$docs/reasons.md" | wc -l)" = "$(sed -n 's/^| `\([a-z-]*\)` | [0-9] | .*/\1/p' "$docs/reasons.md" | sort -u | wc -l)" ]
result $? "and each once"

# What the program says of itself when it does not know a key.
keys_of() { # [SECTION[.SECTION]]
        local s indent=''
        { for s in ${1+${1//./ }}; do
                echo "$indent$s:"
                indent+='  '
        done; echo "${indent}nothing-of-the-sort: 1"; } >"$tmp/c.yaml"
        "$node" status --config "$tmp/c.yaml" 2>&1 | sed -n 's/.*here are known: //p' | sed 's/, /\n/g'
}
single='bundles ring node-id first_boot mode audit bpf-token' # no keys below them
settings=$(for s in $(keys_of); do
        case " $single " in *" $s "*) echo "$s" ;; *) for k in $(keys_of "$s"); do
                below=$(keys_of "$s.$k") # of a section in a section
                for b in ${below:-.}; do echo "$s.$k${below:+.$b}"; done
        done ;; esac
done)
[ "$(wc -l <<<"$settings")" -gt 20 ]
result $? "lsmpull tells which settings there are"
same "configuration.md has every setting, and no other" "$settings" "$(awk -v single=" $single " '
        /^## /{ section = $2; if (index(single, " " section " ")) print section }
        /^\| `/ && section != "mode" { split($0, cells, "|"); n = split(cells[2], names, ","); for (i = 1; i <= n; i++) { gsub(/[` ]/, "", names[i]); print section "." names[i] } }' "$docs/configuration.md")"
same "lsmpull.yaml.5 has every setting, and no other" "$settings" "$(awk -v single=" $single " '
        /^\.Ss /{ section = $2; if (index(single, " " section " ")) print section }
        /^\.Sh /{ section = "" }
        section != "" && /^\.It Cm /{ for (i = 3; i <= NF; i++) if ($i != ",") print section "." $i }' "$docs/man/lsmpull.yaml.5")"
# Behind "#" alone there is a setting, behind "# " text.
example() { sed -n 's/^#\([a-z][a-z_-]*:\|\(  \)\{1,2\}[a-z][a-z_-]*:\)/\1/p' "$top/puller/lsmpull.yaml"; }
same "the example has every setting, and no other" "$settings" "$(example | awk -v single=" $single " '
        /^[a-z]/{ section = $1; sub(/:.*/, "", section); if (index(single, " " section " ")) print section; next }
        /^  [a-z][a-z_-]*:$/{ within = $1; sub(/:.*/, ".", within); next }
        /^  [a-z]/{ within = "" }
        { key = $1; sub(/:.*/, "", key); print section "." within key }')"
# The example, with everything in it taken as it is shown, but for the other two kinds of source.
example | sed '/^  \(git\|branch\|bundle\|keys\|threshold\):/d; /^ssh:/,/^  known-hosts:/d' >all.yaml
err=$("$node" status --config all.yaml --state "$tmp/no-state" 2>&1)
status=$?
[[ $err != *all.yaml* ]]
result $? "the example is a good configuration"

# Every word of the sources that print them.
words_of() { sed 's://.*::; /^#include/d; /err_set\|err_errno/d' "$@" | grep -oE '"[a-z][a-z_-]+"' | tr -d '"' | sort -u; }
mapfile -t words < <(words_of "$top/puller/status.c" | grep -v '^b$')
described "status.md has every field and state of status --json" "$docs/status.md" "${words[@]}"
mapfile -t words < <(sed -n '/STEP_/s/.*/&/p' "$top/puller/journal.c" | grep -oE '\] = "[a-z]+"' | grep -oE '[a-z]+')
described "status.md has every step" "$docs/status.md" "${words[@]}"
mapfile -t words < <({ words_of "$top/puller/event.c"; sed -n 's/.*note(c, .*"\([a-z-]*\)", .*/\1/p' "$top/puller/reporter_watch.c"; echo cgroup_path; } | sort -u)
described "events.md has every field, type and state of events" "$docs/events.md" "${words[@]}"
mapfile -t words < <(cat "$top"/puller/doctor*.c | grep -oE 'doctor_found\(d, "[a-z-]+"|\{"trial-[a-z]+"' | grep -oE '"[a-z-]+' | tr -d '"' | sort -u)
described "operations.md has every check of doctor" "$docs/operations.md" "${words[@]}"
mapfile -t words < <(sed -n 's/^#define \([A-Z_]*\)(.*/\1/p; s/^#define \(comm_is\)(.*/\1/p' "$top/bpf/include/lsm_policy.h" | grep -v '^LSM_DENY$')
words+=(file_name_in lsm_count_error)
missing=
for w in "${words[@]}"; do grep -qF "\`$w(" "$docs/writing-policies.md" || missing+=" $w"; done
err="not there:$missing"
[ -z "$missing" ] && [ ${#words[@]} -gt 8 ]
result $? "writing-policies.md has every macro of lsm_policy.h"
mapfile -t words < <(grep -oE '\{"[a-zA-Z]+", (true|false), read_' "$top/builder/bundle_yaml.c" | grep -oE '"[a-zA-Z]+' | tr -d '"' | sort -u)
described "writing-policies.md has every key of bundle.yaml" "$docs/writing-policies.md" "${words[@]}"
mapfile -t words < <(grep -ohE '\{"[a-zA-Z_]+", (true|false), read_' "$top/builder/rules_yaml.c" | grep -oE '"[a-zA-Z_]+' | tr -d '"' | grep -vxE 'source|fs|device' | sort -u)
described "rules.md has every key of rules" "$docs/rules.md" "${words[@]}"
mapfile -t words < <(grep -oE '\[LSM_OP_[A-Z_]+\] = \{' "$top/builder/rules_words.c" | sed 's/.LSM_OP_//; s/\].*//' | while read -r op; do sed -n "s/.*X($op, \"\([a-z.-]*\)\").*/\1/p" "$top/bpf/engine/lsm_rules_abi.h"; done)
[ ${#words[@]} -ge 18 ]
result $? "rules_words.c says which operations there are"
described "rules.md has every operation" "$docs/rules.md" "${words[@]}"

# ---- links and names ------------------------------------------------------------------------------------------------

pages=$(cd "$top" && find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sed 's:^\./::' | sort)

# An anchor as hosts of Git repositories make it of a heading.
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
broken=
for page in $pages; do
        while read -r link; do
                case $link in http://* | https://* | mailto:*) continue ;; esac
                file=${link%%#*}
                if [ -n "$file" ]; then target=$(dirname "$top/$page")/$file; else target=$top/$page; fi
                if [ ! -e "$target" ]; then
                        broken+="$page: $link"$'\n'
                elif [[ $link == *"#"* ]] && ! anchors "$target" | grep -qxF -- "${link#*#}"; then
                        broken+="$page: $link (no such heading)"$'\n'
                fi
        done < <(awk '/^```/{code = !code} !code' "$top/$page" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//')
done
err=$broken
[ -z "$broken" ] && [ -n "$pages" ]
result $? "every link into the repository leads somewhere"

# Paths that begin with a directory of the repository, and names of pages. NAME, X, HOOK...: places for others.
broken=
for page in $pages; do
        while read -r name; do
                case $name in *[A-Z][A-Z]* | */X* | *'*'* | *'…'* | *'{'*) continue ;; esac
                if [ ! -e "$top/$name" ] && [ ! -e "$(dirname "$top/$page")/$name" ]; then broken+="$page: $name"$'\n'; fi
        done < <(tr '`(), ' '\n\n\n\n\n' <"$top/$page" | grep -oE '^(\./)?((lib|builder|puller|bpf|bundles|ci|tests|docs|keys)/[A-Za-z0-9_.*{}/…-]+|[a-z][a-z-]*\.md)' |
                sed 's/[.:;]*$//' | sort -u)
done
err=$broken
[ -z "$broken" ]
result $? "no document names a file that is not there"

done_testing
