#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Rules in YAML: what is good, and for what is not, the place and the reason.
. "$(dirname "$0")/lsmbundle.sh"

mkdir b
printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' 'policies: [{name: p, rules: r.yaml, mode: audit}]' >b/bundle.yaml

# good TEXT NAME: a file of rules without errors or warnings
good() {
        printf '%s\n' "$1" >b/r.yaml
        run lint b
        [ "$status" = 0 ] && [ -z "$err" ]
        result $? "$2"
}
# bad TEXT PLACE MESSAGE NAME: refused with that message at LINE:COLUMN, and for nothing else
bad() {
        printf '%s\n' "$1" >b/r.yaml
        run lint b
        [ "$status" = 1 ] && grep -qF -- "$3" <<<"$(grep -F "b/r.yaml:$2: error: " <<<"$err")" && [ "$(grep -c ': error: ' <<<"$err")" = 1 ]
        result $? "$4"
}
# rule KEYS: a file with one rule, which has also an id; its keys begin in column 16
rule() { echo "rules: [{id: r, $1}]"; }
# two KEYS KEYS: with two, in lines 2 and 3; keys begin in column 14
two() { printf '%s\n' 'rules:' "  - {id: one, $1}" "  - {id: two, $2}"; }

# ---- what there is ----
good "default: {file.write: allow, exec: deny}
rules:
  - id: shadow
    on: [file.read, file.write]
    path: [/etc/shadow, /etc/gshadow]
    unless: {exe: [/usr/bin/passwd, /usr/sbin/], uid: [0]}
    action: deny
    errno: EACCES
  - {id: no-exec-from-tmp, on: exec, path: [/tmp/, /dev/shm/, '/home/*/.cache/**'], action: kill}
  - {id: no-raw, on: socket.create, type: raw, action: deny}
  - {id: no-ptrace-cap, on: capability, cap: [CAP_SYS_PTRACE], action: deny}" "what the documents show"
for op in file.read file.write file.create file.exec exec file.unlink file.rename file.link file.symlink file.mkdir file.chmod file.chown \
        file.truncate file.mknod file.mmap-exec; do
        good "$(rule "on: $op, path: /x, owner: false, action: deny")" "on: $op"
done
for op in bind connect listen accept sendmsg; do
        good "$(rule "on: socket.$op, to: ['10.0.0.0/8:1-1023', '!10.9.0.0/16', 'fd00::/8', /run/x.sock, '@x*'], family: [inet, inet6, unix], action: deny")" "on: socket.$op"
done
for op in mount umount move-mount pivot-root; do good "$(rule "on: $op, path: [/x, /y/], action: deny")" "on: $op"; done
for op in module.load kexec userns.create setuid setgid signal; do good "$(rule "on: $op, uid: 5, host: false, action: deny")" "on: $op"; done
good "$(rule 'on: signal, signal: [SIGKILL, 15, 64], unless: {host: true}, action: deny')" "signals"
good "$(rule 'on: bpf, command: [prog_load, 0, token_create], unless: {exe: /usr/sbin/lsmpull}, action: deny')" "commands of bpf()"
good "$(rule 'on: [setuid, setgid], target: [0, 4294967294], action: deny')" "what ids become"
good "$(rule 'on: ptrace, comm: gdb, uid: 1000, gid: [5, 0x10], parent: /usr/bin/, action: audit')" "on: ptrace, and whom a rule can be about"
good "$(rule 'on: socket.create, family: [inet, inet6, 40], type: [stream, 2], protocol: [tcp, 132], action: deny')" "sockets"
good "$(rule 'on: [mount, umount, move-mount, pivot-root], fs: [fuse, fuseblk, ext4], action: deny')" "types of file systems"
good "$(rule 'on: [exec, file.read, file.setxattr], path: /srv/, fs: tmpfs, unless: {uid: 0}, action: deny')" "of files, too"
good "$(rule "on: file.mknod, path: /srv/, device: [block, 'c 1:*', 'c 5:1', 10:5], action: deny")" "devices"
for op in file.read file.write file.mmap-exec file.unlink file.rename file.link file.chmod file.chown file.setxattr; do
        good "$(rule "on: $op, device: 'b 8:*', unless: {uid: 0}, action: deny")" "devices, on: $op"
