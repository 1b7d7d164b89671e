#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Tetragon's policies become rules: of each in tests/data/import/tetragon what comes out, what is left out and the exit code are as in
# expected/, and the bundle builds as it is. Broken ones are refused, with the place and the reason.
#
# After a change that is meant: GOLDEN=write tests/cli/import-tetragon.t, and read the diff.
. "$(dirname "$0")/lsmbundle.sh"
need clang

data=$top/tests/data/import/tetragon
cp "$data"/*.yaml .

# All that an import says and writes, in one text.
outcome() {
        local f
        printf '%s\n' "exit code $status" ${err:+"$err"} "$out"
        for f in out/bundle.yaml out/rules/*.yaml; do
                if [ -e "$f" ]; then printf '%s\n' "---- ${f#out/}" "$(<"$f")"; fi
        done
}

# ---- what each becomes ----
n=0
for f in *.yaml; do
        name=${f%.yaml}
        n=$((n + 1))
        options=()
        case $name in pod-*) options=(--whole-node) ;; esac
        rm -rf out
        run import tetragon "$f" -o out "${options[@]}"
        [ "$status" -le 1 ] && [ -e out/bundle.yaml ]
        result $? "$name: is imported"
        [ "${GOLDEN:-}" != write ] || outcome >"$data/expected/$name.txt"
        diff "$data/expected/$name.txt" <(outcome) >.diff
        result $? "$name: rules, what is left out, exit code"
        run lint out
        [ "$status" = 0 ] && [ -z "$err" ]
        result $? "$name: lint has nothing to say"
        run build out -o out.tar.zst
        exits 0 "$name: builds as it is"
done
[ $n -ge 30 ]
result $? "there are $n policies"

# ---- containers ----
run import tetragon pod-namespaced.yaml -o refused
exits 2 "a policy for a namespace is refused"
complains "pod-namespaced.yaml:4:7: error: TracingPolicyNamespaced: 'pod-namespaced' is for some pods or containers" "said where and why"
complains "--whole-node" "and what to do"
check "and nothing is written" test ! -e refused
run import tetragon pod-selected.yaml -o refused
exits 2 "so is one for some pods"
complains "pod-selected.yaml:11:5: error: 'containerSelector'" "and containers"

# ---- the document's example ----

# block MARK: the code under <!-- MARK -->
block() {
        awk -v mark="<!-- $1 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' \
                "$top/docs/coming-from-tetragon.md"
}
block before >before.yaml
run import tetragon before.yaml -o example
exits 0 "what the document shows is imported"
diff <(block after) example/rules/private-keys.yaml >.diff
result $? "and becomes what it shows"

# ---- broken input ----

# broken TEXT WHERE FINDING NAME: in the place of a selector
broken() {
        printf '%s\n' 'apiVersion: cilium.io/v1alpha1' 'kind: TracingPolicy' 'metadata: {name: broken}' 'spec:' '  kprobes:' \
                '    - call: security_file_open' '      syscall: false' '      args: [{index: 0, type: file}]' '      selectors:' \
                "$1" >broken.yaml
        rm -rf broken
        run import tetragon broken.yaml -o broken
        if [ "$status" = 2 ] && [[ $err == *"broken.yaml:$2: error: $3"* ]] && [ ! -e broken ]; then
                result 0 "$4"
        else
                result 1 "$4"
        fi
}
filter() { # OPERATOR VALUES
        printf '        - matchArgs: [{index: 0, operator: %s, values: %s}]' "$1" "$2"
}
broken $'        - matchArgs:\n\t    - index: 0' 11:1 "tab character may not be used as indentation" "a tab"
broken '        - matchArg: []' 10:11 "a selector has no key 'matchArg'; it has: matchArgs," "a misspelt key"
broken '        - matchArgs: [{index: 0, operater: Equal, values: [/a]}]' 10:34 "a filter of matchArgs has no key 'operater'" "a misspelt key of a filter"
broken '        - matchArgs: [{index: 0, values: [/a]}]' 10:23 "a filter of matchArgs has no 'operator'" "a filter without operator"
broken "$(filter Equals '[/a]')" 10:44 "there is no operator 'Equals'" "an operator that there is not"
broken "$(filter Equal '[]')" 10:59 "'values' has nothing in it" "no values"
broken "$(filter Equal /a)" 10:59 "'values' is a list, not" "values that are no list"
broken "$(filter Equal '["/etc/.*"]')" 10:60 "'/etc/.*' looks like a regular expression; Equal compares bytes" "a regular expression"
broken "$(filter Postfix '["shadow$"]')" 10:62 "'shadow\$' looks like a regular expression" "another one"
broken "$(filter Prefix '["/etc/*"]')" 10:61 "'/etc/*' is a glob, and Prefix compares bytes" "a glob"
broken "$(filter Equal '[etc/passwd]')" 10:60 "'etc/passwd': Equal never matches: a path begins with '/'" "a path that is not absolute"
broken "$(filter Equal '[/etc/]')" 10:60 "'/etc/': Equal never matches: a path does not end in '/'" "a folder where a path belongs"
broken "$(filter Equal '[/a/../b]')" 10:60 "values '/a/../b'" "a path with '..'"
broken '        - matchArgs: [{index: 3, operator: Equal, values: [/a]}]' 10:23 "matchArgs asks for argument 3" "an argument that is not declared"
broken '        - matchArgs: [{index: x, operator: Equal, values: [/a]}]' 10:31 "'index' is a whole number" "an index that is no number"
broken '        - matchBinaries: [{operator: Equal, values: [/a]}]' 10:38 "operator 'Equal' of 'matchBinaries': it is In, NotIn" "an operator that programs have not"
broken '        - matchBinaries: [{values: [/a]}]' 10:27 "'matchBinaries' has no 'operator'" "programs without operator"
broken '        - matchActions: [{action: Overide, argError: -1}]' 10:35 "there is no action 'Overide'" "an action that there is not"
broken '        - matchActions: [{argError: -1}]' 10:26 "an action has no 'action'" "an action without name"
broken '        - matchActions: [{action: Override, argError: 13}]' 10:55 "argError 13: it is an error's number, negative" "an error that is positive"
broken '        - matchActions: [{action: Override, argError: EACCES}]' 10:55 "'argError' is a whole number" "an error by name"
broken '        - matchActions: Post' 10:25 "'matchActions' is a list" "actions that are no list"
broken '        - just text' 10:11 "a selector is a mapping" "a selector that is a text"

# document TEXT WHERE FINDING NAME
document() {
        printf '%s\n' "$1" >broken.yaml
        rm -rf broken
        run import tetragon broken.yaml -o broken
        if [ "$status" = 2 ] && [[ $err == *"broken.yaml:$2: error: $3"* ]] && [ ! -e broken ]; then
                result 0 "$4"
        else
                result 1 "$4"
        fi
}
head='metadata: {name: x}'
api='apiVersion: cilium.io/v1alpha1'
document "{$api, kind: TracingPolicies, $head, spec: {}}" 1:40 "kind 'TracingPolicies': it is TracingPolicy or" "another kind"
document "{apiVersion: v1, kind: TracingPolicy, $head, spec: {}}" 1:14 "apiVersion 'v1': it is cilium.io/v1alpha1" "another version"
document "{$api, kind: TracingPolicy, $head}" 1:1 "a tracing policy has no 'spec'" "no spec"
document "{$api, kind: TracingPolicy, metadata: {}, spec: {}}" 1:65 "'metadata' has no 'name'" "no name"
document "{$api, kind: TracingPolicy, $head, spec: {kprobe: []}}" 1:83 "'spec' has no key 'kprobe'; it has: kprobes," "a misspelt section"
document "{$api, kind: TracingPolicy, $head, spec: {hostSelector: {a: b}}}" 1:97 "'hostSelector' is {}" "hosts by label"
document "{$api, kind: TracingPolicy, $head, spec: {kprobes: [{call: security_file_open, syscall: true}]}}" 1:129 \
        "'security_file_open' is no system call" "a hook that is said to be a system call"
document "{$api, kind: TracingPolicy, $head, spec: {lsmhooks: [{hook: file_open, args: [{index: 0, type: int}]}]}}" 1:136 \
        "type 'int': argument 0 of 'file_open' is a file" "an argument of another type"
document "{$api, kind: TracingPolicy, $head, spec: {lsmhooks: [{args: []}]}}" 1:94 "a hook of lsmhooks has no 'hook'" "a hook without name"
document "- a" 1:1 "a tracing policy is a mapping" "a list"

document "{$api, kind: TracingPolicy, $head, spec: {lsmhooks: [{hook: capable, args: [{index: 2, type: int}], selectors: [{matchArgs: [{index: 2, operator: Equal, values: [CAP_NONE]}]}]}]}}" \
        1:203 "'CAP_NONE' is no number from 0 to 40, nor a name of one" "a capability that there is not"

run import tetragon return-value.yaml resolve.yaml -o both
exits 1 "several files make one bundle"
says "both: 2 policies, 2 rules; 3 left out" "and all that was left out is counted"
echo "{$api, kind: TracingPolicy, $head, spec: {tracepoints: [{subsystem: a}]}}" >none.yaml
run import tetragon none.yaml -o none
exits 1 "when nothing is left"
complains "nothing is left to import: nothing was written" "that is said"

done_testing
