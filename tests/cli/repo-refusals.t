#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# What must never be signed or published: changed, forged, reused, out of date, damaged. After each refusal the repository serves
# what it did before.
. "$(dirname "$0")/repo.sh"
need openssl perl flock

keys k mallory
release 1 1.0.0
release 2 1.1.0
release 3 1.2.0
cp sample-2.tar.zst good-2.tar.zst
cp sample-3.tar.zst good-3.tar.zst
"$program" repo init r --key k.key >/dev/null && publish_as r sample-1.tar.zst k.key
result $? "a repository with a release"
before=$(state r)

# fresh: release 2, staged and signed, in r/pending/sample-2
fresh() { rm -rf r/pending && "$program" repo stage -r r good-2.tar.zst >/dev/null && "$program" sign r/pending/sample-2 --key k.key >/dev/null; }
# unpublished WORD NAME: publishing is refused, and nothing that is served has changed
unpublished() {
        run repo publish r/pending/sample-2 --key k.key
        refused "$1" "publish: $2"
        [ "$(state r)" = "$before" ]
        result $? "nothing changed: $2"
}
# both WORD NAME: signing is refused, too
both() {
        run sign r/pending/sample-2 --key k.key
        refused "$1" "sign: $2"
        unpublished "$1" "$2"
}
edit() { # FILE JQ...
        local file=$1
        shift
        jq -c "$@" "$file" >.edited && mv .edited "$file"
}
p=r/pending/sample-2

fresh
edit $p/bundles.json '.signatures = []'
unpublished unknown-key "nobody has signed"
fresh
edit $p/bundles.json '.signed.expires = "2099-01-01T00:00:00Z"'
unpublished bad-signature "changed after it was signed"
fresh
edit $p/bundles.json '.signatures[0].sig |= "00" + .[2:]'
unpublished bad-signature "a damaged signature"
fresh
jq .signed $p/bundles.json | signed_by mallory.key >.edited && mv .edited $p/bundles.json
unpublished unknown-key "signed by somebody else"
run sign $p --key mallory.key
refused unknown-key "somebody else may not sign"
fresh
printf x >>$p/sample-1.1.0.tar.zst
both length-mismatch "a longer file"
fresh
perl -pi -e 's/./chr(ord($&) ^ 1)/e if $. == 1' $p/sample-1.1.0.tar.zst
both digest-mismatch "another file of that length"
fresh
rm $p/sample-1.1.0.tar.zst
both missing-member "no file"

# Somebody who holds the key of bundles, and whoever signs without looking: the rules hold for them, too.
again() { # JQ...: the pending metadata changed and signed anew by the key itself
        jq "$@" $p/bundles.json | jq .signed | signed_by k.key >.edited && mv .edited $p/bundles.json
}
target=bundles/sample-1.1.0.tar.zst
fresh; again --arg t $target '.signed.targets[$t].custom.release = 7'
both wrong-bundle "an entry with another release than the bundle"
fresh; again --arg t $target '.signed.targets[$t].custom.bundle = "other"'
both malformed "an entry with another name than its path"
fresh; again --arg t $target '.signed.targets[$t].custom.content |= "0" * 64'
both wrong-bundle "an entry with another content id"
fresh; again --arg t $target 'del(.signed.targets[$t].custom)'
both malformed "an entry that does not say what it is"
fresh; again --arg t $target '.signed.targets["bundles/../x.tar.zst"] = .signed.targets[$t] | del(.signed.targets[$t])'
both missing-member "a path that leads out"
fresh; again '.signed.targets["bundles/sample-1.0.0.tar.zst"].custom.content |= "0" * 64'
both release-reused "a published release with another content"
fresh; again --arg t $target '.signed.targets[$t].custom.floor = 1'
both malformed "two floors for one bundle"
fresh; again '.signed.targets[].custom.floor = 9'
both release-too-old "a floor above the newest release"
fresh; again '.signed._type = "root"'
both wrong-type "another type"
fresh; again '.signed.spec_version = "2.0.0"'
both unsupported-format "another version of TUF"
fresh; again '.signed.version = 9'
both stale-base "a version that does not follow"
fresh; edit $p/pending.json '.base.bundles = 1'
both stale-base "a base that is not the one in force"
fresh; edit $p/pending.json '.base.timestamp = 1'
both malformed "a base that no change has"
fresh; edit $p/pending.json '.format = 2'
both unsupported-format "another format"

# What JSON allows and signed documents do not have.
for bad in 's/"length":/"length":1.5,"was":/:a float' 's/"version":3/"version":3e0/:a number with an exponent' \
        's/"version":3/"version":9007199254740993/:a number beyond 2^53' 's/"version":3/"version":3,"version":3/:a key twice' \
        's/"1\.1\.0"/"1.1.0\\u001b[2J"/:a control character' 's/\}$/}}/:something after the end' 's/"expires":"[^"]*"/"expires":"soon"/:no time' \
        's/"expires":"[^"]*"/"expires":"2026-02-30T00:00:00Z"/:a day that is none' 's/"expires"/"expired"/:no expiry'; do
        fresh
        perl -pi -e "${bad%:*}" $p/bundles.json
        both malformed "${bad##*:}"
