# SPDX-License-Identifier: Apache-2.0
# Whoever stands between a policy's owners and the node, or has stolen one of their keys: a published repository with real keys is
# changed in each way that TUF's list of attacks names, over HTTPS and over Git. Each is refused with its reason, and what is in force
# stays in force while two processes try what it denies.
# needs: nginx openssl git build/lsmbundle
# kernels: 6.12
# files: tests/vm/node.sh:/test/node.sh
# timeout: 900
. "$TESTLIB"
. /test/node.sh

B=bundles.0
K=$T/keys R=/tmp/repo G=/tmp/repo.git M=$R/metadata
hostname node
ip link set lo up
mkdir -p $K /etc/lsmpull /var/cache

repo() { lsmbundle repo "$@" -r $R; }
key() { echo "$K/$1.key"; }

# ---- the owners ----------------------------------------------------------------------------------------------------------

for k in root approver second manager snapshot timestamp; do lsmbundle keygen $k --dir $K >/dev/null; done
ok "a repository with keys of their own, two approvers for a release" \
        lsmbundle repo init $R --key "$(key root)" --bundles-key $K/approver.pub --bundles-key $K/second.pub --threshold bundles=2 \
        --rollouts-key $K/manager.pub --snapshot-key $K/snapshot.pub --timestamp-key $K/timestamp.pub
