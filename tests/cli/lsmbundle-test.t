#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# lsmbundle test: a bundle on a real kernel, by lsmpull itself; what it says of one that is good, of one that breaks its promise, and of
# a machine on which no kernel can be booted.
#
# One kernel, 6.12. It is not fetched for this: where it is not in the cache, that part is skipped.
kernels=${LSM_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/lsmbundle/kernels}
. "$(dirname "$0")/lsmbundle.sh"
need clang jq
export LSM_KERNELS=$kernels

# ---- what is missing --------------------------------------------------------------------------------------------------

# without PROGRAM: a PATH that has everything but this one
without() {
        rm -rf bin
        mkdir bin
        find /bin/ /usr/bin/ -maxdepth 1 -type f -o -maxdepth 1 -type l | while read -r p; do ln -sf "$p" bin/; done
        rm -f "bin/$1"
}
if command -v qemu-system-x86_64 >/dev/null; then
        without qemu-system-x86_64
        PATH=$tmp/bin run test "$top/bundles/example" --kernel 6.12
        exits 1 "no QEMU"
        complains "qemu-system-x86_64 is not installed (Debian: qemu-system-x86" "says what to install"
        complains "No kernel was booted" "and that nothing was tried"
fi
LSMBUNDLE_LIBEXEC=$tmp/nowhere run test "$top/bundles/example" --kernel 6.12
exits 1 "no scripts"
complains "LSMBUNDLE_LIBEXEC=$tmp/nowhere" "says where they were looked for"
run test "$top/bundles/example" --lsmpull "$tmp/nowhere"
exits 1 "no lsmpull"
complains "no program '$tmp/nowhere'" "names it"

# As `make install` puts it.
mkdir -p prefix/bin prefix/sbin prefix/libexec/lsmbundle
cp "$program" prefix/bin/
run_installed() { out=$(timeout 60 prefix/bin/lsmbundle "$@" 2>"$tmp/.err"); status=$?; err=$(<"$tmp/.err"); }
run_installed test "$top/bundles/example" --kernel 6.12
[ "$status" = 1 ] && [[ $err == *"run make install"* ]]
result $? "a program that was copied alone says what it lacks"
cp "$top"/ci/{vm,initramfs,kernels,guest-init} "$(dirname "$program")/lsmbundle-guest" prefix/libexec/lsmbundle/
run_installed test "$top/bundles/example" --kernel 6.12
[ "$status" = 1 ] && [[ $err == *"lsmpull is not installed beside this program"* ]]
result $? "without lsmpull, too"
out=$(MAKEFLAGS='' make -s -n -C "$top" install DESTDIR=/d prefix=/p 2>&1)
status=$?
[[ $out == *" /d/p/libexec/lsmbundle "*"lsmbundle-guest ci/vm ci/initramfs ci/kernels ci/guest-init"* ]]
result $? "make install puts the parts where it looks for them"

# ---- a real kernel ------------------------------------------------------------------------------------------------------

why=
for tool in qemu-system-x86_64 busybox cpio; do command -v $tool >/dev/null || why="$tool is not installed (ci/deps vm)"; done
[ -s "$kernels/6.12/vmlinuz" ] || why="no kernel 6.12 in the cache (ci/kernels)"
[ "${LSM_VARIANT:-release}" = release ] || why="programs of variant $LSM_VARIANT are not made for a guest"
if [ -n "$why" ]; then
        count=$((count + 1))
        echo "ok $count - a real kernel # SKIP $why"
        done_testing
        exit 0
fi
run() {
        out=$(timeout 1000 "$program" "$@" 2>"$tmp/.err")
        status=$?
        err=$(<"$tmp/.err")
}

run test "$top/bundles/example" --kernel 5.4
exits 2 "a kernel that nobody knows"
complains "6.1, 6.12, latest, or the path" "says which there are"
run test "$top/bundles/example" --kernel ./nowhere
exits 1 "a kernel image that is not there"
echo "no bundle" >bad.tar.zst
run test bad.tar.zst --kernel 6.12
exits 3 "what is no bundle is refused"
bundle broken
echo 'int f( {' >broken/p.bpf.c
run test broken --kernel 6.12
exits 1 "sources that do not compile"
complains "p.bpf.c:1" "the compiler says where"

run test "$top/bundles/example" --kernel 6.12
exits 0 "the example bundle passes"
says "ok     6.12" "names the kernel"
says "  | example: 10 self-tests passed" "shows what lsmpull said"
says "1 of 1 kernels passed" "counts"
# table WORD...: hook, a figure, calls
for hook in bprm_check_security file_open socket_create; do
        grep -qE "^  $hook +[1-9][0-9]* +[1-9][0-9]*  the workload$" <<<"$out"
        result $? "what $hook costs"
done
for policy in "shadow-protect: file_open" "no-exec-writable: bprm_check_security" "no-raw-sockets: socket_create"; do
        grep -qE "^  $policy +[1-9][0-9]* +[1-9][0-9]*$" <<<"$out"
        result $? "the program of $policy"
done

run test "$top/tests/data/bundles/rb-selftest" --kernel 6.12 --json
exits 4 "a bundle whose self-test fails"
complains "lsmbundle: failed: selftest-failed: " "the reason"
complains "on 1 of 1 kernel, first 6.12" "and the kernel"
[ "$(jq -c '.kernels | map([.asked, .passed, .code, .reason, (.output | length > 0)])' <<<"$out")" = '[["6.12",false,4,"selftest-failed",true]]' ]
result $? "the same as JSON"

run test "$top/tests/data/bundles/rb-verifier" --kernel 6.12
exits 4 "a program that the verifier refuses"
complains "failed: verifier-rejected: " "the reason"
says "  > " "the verifier's own log"
says "invalid mem access" "and what it did not like"

done_testing
