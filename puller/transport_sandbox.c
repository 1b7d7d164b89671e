/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of source needs, and no more. */
#include <stdio.h>

#include "https.h"
#include "transport.h"
#include "transport_names.h"

#define DNS_PORT 53 /* TCP: answers that do not fit a datagram */

_Static_assert(TRANSPORT_PORTS_MAX > HTTPS_PORTS_MAX, "all of them fit, and DNS");

/* What the resolver, TLS and other libraries read, on the distributions we know. */
static const char *const network[] = {
        /* clang-format off */
        "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
        "/run/systemd/resolve", "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/usr/lib/ssl", "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates", "/etc/pki/tls", "/etc/pki/ca-trust/extracted", "/etc/crypto-policies",
        "/etc/ld.so.cache", "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/dev/urandom", "/dev/null", NULL,
        /* clang-format on */
};
static const char *const parsing[] = {"/etc/ssl/openssl.cnf", "/usr/lib", "/usr/lib64", "/dev/urandom", NULL};

_Static_assert(ARRAY_SIZE(network) < ARRAY_SIZE(((struct transport_needs *)0)->readable), "they fit");
_Static_assert(ARRAY_SIZE(parsing) + 1 < ARRAY_SIZE(((struct transport_needs *)0)->readable), "and one more");

const char *const *transport_readable(bool of_network) {
        return of_network ? network : parsing;
}

/* The system's authorities are for servers, and for proxies, that no `ca` is configured for. Where nobody needs them, libgit2 does
 * not get to see them either: it reads all of them as it starts, for a TLS that is not used here. */
static bool authorities_needed(const struct transport_request *req, bool tls) {
        return tls && (!req->ca || req->proxy);
}

static bool is_authorities(const char *path) {
        static const char *const names[] = {"/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
                                            "/etc/pki/ca-trust/extracted"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(path, names[i]))
                        return true;
        return false;
}

static void readable_fill(struct transport_needs *needs, const char *local, bool authorities) {
        size_t n = 0;

        for (const char *const *from = transport_readable(!local); *from; from++)
                if (authorities || !is_authorities(*from))
                        needs->readable[n++] = *from;
        needs->readable[n] = local; /* NULL: none, and the end */
}

static int git_needs(const struct transport_request *req, struct transport_needs *needs, const char **ret_local, bool *ret_tls,
                     struct err *err) {
        struct branch_address a;
        int r = transport_address_parse(req->url, &a, err);

        *ret_local = NULL;
        *ret_tls = false;
        if (r < 0)
                return r;
        switch (a.reach) {
        case BRANCH_HTTPS:
                *ret_tls = true;
                return https_ports(a.url, req->proxy, needs->ports, &needs->n_ports, err);
        case BRANCH_SSH:
                needs->ports[needs->n_ports++] = a.port;
                return 0;
        case BRANCH_LOCAL:
                *ret_local = req->url;
                return 0;
        }
        return err_errno(err, -EINVAL, "source");
}

int transport_sandbox(const struct transport_request *req, struct transport_needs *needs, struct sandbox_spec *spec,
                      struct err *err) {
        cleanup_buf struct buf url = {};
        const char *local = NULL;
        bool tls = req->kind == TRANSPORT_HTTPS;
        int r = 0;

        *needs = (struct transport_needs){};
        switch (req->kind) {
        case TRANSPORT_HTTPS:
                r = transport_url_join(req->url, "x", &url, err);
                if (r == 0)
                        r = https_ports(url.data, req->proxy, needs->ports, &needs->n_ports, err);
                break;
        case TRANSPORT_GIT:
                r = git_needs(req, needs, &local, &tls, err);
                break;
        case TRANSPORT_DIR:
                local = req->url;
                if (local[0] != '/')
                        r = err_set(err, -EINVAL, REASON_CONFIG, "a folder is named by its absolute path");
                break;
        }
        if (r < 0)
                return r;
        readable_fill(needs, local, authorities_needed(req, tls));
        if (!local)
                needs->ports[needs->n_ports++] = DNS_PORT;
        spec->profile = local ? SANDBOX_PARSE : SANDBOX_NETWORK;
        spec->readable = needs->readable;
        spec->writable_dir = local ? -1 : req->spool;
        spec->ports = needs->ports;
        spec->n_ports = needs->n_ports;
        return 0;
}
