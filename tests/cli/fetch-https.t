#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The fetcher over HTTPS, against a real nginx with certificates made here, and a misbehaving server behind it.
#
#   make cli-progs && prove tests/cli/fetch-https.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
prog=$PWD/build/${LSM_VARIANT:-release}/tests/progs/fetch-test
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo "1..0 # SKIP nginx is not installed"; exit 0; }
for p in openssl perl; do command -v $p >/dev/null || { echo "1..0 # SKIP $p is not installed"; exit 0; }; done
[ -x "$prog" ] || { echo "Bail out! $prog is not built: make cli-progs"; exit 1; }

tmp=$(mktemp -d) nginx_pid='' backend_pid='' raw_pid=''
cleanup() {
        for p in $nginx_pid $backend_pid $raw_pid; do kill "$p" 2>/dev/null; done
        wait 2>/dev/null
        rm -rf "$tmp"
}
trap cleanup EXIT
chmod 755 "$tmp"

# ---- TAP ------------------------------------------------------------------------------------------------------------

count=0 out='' status=0 took=0
result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf '#   status %s after %s s: %s\n' "$status" "$took" "$out"
        fi
}
# fetch OPTION... URL: sets out, status, took
fetch() {
        local started=$SECONDS
        out=$(timeout 120 "$prog" --key "$tmp/sample.pub" "$@" 2>&1)
        status=$?
        took=$((SECONDS - started))
}
# is STATUS PATTERN NAME: the exit code and a glob that the whole line matches
is() {
        # shellcheck disable=SC2053 # a pattern, on purpose
        [ "$status" = "$1" ] && [[ $out == $2 ]]
        result $? "$3"
}

# ---- certificates ---------------------------------------------------------------------------------------------------

pki() {
        cd "$tmp" || return
        local ca key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
        for ca in ca other-ca; do
                # shellcheck disable=SC2086 # words
                openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj "/CN=test $ca" || return
        done
        printf '%s\n' '[ca]' 'default_ca = own' '[own]' "database = $tmp/index" "new_certs_dir = $tmp" 'rand_serial = yes' \
                'default_md = sha256' 'policy = any' 'copy_extensions = copy' 'unique_subject = no' '[any]' \
                'commonName = supplied' >ca.cnf
        : >index
        # issue NAME CA CN SAN [DATES...]
        issue() {
                # shellcheck disable=SC2086 # words
                openssl req $key -keyout "$1.key" -out "$1.csr" -subj "/CN=$3" ${4:+-addext "subjectAltName=$4"} &&
                        openssl ca -batch -notext -config ca.cnf -cert "$2.pem" -keyfile "$2.key" -in "$1.csr" -out "$1.pem" "${@:5}"
        }
        issue server ca localhost DNS:localhost,IP:127.0.0.1 -days 2 &&
                issue expired ca localhost DNS:localhost -startdate 20200101000000Z -enddate 20200102000000Z &&
                issue elsewhere ca elsewhere.example DNS:elsewhere.example -days 2 &&
                issue stranger other-ca localhost DNS:localhost -days 2 &&
                issue client ca "a node" '' -days 2 &&
                issue outsider other-ca "another's node" '' -days 2
}
(pki) >"$tmp/pki.log" 2>&1 || { sed 's/^/# /' "$tmp/pki.log"; echo "Bail out! no certificates"; exit 1; }
"$prog" --make "$tmp" || { echo "Bail out! no bundle"; exit 1; }

