#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# The flow of a policy repository, against bare Git repositories: what a pull request is told, what a merge stages, what is published.
# Trying kernels is lsmbundle-test.t's.
. "$(dirname "$0")/repo.sh"
need git

export LSMBUNDLE=$program LSM_RELEASES=$tmp/releases.git
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org

# flow WORD...: policy-flow in a fresh clone of the policy repository, as a runner has it
flow() {
        rm -rf runner
        git clone -q policies.git runner
        out=$(cd runner && timeout 120 "$top/ci/templates/policy-flow" "$@" 2>"$tmp/.err")
        status=$?
        err=$(<"$tmp/.err")
}
branches() { git -C releases.git for-each-ref --format '%(refname:lstrip=2)' | tr '\n' ' '; }
head_of() { git -C releases.git rev-parse "$1"; }
# edit SED MESSAGE: a change of the files bundle, merged
edit() {
        sed -i "$1" policies/bundles/files/bundle.yaml
        git -C policies commit -q -a -m "$2" && git -C policies push -q origin main
}
# approve NAME-N: signed on its branch
approve() {
        rm -rf approval
        git clone -q -b "pending/$1" releases.git approval && "$program" sign "approval/pending/$1" --key k.key --source "runner/bundles/${1%-*}" >.out 2>&1 &&
                git -C approval add -A && git -C approval commit -q -m signed && git -C approval push -q origin "HEAD:pending/$1"
}

keys k
git init -q --bare releases.git
"$program" repo init releases --key k.key --git "$LSM_RELEASES" >/dev/null
git init -q --bare -b main policies.git
git clone -q policies.git policies 2>/dev/null
git -C policies checkout -q -B main
mkdir policies/bundles
bundle policies/bundles/files "seeds: {names: [one]}"
sed -i 's/^name: .*/name: files/; s/^version: .*/version: 1.0.0/; s/^release: .*/release: 1/' policies/bundles/files/bundle.yaml
git -C policies add -A && git -C policies commit -q -m one && git -C policies push -q origin main

# ---- the first release ----------------------------------------------------------------------------------------------

before=$(head_of main)
flow pr --no-test
exits 0 "pr"
says "The first release of this bundle" "says that nothing was published before"
says "**Not tried on any kernel**" "says what was not done"
[ -s runner/out/files.tar.zst ] && cmp -s runner/out/report.md runner/out/files.md && grep -q '^## files 1.0.0, release 1' runner/out/report.md
result $? "leaves the bundle and the report"
[ "$(branches)" = "main " ] && [ "$(head_of main)" = "$before" ]
result $? "pushes nothing"
LSM_RELEASES='' flow pr --no-test
[ "$status" = 0 ] && [[ $out == *"Compared with nothing"* ]]
result $? "without a release repository it compares with nothing, and says so"

flow merge
exits 0 "merge"
[ "$(branches)" = "main pending/files-1 " ] && [ "$(<runner/out/staged)" = pending/files-1 ]
result $? "stages a branch"
[ "$(head_of main)" = "$before" ] && [ "$(git -C releases.git diff --name-only main pending/files-1 | sort | tr '\n' ' ')" = "pending/files-1/bundles.json pending/files-1/files-1.0.0.tar.zst pending/files-1/pending.json " ]
result $? "that is what nodes read, and the pending release"
staged=$(head_of pending/files-1)
flow merge
[ "$status" = 0 ] && [[ $out == *"staged already"* ]] && [ "$(head_of pending/files-1)" = "$staged" ] && [ "$(<runner/out/staged)" = pending/files-1 ]
result $? "the same again is nothing new"

flow publish --key ../k.key
[ "$status" = 0 ] && [[ $out == *"files-1: not yet: bundles: it is not signed"* ]] && [ "$(head_of main)" = "$before" ]
result $? "what nobody has signed is not published"

