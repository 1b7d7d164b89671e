#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Signatures: several people one after the other, and everything that must not pass.
. "$(dirname "$0")/lsmbundle.sh"
need clang openssl zstd tar perl

for k in alice bob carol mallory; do "$program" keygen $k >$k.id; done
bundle b 'seeds: {names: [a, b]}'
run build b -o plain.tar.zst
id=$(content_id)
run build b -o signed.tar.zst --key alice.key
exits 0 "build --key"
says "signed by $(cut -c1-16 alice.id)" "names the key"
[ "$(content_id)" = "$id" ]
result $? "the content id does not depend on the signature"

# ---- who signed ----
run verify signed.tar.zst --key alice.pub
exits 0 "verify"
says "content id $id" "tells the content id"
says "$(<alice.id) alice.pub" "tells who signed"
run verify plain.tar.zst --key alice.pub
[ "$status" = 3 ] && [[ $err =~ ^lsmbundle:\ refused:\ (unknown-key|threshold-not-met):\  ]]
result $? "an unsigned bundle is refused"
run verify signed.tar.zst --key bob.pub
refused unknown-key "a bundle signed by somebody else"
run verify signed.tar.zst --key alice.pub --key bob.pub
refused threshold-not-met "several keys: all must have signed"
run verify signed.tar.zst --key alice.pub --key bob.pub --threshold 1
exits 0 "--threshold 1: one is enough"
says "not signed by $(<bob.id)" "and who has not is said"
cp alice.pub alias.pub
run verify signed.tar.zst --key alice.pub --key alias.pub
refused threshold-not-met "one key under two names counts once"
run verify signed.tar.zst --key alice.pub --key alias.pub --threshold 2
refused threshold-not-met "with --threshold 2, too"
run verify signed.tar.zst --key alice.pub --threshold 2
exits 2 "a threshold that cannot be met is a wrong usage"
run verify signed.tar.zst --key alice.pub --threshold 0
exits 2 "so is a threshold of none"
run verify signed.tar.zst --key nowhere.pub
exits 1 "a key that is not there"
echo hello >text.pub
run verify signed.tar.zst --key text.pub
[ "$status" != 0 ]
result $? "a file that is no key"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null && openssl pkey -in rsa.key -pubout -out rsa.pub
run verify signed.tar.zst --key rsa.pub
[ "$status" != 0 ]
result $? "a key of another kind"

# ---- several people ----
cp plain.tar.zst many.tar.zst && chmod 640 many.tar.zst
run sign many.tar.zst --key alice.key
exits 0 "the first signature"
says "content id $id, 1 signature" "same content id"
run sign many.tar.zst --key bob.key
says "2 signatures" "the second"
run verify many.tar.zst --key alice.pub --key bob.pub
exits 0 "both are there"
run verify many.tar.zst --key alice.pub --key bob.pub --key carol.pub --threshold 2
exits 0 "two of three"
run verify many.tar.zst --key bob.pub --key carol.pub --threshold 2
refused threshold-not-met "two of two others"
[ "$(stat -c %a many.tar.zst)" = 640 ]
result $? "the file keeps its mode"
before=$(sha256sum many.tar.zst)
run sign many.tar.zst --key alice.key
[ "$status" = 0 ] && [ "$(sha256sum many.tar.zst)" = "$before" ]
result $? "signing again changes nothing"
cp plain.tar.zst other.tar.zst
"$program" sign other.tar.zst --key bob.key >/dev/null && "$program" sign other.tar.zst --key alice.key >/dev/null
check "the order of signing does not show" cmp many.tar.zst other.tar.zst
run build b -o both.tar.zst --key bob.key --key alice.key
check "nor does it whether build or sign made them" cmp many.tar.zst both.tar.zst
run build b -o twice.tar.zst --key alice.key --key alice.key
check "one key twice signs once" cmp twice.tar.zst signed.tar.zst
run sign many.tar.zst --key alice.pub
[ "$status" = 1 ] || [ "$status" = 3 ]
result $? "a public key cannot sign"
[ "$(sha256sum many.tar.zst)" = "$before" ] && [ -z "$(find . -maxdepth 1 -name '.*' -type f ! -name .err)" ]
result $? "and leaves the file alone, and nothing beside it"
run sign nowhere.tar.zst --key alice.key
exits 1 "a bundle that is not there"
dd if=/dev/zero of=garbage.tar.zst bs=1k count=4 2>/dev/null
run sign garbage.tar.zst --key alice.key
exits 3 "what is no bundle gets no signature"

