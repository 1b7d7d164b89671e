#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# KubeArmor's policies become rules: of each in tests/data/import/kubearmor what comes out, what is left out and the exit code are as
# in expected/, and the bundle builds as it is. Broken ones are refused, with the place and the reason.
#
# After a change that is meant: GOLDEN=write tests/cli/import-kubearmor.t, and read the diff.
. "$(dirname "$0")/lsmbundle.sh"

data=$top/tests/data/import/kubearmor
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
        case $name in pod-* | cluster-*) options=(--whole-node) ;; esac
        rm -rf out
        run import kubearmor "$f" -o out "${options[@]}"
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
run import kubearmor pod-file-block.yaml -o refused
exits 2 "a policy for pods is refused"
complains "pod-file-block.yaml:2:7: error: KubeArmorPolicy 'ksp-web-no-tokens' is for some pods of namespace shop, and a node knows neither their labels nor their names" \
        "and said whom it is for, where, and why"
complains "--whole-node" "and what to do"
check "and nothing is written" test ! -e refused
run import kubearmor cluster-expressions.yaml
exits 2 "so is one for a cluster"

# ---- the document's example ----

# block MARK: the code under <!-- MARK -->
block() {
        awk -v mark="<!-- $1 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' \
                "$top/docs/coming-from-kubearmor.md"
}
block before >keys.yaml
run import kubearmor keys.yaml -o example
exits 0 "what the document shows is imported"
diff <(block after) example/rules/hsp-keys.yaml >.diff
result $? "and becomes what it shows"
rm keys.yaml

# ---- broken input ----

# broken TEXT PLACE MESSAGE NAME: refused with that message at LINE:COLUMN, and nothing else is said; nothing is written
broken() {
        printf '%s\n' "$1" >bad.yml
        run import kubearmor bad.yml -o bad
        [ "$status" = 2 ] && [ ! -e bad ] && grep -qF -- "bad.yml:$2: error: $3" <<<"$err" && [ "$(grep -c ': error: ' <<<"$err")" = 1 ] &&
                grep -qx 'lsmbundle: 1 error: nothing was written' <<<"$err"
        result $? "$4"
}
# host LINE...: a host policy with that in its spec, from line 5 on
host() { printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'kind: KubeArmorHostPolicy' 'metadata: {name: x}' 'spec:' "$@"; }
# paths LINE...: with these lines in process.matchPaths, from line 7 on
paths() { host '  process:' '    matchPaths:' "$@"; }

broken "$(host $'\tprocess: {}')" 5:1 "tab character may not be used as indentation" "a tab"
broken "$(printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'kind: KubeArmourPolicy' 'metadata: {name: x}' 'spec: {}')" 2:7 \
        "kind 'KubeArmourPolicy': it is KubeArmorPolicy, KubeArmorClusterPolicy or KubeArmorHostPolicy" "a misspelt kind"
