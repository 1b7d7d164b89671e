/* SPDX-License-Identifier: Apache-2.0 */
#include "store_format.h"

#include <stdio.h>

#include "fileio.h"
#include "record.h"

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END "-----END PUBLIC KEY-----\n"
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define SPKI_MAX 256 /* characters; an Ed25519 key has 60 */

struct signature_record {
        uint8_t keyid[SHA256_SIZE];
        uint8_t len[2];
        uint8_t sig[SIG_MAX];
};
_Static_assert(sizeof(struct signature_record) * SIGNATURES_MAX == STORE_SIGNATURES_MAX, "layout");

int content_hex_check(const char *content_hex, struct err *err) {
        if (!sha256_hex_valid(content_hex))
                return err_set(err, -EINVAL, REASON_MALFORMED, "'%.80s' is no content id", content_hex);
        return 0;
}

void member_name(size_t i, char ret[static MEMBER_NAME_LEN]) {
        snprintf(ret, MEMBER_NAME_LEN, "%04u", (unsigned)i);
}

static int on_piece(void *to, const void *p, size_t n, struct err *err) {
        int r = fd_write_all(*(int *)to, p, n);

        return r < 0 ? err_errno(err, r, "write") : 0;
}

int content_copy(int from, int to, uint64_t length, struct err *err) {
        return fd_read_pieces(from, length, on_piece, &to, err);
}

/* ---- signatures ----------------------------------------------------------------------------------------------------- */

int signatures_encode(const struct signature *sigs, size_t n, struct buf *out, struct err *err) {
        for (size_t i = 0; i < n; i++) {
                struct signature_record rec = {.len = {sigs[i].len & 0xff, sigs[i].len >> 8}};

                if (n > SIGNATURES_MAX || sigs[i].len > sizeof(rec.sig))
                        return err_set(err, -EINVAL, REASON_TOO_LARGE, "signatures do not fit");
                memcpy(rec.keyid, sigs[i].keyid, sizeof(rec.keyid));
                memcpy(rec.sig, sigs[i].sig, sigs[i].len);
                if (buf_append(out, &rec, sizeof(rec)) < 0)
                        return err_errno(err, -ENOMEM, "signatures");
        }
        return 0;
}

int signatures_decode(const void *p, size_t n, struct signature **ret, size_t *ret_n, struct err *err) {
        const struct signature_record *recs = p; /* bytes only: any alignment will do */
        cleanup_free struct signature *sigs = NULL;
        size_t n_recs = n / sizeof(*recs);

        if (n % sizeof(*recs) || n_recs > SIGNATURES_MAX)
                return err_set(err, -EBADMSG, n_recs > SIGNATURES_MAX ? REASON_TOO_LARGE : REASON_TRUNCATED,
                               "%zu bytes are no whole number of up to %d signatures", n, SIGNATURES_MAX);
        sigs = new_array(n_recs, sizeof(*sigs));
        if (!sigs)
                return err_errno(err, -ENOMEM, "signatures");
        for (size_t i = 0; i < n_recs; i++) {
                sigs[i].len = (size_t)recs[i].len[0] | (size_t)recs[i].len[1] << 8;
                if (sigs[i].len > sizeof(sigs[i].sig))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "a signature of %zu bytes", sigs[i].len);
                memcpy(sigs[i].keyid, recs[i].keyid, sizeof(sigs[i].keyid));
                memcpy(sigs[i].sig, recs[i].sig, sigs[i].len);
        }
        *ret = steal_pointer(sigs);
        *ret_n = n_recs;
        return 0;
}

/* ---- the receipt ---------------------------------------------------------------------------------------------------- */

void receipt_done(struct receipt *r) {
        keyring_done(&r->ring);
        papers_done(&r->papers);
        free(r->source);
        *r = (struct receipt){};
}

int receipt_check(const struct receipt *r, struct err *err) {
        if (*r->target || r->papers.n) {
                uint8_t content[SHA256_SIZE];

                if (r->ring.n || r->threshold)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "a receipt with two authorities");
                return receipt_content(r, content, NULL, err);
        }
        if (r->ring.n == 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a receipt without keys");
        if (r->threshold < 1 || r->threshold > r->ring.n)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a receipt with threshold %zu of %zu keys", r->threshold,
                               r->ring.n);
        return 0;
}

