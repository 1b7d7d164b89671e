#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A release repository in a folder: a stick that somebody else has written.
#
#   make cli-progs && prove tests/cli/transport-dir.t
set -uo pipefail
# shellcheck source=tests/cli/transport.sh
. "$(dirname "$(realpath "$0")")/transport.sh"
need mkfifo

d=$tmp/stick
mkdir -p "$d/metadata" "$d/targets/bundles"
cd "$d" || exit 2
stamp=metadata/timestamp.json
echo '{"signed":{}}' >$stamp
head -c 3000000 /dev/urandom >targets/bundles/a.tar.zst
: >targets/empty
mkfifo targets/pipe
ln -s bundles/a.tar.zst targets/link
ln -s bundles targets/folder
ln -s /etc/passwd targets/passwd
ln -s nothing targets/dangling
echo secret >"$tmp/secret" && ln -s "$tmp/secret" targets/outside
chmod -R a+rX "$d"

get dir "$d" revision get=$stamp file=targets/bundles/a.tar.zst get=targets/empty file=targets/empty
is 0 "ok revision=
ok $stamp bytes=14 sha256=$(sum $stamp)
ok targets/bundles/a.tar.zst bytes=3000000 sha256=$(sum targets/bundles/a.tar.zst)
ok targets/empty bytes=0 *
ok targets/empty bytes=0 *" 'files of a folder'
is 0 '*sandbox=*no capabilities, seccomp*' 'in the sandbox'
peak_below 64
get --seen "$tmp/seen" dir "$d/" changed=$stamp changed=$stamp
is 0 "ok $stamp bytes=14 *ok $stamp bytes=14 *" 'a folder answers each time'
for path in nothing metadata/nothing nothing/x "$(printf 'x%.0s' {1..300})"; do
        get dir "$d" "get=$path"
        is 1 'failed reason= errno=2 *there is no such file*' "not there: ${path:0:20}"
done
for path in targets targets/bundles targets/pipe targets/link targets/folder/a.tar.zst targets/passwd targets/dangling targets/outside \
        metadata/timestamp.json/x; do
        for action in get file; do
                get dir "$d" "$action=$path"
                is 3 'failed reason=not-a-file *' "$action: not a file: $path"
        done
done
for path in ../secret metadata/../../secret "$tmp/secret" . .. ''; do
        get dir "$d" "get=$path"
        is 3 'failed reason=unsafe-path *' "not a path: '${path#"$tmp"}'"
done
get --max 14 dir "$d" get=$stamp
is 0 'ok *' 'as long as is allowed'
get --max 13 dir "$d" get=$stamp
is 3 'failed reason=too-large *' 'one byte more'
get --max-poll 5000000 dir "$d" file=targets/bundles/a.tar.zst file=targets/bundles/a.tar.zst
is 3 'ok *failed reason=too-large *in all*' 'more than one poll may bring'
truncate -s 1T targets/sparse
get dir "$d" file=targets/sparse
is 3 'failed reason=too-large *' 'a file of 1 TiB'
peak_below 64
get dir "$tmp/nothing" get=$stamp
is 1 'failed reason= errno=5 *no such folder*' 'no folder is not a file that is not there'
get dir "$d/$stamp" get=$stamp
is 1 'failed *' 'a file for a folder'
for url in relative '' "file://$d"; do
        get dir "$url" get=$stamp
        is 2 'failed reason=bad-configuration *' "not a source: '${url#file://"$tmp"}'"
done
echo "1..$count"
