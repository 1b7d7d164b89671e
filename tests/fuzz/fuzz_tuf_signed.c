/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata as it comes from a network, and packed metadata as it comes from a process that has read one: whatever it is, it is
 * refused, or survives being packed, unpacked and parsed again unchanged; and what is taken for a root was signed by enough of
 * its own keys. */
#include "fuzz.h"
#include "tuf_path.h"
#include "tuf_time.h"
#include "tuf_trust.h"

static void same(const struct tuf_signed *a, const struct tuf_signed *b) {
        must(a->n_sigs == b->n_sigs && a->n_sigs <= TUF_SIGNATURES_MAX);
        must(a->bytes.len == b->bytes.len && memcmp(a->bytes.data, b->bytes.data, a->bytes.len) == 0);
        for (size_t i = 0; i < a->n_sigs; i++) {
                must(strcmp(a->sigs[i].keyid, b->sigs[i].keyid) == 0 && a->sigs[i].len == b->sigs[i].len);
                must(a->sigs[i].len <= SIG_MAX && memcmp(a->sigs[i].sig, b->sigs[i].sig, a->sigs[i].len) == 0);
        }
}

static void as_root(const struct tuf_signed *s) {
        cleanup_tuf_trust struct tuf_trust *t = NULL;
        struct tuf_document root;
        struct err err = {};

        if (tuf_trust_new(s, &(struct tuf_trust_options){.ignore_expiry = true}, &t, &err) < 0) {
                must(err.reason != REASON_NONE && !t);
                return;
        }
        must(tuf_trust_document(t, TUF_ROOT, &root) == 0);
        must(root.threshold >= 1 && root.signers->n >= (size_t)root.threshold);
}

static void parsed(const uint8_t *data, size_t size) {
        cleanup_tuf_signed struct tuf_signed s = {}, again = {};
        cleanup_buf struct buf packed = {};
        cleanup_json json_t *j = NULL;
        struct err err = {};

        if (tuf_signed_parse(data, size, &s, &err) < 0) {
                must(err.reason == REASON_MALFORMED || err.reason == REASON_TOO_LARGE);
                must(!s.sigs && !s.bytes.data);
                return;
        }
        must(s.file.known && s.file.length == size);
        must(json_parse_canonical(s.bytes.data, s.bytes.len, &j, &err) == 0);
        must(tuf_signed_pack(&s, &packed, &err) == 0);
        must(tuf_signed_unpack(packed.data, packed.len, &again, &err) == 0);
        same(&s, &again);
        must(!again.file.known);
        as_root(&s);
}

static void unpacked(const uint8_t *data, size_t size) {
        cleanup_tuf_signed struct tuf_signed s = {};
        cleanup_buf struct buf packed = {};
        struct err err = {};

        if (tuf_signed_unpack(data, size, &s, &err) < 0) {
                must(err.reason == REASON_MALFORMED && !s.sigs && !s.bytes.data);
                return;
        }
        must(tuf_signed_pack(&s, &packed, &err) == 0);
        must(packed.len == size && memcmp(packed.data, data, size) == 0);
        as_root(&s);
}

/* PATTERN, NUL, PATH */
static void names(const uint8_t *data, size_t size) {
        cleanup_free char *text = malloc(size + 1);
        const char *path;
        char time[TUF_TIME_SIZE];
        struct err err = {};
        int64_t t, again;

        must(text);
        memcpy(text, data, size);
        text[size] = 0;
        path = text + strlen(text);
        path += path < text + size;
        if (size < 4096 && tuf_path_matches(text, path) && !strpbrk(text, "*?[")) {
                must(strcmp(text, path) == 0);
        }
        (void)tuf_path_check(path, &err);
        (void)tuf_path_hash_matches(text, path);
        if (tuf_time_parse(text, &t) == 0) {
                tuf_time_format(t, time);
                must(strcmp(time, text) == 0 && tuf_time_parse(time, &again) == 0 && again == t);
        }
        {
                cleanup_buf struct buf b = {};

                if (tuf_role_encode(path, &b) == 0 && b.data)
                        must(b.len <= TUF_ROLE_ENCODED_MAX &&
                             strspn(b.data, "%-._~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789") == b.len);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size && data[0] == 'T')
                unpacked(data, size);
        else if (size && data[0] == 'N')
                names(data + 1, size - 1);
        else
                parsed(data, size);
        return 0;
}
