#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a node costs its repository when there is nothing new: the agent's own poll, with lsmpull as its fetcher, against a real nginx
# and `git http-backend`. A fleet multiplies whatever is too much here. Times are measured by tests/bench/poll.
#
#   make all cli-progs && prove tests/cli/repo-poll.t
set -uo pipefail
# shellcheck source=tests/cli/transport.sh
. "$(dirname "$(realpath "$0")")/transport.sh"
need nginx fcgiwrap git openssl perl jq clang
# shellcheck source=tests/cli/repo-poll.sh
. "$(dirname "$(realpath "$0")")/repo-poll.sh"
poll_repository
poll_server

poll() { # NAME: sets out (what was asked), status
        asked >/dev/null
        out=$(polls "$1" 1 2>&1)
        status=$?
        [ $status != 0 ] || out=$(asked)
}
# asked_for PATTERN NAME: a glob that matches the log, and the poll was one
asked_for() {
        # shellcheck disable=SC2053 # a pattern, on purpose
        [ "$status" = 0 ] && [[ $out == $1 ]]
        result $? "$2"
}
is_within() { # REQUESTS BYTES
        awk -v requests="$1" -v bytes="$2" '{ n++; got += $2 } END { exit !(n > 0 && n <= requests && got > 0 && got <= bytes) }' <<<"$out"
}
within() { # REQUESTS BYTES NAME
        [ "$status" = 0 ] && is_within "$1" "$2"
        result $? "$3"
}

poll_node https "repository: $at/repo"
poll https
asked_for "404 *2.root.json*200 *timestamp.json*200 *snapshot.json*targets/rollouts/*" 'HTTPS: the first poll brings everything'
for again in 'nothing new' 'again'; do
        poll https
        asked_for "404 * GET /repo/metadata/2.root.json HTTP/1.1
304 * GET /repo/metadata/timestamp.json HTTP/1.1" "HTTPS, $again: is there a newer root, and a newer timestamp"
        within 2 1024 "HTTPS, $again: at most 2 requests, and 1 KiB received"
done

poll_node git "git: $at/git/repo.git"
poll git
asked_for '200 *info/refs*200 *git-upload-pack*' 'Git: the first poll fetches the branch'
for again in 'nothing new' 'again'; do
        poll git
        asked_for '200 * GET /git/repo.git/info/refs?service=git-upload-pack HTTP/1.1' "Git, $again: where does the branch stand"
        within 1 1024 "Git, $again: one request, and at most 1 KiB received"
done

# ---- so that what is counted above can be too much ------------------------------------------------------------------

(cd "$tmp" && "$lsmbundle" repo refresh -r repo --key online.key) >"$tmp/refresh.log" 2>&1 || sed 's/^/# /' "$tmp/refresh.log"
poll https
asked_for '404 *2.root.json*200 *timestamp.json*' 'HTTPS: a newer timestamp is fetched'
poll git
asked_for '200 *info/refs*200 *git-upload-pack*' 'Git: a newer commit is fetched'
! is_within 2 1024
result $? 'Git: which is counted, too'
poll https
within 2 1024 'HTTPS: and then there is nothing new again'
poll git
within 1 1024 'Git: and then there is nothing new again'
echo "1..$count"
