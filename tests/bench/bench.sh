# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# For the commands of this directory: rows of the table, guests that count instructions, small arithmetic.
#
#   row NAME FIGURE COMPARED RATIO TARGET MET     a row; MET: yes, no, or "-" where there is no target
#   note TEXT...                                  to stderr: what is being done
#   calc EXPRESSION [DECIMALS]                    awk's arithmetic
#   at_most VALUE LIMIT, at_least VALUE LIMIT     "yes" or "no"
#   median                                        of the numbers on stdin, one a line
#   guest KERNEL SCRIPT [INITRAMFS OPTIONS...]    what SCRIPT prints in a guest whose nanoseconds are instructions
#   kernels [KERNEL...]                           of the given ones (default: all), those that can be booted
#
# Alone, a command prints its rows as a table when it ends; under tests/bench/run they go into the file $BENCH_ROWS.

top=$(dirname "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")")
build=$top/build/${LSM_VARIANT:-release}
progs=$build/tests/bench/progs
work=$(mktemp -d)
rows=${BENCH_ROWS:-$work/rows}

bench_end() {
        if [ -z "${BENCH_ROWS:-}" ] && [ -s "$rows" ]; then "$top/tests/bench/table" <"$rows"; fi
        rm -rf "$work"
}
trap bench_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

note() { printf 'bench: %s\n' "$*" >&2; }
die() { note "$@"; exit 1; }

row() { (IFS='|'; printf '%s\n' "$*") >>"$rows"; }

calc() { awk "BEGIN { printf \"%.${2:-0}f\", $1 }"; }
at_most() { awk "BEGIN { print ($1 <= $2) ? \"yes\" : \"no\" }"; }
at_least() { awk "BEGIN { print ($1 >= $2) ? \"yes\" : \"no\" }"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# value NAME FILE: the first number after NAME in lines "NAME NUMBER..."
value() { awk -v name="$1" '$1 == name { print $2; exit }' "$2"; }
# values NAME FILE [FIELD]: all of them
values() { awk -v name="$1" -v field="${3:-2}" '$1 == name { print $field }' "$2"; }

kernels() {
        local k wanted=("$@") found=()
        [ ${#wanted[@]} -gt 0 ] || wanted=(6.1 6.12 latest)
        for k in "${wanted[@]}"; do
                if "$top/ci/kernels" --only "$k" >/dev/null 2>&1; then found+=("$k"); else note "no kernel $k: skipped"; fi
        done
        echo "${found[*]}"
}

guest() {
        local kernel=$1 script=$2
        shift 2
        "$top/ci/initramfs" "$work/guest.cpio" --run "$script" "$@" || return
        "$top/ci/vm" --kernel "$kernel" --icount --timeout "${GUEST_TIMEOUT:-1800}" "$work/guest.cpio"
}