done
good "$(rule 'on: capability, cap: [CAP_SYS_ADMIN, 40], errno: 13, action: deny')" "capabilities and errnos by number"
good 'default: {file.read: deny}' "a default alone"

# Every example of the documents.
mkdir examples
awk '/^```/ { if (inside) { inside = 0; close(file) } else if ($0 == "```yaml") { inside = 1; file = "examples/" ++n } next } inside { print > file }' "$top/docs/rules.md"
n=0
for example in examples/*; do
        grep -q '^rules:' "$example" || continue
        n=$((n + 1))
        good "$(<"$example")" "example $n of rules.md"
done
[ $n -ge 4 ]
result $? "rules.md has examples"

# ---- the file ----
bad '- a' 1:1 'a file of rules is a mapping' "a list"
bad 'rules: {}' 1:8 "'rules' is a list" "rules that are no list"
bad 'rules: []' 1:1 'no rule in it' "no rules"
bad 'default: {file.read: allow}' 1:1 'no rule in it' "a default that allows, and no rules"
bad 'rulez: []' 1:1 "no key 'rulez'" "an unknown key"
bad 'scope: {unit: a}' 1:15 "'a' is not a unit with a cgroup" "a scope for what is none"
bad 'default: deny' 1:10 "'default' is a mapping" "a default for everything"
bad 'default: {file.read: audit}' 1:22 'it is allow or deny' "a default that audits"
bad 'default: {file.reed: deny}' 1:11 "no operation 'file.reed'" "a default for what there is not"

# ---- keys ----
bad 'rules: [{on: exec, action: deny}]' 1:9 "a rule has no 'id'" "no id"
bad 'rules: [{id: r, action: deny}]' 1:9 "a rule has no 'on'" "no operation"
bad 'rules: [{id: r, on: exec}]' 1:9 "a rule has no 'action'" "no action"
bad 'rules: [exec]' 1:9 'a rule is a mapping' "a word instead of a rule"
bad "$(rule 'on: exec, action: deny, pth: /x')" 1:41 "no key 'pth'" "an unknown key"
bad 'rules: [{id: R, on: exec, action: deny}]' 1:14 'not an id' "a capital in an id"
bad 'rules: [{id: a234567890123456789012345678901234, on: exec, action: deny}]' 1:14 'not an id' "an id that is too long"
bad 'rules: [{id: -a, on: exec, action: deny}]' 1:14 'not an id' "an id that begins with a dash"
bad 'rules: [{id: default, on: exec, action: deny}]' 1:14 "the id 'default'" "the id of the default"
bad "$(printf '%s\n' 'rules:' '  - {id: r, on: exec, action: deny}' '  - {id: r, on: file.read, action: deny}')" 3:5 "two rules 'r'; the other is in line 2" "one id twice"
bad "$(rule 'on: fly, action: deny')" 1:21 "no operation 'fly'" "an unknown operation"
bad "$(rule 'on: [exec, exec], action: deny')" 1:28 'there twice' "one operation twice"
bad "$(rule 'on: [exec, file.exec], action: deny')" 1:28 'there twice' "one operation by two names"
bad "$(rule 'on: [], action: deny')" 1:21 'an empty list' "no operation in the list"
bad "$(rule 'on: {exec: 1}, action: deny')" 1:21 'not a mapping' "a mapping of operations"
bad "$(rule 'on: exec, to: 10.0.0.0/8, action: deny')" 1:31 "'to' makes no sense with 'on: exec'" "an address of a program"
bad "$(rule 'on: socket.create, to: 10.0.0.0/8, action: deny')" 1:40 "'to' makes no sense with 'on: socket.create'" "an address of what has none yet"
bad "$(rule 'on: socket.connect, path: /run/x.sock, action: deny')" 1:43 "'path' makes no sense with 'on: socket.connect'" "a path instead of an address"
bad "$(rule 'on: socket.connect, to: 10.0.0.0/33, action: deny')" 1:50 "'33' is not the length of a prefix" "a prefix that is too long"
bad "$(rule 'on: socket.connect, to: [10.0.0.1, 10.0.0.1], action: deny')" 1:52 'there twice' "one address twice"
bad "$(rule 'on: exec, action: refuse')" 1:35 "action 'refuse'" "an unknown action"
bad "$(rule 'on: exec, action: deny, errno: EWHAT')" 1:48 "'EWHAT' is not known" "an unknown errno"
bad "$(rule 'on: exec, action: deny, errno: 0')" 1:48 '0 is not an error' "errno 0"
bad "$(rule 'on: exec, action: deny, errno: 4096')" 1:48 'from 0 to 4095' "an errno that is too large"
bad "$(rule 'on: exec, action: allow, errno: EPERM')" 1:49 "no sense with 'action: allow'" "an errno where nothing is denied"
bad "$(rule 'on: exec, path: /a, action: deny, on_error: perhaps')" 1:61 "on_error 'perhaps': it is deny or allow" "an unknown on_error"
bad "$(rule 'on: exec, path: /a, action: audit, on_error: deny')" 1:62 "no sense with 'action: audit'" "on_error where nothing is denied"
bad "$(rule 'on: exec, action: deny, on_error: allow')" 1:51 'no sense without a path' "on_error where no path is asked for"
bad "$(rule 'on: socket.connect, to: 10.0.0.1, action: deny, on_error: allow')" 1:75 'no sense without a path' "on_error for an address"
bad "$(rule 'on: mount, source: /, action: deny')" 1:36 "'source' cannot be asked for: when a mount is decided" "source, with the reason"

# ---- paths ----
bad "$(rule 'on: exec, path: tmp, action: deny')" 1:33 'absolute' "a path that is not absolute"
bad "$(rule 'on: exec, path: /a/../b, action: deny')" 1:36 "'..'" "a path with '..', at its place"
bad "$(rule 'on: exec, path: /a//b, action: deny')" 1:36 'empty' "an empty component"
bad "$(rule "on: exec, path: '/a[b', action: deny")" 1:33 '[' "a bracket that is not closed"
bad "$(rule 'on: exec, path: [/a, /b, /a], action: deny')" 1:42 "'/a' is there twice" "one path twice"
bad "$(rule 'on: exec, path: [], action: deny')" 1:33 'an empty list' "no path in the list"
bad "$(rule 'on: exec, path: 5, action: deny')" 1:33 'absolute' "a number"
bad "$(rule 'on: exec, exe: bash, action: deny')" 1:32 'absolute' "a program by its name"

# ---- whom ----
bad "$(rule 'on: exec, uid: root, action: deny')" 1:32 "'root' is a name, and names may stand for others on a node than here: write the number" "a user's name"
bad "$(rule 'on: exec, gid: [0, wheel], action: deny')" 1:36 "'wheel' is a name" "a group's name"
bad "$(rule 'on: exec, uid: "0", action: deny')" 1:32 'is a name' "a number in quotes"
bad "$(rule 'on: exec, uid: -1, action: deny')" 1:32 'a whole number from 0' "a negative uid"
bad "$(rule 'on: exec, uid: 4294967295, action: deny')" 1:32 'a whole number from 0' "the uid of nobody at all"
bad "$(rule 'on: exec, uid: [1, 0x1], action: deny')" 1:36 'there twice' "one uid twice"
bad "$(rule 'on: exec, uid: 010, action: deny')" 1:32 'leading zeros' "a uid with leading zeros"
bad "$(rule 'on: exec, comm: sixteen-letters-, action: deny')" 1:33 'longer than a task' "a name that no task can have"
bad "$(rule 'on: exec, owner: yes, action: deny')" 1:34 "'owner' is true or false" "owner: yes is a string"
bad "$(rule 'on: exec, host: yes, action: deny')" 1:33 "'host' is true or false" "host: yes is a string"
bad "$(rule 'on: exec, unless: {host: [true]}, action: deny')" 1:42 "'host' is true or false" "host as a list"
bad "$(rule 'on: exec, host: true, unless: {host: true}, action: deny')" 1:9 "'unless' takes away every task" "the node's own, and they are let off"
bad "$(rule 'on: signal, signal: SIGWHAT, action: deny')" 1:37 "'SIGWHAT' is not known" "an unknown signal"
bad "$(rule 'on: signal, signal: 65, action: deny')" 1:37 'from 0 to 64' "a signal that is too large"
bad "$(rule 'on: exec, signal: 9, action: deny')" 1:35 "'signal' makes no sense with 'on: exec'" "a signal of a program"
bad "$(rule 'on: bpf, command: fly, action: deny')" 1:35 "'fly' is not known" "an unknown command of bpf()"
bad "$(rule 'on: [bpf, kexec], command: 1, action: deny')" 1:44 "with 'on: kexec': write one rule for these" "a command where there is none"
bad "$(rule 'on: file.mknod, device: disk, action: deny')" 1:41 "'device': 'disk': it is block, char, or a number: 8:0" "a device by a name"
bad "$(rule 'on: file.mknod, device: 8, action: deny')" 1:41 "'8': behind the major number comes the minor one" "a major number alone"
bad "$(rule "on: file.mknod, device: '8:', action: deny")" 1:41 "behind the major number comes the minor one" "no minor number"
bad "$(rule "on: file.mknod, device: '512:0', action: deny")" 1:41 'no device has a major number above 511' "a major number that is too large"
bad "$(rule "on: file.mknod, device: '8:1048576', action: deny")" 1:41 'no device has a minor number above 1048575' "a minor number that is too large"
bad "$(rule "on: file.mknod, device: '8:99999999999999999999', action: deny")" 1:41 'no device has a minor number above 1048575' "and one that is huge"
bad "$(rule "on: file.mknod, device: '8:0x1', action: deny")" 1:41 'something follows the minor number' "a number in another way"
bad "$(rule "on: file.mknod, device: 'b *:*', action: deny")" 1:41 'for all major numbers, write block or char' "all major numbers"
bad "$(rule "on: file.mknod, device: 'd 8:0', action: deny")" 1:41 'it is block, char, or a number' "an unknown kind"
bad "$(rule "on: file.mknod, device: [8:0, 'b 1:3', 8:0], action: deny")" 1:56 "'8:0' is there twice" "a device twice"
bad "$(rule "on: file.mknod, device: [8:0, block, 'b 1:*'], action: deny")" 1:54 "'block' takes in 'b 1:*', which is there, too" "a device that another value takes in"
bad "$(rule 'on: file.mknod, device: {b: 1}, action: deny')" 1:41 "'device' is a value or a list of them, not a mapping" "a device as a mapping"
bad "$(rule 'on: file.mknod, device: [], action: deny')" 1:41 "'device' is an empty list" "no devices"
bad "$(rule "on: file.mknod, device: [$(seq -f '8:%g' -s, 0 256)], action: deny")" 1:1468 "'device': more than 256 in a rule" "too many devices"
bad "$(rule 'on: mount, fs: fuse.sshfs, action: deny')" 1:32 "'fs': 'fuse.sshfs': what stands behind the dot is a name that the program chooses" "a type with a name of its own"
bad "$(rule 'on: mount, fs: [tmpfs, auto], action: deny')" 1:40 "'fs': 'auto': a word of mount(8), and no type of file system" "what is no type"
bad "$(rule 'on: mount, fs: /dev/sda, action: deny')" 1:32 'it is a type as the kernel calls it' "a device instead of a type"
bad "$(rule "on: mount, fs: '*', action: deny")" 1:32 'it is a type as the kernel calls it' "a pattern of types"
bad "$(rule 'on: mount, fs: fifteen-letters, action: deny')" 1:32 'no kernel has one whose name is longer than 14 bytes' "a type that no kernel has"
bad "$(rule 'on: mount, fs: [proc, tmpfs, proc], action: deny')" 1:46 "'fs': 'proc' is there twice" "one type twice"
bad "$(rule 'on: mount, fs: [], action: deny')" 1:32 "'fs' is an empty list" "no type"
bad "$(rule 'on: mount, fs: {proc: 1}, action: deny')" 1:32 "'fs' is a value or a list of them, not a mapping" "types as a mapping"
bad "$(rule 'on: socket.create, fs: proc, action: deny')" 1:40 "'fs' makes no sense with 'on: socket.create'" "the type of what is on none"
bad "$(rule 'on: [mount, bpf], fs: proc, action: deny')" 1:39 "with 'on: bpf': write one rule for these, and one for the others" "of one operation and not of the other"
bad "$(rule 'on: exec, device: block, action: deny')" 1:35 "'device' makes no sense with 'on: exec'" "a device that is a program"
bad "$(rule 'on: [file.mknod, file.create], device: block, action: deny')" 1:56 "'device' makes no sense with 'on: file.create': write one rule for these" "a device that is a regular file"
bad "$(rule 'on: mount, device: block, action: deny')" 1:36 "'device' makes no sense with 'on: mount'" "a device that is mounted"
bad "$(rule 'on: setuid, target: root, action: deny')" 1:37 "'root' is a name" "an id by its name"
bad "$(rule 'on: setuid, path: /x, action: deny')" 1:35 "'path' makes no sense with 'on: setuid'" "a path of an id"
bad "$(rule 'on: mount, owner: true, action: deny')" 1:35 "'owner' makes no sense with 'on: mount'" "an owner of a mount"
bad "$(rule 'on: exec, unless: {}, action: deny')" 1:35 "'unless' is empty" "an empty exception"
bad "$(rule 'on: exec, unless: {path: /x}, action: deny')" 1:36 "'unless' has no key 'path'" "an exception for a path"
bad "$(rule 'on: exec, unless: [/x], action: deny')" 1:35 "'unless' is a mapping" "an exception that is a list"

# ---- what does not go together ----
bad "$(rule 'on: capability, path: /x, action: deny')" 1:39 "'path' makes no sense with 'on: capability'" "a path of a capability"
bad "$(rule 'on: [exec, ptrace], path: /x, action: deny')" 1:43 "'path' makes no sense with 'on: ptrace': write one rule for these, and one for the others" "a path of some operations"
bad "$(rule 'on: exec, cap: CAP_CHOWN, action: deny')" 1:32 "'cap' makes no sense with 'on: exec'" "a capability of a program"
bad "$(rule 'on: exec, type: raw, action: deny')" 1:33 "'type' makes no sense" "a socket's type of a program"
bad "$(rule 'on: ptrace, family: inet, action: deny')" 1:37 "'family' makes no sense" "a socket's family of ptrace"
bad "$(rule 'on: ptrace, protocol: tcp, action: deny')" 1:39 "'protocol' makes no sense" "a socket's protocol of ptrace"
bad "$(rule 'on: socket.create, owner: true, action: deny')" 1:43 "'owner' makes no sense" "a socket's owner"
bad "$(rule 'on: capability, unless: {owner: true}, action: deny')" 1:49 "'owner' makes no sense" "the same as an exception"
bad "$(rule 'on: capability, cap: CAP_FLY, action: deny')" 1:38 "'CAP_FLY' is not known" "an unknown capability"
bad "$(rule 'on: capability, cap: 64, action: deny')" 1:38 'from 0 to 63' "a capability that no kernel has"
bad "$(rule 'on: socket.create, family: klingon, action: deny')" 1:44 "'klingon' is not known here; its number can be written" "an unknown family"

# ---- rules that never decide ----
bad "$(rule 'on: exec, uid: 0, unless: {uid: [0, 1]}, action: deny')" 1:9 "'unless' takes away every task" "an exception for all"
bad "$(two 'on: file.read, path: /x, action: deny' 'on: file.read, path: /x, uid: 5, action: deny')" 3:5 "rule 'two' never decides: rule 'one' in line 2 is asked first" "the same path, and fewer tasks"
bad "$(two 'on: file.read, path: /x, action: allow' 'on: [file.read, file.write], path: /x, action: deny')" 2:5 "rule 'one' never decides: rule 'two' in line 3" "what is denied is asked before what is allowed"
bad "$(two "on: exec, path: '/x/**', action: deny" "on: exec, path: '/x/*.sh', action: allow")" 3:5 "never decides" "a glob that takes in another of the same length"
bad "$(two 'on: capability, action: audit' 'on: capability, cap: CAP_CHOWN, action: allow')" 3:5 'never decides' "all capabilities before one"
bad "$(two 'on: exec, exe: /usr/bin/, action: deny' 'on: exec, exe: /usr/bin/vi, action: deny')" 3:5 'never decides' "a program that is one of the others'"
good "$(two 'on: exec, path: /x/, action: deny' 'on: exec, path: /x/y, action: deny')" "a more specific path is asked first"
good "$(two 'on: exec, path: /x, unless: {uid: 0}, action: deny' 'on: exec, path: /x, action: audit')" "an exception leaves something"
good "$(two 'on: exec, path: /x, uid: 1, action: deny' 'on: exec, path: /x, action: allow')" "so do other tasks"
good "$(two 'on: exec, path: /x, action: deny' 'on: file.read, path: /x, action: deny')" "and other operations"
good "$(two 'on: capability, cap: CAP_CHOWN, action: deny' 'on: capability, cap: [CAP_CHOWN, CAP_KILL], action: allow')" "and other capabilities"
good "$(two 'on: exec, path: /x, unless: {uid: [1]}, action: deny' 'on: exec, path: /x, unless: {uid: [2]}, action: deny')" "and other exceptions"
bad "$(two 'on: exec, path: /x, unless: {uid: [1]}, action: deny' 'on: exec, path: /x, unless: {uid: [1, 2]}, action: deny')" 3:5 'never decides' "but not wider ones"
two 'on: exec, path: /x, action: deny' 'on: exec, path: [/y, /x], action: deny' >b/r.yaml
run lint b
[ "$status" = 0 ] && [ "$err" = "b/r.yaml:3:36: warning: rule 'two' never decides about '/x': rule 'one' in line 2 is asked first" ]
result $? "one path of several is a warning"
printf '%s\n' 'default: {exec: deny, file.read: deny}' "$(rule 'on: exec, action: allow')" >b/r.yaml
run lint b
[ "$status" = 0 ] && [ "$err" = "b/r.yaml:1:10: warning: 'default' never decides about exec: a rule without 'path' does" ]
result $? "so is a default behind a rule for everything"

two 'on: exec, path: /x, action: allow' 'on: file.read, path: /x, action: deny' >b/r.yaml
run lint b
[ "$status" = 0 ] && [ "$err" = "b/r.yaml:2:5: warning: rule 'one' allows what nothing in this policy denies" ]
result $? "so is a rule that takes nothing back"

# ---- all at once, in all files ----
cat >b/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.2.3
release: 7
policies:
  - {name: p, rules: r.yaml}
  - {name: q, rules: s.yaml}
END
two 'on: fly, action: what, uid: root' 'on: exec, path: [x, /a/../b], action: deny, comm: []' >b/r.yaml
rule 'on: exec, source: /x, action: deny' >b/s.yaml
run lint b
for place in r.yaml:2:19 r.yaml:2:32 r.yaml:2:43 r.yaml:3:32 r.yaml:3:38 r.yaml:3:65 s.yaml:1:35; do
        complains "b/$place: error: " "of several errors, the one at $place"
done
complains "b: 7 errors" "they are counted"
complains "b/s.yaml:1:35: error: 'source' cannot be asked for" "with their reason"

# ---- bundle.yaml ----
rule 'on: exec, action: audit' | tee b/r.yaml >b/s.yaml
policy b/p.bpf.c
# refuses LINE PLACE MESSAGE NAME: with this line as a policy, the last one
refuses() {
        printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' 'policies:' '  - {name: r, rules: r.yaml}' "  - $1" >b/bundle.yaml
        run lint b
        [ "$status" = 1 ] && grep -qF -- "b/bundle.yaml:$2: error: $3" <<<"$err"
        result $? "$4"
}
refuses '{name: rules, source: p.bpf.c}' 7:5 "the name 'rules' is taken" "a policy in C called rules"
refuses '{name: p, rules: s.yaml, source: p.bpf.c}' 7:5 "a policy has 'source' or 'rules', not both" "rules and source"
refuses '{name: p, rules: s.yaml, plain: true}' 7:5 "'plain' is for policies in C" "plain rules"
refuses '{name: p, rules: s.yaml, seeds: {a: [1]}}' 7:5 "'seeds' is for policies in C" "seeds of rules"
refuses '{name: p, rules: s.yaml, scope: {}}' 7:37 "a scope names one of cgroup, unit, container, pod, host" "an empty scope"
{ echo 'scope: {unit: a.service}'; cat b/s.yaml; } >b/scoped.yaml
printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' \
        'policies: [{name: p, rules: scoped.yaml, scope: {host: true}}]' >b/bundle.yaml
run lint b
complains "b/scoped.yaml:1:8: error: there is a scope in bundle.yaml already" "two scopes"
refuses '{name: r, rules: s.yaml}' 7:12 "there are two policies 'r'" "one name twice"
refuses '{name: p, rules: .}' 7:22 "'.' is not a regular file" "a directory"
name=$(printf 'n%.0s' {1..62})
printf '%s\n' 'apiVersion: lsmbundle/v1' 'name: sample' 'version: 1.2.3' 'release: 7' "policies: [{name: $name, rules: r.yaml}]" >b/bundle.yaml
run lint b
complains "b/r.yaml:1:14: error: '$name/r', as it is called in events, is longer than 63 bytes" "a name with an id that is too long for events"

done_testing
