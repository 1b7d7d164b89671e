#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Objects are read back: what a node could not run, or what would not be what it looks like, is refused here.
. "$(dirname "$0")/lsmbundle.sh"
need clang llvm-objdump tar zstd

# builds BODY MESSAGE NAME [LINE]: a policy with that text is refused with that message at its source
n=0
refuses() {
        n=$((n + 1))
        bundle "r$n" ${4:+"$4"}
        printf '%s\n' "$1" >"r$n/p.bpf.c"
        run build "r$n" -o r.tar.zst
        [ "$status" = 1 ] && grep -F "r$n/p.bpf.c: error: " <<<"$err" | grep -qF -- "$2" && [ ! -e r.tar.zst ]
        result $? "$3"
}
gpl='char LICENSE[] SEC("license") = "GPL";'
plain='#include "lsm_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>'
chain='#include <lsm_policy.h>
LSM_POLICY(file_open, struct file *file) { return ALLOW; }'

# ---- licences ----
refuses "$chain" 'names no licence' "no licence"
refuses "$chain
char LICENSE[] SEC(\"license\") = \"Proprietary\";" "'Proprietary' is not GPL-compatible" "a proprietary licence"
refuses "$chain
char LICENSE[] SEC(\"license\") = \"GPL v3\";" "'GPL v3' is not GPL-compatible" "one that the kernel does not count"
refuses "$chain
char LICENSE[] SEC(\"license\") = \"gpl\";" "'gpl' is not" "the list is exact"
refuses "$chain
char LICENSE[3] SEC(\"license\") = {'G', 'P', 'L'};" "not a string" "a licence without an end"
for licence in 'GPL v2' 'Dual BSD/GPL' 'Dual MIT/GPL' 'Dual MPL/GPL' 'GPL and additional rights'; do
        bundle ok
        printf '%s\n' "$chain" "char LICENSE[] SEC(\"license\") = \"$licence\";" >ok/p.bpf.c
        run build ok -o ok.tar.zst
        exits 0 "licence '$licence'"
done

# ---- kinds of programs ----
prog() { printf '%s\nSEC("%s") int BPF_PROG(f, struct file *file) { return 0; }\n%s' "$plain" "$1" "$gpl"; }
refuses "$(prog lsm.s/file_open)" 'sleepable programs are not supported' "a sleepable program" 'plain: true'
refuses "$(prog lsm_cgroup/socket_bind)" 'programs of a cgroup are not supported' "a cgroup's program" 'plain: true'
refuses "$(prog kprobe/do_sys_open)" 'is not an LSM program' "a kprobe" 'plain: true'
refuses "$(prog lsm)" 'is not an LSM program' "a hook that is not named" 'plain: true'
refuses "$(prog '?lsm/file_open')" 'is not an LSM program' "a program that is not loaded by default" 'plain: true'
refuses "$(prog lsm/File-Open)" 'not the name of a hook' "a hook with an impossible name" 'plain: true'
refuses "$plain
int f(void) { return 0; }
$gpl" 'no LSM program' "no program" 'plain: true'
refuses "$plain
SEC(\"lsm/file_open\") int BPF_PROG(f, struct file *file) { return 0; }
SEC(\"lsm/file_open\") int BPF_PROG(g, struct file *file) { return 0; }
$gpl" "two programs on hook 'file_open'" "two programs on one hook" 'plain: true'
refuses "$(prog lsm.s/file_open)
SEC(\"kprobe/x\") int BPF_PROG(g, struct file *file) { return 0; }" 'is not an LSM program' "several faults: the second one, too" 'plain: true'
complains 'sleepable' "and the first"

# ---- the chain ----
refuses "$(prog lsm/file_open)" "does not use the chain of hook 'file_open'" "a plain program that does not say so"
complains 'plain: true' "is told how"
refuses "#include <lsm_policy.h>
LSM_POLICY(file_open, struct file *file) { return ALLOW; }
SEC(\"lsm/file_permission\") int sneaky(unsigned long long *ctx) { return lsm_config.mode; }
$gpl" "'sneaky' does not use the chain of hook 'file_permission'" "a second program beside the chain"
refuses "#include <lsm_policy.h>
LSM_POLICY(file_open, struct file *file) { return ALLOW; }
SEC(\"lsm/file_permission\") int lsm_file_permission(unsigned long long *ctx) {
        bpf_tail_call(ctx, &lsm_slots_file_open, lsm_config.slot + lsm_chain_file_open.next);
        return 0;
}
$gpl" "does not use the chain of hook 'file_permission'" "a program that goes on in another hook's chain"
refuses "$plain
#include <lsm_abi.h>
const volatile struct lsm_config lsm_config = {.abi = 99};
const volatile struct lsm_chain lsm_chain_file_open = {};
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } lsm_events SEC(\".maps\");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct lsm_counters); } lsm_counters SEC(\".maps\");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, LSM_FOLDS_SIZE); __type(key, __u32); __type(value, struct lsm_fold); } lsm_folds SEC(\".maps\");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 256); __type(key, __u32); __type(value, __u32); } lsm_slots_file_open SEC(\".maps\");
SEC(\"lsm/file_open\") int lsm_file_open(unsigned long long *ctx) {
        bpf_tail_call(ctx, &lsm_slots_file_open, lsm_config.slot + lsm_chain_file_open.next);
        return 0;
}
$gpl" 'ABI 99' "another ABI"
sed -i 's/\.abi = 99/.abi = LSM_ABI/' "r$n/p.bpf.c"
run build "r$n" -o abi.tar.zst
exits 0 "the same with this ABI is taken: it is the relocations that count"
sed -i 's/const volatile struct lsm_config/struct lsm_config/' "r$n/p.bpf.c"
run build "r$n" -o abi.tar.zst
complains "'lsm_config'" "parameters that are not read-only data"
sed -i 's/^struct lsm_config/const volatile struct lsm_config/; s/BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096)/BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32)/' "r$n/p.bpf.c"
run build "r$n" -o abi.tar.zst
complains "'lsm_events' is the name of one of the chain's maps" "another map under the name of one of the chain's"

# ---- plain ones ----
bundle plain 'plain: true'
prog lsm/file_open >plain/p.bpf.c
run build plain -o plain.tar.zst
exits 0 "a plain program"
cat >plain/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.2.3
release: 7
policies:
  - {name: first, source: p.bpf.c, plain: true}
  - {name: second, source: q.bpf.c}
END
policy plain/q.bpf.c
run build plain -o plain.tar.zst
exits 0 "beside one in the chain"
run inspect plain.tar.zst
grep -A99 '^policies' <<<"$out" | grep -E '^  [a-z]+: ' | head -1 | grep -q second
result $? "the plain one runs last"
sed -i 's/q.bpf.c/p.bpf.c, plain: true/' plain/bundle.yaml
run build plain -o plain.tar.zst
exits 1 "two plain ones on one hook"
complains "plain/bundle.yaml:7:5: error: policies 'first' and 'second' are both plain" "are refused, at the second"

# ---- how many ----
many() {
        bundle many
        sed -i '/^policies/,$d' many/bundle.yaml
        echo 'policies:' >>many/bundle.yaml
        for ((i = 1; i <= $1; i++)); do echo "  - {name: p$i, source: p.bpf.c}" >>many/bundle.yaml; done
        run build many -o many.tar.zst
}
many 32
exits 0 "32 policies on one hook"
many 33
exits 1 "33"
complains "many/bundle.yaml:38:5: error: more than 32 policies on hook 'file_open'" "are refused at the 33rd"

# ---- what the manifest says ----
bundle multi
cat >multi/p.bpf.c <<'END'
#include <lsm_policy.h>
SEED_ARRAY(table, __u64, 8);
LSM_POLICY(file_open, struct file *file) { return ALLOW; }
LSM_POLICY(socket_create, int family, int type, int protocol, int kern) {
        __u32 zero = 0;
        return bpf_map_lookup_elem(&table, &zero) && bpf_get_prandom_u32() == 7 ? DENY(EPERM, "x") : ALLOW;
}
char LICENSE[] SEC("license") = "Dual BSD/GPL";
END
run build multi -o multi.tar.zst
exits 0 "two hooks in one object"
run inspect multi.tar.zst
says "hook file_open: program lsm_file_open" "the first hook"
says "hook socket_create: program lsm_socket_create" "the second hook"
says "map table: array, 4 -> 8 bytes, 0 of 8 entries seeded" "the author's map"
grep -q '^  hooks .*file_open socket_create$' <<<"$out" && grep -q '^  features .*ringbuf' <<<"$out" &&
        tr -s ' \n' ' ' <<<"$out" | grep -q ' helpers .* bpf_get_prandom_u32 .*bpf_tail_call features'
result $? "what it needs of a kernel"
! grep -q 'lsm_slots\|lsm_events\|lsm_folds\|lsm_counters\|rodata' <<<"$out"
result $? "the chain's own maps are not listed"

# A program can be preempted between reading a counter and writing it, by one that counts in the same place. That is too rare to be
# waited for in a guest: so the additions are looked at.
plainly() { # CODE: one is added to a register, and it is not for a compare-and-swap, which two cannot win
        awk '/^r[0-9] [+]= 1$/ { if (reg) bad = 1; reg = $1; left = 2; next }
                reg && /cmpxchg_64/ && index($0, ", " reg ")") { reg = ""; next }
                reg && left-- == 0 { bad = 1; reg = "" }
                END { exit !(bad || reg) }' "$1"
}
atomic() { # OBJECT: all that it adds to memory
        llvm-objdump -d --no-show-raw-insn "$1" | sed 's/.*:\t//' >code
        [ "$(grep -c '^lock \*(u64 \*)(r[0-9] + [0-9]*) += r[0-9]$' code)" -ge 3 ] && ! plainly code
}
bundle counts
run build counts -o counts.tar.zst
zstd -dcq counts.tar.zst | tar -xO -f - objects/p.bpf.o >counts.o
check "a policy counts by atomic additions" atomic counts.o
cat >plain.c <<END
struct { unsigned long long n; } *counters;
int count(void) { counters->n++; return 0; }
END
clang -target bpf -mcpu=v3 -O2 -c plain.c -o plain.o
! atomic plain.o && plainly code
result $? "an addition that is not atomic would be seen"

done_testing
