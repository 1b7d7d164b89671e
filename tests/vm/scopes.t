# SPDX-License-Identifier: Apache-2.0
# For whom a policy is in force: cgroups, units, containers, the node itself; in rules and in C.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 240
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

S=/tmp/s
CG=/sys/fs/cgroup
mkdir -p $S/keep $S/out
for f in everywhere slices units inside outside in-c moving keep/file; do echo content >$S/$f; done
cgroups='a.slice a.slice/deep/er b.slice b.slice/one d.slice/x d.slice/y aa.slice other/a.slice system.slice/app@1.service
        system.slice/app@1.service/child user.slice/u/app@2.service system.slice/application.service system.slice/docker-0123.scope
        user.slice/u/libpod-ef.scope kubepods.slice/kubepods-pod1.slice/cri-containerd-4567.scope docker/89ab c.slice/sub m.slice m.slice/one m.slice/one/two'
for c in $cgroups; do mkdir -p "$CG/$c"; done
mkdir -p "$CG/system.slice/with\\x2ddash.service"

# in CGROUP COMMAND...: as the first that happens to a process there.
in_cgroup() {
        # shellcheck disable=SC2016
        sh -c 'echo 0 >"'$CG'/$0/cgroup.procs" && exec "$@"' "$@"
}
reads() { in_cgroup "$1" cat "$S/$2" 2>/dev/null >/dev/null; } # CGROUP FILE
denied_in() {
        [ -d "$CG/$1" ] && [ -e "$S/$2" ] && ! in_cgroup "$1" cat "$S/$2" 2>"$T/why" >/dev/null && grep -q 'Permission denied' "$T/why"
}
both() { # FILE IN OUT: denied there, allowed here
        ok "$1: in $2" denied_in "$2" "$1"
        ok "$1: not in $3" reads "$3" "$1"
}

apply scopes
is "$status" 0 "a bundle of policies with scopes is installed"
diag "$err"
for c in . a.slice b.slice/one; do ok "without a scope: in $c" denied_in "$c" everywhere; done

# ---- cgroups -----------------------------------------------------------------------------------------------------------

both slices a.slice .
both slices a.slice/deep/er aa.slice
both slices b.slice/one b.slice
both slices d.slice/x d.slice/y
ok "slices: not in one of the same name elsewhere" reads other/a.slice slices
both in-c c.slice/sub a.slice

# ---- units -------------------------------------------------------------------------------------------------------------

both units system.slice/app@1.service system.slice/application.service
both units system.slice/app@1.service/child system.slice
ok "units: of a user's manager" denied_in user.slice/u/app@2.service units
ok "units: a name with an escape" denied_in 'system.slice/with\x2ddash.service' units

# ---- containers, and the node itself -------------------------------------------------------------------------------------

ok "inside: a container of a user" denied_in user.slice/u/libpod-ef.scope inside
ok "outside: all the same, for users name cgroups as they like" denied_in user.slice/u/libpod-ef.scope outside
for c in system.slice/docker-0123.scope kubepods.slice/kubepods-pod1.slice/cri-containerd-4567.scope docker/89ab; do
        both inside $c a.slice
        both outside a.slice $c
done
ok "inside: in a PID namespace, whatever the cgroup" sh -c "! unshare -pf cat $S/inside 2>/dev/null"
ok "outside: nobody gets out by one" sh -c "! unshare -pf cat $S/outside 2>/dev/null"
ok "a mount and a user namespace take nobody in" unshare -mU cat $S/inside
ok "nor out" sh -c "! unshare -mU cat $S/outside 2>/dev/null"
ok "a cgroup namespace takes nobody out" sh -c "echo 0 >$CG/a.slice/cgroup.procs; ! unshare -C cat $S/slices 2>/dev/null"

# ---- who moves ------------------------------------------------------------------------------------------------------------

# One process, looked at in one cgroup after the other.
cat >$T/mover <<-END
	for c in . a.slice . a.slice/deep aa.slice d.slice/x d.slice/y; do
		echo 0 >$CG/\$c/cgroup.procs
		if read -r x <$S/slices; then printf 'y'; else printf 'n'; fi
	done 2>/dev/null
END
is "$(sh $T/mover)" ynynyny "a task that moves gets the new cgroup's answer, and the old one's when it is back"
mkdir $CG/new
is "$(in_cgroup new cat $S/slices)" content "a new cgroup outside"
rmdir $CG/new
mkdir $CG/a.slice/new
ok "and one inside: from its first instruction" denied_in a.slice/new slices
rmdir $CG/a.slice/new
mkdir $CG/a.slice/new
ok "made again under the same name" denied_in a.slice/new slices
# A tree in a scope of one star: at that depth, and below it.
both moving m.slice/one m.slice
both moving m.slice/one/two .
fails "in a scope nothing is moved out of a rule's reach" in_cgroup m.slice/one mv $S/keep/file $S/out/file
ok "outside it is" in_cgroup m.slice mv $S/keep/file $S/out/file
mv $S/out/file $S/keep/file
long=$CG/a.slice
for i in 1 2 3 4 5 6 7 8; do long=$long/$(printf '%0240d' $i); done
mkdir -p "$long"
ok "long names, far down" denied_in "${long#"$CG/"}" slices
deep=$CG/aa.slice
for i in $(seq 1 40); do deep=$deep/d; done
mkdir -p "$deep"
ok "too deep to be followed: in every scope" denied_in "${deep#"$CG/"}" slices

run lsmpull remove scopes --yes
ok "without the bundle all is open" reads a.slice slices

# ---- self-tests in a scope --------------------------------------------------------------------------------------------------

for f in in-c-too another; do echo content >$S/$f; done
apply scoped-tests-lax
isnt "$status" 0 "a release whose scoped policies deny something else is refused"
like "$err" 'selftest-failed' "for its self-tests"
like "$err" "4 of 32 self-tests failed" "those that say so, of policies in C and of rules, and no others"
like "$err" "in the scope of 'slices'" "in words"
ok "nothing is in force" reads . outside
apply scoped-tests
is "$status" 0 "one whose policies deny in their scopes is installed"
diag "$err"
like "$err" "32 self-tests passed" "each in its scope and in no other"
unlike "$err" 'warning' "by its own doing"
ok "elsewhere the scopes are what they were" reads . slices
ok "in C, too" reads . in-c
ok "and in force" denied_in a.slice outside
is "$(find $CG -name '*lsmpull-probe*')" "" "no cgroup is left"
is "$(find /sys/fs/bpf/lsmpull/bundle/scoped/probes -type f | wc -l)" 3 "there is a place for cgroups of self-tests for the rules, and for each scope in C"
run lsmpull remove scoped --yes
done_testing