finish() { # signs and publishes what is pending
        for p in "$R"/pending/*; do
                for k in approver second manager; do lsmbundle sign "$p" --key "$(key $k)" >/dev/null 2>&1; done
                repo publish "$p" --key "$(key snapshot)" --key "$(key timestamp)" || return 1
        done
}
publish() { repo stage "/test/bundles/$1.tar.zst" $2 $3 && finish; }
promote() { repo promote rb "$@" --ring canary --key "$(key manager)" --key "$(key snapshot)" --key "$(key timestamp)"; }
ok "all of them sign" finish
cp $M/1.root.json /etc/lsmpull/root.json
ok "release 1" publish rb-1
ok "is promoted" promote 1
cp -r $R $T/at-1
ok "release 2, the oldest that may run" publish rb-2 --floor 2
ok "is promoted" promote 2
cp -r $R $T/good

# ---- the mirrors ---------------------------------------------------------------------------------------------------------

printf '[req]\ndistinguished_name = dn\n[dn]\n' >$T/openssl.cnf
openssl req -config $T/openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -keyout $T/tls.key -out $T/ca.pem 2>/dev/null
echo '127.0.0.1 localhost' >/etc/hosts
mkdir -p /var/log/nginx /var/lib/nginx
cat >$T/nginx.conf <<END
user root;
pid $T/nginx.pid;
error_log $T/nginx.log;
events {}
http {
        access_log off;
        server {
                listen 127.0.0.1:8443 ssl;
                ssl_certificate $T/ca.pem;
                ssl_certificate_key $T/tls.key;
                root $R;
        }
}
END
nginx -c $T/nginx.conf || diag "$(cat $T/nginx.log)"
git() { (cd $R && command git --git-dir=$G --work-tree=$R -c user.name=m -c user.email=m@localhost -c safe.directory='*' -c gc.auto=0 "$@"); }
command git init -q --bare -b main $G

# serve: what is in $R is what the mirror has.
serve() {
        [ $kind = git ] || return 0
        git add -A -f . >/dev/null && git commit -q --allow-empty -m x
}
restore() { rm -rf $R && cp -r "${1:-$T/good}" $R && serve; }

once() { run lsmpull once; }
still() {
        status
        is "$(value $B.in_force.release) $(value $B.state)" "2 enforcing" "$1: release 2 stays in force"
}
refused() { # REASON NAME
        serve
        once
        is "$status" 3 "$kind: $2: refused"
        like "$err" "refused: .*$1: " "$kind: $2: the reason is $1"
        still "$kind: $2"
        fresh
}
# Some of it was signed by who may sign, and is remembered: the next attack is on a node that has only heard from an honest mirror.
fresh() {
        date -s @$((now + $(cut -d. -f1 /proc/uptime) - booted)) >/dev/null
        restore
        rm -rf /var/lib/lsmpull/trust /var/cache/lsmpull
        lsmpull once >/dev/null 2>$T/.once || fail "$kind: an honest mirror: $(cat $T/.once)"
}

version() { sed -n "s/.*\"$1.json\":{[^}]*},\"length\":[0-9]*,\"version\":\([0-9]*\)}.*/\1/p" "$2"; }
S=$(version snapshot $M/timestamp.json)
snapshot() { tuf_forge $M/$S.snapshot.json $M/$((S + 1)).snapshot.json "$(key snapshot)" -- "version=$((S + 1))" "$@"; }
timestamp() {
        tuf_forge $M/timestamp.json $M/timestamp.json "$(key timestamp)" -- version=99 "meta/snapshot.json={\"version\":$((S + 1))}" "$@"
}
rollouts=$(version rollouts $M/$S.snapshot.json) bundles=$(version bundles $M/$S.snapshot.json)

# rollout_forge JSON KEY...: another rollouts/rb.json, listed and signed with these keys
rollout_forge() {
        printf '%s' "$1" >$T/rollout
        shift
        hash=$(sha256sum <$T/rollout | cut -d' ' -f1)
        cp $T/rollout $R/targets/rollouts/$hash.rb.json
        tuf_forge $M/$rollouts.rollouts.json $M/$((rollouts + 1)).rollouts.json "$@" -- version=$((rollouts + 1)) \
                "targets/rollouts~rb.json={\"length\":$(wc -c <$T/rollout),\"hashes\":{\"sha256\":\"$hash\"}}"
        snapshot "meta/rollouts.json={\"version\":$((rollouts + 1))}"
        timestamp
}
ring() { printf '{"_type":"lsm-rollout","format":1,"bundle":"rb","hold":false,"rings":{"canary":{"release":%s,"target":"%s"}}}' "$1" "$2"; }

now=$(date +%s) booted=$(cut -d. -f1 /proc/uptime)
for kind in https git; do
        case $kind in
        https) source='repository: https://localhost:8443' ;;
        git) source="git: $G" ;;
        esac
        config "source: {$source}" "https: {ca: $T/ca.pem}" 'bundles: [rb]' 'ring: canary' 'node-id: one' 'confirm: {deadline: 90s, health: 1s}'
        restore
        once
        is "$status" 0 "$kind: an honest mirror" || diag "$err"
        still "$kind: an honest mirror"

        cp /test/bundles/rb-9.tar.zst $R/targets/bundles/*.rb-1.0.2.tar.zst
        lsmpull remove rb --yes >/dev/null && lsmpull retry rb >/dev/null
        rm -rf /var/lib/lsmpull/store
        serve
        once
        is "$status" 3 "$kind: arbitrary software: refused"
        like "$err" 'refused: .*digest-mismatch: ' "$kind: arbitrary software: the reason is digest-mismatch"
        restore
        once
        is "$status" 0 "$kind: the real release is taken"
        hammer_begin

        restore $T/at-1
        refused rolled-back-metadata "rollback: the state of before"

        restore $T/at-1
        rm -rf /var/cache/lsmpull
        echo damaged >/var/lib/lsmpull/trust
        refused rolled-back-metadata "rollback: when the metadata kept here was damaged"

        date -s @$((now + 2 * 86400)) >/dev/null
        refused expired "indefinite freeze: the same state for two days"

        dd if=/dev/zero of=$M/timestamp.json bs=1M count=64 2>/dev/null
        refused too-large "endless data: a timestamp of 64 MiB"

        rollout_forge "$(ring 2 rollouts/rb.json)" "$(key manager)"
        refused '(malformed|wrong-bundle|unsafe-path)' "extraneous dependencies: a rollout that names what is no bundle"
        rollout_forge "$(ring 3 bundles/rb-1.0.2.tar.zst)" "$(key manager)"
        refused wrong-bundle "wrong software: a rollout that names one release and means another"

        cp $M/$((bundles - 1)).bundles.json $M/$bundles.bundles.json
        rm -rf /var/cache/lsmpull
        refused '(mixed-metadata|digest-mismatch|length-mismatch)' "mix-and-match: older bundles under a newer snapshot"

        rm -rf $M
        serve
        once
        is "$status" 1 "$kind: a mirror without anything: an error, no refusal"
        still "$kind: a mirror without anything"
        restore

        # ---- stolen keys ----
        tuf_forge $M/timestamp.json $M/timestamp.json "$(key timestamp)" -- version=99 'meta/snapshot.json={"version":1}'
        refused rolled-back-metadata "stolen timestamp: an older snapshot"
        snapshot 'meta/bundles.json={"version":1}'
        timestamp
        refused rolled-back-metadata "stolen snapshot and timestamp: older bundles"
        tuf_forge $M/$bundles.bundles.json $M/$((bundles + 1)).bundles.json "$(key manager)" -- version=$((bundles + 1))
        snapshot "meta/bundles.json={\"version\":$((bundles + 1))}"
        timestamp
        refused '(unknown-key|threshold-not-met|bad-signature)' "stolen rollouts: signs bundles"
        tuf_forge $M/$bundles.bundles.json $M/$((bundles + 1)).bundles.json "$(key approver)" -- version=$((bundles + 1))
        snapshot "meta/bundles.json={\"version\":$((bundles + 1))}"
        timestamp
        refused threshold-not-met "stolen key of one approver"
        rollout_forge "$(ring 1 bundles/rb-1.0.1.tar.zst)" "$(key manager)"
        refused release-too-old "stolen rollouts: a release below the floor"
        rollout_forge "$(ring 2 bundles/rb-1.0.2.tar.zst)" "$(key snapshot)"
        refused '(unknown-key|threshold-not-met|bad-signature)' "stolen snapshot: signs a rollout"
        tuf_forge $M/1.root.json $M/2.root.json "$(key manager)" -- version=2
        refused '(unknown-key|threshold-not-met|bad-signature)' "stolen rollouts: signs a root"

        restore
        once
        still "$kind: an honest mirror again"
        hammer_end "$kind: during all of this nothing got through"
        lsmpull remove rb --yes >/dev/null
        lsmpull retry rb >/dev/null
        rm -rf /var/lib/lsmpull/trust /var/lib/lsmpull/repository.json /var/cache/lsmpull
done
done_testing
