/* SPDX-License-Identifier: Apache-2.0 */
#include "https.h"

#include "https_parts.h"

struct https_session *https_session_new(void) {
        struct https_session *s;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return NULL;
        s = calloc(1, sizeof(*s));
        if (s)
                s->curl = curl_easy_init();
        if (s && !s->curl) {
                free(s);
                return NULL;
        }
        return s;
}

void https_session_free(struct https_session *s) {
        if (!s)
                return;
        curl_easy_cleanup(s->curl);
        curl_multi_cleanup(s->multi);
        free(s);
}

static void session_free_p(struct https_session **s) {
        https_session_free(*s);
}

int https_get(const struct https_request *req, struct https_response *ret, struct err *err) {
        cleanup(session_free_p) struct https_session *own = req->session ? NULL : https_session_new();
        struct https_session *session = req->session ? req->session : own;
        struct transfer t;
        int r;

        *ret = (struct https_response){};
        if (!session)
                return err_errno(err, -ENOMEM, "libcurl");
        r = https_transfer_init(&t, req, session->curl, ret, err);
        if (r == 0)
                r = https_transfer_answer(&t, curl_easy_perform(t.curl));
        https_transfer_done(&t);
        return r < 0 ? err_wrap(err, r, "%.*s", https_shown(req->url), req->url) : 0;
}
