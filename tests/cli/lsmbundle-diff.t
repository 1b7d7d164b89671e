#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# inspect and diff: what people read before they sign.
. "$(dirname "$0")/lsmbundle.sh"
need clang

"$program" keygen alice >alice.id
mkdir b
policy b/p.bpf.c
policy b/q.bpf.c socket_create 'int family, int type, int protocol, int kern'
cat >b/counts.bpf.c <<'END'
#include <lsm_policy.h>
SEED_MAP(limits, __u32, __u64, 8);
LSM_POLICY(file_open, struct file *file) {
        __u32 zero = 0;
        return bpf_map_lookup_elem(&limits, &zero) ? DENY(EACCES, "x") : ALLOW;
}
char LICENSE[] SEC("license") = "GPL";
END
cat >b/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.0.0
release: 1
policies:
  - {name: p, source: p.bpf.c, mode: audit, seeds: {names: [shadow, gshadow]}}
  - {name: counts, source: counts.bpf.c, seeds: {limits: {1: 10, 2: 20}}}
  - {name: leaving, source: q.bpf.c}
selftests: [t.yaml]
END
cat >b/t.yaml <<'END'
- name: closed
  as: {comm: unprivileged, uid: 65534}
  do: {open: /etc/shadow, flags: [read]}
  expect: EACCES
- name: open
  do: {open: /etc/hostname}
  expect: ok
END
run build b -o old.tar.zst --key alice.key

# ---- inspect ----
run inspect old.tar.zst
exits 0 "inspect"
says "sample 1.0.0, release 1" "name, version, release"
says "$(sed -n 's/^content id *//p' <<<"$out")" "content id"
says "signatures    1, not checked" "says plainly that signatures were not checked"
says "key $(<alice.id)" "whose they claim to be"
says "  p: audit" "a policy and its mode"
says "hook socket_create: program lsm_socket_create" "hooks and programs"
says $'2 of 4 entries seeded\n      gshadow\n      shadow' "text seeds as text"
says $'2 of 8 entries seeded\n      1: 10\n      2: 20' "numbers as numbers"
says $'  - name: closed\n    as: {comm: unprivileged, uid: 65534}\n    do: {open: /etc/shadow, flags: [read]}\n    expect: EACCES' "self-tests as they were written"
says "compiler      " "the compiler"
says " p.bpf.c" "the sources"
if command -v jq >/dev/null; then
        run inspect old.tar.zst --json
        [ "$(jq -r '[.signatures_checked, .signatures[0].keyid == $id, .manifest.policies[1].name, .seeds.p.names[0].key, .selftests[1].name] | join(",")' \
                --arg id "$(<alice.id)" <<<"$out")" = false,true,counts,gshadow,open ]
        result $? "--json"
else
        count=$((count + 1))
        echo "ok $count # SKIP jq is not installed"
fi
head -c 500 old.tar.zst >cut.tar.zst
run inspect cut.tar.zst
[ "$status" = 3 ] && [ -z "$out" ]
result $? "nothing of a damaged bundle is shown"

# ---- diff ----
run diff old.tar.zst old.tar.zst --exit-code
exits 0 "no changes, --exit-code"
says "the same content" "says so"
cp -r b c
(cd c && git init -q . && git add . && git -c user.name=t -c user.email=t@t commit -qm x) 2>/dev/null
SOURCE_DATE_EPOCH=5 run build c -o elsewhere.tar.zst
run diff old.tar.zst elsewhere.tar.zst --exit-code
exits 0 "another date and commit is no change for a node"
says "no change for a node" "says so"

cat >b/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.1.0
release: 2
policies:
  - {name: counts, source: counts.bpf.c, seeds: {limits: {1: 11, 3: 30}}}
  - {name: p, source: p.bpf.c, mode: enforce, seeds: {names: [shadow, passwd]}}
  - {name: coming, source: q.bpf.c, mode: audit}
selftests: [t.yaml]
END
sed -i 's/expect: ok/expect: EPERM/; s/name: closed/name: shut/' b/t.yaml
policy b/p.bpf.c file_permission 'struct file *file, int mask'
sed -i 's/__u64, 8/__u64, 9/' b/counts.bpf.c
run build b -o new.tar.zst
run diff old.tar.zst new.tar.zst
exits 0 "diff without --exit-code"
text=$out
for line in 'sample 1.0.0 (release 1) -> sample 1.1.0 (release 2)' '~ version: 1.0.0 -> 1.1.0' '~ release: 1 -> 2' \
        '~ order of policies: p, counts -> counts, p' '+ policy coming: audit on socket_create' '- policy leaving: enforce on socket_create' \
        '~ policy p' '    ~ mode: audit -> enforce' '    - hook file_open' '    + hook file_permission' '    + seed names passwd' \
        '    - seed names gshadow' '    ~ seed limits 1: 10 -> 11' '    - seed limits 2: 20' '    + seed limits 3: 30' \
        '    ~ map limits: hash, 4 -> 8 bytes, 8 entries -> hash, 4 -> 8 bytes, 9 entries' \
        '- self-test closed: {as: {comm: unprivileged, uid: 65534}, do: {flags: [read], open: /etc/shadow}, expect: EACCES, name: closed}' \
        '~ self-test open: {do: {open: /etc/hostname}, expect: ok, name: open} -> {do: {open: /etc/hostname}, expect: EPERM, name: open}'; do
        grep -qxF -- "$line" <<<"$text"
        result $? "diff: $line"
