# SPDX-License-Identifier: Apache-2.0
# Keys that are taken away, and a reboot without a network: what was accepted stays enforced, and status says by whose word.
# needs: openssl build/lsmbundle
# kernels: 6.12
# files: tests/vm/node.sh:/test/node.sh
# reboot: yes
# timeout: 200
. "$TESTLIB"
. /test/node.sh

B=bundles.0
D=/var/lib/lsmpull/disk # survives, as the agent's state does
R=/tmp/repo

repo() { lsmbundle repo "$@"; }
once() { run lsmpull once; }
node() {
        mkdir -p /etc/lsmpull /var/cache
        cp $D/anchor.json /etc/lsmpull/root.json
        config "source: {repository: $R}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'confirm: {deadline: 90s, health: 1s}'
}

[ "$PHASE" = 1 ] || ok "nothing is enforced before the agent's first start" allowed shadow

case $PHASE in
1)
        mkdir -p $D
        for key in root approver other; do lsmbundle keygen $key --dir $D >/dev/null; done
        ok "a repository with an approver of its own" repo init $R --key $D/root.key --bundles-key $D/approver.pub
        ok "the approver signs what is his" sh -c "lsmbundle sign $R/pending/* --key $D/approver.key && lsmbundle repo publish $R/pending/* -r $R --key $D/root.key"
        cp $R/metadata/1.root.json $D/anchor.json
        node
        publish() {
                repo stage "/test/bundles/$1.tar.zst" -r $R && lsmbundle sign $R/pending/rb-* --key $D/approver.key &&
                        repo publish $R/pending/rb-* -r $R --key $D/root.key
        }
        ok "release 1 is published" publish rb-1
        ok "release 1 is promoted" repo promote rb 1 --ring canary -r $R --key $D/root.key
        once
        is "$status" 0 "release 1 comes" || diag "$err"
        wants $B.authority.signers '^1$' "by one approver"
        is "$(value $B.authority.signers_removed)" 0 "who still is one"
        id=$(repo show -r $R --json | sed -n 's/.*"keyid": *"\([0-9a-f]*\)".*/\1/p' | head -n 1)
        diag "$(repo show -r $R)"
        approver=$(openssl pkey -pubin -in $D/approver.pub -outform DER | tail -c 32 | od -An -tx1 | tr -d ' \n')
        id=$(printf '{"keytype":"ed25519","keyval":{"public":"%s"},"scheme":"ed25519"}' "$approver" | sha256sum | cut -d' ' -f1)
        ok "the approver's key is taken away" repo rotate bundles --add $D/other.pub --remove $id -r $R --key $D/root.key --key $D/other.key
        once
        is "$status" 0 "the node hears of it" || diag "$err"
        wants $B.authority.signers_removed '^1$' "status: by a key that was removed since"
        is "$(value $B.state) $(value $B.in_force.release)" "enforcing 1" "which takes nothing away"
        reboot_guest
        ;;
2)
        node
        run lsmpull boot
        is "$status" 0 "the start after the reboot succeeds" || diag "$err"
        ok "it denies, with no repository to be had" denied shadow
        wants $B.authority.signers_removed '^1$' "status says by whose word"
        like "$(lsmpull status)" "keys that the repository has removed since" "so does the table"
        lsmbundle keygen stranger --dir $T >/dev/null
        repo init $T/another --key $T/stranger.key >/dev/null
        cp $T/another/metadata/1.root.json /etc/lsmpull/root.json
        run lsmpull boot
        is "$status" 0 "another anchor: the start succeeds"
        ok "another anchor: it denies" denied shadow
        wants $B.authority.old_anchor '^true$' "another anchor: status says so"
        rm -rf /var/lib/lsmpull/store/*/papers
        reboot_guest
        ;;
3)
        node
        run lsmpull boot
        isnt "$status" 0 "a release without what vouched for it is not believed"
        ok "and not enforced" allowed shadow
        done_testing
        ;;
esac
