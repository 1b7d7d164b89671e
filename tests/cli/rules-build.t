#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Policies written as rules become one more policy of the bundle; inspect and diff show the rules as they were written.
. "$(dirname "$0")/lsmbundle.sh"
need clang tar zstd jq

mkdir -p b/rules
policy b/p.bpf.c
cat >b/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.0.0
release: 1
policies:
  - {name: first, source: p.bpf.c, seeds: {names: [a]}}
  - {name: credentials, rules: rules/credentials.yaml, mode: audit}
  - {name: last, source: p.bpf.c}
  - {name: logs, rules: rules/logs.yaml}
END
cat >b/rules/credentials.yaml <<'END'
# Who may read passwords.
rules:
  - id: shadow
    on: [file.read, file.write]
    path: [/etc/shadow, /etc/gshadow]
    unless: {exe: [/usr/bin/passwd, /usr/sbin/], uid: [0]}
    action: audit
  - {id: ssh, on: file.read, path: '/root/**/*.key', comm: cat, action: audit}
END
cat >b/rules/logs.yaml <<'END'
default: {file.write: allow}
rules:
  - {id: logs, on: file.write, path: /var/log/, action: allow}
END

manifest() { zstd -dcq "$1" | tar -xO -f - manifest.json | jq -r ".signed$2"; }
member() { zstd -dcq "$1" | tar -xO -f - "$2"; }
# equal TEXT TEXT NAME
equal() {
        [ "$1" = "$2" ]
        result $? "$3${1:+ ($1)}"
}

run build b -o one.tar.zst
exits 0 "a bundle with rules and policies in C"
says "one.tar.zst: sample 1.0.0, release 1, 4 policies, unsigned" "counts the policies that its author wrote"
equal "$(manifest one.tar.zst '.policies | map(.name) | join(",")')" first,rules,last "the rules stand where the first of them is listed"
equal "$(manifest one.tar.zst '.policies[1] | .mode, .plain, .object' | paste -sd,)" enforce,false,objects/rules.bpf.o "one enforces: so does the whole"
equal "$(manifest one.tar.zst '.policies[1].rulesets | map(.name + " " + .mode) | join(",")')" 'credentials audit,logs enforce' "the manifest says what the rules were called"
equal "$(manifest one.tar.zst '.policies[1].programs | map(.hook) | join(",")')" file_open "on the hooks that the rules need, and no other"
equal "$(manifest one.tar.zst '.members | map(.path) | map(select(startswith("sources/"))) | join(",")')" sources/credentials.yaml,sources/logs.yaml "the texts are members"
cmp -s <(member one.tar.zst sources/credentials.yaml) b/rules/credentials.yaml
result $? "byte for byte"
equal "$(manifest one.tar.zst '.provenance.sources | map(.path) | map(select(startswith("lsm/lsm_rules") | not)) | join(",")')" \
        bundle.yaml,lsm/lsm_abi.h,lsm/lsm_policy.h,lsm/lsm_report.h,lsm/lsm_types.h,p.bpf.c,rules/credentials.yaml,rules/logs.yaml "their files are among the sources, what was made of them is not"
equal "$(manifest one.tar.zst '.policies[1].maps | map(select(.seed) | .name) | sort | join(",")')" \
        lsm_rules_cells,lsm_rules_classes,lsm_rules_members,lsm_rules_refs,lsm_rules_rules,lsm_rules_sets,lsm_rules_states "the tables are seeds"
equal "$(manifest one.tar.zst '.policies[1].maps | map(select(.name == "lsm_rules_rules" or .name == "lsm_rules_counts") | .max_entries) | join(",")')" 3,3 "as large as the rules need"
member one.tar.zst seeds/rules.lsm_rules_rules.bin | grep -qaF credentials/shadow
result $? "a rule has the name that its events have"
check "it verifies as any other" "$program" inspect one.tar.zst

