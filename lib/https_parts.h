/* SPDX-License-Identifier: Apache-2.0 */
/* Between https*.c: one transfer, from the request to what its answer means; nobody else's business. */
#pragma once

#include <curl/curl.h>

#include "https.h"

#define HTTPS_REDIRECTS_MAX 3L
#define HTTPS_SHOWN_MAX 512 /* of a URL, in messages */

struct https_session {
        CURL *curl;
        CURLM *multi; /* of streams, which need one: it is what keeps their connection */
};

struct transfer {
        struct https_request req;
        uint16_t own_ports[HTTPS_PORTS_MAX]; /* when the request has none */
        struct https_response *response;
        CURL *curl;
        struct curl_slist *headers;
        uint64_t received; /* position in the file */
        bool begun;
        int failed; /* of our callbacks: negative errno, and err says why */
        uint16_t refused_port;
        struct err *err;
        char error[CURL_ERROR_SIZE];
};

static inline void https_url_free_p(CURLU **u) {
        curl_url_cleanup(*u);
}
#define cleanup_url cleanup(https_url_free_p)

/* ---- https_url.c ---- */

int https_ports_list(const char *url, const char *proxy, bool plain_http, uint16_t ret[static HTTPS_PORTS_MAX], size_t *ret_n,
                     struct err *err);
/* For messages: how much of the URL, without the query, which may hold a secret (signed URLs of object stores). */
int https_shown(const char *url);

/* ---- https_setup.c ---- */

/* Makes t->curl ready for this request. The transfer must not move afterwards. */
int https_transfer_init(struct transfer *t, const struct https_request *req, CURL *curl, struct https_response *response,
                        struct err *err);
void https_transfer_done(struct transfer *t);
/* The answer's header: is it one whose body is wanted? Sets t->failed when it pretends to be. */
bool https_transfer_begin(struct transfer *t);

/* ---- https_answer.c ---- */

/* What it all came to, once libcurl is through with it. */
int https_transfer_answer(struct transfer *t, CURLcode code);
