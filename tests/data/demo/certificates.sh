# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $work: ci/demo-node, ci/demo-fleet
# An authority in $work/tls and what it certifies, as any fleet has its own.

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

authority() {
        mkdir -p "$work/tls" &&
                quietly openssl req -x509 "${new_key[@]}" -keyout "$work/tls/ca.key" -out "$work/tls/ca.pem" -days 2 \
                        -subj '/CN=demo authority'
}

# certificate NAME [DNS]: NAME.pem and NAME.key
certificate() {
        local t=$work/tls
        quietly openssl req "${new_key[@]}" -keyout "$t/$1.key" -out "$t/$1.csr" -subj "/CN=$1" &&
                quietly openssl x509 -req -in "$t/$1.csr" -CA "$t/ca.pem" -CAkey "$t/ca.key" -CAcreateserial -days 2 \
                        -out "$t/$1.pem" -extfile <(if [ -n "${2:-}" ]; then echo "subjectAltName=DNS:$2"; fi)
}

quietly() { "$@" >"$work/tls/log" 2>&1 || { cat "$work/tls/log" >&2; return 1; }; }
