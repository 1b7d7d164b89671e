# SPDX-License-Identifier: Apache-2.0
# Allow-lists: what no rule allows is denied, for the operations that say so and no others; in audit all of it is only
# reported.
# files: tests/vm/node.sh:/test/node.sh
# kernels: 6.12
# kernels-long: 6.1 6.12 latest
# timeout: 500
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

P=/tmp/p
mkdir -p $P/own/no $P/out $P/links $P/pipes $P/logs
for d in own own/no out; do cp /bin/busybox $P/$d/; done
for f in logs/a other; do echo content >$P/$f; done
chmod -R a+rX $P
deep=$P/links
i=0
while [ $i -lt 70 ]; do
        deep=$deep/d
        i=$((i + 1))
done
mkdir -p $deep

refused() { # COMMAND...: for want of permission
        "$@" >"$T/why" 2>&1 && return 1
        grep -q 'Permission denied\|Operation not permitted' "$T/why"
}
rule() { # POLICY/RULE COUNT
        _at=$(sed -n "s/^\(bundles\.0\.policies\.0\.rules\.[0-9]*\)\.policy=${1%/*}\$/\1/p" "$T/status")
        for _a in $_at; do [ "$(value "$_a.rule")" = "${1#*/}" ] && value "$_a.$2"; done
}

config 'confirm: {deadline: 200s, health: 1s}'
ok "without the bundle all of it runs" $P/out/busybox true
ok "and can be made" ln -s x $deep/before
apply postures
is "$status" 0 "a bundle of allow-lists is installed"
diag "$err"
status
programs=$(rule programs/default denied) # by its self-tests

ok "a program that is not in the list" refused $P/out/busybox true
ok "one that is" /bin/busybox true
ok "one that is, for root" $P/own/busybox true
ok "for another user it is not" refused su -s /bin/sh -c "$P/own/busybox true" user
run $P/own/no/busybox true
isnt "$status" 0 "within what is allowed, what is denied"
ok "a link where there may be none" refused ln -s x $P/out/link
ok "where there may" ln -s x $P/links/link
ok "a pipe where there may be none" refused mkfifo $P/pipes/other
ok "where there may" mkfifo $P/pipes/x.fifo
ok "what is only reported goes through" mkfifo $P/pipes/watched
ok "an operation that has no list" mkdir $P/out/dir
ok "one whose list is said to be everything" touch $P/out/file
# Every O_TRUNC of this script is one, too, that of `status` among them: as many each time.
watched() { status; rule watched/default would_deny; }
first=$(watched)
again=$(watched)
truncate_by path $P/other
other=$(watched)
truncate_by path $P/logs/a
logs=$(watched)
own=$((again - first))
is "$((other - again - own)) $((logs - other - own))" "1 0" "what audit let through, and what the list allows"
ok "a list in audit" truncate_by path $P/other
ok "what that list allows" truncate_by path $P/logs/a

ok "a list holds for all below, however deep" ln -s x $deep/link

status
is "$(($(rule programs/default denied) - programs)) $(rule programs/not-this denied)" "2 1" "each list counts what it has denied"
is "$(rule names/pipes-watched would_deny)" 1 "what was reported"
is "$(rule watched/default denied)" 0 "audit has denied nothing"
run lsmpull status
like "$out" '^    programs +enforce$' "status has the mode of each list"
like "$out" '^    watched +audit$' "of that in audit, too"
like "$(lsmpull events --json)" '"policy":"names","rule":"default"' "events name the list"
lsmpull remove postures --yes >/dev/null 2>&1
ok "without it all of it runs again" $P/out/busybox true
done_testing
