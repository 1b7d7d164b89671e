#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A release repository on a web server: what nodes get, what they keep of it, and what becomes of broken connections.
#
#   make cli-progs && prove tests/cli/transport-https.t
set -uo pipefail
# shellcheck source=tests/cli/transport.sh
. "$(dirname "$(realpath "$0")")/transport.sh"
need nginx openssl perl
certificates

# shellcheck disable=SC2046 # words
set -- $(free_ports 8)
port=$1 p_expired=$2 p_stranger=$3 p_mtls=$4 p_plain=$5 p_raw=$6 p_cut=$7 p_nobody=$8
mkdir -p "$tmp/www/repo/metadata" "$tmp/www/repo/targets/bundles"
cd "$tmp/www/repo" || exit 2
echo '{"signed":{"version":1}}' >metadata/timestamp.json
cp metadata/timestamp.json 'metadata/odd name%2f.json'
head -c 3000000 /dev/urandom >targets/bundles/a.tar.zst
head -c 20000000 /dev/urandom >targets/bundles/big.tar.zst
: >targets/empty
nginx_start "
        $(nginx_server "$port" server "
                location /dated/ { etag off; alias $tmp/www/repo/; }
                location /bare/ { etag off; if_modified_since off; add_header Last-Modified ''; alias $tmp/www/repo/; }
                location /whole/ { max_ranges 0; alias $tmp/www/repo/; }
                location /weak/ { gzip on; gzip_types *; etag off; add_header ETag 'W/\"w\"'; add_header Last-Modified ''; max_ranges 1; alias $tmp/www/repo/; }
                location /raw/ { proxy_pass http://127.0.0.1:$p_raw; proxy_buffering off; proxy_http_version 1.1; proxy_read_timeout 100s; }
                location /busy/ { add_header Retry-After 120 always; return 503; }
                location /many/ { add_header Retry-After 7 always; return 429; }
                location /gone/ { return 410; }
                location /forbidden/ { return 403; }
                location /error/ { return 500; }
                location /unasked/ { return 304; }
                location /away/ { return 302 https://localhost:$port/repo/metadata/timestamp.json; }
                location /http/ { return 302 http://localhost:$p_plain/repo/metadata/timestamp.json; }
                location /basic/ { if (\$http_authorization != 'Basic bm9kZTpzM2NyZXQ=') { return 401; } alias $tmp/www/repo/; }
                location /token/ { if (\$http_authorization != 'Bearer s3cret') { return 401; } alias $tmp/www/repo/; }")
        $(nginx_server "$p_expired" expired)
        $(nginx_server "$p_stranger" stranger)
        $(nginx_server "$p_mtls" server "ssl_verify_client on; ssl_client_certificate $tmp/ca.pem;")
        server { listen 127.0.0.1:$p_plain; access_log $tmp/plain.log; root $tmp/www; }"
raw_server "$p_raw"
cutter "$p_cut" "$port"
wait_for "$port" "$p_raw" "$p_cut"
at=https://localhost:$port cut=https://localhost:$p_cut
stamp=metadata/timestamp.json
ca=(--ca "$tmp/ca.pem")

# ---- what works -----------------------------------------------------------------------------------------------------

spool_new works
get "${ca[@]}" --spool "$spool" https "$at/repo" revision get=$stamp file=targets/bundles/a.tar.zst get=targets/empty file=targets/empty
is 0 "ok revision=
ok $stamp bytes=25 sha256=$(sum $stamp)
ok targets/bundles/a.tar.zst bytes=3000000 sha256=$(sum targets/bundles/a.tar.zst)
ok targets/empty bytes=0 *
ok targets/empty bytes=0 *
stats requests=4 received=3000025 *" 'files of a repository on a web server'
is 0 '*sandbox=*no capabilities, seccomp*' 'in the sandbox'
peak_below 64
[ -z "$(ls -A "$spool")" ]
result $? 'nothing stays in the spool'
[ "$(grep -c . "$tmp/access.log")" = 4 ] && [ "$(awk '{print $1}' "$tmp/access.log" | sort -u | wc -l)" = 1 ]
result $? 'one request for each file'
get "${ca[@]}" https "$at/repo/" get=$stamp file=targets/bundles/a.tar.zst
is 0 "ok $stamp *ok targets/bundles/a.tar.zst bytes=3000000 *" 'a slash at its end; no spool'
get "${ca[@]}" https "$at/repo" 'get=metadata/odd name%2f.json'
is 0 'ok metadata/odd name%2f.json *' 'a name that a URL cannot hold as it is'
get "${ca[@]}" https "$at/away" get=$stamp
is 0 'ok *' 'a redirect to https'
get "${ca[@]}" --token s3cret https "$at/token" get=$stamp
is 0 'ok *' 'a bearer token'
get "${ca[@]}" --token s3cret --user node https "$at/basic" get=$stamp
is 0 'ok *' 'or the password of a user'
get "${ca[@]}" --cert "$tmp/client.pem" --key "$tmp/client.key" https "https://localhost:$p_mtls/repo" get=$stamp
is 0 'ok *' 'a client certificate'

# ---- the system's authorities ---------------------------------------------------------------------------------------

# One by one under their hash, as OpenSSL looks for them; or all in one file.
mkdir "$tmp/hashed" "$tmp/bundled"
cp "$tmp/ca.pem" "$tmp/hashed/" && ln -s ca.pem "$tmp/hashed/$(openssl x509 -in "$tmp/ca.pem" -noout -subject_hash).0" || exit 2
cp "$tmp/ca.pem" "$tmp/bundled/ca-certificates.crt"
if system_trusts "$tmp/hashed" true 2>/dev/null; then
        for place in hashed bundled; do
                get_as_system_trusts "$tmp/$place" https "$at/repo" get=$stamp
                is 0 "ok $stamp *" "$place: a CA that the system trusts"
                get_as_system_trusts "$tmp/$place" https "https://localhost:$p_stranger/repo" get=$stamp
                is 1 'failed *certificate does not hold*' "$place: and one that it does not trust"
        done
        cp "$tmp/other-ca.pem" "$tmp/hashed/ca-certificates.crt"
        get_as_system_trusts "$tmp/hashed" https "https://localhost:$p_stranger/repo" get=$stamp
        is 1 'failed *certificate does not hold*' 'where they stand one by one, the file with all of them is not read'
else
        echo "ok $((++count)) - the system's authorities # SKIP no mount namespace here"
fi

# ---- unchanged ------------------------------------------------------------------------------------------------------

seconds=$(stat -c %Y $stamp)
for place in repo dated; do
        rm -f "$tmp/seen"
        get "${ca[@]}" --seen "$tmp/seen" https "$at/$place" changed=$stamp
        is 0 "ok $stamp bytes=25 *" "/$place: seen for the first time"
        get "${ca[@]}" --seen "$tmp/seen" https "$at/$place" changed=$stamp
        is 0 "ok $stamp unchanged
stats requests=1 received=0 *status=304 *" "/$place: unchanged, and nothing is sent again"
        echo '{"signed":{"version":2}}' >$stamp
        touch -d "@$((seconds += 10))" $stamp # a date counts seconds
        get "${ca[@]}" --seen "$tmp/seen" https "$at/$place" changed=$stamp
        is 0 "ok $stamp bytes=25 sha256=$(sum $stamp)*" "/$place: changed"
done
rm -f "$tmp/seen"
get "${ca[@]}" --seen "$tmp/seen" https "$at/bare" changed=$stamp changed=$stamp
is 0 "ok $stamp bytes=25 *ok $stamp bytes=25 *" 'a server that says neither ETag nor Last-Modified: sent each time'
get "${ca[@]}" https "$at/unasked" changed=$stamp
is 1 'failed *though it was not asked*' '"not modified" to an unconditional request'

# ---- refusals -------------------------------------------------------------------------------------------------------

get "${ca[@]}" https "$at/repo" get=metadata/2.root.json
is 1 'failed reason= errno=2 *there is no such file*' 'a file that is not there: told apart from all other failures'
get "${ca[@]}" https "$at/repo" file=targets/nothing
is 1 'failed reason= errno=2 *' 'and so for a large one'
get "${ca[@]}" https "$at/gone" get=$stamp
is 1 'failed reason= errno=2 *' '410'
get "${ca[@]}" https "$at/forbidden" get=metadata/2.root.json
is 1 'failed reason= errno=1 *HTTP status 403: access refused*' '403, which is no 404 here: what it means for a newer root, tuf-client.t and repo-serve.t say'
get "${ca[@]}" https "$at/error" get=$stamp
is 1 'failed reason= errno=5 *HTTP status 500*' '500'
get "${ca[@]}" https "$at/busy" get=$stamp
is 1 'failed reason= errno=5 *status 503: the server is busy*retry-after=120 status=503*' '503 with Retry-After'
get "${ca[@]}" https "$at/many" file=$stamp
is 1 'failed *retry-after=7 status=429*' '429 with Retry-After'
get "${ca[@]}" https "$at/http" get=$stamp
is 1 'failed *not https*' 'a redirect to http'
[ ! -s "$tmp/plain.log" ]
result $? 'to which nothing was sent in the clear'
get "${ca[@]}" https "$at/token" get=$stamp
is 1 'failed reason= errno=13 *access refused*' 'no token'
get "${ca[@]}" https "https://localhost:$p_expired/repo" get=$stamp
is 1 'failed *certificate does not hold*expired*' 'an expired certificate'
get "${ca[@]}" https "https://localhost:$p_stranger/repo" get=$stamp
is 1 'failed *certificate does not hold*' 'a certificate of the wrong CA'
get https "$at/repo" get=$stamp
is 1 'failed *certificate does not hold*' 'a certificate of a CA that the system does not trust'
get "${ca[@]}" --cert "$tmp/outsider.pem" --key "$tmp/outsider.key" https "https://localhost:$p_mtls/repo" get=$stamp
is 1 'failed *' "the wrong client certificate"
get "${ca[@]}" https "https://localhost:$p_nobody/repo" get=$stamp
is 1 'failed * errno=5 *onnect*' 'nobody listens'
for url in "http://localhost:$p_plain/repo" "$at/repo?x=1" "$at/repo#x" https:// "https://u:s3cret@localhost:$port/" ftp://x/; do
        get "${ca[@]}" https "$url" get=$stamp
        is 2 'failed reason=bad-configuration *' "not a source: ${url//s3cret/***}"
done
for path in ../x /etc/passwd metadata/../../x a//b . .git/config metadata/.GIT/x 'a\b' $'a\nb' metadata/ ''; do
        get "${ca[@]}" https "$at/repo" "get=$path"
        is 3 'failed reason=unsafe-path *requests=0 *' "not a path: '${path//$'\n'/ newline }'"
done

# ---- caps -----------------------------------------------------------------------------------------------------------

spool_new caps
get "${ca[@]}" --max 25 https "$at/repo" get=$stamp
is 0 'ok *' 'as long as is allowed'
get "${ca[@]}" --max 24 https "$at/repo" get=$stamp
is 3 'failed reason=too-large *' 'one byte more'
get "${ca[@]}" --spool "$spool" --max 1000000 https "$at/raw/endless" file=x
is 3 'failed reason=too-large *' 'a body without end'
spool_below 1100
get "${ca[@]}" --spool "$spool" --max 1000000 https "$at/raw/announced" file=x
is 3 'failed reason=too-large *' 'a length beyond all measure'
[ "$took" -lt 10 ]
result $? 'is believed at once'
get "${ca[@]}" --spool "$spool" --max-poll 4000000 https "$at/repo" file=targets/bundles/a.tar.zst file=targets/bundles/a.tar.zst
is 3 'ok *failed reason=too-large *more than 4000000 bytes in all*' 'more than one poll may bring'
[ -z "$(ls -A "$spool")" ]
result $? 'nothing of all that stays in the spool'
get "${ca[@]}" --timeout 4 https "$at/raw/drip" get=x
is 1 'failed * errno=110 *too slow*' 'a body that drips for ever ends in time'
get "${ca[@]}" --low-speed 2 https "$at/raw/silent" get=x
is 1 'failed * errno=110 *too slow*' 'no answer at all'

# ---- broken connections ---------------------------------------------------------------------------------------------

spool_new cut
for how in cut reset; do
        for n in 0 100 1500 2500 3000; do
                echo "$how $n" >"$tmp/cut"
                get "${ca[@]}" --spool "$spool" https "$cut/repo" file=targets/bundles/a.tar.zst
                is 1 'failed reason= errno=5 *' "$how after $n bytes, within the handshake or the answer's head"
        done
done
echo 'stall 2500' >"$tmp/cut"
get "${ca[@]}" --low-speed 2 --spool "$spool" https "$cut/repo" file=targets/bundles/a.tar.zst
is 1 'failed * errno=110 *too slow*' 'stalled'
echo 'cut 1000000' >"$tmp/cut"
get "${ca[@]}" --spool "$spool" https "$cut/repo" file=targets/bundles/a.tar.zst
is 0 "ok targets/bundles/a.tar.zst bytes=3000000 sha256=$(sum targets/bundles/a.tar.zst)
stats requests=4 received=3000000 *resumed=3 *" 'cut three times: each time it goes on where it stopped'
[ -z "$(ls -A "$spool")" ]
result $? 'and nothing stays'
get "${ca[@]}" https "$cut/repo" file=targets/bundles/a.tar.zst
is 0 'ok *resumed=3 *' 'so it does without a spool'

polls=0
while [ $polls -lt 10 ]; do
        polls=$((polls + 1))
        get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/repo" file=targets/bundles/big.tar.zst
        [ "$status" = 1 ] || break
        [ $polls != 1 ] || { is 1 'failed *cut off*requests=5 *' 'cut too often: the poll fails'; kept=$(spool_kib); }
done
is 0 "ok targets/bundles/big.tar.zst bytes=20000000 sha256=$(sum targets/bundles/big.tar.zst)*" "and later polls go on ($polls polls)"
[ "$kept" -gt 4000 ] && [ "$kept" -lt 6000 ] && [ $polls -gt 2 ]
result $? "with what the spool has kept ($kept KiB)"

partly() { # some of big.tar.zst, into the spool
        echo 'cut 1000000' >"$tmp/cut"
        get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/${1:-repo}" file=targets/bundles/big.tar.zst
        echo 'pass 0' >"$tmp/cut"
}
partly
get "${ca[@]}" --spool "$spool" https "$cut/repo" file=targets/bundles/a.tar.zst
is 0 "ok targets/bundles/a.tar.zst bytes=3000000 sha256=$(sum targets/bundles/a.tar.zst)*resumed=0*" 'what is kept of one file is not taken for another'
partly
head -c 20000000 /dev/urandom >targets/bundles/big.tar.zst
get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/repo" file=targets/bundles/big.tar.zst
is 0 "ok targets/bundles/big.tar.zst bytes=20000000 sha256=$(sum targets/bundles/big.tar.zst)*resumed=0*" 'a file that has changed meanwhile is fetched whole'
partly
head -c 1000 targets/bundles/big.tar.zst >"$tmp/part" && cat "$tmp/part" >"$spool/partial"
head -c 30000000 /dev/zero >>"$spool/partial"
get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/repo" file=targets/bundles/big.tar.zst
is 0 "ok targets/bundles/big.tar.zst bytes=20000000 sha256=$(sum targets/bundles/big.tar.zst)*" 'more in the spool than there is of the file'
partly dated
get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/dated" file=targets/bundles/big.tar.zst
is 0 "ok * sha256=$(sum targets/bundles/big.tar.zst)*resumed=1 *" 'a date will do for going on'
partly whole
get "${ca[@]}" --spool "$spool" --max 30000000 https "$cut/whole" file=targets/bundles/big.tar.zst
is 0 "ok * sha256=$(sum targets/bundles/big.tar.zst)*resumed=0 *" 'a server that knows no ranges sends it whole'
partly weak
[ -z "$(ls -A "$spool")" ]
result $? 'a weak entity tag does not say that the bytes are the same: nothing is kept'
get "${ca[@]}" --spool "$spool" https "$at/raw/liar" file=x
is 1 'failed reason= errno=5 *' 'the rest of something else is not put together with the beginning'
get "${ca[@]}" --spool "$spool" https "$at/raw/short" file=x
is 1 'failed *' 'a body shorter than announced, again and again'
spool_below 100
echo "1..$count"