# ---- the same bytes ----
run build b -o again.tar.zst
says '(none compiled anew)' "what was compiled before is taken from the cache"
cmp -s one.tar.zst again.tar.zst
result $? "and is the same"
mkdir -p "$tmp/else/where" "$tmp/else/tmp"
cp -r b "$tmp/else/where/c"
(cd "$tmp/else/where" && TMPDIR=$tmp/else/tmp "$program" build --no-cache c -o "$tmp/elsewhere.tar.zst") >/dev/null 2>&1
cmp -s one.tar.zst elsewhere.tar.zst
result $? "so is a build elsewhere, without the cache"
member one.tar.zst objects/rules.bpf.o >rules.bpf.o && [ -s rules.bpf.o ] && ! grep -qaF "$tmp" rules.bpf.o
result $? "no path of this machine is in the object"
grep -qaF './lsm/lsm_rules_' rules.bpf.o
result $? "its headers are named as those of other policies are"
run build b -o audit.tar.zst
sed -i 's/logs.yaml}/logs.yaml, mode: audit}/' b/bundle.yaml
run build b -o audit.tar.zst
equal "$(manifest audit.tar.zst '.policies[1].mode')" audit "when all of them audit, the whole does"
sed -i 's/logs.yaml, mode: audit}/logs.yaml}/' b/bundle.yaml

# ---- inspect ----
run inspect one.tar.zst
says $'  rules: enforce\n    of policy credentials: audit, everywhere\n    of policy logs: enforce, everywhere\n    hook file_open' "inspect: what the policy was made of"
says $'rules, as they were written\n  of policy credentials\n    # Who may read passwords.\n    rules:\n      - id: shadow\n' "inspect: the rules"
says $'\n  of policy logs\n    default: {file.write: allow}\n' "inspect: of each policy"
[[ $out == *"map lsm_rules_rules: array, 4 -> 144 bytes, 3 of 3 entries seeded"$'\n    map'* ]]
result $? "inspect: tables by their size alone"
run inspect --json one.tar.zst
equal "$(jq -r '.rules | keys | join(",")' <<<"$out")" credentials,logs "inspect --json: the rules by policy"
cmp -s <(jq -j '.rules.credentials' <<<"$out") b/rules/credentials.yaml
result $? "inspect --json: their text"
equal "$(jq -r '.seeds | (keys | join(",")), (.rules | length)' <<<"$out" | paste -sd:)" first,last,rules:0 "inspect --json: no tables"

# ---- diff ----
cp -r b d
sed -i 's/gshadow\]/gshadow, \/etc\/opasswd]/; s/^# Who.*/# Another comment./' d/rules/credentials.yaml
sed -i '/id: ssh/d' d/rules/credentials.yaml
cat >d/rules/logs.yaml <<'END'
default: {file.read: allow}
rules:
  - {id: logs, on: file.write, path: /var/log/, action: allow}
  - {id: journal, on: file.write, path: /var/log/journal/, uid: 7, action: allow}
END
sed -i 's/mode: audit}/mode: enforce}/; s/1\.0\.0/1.1.0/' d/bundle.yaml
echo '  - {name: more, rules: rules/more.yaml}' >>d/bundle.yaml
echo 'rules: [{id: x, on: file.read, path: /x, action: audit}]' >d/rules/more.yaml
run build d -o two.tar.zst
run diff one.tar.zst two.tar.zst
exits 0 "diff"
for line in '~ policy credentials' '    ~ mode: audit -> enforce' '    - rule ssh: {on: file.read, path: /root/**/*.key, comm: cat, action: audit}' \
        '~ policy logs' '    - default file.write: allow' '    + default file.read: allow' \
        '    + rule journal: {on: file.write, path: /var/log/journal/, uid: 7, action: allow}' '+ policy more: enforce' \
        '    + rule x: {on: file.read, path: /x, action: audit}' '~ policy rules' \
        '    ~ rule shadow: {on: [file.read, file.write], path: [/etc/shadow, /etc/gshadow], unless: {exe: [/usr/bin/passwd, /usr/sbin/], uid: [0]}, action: audit} -> {on: [file.read, file.write], path: [/etc/shadow, /etc/gshadow, /etc/opasswd], unless: {exe: [/usr/bin/passwd, /usr/sbin/], uid: [0]}, action: audit}'; do
        grep -qxF -- "$line" <<<"$out"
        result $? "diff: $line"
