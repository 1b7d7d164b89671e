/* SPDX-License-Identifier: Apache-2.0 */
#include "https.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <sys/socket.h>

#define REDIRECTS_MAX 3L
#define CONNECT_TIMEOUT_MS 15000L
#define LOW_SPEED 1024L /* bytes a second */
#define RETRY_AFTER_MAX (24 * 3600)
#define SHOWN_MAX 512 /* of a URL, in messages */

struct transfer {
        const struct https_request *req;
        CURL *curl;
        uint64_t received;
        int failed; /* of our callbacks: negative errno, and err says why */
        uint16_t refused_port;
        struct err *err;
        char error[CURL_ERROR_SIZE];
};

static void curl_free_p(CURL **c) {
        curl_easy_cleanup(*c);
}
static void slist_free_p(struct curl_slist **l) {
        curl_slist_free_all(*l);
}
static void url_free_p(CURLU **u) {
        curl_url_cleanup(*u);
}
#define cleanup_curl cleanup(curl_free_p)
#define cleanup_slist cleanup(slist_free_p)
#define cleanup_url cleanup(url_free_p)

bool https_validator_valid(const char *text) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return false;
        return n > 0 && n < HTTPS_VALIDATOR_MAX;
}

/* For messages: without the query, which may hold a secret (signed URLs of object stores). */
static int shown(const char *url) {
        size_t n = strcspn(url, "?#");

        return n < SHOWN_MAX ? (int)n : SHOWN_MAX;
}

/* ---- URLs ---- */

static bool url_part_is(CURLU *u, CURLUPart part, const char *value) {
        char *text = NULL;
        bool is = curl_url_get(u, part, &text, 0) == CURLUE_OK && (!value || streq(text, value));

        curl_free(text);
        return is;
}

