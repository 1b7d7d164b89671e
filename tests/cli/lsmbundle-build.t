#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# build: the same bytes everywhere, nothing done twice, the compiler's errors where people look for them.
. "$(dirname "$0")/lsmbundle.sh"
need clang tar zstd git

member() { # FILE MEMBER: its content
        zstd -dcq "$1" | tar -xO -f - "$2" 2>/dev/null
}
manifest() { # FILE JQ-LIKE PATTERN: grep in the signed part
        member "$1" manifest.json
}
# Where builds put what they throw away; a build elsewhere on this machine must not be mistaken for one of ours.
mkdir temporary
export TMPDIR=$tmp/temporary
compiled_anew() { [[ $out != *"(unchanged)"* && $out != *"(none compiled anew)"* ]]; }

# ---- reproducible ----
mkdir -p one/deep/tree two
for d in one/deep/tree two; do
        bundle "$d/bundles/sample" "seeds: {names: [a, b]}"
        mkdir "$d/include" "$d/src"
        mv "$d/bundles/sample/p.bpf.c" "$d/src/"
        sed -i 's,source: ,&../../src/,' "$d/bundles/sample/bundle.yaml"
        echo 'static __always_inline int helper(void) { return 0; }' >"$d/include/helper.h"
        sed -i 's,^LSM_POLICY,#include "../include/helper.h"\n&,; s,: ALLOW;,: helper();,' "$d/src/p.bpf.c"
done
run build one/deep/tree/bundles/sample -o one.tar.zst
exits 0 "build"
says "one.tar.zst: sample 1.2.3, release 7, 1 policy, unsigned" "says what it made, and that it is unsigned"
id=$(content_id)
[[ $id =~ ^[0-9a-f]{64}$ ]]
result $? "says the content id"
(cd two && XDG_CACHE_HOME=$tmp/other TMPDIR=$tmp/two/bundles "$program" build bundles/sample -o ../two.tar.zst >/dev/null 2>&1)
check "built in another directory, from another one: the same bytes" cmp one.tar.zst two.tar.zst
[ "$(member one.tar.zst manifest.json | sha256sum)" != "$id" ] && [ "$(zstd -dcq one.tar.zst | tar -t | head -3 | paste -sd,)" = manifest.json,selftests.json,objects/p.bpf.o ]
result $? "the members stand in order"
! zstd -dcq one.tar.zst | grep -aqF "$tmp"
result $? "no path of this machine is in it"
member one.tar.zst objects/p.bpf.o >p.o
readelf -SW p.o >sections 2>/dev/null
grep -q ' \.BTF\.ext ' sections && ! grep -q '\.debug' sections
result $? "the object has BTF and no DWARF"
grep -aq 'bpf_map_lookup_elem(&names, key)' p.o
result $? "BTF quotes the source for the verifier's log"
manifest one.tar.zst | grep -qF '"path":"src/p.bpf.c"' && manifest one.tar.zst | grep -qF '"path":"include/helper.h"' &&
        manifest one.tar.zst | grep -qF '"path":"lsm/lsm_policy.h"' && ! manifest one.tar.zst | grep -qF '/usr/'
result $? "the provenance lists the tree's sources by their names in it"
manifest one.tar.zst | grep -qF "{\"path\":\"src/p.bpf.c\",\"sha256\":\"$(sha256sum <two/src/p.bpf.c | cut -d' ' -f1)\"}"
result $? "with their digests"

# ---- nothing done twice ----
mtime=$(stat -c %y.%Z one.tar.zst)
run build one/deep/tree/bundles/sample -o one.tar.zst
says "(unchanged)" "a second build says that nothing changed"
[ "$(stat -c %y.%Z one.tar.zst)" = "$mtime" ]
result $? "and leaves the file alone"
CLANG=/bin/false run build one/deep/tree/bundles/sample -o one.tar.zst
exits 1 "another compiler is asked anew"
touch one/deep/tree/src/p.bpf.c
run build one/deep/tree/bundles/sample -o one.tar.zst
says "(unchanged)" "a newer time stamp alone changes nothing"
echo 'static __always_inline int helper(void) { return bpf_get_smp_processor_id() == 77; }' >one/deep/tree/include/helper.h
run build one/deep/tree/bundles/sample -o one.tar.zst
compiled_anew && [ "$(content_id)" != "$id" ]
result $? "a header that changed does"
run build one/deep/tree/bundles/sample -o one.tar.zst --no-cache
says "$(content_id)" "--no-cache comes to the same"

