#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Publishing by Git: what nodes see is a commit, whole. Two people publish from two clones; the remote is not always there.
. "$(dirname "$0")/repo.sh"
need git

keys k k2
release 1 1.0.0
release 2 1.1.0
git init -q --bare remote.git

# served: the branch as a node would see it, in ./node
served() { rm -rf node && git clone -q -b releases remote.git node 2>/dev/null; }
head_of() { git -C remote.git rev-parse releases; }

run repo init r --key k.key --git "$tmp/remote.git" --branch releases
exits 0 "init --git"
served
accepts_none() { "$program" repo show -r node --json >/dev/null; }
check "the branch is a repository" accepts_none
[ "$(git -C remote.git for-each-ref --format '%(refname)')" = refs/heads/releases ]
result $? "on the branch that was asked for, and no other"
"$program" repo stage -r r sample-1.tar.zst >/dev/null && "$program" sign r/pending/sample-1 --key k.key >/dev/null
before=$(head_of)
run repo publish r/pending/sample-1 --key k.key
exits 0 "publish"
[ "$(git -C remote.git rev-list --count "$before..releases")" = 1 ]
result $? "is one commit"
[ "$(git -C remote.git log -1 --format=%s releases)" = "publish sample-1" ]
result $? "that says what it is"
served
accepts "a node accepts the branch" sample-1.tar.zst node
[ -z "$(git -C remote.git ls-tree -r --name-only releases | grep -v '^metadata/\|^targets/\|^repo.json$')" ]
result $? "what is pending is not on it"
before=$(head_of)
run repo promote -r r sample 1 --ring stable --key k.key
[ "$status" = 0 ] && [ "$(git -C remote.git rev-list --count "$before..releases")" = 1 ]
result $? "promote is one commit"
before=$(head_of)
run repo promote -r r sample 1 --ring stable --key k.key
[ "$status" = 0 ] && [ "$(head_of)" = "$before" ]
result $? "nothing to do is none"

# ---- a second clone -------------------------------------------------------------------------------------------------

git clone -q -b releases remote.git second
"$program" repo stage -r second sample-2.tar.zst >/dev/null && "$program" sign second/pending/sample-2 --key k.key >/dev/null
run repo publish second/pending/sample-2 --key k.key
exits 0 "a fresh clone publishes without further words"
before=$(head_of)
run repo refresh -r r --key k.key
refused stale-base "the first clone is behind"
[ "$(head_of)" = "$before" ]
result $? "and pushes nothing"
git -C r fetch -q && git -C r reset -q --hard origin/releases
run repo refresh -r r --key k.key
exits 0 "brought up to date, it goes on"
served
accepts "a node accepts it" sample-2.tar.zst node

# ---- the remote is not there ----------------------------------------------------------------------------------------

mv remote.git away.git
run repo refresh -r r --key k.key
exits 1 "a remote that is not there"
complains "not pushed" "says that nothing was pushed"
mv away.git remote.git
before=$(head_of)
run repo refresh -r r --key k.key
exits 0 "run again, it is pushed"
[ "$(head_of)" != "$before" ]
result $? "all of it"
printf '#!/bin/sh\necho no >&2\nexit 1\n' >remote.git/hooks/pre-receive
chmod +x remote.git/hooks/pre-receive
before=$(head_of)
run repo promote -r r sample 2 --ring stable --key k.key
exits 1 "a remote that refuses"
rm remote.git/hooks/pre-receive
run repo promote -r r sample 2 --ring stable --key k.key
exits 0 "the same command again"
says "nothing to do" "has nothing to change"
[ "$(head_of)" != "$before" ]
result $? "and pushes what was not pushed"
served
[ "$(jq -r .rings.stable.release node/targets/rollouts/*.json | sort -n | tail -n 1)" = 2 ]
result $? "the rollout arrived"

# ---- someone else's branch ------------------------------------------------------------------------------------------

run repo init other --key k2.key --git "$tmp/remote.git" --branch releases
[ "$status" != 0 ] && [ "$(git -C remote.git log -1 --format=%s releases)" != init ]
result $? "init does not overwrite a branch that is there"

git init -q mine && git -C mine -c user.name=a -c user.email=a@b commit -q --allow-empty -m work
run repo init mine --key k.key --git "$tmp/remote.git" --branch new
exits 1 "init --git in somebody's work"
[ "$(git -C mine log -1 --format=%s)" = work ] && [ -z "$(git -C mine remote)" ]
result $? "leaves it as it is"

done_testing