broken "$(printf '%s\n' 'apiVersion: v1' 'kind: Pod' 'metadata: {name: x}')" 2:7 "kind 'Pod'" "another kind"
broken "$(host '  process: {}' | sed 's,/v1,/v2,')" 1:13 "apiVersion 'security.kubearmor.com/v2': it is security.kubearmor.com/v1" "another version"
broken "$(printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'metadata: {name: x}' 'spec: {}')" 1:1 "there is no 'kind'" "no kind"
broken "$(host '  process: {}' | sed 's/{name: x}/{namespace: y}/')" 3:11 "'metadata' has no 'name'" "no name"
broken "$(host '  process: {}' | sed 3d)" 1:1 "a policy has no 'metadata'" "no metadata"
broken "$(printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'kind: KubeArmorHostPolicy' 'metadata: {name: x}')" 1:1 "a policy has no 'spec'" "no spec"
broken "- a" 1:1 "a policy is a mapping, not a list" "a list"
broken "" 1:1 "the file is empty" "nothing"
broken "$(host '  procces: {}')" 5:3 "'spec' has no key 'procces'; it has: selector" "a misspelt section"
broken "$(host '  process:' '    matchpaths: []')" 6:5 "'process' has no key 'matchpaths'; it has: matchPaths" "a misspelt list"
broken "$(paths '    - path: /bin/a' '      fromsource: [{path: /bin/b}]')" 8:7 "an entry of 'matchPaths' has no key 'fromsource'" "a misspelt key"
broken "$(paths '    - path: /bin/a' '      readOnly: true')" 8:7 "an entry of 'matchPaths' has no key 'readOnly'" "a key of files with a process"
broken "$(host '  network:' '    matchPaths: []')" 6:5 "'network' has no key 'matchPaths'" "a list of another section"
broken "$(paths '    - path: /usr/bin/*')" 7:13 "'/usr/bin/*' is a glob, and 'path' is one path" "a glob where a path belongs"
broken "$(paths "    - path: '/usr/bin/{a,b}'")" 7:13 "'/usr/bin/{a,b}' is a glob" "braces where a path belongs"
broken "$(paths '    - path: ^/usr/bin/.*$')" 7:13 "'^/usr/bin/.*\$' looks like a regular expression; 'path' is one path" "a regular expression where a path belongs"
broken "$(paths '    - path: usr/bin/a')" 7:13 "'usr/bin/a': a path begins with '/'" "a path that is not absolute"
broken "$(paths '    - path: /usr/bin/')" 7:13 "'/usr/bin/' is a directory" "a directory where a path belongs"
broken "$(paths '    - path: /usr/../bin/a')" 7:13 "path '/usr/../bin/a': a component '..'" "'..'"
broken "$(paths '    - path: [/bin/a, /bin/b]')" 7:13 "'path' is a text, not a list" "a list where a path belongs"
broken "$(paths '    - /bin/a')" 7:7 "an entry of 'matchPaths' is a mapping, not a string" "a path without its key"
broken "$(host '  process:' '    matchPaths: /bin/a')" 6:17 "'matchPaths' is a list, not a string" "a text where a list belongs"
broken "$(paths '    - path: /bin/a' '      fromSource: /bin/b')" 8:19 "'fromSource' is a list of programs" "a source that is no list"
broken "$(paths '    - path: /bin/a' '      fromSource: [{path: /bin/*}]')" 8:27 "'/bin/*' is a glob" "a source that is a glob"
broken "$(paths '    - path: /bin/a' '      fromSource: [{path: /bin/b, dir: /usr/}]')" 8:20 "an entry of 'fromSource' has a 'path' or a 'dir'" "a source that is both"
broken "$(paths '    - path: /bin/a' '      ownerOnly: maybe')" 8:18 "'ownerOnly' is true or false, not a string" "no truth value"
broken "$(paths '    - path: /bin/a' '      action: Deny')" 8:15 "action 'Deny': it is Allow, Audit or Block" "another action"
broken "$(host '  action: [Block]')" 5:11 "'action' is a text, not a list" "a list where an action belongs"
broken "$(host '  severity: 11')" 5:13 "'severity' is a number from 1 to 10, not 11" "a severity above 10"
broken "$(host '  severity: high')" 5:13 "'severity' is a number from 1 to 10, not high" "a severity in words"
broken "$(host '  tags: MITRE')" 5:9 "'tags' is a list, not a string" "a text where tags belong"
broken "$(host '  message: [a]')" 5:12 "'message' is a text, not a list" "a list where a message belongs"
broken "$(host '  process:' '    matchDirectories: [{dir: /tmp}]')" 6:30 "'/tmp': KubeArmor's directories end in '/'" "a directory without its '/'"
broken "$(host '  process:' "    matchDirectories: [{dir: '/home/*/'}]")" 6:30 "'/home/*/' is a glob" "a glob where a directory belongs"
broken "$(host '  file:' '    matchDirectories: [{recursive: true}]')" 6:24 "an entry of 'matchDirectories' has no 'dir'" "an entry without its directory"
broken "$(host '  file:' "    matchPatterns: [{pattern: '/var/log/.*\\.log\$'}]")" 6:31 "'/var/log/.*\.log\$' looks like a regular expression; 'pattern' is a glob" "a regular expression where a glob belongs"
broken "$(host '  file:' "    matchPatterns: [{pattern: '/var/[a/b'}]")" 6:31 "pattern '/var/[a/b': no ']' closes this '['" "a bracket that is not closed"
broken "$(host '  file:' "    matchPatterns: [{pattern: '*_history'}]")" 6:31 "pattern '*_history': not absolute" "a pattern that is not absolute"
broken "$(host '  network:' '    matchProtocols: [{protocol: sctp}]')" 6:33 "protocol 'sctp': it is tcp, udp, icmp or raw" "another protocol"
broken "$(host '  capabilities:' '    matchCapabilities: [{capability: net_row}]')" 6:38 "there is no capability 'net_row'" "a misspelt capability"
broken "$(host '  selector: {matchLabels: {a: b}}')" 5:13 "a KubeArmorHostPolicy has no 'selector'; it has 'nodeSelector'" "the selector of pods in a host's"
broken "$(host '  nodeSelector: {matchlabels: {a: b}}')" 5:18 "'nodeSelector' has no key 'matchlabels'" "a misspelt selector"
broken "$(host '  nodeSelector: {matchLabels: [a]}')" 5:31 "'matchLabels' is a mapping, not a list" "labels in a list"
broken "$(host '  action: Block' '  action: Audit')" 6:3 "key 'action' is there twice" "a key twice"
broken "$(printf '%s\n' 'apiVersion: security.kubearmor.com/v1' 'kind: KubeArmorHostPolicy' 'metadata:' '  name: x' '  annotations:' \
        '    kubearmor-file-posture: deny' 'spec: {}')" 6:29 "'kubearmor-file-posture' is block or audit, not deny" "another posture"
