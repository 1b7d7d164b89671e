/* SPDX-License-Identifier: Apache-2.0 */
/* A request, in libcurl's terms: everything it may and may not do, and the callbacks that hold it to that. */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/socket.h>

#include "https_parts.h"

#define CONNECT_TIMEOUT_MS 15000L
#define LOW_SPEED 1024L /* bytes a second */

/* ---- callbacks ---- */

static const char *header_get(struct transfer *t, const char *name) {
        struct curl_header *h;

        return curl_easy_header(t->curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

static void validator_get(struct transfer *t, const char *name, char ret[static HTTPS_VALIDATOR_MAX]) {
        const char *value = header_get(t, name);

        if (value && https_validator_valid(value))
                strcpy(ret, value);
}

/* A rest that does not begin where we stopped would give a file that never was. */
static int resume_check(struct transfer *t) {
        const char *range = header_get(t, "Content-Range");
        uint64_t first, last, total;

        if (!range || https_content_range_parse(range, &first, &last, &total) < 0 || first != t->req.offset)
                return err_set(t->err, -EPROTO, REASON_NONE, "the server was asked for the rest and sent something else");
        if (total != UINT64_MAX && total > t->req.max_bytes)
                return err_set(t->err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)t->req.max_bytes);
        t->response->resumed = true;
        t->received = first;
        return 0;
}

static int type_check(struct transfer *t) {
        const char *type = header_get(t, "Content-Type");
        size_t n = type ? strcspn(type, "; ") : 0;

        if (!t->req.want_type || (n == strlen(t->req.want_type) && strncasecmp(type, t->req.want_type, n) == 0))
                return 0;
        return err_set(t->err, -EPROTO, REASON_NONE, "the answer is not of type %s", t->req.want_type);
}

/* A body of nothing else is wanted; the status will be the message. */
static bool status_wanted(const struct https_request *req, long status) {
        if (req->post && !req->want_type)
                return status >= 200 && status < 300;
        return status == 200 || (status == 206 && req->offset > 0);
}

bool https_transfer_begin(struct transfer *t) {
        long status = 0;

        if (t->begun)
                return t->failed == 0;
        if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || !status_wanted(&t->req, status))
                return false;
        t->begun = true;
        t->failed = type_check(t);
        if (t->failed == 0 && status == 206 && t->req.offset > 0)
                t->failed = resume_check(t);
        if (t->failed < 0)
                return false;
        validator_get(t, "ETag", t->response->etag);
        validator_get(t, "Last-Modified", t->response->last_modified);
        if (t->req.begin)
                t->failed = t->req.begin(t->req.ctx, t->response, t->err);
        return t->failed == 0;
}

static size_t on_body(char *p, size_t size, size_t count, void *ctx) {
        struct transfer *t = ctx;
        size_t n = size * count; /* size is always 1 */

        if (!https_transfer_begin(t))
                return 0;
        if (t->received > t->req.max_bytes || n > t->req.max_bytes - t->received) {
                t->failed =
                        err_set(t->err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)t->req.max_bytes);
                return 0;
        }
        t->received += n;
        t->failed = t->req.data(t->req.ctx, p, n, t->err);
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
        for (size_t i = 0; i < t->req.n_ports; i++)
                if (t->req.ports[i] == port) {
                        int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

                        return fd < 0 ? CURL_SOCKET_BAD : fd;
                }
        t->refused_port = port;
        return CURL_SOCKET_BAD;
}

/* ---- headers ---- */

static int header_add(struct curl_slist **list, const char *name, const char *value) {
        char line[HTTPS_VALIDATOR_MAX + 64];
        struct curl_slist *longer;

        snprintf(line, sizeof(line), "%s:%s%s", name, *value ? " " : "", value);
        longer = curl_slist_append(*list, line);
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static int authorization_add(struct curl_slist **list, const struct https_request *req) {
        cleanup_buf_wipe struct buf line = {0};
        struct curl_slist *longer;

        if (buf_printf(&line, "Authorization: %s %s", req->scheme, req->token) < 0)
                return -ENOMEM;
        longer = curl_slist_append(*list, line.data);
        if (!longer)
                return -ENOMEM;
        *list = longer;
        return 0;
}

static bool validator_sendable(const char *text) {
        return !text || https_validator_valid(text);
}

static int headers_make(const struct https_request *req, struct curl_slist **ret, struct err *err) {
        char range[64];
        int r = header_add(ret, "Accept-Encoding", "identity");

        if (!validator_sendable(req->etag) || !validator_sendable(req->last_modified) || !validator_sendable(req->if_range))
                return err_set(err, -EINVAL, REASON_NONE, "a validator that no server can have given");
        if (r == 0 && req->etag)
                r = header_add(ret, "If-None-Match", req->etag);
        if (r == 0 && req->last_modified)
                r = header_add(ret, "If-Modified-Since", req->last_modified);
        /* Not libcurl's own resuming: that takes a server which sends the whole file for a failure. */
        snprintf(range, sizeof(range), "bytes=%llu-", (unsigned long long)req->offset);
        if (r == 0 && req->offset > 0)
                r = header_add(ret, "Range", range);
        if (r == 0 && req->offset > 0 && req->if_range)
                r = header_add(ret, "If-Range", req->if_range);
        if (r == 0 && req->want_type)
                r = header_add(ret, "Accept", req->want_type);
        if (r == 0 && req->post_type)
                r = header_add(ret, "Content-Type", req->post_type);
        if (r == 0 && req->header_name)
                r = header_add(ret, req->header_name, req->header_value);
        if (r == 0 && req->token && req->scheme)
                r = authorization_add(ret, req);
        if (r == 0 && req->post)
                r = header_add(ret, "Expect", ""); /* no round trip of its own to ask whether the body is wanted */
        return r < 0 ? err_errno(err, r, "headers") : 0;
}

/* ---- options ---- */

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

/* One file for each authority, named by the hash of its subject, as OpenSSL looks for them? */
static bool authorities_hashed(const char *folder) {
        DIR *d = folder ? opendir(folder) : NULL;
        bool found = false;

        if (!d)
                return false;
        for (struct dirent *e; !found && (e = readdir(d));)
                found = strspn(e->d_name, "0123456789abcdef") == 8 && streq(e->d_name + 8, ".0");
        closedir(d);
        return found;
}

/* Where the system has its authorities one by one, only those that are needed are read; libcurl by itself reads the file that has
 * them all besides, for every connection anew: three quarters of what a poll takes. */
static CURLcode set_system_authorities(CURL *curl) {
        if (authorities_hashed(curl_version_info(CURLVERSION_NOW)->capath))
                SET(CURLOPT_CAINFO, NULL);
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
        } else
                c = set_system_authorities(curl);
        if (c == CURLE_OK && req->certificate && req->key) {
                SET(CURLOPT_KEYPASSWD, ""); /* never ask a terminal */
                c = set_blob(curl, CURLOPT_SSLCERT_BLOB, req->certificate);
                if (c == CURLE_OK)
                        c = set_blob(curl, CURLOPT_SSLKEY_BLOB, req->key);
        }
        return c;
}