/* PEM's base64 without its line breaks: JSON as we read it has no control characters. */
static json_t *spki_encode(const struct buf *pem) {
        const char *p = pem->data + strlen(PEM_BEGIN);
        char text[SPKI_MAX + 1];
        size_t n = 0;

        if (pem->len < strlen(PEM_BEGIN) + strlen(PEM_END) || strncmp(pem->data, PEM_BEGIN, strlen(PEM_BEGIN)) != 0)
                return NULL;
        for (; *p && *p != '-'; p++)
                if (*p != '\n') {
                        if (n >= SPKI_MAX)
                                return NULL;
                        text[n++] = *p;
                }
        return json_stringn(text, n);
}

static int spki_decode(const char *text, struct keyring *ring, struct err *err) {
        cleanup_buf struct buf pem = {};
        size_t n = strspn(text, BASE64);

        n += strspn(text + n, "=");
        if (text[n] || n == 0 || n > SPKI_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a key is not base64");
        if (buf_append(&pem, PEM_BEGIN, strlen(PEM_BEGIN)) < 0)
                return err_errno(err, -ENOMEM, "key");
        for (size_t at = 0; at < n; at += 64)
                if (buf_printf(&pem, "%.64s\n", text + at) < 0)
                        return err_errno(err, -ENOMEM, "key");
        if (buf_append(&pem, PEM_END, strlen(PEM_END)) < 0)
                return err_errno(err, -ENOMEM, "key");
        return keyring_add_pem(ring, pem.data, pem.len, err);
}

int receipt_encode(const struct receipt *r, json_t **ret, struct err *err) {
        cleanup_json json_t *keys = json_array(), *doc = NULL;

        for (size_t i = 0; i < r->ring.n; i++) {
                cleanup_buf struct buf pem = {};
                int res = pubkey_pem(&r->ring.keys[i], &pem, err);

                if (res < 0)
                        return res;
                if (json_array_append_new(keys, spki_encode(&pem)) < 0)
                        return err_errno(err, -ENOMEM, "key");
        }
        doc = json_pack("{sO sI so sI}", "keys", keys, "threshold", (json_int_t)r->threshold, "source",
                        record_text(r->source ? r->source : ""), "accepted", (json_int_t)r->accepted);
        if (!doc)
                return err_errno(err, -ENOMEM, "receipt");
        if (*r->target && json_object_set_new(doc, "target", json_string(r->target)) < 0)
                return err_errno(err, -ENOMEM, "receipt");
        *ret = steal_pointer(doc);
        return 0;
}

int receipt_decode(const json_t *doc, struct receipt *ret, struct err *err) {
        cleanup_receipt struct receipt rec = {};
        const char *source;
        uint64_t threshold;
        json_t *keys;
        int r;

        r = json_get_array(doc, "keys", &keys, err);
        if (r >= 0)
                r = record_get_uint(doc, "threshold", KEYRING_MAX, &threshold, err);
        if (r >= 0)
                r = json_get_string(doc, "source", &source, err);
        if (r >= 0)
                r = record_get_uint(doc, "accepted", JSON_INT_MAX, &rec.accepted, err);
        if (r >= 0 && json_object_get(doc, "target"))
                r = record_get_text(doc, "target", rec.target, sizeof(rec.target), err);
        if (r < 0)
                return r;
        if (json_array_size(keys) > KEYRING_MAX)
                return err_set(err, -EBADMSG, REASON_TOO_LARGE, "more than %d keys", KEYRING_MAX);
        for (size_t i = 0; i < json_array_size(keys); i++) {
                const char *text = json_string_value(json_array_get(keys, i));

                r = text ? spki_decode(text, &rec.ring, err) : err_set(err, -EBADMSG, REASON_MALFORMED, "a key is not a string");
                if (r < 0)
                        return r;
        }
        rec.threshold = (size_t)threshold;
        rec.source = strdup(source);
        if (!rec.source)
                return err_errno(err, -ENOMEM, "receipt");
        *ret = rec;
        rec = (struct receipt){};
        return 0;
}
