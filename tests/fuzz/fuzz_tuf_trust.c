/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the holder of every key could sign: the input's lines are the `signed` parts of root, timestamp, snapshot, targets and then
 * of delegated roles, in which $ID and $PUB stand for a key made here; each is put in canonical form and signed. Whatever they say,
 * a set refuses or stays consistent, and the search for a target ends.
 */
#include "fuzz.h"
#include "tuf_trust.h"

#define NOW 1800000000

struct key {
        struct privkey *private;
        char public[65];
};

/* Made once: making one takes longer than everything else. */
static const struct key *the_key(void) {
        static struct key key;
        uint8_t raw[32];

        if (!key.private) {
                must(privkey_generate(&key.private, NULL) == 0);
                must(pubkey_raw(privkey_public(key.private), raw) == 0);
                hex_encode(raw, sizeof(raw), key.public);
        }
        return &key;
}

static void fill_in(const char *p, size_t n, struct buf *out) {
        const struct key *key = the_key();

        for (size_t i = 0; i < n; i++) {
                if (n - i >= 3 && memcmp(p + i, "$ID", 3) == 0) {
                        must(buf_printf(out, "%s", privkey_public(key->private)->id_hex) == 0);
                        i += 2;
                } else if (n - i >= 4 && memcmp(p + i, "$PUB", 4) == 0) {
                        must(buf_printf(out, "%s", key->public) == 0);
                        i += 3;
                } else {
                        must(buf_append(out, p + i, 1) == 0);
                }
        }
}

/* The next line as something signed; false at the end and for what is no JSON. */
static bool next(const uint8_t **data, size_t *size, struct tuf_signed *ret) {
        const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
        size_t n = end ? (size_t)(end - *data) : *size;
        cleanup_buf struct buf text = {};
        cleanup_json json_t *j = NULL;
        const struct key *key = the_key();

        if (!*size)
                return false;
        fill_in((const char *)*data, n, &text);
        *data += end ? n + 1 : n;
        *size -= end ? n + 1 : n;
        if (json_parse_foreign(text.data, text.len, &j, NULL) < 0 || json_canonical_foreign(j, &ret->bytes, NULL) < 0)
                return false;
        ret->sigs = calloc(1, sizeof(*ret->sigs));
        must(ret->sigs);
        strcpy(ret->sigs[0].keyid, privkey_public(key->private)->id_hex);
        must(privkey_sign(key->private, ret->bytes.data, ret->bytes.len, ret->sigs[0].sig, &ret->sigs[0].len, NULL) == 0);
        ret->n_sigs = 1;
        return true;
}

static void consistent(const struct tuf_trust *t) {
        struct tuf_document d;

        for (size_t i = 0; i < tuf_trust_documents(t); i++) {
                if (tuf_trust_document(t, i, &d) < 0)
                        continue;
                must(d.role && d.common.version >= 1 && d.signers->n == 1 && d.threshold == 1);
                must(i < 2 || !d.expired); /* what comes after a timestamp is current */
                must(tuf_trust_key_authorised(t, i, d.signers->a[0].material));
        }
}

static void search(struct tuf_trust *t, const uint8_t *data, size_t size, const char *path) {
        struct tuf_target target;
        struct tuf_want want;
        struct err err = {};
        int r;

        while ((r = tuf_trust_find(t, path, &target, &want, &err)) == -EAGAIN) {
                cleanup_tuf_signed struct tuf_signed s = {};

                must(memchr(want.role, 0, sizeof(want.role)) && want.version >= 1 && want.max <= TUF_TARGETS_MAX);
                if (!next(&data, &size, &s) || tuf_trust_delegated(t, &want, &s, &err) < 0)
                        return;
                consistent(t);
        }
        must(r == 0 || r == -ENOENT || err.reason == REASON_MIXED_METADATA || r == -ENAMETOOLONG);
        if (r == 0)
                must(target.length >= 0 && target.entry && target.role && (!target.hash || strlen(target.hash) >= 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_tuf_signed struct tuf_signed root = {}, timestamp = {}, snapshot = {}, targets = {};
        cleanup_tuf_trust struct tuf_trust *t = NULL;
        struct err err = {};

        if (!next(&data, &size, &root) || tuf_trust_new(&root, &(struct tuf_trust_options){.now = NOW}, &t, &err) < 0)
                return 0;
        if (!next(&data, &size, &timestamp) || tuf_trust_timestamp(t, &timestamp, &err) < 0)
                return 0;
        if (!next(&data, &size, &snapshot) || tuf_trust_snapshot(t, &snapshot, &err) < 0)
                return 0;
        if (!next(&data, &size, &targets) || tuf_trust_targets(t, &targets, &err) < 0)
                return 0;
        consistent(t);
        search(t, data, size, "a/b");
        tuf_trust_forget(t);
        search(t, data, size, "x");
        return 0;
}
