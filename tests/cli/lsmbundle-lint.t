#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# lint: every error of bundle.yaml and of the self-tests, at its place, all in one run.
. "$(dirname "$0")/lsmbundle.sh"

good() { printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' 'policies: [{name: p, source: p.bpf.c}]'; }
mkdir b
policy b/p.bpf.c

# lints TEXT PLACE MESSAGE NAME: bundle.yaml with that text is refused with that message at LINE:COLUMN
lints() {
        printf '%s\n' "$1" >b/bundle.yaml
        run lint b
        [ "$status" = 1 ] && grep -qF "b/bundle.yaml:$2: error: " <<<"$err" && grep -F "b/bundle.yaml:$2: error: " <<<"$err" | grep -qF -- "$3"
        result $? "$4"
}

good >b/bundle.yaml
run lint b
exits 0 "a bundle without errors"
says "sample 1.2.3, 1 policy" "says what it is"

# ---- YAML ----
lints '' 1:1 'empty' "an empty file"
lints $'name: [a' 2:1 'closing bracket' "a bracket that is not closed"
lints $'policies:\n\t- b' 2:1 'tab' "a tab as indentation"
lints "$(good)"$'\nname: again' 6:1 "'name' is there twice" "a key that is there twice"
lints "$(good | sed 's/^name: sample/name: \&x sample/')" 2:10 'anchors' "an anchor"
lints "$(good | sed 's/^name: sample/name: *x/')" 2:7 'aliases' "an alias"
lints "$(good)"$'\n---\nname: other' 6:1 'second document' "a second document"
lints "$(good | sed 's/1.2.3/!!str 1.2.3/')" 3:16 'tags' "a tag"
printf 'name: a\x01b\n' >b/bundle.yaml
run lint b
complains "b/bundle.yaml:1:8: error: control character 0x01" "a control character"
printf 'name: a\0b\n' >b/bundle.yaml
run lint b
complains "b/bundle.yaml:1:8: error: control character 0x00" "a zero byte does not end the file"

# ---- keys and values ----
lints '- a' 1:1 'a bundle is a mapping' "a list instead of a bundle"
lints "$(good | sed 's/^name:/nam:/')" 2:1 "no key 'nam'" "an unknown key"
lints "$(good | sed /^name:/d)" 1:1 "no 'name'" "a key that is missing"
lints "$(good | sed 's,lsmbundle/v1,lsmbundle/v2,')" 1:13 'lsmbundle/v1' "another apiVersion"
lints "$(good | sed 's/name: sample/name: Sample/')" 2:7 'not a name' "a bad name"
lints "$(good | sed 's/1\.2\.3/1.2/')" 3:10 'semantic version' "a bad version"
lints "$(good | sed 's/release: 7/release: 0/')" 4:10 "'release' is a whole number" "release 0"
lints "$(good | sed 's/release: 7/release: -1/')" 4:10 "'release'" "a negative release"
lints "$(good | sed 's/release: 7/release: 9007199254740992/')" 4:10 "'release'" "a release beyond 2^53 - 1"
lints "$(good | sed 's/release: 7/release: "7"/')" 4:10 "'release'" "a release in quotes"
lints "$(good | sed 's/^policies:.*/policies: []/')" 5:11 'at least one' "no policies"
lints "$(good | sed 's/^policies:.*/policies: {}/')" 5:11 'a list' "policies that are no list"
lints "$(good | sed 's/\[{.*/[{name: p}]/')" 5:12 "no 'source', and no 'rules'" "a policy without a source"
lints "$(good | sed 's/p.bpf.c/q.bpf.c/')" 5:30 "'q.bpf.c': No such file" "a source that is not there"
lints "$(good | sed 's/p.bpf.c/./')" 5:30 'not a regular file' "a source that is a directory"
lints "$(good | sed 's/}]/, mode: strict}]/')" 5:45 "mode 'strict'" "an unknown mode"
lints "$(good | sed 's/}]/, plain: yes}]/')" 5:46 "'plain' is true or false" "plain: yes is a string"
lints "$(good | sed 's/}]/, plain: true, mode: audit}]/')" 5:12 'can only enforce' "a plain policy cannot be audited"
lints "$(good | sed 's/}]/, seeds: [a]}]/')" 5:46 "'seeds' is a mapping" "seeds that are no mapping"
lints "$(good | sed 's/}]/}, {name: p, source: p.bpf.c}]/')" 5:47 "two policies 'p'" "one name twice"
lints "$(good | sed 's/source: p.bpf.c/rules: r.yaml/')" 5:29 "'r.yaml': No such file" "a file of rules that is not there"
lints "$(good | sed 's/source: p.bpf.c/source: p.bpf.c, rules: p.bpf.c/')" 5:12 'not both' "source and rules"
# scoped SCOPE COLUMN REGEX NAME
scoped() { lints "$(good | sed "s|}]|, scope: $1}]|")" "5:$2" "$3" "scope: $4"; }
scoped '{}' 46 'a scope names one of' "empty"
scoped '{pods: x}' 47 "'pods'" "an unknown key"
scoped '{pod: web-1}' 52 'not the uid of a pod' "a pod by name"
scoped '{container: a/b}' 58 'not a container' "a container that is a path"
scoped '{host: 1}' 53 'true or false' "host"
scoped '{cgroup: /**}' 55 'is the whole node' "the whole node"
scoped '{cgroup: /sys/fs/cgroup/a}' 55 'without /sys/fs/cgroup' "the mount point"
scoped '{cgroup: a/../b}' 55 "'a/../b'" "two dots"
scoped '{cgroup: []}' 55 'no task at all' "an empty list"
scoped '{unit: nginx}' 53 'not a unit with a cgroup' "a unit without a kind"
scoped '{unit: a/b.service}' 53 'not a unit' "a unit that is a path"
scoped '{cgroup: a, unit: b.service}' 64 "has 'cgroup' or 'unit'" "two of them"
scoped '{unit: a.service}, plain: true' 46 'a plain policy cannot have a scope' "of a plain policy"
lints "$(good)"$'\nselftests: none.yaml' 6:12 'a list of files' "self-tests that are no list"
lints "$(good)"$'\nselftests: [none.yaml]' 6:13 "'none.yaml': No such file" "a file of self-tests that is not there"

