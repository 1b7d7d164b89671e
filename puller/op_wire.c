/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers as packets of the control socket. Peers are root, but they are other programs: parsed strictly. */
#include "op.h"

#include <stdio.h>

#include "record.h"

int op_request_format(const struct op_request *req, struct buf *out, struct err *err) {
        cleanup_json json_t *doc = NULL;
        json_t *keys = json_array();

        for (size_t i = 0; i < req->ring.n; i++) {
                cleanup_buf struct buf pem = {0};
                int r = pubkey_pem(&req->ring.keys[i], &pem, err);

                if (r < 0) {
                        json_decref(keys);
                        return r;
                }
                json_array_append_new(keys, json_stringn(pem.data, pem.len));
        }
        doc = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "op", op_word(req->op), "bundle", req->bundle, "url",
                        req->url ? req->url : "", "named", req->named ? req->named : "", "keys", keys, "threshold",
                        (json_int_t)req->threshold, "pause_s", (json_int_t)(req->pause_ns / 1000000000));
        if (!doc)
                return err_set(err, -EINVAL, REASON_USAGE, "a name or address that is no UTF-8 text");
        char *text = json_dumps(doc, JSON_COMPACT);
        int r = text ? buf_append(out, text, strlen(text)) : -ENOMEM;

        free(text);
        return r;
}

static int word_op(const char *word, enum op *ret, struct err *err) {
        for (int i = 0; i < OP_COUNT; i++)
                if (streq(op_word(i), word)) {
                        *ret = i;
                        return 0;
                }
        return err_set(err, -EINVAL, REASON_USAGE, "this agent cannot '%s'", word);
}

static int text(const json_t *doc, const char *key, char **ret, struct err *err) {
        const char *value;
        int r = json_get_string(doc, key, &value, err);

        if (r < 0 || !*value)
                return r;
        *ret = strdup(value);
        return *ret ? 0 : -ENOMEM;
}

int op_request_parse(const void *p, size_t n, int fd, struct op_request *ret, struct err *err) {
        cleanup_op_request struct op_request req = OP_REQUEST_INIT;
        cleanup_json json_t *doc = NULL;
        long long threshold, pause_s;
        const char *word, *bundle;
        json_t *keys, *key;
        size_t i;
        int r;

        req.file = fd;
        /* PEM texts hold line feeds, so this is not the strict parser of signed documents. */
        doc = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(doc))
                return err_set(err, -EBADMSG, REASON_USAGE, "a request that is no JSON object");
        r = json_get_string(doc, "op", &word, err);
        if (r >= 0)
                r = word_op(word, &req.op, err);
        if (r >= 0)
                r = json_get_string(doc, "bundle", &bundle, err);
        if (r >= 0 && *bundle && !name_valid(bundle))
                r = err_set(err, -EINVAL, REASON_USAGE, "'%.80s' is no bundle's name", bundle);
        if (r >= 0)
                snprintf(req.bundle, sizeof(req.bundle), "%s", bundle);
        if (r >= 0)
                r = text(doc, "url", &req.url, err);
        if (r >= 0)
                r = text(doc, "named", &req.named, err);
        if (r >= 0)
                r = json_get_array(doc, "keys", &keys, err);
        if (r >= 0)
                r = json_get_int(doc, "threshold", 0, SIGNATURES_MAX, &threshold, err);
        if (r >= 0)
                r = json_get_int(doc, "pause_s", 0, 30LL * 86400, &pause_s, err);
        if (r < 0)
                return r;
        json_array_foreach(keys, i, key) {
                r = json_is_string(key) ? keyring_add_pem(&req.ring, json_string_value(key), json_string_length(key), err)
                                        : -EBADMSG;
                if (r < 0)
                        return r;
        }
        req.threshold = (size_t)threshold;
        req.pause_ns = pause_s * 1000000000;
        *ret = req;
        req = OP_REQUEST_INIT;
        return 0;
}

int op_answer_format(const struct op_answer *a, struct buf *out, struct err *err) {
        json_t *message = json_string(a->message); /* NULL when some of it is not UTF-8 */
        cleanup_json json_t *doc = json_pack("{s:i, s:s, s:o, s:O?}", "exit", a->exit_code, "reason", a->reason, "message",
                                             message ? message : record_text(a->message), "status", a->status);
        char *text_out = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
        int r = text_out ? buf_append(out, text_out, strlen(text_out)) : -ENOMEM;

        free(text_out);
        return r < 0 ? err_errno(err, r, "answer") : 0;
}

int op_answer_parse(const void *p, size_t n, struct op_answer *ret, struct err *err) {
        cleanup_json json_t *doc = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
        const char *reason, *message;
        long long exit_code;
        int r;

        *ret = (struct op_answer){0};
        if (!json_is_object(doc))
                return err_set(err, -EBADMSG, REASON_NONE, "the agent's answer is no JSON object");
        r = json_get_int(doc, "exit", 0, 255, &exit_code, err);
        if (r >= 0)
                r = json_get_string(doc, "reason", &reason, err);
        if (r >= 0)
                r = json_get_string(doc, "message", &message, err);
        if (r < 0)
                return r;
        ret->exit_code = (int)exit_code;
        snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
        snprintf(ret->message, sizeof(ret->message), "%s", message);
        if (json_is_object(json_object_get(doc, "status")))
                ret->status = json_incref(json_object_get(doc, "status"));
        return 0;
}
