#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# A node loses its power at each of its writes: what it does to its disk is recorded, and for every moment the folders are rebuilt
# as they may then be found, with nothing that was not synced, with all of it, with some. Wherever it was, the next start recovers
# by itself: nothing that was acted upon is forgotten, nothing older is taken for new, nothing is left lying about. The same for
# calls that fail (disk full, I/O error, interrupted, half a write), for SIGKILL, and on a file system that is really full.
#
# A sample of the moments; with LONG=1 all of them.
# In memory, where there is room: what is synced there is what is asked here, not how long a disk takes.
[ "$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -lt 65536 ] 2>/dev/null || export TMPDIR=/dev/shm
. "$(dirname "$0")/repo.sh"
progs=$top/build/${LSM_VARIANT:-release}/tests/progs
for p in disktrace powercut repo-node; do
        [ -x "$progs/$p" ] || { echo "Bail out! $progs/$p is not built: make cli-progs"; exit 1; }
done
export ASAN_OPTIONS=exitcode=99:detect_leaks=0 # it cannot look for leaks while it is traced
chmod 755 "$tmp"
: >tls.pem
mkdir probe
"$progs/disktrace" "$tmp/probe" record probe.trace true || { echo "1..0 # SKIP processes may not be traced here"; exit 0; }

# ---- what is published ----------------------------------------------------------------------------------------------------

keys k k2
release 1 1.0.0
release 2 1.1.0
"$program" repo init r --key k.key >/dev/null && publish_as r sample-1.tar.zst k.key &&
        "$program" repo promote -r r sample 1 --ring stable --key k.key >/dev/null && cp -a r one &&
        cp r/metadata/1.root.json root.json
result $? "a repository with release 1"
rotation=(--add k2.pub --remove "$(<k.id)" --key k.key --key k2.key)
publish_as r sample-2.tar.zst k.key --floor 2 && "$program" repo rotate timestamp -r r "${rotation[@]}" >/dev/null &&
        "$program" repo rotate rollouts -r r "${rotation[@]}" >/dev/null &&
        "$program" repo promote -r r sample 2 --ring stable --key k.key --key k2.key >/dev/null && cp -a r two
result $? "then with release 2, which is also the floor, a new root and new targets"

# config SOURCE
config() {
        cat >node.yaml <<END
source: {$1}
trust: {root: $tmp/root.json}
bundles: [sample]
ring: stable
node-id: one
https: {ca: $tmp/tls.pem}
paths: {state: $tmp/node/state, run: $tmp/run, cache: $tmp/node/cache, bpffs: $tmp/none, cgroup: $tmp/none}
END
}
# mirror NAME: what is to be had from now on; in the Git repository, too
mirror() {
        [ "$(readlink .is)" != "$1" ] || return 0
        rm -rf mirror && cp -a "$1" mirror && ln -sfn "$1" .is
        [ ! -e repos/repo.git ] || git --git-dir repos/repo.git update-ref refs/heads/main "refs/tags/$1"
}
node() { timeout 60 "$progs/repo-node" node.yaml "$tmp/node/acted" "$1"; }
traced() { timeout 60 "$progs/disktrace" "$tmp/node" "$@" "$progs/repo-node" node.yaml "$tmp/node/acted" poll; }
files() { (cd node && find . | sort); }

# ---- what must hold -------------------------------------------------------------------------------------------------------

# bad TEXT: of the case under way
bad() { failures+="$what: $1"$'\n'; }
# As it is on the disk, before anything runs: is anything forgotten?
remembers() { node check >.check 2>&1 || bad "$1: $(tr '\n' ' ' <.check)"; }
# What was in force before, or what is to be.
in_force() {
        local is
        is=$(node show | cut -d' ' -f1,2)
        [ "$is" = "$held" ] || [ "$is" = "${goal%% root=*}" ] || bad "$is is in force"
}
# The node starts on what it finds. $attack: first from a mirror that offers what was there before.
recovers() {
        remembers 'forgotten'
        if [ -n "$attack" ]; then
                mirror "$attack"
                node poll >/dev/null 2>.err
                remembers 'rolled back'
                in_force
                mirror "$offer"
        fi
        node poll >/dev/null 2>.err || bad "not recovered: $(tail -n 1 .err)"
        [ "$(node show 2>&1)" = "$goal" ] || bad "ends with $(node show 2>&1)"
        # Git's packs are many on purpose, and bounded (transport-git.t); of unfinished downloads there is never more than one.
        left=$(comm -13 "$reference" <(files) | grep -v -e '/partial$' -e '/partial.of$' -e '/objects/pack/pack-[0-9a-f]*\.[ip][da][xc]k*$')
        [ -z "$left" ] || bad "left: ${left//$'\n'/ }"
}
verdict() { # NAME
        out=$failures err='' status=$cases
        [ -z "$failures" ] && [ "$cases" -gt 3 ]
        result $? "$1 ($cases cases)"
}

modes='lost kept names zeros bytes mix1 mix2 mix3 mix4'
# power NAME STEP: cuts in $trace; every STEPth case
power() {
        local n mode i=0
        failures='' cases=0
        for ((n = 0; n <= $("$progs/powercut" "$trace" count); n++)); do
                for mode in $modes; do
                        ((i++ % $2)) && continue
                        what="$mode after $n"
                        rm -rf node
                        "$progs/powercut" "$trace" $n "$mode" node || bad "no tree"
                        cases=$((cases + 1))
                        recovers
                done
        done
        verdict "$1: the power goes"
}
# fault NAME FAULT STEP MESSAGE: from the tree $before; MESSAGE: of a run that fails
fault() {
        local n
        failures='' cases=0
        for ((n = 1; n < 2000; n += $3)); do
                what="$2 at $n"
                rm -rf node && cp -a "$before" node
                traced $n "$2" >/dev/null 2>.err
                status=$?
                [ $status != 99 ] || break
                cases=$((cases + 1))
                case $2:$status in
                *:0 | kill:137) ;;
                *:1) grep -q "$4" .err || bad "says $(<.err)" ;;
                *) bad "exit code $status: $(<.err)" ;;
                esac
                ! grep '^reason=' .err | grep -qv '^reason=failed$' || bad "$(grep '^reason=' .err)"
                recovers
        done
        verdict "$1: $2"
}

