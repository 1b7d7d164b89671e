#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# The commands of docs/bundle-format.md: who has only openssl, tar and jq must come to the same answer as `lsmbundle verify`.
. "$(dirname "$0")/lsmbundle.sh"
need clang openssl zstd tar jq basenc

{ echo 'set -eu'; sed -n '/^```sh$/,/^```$/{/^```/d;p;}' "$top/docs/bundle-format.md"; } >by-hand.sh
grep -q 'openssl pkeyutl -verify' by-hand.sh
result $? "the page has its commands"

# by_hand BUNDLE KEY.pub: sets out and status
by_hand() {
        rm -rf unpacked
        mkdir unpacked
        out=$(bundle=$PWD/$1 key=$PWD/$2 dir=$PWD/unpacked timeout 60 bash by-hand.sh 2>&1)
        status=$?
        err=''
}
# repack: unpacked/ as one frame; what `lsmbundle verify` says to that is another matter
repack() { tar -C unpacked -cf - manifest.json selftests.json objects seeds | zstd -q >"$1"; }

for k in alice bob mallory; do "$program" keygen $k >$k.id; done
bundle b 'seeds: {names: [a, b]}'
run build b -o b.tar.zst --key alice.key
id=$(content_id)
run sign b.tar.zst --key bob.key
exits 0 "a bundle signed by two"

for k in alice bob; do
        by_hand b.tar.zst $k.pub
        exits 0 "$k's signature"
        says 'Signature Verified Successfully' "openssl says so"
        says "$id" "and the content id is the same"
done
by_hand b.tar.zst mallory.pub
[ "$status" != 0 ]
result $? "who has not signed is not found"

by_hand b.tar.zst alice.pub
sed -i 's/"release":7/"release":8/' unpacked/manifest.json
repack changed.tar.zst
by_hand changed.tar.zst alice.pub
says 'Signature Verification Failure' "a changed manifest"

by_hand b.tar.zst alice.pub
printf x >>unpacked/selftests.json
repack damaged.tar.zst
by_hand damaged.tar.zst alice.pub
says 'selftests.json: FAILED' "a changed member"

done_testing