done
grep -qxE '    ~ table lsm_rules_cells: [0-9a-f]{16} -> [0-9a-f]{16}' <<<"$out"
result $? "diff: tables by their digest"
[ "$status" = 0 ] && ! grep -qE 'seed|rule logs' <<<"$out"
result $? "diff: no records of tables, no rule that stays"
run diff two.tar.zst one.tar.zst --json
equal "$(jq -r '.changes | map(select(.policy == "more") | .change + " " + (.subject // "")) | join(",")' <<<"$out")" 'policy-removed ,rule-removed x' "diff --json: a policy that goes"
sed -i 's/^# Who.*/# A comment alone./' b/rules/credentials.yaml
run build b -o comment.tar.zst
run diff one.tar.zst comment.tar.zst
says 'no change for a node' "diff: a comment is no change for a node"
run diff one.tar.zst two.tar.zst --markdown
says '+ rule x: {on: file.read, path: /x, action: audit}' "diff --markdown"

# ---- what is refused when the tables are made ----
{
        echo 'rules:'
        for i in {0..64}; do echo "  - {id: r$i, on: file.read, path: /x, uid: $i, action: audit}"; done
} >b/rules/logs.yaml
rm -f crowd.tar.zst
run build b -o crowd.tar.zst
[ "$status" = 1 ] && [ ! -e crowd.tar.zst ]
result $? "more rules about one path than there can be"
complains "b/rules/logs.yaml:66:5: error: rule 'logs/r64' is one too many: with 'logs/r0' and others, more than 64 are about the same path" "at the rule that is too many"
complains "b: 1 error: nothing was written" "nothing is written"

# ---- every operation ----
{
        echo 'rules:'
        for op in file.read file.write file.create file.exec file.unlink file.rename file.link file.symlink file.mkdir file.chmod file.chown \
                file.truncate file.mknod file.setxattr file.mmap-exec; do
                echo "  - {id: $(tr . - <<<"$op"), on: $op, path: /x/, action: deny}"
        done
        for op in mount umount move-mount pivot-root; do echo "  - {id: $op, on: $op, path: /x/, action: deny}"; done
        for op in capability socket.create socket.bind socket.connect socket.listen socket.accept socket.sendmsg ptrace signal bpf module.load kexec userns.create setuid setgid; do
                echo "  - {id: $(tr . - <<<"$op"), on: $op, action: deny}"
        done
} >b/rules/logs.yaml
run build b -o all.tar.zst
exits 0 "every operation of this version"
equal "$(manifest all.tar.zst '.policies[1].programs | map(.hook) | sort | join(" ")')" \
        'bpf bprm_check_security capable file_mprotect file_open file_truncate inode_remove_acl inode_removexattr inode_set_acl inode_setxattr kernel_load_data kernel_read_file mmap_file move_mount path_chmod path_chown path_link path_mkdir path_mknod path_rename path_rmdir path_symlink path_truncate path_unlink ptrace_access_check sb_mount sb_pivotroot sb_umount socket_accept socket_bind socket_connect socket_create socket_listen socket_sendmsg task_fix_setgid task_fix_setuid task_kill unix_may_send unix_stream_connect userns_create' \
        "each on its hooks"
equal "$(manifest all.tar.zst '.policies[1].programs | map(select(.optional)) | map(.hook) | sort | join(" ")')" \
        'file_truncate inode_remove_acl inode_set_acl' \
        "a node may leave out only what it asks by another hook"
equal "$(manifest all.tar.zst '.requires.hooks | map(select(test("truncate|xattr|acl"))) | sort | join(" ")')" \
        'inode_removexattr inode_setxattr path_truncate' "and these are none that are required"

done_testing