static CURLcode set_credentials(CURL *curl, const struct https_request *req) {
        if (req->token && req->user) {
                SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
                SET(CURLOPT_USERNAME, req->user);
                SET(CURLOPT_PASSWORD, req->token);
        } else if (req->token && !req->scheme) {
                SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
                SET(CURLOPT_XOAUTH2_BEARER, req->token);
        }
        return CURLE_OK;
}

static CURLcode set_http(CURL *curl, const struct https_request *req) {
        const char *schemes = req->plain_http ? "http,https" : "https";

        SET(CURLOPT_URL, req->url);
        SET(CURLOPT_PROTOCOLS_STR, schemes);
        SET(CURLOPT_REDIR_PROTOCOLS_STR, schemes);
        SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        SET(CURLOPT_FOLLOWLOCATION, req->no_redirects ? 0L : 1L);
        SET(CURLOPT_MAXREDIRS, HTTPS_REDIRECTS_MAX);
        SET(CURLOPT_FAILONERROR, 1L);
        /* One file by one GET gains nothing from HTTP/2, and needs one parser less without it. */
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_USERAGENT, "lsmpull/" LSM_VERSION);
        SET(CURLOPT_PROXY, req->proxy ? req->proxy : "");
        SET(CURLOPT_NOPROXY, "");
        if (req->post) {
                SET(CURLOPT_POST, 1L);
                SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->post->len);
                SET(CURLOPT_POSTFIELDS, req->post->data ? req->post->data : "");
        }
        return set_credentials(curl, req);
}

static CURLcode set_bounds(CURL *curl, struct transfer *t) {
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_QUICK_EXIT, 1L); /* a time-out does not wait for the resolver's thread: the process ends anyway */
        SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
        SET(CURLOPT_TIMEOUT_MS, t->req.timeout_ms);
        SET(CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED);
        SET(CURLOPT_LOW_SPEED_TIME, t->req.low_speed_s);
        SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->req.max_bytes);
        SET(CURLOPT_TCP_KEEPALIVE, 0L);
        SET(CURLOPT_ERRORBUFFER, t->error);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, t);
        SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
        SET(CURLOPT_OPENSOCKETDATA, t);
        return CURLE_OK;
}

int https_transfer_init(struct transfer *t, const struct https_request *req, CURL *curl, struct https_response *response,
                        struct err *err) {
        CURLcode c;
        int r;

        *t = (struct transfer){.req = *req, .curl = curl, .response = response, .err = err};
        *response = (struct https_response){};
        if (!req->ports) {
                t->req.ports = t->own_ports;
                r = https_ports_list(req->url, req->proxy, req->plain_http, t->own_ports, &t->req.n_ports, err);
                if (r < 0)
                        return r;
        }
        r = headers_make(&t->req, &t->headers, err);
        if (r < 0)
                return r;
        curl_easy_reset(curl); /* the connection stays */
        c = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
        if (c == CURLE_OK)
                c = set_tls(curl, &t->req);
        if (c == CURLE_OK)
                c = set_http(curl, &t->req);
        if (c == CURLE_OK)
                c = set_bounds(curl, t);
        return c == CURLE_OK ? 0 : err_set(err, -EINVAL, REASON_NONE, "libcurl cannot do this: %s", curl_easy_strerror(c));
}

void https_transfer_done(struct transfer *t) {
        if (t->curl)
                curl_easy_reset(t->curl); /* it points into what goes away now */
        curl_slist_free_all(t->headers);
        t->headers = NULL;
}
