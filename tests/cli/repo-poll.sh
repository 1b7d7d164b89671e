# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # set by transport.sh; for those who source this
# On top of transport.sh, for tests/cli/repo-poll.t and tests/bench/poll: a release repository as `lsmbundle repo` makes it, behind a
# real nginx by HTTPS and (`git http-backend`) by Git; and a node that has in force what it lists.

variant=$PWD/build/${LSM_VARIANT:-release}
lsmbundle=$variant/lsmbundle lsmpull=$variant/lsmpull node_poll=$variant/tests/progs/node-poll

# $tmp/repo, and the same in the bare $tmp/repos/repo.git: a key for what people sign and one for what automation signs, a release and
# its rollout. Sets $root, the anchor, and $content, the release's content id.
poll_repository() {
        root=$tmp/repo/metadata/1.root.json
        (
                cd "$tmp" && mkdir repos && git init -q --bare -b main repos/repo.git && "$lsmbundle" keygen root &&
                        "$lsmbundle" keygen online && "$lsmbundle" build "$OLDPWD/bundles/example" -o example.tar.zst --release 1 &&
                        "$lsmbundle" repo init repo --key root.key --key online.key --root-key root.pub --targets-key root.pub \
                                --bundles-key root.pub --rollouts-key online.pub --snapshot-key online.pub --timestamp-key online.pub \
                                --git "$tmp/repos/repo.git" &&
                        "$lsmbundle" repo stage -r repo example.tar.zst && "$lsmbundle" sign repo/pending/example-1 --key root.key &&
                        "$lsmbundle" repo publish repo/pending/example-1 --key root.key --key online.key &&
                        "$lsmbundle" repo promote -r repo example 1 --ring stable --key online.key
        ) >"$tmp/repository.log" 2>&1 || { sed 's/^/# /' "$tmp/repository.log"; echo "Bail out! no repository"; exit 1; }
        content=$("$lsmbundle" inspect "$tmp/example.tar.zst" --json | jq -r .content_id)
}

# $at/repo is the repository, $at/git/repo.git the same in Git. Its log has a line a request: "STATUS RECEIVED SENT REQUEST", bytes of
# HTTP as the client counts them.
poll_server() {
        local port
        certificates
        port=$(free_ports 1)
        at=https://localhost:$port
        cp /etc/nginx/fastcgi_params "$tmp/" && mkdir -p "$tmp/www" && ln -s "$tmp/repo" "$tmp/www/repo" || exit 2
        background fcgiwrap -s "unix:$tmp/fcgi.sock" 2>"$tmp/fcgi.err"
        nginx_start "log_format counted '\$status \$bytes_sent \$request_length \$request'; access_log $tmp/counted.log counted;
                $(nginx_server "$port" server "location ~ ^/git(/.*) {
                        include fastcgi_params; fastcgi_pass unix:$tmp/fcgi.sock;
                        fastcgi_param SCRIPT_FILENAME $(git --exec-path)/git-http-backend; fastcgi_param PATH_INFO \$1;
                        fastcgi_param GIT_PROJECT_ROOT $tmp/repos; fastcgi_param GIT_HTTP_EXPORT_ALL 1; }")"
        wait_for "$port"
}

# poll_node NAME SOURCE: a node whose `source:` is that; what it keeps is in $tmp/NAME
poll_node() {
        mkdir -p "$tmp/$1"
        cat >"$tmp/$1.yaml" <<END
source: {$2}
trust: {root: $root}
bundles: [example]
ring: stable
node-id: a-node
https: {ca: $tmp/ca.pem}
paths: {state: $tmp/$1/state, run: $tmp/$1/run, cache: $tmp/$1/cache}
END
}

# polls NAME TIMES: what node-poll prints
polls() { timeout 300 "$node_poll" "$lsmpull" "$tmp/$1.yaml" example 1 "$content" "$2"; }

# asked: the log since the last time. nginx writes a line when it has sent the answer's last byte: a moment after it is there.
asked() {
        sleep 0.2
        cat "$tmp/counted.log"
        : >"$tmp/counted.log"
}