# ---- all at once ----
printf '%s\n' 'apiVersion: 2' 'name: A' 'version: x' 'release: no' 'policies: [{name: P, source: none}]' 'selftests: [t.yaml]' 'more: 1' >b/bundle.yaml
printf '%s\n' '- {name: one, do: {open: /etc/passwd}, expect: ok}' '- {name: two, do: {fly: /}, expect: ok}' '- {name: three}' >b/t.yaml
run lint b
exits 1 "many errors"
for place in 1:13 2:7 3:10 4:10 5:19 5:30 7:1; do
        complains "b/bundle.yaml:$place: error: " "the one at $place is among them"
done
complains "b/t.yaml:2:3: error: " "so is the self-tests' first"
complains "b/t.yaml:3:3: error: " "and their second"
complains "b: 9 errors" "they are counted"

# ---- self-tests ----
tests() {
        good >b/bundle.yaml
        echo 'selftests: [t.yaml]' >>b/bundle.yaml
        printf '%s\n' "$1" >b/t.yaml
        run lint b
}
tests '{name: x}'
complains "b/t.yaml:1:1: error: a file of self-tests is a list" "self-tests that are no list"
tests '- {name: x, do: {open: /etc/passwd}, expect: EWHAT}'
complains "b/t.yaml:1:3: error: " "an errno that does not exist"
tests '- {name: x, do: {open: /etc/passwd}, expect: ok, as: {uid: 1.5}}'
complains "b/t.yaml:1:60: error: '1.5': fractions" "a fraction, at its own place"
tests '- {name: x, do: {open: /etc/passwd}, expect: ok, as: {uid: 0644}}'
complains "b/t.yaml:1:60: error: '0644' is ambiguous" "a number with leading zeros"
tests '- {name: x, do: {open: /etc/passwd}, expect: ok, as: {uid: 99999999999999999999}}'
complains "b/t.yaml:1:60: error: " "a number that is too large"
tests '- {name: "x\ny", do: {open: /etc/passwd}, expect: ok}'
complains "b/t.yaml:1:10: error: the text contains a control character" "a line break in a name"
tests '- {name: x, do: {open: /etc/passwd}, expect: ok, as: {scope: q}}'
complains "b/t.yaml:1:62: error: 'x': the bundle has no policy 'q'" "in the scope of a policy that is not there"
tests '- {name: x, do: {open: /etc/passwd}, expect: ok, as: {scope: p}}'
complains "b/t.yaml:1:62: error: 'x': the policy 'p' has no scope" "in the scope of one that has none"
tests $'- {name: x, do: {open: /etc/passwd}, expect: EACCES, as: {scope: p}}\n- {name: y, do: {open: /etc/passwd}, expect: ok}'
sed -i 's/}\]/, scope: {unit: a.service}}]/' b/bundle.yaml
run lint b
exits 0 "in the scope of one that has"
printf 'scope: {cgroup: a.slice}\nrules: [{id: r, on: file.read, path: /a, action: deny}]\n' >b/r.yaml
sed -i 's/^policies:.*/policies: [{name: p, rules: r.yaml}]/' b/bundle.yaml
run lint b
exits 0 "or whose rules have"
sed -i 1d b/r.yaml
run lint b
complains "b/t.yaml:1:66: error: 'x': the policy 'p' has no scope" "and not when these have lost theirs"
tests $'- {name: x, do: {open: /etc/passwd}, expect: ok}\n- {name: x, do: {open: /etc/shadow}, expect: EACCES}'
exits 1 "one name for two tests"

