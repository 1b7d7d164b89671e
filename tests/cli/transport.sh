# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests/cli/transport-*.t have in common: TAP, certificates, real servers on 127.0.0.1, and a proxy that breaks connections.
# Sourced; sets $prog, $tmp, and what its functions say.

cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../.." || exit 2
prog=$PWD/build/${LSM_VARIANT:-release}/tests/progs/transport-get
PATH=$PATH:/usr/sbin
[ -x "$prog" ] || { echo "Bail out! $prog is not built: make cli-progs"; exit 1; }
# Nothing of this machine's configuration has a part in it.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_CONFIG_NOSYSTEM=1
unset https_proxy http_proxy all_proxy HTTPS_PROXY HTTP_PROXY ALL_PROXY

need() { # COMMAND...: skips the script when one is missing
        local c
        for c in "$@"; do command -v "$c" >/dev/null || { echo "1..0 # SKIP $c is not installed"; exit 0; }; done
}

tmp=$(mktemp -d) pids=()
cleanup() {
        for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
        wait 2>/dev/null
        rm -rf "$tmp"
}
trap cleanup EXIT
chmod 755 "$tmp"
background() { # COMMAND...: until the script ends
        "$@" &
        pids+=($!)
}

# ---- TAP ------------------------------------------------------------------------------------------------------------

