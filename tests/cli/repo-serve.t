#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# The configuration of a web server that docs/repository.md shows: what it serves, what it does not, and for how long caches may
# keep it.
. "$(dirname "$0")/repo.sh"
PATH=$PATH:/usr/sbin
need nginx curl openssl

keys k k2 k3
release 1 1.0.0
release 2 1.1.0
"$program" repo init r --key k.key >/dev/null && publish_as r sample-1.tar.zst k.key
result $? "a repository"
mkdir -p r/pending
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
        -keyout tls.key -out tls.pem 2>/dev/null
touch r/pending/x

port=$((20000 + RANDOM % 20000))
{
        echo "daemon off; pid $tmp/pid; error_log $tmp/error.log; worker_processes 1; events {}"
        [ "$(id -u)" != 0 ] || echo "user root;"
        echo "http { access_log off; client_body_temp_path $tmp/b; proxy_temp_path $tmp/p; fastcgi_temp_path $tmp/f; uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;"
        echo "server { listen 127.0.0.1:$port; listen 127.0.0.1:$((port + 1)) ssl; ssl_certificate $tmp/tls.pem; ssl_certificate_key $tmp/tls.key;"
        # An object store that may not list what it has: 403 for what is not there.
        echo "location /store/ { alias $tmp/r/; error_page 404 =403 @no; } location @no { return 403; }"
        echo "location /closed/metadata/timestamp.json { return 403; } location /closed/ { alias $tmp/r/; error_page 404 =403 @no; }"
        awk '$0 == "<!-- nginx -->" {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' "$top/docs/repository.md" |
                sed "s:/srv/releases:$tmp/r:"
        echo "} }"
} >nginx.conf
nginx -p "$tmp" -c "$tmp/nginx.conf" 2>nginx.log &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o .out --noproxy '*' "$url/" && break; sleep 0.1; done

# answers STATUS CACHE PATH
answers() {
        out=$(curl -s --noproxy '*' -o body -D - "$url/$3" | tr -d '\r')
        status=$(sed -n '1s/[^ ]* \([0-9]*\).*/\1/p' <<<"$out") err=$(tail -n 3 nginx.log)
        [ "$status" = "$1" ] && [ "$(sed -n 's/^Cache-Control: //p' <<<"$out")" = "$2" ]
        result $? "$3: $1${2:+, $2}"
}
answers 200 "public, max-age=30" metadata/timestamp.json
cmp -s body r/metadata/timestamp.json
result $? "it is the file"
answers 200 "public, max-age=31536000, immutable" metadata/1.root.json
answers 200 "public, max-age=31536000, immutable" "targets/bundles/$(basename r/targets/bundles/*)"
answers 404 "public, max-age=30" metadata/2.root.json
answers 404 "public, max-age=30" targets/bundles/none
answers 404 "" repo.json
answers 404 "" pending/x
answers 404 "" .git/config

run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "https://127.0.0.1:$((port + 1))" --ca tls.pem
exits 0 "verify --repo URL"
says "bundles/sample-1.0.0.tar.zst" "finds the bundle"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "https://127.0.0.1:$((port + 1))/store/" --ca tls.pem
exits 0 "verify --repo URL: 403 for the next root says that there is none"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "https://127.0.0.1:$((port + 1))/closed/" --ca tls.pem
exits 1 "verify --repo URL: 403 for anything else is a failure"
[[ $err == *timestamp.json*'403: access refused'* ]]
result $? "with its reason"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "https://127.0.0.1:$((port + 1))/nothing/" --ca tls.pem
[ "$status" != 0 ]
result $? "verify --repo URL: no repository there"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "https://127.0.0.1:$((port + 1))"
exits 1 "verify --repo URL: a certificate that nobody vouches for"
run verify sample-1.tar.zst --root r/metadata/1.root.json --repo "$url"
exits 1 "verify --repo: plain http is not taken"

# ---- after a compromise, as the page says it ------------------------------------------------------------------------

client=$top/build/${LSM_VARIANT:-release}/tuf-client
[ -x "$client" ] || { echo "Bail out! $client is not built: make"; exit 1; }
# A client that keeps what it has seen.
refresh() {
        out='' err=$("$client" --metadata-dir client --metadata-url "$url/metadata" refresh 2>&1)
        status=$?
}
"$client" --metadata-dir client init r/metadata/1.root.json
refresh
exits 0 "a client sees the repository"

# The thief of the timestamp key signs the highest version there is; whoever saw it refuses what is genuine.
cp -a r honest
jq -c '.signed | .version = 9007199254740991' r/metadata/timestamp.json | signed_by k.key >.forged && mv .forged r/metadata/timestamp.json
refresh
exits 0 "timestamp stolen: the client believes the highest version"
cp honest/metadata/timestamp.json r/metadata/
"$program" repo refresh -r r --key k.key >/dev/null
refresh
[ "$status" = 1 ] && [[ $err == *rolled-back-metadata* ]]
result $? "and refuses the genuine ones"
"$program" repo rotate timestamp -r r --add k2.pub --remove "$(<k.id)" --key k.key --key k2.key >/dev/null
refresh
exits 0 "until the key is rotated away"

# The thief publishes; the owners go back to their backup, and keep the newest root.
cp -a r backup
publish_as r sample-2.tar.zst k.key 2>/dev/null || { "$program" sign r/pending/sample-2 --key k.key && "$program" repo publish r/pending/sample-2 --key k.key --key k2.key; } >/dev/null
refresh
exits 0 "publishing keys stolen: the client sees the thief's release"
cp r/metadata/*.root.json backup/metadata/
rm -rf r/metadata r/targets && cp -a backup/metadata backup/targets r/
refresh
[ "$status" = 1 ] && [[ $err == *rolled-back-metadata* ]]
result $? "a backup alone is refused"
rotation=(--add k3.pub --key k.key --key k2.key --key k3.key)
"$program" repo rotate timestamp -r r --remove "$(<k2.id)" "${rotation[@]}" >/dev/null && "$program" repo rotate snapshot -r r --remove "$(<k.id)" "${rotation[@]}" >/dev/null
refresh
exits 0 "with snapshot and timestamp rotated, it is taken"
run verify sample-2.tar.zst --root r/metadata/1.root.json --repo r
refused unknown-target "and the thief's release is gone"

done_testing