# faults STEP: every STEPth call
faults() {
        local n
        n=$(step "$1")
        fault "$name" kill "$n" ''
        fault "$name" ENOSPC "$n" 'No space left on device'
        fault "$name" EIO "$n" 'Input/output error'
        fault "$name" EINTR "$n" 'Interrupted system call'
        fault "$name" short "$n" 'none of them fails'
}

# ---- the phases -----------------------------------------------------------------------------------------------------------

# phase NAME BEFORE OFFER ATTACK
phase() {
        name=$1 before=$2 offer=$3 attack=$4 trace=$1.trace reference=$1.files
        rm -rf node && cp -a "$before" node && mirror "$offer"
        held=$(node show | cut -d' ' -f1,2)
        traced record "$trace" >/dev/null 2>.err
        status=$? err=$(<.err)
        goal=$(node show) && files >"$reference"
        rm -rf "$1.after" && cp -a node "$1.after"
        [ $status = 0 ] && [[ $goal == *"stored=1"* ]]
        result $? "$1: $goal"
        rm -rf again
        "$progs/powercut" "$trace" "$("$progs/powercut" "$trace" count)" kept again && out=$(diff -r node again 2>&1)
        result $? "$1: what was recorded is what is on the disk"
}
step() { if [ -n "${LONG:-}" ]; then echo 1; else echo "$1"; fi; }

mkdir empty
config "repository: $tmp/mirror"
phase 'first fetch' empty one ''
power "$name" "$(step 149)"
faults 41
phase 'update' 'first fetch.after' two one
power "$name" "$(step 131)"
faults 37

# ---- a file system that is really full ----------------------------------------------------------------------------------------

# With some KiB left: none, and more until it is done.
full() {
        local kib done_at=''
        failures='' cases=0
        for kib in 0 4 8 16 32 64 128 256; do
                what="$kib KiB left"
                rm -rf node && mkdir -p node && mount -t tmpfs -o size=64m none node || return 1
                cp -a "$before/." node
                mount -o remount,size="$(($(du -sk node | cut -f1) + kib))k" node
                node poll >/dev/null 2>.err
                status=$?
                if [ $status = 0 ]; then
                        done_at=$kib
                else
                        cases=$((cases + 1))
                        [ "$status $(grep '^reason=' .err)" = '1 reason=failed' ] || bad "exit code $status, says $(<.err)"
                        grep -q 'No space left on device' .err || bad "says $(<.err)"
                        node boot >.boot 2>&1
                        grep -q 'release [12] enforced again' .boot || bad "nothing is enforced after a reboot: $(<.boot)"
                        in_force
                fi
                mount -o remount,size=64m node
                recovers
                umount node
        done
        # shellcheck disable=SC2034 # printed by result
        out=$failures status=$cases err="done with $done_at KiB"
        [ -z "$failures" ] && [ $cases -ge 3 ] && [ -n "$done_at" ]
        result $? "update: the disk is full ($cases times)"
}

