# SPDX-License-Identifier: Apache-2.0
# Names: no other name, and no other way to say a name, leads to what a rule denies. docs/path-semantics.md, "Names".
# files: tests/vm/node.sh:/test/node.sh tests/vm/paths.sh:/test/paths.sh
# timeout: 900
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh
. /test/paths.sh

names() {
        attack "the name itself" 'cat prot/key'
        attack "another file that is named alone" 'cat file'
        attack "a file that a glob means" 'cat globs/a/deep/er/key'
        attack "dots" "cat $P/free/../prot/./deep/../key"
        attack "slashes" "cat /tmp//p///prot//key"
        attack "a name that is relative" 'cd prot/deep && cat er/key'
        attack "a symbolic link to the file" 'ln -s ../prot/key free/l && cat free/l'
        attack "a symbolic link to a folder above" 'ln -s ../prot free/l && cat free/l/deep/er/key'
        attack "a symbolic link in the tree" 'ln -s deep/er/key prot/l && cat prot/l'
        attack "links to links" 'ln -s b free/a && ln -s c free/b && ln -s ../prot/deep free/c && cat free/a/er/key'
        attack "a hard link out of the tree" 'ln prot/key free/k && cat free/k'
        attack "a hard link of what is named alone" 'ln file free/k && cat free/k'
        attack "a hard link in the tree" 'ln prot/key prot/k && cat prot/k'
        attack "a hard link by descriptor" 'paths_name relink prot/key free/k && cat free/k'
        attack "a hard link into the tree" 'echo secret >free/k && ln free/k prot/k && cat prot/k'
        attack "both names of it" 'echo secret >free/k && ln free/k prot/k && cat free/k >/dev/null && cat prot/k'
        works "its name outside" 'echo secret >free/k && ln free/k prot/k && cat free/k'
        attack "a file without a name that gets one in the tree" "paths_name tmpfile free prot/t && cat prot/t"
        attack "one made in the tree and named outside" "paths_name tmpfile prot free/t && cat free/t"
        attack "a file made later" 'echo secret >prot/new; cat prot/new'
        attack "a folder made later" 'mkdir -p prot/n/e/w && paths_name tmpfile free prot/n/e/w/k && cat prot/n/e/w/k'
        attack "a file deleted, and known by a descriptor" 'paths_open deleted prot/key'
}

moves() {
        attack "the file moved" 'mv prot/key free/k && cat free/k'
        attack "a file named alone moved" 'mv file free/k && cat free/k'
        attack "its folder moved" 'mv prot/deep/er free/er && cat free/er/key'
        attack "a folder above moved" 'mv prot free/prot && cat free/prot/key'
        attack "a folder above, under its old name's beginning" 'mv prot prot2; cat prot2/key; r=$?; mv prot2 prot 2>/dev/null; exit $r'
        attack "the folder above all" 'cd /tmp && mv p q && cat q/prot/key; r=$?; mv q p 2>/dev/null; exit $r'
        attack "a folder that a glob names moved" 'mv globs/a free/a && cat free/a/deep/er/key'
        attack "a folder below it moved within" 'mv globs/a/deep globs/a/flat && cat globs/a/flat/er/key'
        attack "exchanged with a file outside" 'echo x >free/k && paths_name exchange prot/key free/k && cat free/k'
        attack "exchanged with one outside, from there" 'echo x >free/k && paths_name exchange free/k prot/key && cat free/k'
        attack "its folder exchanged" 'mkdir free/d && paths_name exchange free/d prot/deep && cat free/d/er/key'
        attack "moved in" 'echo secret >free/k && mv free/k prot/k && cat prot/k'
        attack "a folder moved in" 'mkdir free/d && echo secret >free/d/k && mv free/d prot/d && cat prot/d/k'
        attack "read first, then moved in" 'echo secret >free/k && cat free/k >/dev/null && mv free/k prot/k && cat prot/k'
        attack "moved within the tree" 'mv prot/key prot/deep/k && cat prot/deep/k'
        works "moved about outside" 'echo secret >free/k && mv free/k free/l && mkdir free/d && mv free/l free/d/ && mv free/d free/e && cat free/e/l'
}

# deep WHERE N LENGTH
deep() { echo "paths_name deep $*; paths_name deep-read $*; r=\$?; paths_name deep-remove $*; exit \$r"; }

lengths() {
        attack "the longest name" "n=\$(printf '%0255d' 0); mkdir prot/\$n && paths_name tmpfile free prot/\$n/\$n && cat prot/\$n/\$n"
        attack "30 folders below" "$(deep prot 30 5)"
        attack "100 folders below" "$(deep prot 100 1)"
        attack "20,000 bytes of names, 80 folders" "$(deep prot 80 250)"
        attack "5,000 folders" "$(deep prot 5000 1)"
        works "30 folders elsewhere" "$(deep free 30 5)"
        works "60 folders elsewhere" "$(deep free 60 5)"
}

all() { names; moves; lengths; }
tried all
done_testing