done
grep -qE '^    ~ code: [0-9a-f]{16} -> [0-9a-f]{16}$' <<<"$text"
result $? "diff: code"
grep -q '^+ self-test shut: ' <<<"$text"
result $? "diff: a self-test that is new"
! grep -q 'seed names shadow' <<<"$text"
result $? "what stays is not listed"

run diff old.tar.zst new.tar.zst --exit-code
exits 1 "--exit-code"
run diff old.tar.zst new.tar.zst --markdown
[[ $out == '### sample 1.0.0 (release 1) → sample 1.1.0 (release 2)'* ]] && grep -qx '```diff' <<<"$out" && grep -qx '+ policy coming: audit on socket_create' <<<"$out" &&
        grep -qx '! mode: audit -> enforce' <<<"$out" && grep -qx '# policy p' <<<"$out" && [ "$(tail -1 <<<"$out")" = '```' ]
result $? "--markdown"
sed -i 's/name: shut/name: "``` x"/' b/t.yaml
run build b -o fence.tar.zst
run diff old.tar.zst fence.tar.zst --markdown
grep -qx '````diff' <<<"$out" && [ "$(tail -1 <<<"$out")" = '````' ]
result $? "text of a bundle cannot leave the Markdown's fence"
if command -v jq >/dev/null; then
        run diff old.tar.zst new.tar.zst --json
        [ "$(jq -r '[.before.release, .after.release, (.changes[] | select(.change == "mode") | .policy, .before, .after)] | join(",")' <<<"$out")" = 1,2,p,audit,enforce ]
        result $? "--json"
fi
# ---- for whom ----
scoped() {
        cat >s/bundle.yaml <<END
apiVersion: lsmbundle/v1
name: scoped
version: 1.0.0
release: 1
policies:
  - {name: in-c, source: p.bpf.c, seeds: {names: [x]}$1}
  - {name: as-rules, rules: r.yaml$2}
  - {name: other, rules: o.yaml, scope: {cgroup: [a.slice, b.slice]}}
$3
END
        run build s -o "$4"
}
mkdir s
policy s/p.bpf.c
echo 'rules: [{id: a, on: exec, path: /a, action: deny}]' | tee s/r.yaml >s/o.yaml
scoped ', scope: {unit: nginx.service}' '' '' s1.tar.zst
scoped '' ', scope: {container: true}' '  - {name: new, source: p.bpf.c, seeds: {names: [x]}, scope: {unit: "x@*.service"}}' s2.tar.zst
run inspect s1.tar.zst
says '  in-c: enforce, in {unit: nginx.service}' "inspect: the scope of a policy in C"
says '    of policy as-rules: enforce, everywhere' "inspect: no scope"
says '    of policy other: enforce, in {cgroup: [a.slice, b.slice]}' "inspect: the scope of a policy written as rules"
[[ $out != *$'seeded\n      0: '* ]]
result $? "inspect: not the tables that a scope becomes"
run diff s1.tar.zst s2.tar.zst
for line in '    ~ scope: in {unit: nginx.service} -> everywhere' '    ~ scope: everywhere -> in {container: true}' \
        '+ policy new: enforce on file_open, in {unit: x@*.service}'; do
        grep -qxF -- "$line" <<<"$out"
        result $? "diff: $line"
done
! grep -q 'seed lsm_scope\|in-c.*cgroup\|policy other' <<<"$out"
result $? "diff: neither the tables of scopes nor what stays"
run diff s2.tar.zst s2.tar.zst --exit-code
exits 0 "the same scopes are no change"
# Only the scope's value.
scoped ', scope: {unit: other.service}' '' '' s3.tar.zst
run diff s1.tar.zst s3.tar.zst
says '    ~ scope: in {unit: nginx.service} -> in {unit: other.service}' "diff: another unit"

run diff old.tar.zst cut.tar.zst
exits 3 "a damaged bundle is not compared"
complains "cut.tar.zst" "and it is said which one"

done_testing
