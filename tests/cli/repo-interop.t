#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Others read what we write, and we read and carry on what others write: python-tuf (the reference implementation, as Debian 13 has
# it) and tuf-js. ci/peers gets them; what cannot be had is skipped.
. "$(dirname "$0")/repo.sh"
need openssl
[ -x /usr/bin/python3 ] || { echo "1..0 # SKIP there is no /usr/bin/python3 to serve files"; exit 0; }

peers=$("$top/ci/peers" 2>peers.log)
export PYTHONPATH=$top/build/peers/python NODE_PATH=$top/build/peers/node PYTHONDONTWRITEBYTECODE=1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
peer() { # IMPLEMENTATION ARG...
        case $1 in
        python) timeout 60 /usr/bin/python3 "$top/tests/tuf/peer.py" "${@:2}" ;;
        node) timeout 60 node "$top/tests/tuf/peer.js" "${@:2}" ;;
        esac
}

keys k k2 approver1 approver2
release 1 1.0.0
release 2 1.1.0
release 3 1.2.0
content() { "$program" inspect "$1" --json | jq -r .content_id; }

# A server for all of $tmp, on a port of its own choice.
/usr/bin/python3 -u -c '
import http.server, sys
class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
print(server.server_address[1], flush=True)
server.serve_forever()' >port 2>server.log &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
url=http://127.0.0.1:$(<port)

# ---- what we write --------------------------------------------------------------------------------------------------

# Everything that our metadata can hold: two signatures, a rollout, a floor, a second root, rotated roles.
"$program" repo init ours --key k.key --key approver1.key --key approver2.key --root-key k.pub --rollouts-key k.pub \
        --timestamp-key k.pub --bundles-key approver1.pub --bundles-key approver2.pub --threshold bundles=2 >/dev/null
for n in 1 2; do
        "$program" repo stage -r ours sample-$n.tar.zst --floor 1 >/dev/null && "$program" sign ours/pending/sample-$n --key approver1.key >/dev/null &&
                "$program" sign ours/pending/sample-$n --key approver2.key >/dev/null && "$program" repo publish ours/pending/sample-$n --key k.key >/dev/null
done
"$program" repo promote -r ours sample 1 --ring stable --key k.key >/dev/null
"$program" repo promote -r ours sample 2 --ring stable --waves 1h:5 --bake 30m --key k.key >/dev/null
cp ours/metadata/1.root.json first-root.json
run repo rotate timestamp -r ours --add k2.pub --remove "$(<k.id)" --key k.key --key k2.key
exits 0 "a repository of ours"

# ---- what they write ------------------------------------------------------------------------------------------------

for p in python node; do
        if ! grep -qx $p <<<"$peers"; then
                count=$((count + 1))
                echo "ok $count - $p # SKIP it cannot be had here: $(tail -n 1 peers.log)"
                continue
        fi
        out=$(peer $p read "$url/ours" first-root.json "work-$p" bundles/sample-1.0.0.tar.zst bundles/sample-1.1.0.tar.zst rollouts/sample.json 2>err)
        status=$? err=$(<err)
        exits 0 "$p reads our repository, from its first root"
        [ "$(cut -d' ' -f1 <<<"$out" | tr '\n' ' ')" = "$(sha256sum sample-1.tar.zst sample-2.tar.zst ours/targets/rollouts/"$(jq -r '.signed.targets["rollouts/sample.json"].hashes.sha256' ours/metadata/3.rollouts.json)".sample.json | cut -d' ' -f1 | tr '\n' ' ')" ]
        result $? "$p downloads bundles and rollout"
        says "$(content sample-2.tar.zst)" "$p hands out what the entries say"
        out=$(peer $p read "$url/ours" first-root.json "work2-$p" bundles/sample-9.0.0.tar.zst 2>err)
        status=$? err=$(<err)
        [ "$status" = 1 ] && [[ $err == *"not listed"* ]]
        result $? "$p does not find what is not there"
        cp -a ours forged
        n=$(version ours timestamp)
        jq -c '.signed.version = 99' ours/metadata/timestamp.json >forged/metadata/timestamp.json
        out=$(peer $p read "$url/forged" first-root.json "work3-$p" bundles/sample-1.0.0.tar.zst 2>err)
        status=$? err=$(<err)
        exits 1 "$p refuses ours when it is forged"
        rm -rf forged

        out=$(peer $p write "theirs-$p" k.key sample-1.tar.zst "{\"bundle\":\"sample\",\"release\":1,\"version\":\"1.0.0\",\"floor\":0,\"content\":\"$(content sample-1.tar.zst)\"}" 2>err)
        status=$? err=$(<err)
        exits 0 "$p writes a repository"
        [ "$out" = "$(<k.id)" ]
        result $? "$p has the same key id for the same key"
        run repo show -r "theirs-$p" --json
        exits 0 "we read what $p writes"
        [ "$(jq -c '[(.roles | length), (.releases | map([.bundle, .release])), (.roles | map(.keys | all(.signed)) | all)]' <<<"$out")" = '[6,[["sample",1]],true]' ]
        result $? "roles, releases and signatures of $p"
        accepts "our client accepts what $p writes" sample-1.tar.zst "theirs-$p"
        # python's snapshot must be signed by a P-256 key, too, which is not ours to sign with: until it is rotated out.
        if [ $p = python ]; then
                ecdsa=$("$program" repo show -r "theirs-$p" --json | jq -r --arg k "$(<k.id)" '.roles[] | select(.role == "snapshot") | .keys[].keyid | select(. != $k)')
                run repo rotate snapshot -r "theirs-$p" --remove "$ecdsa" --threshold 1 --key k.key
                exits 0 "a P-256 key of $p is rotated out"
        fi
        publish_as "theirs-$p" sample-2.tar.zst k.key
        result $? "we publish into what $p wrote"
        run repo rotate bundles -r "theirs-$p" --add k2.pub --remove "$(<k.id)" --key k.key --key k2.key
        exits 0 "and rotate a key of it"
        accepts "our client accepts that" sample-2.tar.zst "theirs-$p"
        out=$(peer $p read "$url/theirs-$p" "theirs-$p/metadata/1.root.json" "work4-$p" bundles/sample-1.1.0.tar.zst 2>err)
        status=$? err=$(<err)
        exits 0 "and so does $p"
done

done_testing