# ---- warnings ----
tests '- {name: x, do: {open: /etc/passwd}, expect: ok}'
exits 0 "no test of a denial is no error"
complains "b/bundle.yaml:1:1: warning: no self-test expects a denial" "but a warning"
tests '- {name: x, do: {open: /etc/passwd}, expect: EACCES}'
complains 'b/bundle.yaml:1:1: warning: no self-test expects "ok"' "so is none of an allowance"
tests $'- {name: x, do: {open: /etc/passwd}, expect: EACCES}\n- {name: y, do: {open: /etc/passwd}, expect: ok}'
[ -z "$err" ] && [ "$status" = 0 ]
result $? "both kinds: no warning"
printf '%s\n' 'rules:' '  - {id: a, on: socket.create, type: raw, action: deny}' >b/r.yaml
# ruled TESTS: of a policy of rules
ruled() {
        tests "$1"
        sed -i 's/source: p.bpf.c/rules: r.yaml/' b/bundle.yaml
        run lint b
}
ruled $'- {name: x, do: {open: /etc/passwd}, expect: EACCES}\n- {name: y, do: {open: /etc/passwd}, expect: ok}'
exits 0 "tests of something else are no error"
complains "b/bundle.yaml:5:12: warning: no self-test expects a denial of what 'p' denies: socket.create" "but a warning, at the policy"
complains "b/bundle.yaml:5:12: warning: no self-test expects \"ok\" of what 'p' denies to some: socket.create" "so is no allowance"
ruled $'- {name: x, do: {socket: [inet, raw]}, expect: EPERM}\n- {name: y, do: {socket: [inet, dgram]}, expect: ok}'
[ -z "$err" ] && [ "$status" = 0 ]
result $? "both kinds, of what it denies: no warning"
good >b/bundle.yaml
sed -i 's/}\]/, mode: audit}]/; /selftests/d' b/bundle.yaml
run lint b
[ -z "$err" ] && [ "$status" = 0 ]
result $? "a policy that only audits needs none"

check "the baseline is without errors" "$program" lint "$top/bundles/baseline"
check "so is the example" "$program" lint "$top/bundles/example"

done_testing