if unshare -m true 2>/dev/null && mkdir -p m && mount -t tmpfs none m 2>/dev/null; then
        umount m
        full
else
        count=$((count + 1))
        echo "ok $count - update: the disk is full # SKIP nothing may be mounted here"
fi

# ---- over the network: downloads and Git's objects go through the spool -----------------------------------------------------

# mirror/ at https://localhost:$port, and the same in the branch main of https://localhost:$port/git/repo.git
servers() {
        port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost -keyout tls.key -out tls.pem 2>/dev/null || return 1
        git init -q --bare -b main repos/repo.git
        for r in one two; do
                (cd $r && export GIT_DIR=$tmp/repos/repo.git GIT_WORK_TREE=. && git add -A -f . &&
                        git -c user.name=t -c user.email=t@localhost commit -q -m $r && git tag $r) || return 1
        done
        rm -f .is
        cp /etc/nginx/fastcgi_params .
        cat >nginx.conf <<END
daemon off; worker_processes 1; pid $tmp/nginx.pid; error_log $tmp/nginx.log;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events {}
http {
        access_log off;
        client_body_temp_path $tmp/t1; proxy_temp_path $tmp/t2; fastcgi_temp_path $tmp/t3;
        uwsgi_temp_path $tmp/t4; scgi_temp_path $tmp/t5;
        server {
                listen 127.0.0.1:$port ssl; ssl_certificate $tmp/tls.pem; ssl_certificate_key $tmp/tls.key; root $tmp/mirror;
                location ~ ^/git(/.*) {
                        include fastcgi_params; fastcgi_pass unix:$tmp/fcgi.sock;
                        fastcgi_param SCRIPT_FILENAME $(git --exec-path)/git-http-backend; fastcgi_param PATH_INFO \$1;
                        fastcgi_param GIT_PROJECT_ROOT $tmp/repos; fastcgi_param GIT_HTTP_EXPORT_ALL 1;
                }
        }
}
END
        fcgiwrap -s "unix:$tmp/fcgi.sock" 2>/dev/null &
        pids=$!
        nginx -p "$tmp" -c "$tmp/nginx.conf" 2>/dev/null &
        pids+=" $!"
        trap 'kill $pids; wait; rm -rf "$tmp"' EXIT
        for r in $(seq 100); do
                (echo >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && [ -S fcgi.sock ] && return 0
                sleep 0.1
        done
        return 1
}
# over NAME SOURCE
over() {
        config "$2"
        rm -rf node "$1.before" && mkdir node && mirror one
        node poll >/dev/null 2>.err || cat .err
        cp -a node "$1.before"
        phase "$1" "$1.before" two one
        power "$1" "$(step 211)"
        fault "$1" kill "$(step 53)" ''
        fault "$1" ENOSPC "$(step 53)" 'No space left on device'
}
missing=''
for p in nginx openssl git fcgiwrap perl; do command -v $p >/dev/null || [ -x /usr/sbin/$p ] || missing+=" $p"; done
if [ -n "$missing" ]; then
        count=$((count + 1))
        echo "ok $count - over the network # SKIP not installed:$missing"
else
        PATH=$PATH:/usr/sbin
        servers
        result $? "servers"
        over https "repository: https://localhost:$port"
        over git "git: https://localhost:$port/git/repo.git"
fi

# ---- would it be noticed? ---------------------------------------------------------------------------------------------------

# A disk on which fsync does nothing, and one on which it does nothing to files.
for mode in nosync nofsync; do
        failures='' what=$mode
        rm -rf node
        "$progs/powercut" "$trace" "$("$progs/powercut" "$trace" count)" $mode node && remembers forgotten
        [ -n "$failures" ]
        result $? "a disk that does not sync is found out ($mode)"
done
done_testing