/* 0 when the URL names none. */
static uint16_t url_port(CURLU *u, unsigned flags) {
        char *text = NULL;
        unsigned long port = 0;

        if (curl_url_get(u, CURLUPART_PORT, &text, flags) == CURLUE_OK)
                port = strtoul(text, NULL, 10);
        curl_free(text);
        return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static int proxy_port(const char *proxy, uint16_t *ret, struct err *err) {
        cleanup_url CURLU *u = curl_url();

        if (!u)
                return err_errno(err, -ENOMEM, "URL");
        if (curl_url_set(u, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
                return err_set(err, -EINVAL, REASON_CONFIG, "the proxy is not a URL like http://HOST:PORT");
        *ret = url_port(u, 0);
        if (*ret == 0)
                *ret = url_part_is(u, CURLUPART_SCHEME, "https") ? 443 : 1080; /* as libcurl has it */
        return 0;
}

static int ports_list(const char *url, const char *proxy, bool plain_http, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n,
                      struct err *err) {
        cleanup_url CURLU *u = curl_url();
        uint16_t own;
        size_t n = 0;

        if (!u)
                return err_errno(err, -ENOMEM, "URL");
        if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
            !(url_part_is(u, CURLUPART_SCHEME, "https") || (plain_http && url_part_is(u, CURLUPART_SCHEME, "http"))))
                return err_set(err, -EINVAL, REASON_CONFIG, "%.*s: only https:// URLs are fetched", shown(url), url);
        if (url_part_is(u, CURLUPART_USER, NULL) || url_part_is(u, CURLUPART_PASSWORD, NULL))
                return err_set(err, -EINVAL, REASON_CONFIG, "a URL must not hold a user or password: use a token file");
        own = url_port(u, CURLU_DEFAULT_PORT);
        if (own == 0)
                return err_set(err, -EINVAL, REASON_CONFIG, "%.*s: no such port", shown(url), url);

        ret[n++] = own;
        if (own != 443)
                ret[n++] = 443;
        if (proxy) {
                int r = proxy_port(proxy, &ret[n], err);

                if (r < 0)
                        return r;
                n++;
        }
        *ret_n = n;
        return 0;
}

int https_ports(const char *url, const char *proxy, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n, struct err *err) {
        return ports_list(url, proxy, false, ret, ret_n, err);
}

/* ---- callbacks ---- */

static size_t on_body(char *p, size_t size, size_t count, void *ctx) {
        struct transfer *t = ctx;
        size_t n = size * count; /* size is always 1 */
        long status = 0;

        if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
                return 0; /* no body of anything else is wanted; the status will be the message */
        if (n > t->req->max_bytes - t->received) {
                t->failed = err_set(t->err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes",
                                    (unsigned long long)t->req->max_bytes);
                return 0;
        }
        t->received += n;
        t->failed = t->req->data(t->req->ctx, p, n, t->err);
        return t->failed < 0 ? 0 : n;
}

/* The sandbox may not be able to tell ports apart on an older kernel; this always does. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a) {
        struct transfer *t = ctx;
        uint16_t port;

        if (a->family != AF_INET && a->family != AF_INET6)
                return CURL_SOCKET_BAD;
        memcpy(&port, a->addr.sa_data, sizeof(port)); /* sin_port and sin6_port stand at the same place */
        port = ntohs(port);
        for (size_t i = 0; i < t->req->n_ports; i++)
                if (t->req->ports[i] == port) {
                        int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

                        return fd < 0 ? CURL_SOCKET_BAD : fd;
                }
        t->refused_port = port;
        return CURL_SOCKET_BAD;
}

/* ---- the request ---- */

static int header_add(struct curl_slist **list, const char *name, const char *value) {
        char line[HTTPS_VALIDATOR_MAX + 64];
        struct curl_slist *longer;

        snprintf(line, sizeof(line), "%s: %s", name, value);
        longer = curl_slist_append(*list, line);
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static int headers_make(const struct https_request *req, struct curl_slist **ret, struct err *err) {
        int r = header_add(ret, "Accept-Encoding", "identity");

        if ((req->etag && !https_validator_valid(req->etag)) ||
            (req->last_modified && !https_validator_valid(req->last_modified)))
                return err_set(err, -EINVAL, REASON_NONE, "a validator that no server can have given");
        if (r == 0 && req->etag)
                r = header_add(ret, "If-None-Match", req->etag);
        if (r == 0 && req->last_modified)
                r = header_add(ret, "If-Modified-Since", req->last_modified);
        return r < 0 ? err_errno(err, r, "headers") : 0;
}

/* The first option that libcurl does not take stops it all: each of them is there for a reason. */
#define SET(option, value)                                           \
        do {                                                         \
                CURLcode c_ = curl_easy_setopt(curl, option, value); \
                if (c_ != CURLE_OK)                                  \
                        return c_;                                   \
        } while (0)

static CURLcode set_blob(CURL *curl, CURLoption option, const struct buf *b) {
        struct curl_blob blob = {.data = b->data, .len = b->len, .flags = CURL_BLOB_COPY};

        SET(option, &blob);
        return CURLE_OK;
}

static CURLcode set_tls(CURL *curl, const struct https_request *req) {
        CURLcode c = CURLE_OK;

        SET(CURLOPT_SSL_VERIFYPEER, 1L);
        SET(CURLOPT_SSL_VERIFYHOST, 2L);
        SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
        if (req->ca) {
                SET(CURLOPT_CAPATH, NULL); /* instead of the system's CAs, not beside them */
                c = set_blob(curl, CURLOPT_CAINFO_BLOB, req->ca);
        }
        if (c == CURLE_OK && req->certificate && req->key) {
                SET(CURLOPT_KEYPASSWD, ""); /* never ask a terminal */
                c = set_blob(curl, CURLOPT_SSLCERT_BLOB, req->certificate);
                if (c == CURLE_OK)
                        c = set_blob(curl, CURLOPT_SSLKEY_BLOB, req->key);
        }
        return c;
}

static CURLcode set_http(CURL *curl, const struct https_request *req) {
        SET(CURLOPT_URL, req->url);
        SET(CURLOPT_PROTOCOLS_STR, req->plain_http ? "http,https" : "https");
        SET(CURLOPT_REDIR_PROTOCOLS_STR, req->plain_http ? "http,https" : "https");
        SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        SET(CURLOPT_FOLLOWLOCATION, 1L);
        SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
        SET(CURLOPT_FAILONERROR, 1L);
        /* One file by one GET gains nothing from HTTP/2, and needs one parser less without it. */
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_USERAGENT, "lsmpull/" LSM_VERSION);
        SET(CURLOPT_PROXY, req->proxy ? req->proxy : "");
        SET(CURLOPT_NOPROXY, "");
        if (req->token) {
                SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
                SET(CURLOPT_XOAUTH2_BEARER, req->token);
        }
        return CURLE_OK;
}

static CURLcode set_bounds(CURL *curl, struct transfer *t) {
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_QUICK_EXIT, 1L); /* a time-out does not wait for the resolver's thread: the process ends anyway */
        SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
        SET(CURLOPT_TIMEOUT_MS, t->req->timeout_ms);
        SET(CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED);
        SET(CURLOPT_LOW_SPEED_TIME, t->req->low_speed_s);
        SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->req->max_bytes);
        SET(CURLOPT_TCP_KEEPALIVE, 0L);
        SET(CURLOPT_ERRORBUFFER, t->error);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, t);
        SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
        SET(CURLOPT_OPENSOCKETDATA, t);
        return CURLE_OK;
}

/* ---- the answer ---- */

