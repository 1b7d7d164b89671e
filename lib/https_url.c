/* SPDX-License-Identifier: Apache-2.0 */
/* URLs and header fields, as far as we look into them ourselves. */
#include <arpa/inet.h>

#include "https_parts.h"

bool https_validator_valid(const char *text) {
        size_t n = strlen(text);

        for (size_t i = 0; i < n; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return false;
        return n > 0 && n < HTTPS_VALIDATOR_MAX;
}

bool https_validator_strong(const char *etag) {
        size_t n = strlen(etag);

        return https_validator_valid(etag) && n >= 2 && etag[0] == '"' && strchr(etag + 1, '"') == etag + n - 1;
}

/* Decimal digits and no more of them than fit; moves *p past them. */
static int number_parse(const char **p, uint64_t *ret) {
        uint64_t n = 0;
        const char *s = *p;

        if (*s < '0' || *s > '9')
                return -EINVAL;
        for (; *s >= '0' && *s <= '9'; s++)
                if (mul_overflows(n, (uint64_t)10, &n) || add_overflows(n, (uint64_t)(*s - '0'), &n))
                        return -EINVAL;
        *p = s;
        *ret = n;
        return 0;
}

int https_content_range_parse(const char *text, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total) {
        uint64_t first, last, total = UINT64_MAX;
        const char *p = text + strlen("bytes ");

        if (strncasecmp(text, "bytes ", strlen("bytes ")) != 0 || number_parse(&p, &first) < 0 || *p++ != '-' ||
            number_parse(&p, &last) < 0 || *p++ != '/')
                return -EINVAL;
        if (streq(p, "*"))
                p++;
        else if (number_parse(&p, &total) < 0 || total <= last)
                return -EINVAL;
        if (*p || first > last || last == UINT64_MAX)
                return -EINVAL;
        *ret_first = first;
        *ret_last = last;
        *ret_total = total;
        return 0;
}

int https_shown(const char *url) {
        size_t n = strcspn(url, "?#");

        return n < HTTPS_SHOWN_MAX ? (int)n : HTTPS_SHOWN_MAX;
}

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

int https_ports_list(const char *url, const char *proxy, bool plain_http, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n,
                     struct err *err) {
        cleanup_url CURLU *u = curl_url();
        uint16_t own;
        size_t n = 0;

        if (!u)
                return err_errno(err, -ENOMEM, "URL");
        if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
            !(url_part_is(u, CURLUPART_SCHEME, "https") || (plain_http && url_part_is(u, CURLUPART_SCHEME, "http"))))
                return err_set(err, -EINVAL, REASON_CONFIG, "%.*s: only https:// URLs are fetched", https_shown(url), url);
        if (url_part_is(u, CURLUPART_USER, NULL) || url_part_is(u, CURLUPART_PASSWORD, NULL))
                return err_set(err, -EINVAL, REASON_CONFIG, "a URL must not hold a user or password: use a token file");
        own = url_port(u, CURLU_DEFAULT_PORT);
        if (own == 0)
                return err_set(err, -EINVAL, REASON_CONFIG, "%.*s: no such port", https_shown(url), url);

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
        return https_ports_list(url, proxy, false, ret, ret_n, err);
}

int https_ports_plain(const char *url, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n, struct err *err) {
        return https_ports_list(url, NULL, true, ret, ret_n, err);
}

bool https_is_loopback(const char *url) {
        cleanup_url CURLU *u = curl_url();
        struct in_addr a;
        char *host = NULL;
        bool is;

        if (!u || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK || !url_part_is(u, CURLUPART_SCHEME, "http") ||
            curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
                return false;
        is = streq(host, "localhost") || streq(host, "[::1]") ||
             (inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
        curl_free(host);
        return is;
}