edit 's/one/two/' "before anybody has signed"
flow merge
[ "$status" = 0 ] && [ "$(head_of pending/files-1)" != "$staged" ]
result $? "what nobody has signed is replaced"
check "an approver builds it again and signs" approve files-1
staged=$(head_of pending/files-1)
edit 's/two/three/' "after"
flow merge
[ "$status" = 1 ] && [[ $err == *"has been signed"* ]] && [ "$(head_of pending/files-1)" = "$staged" ]
result $? "what somebody has signed is not replaced"
edit 's/three/two/' "and back"
flow publish --key ../k.key
exits 0 "publish"
[ "$(branches)" = "main " ] && [ "$(git -C releases.git log -1 --format=%s main)" = "publish files-1" ]
result $? "publishes it and removes its branch"
! git -C releases.git ls-tree -r --name-only main | grep -q '^pending'
result $? "what was pending is not served"
flow publish --key ../k.key
[ "$status" = 0 ] && [[ $out == *"nothing is pending"* ]]
result $? "nothing more is pending"

# ---- the next ---------------------------------------------------------------------------------------------------------

flow pr
[ "$status" = 0 ] && [[ $out == *"Nothing changes for a node"* ]] && [ ! -e runner/out/files.test ]
result $? "pr without a change for nodes tries no kernel"
flow merge
[ "$status" = 0 ] && [ "$(branches)" = "main " ]
result $? "merging it stages nothing"

edit 's/two/four/' "without a new release"
flow pr --no-test
[ "$status" = 3 ] && [[ $out == *"raise 'release:' in bundle.yaml"* ]]
result $? "a change under a published number fails its pull request"
flow merge
[ "$status" = 3 ] && [ "$(branches)" = "main " ]
result $? "and is not staged"
edit 's/^release: 1/release: 2/' "without a new version"
flow pr --no-test
[ "$status" = 3 ] && [[ $out == *"raise 'version:' in bundle.yaml"* ]]
result $? "nor under a published version"
edit 's/^version: .*/version: 1.1.0/' "right"
flow pr --no-test
exits 0 "with both raised"
says "### files 1.0.0 (release 1) → files 1.1.0 (release 2)" "the report compares with what is in force"
says "+ seed names four" "and has the difference"

# A second bundle: what it publishes makes the first one's pending release stale.
flow merge
cp -r policies/bundles/files policies/bundles/more
sed -i 's/^name: .*/name: more/; s/^release: .*/release: 5/' policies/bundles/more/bundle.yaml
git -C policies add -A && git -C policies commit -q -m more && git -C policies push -q origin main
flow merge
[ "$status" = 0 ] && [ "$(branches)" = "main pending/files-2 pending/more-5 " ]
result $? "two bundles, two branches"
check "one is approved" approve more-5
flow publish --key ../k.key more-5
[ "$status" = 0 ] && [ "$(branches)" = "main pending/files-2 " ]
result $? "publish what is named"
flow publish --key ../k.key
[ "$status" = 0 ] && [[ $out == *"files-2: not yet: stale"* ]]
result $? "the other one is stale"
flow merge
[ "$status" = 0 ] && [ "$(branches)" = "main pending/files-2 " ]
result $? "merge stages it anew"
check "it is approved" approve files-2
flow publish --key ../k.key
[ "$status" = 0 ] && [ "$(branches)" = "main " ]
result $? "and published"

# What is in force is what the rollout says.
git -C releases fetch -q && git -C releases reset -q --hard origin/main
"$program" repo promote -r releases files 1 --ring stable --key k.key >/dev/null
git -C releases fetch -q
"$program" repo promote -r releases files 2 --ring canary --key k.key >/dev/null
edit 's/four/five/; s/^release: .*/release: 3/; s/^version: .*/version: 1.2.0/' three
flow pr --no-test bundles/files
[ "$status" = 0 ] && [[ $out == *"### files 1.0.0 (release 1) → files 1.2.0"*"### files 1.1.0 (release 2) → files 1.2.0"* ]]
result $? "each release that a ring runs is compared"
[ ! -e runner/out/more.md ]
result $? "only the named bundle"

