/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTPS download, by libcurl, which is known to https*.c only.
 *
 * https alone, redirects included; the certificate is always verified and no option turns that off; TLS 1.2 or newer. No
 * cookies, no netrc, no environment, no content encoding. Whatever the server does, this ends in time and in bounded memory.
 */
#pragma once

#include "buf.h"
#include "err.h"

#define HTTPS_PORTS_MAX 3
#define HTTPS_VALIDATOR_MAX 256

struct https_request {
        const char *url;
        bool plain_http; /* lets http:// through, too: for tests/tuf/tuf-client alone, never set by what people install */
        const char *etag, *last_modified;         /* makes the request conditional; each may be NULL */
        const struct buf *ca, *certificate, *key; /* PEM text; NULL: the system's CAs, no client certificate */
        const char *token;                        /* sent to the URL's own host only, not where it redirects to */
        const char *proxy;                        /* URL; NULL: none */
        const uint16_t *ports;                    /* TCP ports it may connect to; NULL: those of https_ports() */
        size_t n_ports;
        uint64_t max_bytes;
        long timeout_ms;                                                  /* for the whole transfer */
        long low_speed_s;                                                 /* gives up after that long below 1 KiB/s */
        int (*data)(void *ctx, const void *p, size_t n, struct err *err); /* the body of a 200, piece by piece */
        void *ctx;
};

struct https_response {
        bool not_modified;              /* and data was never called */
        char etag[HTTPS_VALIDATOR_MAX]; /* "" when there is none, or one that is not to be repeated */
        char last_modified[HTTPS_VALIDATOR_MAX];
        int retry_after_s; /* of a failure; 0: not said */
        int status;        /* of the last answer, also on failure; 0: there was none */
};

/* Checks the URLs' form, before anything is sent (bad-configuration; http:// always is), and lists the ports they need: the
 * URL's own or the proxy's, and 443, where a redirect may lead. */
int https_ports(const char *url, const char *proxy, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n, struct err *err);
/* too-large, or no stable reason. ret->retry_after_s and ret->status are also set on failure. */
int https_get(const struct https_request *req, struct https_response *ret, struct err *err);
/* Fit to be sent in a header, and to be kept for the next request: short, printable ASCII. */
bool https_validator_valid(const char *text);