done
fresh
head -c 1100000 /dev/zero | tr '\0' ' ' >>$p/bundles.json
both too-large "metadata without end"
fresh
rm $p/bundles.json
both malformed "nothing to publish"

fresh; again --arg t $target '.signed.targets += (.signed.targets[$t] as $e | [range(20) | {"bundles/sample-2.\(.).0.tar.zst": $e}] | add)'
cp $p/sample-1.1.0.tar.zst .copy
for i in $(seq 0 19); do cp .copy $p/sample-2.$i.0.tar.zst; done
both too-large "more files than memory should hold"
"$program" repo init brief --key k.key --expires bundles=2s >/dev/null && "$program" repo stage -r brief sample-1.tar.zst >/dev/null &&
        "$program" sign brief/pending/sample-1 --key k.key >/dev/null
sleep 3
run repo publish brief/pending/sample-1 --key k.key
refused expired "publish: expired while it was pending"
run sign brief/pending/sample-1 --key k.key
refused expired "sign: expired while it was pending"

fresh
flock $p sleep 2 &
sleep 0.5
run sign $p --key k.key
exits 1 "two who sign at once"
complains "somebody else is signing" "the second waits"
wait

# What is no pending change is nobody's to remove.
mkdir mine
touch mine/diary
run repo stage -r r good-2.tar.zst --output mine
exits 1 "stage --output over a folder of somebody's"
[ -e mine/diary ]
result $? "it is still there"
touch r/metadata/.htaccess
before=$(state r)
run repo refresh -r r --key k.key
[ -e r/metadata/.htaccess ]
result $? "nor is a file in metadata/ that is not ours"
rm r/metadata/.htaccess
before=$(state r)

# A clone that somebody made with keys of his own, in which the release seems to be in force already.
"$program" repo init fake --key mallory.key >/dev/null
fresh
run sign $p --key k.key --root fake/metadata/1.root.json
refused unknown-key "sign: the repository does not follow from the signer's root"
run sign $p --key k.key --root r/repo.json
refused malformed "sign: a root that is none"
run sign $p --key k.key --root r/metadata/1.root.json
exits 0 "sign: it does"

# ---- numbers are used once ------------------------------------------------------------------------------------------

fresh
run repo publish $p --key k.key
exits 0 "the same, untouched, is published"
before=$(state r)
bundle src-sample "seeds: {names: [another]}"
sed -i 's/^name: .*/name: sample/' src-sample/bundle.yaml
"$program" build src-sample -o reused.tar.zst --release 2 --bundle-version 9.0.0 >/dev/null 2>&1
run repo stage -r r reused.tar.zst
refused release-reused "a release that was published with another content"
"$program" build src-sample -o reused.tar.zst --release 3 --bundle-version 1.1.0 >/dev/null 2>&1
run repo stage -r r reused.tar.zst
refused release-reused "a version that was published as another release"
publish_as r good-3.tar.zst k.key
"$program" build src-sample -o low.tar.zst --release 2 --bundle-version 0.9.0 >/dev/null 2>&1
run repo stage -r r low.tar.zst
[ "$status" = 3 ]
result $? "a release below the newest"
printf 'no bundle' >no.tar.zst
run repo stage -r r no.tar.zst
[ "$status" = 3 ]
result $? "what is no bundle is not staged"

# ---- two at a time --------------------------------------------------------------------------------------------------

release 4 1.3.0
release 1 1.0.0 second
for f in sample-4 second-1; do
        "$program" repo stage -r r $f.tar.zst >/dev/null && "$program" sign r/pending/$f --key k.key >/dev/null
done
run repo publish r/pending/sample-4 --key k.key
exits 0 "two pending releases: the first"
before=$(state r)
run repo publish r/pending/second-1 --key k.key
refused stale-base "the second is based on what is no longer in force"
run sign r/pending/second-1 --key k.key
refused stale-base "nor is it signed any more"
[ "$(state r)" = "$before" ]
result $? "nothing changed"
run repo stage -r r second-1.tar.zst
exits 0 "staged again, in place of the stale one"
"$program" sign r/pending/second-1 --key k.key >/dev/null
run repo publish r/pending/second-1 --key k.key
exits 0 "and signed again, it is published"

# ---- a repository that does not hold ---------------------------------------------------------------------------------

run repo show -r nowhere
exits 1 "no repository"
cp -a r broken
edit broken/metadata/timestamp.json '.signed.expires = "2099-01-01T00:00:00Z"'
run repo refresh -r broken --key k.key
refused bad-signature "a timestamp that nobody signed is not built upon"
cp -a r broken2
n=$(version r bundles)
edit "broken2/metadata/$n.bundles.json" '.signed.targets = {}'
run repo stage -r broken2 sample-4.tar.zst
refused digest-mismatch "metadata that is not what the snapshot lists"
cp -a r broken3
rm "broken3/metadata/$n.bundles.json"
run repo show -r broken3
exits 1 "metadata that is missing"

done_testing