# ---- what is wrong ----------------------------------------------------------------------------------------------------

sed -i 's/mode: enforce/mode: sometimes/' policies/bundles/more/bundle.yaml
git -C policies commit -q -a -m wrong && git -C policies push -q origin main
flow pr --no-test
[ "$status" = 1 ] && grep -q 'bundles/more/bundle.yaml:[0-9]*:[0-9]*: error' runner/out/more.md && grep -q '\*\*Failed\*\*' runner/out/more.md
result $? "an error in the sources is in the report, with its place"
grep -q '(release 2) → files 1.2.0' runner/out/files.md
result $? "the other bundle is checked all the same"
flow merge
[ "$status" = 1 ] && [ "$(branches)" = "main pending/files-3 " ]
result $? "and staged"
LSM_RELEASES=$tmp/nowhere.git flow pr --no-test
[ "$status" = 2 ] && [[ $err == *nowhere.git* ]]
result $? "a release repository that is not there"
LSM_RELEASES=$tmp/policies.git flow pr --no-test
[ "$status" = 2 ] && [[ $err == *"holds no release repository"* ]]
result $? "and one that is none"
LSM_RELEASES='' flow merge
exits 2 "merge without a release repository"
flow publish
exits 2 "publish without a key"
flow frobnicate
exits 2 "no such command"
flow pr --frobnicate x
exits 2 "no such option"
flow pr --out
exits 2 "an option without its value"
flow pr no-such-directory --no-test
exits 1 "a directory that is not there"

# ---- templates ----------------------------------------------------------------------------------------------------------

if python3 -c 'import yaml' 2>/dev/null; then
        for f in github-actions gitlab-ci; do
                python3 -c 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)' "$top/ci/templates/$f.yml" >$f.json 2>.err
                result $? "$f.yml is YAML"
                jq -r '[.. | strings | select(test("policy-flow"))] | join("\n")' $f.json | grep -oE 'policy-flow (pr|merge).*' >calls
                [ "$(cut -d' ' -f2 calls | sort | tr '\n' ' ')" = "merge pr " ]
                result $? "$f.yml calls pr and merge, and nothing else"
                missing=
                while read -r option; do
                        grep -qE "^ *$option\) " "$top/ci/templates/policy-flow" || missing+=" $option"
                done < <(grep -oE -- '--[a-z-]+' calls)
                err="no options:$missing"
                [ -z "$missing" ]
                result $? "$f.yml gives options that there are"
        done
        # `on` is a truth value to YAML 1.1.
        [ "$(jq -c '[.permissions, (.jobs | to_entries | map([.key, .value.if, .value.environment]))]' github-actions.json)" = \
                "[{\"contents\":\"read\"},[[\"check\",\"github.event_name == 'pull_request'\",null],[\"stage\",\"github.event_name == 'push'\",\"stage\"]]]" ]
        result $? "on GitHub a pull request never has what pushes"
        [ "$(jq -c '[.check.rules[].if, .stage.rules[].if, .stage.environment]' gitlab-ci.json)" = \
                '["$CI_PIPELINE_SOURCE == \"merge_request_event\"","$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH","stage"]' ]
        result $? "nor on GitLab"
else
        count=$((count + 1))
        echo "ok $count - templates # SKIP python3-yaml is not installed"
fi

# ---- the whole story ------------------------------------------------------------------------------------------------------

out=$(timeout 300 "$top/ci/policy-flow-local" --no-test --dir "$tmp/story" 2>&1)
status=$?
exits 0 "ci/policy-flow-local"
says "files-1: not yet: bundles: it is not signed" "waits for approval"
says "files-2: published on the branch main" "publishes"
[ "$(git -C story/releases.git log --format=%s main | tr '\n' ',')" = "promote files 2,publish files-2,publish files-1,publish initial," ] && "$program" verify story/runner/out/files.tar.zst --root story/releases/metadata/1.root.json --repo story/releases >.out
result $? "and what it has published is what the merge has built"

done_testing