# ---- OpenSSL alone can check a signature ----
zstd -dcq signed.tar.zst | tar -xO -f - manifest.json >manifest.json
perl -0pe 's/.*"signed"://s; s/\}\z//' manifest.json >body
perl -0ne 'print pack "H*", $1 if /"sig":"([0-9a-f]+)"/' manifest.json >sig
check "openssl pkeyutl agrees" openssl pkeyutl -verify -pubin -inkey alice.pub -rawin -in body -sigfile sig
[ "$(sha256sum <body | cut -d' ' -f1)" = "$id" ]
result $? "the content id is the digest of the signed bytes"

# ---- damage ----
size=$(stat -c %s signed.tar.zst)
tampered=0 passed=''
zstd -dcq signed.tar.zst >whole.tar
for ((at = 20; at < size; at += size / 40)); do
        perl -0777 -pe "substr(\$_, $at, 1) ^= chr 1" signed.tar.zst >t.tar.zst
        # zstd has bits that mean nothing: one in a thousand flips leaves every byte of the tar as it was.
        if zstd -dcq t.tar.zst 2>/dev/null | cmp -s - whole.tar; then continue; fi
        run verify t.tar.zst --key alice.pub
        [ "$status" = 3 ] && [[ $err =~ ^lsmbundle:\ refused:\ [a-z-]+:\  ]] || passed+=" $at"
        tampered=$((tampered + 1))
done
[ -z "$passed" ]
result $? "one bit flipped at $tampered places: refused, each with a reason${passed:+ (not at$passed)}"
passed=''
for ((at = 0; at < size; at += size / 40)); do
        head -c $at signed.tar.zst >t.tar.zst
        run verify t.tar.zst --key alice.pub
        [ "$status" = 3 ] && [[ $err =~ ^lsmbundle:\ refused:\ [a-z-]+:\  ]] || passed+=" $at"
done
[ -z "$passed" ]
result $? "cut short anywhere: refused, each with a reason${passed:+ (not at$passed)}"
head -c $((size - 1)) signed.tar.zst >t.tar.zst
run verify t.tar.zst --key alice.pub
refused truncated "its last byte missing"
(cat signed.tar.zst; echo) >t.tar.zst
run verify t.tar.zst --key alice.pub
refused trailing-data "a byte too many"

# A manifest with a forged signature under a known key id: repack with other bytes.
mkdir x && zstd -dcq signed.tar.zst | tar -x -f - -C x
repack() { # FRAME1-FILE: signed.tar.zst's content with another manifest
        (cd x && tar --format=ustar --owner=0 --group=0 --mtime=@0 -b1 -cf ../m.tar manifest.json && head -c -1024 ../m.tar | zstd -q >../t.tar.zst)
        (cd x && tar --format=ustar --owner=0 --group=0 --mtime=@0 -b1 -cf - selftests.json objects/p.bpf.o seeds/p.names.bin | zstd -q >>../t.tar.zst)
}
perl -0pe 's/("sig":")(.)/$1 . ($2 eq "0" ? "1" : "0")/e' manifest.json >x/manifest.json
repack
run verify t.tar.zst --key alice.pub
refused bad-signature "a wrong signature under a known key"
perl -0pe 's/"release":7/"release":8/' manifest.json >x/manifest.json
repack
run verify t.tar.zst --key alice.pub
refused bad-signature "a manifest that was changed"

# ---- JSON ----
run verify signed.tar.zst --key alice.pub --json
says '"verified": true' "--json"
says "\"content_id\": \"$id\"" "with the content id"
run verify signed.tar.zst --key bob.pub --json
[ "$status" = 3 ] && [[ $out == *'"verified": false'* && $out == *'"reason": "unknown-key"'* ]]
result $? "--json of a refusal"

done_testing
