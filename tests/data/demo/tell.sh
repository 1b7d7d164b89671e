# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# How the demo tells its story, on the host and in the guest: plain lines, which ci/demo paints when a terminal looks on.
#
#   == TITLE            chapter TITLE
#   text                tell TEXT
#   PROMPT command      show COMMAND [HOW...]: runs it (by HOW, default eval), and keeps what it prints in $TELL/out and its exit
#                       status in $status
#       output
#    ok  meaning        ends STATUS MEANING; says REGEX MEANING; says_not REGEX MEANING; holds MEANING COMMAND...
#   FAILED ...          a check did not come out as told: the demo ends there, with exit status 1

: "${TELL:?a folder for what commands print}" "${PROMPT:=\$}"
status=0

chapter() { printf '\n== %s\n' "$*"; }
tell() { printf '\n%s\n' "$*" | fold -s -w 100 | sed 's/ *$//'; }

show() {
        shown=$1
        shift
        [ $# -gt 0 ] || set -- eval
        printf '\n%s %s\n' "$PROMPT" "$shown"
        # All files are open before the command runs: under a policy that denies every open, the story goes on.
        { ("$@" "$shown") 2>&1 4>&-; echo $? >&4; } 4>"$TELL/status" | while IFS= read -r line || [ -n "$line" ]; do
                printf '%s\n' "$line" >&3
                printf '    %s\n' "$line"
        done 3>"$TELL/out"
        status=$(cat "$TELL/status")
}

good() { printf ' ok  %s\n' "$1"; }

bad() {
        printf '\nFAILED: %s\n' "$1"
        shift
        for _line; do printf 'FAILED: %s\n' "$_line"; done
        exit 1
}

ends() {
        [ "$status" = "$1" ] || bad "$2" "exit status $status where $1 was expected, from: $shown"
        good "$2"
}

says() {
        grep -Eq -e "$1" "$TELL/out" || bad "$2" "nothing printed matches '$1', by: $shown"
        good "$2"
}

says_not() {
        if grep -Eq -e "$1" "$TELL/out"; then bad "$2" "'$1' is matched by what was printed by: $shown"; fi
        good "$2"
}

holds() {
        _meaning=$1
        shift
        "$@" >/dev/null 2>&1 || bad "$_meaning" "this does not hold: $*"
        good "$_meaning"
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
        _left=$1
        shift
        until "$@" >/dev/null 2>&1; do
                [ "$_left" -gt 0 ] || return 1
                _left=$((_left - 1))
                sleep 1
        done
}
