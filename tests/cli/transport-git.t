#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A release repository in a Git branch: `git http-backend` behind nginx, sshd and a local repository; honest ones, broken ones and
# hostile ones.
#
#   make cli-progs && prove tests/cli/transport-git.t
set -uo pipefail
# shellcheck source=tests/cli/transport.sh
. "$(dirname "$(realpath "$0")")/transport.sh"
need git nginx openssl perl fcgiwrap
backend=$(git --exec-path)/git-http-backend
[ -x "$backend" ] || { echo "1..0 # SKIP git http-backend is not installed"; exit 0; }
certificates

# shellcheck disable=SC2046 # words
set -- $(free_ports 7)
port=$1 p_mtls=$2 p_raw=$3 p_cut=$4 p_expired=$5 p_stranger=$6 p_nobody=$7
mkdir "$tmp/repos" "$tmp/tree"
fcgi="include fastcgi_params; fastcgi_pass unix:$tmp/fcgi.sock; fastcgi_param SCRIPT_FILENAME $backend;
      fastcgi_param GIT_PROJECT_ROOT $tmp/repos; fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param PATH_INFO \$1; fastcgi_buffering off;"
cp /etc/nginx/fastcgi_params "$tmp/" || exit 2
background fcgiwrap -s "unix:$tmp/fcgi.sock" 2>"$tmp/fcgi.err"
# "git:s3cret"
nginx_start "
        $(nginx_server "$port" server "
                location ~ ^/git(/.*) { $fcgi }
                location ~ ^/token(/.*) { if (\$http_authorization != 'Basic Z2l0OnMzY3JldA==') { return 401; } $fcgi }
                location ~ ^/deploy(/.*) { if (\$http_authorization != 'Basic ZGVwbG95OnMzY3JldA==') { return 401; } $fcgi }
                location /away/ { return 302 https://localhost:$port/git/repo.git/info/refs?service=git-upload-pack; }
                location /busy/ { add_header Retry-After 33 always; return 503; }
                location /raw/ { proxy_pass http://127.0.0.1:$p_raw; proxy_buffering off; proxy_http_version 1.1; proxy_read_timeout 100s; }")
        $(nginx_server "$p_expired" expired)
        $(nginx_server "$p_stranger" stranger)
        $(nginx_server "$p_mtls" server "ssl_verify_client on; ssl_client_certificate $tmp/ca.pem; location ~ ^/git(/.*) { $fcgi }")"
raw_server "$p_raw"
cutter "$p_cut" "$port"
wait_for "$port" "$p_raw" "$p_cut"
at=https://localhost:$port/git cut=https://localhost:$p_cut/git
stamp=metadata/timestamp.json
ca=(--ca "$tmp/ca.pem")

# ---- a repository ---------------------------------------------------------------------------------------------------

g() { git -C "$tmp/tree" -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false "$@"; }
publish() { # VERSION: a commit with a new timestamp and a new target
        echo "{\"signed\":{\"version\":$1}}" >"$tmp/tree/$stamp"
        head -c 100000 /dev/urandom >"$tmp/tree/targets/bundles/b$1.tar.zst"
        g add -A && g commit -q -m "release $1" && g push -q origin HEAD:main
}
(git init -q -b main "$tmp/tree" && git init -q --bare -b main "$tmp/repos/repo.git" && g remote add origin "$tmp/repos/repo.git") || exit 2
mkdir -p "$tmp/tree/metadata" "$tmp/tree/targets/bundles" "$tmp/tree/releases/prod/metadata"
echo sub >"$tmp/tree/releases/prod/$stamp"
publish 1
tip() { g rev-parse HEAD; }

for reach in local https; do
        spool_new $reach
        url=$at/repo.git
        [ $reach = https ] || url=$tmp/repos/repo.git
        get "${ca[@]}" --spool "$spool" git "$url" revision get=$stamp file=targets/bundles/b1.tar.zst get=metadata/2.root.json
        is 1 "ok revision=$(tip)
ok $stamp bytes=25 sha256=$(sum "$tmp/tree/$stamp")
ok targets/bundles/b1.tar.zst bytes=100000 sha256=$(sum "$tmp/tree/targets/bundles/b1.tar.zst")
failed reason= errno=2 *there is no such file*" "$reach: files of a branch, and one that is not there"
        is 1 '*sandbox=*no capabilities, seccomp*' "$reach: in the sandbox"
        peak_below 64
        get "${ca[@]}" --spool "$spool" --subdir releases/prod git "$url" get=$stamp
        is 0 "ok $stamp bytes=4 *" "$reach: a folder of the tree"
        get "${ca[@]}" --spool "$spool" --branch nope git "$url" get=$stamp
        is 1 "failed reason= errno=5 *no branch 'nope'*" "$reach: a branch that is not there is not a file that is not there"
        rm -f "$tmp/seen"
        get "${ca[@]}" --spool "$spool" --seen "$tmp/seen" git "$url" changed=$stamp
        is 0 "ok $stamp bytes=25 *" "$reach: seen for the first time"
        get "${ca[@]}" --spool "$spool" --seen "$tmp/seen" git "$url" changed=$stamp
        is 0 "ok $stamp unchanged
stats * fetched=0 *" "$reach: unchanged, and nothing is fetched"
done
is 0 'ok *stats requests=1 *' 'https: one request tells so'
publish 2
rm -rf "${spool:?}"/*
get "${ca[@]}" --spool "$spool" --seen "$tmp/seen" git "$at/repo.git" changed=$stamp
is 0 "ok $stamp bytes=25 sha256=$(sum "$tmp/tree/$stamp")
stats * fetched=1 *" 'a spool that was lost is filled again'
rm -rf "${spool:?}"/*
get "${ca[@]}" --spool "$spool" --seen "$tmp/seen" git "$at/repo.git" changed=$stamp
is 0 'ok * unchanged*fetched=0 *' 'what was seen stays seen without it'

# Polls of a fleet's node, week after week: one pack each, and no end of them, were it not for the renewal.
renewals=0 most=0 bad=0
for v in $(seq 3 14); do
        publish "$v"
        get "${ca[@]}" --spool "$spool" --max-packs 4 git "$at/repo.git" revision get=$stamp "file=targets/bundles/b$v.tar.zst"
        [[ $status = 0 && $out == "ok revision=$(tip)"*"sha256=$(sum "$tmp/tree/$stamp")"*"sha256=$(sum "$tmp/tree/targets/bundles/b$v.tar.zst")"*fetched=1* ]] || bad=$((bad + 1))
        [[ $out != *renewed=1* ]] || renewals=$((renewals + 1))
        packs=$(find "$spool" -name '*.pack' | wc -l)
        [ "$packs" -le "$most" ] || most=$packs
done
[ $bad = 0 ] && [ $renewals -ge 2 ] && [ "$most" -le 4 ]
result $? "twelve releases, one after the other: at most $most packs, $renewals times into a new repository, $bad of them wrong"
[ "$(ls "$spool")" = git ]
result $? 'the old one does not stay'
[[ $out == *received=* ]] && received=${out##*received=} && [ "${received%% *}" -lt 400000 ]
result $? "the last one has brought little more than what is new (${received%% *} bytes)"

# ---- ways in --------------------------------------------------------------------------------------------------------

get "${ca[@]}" --spool "$spool" --token s3cret git "https://localhost:$port/token/repo.git" revision
is 0 'ok *' 'a token is the password of "git"'
get "${ca[@]}" --spool "$spool" --token s3cret git "https://deploy@localhost:$port/deploy/repo.git/" revision
is 0 'ok *' 'or of the user in the URL'
get "${ca[@]}" --spool "$spool" --token s3cret --user deploy git "https://localhost:$port/deploy/repo.git/" revision
is 0 'ok *' 'or of the one that is configured'
get "${ca[@]}" --spool "$spool" --token wrong git "https://localhost:$port/token/repo.git" revision
is 1 'failed reason= errno=13 *HTTP status 401: access refused*' 'a wrong token'
get "${ca[@]}" --spool "$spool" --cert "$tmp/client.pem" --key "$tmp/client.key" git "https://localhost:$p_mtls/git/repo.git" get=$stamp
is 0 'ok *' 'a client certificate'
get "${ca[@]}" --spool "$spool" git "https://localhost:$p_mtls/git/repo.git" get=$stamp
is 1 'failed *client certificate*' 'and none'
get --spool "$spool" git "$at/repo.git" get=$stamp
is 1 'failed *certificate does not hold*' "a CA that is not among the system's"
get "${ca[@]}" --spool "$spool" git "https://localhost:$p_expired/git/repo.git" get=$stamp
is 1 'failed *certificate does not hold*expired*' 'an expired certificate'
get "${ca[@]}" --spool "$spool" git "https://localhost:$p_stranger/git/repo.git" get=$stamp
is 1 'failed *certificate does not hold*' 'a certificate of the wrong CA'
get "${ca[@]}" --spool "$spool" git "https://localhost:$port/away/repo.git" get=$stamp
is 1 'failed *HTTP status 302: redirected*' 'a redirect'
get "${ca[@]}" --spool "$spool" git "https://localhost:$port/busy/repo.git" get=$stamp
is 1 'failed *busy*retry-after=33 status=503*' 'Retry-After'
get "${ca[@]}" --spool "$spool" git "$at/nothing.git" get=$stamp
is 1 'failed reason= errno=* *' 'no repository'
[[ $out != *errno=2\ * ]]
result $? 'is not a file that is not there'
get "${ca[@]}" --spool "$spool" git "https://localhost:$p_nobody/git/repo.git" get=$stamp
is 1 'failed * errno=5 *onnect*' 'nobody listens'
for url in http://localhost/x.git git://localhost/x.git file:///x ext::sh relative/path 'https://u:p@localhost/x.git' https://localhost \
        "$at/repo.git?x" 'ssh://-oProxyCommand=x/y' 'ssh://host/' 'git@-host:x' 'git@host:-x'; do
        get "${ca[@]}" --spool "$spool" git "$url" get=$stamp
        is 2 'failed reason=bad-configuration *' "not a source: $url"
done
get "${ca[@]}" git "$at/repo.git" get=$stamp
is 2 'failed reason=bad-configuration *spool*' 'no spool'
for b in '' -x a..b a.lock /a 'a b' $'a\nb' 'a:b' '+a^'; do
        get "${ca[@]}" --spool "$spool" --branch "$b" git "$at/repo.git" get=$stamp
        is 2 'failed reason=bad-configuration *' "not a branch: '${b//$'\n'/ newline }'"
done

# ---- the branch is not what it was ----------------------------------------------------------------------------------

g checkout -q --orphan anew && g commit -q -m 'another history' && g push -q -f origin HEAD:main
get "${ca[@]}" --spool "$spool" git "$at/repo.git" revision get=$stamp
is 0 "ok revision=$(tip)*ok $stamp *fetched=1*" 'a branch whose history was replaced is followed'
g reset -q --hard "$(g rev-list --max-parents=0 HEAD)" 2>/dev/null
publish 20
g push -q -f origin HEAD~1:main
get "${ca[@]}" --spool "$spool" git "$at/repo.git" revision get=$stamp
is 0 "ok revision=$(g rev-parse HEAD~1)*" 'and so it is back: what must not go back, the metadata say'
g push -q origin HEAD:main
git -C "$tmp/repos/repo.git" branch -q other main && get "${ca[@]}" --spool "$spool" --branch other git "$at/repo.git" get=$stamp
is 0 'ok *' 'another branch, the same spool'

# ---- broken connections ---------------------------------------------------------------------------------------------

spool_new cut
get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp
is 0 'ok *' 'a spool before its connection breaks'
before=$(spool_kib)
head -c 3000000 /dev/urandom >"$tmp/tree/targets/bundles/large.tar.zst"
publish 21
for how in cut reset; do
        for n in 0 1000 2500 3500 8000 300000; do
                echo "$how $n" >"$tmp/cut"
                get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp
                is 1 'failed reason= errno=* *' "$how after $n bytes"
                [ -z "$(find "$spool" -name '*.lock' -o -name 'pack_*' -o -name '*.new' -o -name '*.old')" ]
                result $? 'nothing half-done stays'
        done
done
spool_below $((before + 50))
echo 'stall 300000' >"$tmp/cut"
get "${ca[@]}" --low-speed 2 --spool "$spool" git "$cut/repo.git" get=$stamp
is 1 'failed * errno=110 *too slow*' 'stalled within the pack'
echo 'drip 1400' >"$tmp/cut"
get "${ca[@]}" --timeout 6 --spool "$spool" git "$cut/repo.git" get=$stamp
is 1 'failed * errno=110 *too slow*' 'a pack that drips'
[ "$took" -lt 20 ]
result $? "ends in time ($took s)"
echo 'pass 0' >"$tmp/cut"
get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp file=targets/bundles/large.tar.zst
is 0 "ok *sha256=$(sum "$tmp/tree/targets/bundles/large.tar.zst")*fetched=1*" 'after all that it goes on with what it had'

# A node that lost its power while it fetched.
publish 22
for left in objects/pack/pack_git2_a8f2 objects/pack/pack-0.pack.lock refs/lsmpull/tip.lock shallow.lock HEAD.lock; do
        mkdir -p "$spool/git.new/objects" "$spool/git.old/refs" && : >"$spool/git/$left"
done
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$spool"
get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp
is 0 'ok *fetched=1*' 'locks and halves that an interrupted fetch has left are in nobody'\''s way'
[ "$(ls "$spool")" = git ] && [ -z "$(find "$spool" -name '*.lock' -o -name 'pack_*')" ]
result $? 'and do not stay'
for file in HEAD config refs/lsmpull/tip shallow lsmpull-source objects; do
        publish 23$RANDOM
        rm -rf "$spool/git/$file"
        case $file in shallow | config) printf 'nonsense\n\0' >"$spool/git/$file" ;; esac
        [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$spool"
        for _ in 1 2; do get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp; [ "$status" != 0 ] || break; done
        is 0 "ok $stamp * sha256=$(sum "$tmp/tree/$stamp")*" "a spool without a sound '$file' mends itself, at the next poll at the latest"
done
find "$spool" -name '*.pack' | while read -r p; do size=$(stat -c %s "$p"); chmod u+w "$p"; head -c "$size" /dev/urandom >"$p"; done
for _ in 1 2; do get "${ca[@]}" --spool "$spool" git "$cut/repo.git" get=$stamp; [ "$status" != 0 ] || break; done
is 0 "ok $stamp * sha256=$(sum "$tmp/tree/$stamp")*" 'and so does one whose packs are damaged'

# ---- hostile servers ------------------------------------------------------------------------------------------------

spool_new hostile
get "${ca[@]}" --spool "$spool" git "https://localhost:$port/raw/not-git" get=$stamp
is 1 'failed *not of type application/x-git-upload-pack-advertisement*' 'a web page'
get "${ca[@]}" --spool "$spool" git "https://localhost:$port/raw/git-garbage" get=$stamp
is 1 'failed reason= errno=* *' 'noise'
get "${ca[@]}" --spool "$spool" --max-poll 5000000 git "https://localhost:$port/raw/git-endless" get=$stamp
is 3 'failed reason=too-large *' 'branches without end'
peak_below 128
get "${ca[@]}" --spool "$spool" --low-speed 2 git "https://localhost:$port/raw/silent" get=$stamp
is 1 'failed * errno=110 *' 'silence'

bare=$tmp/repos/hostile.git
git init -q --bare -b main "$bare"
b() { git -C "$bare" "$@"; }
blob=$(echo content | b hash-object -w --stdin)
# tree NAME=MODE:ID...: writes a tree that no honest Git writes
tree() {
        local e
        for e in "$@"; do
                name=${e%%=*} mode=${e#*=} perl -e 'my ($m, $i) = split /:/, $ENV{mode}; printf "%s %s\0%s", $m, $ENV{name}, pack("H*", $i)'
        done | b hash-object -t tree -w --stdin --literally
}
hostile() { # TREE: the branch has it
        local c
        c=$(GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t b commit-tree -m x "$1" </dev/null) &&
                b update-ref refs/heads/main "$c"
}
ask() { get "${ca[@]}" --spool "$spool" "$@" git "$at/hostile.git" get=metadata/x; }
for name in ../x .git .GIT 'git~1' . .. $'a\nb' $'\x01' 'a\b'; do
        hostile "$(tree "metadata=40000:$(tree "$name=100644:$blob" "x=100644:$blob")")" || echo "# could not make it: $name"
        ask
        is 3 'failed reason=unsafe-path *' "a name in a tree: $(printf '%q' "$name")"
done
hostile "$(tree "metadata=40000:$(tree "=100644:$blob" "x=100644:$blob")")"
ask
is 1 'failed reason= errno=* *' 'no name at all'
hostile "$(tree ".git=40000:$(tree "x=100644:$blob")" "metadata=40000:$(tree "x=100644:$blob")")"
ask
is 3 'failed reason=unsafe-path *' 'the same above it'
for kind in "symbolic link=120000:$blob" "submodule=160000:$(tip)" "folder=40000:$(tree "y=100644:$blob")"; do
        hostile "$(tree "metadata=40000:$(tree "x=${kind#*=}")")"
        ask
        is 3 "failed reason=not-a-file *a ${kind%%=*}*" "a ${kind%%=*} for a file"
        [[ $kind == folder* ]] && continue
        hostile "$(tree "metadata=${kind#*=}")"
        ask
        is 3 "failed reason=not-a-file *a ${kind%%=*}*" "a ${kind%%=*} for a folder"
done
hostile "$(tree "metadata=100644:$blob")"
ask
is 3 'failed reason=not-a-file *' 'a file for a folder'
hostile "$(tree "metadata=40000:$(tree "x=100644:$blob")")"
ask
is 0 'ok metadata/x bytes=8 *' 'the same, made honestly'

# 1 GiB of nothing is 1 MiB of pack.
zeros=$(head -c 1073741824 /dev/zero | b -c core.compression=1 hash-object -w --stdin)
hostile "$(tree "metadata=40000:$(tree "x=100644:$zeros")")"
ask --timeout 100
is 3 'failed reason=too-large *longer than 16777216 bytes*' 'a file of 1 GiB'
peak_below 256
spool_below 12000
ask
is 3 'failed reason=too-large *fetched=0*' 'is refused again without fetching again'
# A pack that is larger than one poll may bring.
noise=$(head -c 30000000 /dev/urandom | b -c core.compression=0 hash-object -w --stdin)
hostile "$(tree "metadata=40000:$(tree "n=100644:$noise" "x=100644:$blob")")"
spool_new capped
ask --max-poll 5000000
is 3 'failed reason=too-large *' 'a pack larger than allowed'
spool_below 200
peak_below 128
hostile "$(tree "metadata=40000:$(tree "x=100644:$blob")")"
ask --max-poll 5000000
is 0 'ok *' 'and when it is gone all is well'
# An object that is missing on the other side.
hostile "$(tree "metadata=40000:$(tree "x=100644:$(printf '%040d' 1)")")"
ask
is 1 'failed reason= errno=* *' 'an object that is not there'
[[ $out != *errno=2\ * ]]
result $? 'is not a file that is not there'

# ---- a local repository ---------------------------------------------------------------------------------------------

before=$(find "$tmp/repos/repo.git" -type f | sort | xargs sha256sum | sha256sum)
get git "$tmp/repos/repo.git" get=$stamp
is 0 'ok *' 'opened where it is, without a spool'
[ "$(find "$tmp/repos/repo.git" -type f | sort | xargs sha256sum | sha256sum)" = "$before" ]
result $? 'and nothing in it changes'
get git "$tmp/nothing.git" get=$stamp
is 1 'failed reason= errno=5 *' 'no such repository'
echo "1..$count"
