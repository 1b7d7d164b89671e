/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind of source needs, and no more. */
#include <stdio.h>

#include "https.h"
#include "transport.h"
#include "transport_names.h"

#define DNS_PORT 53 /* TCP: answers that do not fit a datagram */

_Static_assert(TRANSPORT_PORTS_MAX > HTTPS_PORTS_MAX, "all of them fit, and DNS");

/* What libraries read on the way, whatever they do. */
static const char *const always[] = {"/etc/ssl/openssl.cnf", "/usr/lib", "/usr/lib64", "/dev/urandom", "/dev/null"};
/* What the resolver and TLS read, on the distributions we know. */
static const char *const network[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/services",
        "/run/systemd/resolve",
        "/etc/ssl/certs",
        "/usr/lib/ssl",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/etc/pki/tls",
        "/etc/pki/ca-trust/extracted",
        "/etc/crypto-policies",
        "/etc/ld.so.cache",
        "/lib",
        "/lib64",
};

_Static_assert(ARRAY_SIZE(always) + ARRAY_SIZE(network) + 2 <= ARRAY_SIZE(((struct transport_needs *)0)->readable), "they fit");

static void readable_add(struct transport_needs *needs, const char *const *paths, size_t n) {
        size_t at = 0;

        while (needs->readable[at])
                at++;
        memcpy(needs->readable + at, paths, n * sizeof(*paths));
}

static int git_needs(const struct transport_request *req, struct transport_needs *needs, const char **ret_local,
                     struct err *err) {
        struct branch_address a;
        int r = transport_address_parse(req->url, &a, err);

        *ret_local = NULL;
        if (r < 0)
                return r;
        switch (a.reach) {
        case BRANCH_HTTPS:
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
        int r = 0;

        *needs = (struct transport_needs){};
        switch (req->kind) {
        case TRANSPORT_HTTPS:
                r = transport_url_join(req->url, "x", &url, err);
                if (r == 0)
                        r = https_ports(url.data, req->proxy, needs->ports, &needs->n_ports, err);
                break;
        case TRANSPORT_GIT:
                r = git_needs(req, needs, &local, err);
                break;
        case TRANSPORT_DIR:
                local = req->url;
                if (local[0] != '/')
                        r = err_set(err, -EINVAL, REASON_CONFIG, "a folder is named by its absolute path");
                break;
        }
        if (r < 0)
                return r;
        readable_add(needs, always, ARRAY_SIZE(always));
        if (local) {
                readable_add(needs, &local, 1);
        } else {
                readable_add(needs, network, ARRAY_SIZE(network));
                needs->ports[needs->n_ports++] = DNS_PORT;
        }
        spec->profile = local ? SANDBOX_PARSE : SANDBOX_NETWORK;
        spec->readable = needs->readable;
        spec->writable_dir = local ? -1 : req->spool;
        spec->ports = needs->ports;
        spec->n_ports = needs->n_ports;
        return 0;
}
