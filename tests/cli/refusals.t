#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2034,SC2154 # shared with lsmbundle.sh
# Every damaged or hostile bundle that tests/progs/hostile can make: refused with exit code 3 and exactly its reason, in bounded
# memory, and without a trace. The good one, made in the same ways, is accepted, or the refusals would prove nothing.
. "$(dirname "$0")/lsmbundle.sh"

build=$(dirname "$program")
cases=$build/tests/hostile/cases
[ -e "$cases" ] || { echo "Bail out! $cases is not there: make hostile-bundles"; exit 1; }

# What a verifier may need: libraries, a window of 8 MiB, buffers. The bombs among the cases unpack to gigabytes. Sanitizers reserve
# terabytes of addresses, so there the bound cannot be set.
memory=$((160 * 1024))
bounded=1
if [ "${LSM_VARIANT:-release}" = asan ]; then bounded=0; fi

# Nothing may be left here, nor where temporary files and caches go.
mkdir "$tmp/home" "$tmp/temporary" "$tmp/here"
export HOME=$tmp/home TMPDIR=$tmp/temporary
cd "$tmp/here" || exit 1

verify() { # NAME KEY...
        local name=$1 args=() k
        shift
        for k; do args+=(--key "$build/tests/keys/$k.pub"); done
        if [ $bounded = 1 ]; then ulimit -v $memory; fi
        timeout 60 "$program" verify "$build/tests/hostile/$name.tar.zst" "${args[@]}"
}

refusals=0 words=
while IFS=$'\t' read -r name reason where keys; do
        read -r -a trusted <<<"$keys"
        out=$(verify "$name" "${trusted[@]}" 2>"$tmp/.err")
        status=$?
        err=$(<"$tmp/.err")
        if [ "$reason" = accepted ]; then
                exits 0 "$name: accepted"
        elif [ "$where" != both ]; then
                exits 0 "$name: in order as a bundle ($reason on a node)"
        else
                refused "$reason" "$name: $reason"
                refusals=$((refusals + 1)) words+="$reason"$'\n'
        fi
done <"$cases"

[ $refusals -ge 300 ]
result $? "there are hundreds of them ($refusals)"
# The reasons that a bundle by itself can give.
want='bad-signature digest-mismatch duplicate-member length-mismatch malformed missing-member not-a-file threshold-not-met too-large
trailing-data truncated unknown-key unlisted-member unsafe-path unsupported-format wrong-order wrong-type'
[ "$(sort -u <<<"${words%$'\n'}")" = "$(xargs -n1 <<<"$want")" ]
result $? "every reason there is has its case"
if [ $bounded = 1 ]; then
        result 0 "all of it in $((memory / 1024)) MiB of address space"
else
        count=$((count + 1))
        echo "ok $count - all of it in bounded memory # SKIP sanitizers need terabytes of address space"
fi

# Who only looks is shown what is there, or why not, and nothing that moves a cursor.
broken=''
while IFS=$'\t' read -r name _; do
        out=$(timeout 60 "$program" inspect "$build/tests/hostile/$name.tar.zst" 2>&1)
        status=$?
        { [ $status = 0 ] || [ $status = 3 ]; } && ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$out" || broken+=" $name($status)"
done <"$cases"
[ -z "$broken" ]
result $? "inspect survives each of them${broken:+ (not$broken)}"

[ -z "$(find "$tmp/home" "$tmp/temporary" "$tmp/here" "$tmp/cache" -mindepth 1 2>/dev/null)" ]
result $? "no file was written"
done_testing
