/* SPDX-License-Identifier: Apache-2.0 */
#include "signed_file.h"

void signed_file_done(struct signed_file *f) {
        buf_done(&f->bytes);
        json_decref(f->doc);
        *f = (struct signed_file){};
}

int signed_file_split(const void *p, size_t n, const struct signed_file_kind *kind, struct signed_file *ret, struct err *err) {
        cleanup_signed_file struct signed_file f = {};
        json_t *sigs, *body;
        int r;

        if (n > kind->max)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "%s of more than %zu bytes", kind->name, kind->max);
        r = kind->foreign ? json_parse_foreign(p, n, &f.doc, err) : json_parse(p, n, &f.doc, err);
        if (r < 0)
                return r;
        if (!json_is_object(f.doc))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "%s is not an object", kind->name);
        r = json_get_array(f.doc, "signatures", &sigs, err);
        if (r < 0)
                return r;
        f.n_sigs = json_array_size(sigs);
        if (f.n_sigs > kind->max_sigs)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "more than %zu signatures", kind->max_sigs);
        r = json_get_object(f.doc, "signed", &body, err);
        if (r < 0)
                return r;
        r = kind->foreign ? json_canonical_foreign(body, &f.bytes, err) : json_canonical(body, &f.bytes, err);
        if (r < 0)
                return r;
        *ret = f;
        f = (struct signed_file){};
        return 0;
}

int signed_file_signature(const struct signed_file *f, size_t i, const char **ret_keyid, const char **ret_sig, struct err *err) {
        const json_t *j = json_array_get(json_object_get(f->doc, "signatures"), i);
        int r;

        if (!json_is_object(j))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a signature is not an object");
        r = json_get_string(j, "keyid", ret_keyid, err);
        return r < 0 ? r : json_get_string(j, "sig", ret_sig, err);
}
