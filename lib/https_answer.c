/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means, or that there is none. */
#include "https_parts.h"

#define RETRY_AFTER_MAX (24 * 3600)

static const char *status_meaning(long status) {
        switch (status) {
        case 301 ... 308:
                return "redirected, which is not followed here: name the place it leads to instead";
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
        case 416:
                return "there is nothing from that position on";
        case 429:
        case 503:
                return "the server is busy";
        default:
                return status >= 500 ? "the server failed" : "not an answer to this request";
        }
}

static int status_errno(long status) {
        switch (status) {
        case 404:
        case 410:
                return -ENOENT;
        case 401:
                return -EACCES;
        case 403:
                return -EPERM;
        case 416:
                return -ERANGE;
        default:
                return -EIO;
        }
}

static int status_error(struct transfer *t, long status) {
        curl_off_t after = 0;

        if (curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
                t->response->retry_after_s = after < RETRY_AFTER_MAX ? (int)after : RETRY_AFTER_MAX;
        return err_set(t->err, status_errno(status), REASON_NONE, "HTTP status %ld: %s", status, status_meaning(status));
}

static int transfer_error(struct transfer *t, CURLcode code) {
        const char *more = t->error[0] ? t->error : curl_easy_strerror(code);

        if (t->refused_port)
                return err_set(t->err, -EACCES, REASON_NONE, "redirected to port %u: only the URL's own port and 443 are allowed",
                               t->refused_port);
        switch (code) {
        case CURLE_FILESIZE_EXCEEDED:
                return err_set(t->err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)t->req.max_bytes);
        case CURLE_PEER_FAILED_VERIFICATION:
                return err_set(t->err, -EIO, REASON_NONE, "the server's certificate does not hold: %s", more);
        case CURLE_UNSUPPORTED_PROTOCOL:
                return err_set(t->err, -EIO, REASON_NONE, "redirected to something that is not https");
        case CURLE_TOO_MANY_REDIRECTS:
                return err_set(t->err, -EIO, REASON_NONE, "redirected more than %ld times", HTTPS_REDIRECTS_MAX);
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

int https_transfer_answer(struct transfer *t, CURLcode code) {
        long status = 0;

        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        t->response->status = (int)status;
        if (t->failed < 0)
                return t->failed;
        if (status >= 400 && (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR || code == CURLE_WRITE_ERROR))
                return status_error(t, status);
        if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
                return transfer_error(t, code);
        if (status == 304) {
                if (!t->req.etag && !t->req.last_modified)
                        return err_set(t->err, -EPROTO, REASON_NONE, "the server says \"not modified\" though it was not asked");
                t->response->not_modified = true;
                return 0;
        }
        /* An answer without a body has not begun yet. */
        if (code == CURLE_OK && https_transfer_begin(t))
                return 0;
        return t->failed < 0 ? t->failed : status_error(t, status);
}