broken "$(host '  process: {}'; echo ---; echo 'kind: List')" 7:1 "a List has 'items', a list" "a list of nothing, in a second document"
broken "$(host '  process: {}'; echo ---; host '  proc: {}')" 11:3 "'spec' has no key 'proc'" "the line of a mistake in a second document"

# ---- the rest of the command ----
printf '%s\n' "$(paths '    - path: bin/a' '    - path: /bin/*' '    - pat: /bin/b')" >bad.yml
run import kubearmor bad.yml host-network.yaml -o bad
exits 2 "several mistakes"
[ "$(grep -c '^bad.yml:[789]:[0-9]*: error: ' <<<"$err")" = 3 ] && grep -qx 'lsmbundle: 3 errors: nothing was written' <<<"$err"
result $? "are all said"

host '  syscalls: {matchSyscalls: [{syscall: [open]}]}' >calls.yml
run import kubearmor calls.yml -o calls
exits 1 "where nothing is left, that is an error"
complains "nothing is left to import" "and said"
check "and nothing is written" test ! -e calls

run import kubearmor host-network.yaml host-process-block.yaml
exits 0 "several files are one bundle"
says "imported: 2 policies, 9 rules" "called 'imported' unless said otherwise"
run import kubearmor host-network.yaml
exits 1 "a directory that has something in it is not touched"
complains "imported: not empty" "and that is said"
run import kubearmor host-network.yaml --name edge
exits 0 "--name is also the directory's"
check "and the bundle's name" grep -qx 'name: edge' edge/bundle.yaml
check "whose policies are in audit mode" grep -q 'mode: audit}' edge/bundle.yaml
run import kubearmor host-network.yaml -o sub/../enforced --mode enforce
exits 1 "a directory whose parent is missing is an error"
run import kubearmor host-network.yaml -o enforced --mode enforce
check "--mode is that of the policies" grep -q 'mode: enforce}' enforced/bundle.yaml
run import kubearmor host-network.yaml -o x --mode on
exits 2 "another mode is refused"
run import kubearmor host-network.yaml -o 'No Name'
exits 2 "a directory that is no name needs --name"
run import kubearmor host-network.yaml -o 'No Name' --name named
exits 0 "and takes it"
run import kubearmor missing.yaml
exits 1 "a file that is not there is an error"
complains "missing.yaml" "which names it"
run import kubearmor
exits 2 "a file is needed"
run import
exits 2 "so is a format"
run import seccomp
exits 2 "one that there is"

done_testing
