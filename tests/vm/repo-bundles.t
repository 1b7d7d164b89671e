# SPDX-License-Identifier: Apache-2.0
# Several bundles of one repository side by side: each has its own gate, releases and mishaps, and what happens to one is nothing to
# the other.
# needs: openssl build/lsmbundle
# files: tests/vm/node.sh:/test/node.sh
# kernels: 6.12
# timeout: 400
# timeout-long: 3600
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

R=/tmp/repo
if [ "$LONG" = 1 ]; then rounds=50; else rounds=4; fi
hostname node

publish() { # BUNDLE NAME
        lsmbundle repo stage "/test/bundles/$1.tar.zst" -r $R && lsmbundle sign $R/pending/"$2"-* --key $T/all.key &&
                lsmbundle repo publish $R/pending/"$2"-* -r $R --key $T/all.key
}
promote() { lsmbundle repo promote "$1" "$2" --ring canary -r $R --key $T/all.key; }
once() { run lsmpull once; }
configure() { config "source: {repository: $R}" "bundles: [$1]" 'ring: canary' 'node-id: one' 'poll: {interval: 1m}' 'confirm: {deadline: 90s, health: 1s}'; }

# The number of a bundle in `status`, which changes when bundles come and go.
place() { sed -n "s/^bundles\.\([0-9]*\)\.name=$1\$/\1/p" $T/status; }
field() { value "bundles.$(place "$1").$2"; } # BUNDLE FIELD, of the last status
releases() {
        status
        echo "rb $(field rb in_force.release), beside $(field beside in_force.release)"
}

lsmbundle keygen all --dir $T >/dev/null && lsmbundle repo init $R --key $T/all.key >/dev/null
mkdir -p /etc/lsmpull && cp $R/metadata/1.root.json /etc/lsmpull/root.json
for b in rb-1 rb-2 rb-selftest; do publish $b rb >/dev/null; done
for b in beside-1 beside-2; do publish $b beside >/dev/null; done

# ---- both arrive in one poll -----------------------------------------------------------------------------------------------

configure rb,beside
ok "release 1 of the one" promote rb 1
ok "release 1 of the other" promote beside 1
once
is "$status" 0 "one poll brings both" || diag "$err"
is "$(releases)" "rb 1, beside 1" "both are in force"
ok "the one denies what it is about" denied shadow
ok "the other what it is about" denied beside
ok "nobody what neither is about" allowed beside-too

# ---- one moves, the other stays ---------------------------------------------------------------------------------------------

hammer_begin
status
before=$(field rb gate.sequence)
i=0
while [ $i -lt $rounds ]; do
        promote beside $((2 - i % 2)) >/dev/null
        once
        [ "$status" = 0 ] || diag "$out$err"
        i=$((i + 1))
done
is "$(releases)" "rb 1, beside 1" "the other has moved $rounds times"
is "$(field rb gate.sequence)" "$before" "and the gate of the one has not been touched"
isnt "$before" "" "of which status tells"
promote rb 2 >/dev/null
promote beside 2 >/dev/null
once
is "$(releases)" "rb 2, beside 2" "both move in one poll"
ok "and deny what is new: the one" denied gshadow
ok "the other" denied beside-too

# ---- one fails, the other does not care -------------------------------------------------------------------------------------

promote rb 6 >/dev/null
promote beside 1 >/dev/null
once
is "$status" 4 "a bad release of the one, a good one of the other: the poll says that one was bad"
is "$(releases)" "rb 2, beside 1" "the one stays, the other moves"
is "$(field rb state), $(field beside state)" "enforcing, enforcing" "both enforce"
like "$(value quarantine.0.bundle)" '^rb$' "the bad release is in quarantine"
once
is "$(releases)" "rb 2, beside 1" "and stays there, nothing moves"
promote beside 2 >/dev/null
once
is "$(releases)" "rb 2, beside 2" "the other still gets its releases"
ok "the one is paused" lsmpull pause
promote beside 1 >/dev/null
once
is "$(releases)" "rb 2, beside 2" "a pause holds for all"
lsmpull resume >/dev/null 2>&1
once
is "$(releases)" "rb 2, beside 1" "then it goes on"
promote rb 2 >/dev/null

# ---- gone, and back ----------------------------------------------------------------------------------------------------------

hammer_end "nothing got through to what the one protects"
ok "the other is removed" lsmpull remove beside --yes
ok "it denies no more" allowed beside
ok "the one does" denied shadow
once
status
is "$(field rb in_force.release)" 2 "the next poll leaves it at that"
ok "the other stays away" allowed beside
ok "until it is asked for" lsmpull retry beside
once
is "$(releases)" "rb 2, beside 1" "then it is back"
configure rb
once
is "$(releases)" "rb 2, beside 1" "a bundle that is no longer configured stays in force: taking it away is 'remove'"
ok "and denies" denied beside
done_testing
