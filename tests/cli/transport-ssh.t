#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A release repository in a Git branch, reached by ssh: a real sshd with keys made here.
#
#   make cli-progs && prove tests/cli/transport-ssh.t
set -uo pipefail
# shellcheck source=tests/cli/transport.sh
. "$(dirname "$(realpath "$0")")/transport.sh"
need git sshd ssh-keygen perl

# shellcheck disable=SC2046 # words
set -- $(free_ports 5)
port=$1 p_cut=$2 p_nobody=$3 p_silent=$4 p_rsa=$5
me=$(id -un)
stamp=metadata/timestamp.json

# ---- servers --------------------------------------------------------------------------------------------------------

for k in host other node stranger; do ssh-keygen -q -t ed25519 -N '' -C $k -f "$tmp/$k" || exit 2; done
ssh-keygen -q -t ecdsa -N '' -f "$tmp/host-ecdsa" && ssh-keygen -q -t rsa -b 3072 -N '' -f "$tmp/host-rsa" || exit 2
ssh-keygen -q -t ed25519 -N secret -f "$tmp/locked" || exit 2
# The log is of what was asked for; the shell of this user runs it.
cat >"$tmp/run" <<EOF
#!/bin/sh
echo "\$SSH_ORIGINAL_COMMAND" >>$tmp/commands
case \$(cat $tmp/behave) in
endless) exec cat /dev/zero ;;
refs) printf '00000000'; while :; do printf '003d%040d refs/heads/xxxxxx\n' 1; done ;;
silent) exec sleep 60 ;;
noise) exec head -c 5000 /dev/urandom ;;
refuse) printf 'no \033[31mrepository\033[0m for you\n' >&2; exit 1 ;;
*) export GIT_CONFIG_GLOBAL=/dev/null; eval "exec \$SSH_ORIGINAL_COMMAND" ;;
esac
EOF
chmod 755 "$tmp/run"
: >"$tmp/commands"
echo honest >"$tmp/behave"
sed "s|^|restrict,command=\"$tmp/run\" |" "$tmp/node.pub" >"$tmp/authorized_keys"
chmod 600 "$tmp/authorized_keys"
server() { # PORT HOSTKEY...
        local p=$1 k
        shift
        printf '%s\n' "ListenAddress 127.0.0.1:$p" 'StrictModes no' "AuthorizedKeysFile $tmp/authorized_keys" 'UsePAM no' \
                'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin prohibit-password' 'PidFile none' >"$tmp/sshd-$p.conf"
        for k in "$@"; do echo "HostKey $tmp/$k" >>"$tmp/sshd-$p.conf"; done
        background "$(command -v sshd)" -D -e -f "$tmp/sshd-$p.conf" 2>"$tmp/sshd-$p.err"
}
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
server "$port" host-rsa host-ecdsa host
server "$p_rsa" host-rsa
cutter "$p_cut" "$port"
# shellcheck disable=SC2016 # Perl's
background perl -MIO::Socket::INET -e '
        my $l = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]); my @c; push @c, $l->accept while 1' "$p_silent"
wait_for "$port" "$p_rsa" "$p_cut" "$p_silent"

known() { # FILE PORT KEY...: as ssh-keyscan writes it
        local f=$tmp/$1 p=$2 k
        shift 2
        for k in "$@"; do echo "[127.0.0.1]:$p $(cut -d' ' -f1,2 "$tmp/$k.pub")"; done >"$f"
}
known known "$port" host
known known-cut "$p_cut" host
known known-ecdsa "$port" host-ecdsa
known known-other "$port" other
known known-rsa "$p_rsa" host-rsa
known known-elsewhere 22 host
cp "$tmp/known" "$tmp/known-hashed" && ssh-keygen -q -H -f "$tmp/known-hashed" >/dev/null 2>&1
{ echo '# a comment'; echo; cat "$tmp/known-other"; cat "$tmp/known"; } >"$tmp/known-both"
{ cat "$tmp/known"; echo "@revoked * $(cut -d' ' -f1,2 "$tmp/host.pub") somebody lost it"; } >"$tmp/known-revoked"
{ echo 'nonsense'; printf '%09000d\n' 1; echo "@cert-authority * $(cut -d' ' -f1,2 "$tmp/other.pub")"
        echo "@revoked * $(cut -d' ' -f1,2 "$tmp/other.pub")"; cat "$tmp/known"; } >"$tmp/known-mixed"
