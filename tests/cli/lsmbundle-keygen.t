#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Keys: never overwritten, secret ones readable by their owner alone, the id that others compute, too.
. "$(dirname "$0")/lsmbundle.sh"
need openssl

umask 000
run keygen alice
exits 0 "keygen"
id=$out
[[ $id =~ ^[0-9a-f]{64}$ ]]
result $? "prints the key id"
[ "$(stat -c %a alice.key)" = 600 ]
result $? "the secret key is 0600, whatever the umask"
umask 022

check "OpenSSL reads the secret key" openssl pkey -in alice.key -noout
check "OpenSSL reads the public key" openssl pkey -pubin -in alice.pub -noout
[ "$(openssl pkey -in alice.key -pubout)" = "$(<alice.pub)" ]
result $? "the two belong together"
raw=$(openssl pkey -pubin -in alice.pub -outform DER | tail -c 32 | od -An -tx1 | tr -d ' \n')
[ "$(printf '{"keytype":"ed25519","keyval":{"public":"%s"},"scheme":"ed25519"}' "$raw" | sha256sum | cut -d' ' -f1)" = "$id" ]
result $? "the id is the digest of the canonical TUF key object"

sum=$(sha256sum alice.key alice.pub)
run keygen alice
exits 1 "the same name again fails"
complains "'alice.key' exists" "it says which file is in the way"
[ "$(sha256sum alice.key alice.pub)" = "$sum" ]
result $? "neither file was touched"

: >bob.pub
run keygen bob
exits 1 "a public key in the way is no less a reason"
[ ! -e bob.key ] && [ ! -s bob.pub ]
result $? "no secret key is left without its public one"

ln -s /nowhere carol.key
run keygen carol
exits 1 "nor is a symbolic link that leads nowhere"
[ ! -e carol.pub ]
result $? "and nothing is written"

mkdir keys
run keygen dave --dir keys
exits 0 "--dir"
[ -f keys/dave.key ] && [ -f keys/dave.pub ]
result $? "both files are there"
run keygen dave -d nowhere
exits 1 "a directory that is not there"

done_testing