# ---- servers --------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2046 # words
set -- $(perl -MIO::Socket::INET -e '
        my @s = map { IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") } 1 .. 10;
        print join(" ", map { $_->sockport } @s);')
port=$1 p_expired=$2 p_elsewhere=$3 p_stranger=$4 p_mtls=$5 p_tls11=$6 p_plain=$7 p_backend=$8 p_nobody=$9 p_raw=${10}

# What nginx would never do by itself; and an HTTP proxy (CONNECT).
cat >"$tmp/backend.pl" <<'EOF'
use strict; use warnings; use IO::Socket::INET; use IO::Select;
my ($port, $log) = @ARGV;
$SIG{PIPE} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1) or die;
my $parent = $$;
sub linger { select undef, undef, undef, 0.2 while getppid() == $parent }
while (1) {
        my $c = $l->accept or next;
        next if fork;
        $c->autoflush(1);
        my $request = '';
        while (my $line = <$c>) { $request .= $line; last if $line =~ /^\r?\n$/ }
        my ($path) = $request =~ /^GET \/raw\/(\S+)/;
        my $head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n";
        if ($request =~ /^CONNECT (\S+)/) {
                open my $f, '>>', $log; print $f "CONNECT $1\n"; close $f;
                my $s = IO::Socket::INET->new(PeerAddr => $1) or exit;
                print $c "HTTP/1.1 200 OK\r\n\r\n";
                my $both = IO::Select->new($c, $s);
                while (my @ready = $both->can_read) {
                        for my $r (@ready) {
                                sysread($r, my $b, 65536) or exit;
                                syswrite($r == $c ? $s : $c, $b);
                        }
                }
        } elsif ($path eq 'truncated') {
                print $c $head . "Content-Length: 100000\r\n\r\n" . 'x' x 1000;
        } elsif ($path eq 'endless') {
                print $c "$head\r\n";
                1 while getppid() == $parent && print $c 'x' x 65536;
        } elsif ($path eq 'announced') {
                print $c $head . "Content-Length: 1000000000000\r\n\r\n" . 'x' x 1000;
                linger();
        } elsif ($path eq 'stalled') {
                print $c $head . "Content-Length: 100000\r\n\r\n" . 'x' x 1000;
                linger();
        } elsif ($path eq 'silent') {
                linger();
        } elsif ($path eq 'drip') {
                print $c "$head\r\n";
                while (getppid() == $parent && print $c 'x' x 1024) { select undef, undef, undef, 0.2 }
        }
        exit;
}
EOF

server() { # PORT CERTIFICATE [MORE]
        printf 'server { listen 127.0.0.1:%s ssl; ssl_certificate %s.pem; ssl_certificate_key %s.key; root %s/www; %s }\n' \
                "$1" "$tmp/$2" "$tmp/$2" "$tmp" "${3:-}"
}
mkdir "$tmp/www"
cp "$tmp/sample.tar.zst" "$tmp/www/"
chmod -R a+rX "$tmp/www"
cat >"$tmp/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $tmp/nginx.pid; error_log $tmp/error.log warn;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events { worker_connections 64; }
http {
        access_log $tmp/access.log combined;
        client_body_temp_path $tmp/t1; proxy_temp_path $tmp/t2; fastcgi_temp_path $tmp/t3; uwsgi_temp_path $tmp/t4; scgi_temp_path $tmp/t5;
        log_format encoding '\$http_accept_encoding|\$http_user_agent|\$http_cookie';
        $(server "$port" server "
                location /seen/ { access_log $tmp/seen.log encoding; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; alias $tmp/www/; }
                location /raw/ { proxy_pass http://127.0.0.1:$p_backend; proxy_buffering off; proxy_http_version 1.1; }
                location = /error { return 500; }
                location = /busy { add_header Retry-After 120 always; return 503; }
                location = /busy-long { add_header Retry-After 99999999 always; return 429; }
                location = /unasked { return 304; }
                location = /partial { return 206 'x'; }
                location = /empty { return 204; }
                location = /to-http { return 302 http://localhost:$p_plain/sample.tar.zst; }
                location = /to-file { return 302 file:///etc/passwd; }
                location = /to-here { return 302 /sample.tar.zst; }
                location = /to-loop { return 302 /to-loop; }
                location = /to-port { return 302 https://localhost:$p_elsewhere/sample.tar.zst; }
                location = /to-user { return 302 https://user:secret@localhost:$port/sample.tar.zst; }
                location /token/ { if (\$http_authorization != 'Bearer s3cret') { return 401; } alias $tmp/www/; }
                location = /token-away { return 302 https://127.0.0.1:$port/no-token/sample.tar.zst; }
                location /no-token/ { if (\$http_authorization) { return 403; } alias $tmp/www/; }")
        $(server "$p_expired" expired)
        $(server "$p_elsewhere" elsewhere)
        $(server "$p_stranger" stranger)
        $(server "$p_mtls" server "ssl_verify_client on; ssl_client_certificate $tmp/ca.pem;")
        $(server "$p_tls11" server "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;")
        server { listen 127.0.0.1:$p_plain; access_log $tmp/plain.log; root $tmp/www; }
}
EOF
listens() { # PORT; without connecting to it
        grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf '%04x' "$1") [0-9A-F:]* 0A " /proc/net/tcp
}
perl "$tmp/backend.pl" "$p_backend" "$tmp/proxy.log" >/dev/null 2>&1 &
backend_pid=$!
"$nginx" -p "$tmp" -c "$tmp/nginx.conf" 2>"$tmp/nginx.err" &
nginx_pid=$!
for _ in $(seq 100); do
        listens "$port" && listens "$p_backend" && break
        kill -0 $nginx_pid 2>/dev/null || { sed 's/^/# /' "$tmp/nginx.err"; echo "Bail out! nginx does not start"; exit 1; }
        sleep 0.1
done
at=https://localhost:$port
file=$at/sample.tar.zst
ca="--ca $tmp/ca.pem"

# ---- what works -----------------------------------------------------------------------------------------------------

export https_proxy=http://127.0.0.1:$p_nobody HTTPS_PROXY=http://127.0.0.1:$p_nobody ALL_PROXY=http://127.0.0.1:$p_nobody
# shellcheck disable=SC2086 # $ca: two words
{
fetch $ca "$file"
is 0 'ok name=sample version=1.2.3 * members=5 etag="*" last-modified=*GMT *' 'a bundle is downloaded; proxies of the environment are not asked'
etag=$(sed -n 's/.* etag=\("[^"]*"\) .*/\1/p' <<<"$out")
modified=$(sed -n 's/.* last-modified=\(.*GMT\) .*/\1/p' <<<"$out")
is 0 '* sandbox=uid *no capabilities, seccomp*' 'the fetcher has given up what it does not need'
if [ "$(id -u)" = 0 ]; then
        is 0 '* sandbox=uid 65534, own user,*' 'it runs as a user of its own'
else
        echo "ok $((count += 1)) - it runs as a user of its own # SKIP not root"
fi

fetch $ca --etag "$etag" "$file"
is 0 'not-modified status=304 *' 'an entity tag that still holds: not modified'
fetch $ca --last-modified "$modified" "$file"
is 0 'not-modified *' 'a date that still holds: not modified'
fetch $ca --etag '"old"' "$file"
is 0 'ok *' 'an old entity tag: downloaded'
fetch $ca --etag '"old"' --last-modified "$modified" "$file"
is 0 'ok *' 'the entity tag counts more than the date'

fetch $ca "$at/to-here"
is 0 'ok *' 'a redirect to https is followed'
fetch $ca "https://127.0.0.1:$port/sample.tar.zst"
is 0 'ok *' 'a certificate for an address'
fetch $ca "$at/seen/sample.tar.zst"
is 0 'ok *' 'a server that would compress'
[ "$(cat "$tmp/seen.log")" = "identity|lsmpull/$(cat VERSION)|-" ]
result $? "no compression is asked for, the client says who it is, there are no cookies ($(cat "$tmp/seen.log"))"

printf 's3cret\n' >"$tmp/token"
printf 'wr0ng\n' >"$tmp/wrong-token"
printf 's3cret\r\nX-Evil: 1\n' >"$tmp/evil-token"
: >"$tmp/no-token"
fetch $ca --token "$tmp/token" "$at/token/sample.tar.zst"
is 0 'ok *' 'a bearer token'
fetch $ca --token "$tmp/token" "$at/token-away"
is 0 'ok *' 'the token does not go along to another host'
fetch $ca --proxy "http://127.0.0.1:$p_backend" "$file"
is 0 'ok *' 'through a proxy'
[ "$(cat "$tmp/proxy.log")" = "CONNECT localhost:$port" ]
result $? 'the proxy was really used'
fetch --ca "$tmp/ca.pem" --cert "$tmp/client.pem" --client-key "$tmp/client.key" "https://localhost:$p_mtls/sample.tar.zst"
is 0 'ok *' 'a client certificate'
fetch "$tmp/sample.tar.zst"
is 0 'ok name=sample *' 'the same from a file'

# ---- what the server may answer -----------------------------------------------------------------------------------

fetch $ca "$at/nothing?signature=s3cret"
is 1 "failed reason= retry-after=0 *$at/nothing: HTTP status 404: there is no such file" '404; the query, which may be secret, is not shown'
fetch $ca "$at/error"
is 1 'failed reason= retry-after=0 status=500 *HTTP status 500*' '500'
fetch $ca "$at/busy"
is 1 'failed reason= retry-after=120 status=503 *HTTP status 503: the server is busy' '503 with Retry-After'
fetch $ca "$at/busy-long"
is 1 'failed reason= retry-after=86400 *HTTP status 429*' 'Retry-After is capped at a day'
fetch $ca "$at/unasked"
is 1 'failed *though it was not asked' '304 to an unconditional request'
fetch $ca "$at/partial"
is 1 'failed *HTTP status 206*' '206 to a request for all'
fetch $ca "$at/empty"
is 1 'failed *HTTP status 204*' '204'
fetch $ca "$at/token/sample.tar.zst"
is 1 'failed *HTTP status 401: access refused*' 'no token'
fetch $ca --token "$tmp/wrong-token" "$at/token/sample.tar.zst"
is 1 'failed *HTTP status 401: access refused*' 'the wrong token'
fetch $ca --token "$tmp/evil-token" "$file"
is 2 'failed reason=bad-configuration *token*' 'a token that holds another header'
fetch $ca --token "$tmp/no-token" "$file"
is 2 'failed reason=bad-configuration *token*' 'an empty token file'
cp "$tmp/nginx.conf" "$tmp/www/other.tar.zst"
fetch $ca "$at/other.tar.zst"
is 3 'failed reason=malformed *' 'a file that is no bundle'
head -c 5000 "$tmp/sample.tar.zst" >"$tmp/www/cut.tar.zst"
fetch $ca "$at/cut.tar.zst"
is 3 'failed reason=truncated *' 'a bundle that was cut off before it was served'

# ---- redirects ----------------------------------------------------------------------------------------------------

fetch $ca "$at/to-http"
is 1 'failed *not https' 'a redirect to http'
[ ! -s "$tmp/plain.log" ]
result $? 'to which nothing was sent in the clear'
fetch $ca "$at/to-file"
is 1 'failed *not https' 'a redirect to a local file'
fetch $ca "$at/to-loop"
is 1 'failed *redirected more than 3 times' 'a redirect without end'
fetch $ca "$at/to-port"
is 1 "failed *redirected to port $p_elsewhere*" 'a redirect to another service of that host'
fetch $ca "$at/to-user"
is 1 'failed *' 'a redirect with a password in it'
[[ $out != *secret* ]]
result $? 'whose password is not shown'

# ---- TLS ----------------------------------------------------------------------------------------------------------

fetch "$file"
is 1 'failed *certificate does not hold*' "a CA that is not among the system's"
fetch --ca "$tmp/other-ca.pem" "$file"
is 1 'failed *certificate does not hold*' 'the wrong CA'
fetch $ca "https://localhost:$p_stranger/sample.tar.zst"
is 1 'failed *certificate does not hold*' 'a certificate of the wrong CA'
fetch $ca "https://localhost:$p_expired/sample.tar.zst"
is 1 'failed *certificate does not hold*expired*' 'an expired certificate'
fetch $ca "https://localhost:$p_elsewhere/sample.tar.zst"
is 1 "failed *certificate does not hold*'localhost'*" 'a certificate for another host'
fetch $ca "https://localhost:$p_mtls/sample.tar.zst"
is 1 'failed *HTTP status 400: *client certificate*' 'no client certificate where one is wanted'
fetch $ca --cert "$tmp/outsider.pem" --client-key "$tmp/outsider.key" "https://localhost:$p_mtls/sample.tar.zst"
is 1 'failed *HTTP status 400: *client certificate*' 'a client certificate of the wrong CA'
fetch $ca --cert "$tmp/client.pem" --client-key "$tmp/server.key" "$file"
is 2 'failed reason=bad-configuration *client certificate*' "a client certificate with another's key"
fetch --ca "$tmp/sample.tar.zst" "$file"
is 2 'failed reason=bad-configuration *CA*' 'a CA file that holds no certificate'
fetch --ca "$tmp/nowhere.pem" "$file"
is 2 'failed reason=bad-configuration *nowhere.pem*' 'a CA file that is not there'
if openssl s_client -connect "127.0.0.1:$p_tls11" -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null 2>&1 | grep -q 'Cipher is [A-Z]'; then
        fetch $ca "https://localhost:$p_tls11/sample.tar.zst"
        is 1 'failed *protocol version*' 'TLS 1.1'
else
        echo "ok $((count += 1)) - TLS 1.1 # SKIP this OpenSSL cannot serve it"
fi
fetch $ca "https://localhost:$p_plain/sample.tar.zst"
is 1 'failed *SSL*' 'a server that does not speak TLS'
fetch "http://localhost:$p_plain/sample.tar.zst"
is 2 'failed reason=bad-configuration *only https*' 'an http URL'

# ---- bounds -------------------------------------------------------------------------------------------------------

fetch $ca --max-archive 1000000 "$at/raw/endless"
is 3 'failed reason=too-large *longer than 1000000 bytes' 'a body without end is cut at the cap'
fetch $ca "$at/raw/announced"
is 3 'failed reason=too-large *' 'a body that is announced as too large'
fetch $ca --max-archive $(($(stat -c %s "$tmp/sample.tar.zst") - 1)) "$file"
is 3 'failed reason=too-large *' 'one byte more than the cap'
fetch $ca --max-archive "$(stat -c %s "$tmp/sample.tar.zst")" "$file"
is 0 'ok *' 'exactly the cap'
fetch $ca "$at/raw/truncated"
is 1 'failed reason= *cut off*' 'a body shorter than announced'
fetch $ca --low-speed 2 "$at/raw/stalled"
is 1 'failed *too slow*' 'a body that stalls'
[ "$took" -lt 30 ]
result $? 'which does not take long to find out'
fetch $ca --low-speed 2 "$at/raw/silent"
is 1 'failed *too slow*' 'no answer at all'
fetch $ca --timeout 4 "$at/raw/drip"
is 1 'failed *too slow*' 'a body that drips for ever ends with the time-out'
[ "$took" -lt 30 ]
result $? 'in time'
openssl s_server -quiet -accept "127.0.0.1:$p_raw" -cert "$tmp/server.pem" -key "$tmp/server.key" >/dev/null 2>&1 \
        < <(printf 'HTTP/1.1 200 OK\r\n'; yes "X-Filler: $(printf 'x%.0s' {1..1000})"$'\r' 2>/dev/null) &
raw_pid=$!
for _ in $(seq 50); do
        listens "$p_raw" && break
        sleep 0.1
done
fetch $ca --timeout 20 "https://localhost:$p_raw/sample.tar.zst"
is 1 'failed *' 'headers without end'
[ "$took" -lt 30 ] && [[ $out != *connect* ]]
result $? "they end it: ${out##*sample.tar.zst: }"
kill $raw_pid 2>/dev/null
raw_pid=''
fetch $ca "https://localhost:$p_nobody/sample.tar.zst"
is 1 'failed * status=0 *onnect*' 'nobody listens: no status'
fetch $ca "https://nowhere.invalid/sample.tar.zst"
is 1 'failed *ould not resolve host*' 'a host that is not known'

# A name server that says nothing, in a network of its own.
if unshare -nm true 2>/dev/null; then
        started=$SECONDS
        # shellcheck disable=SC2016 # expanded in there
        out=$(unshare -nm bash -c '
                ip link set lo up && echo "nameserver 127.0.0.1" >"$1/resolv.conf" && mount --bind "$1/resolv.conf" /etc/resolv.conf || exit 99
                perl -MIO::Socket::INET -e "\$s = IO::Socket::INET->new(Proto => q(udp), LocalAddr => q(127.0.0.1:53)) or die; sleep 60" &
                sleep 0.5
                timeout 60 "$2" --key "$1/sample.pub" --timeout 5 https://nowhere.example/sample.tar.zst
                r=$?; kill $!; exit $r' - "$tmp" "$prog" 2>&1)
        status=$? took=$((SECONDS - started))
        is 1 'failed *too slow*' 'a name server that does not answer'
else
        echo "ok $((count += 1)) - a name server that does not answer # SKIP no rights for a network of its own"
fi
}
echo "1..$count"