echo 'nonsense' >"$tmp/known-nonsense"
: >"$tmp/known-nobody"

# ---- a repository ---------------------------------------------------------------------------------------------------

g() { git -C "$tmp/tree" -c user.name=t -c user.email=t@example.org -c commit.gpgsign=false "$@"; }
publish() {
        echo "{\"signed\":{\"version\":$1}}" >"$tmp/tree/$stamp"
        head -c 200000 /dev/urandom >"$tmp/tree/targets/b$1"
        g add -A && g commit -q -m "release $1" && g push -q -f origin HEAD:main
}
repo="$tmp/it's a repository.git"
git init -q -b main "$tmp/tree" && git init -q --bare -b main "$repo" && g remote add origin "$repo" || exit 2
mkdir -p "$tmp/tree/metadata" "$tmp/tree/targets"
publish 1
tip() { g rev-parse HEAD; }
spool_new ssh
ask() { get --spool "$spool" --ssh-key "$tmp/node" --known-hosts "$tmp/known" "$@"; }
url="ssh://$me@127.0.0.1:$port$repo"
cut="ssh://$me@127.0.0.1:$p_cut$repo"

# ---- what works -----------------------------------------------------------------------------------------------------

ask git "$url" revision get=$stamp file=targets/b1 get=nothing
if [[ $out == *'log in'* ]] && grep -q 'not allowed because account is locked' "$tmp"/sshd-*.err; then
        echo "1..0 # SKIP the account $me is locked: sshd lets nobody in"
        exit 0
fi
is 1 "ok revision=$(tip)
ok $stamp bytes=25 sha256=$(sum "$tmp/tree/$stamp")
ok targets/b1 bytes=200000 sha256=$(sum "$tmp/tree/targets/b1")
failed reason= errno=2 *there is no such file*" 'files of a branch, and one that is not there'
is 1 '*sandbox=*no capabilities, seccomp*' 'in the sandbox'
peak_below 64
[ "$(sort -u "$tmp/commands")" = "git-upload-pack '${repo//\'/\'\\\'\'}'" ]
result $? 'the path is one word to the shell of the other side'
ask --seen "$tmp/seen" git "$url" changed=$stamp
ask --seen "$tmp/seen" git "$url" changed=$stamp
is 0 "ok $stamp unchanged
stats * fetched=0 *" 'unchanged, and nothing is fetched'
bad=0
for v in 2 3 4 5 6; do
        publish $v
        ask --max-packs 3 git "$url" get=$stamp file=targets/b$v
        [[ $status = 0 && $out == *"sha256=$(sum "$tmp/tree/$stamp")"*"sha256=$(sum "$tmp/tree/targets/b$v")"*fetched=1* ]] || bad=$((bad + 1))
done
[ $bad = 0 ] && [ "$(find "$spool" -name '*.pack' | wc -l)" -le 3 ]
result $? 'five releases, one after the other'
g commit -q --amend -m 'another' && g push -q -f origin HEAD:main
ask git "$url" revision get=$stamp
is 0 "ok revision=$(tip)*" 'a branch whose history was replaced is followed'
for k in known-ecdsa known-hashed known-both known-mixed; do
        ask --known-hosts "$tmp/$k" git "$url" revision
        is 0 'ok *' "$k: a key that is known, of a server with several"
done

# ---- who it is ------------------------------------------------------------------------------------------------------

: >"$tmp/commands"
for k in known-other known-elsewhere known-nobody; do
        ask --known-hosts "$tmp/$k" git "$url" revision
        is 1 'failed reason= errno=13 *known_hosts*' "$k: refused"
