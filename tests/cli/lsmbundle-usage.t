#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# The command line itself: help at every level, one-line usage errors, a man page that names all of it.
. "$(dirname "$0")/lsmbundle.sh"

commands=(keygen lint build sign verify inspect diff test "repo init" "repo stage" "repo publish" "repo promote" "repo refresh"
        "repo rotate" "repo show" "import kubearmor" "import tetragon")
man=$top/docs/man/lsmbundle.1

run --version
exits 0 "--version"
[ "$out" = "lsmbundle $(<"$top/VERSION")" ]
result $? "--version tells the version"

run --help
exits 0 "--help"
for c in "${commands[@]}"; do
        grep -qE "^  $c " <<<"$out"
        result $? "--help names $c"
done
[ "$(grep -cE '^  [a-z]+( [a-z]+)?  ' <<<"$out")" = ${#commands[@]} ]
result $? "--help names no command that is not there"

for c in "${commands[@]}"; do
        read -ra words <<<"$c"
        run "${words[@]}" --help
        exits 0 "$c --help"
        says "usage: lsmbundle $c" "$c --help shows its usage"
        missing=
        for option in $(grep -oE -- '--[a-z-]+' <<<"$out" | sort -u); do
                grep -qE "^\.It.* Fl -${option#--}( |$)" "$man" || missing+=" $option"
        done
        grep -qE "^\.It Ic $c( |$)" "$man" && [ -z "$missing" ]
        result $? "the man page names $c and its options${missing:+ (not$missing)}"
done

# usage ARG...: exit code 2, one line that points to the help, and not the help itself
usage() {
        run "$@"
        [ "$status" = 2 ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "lsmbundle: "*": see lsmbundle "*"--help" ]] && [ -z "$out" ]
        result $? "wrong usage: lsmbundle${*:+ $*}"
}
run repo --help
exits 0 "repo --help"
[ "$(grep -cE '^  repo [a-z]+  ' <<<"$out")" = 7 ] && [ "$(grep -c '^  [a-z]' <<<"$out")" = 7 ]
result $? "repo --help names the commands of repo, and no others"
usage
usage frobnicate
usage --frobnicate
usage keygen
usage keygen a b
usage keygen ../a
usage keygen ''
usage lint
usage lint a b
usage build
usage build --frobnicate x
usage build x -o
usage build x -o a -o b
usage sign x
usage sign
usage verify x
usage verify
usage inspect
usage inspect --json=yes x
usage diff a
usage diff a b c
usage diff --json --markdown a b
usage test
usage test a b
usage test --kernel
usage test --jobs 0 x
usage test --timeout x y
usage test --release x y
usage sign --source d --key k x
usage sign --root r --key k x
usage verify --root r x
usage verify --ca c x
usage verify --repo r x
usage verify --root r --repo r --key k x
usage import
usage import seccomp
usage import kubearmor
usage import tetragon
usage repo
usage repo frobnicate
usage repo init
usage repo init d
usage repo init d --branch b --key k
usage repo stage
usage repo stage --floor x b
usage repo publish p
usage repo publish p --key k --keep 0
usage repo promote
usage repo promote a
usage repo promote A 1 --ring r --key k
usage repo promote a 1 --key k
usage repo promote a 1 --ring r
usage repo promote a 1 --ring -r --key k
usage repo promote a --ring r --hold --key k
usage repo promote a --hold --resume --key k
usage repo promote a --hold --percent 5 --key k
usage repo promote a 1 --ring r --percent 5 --waves 1h:5 --key k
usage repo promote a 1 --ring r --allow 5 --key k
usage repo promote a 1 --ring r --else 5 --key k
usage repo refresh
usage repo refresh x --key k
usage repo rotate
usage repo rotate root
usage repo rotate root --key k
usage repo rotate admin --add p --key k
usage repo rotate root --add p
usage repo rotate root --threshold 0 --key k
usage repo show x

run build "$tmp/nowhere"
exits 1 "a directory that is not there"
complains "nowhere" "it is named"
run inspect "$tmp/nowhere"
exits 1 "a file that is not there"

bundle b
run lint b
"$program" lint b >/dev/full 2>"$tmp/full"
[ $? = 1 ] && grep -q 'cannot write' "$tmp/full"
result $? "output that cannot be written is a failure"

done_testing
