#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The TUF client stands alone: no BPF, no agent, no network library in it. Whoever reviews what decides about trust has that much to
# read, and no more.
#
#   make build/tuf-client && prove tests/cli/tuf-alone.t
set -uo pipefail

cd "$(dirname "$(realpath "$0")")/../.." || exit 2
b=build/${LSM_VARIANT:-release}
command -v nm >/dev/null || { echo "1..0 # SKIP nm is not installed"; exit 0; }
[ -e "$b/lib/tuf_client.o" ] || { echo "Bail out! $b/lib is not built: make"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# Besides tuf_*.o: buffers, errors, files, digests, keys, JSON, how a signed file is split, and the one threshold check.
needs=(buf digest envelope err fileio json key key_tuf signed_file util)
objects=("$b"/lib/tuf_*.o)
for n in "${needs[@]}"; do objects+=("$b/lib/$n.o"); done

echo 1..4
result() { # RESULT NAME FILE
        if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; sed 's/^/#   /' "$3"; fi
}

cat >"$tmp/main.c" <<'C'
#include "tuf_client.h"
int main(void) {
        struct tuf_client_options options = {.store.dirfd = -1};
        struct tuf_client *c;
        return tuf_client_new(&options, &c, NULL) < 0 ? 0 : tuf_client_refresh(c, NULL);
}
C
sanitize=()
nm "$b/lib/buf.o" | grep -q __asan_ && sanitize=(-fsanitize=address -fsanitize=undefined)
"${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -Ilib "${sanitize[@]}" -o "$tmp/alone" "$tmp/main.c" "${objects[@]}" -lcrypto -ljansson \
        >"$tmp/out" 2>&1
result $? "1 - it links with ${#needs[@]} small files of lib/, OpenSSL's libcrypto and jansson, and nothing else" "$tmp/out"

"$tmp/alone" >"$tmp/out" 2>&1
result $? "2 - and runs so" "$tmp/out"

nm -u "${objects[@]}" | awk 'NF == 2 { print $2 }' | sort -u |
        grep -E '^(bpf|btf|libbpf|curl|git|seccomp|sd|archive|cap|ZSTD|fy)_' >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? "3 - it asks for nothing of libbpf, libcurl, libgit2, libseccomp, libsystemd, libarchive" "$tmp/out"

outside='(open|openat|open64|openat64|read|write|unlink|unlinkat|rename|renameat|socket|connect|fork|execve?|system|getenv|time'
outside+='|gettimeofday|clock_gettime)'
# The checks, as the supervisor runs them, touch no files, no clock and no network.
nm -u "$b"/lib/tuf_{trust,set,find,verify,metadata,signed,file,path,time}.o | awk 'NF == 2 { print $2 }' | sort -u |
        grep -Ex "$outside(@.*)?" >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? "4 - what checks opens no file, reads no clock and asks no network" "$tmp/out"