done
ask --known-hosts "$tmp/known-rsa" git "ssh://$me@127.0.0.1:$p_rsa$repo" revision
is 1 'failed reason= errno=13 *no Ed25519 or ECDSA key*' 'an RSA host key, which libssh2 would take with SHA-1 alone'
ask --known-hosts "$tmp/known-revoked" git "$url" revision
is 1 'failed reason= errno=13 *is revoked*' 'a key that is known, and revoked'
ask --known-hosts "$tmp/known-nonsense" git "$url" revision
is 1 'failed reason= errno=13 *line 1 is not understood*' 'nonsense is nobody'\''s key'
for k in stranger locked known; do
        ask --ssh-key "$tmp/$k" git "$url" revision
        is 1 "failed reason= errno=13 *user $me*log in*" "$k: a key that opens nothing"
done
ask git "ssh://nobody-here@127.0.0.1:$port$repo" revision
is 1 'failed reason= errno=13 *' 'a user that does not exist'
[ ! -s "$tmp/commands" ]
result $? 'none of them was asked for anything'
get --spool "$spool" --known-hosts "$tmp/known" git "$url" revision
is 2 'failed reason=bad-configuration *' 'no key'
get --spool "$spool" --ssh-key "$tmp/node" git "$url" revision
is 2 'failed reason=bad-configuration *' 'no known hosts'

# ---- what the other side does ---------------------------------------------------------------------------------------

known known-silent "$p_silent" host
known known-gone "$p_nobody" host
ask --known-hosts "$tmp/known-silent" --low-speed 2 git "ssh://$me@127.0.0.1:$p_silent$repo" revision
is 1 'failed reason= errno=110 *too slow*' 'a server that says nothing, not even who it is'
[ "$took" -lt 20 ]
result $? "ends in time ($took s)"
ask --known-hosts "$tmp/known-gone" git "ssh://$me@127.0.0.1:$p_nobody$repo" revision
is 1 'failed reason= errno=111 *' 'nobody listens'
ask git "ssh://$me@127.0.0.1:$port$tmp/nothing.git" revision
is 1 'failed reason= errno=5 *the server says: *nothing.git*' 'no such repository, in its own words'
echo refuse >"$tmp/behave"
ask git "$url" revision
is 1 'failed reason= errno=5 *the server says: no  ?31mrepository ?0m for you*' 'which are only words'
echo silent >"$tmp/behave"
ask --low-speed 2 git "$url" revision
is 1 'failed reason= errno=110 *too slow*' 'a command that says nothing'
for what in endless noise refs; do
        echo $what >"$tmp/behave"
        ask --max-poll 5000000 git "$url" revision
        [ "$status" != 0 ] && [[ $out == 'failed reason='* ]]
        result $? "$what: ${out%%$'\n'*}"
        peak_below 128
done
echo honest >"$tmp/behave"

head -c 3000000 /dev/urandom >"$tmp/tree/targets/large"
publish 7
before=$(spool_kib)
for how in cut reset; do
        for n in 0 20 800 2000 4000 300000; do
                echo "$how $n" >"$tmp/cut"
                ask --known-hosts "$tmp/known-cut" git "$cut" get=$stamp
                is 1 'failed reason= errno=* *' "$how after $n bytes"
        done
done
[ -z "$(find "$spool" -name '*.lock' -o -name 'pack_*' -o -name '*.new')" ]
result $? 'nothing half-done stays'
spool_below $((before + 50))
echo 'stall 300000' >"$tmp/cut"
ask --known-hosts "$tmp/known-cut" --low-speed 2 git "$cut" get=$stamp
is 1 'failed * errno=110 *too slow*' 'stalled within the pack'
echo 'drip 3000' >"$tmp/cut"
ask --known-hosts "$tmp/known-cut" --timeout 6 git "$cut" get=$stamp
is 1 'failed * errno=110 *too slow*' 'a pack that drips'
echo 'pass 0' >"$tmp/cut"
ask --max-poll 1000000 git "$url" get=$stamp
is 3 'failed reason=too-large *more than 1000000 bytes in all*' 'a pack larger than allowed'
spool_below $((before + 50))
ask git "$url" get=$stamp file=targets/large
is 0 "ok *sha256=$(sum "$tmp/tree/targets/large")*" 'after all that it goes on'
echo "1..$count"
