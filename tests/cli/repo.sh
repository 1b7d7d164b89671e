# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # set by lsmbundle.sh
# What the tests of lsmbundle repo share, on top of lsmbundle.sh: keys, bundles to publish, and the way from one to the other.
. "$(dirname "${BASH_SOURCE[0]}")/lsmbundle.sh"
need clang jq

# keys NAME...: NAME.key, NAME.pub, NAME.id
keys() {
        local k
        for k; do "$program" keygen "$k" >"$k.id"; done
}
# release N VERSION [BUNDLE]: BUNDLE-N.tar.zst (BUNDLE: sample); releases differ in what the policy's map starts with
release() {
        local name=${3:-sample}
        bundle "src-$name" "seeds: {names: [name$1]}"
        sed -i "s/^name: .*/name: $name/" "src-$name/bundle.yaml"
        "$program" build "src-$name" -o "$name-$1.tar.zst" --release "$1" --bundle-version "$2" >/dev/null 2>&1
}
# publish_as REPO FILE KEY [OPTION...]: staged (with the options), signed and published with one key
publish_as() {
        local repo=$1 file=$2 key=$3 pending
        shift 3
        pending=$("$program" repo stage -r "$repo" "$file" "$@" | sed -n '1s/: .*//p') &&
                "$program" sign "$pending" --key "$key" >/dev/null && "$program" repo publish "$pending" --key "$key" >/dev/null
}
# version REPO ROLE: of the document in force
version() { "$program" repo show -r "$1" --json | jq -r --arg r "$2" '.roles[] | select(.role == $r) | .version'; }
# state REPO: all that is served, by name and content
state() { (cd "$1" && find metadata targets -type f -exec sha256sum {} + | sort); }
# accepts NAME FILE REPO [ROOT]: a client that begins with the first root finds that file listed
accepts() {
        run verify "$2" --root "${4:-$3/metadata/1.root.json}" --repo "$3"
        exits 0 "$1"
}
# resign FILE KEY JQ...: a metadata file changed by jq and signed anew by somebody: what a thief of that key can make
signed_by() { # JSON of `signed` on stdin, a key: the document on stdout
        local body sig
        body=$(jq -Sc . | tr -d '\n')
        printf %s "$body" >.body
        sig=$(openssl pkeyutl -sign -inkey "$1" -rawin -in .body | od -An -v -tx1 | tr -d ' \n')
        printf '{"signatures":[{"keyid":"%s","sig":"%s"}],"signed":%s}' "$(<"${1%.key}.id")" "$sig" "$body"
}