static const char *status_meaning(long status) {
        switch (status) {
        case 400:
                return "the server refuses the request: does it want a client certificate?";
        case 401:
        case 403:
                return "access refused: is a token or client certificate missing, or out of date?";
        case 404:
        case 410:
                return "there is no such file";
        case 407:
                return "the proxy wants a password";
        case 429:
        case 503:
                return "the server is busy";
        default:
                return status >= 500 ? "the server failed" : "not an answer to this request";
        }
}

static int status_error(struct transfer *t, long status, struct https_response *ret) {
        curl_off_t after = 0;

        if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
                ret->retry_after_s = after < RETRY_AFTER_MAX ? (int)after : RETRY_AFTER_MAX;
        return err_set(t->err, -EIO, REASON_NONE, "HTTP status %ld: %s", status, status_meaning(status));
}

static int transfer_error(struct transfer *t, CURLcode code) {
        const char *more = t->error[0] ? t->error : curl_easy_strerror(code);

        if (t->refused_port)
                return err_set(t->err, -EACCES, REASON_NONE, "redirected to port %u: only the URL's own port and 443 are allowed",
                               t->refused_port);
        switch (code) {
        case CURLE_FILESIZE_EXCEEDED:
                return err_set(t->err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)t->req->max_bytes);
        case CURLE_PEER_FAILED_VERIFICATION:
                return err_set(t->err, -EIO, REASON_NONE, "the server's certificate does not hold: %s", more);
        case CURLE_UNSUPPORTED_PROTOCOL:
                return err_set(t->err, -EIO, REASON_NONE, "redirected to something that is not https");
        case CURLE_TOO_MANY_REDIRECTS:
                return err_set(t->err, -EIO, REASON_NONE, "redirected more than %ld times", REDIRECTS_MAX);
        case CURLE_PARTIAL_FILE:
                return err_set(t->err, -EIO, REASON_NONE, "the transfer was cut off: %s", more);
        case CURLE_OPERATION_TIMEDOUT:
                return err_set(t->err, -ETIMEDOUT, REASON_NONE, "too slow: %s", more);
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
                return err_set(t->err, -EINVAL, REASON_CONFIG, "CA or client certificate: %s", more);
        default:
                return err_set(t->err, -EIO, REASON_NONE, "%s", more);
        }
}

static void validator_get(CURL *curl, const char *name, char ret[static HTTPS_VALIDATOR_MAX]) {
        struct curl_header *h;

        if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && https_validator_valid(h->value))
                strcpy(ret, h->value);
}

static int answer(struct transfer *t, CURLcode code, struct https_response *ret) {
        long status = 0;

        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        ret->status = (int)status;
        if (t->failed < 0)
                return t->failed;
        if (status >= 400 && (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR || code == CURLE_WRITE_ERROR))
                return status_error(t, status, ret);
        if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
                return transfer_error(t, code);
        if (status == 304) {
                if (!t->req->etag && !t->req->last_modified)
                        return err_set(t->err, -EPROTO, REASON_NONE, "the server says \"not modified\" though it was not asked");
                ret->not_modified = true;
                return 0;
        }
        if (status != 200 || code != CURLE_OK)
                return status_error(t, status, ret);
        validator_get(t->curl, "ETag", ret->etag);
        validator_get(t->curl, "Last-Modified", ret->last_modified);
        return 0;
}

static int perform(struct transfer *t, struct https_response *ret) {
        cleanup_slist struct curl_slist *headers = NULL;
        CURLcode c;
        int r = headers_make(t->req, &headers, t->err);

        if (r < 0)
                return r;
        c = curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
        if (c == CURLE_OK)
                c = set_tls(t->curl, t->req);
        if (c == CURLE_OK)
                c = set_http(t->curl, t->req);
        if (c == CURLE_OK)
                c = set_bounds(t->curl, t);
        if (c != CURLE_OK)
                return err_set(t->err, -EINVAL, REASON_NONE, "libcurl cannot do this: %s", curl_easy_strerror(c));
        return answer(t, curl_easy_perform(t->curl), ret);
}

int https_get(const struct https_request *req, struct https_response *ret, struct err *err) {
        struct https_request with_ports = *req;
        struct transfer t = {.req = &with_ports, .err = err};
        cleanup_curl CURL *curl = NULL;
        uint16_t ports[HTTPS_PORTS_MAX];
        int r;

        *ret = (struct https_response){};
        if (!req->ports) {
                r = ports_list(req->url, req->proxy, req->plain_http, ports, &with_ports.n_ports, err);
                if (r < 0)
                        return r;
                with_ports.ports = ports;
        }
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return err_set(err, -EIO, REASON_NONE, "libcurl cannot start");
        curl = t.curl = curl_easy_init();
        if (!curl)
                return err_errno(err, -ENOMEM, "libcurl");
        r = perform(&t, ret);
        return r < 0 ? err_wrap(err, r, "%.*s", shown(req->url), req->url) : 0;
}
