#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034 # set by and for lsmbundle.sh
# What docs/writing-policies.md shows is what is built and loaded elsewhere, and what it says of each piece of code is so.
. "$(dirname "$0")/lsmbundle.sh"
need clang

page=$top/docs/writing-policies.md
data=$top/tests/data/bundles

# block MARK: the code under <!-- MARK -->
block() { awk -v mark="<!-- $1 -->" '$0 == mark {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' "$page"; }
# Without what a file has above that: its licence, or what it is for.
body() { sed '1{/SPDX\|^# /d}' "$1"; }

marks=$(sed -n 's/^<!-- file: \(.*\) -->$/\1/p' "$page")
[ "$(wc -w <<<"$marks")" -ge 4 ]
result $? "the page shows files of the tree"
for file in $marks; do
        diff <(body "$top/$file") <(block "file: $file") >"$tmp/.diff"
        status=$? err=$(<"$tmp/.diff")
        result $status "what is shown as $file is that file"
done

# ---- as articles write it -------------------------------------------------------------------------------------------

# article NAME [LINE]: a bundle with one policy, p.bpf.c, as articles have it
article() {
        mkdir -p "$1"
        cp "$data/article-plain/vmlinux.h" "$1"
        block "as published" >"$1/p.bpf.c"
        printf '%s\n' 'apiVersion: lsmbundle/v1' "name: $1" 'version: 1.0.0' 'release: 1' 'policies:' '  - name: p' '    source: p.bpf.c' \
                '    plain: true' >"$1/bundle.yaml"
}

article published
grep -q BPF_PROG published/p.bpf.c
result $? "the page shows the published code"
run build published
exits 1 "it does not build as published"
complains "p.bpf.c:8:31: error: expected identifier" "because BPF_PROG is not declared"

article included
sed -i '/bpf_core_read/a #include <bpf/bpf_tracing.h>' included/p.bpf.c
run build included
exits 1 "with the missing header, it is refused"
complains "failed to find BTF info for global/extern symbol 'memcmp'" "because of memcmp"
[ ! -e included-1.0.0.tar.zst ]
result $? "and nothing is written"

run build "$data/article-plain"
exits 0 "corrected, it builds as a plain policy"
article chain
cp "$data/article-plain/shadow_protect.bpf.c" chain/p.bpf.c
sed -i /plain/d chain/bundle.yaml
run build chain
exits 1 "it is refused without plain: true"
complains "does not use the chain of hook 'file_open'" "because policies behind it would never run"
article audited
cp "$data/article-plain/shadow_protect.bpf.c" audited/p.bpf.c
echo '    mode: audit' >>audited/bundle.yaml
run build audited
exits 1 "a plain policy in audit mode is refused"
complains "a plain policy can only enforce" "and told why"

# ---- with lsm_policy.h ----------------------------------------------------------------------------------------------

run build "$data/article-policy"
exits 0 "written with lsm_policy.h, it builds"
run build "$data/policy-reference"
exits 0 "so does the one that uses all of it"

bundle types
cat >types/p.bpf.c <<'END'
#include "vmlinux.h"
#include <lsm_policy.h>

LSM_POLICY(inode_rename, struct inode *dir, struct dentry *dentry) {
        return dentry->d_inode->i_uid.val == 4242 ? DENY_NAME(EPERM, "because", dentry) : ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
END
bpftool=$(PATH=$PATH:/usr/sbin command -v bpftool)
if [ -n "$bpftool" ] && [ -r /sys/kernel/btf/vmlinux ]; then
        "$bpftool" btf dump file /sys/kernel/btf/vmlinux format c >types/vmlinux.h
        run build types
        exits 0 "a policy may bring the types of a whole kernel"
else
        count=$((count + 1))
        echo "ok $count - a policy may bring the types of a whole kernel # SKIP no bpftool, or no /sys/kernel/btf/vmlinux"
fi

bundle long
cat >long/p.bpf.c <<'END'
#include <lsm_policy.h>

LSM_POLICY(inode_rename, struct inode *dir) {
        return DENY(EPERM, "0123456789012345678901234567890123456789012345678901234567890123");
}

char LICENSE[] SEC("license") = "GPL";
END
run build long
exits 1 "words of 64 bytes are refused"
complains "the reason is too long" "and told why"
sed -i 's/01234567890123456789/0123456789012345678/' long/p.bpf.c
run build long
exits 0 "words of 63 are not"
bundle lost
sed -i 's/LSM_POLICY(file_open.*/&\n        char text[32];\n\n        bpf_get_current_comm(text, sizeof(text));\n        if (__builtin_strlen(text) > 20)\n                return ALLOW;/' lost/p.bpf.c
run build lost
exits 1 "strlen is refused"
complains "symbol 'strlen'" "because no kernel has it"

done_testing