mkdir -p shadow
bundle shadow/b
mkdir shadow/b/inc
echo '#define ANSWER 0' >shadow/b/inc/answer.h
sed -i 's,^LSM_POLICY,#include <answer.h>\n&,; s,: ALLOW;,: ANSWER;,' shadow/b/p.bpf.c
mv shadow/b/inc/answer.h shadow/b/answer.h
sed -i 's,<answer.h>,"sub/answer.h",' shadow/b/p.bpf.c
mkdir shadow/b/sub shadow/src && mv shadow/b/answer.h shadow/b/sub/ && mv shadow/b/p.bpf.c shadow/src/ && sed -i 's,source: p,source: ../src/p,' shadow/b/bundle.yaml
run build shadow/b -o shadow.tar.zst
exits 0 "a header found on the include path"
id=$(content_id)
mkdir shadow/src/sub && echo '#define ANSWER (bpf_get_smp_processor_id() == 77)' >shadow/src/sub/answer.h
run build shadow/b -o shadow.tar.zst
compiled_anew && [ "$(content_id)" != "$id" ]
result $? "a new header in front of one that was used is noticed"

for how in 'truncate -s 100' 'truncate -s 0' 'sed -i s/./X/30' 'sed -i $s/.$/X/'; do
        rm -rf cache
        "$program" build two/bundles/sample -o two.tar.zst >/dev/null 2>&1
        cp two.tar.zst before.tar.zst
        for f in cache/lsmbundle/*; do $how "$f"; done
        run build two/bundles/sample -o two.tar.zst
        [ "$status" = 0 ] && cmp -s two.tar.zst before.tar.zst
        result $? "a damaged cache is no cache: $how"
done
rm -rf cache
"$program" build two/bundles/sample -o two.tar.zst >/dev/null 2>&1
for f in cache/lsmbundle/*; do rm "$f" && mkdir "$f"; done
run build two/bundles/sample -o two.tar.zst
exits 0 "nor are directories in its place"
rm -rf cache && mkdir -p cache/lsmbundle && chmod 777 cache/lsmbundle
run build two/bundles/sample -o two.tar.zst
[ "$status" = 0 ] && [ -z "$(ls cache/lsmbundle)" ]
result $? "a cache that others could write to is not used"
rm -rf cache
XDG_CACHE_HOME='' HOME=/nonexistent run build two/bundles/sample -o two.tar.zst
exits 0 "no home, no cache, no matter"

# ---- the compiler ----
bundle bad
printf '%s\n' '#include <lsm_policy.h>' 'LSM_POLICY(file_open, struct file *file) {' '        return undeclared;' '}' >bad/p.bpf.c
run build bad
exits 1 "a C error"
complains "bad/p.bpf.c:3:16: error: use of undeclared identifier" "is shown with its place, relative to here"
complains "lsmbundle: bad: 1 error: nothing was written" "and the last line says what that means"
[ ! -e sample-1.2.3.tar.zst ]
result $? "nothing was written"
cat >bad/bundle.yaml <<'END'
apiVersion: lsmbundle/v1
name: sample
version: 1.2.3
release: 7
policies:
  - {name: p, source: p.bpf.c}
  - {name: q, source: q.bpf.c}
END
printf '%s\n' '#include <lsm_policy.h>' '#include <nowhere.h>' >bad/q.bpf.c
run build bad
complains "bad/p.bpf.c:3:16: error: " "of two files with errors, the first is shown"
complains "bad/q.bpf.c:2:10: fatal error: " "and the second"
bundle warn
sed -i 's/^LSM_POLICY/static int unused_thing;\n&/' warn/p.bpf.c
run build warn -o warn.tar.zst
exits 0 "a warning of the compiler"
complains "warning: unused variable 'unused_thing'" "is shown"
run build warn -o warn.tar.zst
complains "warning: unused variable 'unused_thing'" "also when nothing is compiled anew"
bundle date
sed -i 's/"because"/__DATE__/' date/p.bpf.c
run build date
exits 1 "__DATE__ is refused: every build would differ"
CLANG=$tmp/no-clang run build two/bundles/sample --no-cache -o x.tar.zst
exits 1 "no compiler"
complains "install clang" "says what to do"
bundle absolute
echo '#define ANSWER 0' >"$tmp/outside.h"
sed -i "s,^LSM_POLICY,#include \"$tmp/outside.h\"\n&," absolute/p.bpf.c
run build absolute
exits 1 "an absolute #include"
complains "absolute path" "is refused: elsewhere the bytes would differ"

# ---- options ----
bundle opt
(cd opt && "$program" build . >/dev/null 2>&1)
[ -f opt/sample-1.2.3.tar.zst ]
result $? "the default output is NAME-VERSION.tar.zst, here"
run build opt -o v.tar.zst --release 8 --bundle-version 2.0.0-rc.1
says "sample 2.0.0-rc.1, release 8" "--release and --bundle-version"
run build opt -o v.tar.zst --bundle-version 2
exits 2 "a bad --bundle-version"
run build opt -o v.tar.zst --release 0
exits 2 "release 0"
sed -i /release/d opt/bundle.yaml
run build opt -o v.tar.zst
exits 2 "no release at all"
complains "--release N is needed" "says what to do"
run build opt -o v.tar.zst --release 9 -j 1
exits 0 "--release makes up for it"
run build opt -o nowhere/v.tar.zst --release 9
exits 1 "an output directory that is not there"
SOURCE_DATE_EPOCH=1700000000 run build opt -o v.tar.zst --release 9
manifest v.tar.zst | grep -qF '"date":1700000000' && [ "$(zstd -dcq v.tar.zst | tar -tv --utc --full-time | awk '{ print $4, $5 }' | sort -u)" = "2023-11-14 22:13:20" ]
result $? "SOURCE_DATE_EPOCH dates manifest and members"
SOURCE_DATE_EPOCH=soon run build opt -o v.tar.zst --release 9
exits 2 "a SOURCE_DATE_EPOCH that is no number"

# ---- Git ----
git init -q repo && bundle repo/b && git -C repo add . &&
        GIT_COMMITTER_DATE=1600000000+0000 git -C repo -c user.name=t -c user.email=t@t commit -qm x --date 1600000000+0000
run build repo/b -o git.tar.zst
manifest git.tar.zst | grep -qF "\"commit\":\"$(git -C repo rev-parse HEAD)\"" && manifest git.tar.zst | grep -qF '"date":1600000000'
result $? "in a repository: its commit and the commit's time"
echo '/* */' >>repo/b/p.bpf.c
run build repo/b -o git.tar.zst
manifest git.tar.zst | grep -qF "\"commit\":\"$(git -C repo rev-parse HEAD)-dirty\""
result $? "with sources that are not committed it says so"
run build two/bundles/sample -o two.tar.zst
manifest two.tar.zst | grep -qF '"commit":""' && manifest two.tar.zst | grep -qF '"date":0'
result $? "outside: none, and 1970"

