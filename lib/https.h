/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests, by libcurl, which is known to https*.c only.
 *
 * https alone, redirects included; the certificate is always verified and no option turns that off; TLS 1.2 or newer. No
 * cookies, no netrc, no environment, no content encoding. Whatever the server does, this ends in time and in bounded memory.
 */
#pragma once

#include "buf.h"
#include "err.h"

#define HTTPS_PORTS_MAX 3
#define HTTPS_VALIDATOR_MAX 256

struct https_session;
struct https_response {
        bool not_modified;              /* and data was never called */
        bool resumed;                   /* what came is the rest, from `offset` */
        char etag[HTTPS_VALIDATOR_MAX]; /* "" when there is none, or one that is not to be repeated */
        char last_modified[HTTPS_VALIDATOR_MAX];
        int retry_after_s; /* of a failure; 0: not said */
        int status;        /* of the last answer, also on failure; 0: there was none */
};

struct https_request {
        const char *url;
        bool plain_http; /* http:// is let through, too: for tests/tuf/tuf-client, and to the loopback; for no other */
        struct https_session *session;            /* keeps the connection for the next request; NULL: one of its own */
        const char *etag, *last_modified;         /* makes the request conditional; each may be NULL */
        const struct buf *ca, *certificate, *key; /* PEM text; NULL: the system's CAs, no client certificate */
        const char *token;                        /* sent to the URL's own host only, not where it redirects to */
        const char *user;                       /* the token is this user's password (Git hosts want it so); NULL: bearer token */
        const char *scheme;                     /* "Splunk": the token's, instead of "Bearer"; NULL: as above */
        const char *header_name, *header_value; /* one more header; NULL: none */
        const char *proxy;                      /* URL; NULL: none */
        const uint16_t *ports;                  /* TCP ports it may connect to; NULL: those of https_ports() */
        size_t n_ports;
        uint64_t max_bytes; /* of the whole file, also when only its rest is asked for */
        long timeout_ms;    /* for the whole transfer */
        long low_speed_s;   /* gives up after that long below 1 KiB/s */
        bool no_redirects;
        /* To have the rest of a file: from this byte on, if the server still has what this validator (strong, or a date) named.
         * What comes may be the whole file all the same. */
        uint64_t offset;
        const char *if_range;
        /* A POST with this body, and any answer of success is wanted; what the answer's Content-Type must be: then a 200. Each may
         * be NULL. */
        const struct buf *post;
        const char *post_type, *want_type;
        /* Once, when the answer is known to be wanted, before the first data. May be NULL. */
        int (*begin)(void *ctx, const struct https_response *answer, struct err *err);
        int (*data)(void *ctx, const void *p, size_t n, struct err *err); /* the body of a 200 or 206, piece by piece */
        void *ctx;
};

/* Checks the URLs' form, before anything is sent (bad-configuration; http:// always is), and lists the ports they need: the
 * URL's own or the proxy's, and 443, where a redirect may lead. */
int https_ports(const char *url, const char *proxy, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n, struct err *err);
/* The same where http:// is let through, too (plain_http). */
int https_ports_plain(const char *url, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n, struct err *err);
/* Is it http:// to this very machine (127.0.0.0/8, [::1] or localhost)? Nobody is on the way then. */
bool https_is_loopback(const char *url);
/* too-large, or no stable reason. -ENOENT: the server says that there is no such file (404, 410). -EPERM: that it is forbidden (403).
 * -ERANGE: it has nothing from `offset` on (416). ret->retry_after_s and ret->status are also set on failure. */
int https_get(const struct https_request *req, struct https_response *ret, struct err *err);

/* NULL when memory is short. One at a time: a session serves one request, then the next. */
struct https_session *https_session_new(void);
void https_session_free(struct https_session *s);

/* The same, but the body is fetched as it is read; req->data is not used. *req and what it points to must outlive the stream. */
struct https_stream;
int https_stream_open(const struct https_request *req, struct https_stream **ret, struct err *err);
/* At most n bytes; *ret_n is 0 at the end of a whole and wanted answer. */
int https_stream_read(struct https_stream *s, void *p, size_t n, size_t *ret_n, struct err *err);
/* Of the answer so far; also after a failure. */
const struct https_response *https_stream_response(const struct https_stream *s);
void https_stream_close(struct https_stream *s);

/* Fit to be sent in a header, and to be kept for the next request: short, printable ASCII. */
bool https_validator_valid(const char *text);
/* Names these bytes and no others: what If-Range may be given. */
bool https_validator_strong(const char *etag);
/* Content-Range of an answer: "bytes FIRST-LAST/TOTAL", and TOTAL is UINT64_MAX for "*". -EINVAL for anything else. */
int https_content_range_parse(const char *text, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total);