count=0 out='' status=0 took=0
result() { # RESULT NAME
        count=$((count + 1))
        if [ "$1" = 0 ]; then
                echo "ok $count - $2"
        else
                echo "not ok $count - $2"
                printf '%s\n' "status $status after $took s" "$out" | sed 's/^/#   /'
        fi
}
# get OPTION... KIND URL ACTION...: sets out, status, took
get() {
        local started=$SECONDS
        out=$(timeout 120 "$prog" "$@" 2>&1)
        status=$?
        took=$((SECONDS - started))
}
get_as_system_trusts() { # FOLDER and as get
        out=$(system_trusts "$1" timeout 120 "$prog" "${@:2}" 2>&1)
        status=$?
}
# is STATUS PATTERN NAME: the exit code, and a glob that matches all of the output
is() {
        # shellcheck disable=SC2053 # a pattern, on purpose
        [ "$status" = "$1" ] && [[ $out == $2 ]]
        result $? "$3"
}
# Of the program's memory: what it takes, all libraries included, must not grow with what a server sends.
peak_below() { # MIB
        local kib=${out##*peak-kib=}
        [ "${kib%%[!0-9]*}" -lt $(($1 * 1024)) ]
        result $? "in less than $1 MiB of memory (${kib%%[!0-9]*} KiB)"
}
spool_new() { # NAME: sets spool
        spool=$tmp/spool-$1
        rm -rf "$spool"
        mkdir "$spool"
        [ "$(id -u)" != 0 ] || chown 65534:65534 "$spool"
}
spool_kib() { du -sk "$spool" | cut -f1; }
spool_below() { # KIB
        [ "$(spool_kib)" -le "$1" ]
        result $? "the spool stays within $1 KiB ($(spool_kib))"
}
sum() { sha256sum "$1" | cut -d' ' -f1; }

# ---- servers --------------------------------------------------------------------------------------------------------

free_ports() { # N
        perl -MIO::Socket::INET -e '
                my @s = map { IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") } 1 .. $ARGV[0];
                print join(" ", map { $_->sockport } @s);' "$1"
}
listens() { # PORT; without connecting to it
        grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf '%04x' "$1") [0-9A-F:]* 0A " /proc/net/tcp
}
wait_for() { # PORT...
        local p
        for p in "$@"; do
                for _ in $(seq 100); do
                        listens "$p" && continue 2
                        sleep 0.1
                done
                echo "Bail out! nobody listens on port $p"
                sed 's/^/# /' "$tmp"/*.err
                exit 1
        done
}

# ca.pem and other-ca.pem; server, expired, stranger (of the other CA), client, outsider (of the other CA)
certificates() {
        (
                cd "$tmp" || return
                key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
                for ca in ca other-ca; do
                        # shellcheck disable=SC2086 # words
                        openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj "/CN=test $ca" || return
                done
                printf '%s\n' '[ca]' 'default_ca = own' '[own]' "database = $tmp/index" "new_certs_dir = $tmp" 'rand_serial = yes' \
                        'default_md = sha256' 'policy = any' 'copy_extensions = copy' 'unique_subject = no' '[any]' \
                        'commonName = supplied' >ca.cnf
                : >index
                issue() { # NAME CA CN SAN [DATES...]
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
        ) >"$tmp/pki.log" 2>&1 || { sed 's/^/# /' "$tmp/pki.log"; echo "Bail out! no certificates"; exit 1; }
}

# system_trusts FOLDER COMMAND...: with FOLDER in the place of /etc/ssl/certs, for this command alone
system_trusts() {
        # shellcheck disable=SC2016 # the inner shell's
        unshare --mount --propagation private sh -c 'mount --bind "$1" /etc/ssl/certs && shift && exec "$@"' sh "$@"
}
nginx_server() { # PORT CERTIFICATE [MORE]: one server block over TLS
        printf 'server { listen 127.0.0.1:%s ssl; ssl_certificate %s.pem; ssl_certificate_key %s.key; root %s/www; %s }\n' \
                "$1" "$tmp/$2" "$tmp/$2" "$tmp" "${3:-}"
}
nginx_start() { # SERVER-BLOCKS
        mkdir -p "$tmp/www"
        cat >"$tmp/nginx.conf" <<EOF
daemon off; worker_processes 1; pid $tmp/nginx.pid; error_log $tmp/error.log warn;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events { worker_connections 64; }
http {
        access_log $tmp/access.log combined; client_max_body_size 16m;
        client_body_temp_path $tmp/t1; proxy_temp_path $tmp/t2; fastcgi_temp_path $tmp/t3; uwsgi_temp_path $tmp/t4; scgi_temp_path $tmp/t5;
        $1
}
EOF
        background nginx -p "$tmp" -c "$tmp/nginx.conf" 2>"$tmp/nginx.err"
}

# A TCP proxy from $1 to $2 that does what $tmp/cut says, read anew for each connection: "MODE N": after N bytes from the server,
# `cut` closes, `reset` resets, `stall` says nothing more, `pass` goes on; `drip` hands over at most N bytes a second.
cutter() { # FROM TO
        echo 'pass 0' >"$tmp/cut"
        cat >"$tmp/cutter.pl" <<'EOF'
use strict; use warnings; use IO::Socket::INET; use IO::Select; use Socket;
my ($from, $to, $file) = @ARGV;
$SIG{PIPE} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
my $l = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $from, ReuseAddr => 1) or die;
my $parent = $$;
while (1) {
        my $c = $l->accept or next;
        next if fork;
        open my $f, '<', $file or die; my ($mode, $left) = split ' ', <$f>; close $f;
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$to") or exit;
        my $rate = $left;
        my $both = IO::Select->new($c, $s);
        while (getppid() == $parent) {
                for my $r ($both->can_read(0.5)) {
                        my $n = $r == $s && $mode eq 'drip' ? $rate : 16384;
                        $n = $left if $r == $s && $mode =~ /cut|reset|stall/ && $n > $left;
                        sysread($r, my $b, $n) or exit;
                        syswrite($r == $c ? $s : $c, $b);
                        next if $r == $c;
                        if ($mode eq 'drip') { select undef, undef, undef, 1; next }
                        next if $mode eq 'pass';
                        next if ($left -= length $b) > 0;
                        if ($mode eq 'stall') { select undef, undef, undef, 0.2 while getppid() == $parent }
                        setsockopt($c, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $mode eq 'reset';
                        exit;
                }
        }
        exit;
}
EOF
        background perl "$tmp/cutter.pl" "$1" "$2" "$tmp/cut" >/dev/null 2>&1
}

# What nginx would never do by itself, for paths /raw/NAME.
raw_server() { # PORT
        cat >"$tmp/raw.pl" <<'EOF'
use strict; use warnings; use IO::Socket::INET;
my $l = IO::Socket::INET->new(Listen => 16, LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1) or die;
$SIG{PIPE} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
my $parent = $$;
sub linger { select undef, undef, undef, 0.2 while getppid() == $parent }
while (1) {
        my $c = $l->accept or next;
        next if fork;
        $c->autoflush(1);
        my $request = '';
        while (my $line = <$c>) { $request .= $line; last if $line =~ /^\r?\n$/ }
        my ($path) = $request =~ /^\w+ \/raw\/([^\/?\s]+)/;
        my $range = $request =~ /^Range: bytes=(\d+)-/mi ? $1 : undef;
        my $head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n";
        if ($path eq 'short') {
                print $c $head . "ETag: \"short\"\r\nContent-Length: 100000\r\n\r\n" . 'x' x 1000;
        } elsif ($path eq 'endless') {
                print $c "$head\r\n";
                1 while getppid() == $parent && print $c 'x' x 65536;
        } elsif ($path eq 'announced') {
                print $c $head . "Content-Length: 1000000000000\r\n\r\n" . 'x' x 1000;
                linger();
        } elsif ($path eq 'silent') {
                linger();
        } elsif ($path eq 'drip') {
                print $c "$head\r\n";
                while (getppid() == $parent && print $c 'x' x 2048) { select undef, undef, undef, 0.2 }
        } elsif ($path eq 'liar') { # begins honestly; then sends another part than was asked for
                my $all = join '', map { sprintf "%07d\n", $_ } 0 .. 9999;
                if (!defined $range) {
                        print $c $head . "ETag: \"liar\"\r\nContent-Length: " . length($all) . "\r\n\r\n" . substr $all, 0, 40000;
                } else {
                        my $from = $range + 8;
                        print $c "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nETag: \"liar\"\r\nContent-Range: bytes $from-79999/80000\r\n"
                                . "Content-Length: " . (80000 - $from) . "\r\n\r\n" . substr $all, $from;
                }
        } elsif ($path eq 'not-git') {
                print $c $head . "Content-Length: 5\r\n\r\nhello";
        } elsif ($path eq 'git-endless') {
                $head =~ s/octet-stream/x-git-upload-pack-advertisement/;
                print $c "$head\r\n001e# service=git-upload-pack\n0000";
                my $ref = sprintf "%s refs/heads/b%s\n", 'a' x 40, 'x' x 900;
                my $line = sprintf "%04x%s", length($ref) + 4, $ref;
                1 while getppid() == $parent && print $c $line x 64;
        } elsif ($path eq 'git-garbage') {
                $head =~ s/octet-stream/x-git-upload-pack-advertisement/;
                print $c "$head\r\n" . join '', map { chr int rand 256 } 1 .. 5000;
        }
        exit;
}
EOF
        background perl "$tmp/raw.pl" "$1" >/dev/null 2>&1
}