# ---- the file that is written ----
echo precious >bad.tar.zst
run build bad -o bad.tar.zst
[ "$(<bad.tar.zst)" = precious ]
result $? "a build that fails leaves the old file alone"
[ -z "$(ls -A temporary)" ] && [ -z "$(find . -maxdepth 1 -name '.*' -type f ! -name .err)" ]
result $? "no temporary file is left behind"

mkfifo pipe
run build two/bundles/sample -o pipe
[ "$status" = 1 ] && [ -p pipe ]
result $? "what is not a regular file is not replaced (/dev/null!)"
ln -s two.tar.zst link.tar.zst
rm two.tar.zst && touch two.tar.zst
run build two/bundles/sample -o link.tar.zst
[ "$status" = 0 ] && [ -L link.tar.zst ] && [ -s two.tar.zst ]
result $? "a symbolic link is followed"

cat >slow-clang <<'END'
#!/bin/sh
case " $* " in *" -c "*) touch "$SLOW_STARTED"; exec sleep 100 ;; esac
exec clang "$@"
END
chmod +x slow-clang
bundle slow
CLANG=$tmp/slow-clang SLOW_STARTED=$tmp/started timeout 60 "$program" build slow -o slow.tar.zst >/dev/null 2>slow.err &
for ((i = 0; i < 300; i++)); do [ ! -e started ] || break; sleep 0.1; done
[ -e started ] && [ -n "$(ls -A temporary)" ] && pkill -TERM -P $! -x lsmbundle
wait $!
status=$? err=$(<slow.err)
[ "$status" = 1 ] && [[ $err == *interrupted* ]] && [ -z "$(ls -A temporary)" ] && [ ! -e slow.tar.zst ]
result $? "interrupted, it removes what it has made"

run build "$top/bundles/baseline" -o baseline.tar.zst
exits 0 "the baseline builds"

done_testing
