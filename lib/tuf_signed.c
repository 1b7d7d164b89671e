/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_signed.h"

#include <ctype.h>
#include <endian.h>

#include "signed_file.h"

#define MAGIC "TUF1"

void tuf_signed_done(struct tuf_signed *s) {
        buf_done(&s->bytes);
        free(s->sigs);
        *s = (struct tuf_signed){};
}

/* What is no signature counts as none (an empty string stands for one who has not signed yet, with several repositories), and
 * harms nobody else's. */
static void sig_decode(const char *hex, struct tuf_signature *ret) {
        char lower[2 * SIG_MAX + 1];
        size_t n = strlen(hex);

        ret->len = 0;
        if (n % 2 || n / 2 > sizeof(ret->sig))
                return;
        for (size_t i = 0; i <= n; i++)
                lower[i] = (char)tolower((unsigned char)hex[i]);
        if (hex_decode(lower, ret->sig, n / 2) == 0)
                ret->len = n / 2;
}

static bool keyid_taken(const struct tuf_signed *s, const char *keyid) {
        for (size_t i = 0; i < s->n_sigs; i++)
                if (streq(s->sigs[i].keyid, keyid))
                        return true;
        return false;
}

static int signature_parse(const struct signed_file *file, struct tuf_signed *s, struct err *err) {
        struct tuf_signature *sig = &s->sigs[s->n_sigs];
        const char *keyid, *hex;
        int r = signed_file_signature(file, s->n_sigs, &keyid, &hex, err);

        if (r < 0)
                return r;
        if (!*keyid || strlen(keyid) > TUF_KEYID_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a key id has not 1 to %d bytes", TUF_KEYID_MAX);
        if (keyid_taken(s, keyid))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "two signatures with one key id");
        strcpy(sig->keyid, keyid);
        sig_decode(hex, sig);
        s->n_sigs++;
        return 0;
}

int tuf_signed_parse(const void *p, size_t n, struct tuf_signed *ret, struct err *err) {
        const struct signed_file_kind kind = {
                .name = "metadata", .max = TUF_SIGNED_MAX, .max_sigs = TUF_SIGNATURES_MAX, .foreign = true};
        cleanup_signed_file struct signed_file file = {};
        cleanup_tuf_signed struct tuf_signed s = {};
        int r = signed_file_split(p, n, &kind, &file, err);

        if (r < 0)
                return r;
        s.sigs = new_array(file.n_sigs, sizeof(*s.sigs));
        if (!s.sigs)
                return err_errno(err, -ENOMEM, "signatures");
        while (s.n_sigs < file.n_sigs) {
                r = signature_parse(&file, &s, err);
                if (r < 0)
                        return r;
        }
        r = tuf_file_of(p, n, &s.file);
        if (r < 0)
                return err_errno(err, r, "metadata");
        s.bytes = file.bytes;
        file.bytes = (struct buf){};
        *ret = s;
        s = (struct tuf_signed){};
        return 0;
}

int tuf_signed_pack(const struct tuf_signed *s, struct buf *out, struct err *err) {
        uint32_t head[2] = {htole32((uint32_t)s->n_sigs), htole32((uint32_t)s->bytes.len)};
        cleanup_buf struct buf b = {};
        int r;

        if (s->n_sigs > TUF_SIGNATURES_MAX || s->bytes.len > TUF_SIGNED_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "metadata beyond its limits");
        r = buf_append(&b, MAGIC, 4);
        if (r >= 0)
                r = buf_append(&b, head, sizeof(head));
        for (size_t i = 0; r >= 0 && i < s->n_sigs; i++) {
                const struct tuf_signature *sig = &s->sigs[i];
                uint8_t id_len = (uint8_t)strlen(sig->keyid);
                uint16_t len = htole16((uint16_t)sig->len);

                r = buf_append(&b, &id_len, 1);
                if (r >= 0)
                        r = buf_append(&b, &len, 2);
                if (r >= 0)
                        r = buf_append(&b, sig->keyid, id_len);
                if (r >= 0)
                        r = buf_append(&b, sig->sig, sig->len);
        }
        if (r >= 0)
                r = buf_append(&b, s->bytes.data, s->bytes.len);
        if (r >= 0)
                r = buf_append(out, b.data, b.len);
        return r < 0 ? err_errno(err, r, "metadata") : 0;
}

/* The next n bytes, or NULL. */
static const uint8_t *take(const uint8_t **p, size_t *left, size_t n) {
        const uint8_t *at = *p;

        if (n > *left)
                return NULL;
        *p += n;
        *left -= n;
        return at;
}

static bool signature_unpack(const uint8_t **p, size_t *left, struct tuf_signed *s) {
        struct tuf_signature *sig = &s->sigs[s->n_sigs];
        const uint8_t *head = take(p, left, 3), *id, *bytes;
        size_t id_len, len;

        if (!head)
                return false;
        id_len = head[0];
        len = (size_t)head[1] | (size_t)head[2] << 8;
        if (id_len < 1 || id_len > TUF_KEYID_MAX || len > sizeof(sig->sig))
                return false;
        id = take(p, left, id_len);
        bytes = id ? take(p, left, len) : NULL;
        if (!bytes || memchr(id, 0, id_len))
                return false;
        memcpy(sig->keyid, id, id_len);
        memcpy(sig->sig, bytes, len);
        sig->len = len;
        if (keyid_taken(s, sig->keyid))
                return false;
        s->n_sigs++;
        return true;
}

int tuf_signed_unpack(const void *p, size_t n, struct tuf_signed *ret, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = {};
        const uint8_t *at = p, *head;
        uint32_t numbers[2];
        size_t left = n;

        head = take(&at, &left, 4 + sizeof(numbers));
        if (!head || memcmp(head, MAGIC, 4) != 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not packed metadata");
        memcpy(numbers, head + 4, sizeof(numbers));
        numbers[0] = le32toh(numbers[0]);
        numbers[1] = le32toh(numbers[1]);
        if (numbers[0] > TUF_SIGNATURES_MAX || numbers[1] > TUF_SIGNED_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "packed metadata beyond its limits");
        s.sigs = new_array(numbers[0], sizeof(*s.sigs));
        if (!s.sigs)
                return err_errno(err, -ENOMEM, "metadata");
        for (uint32_t i = 0; i < numbers[0]; i++)
                if (!signature_unpack(&at, &left, &s))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "packed metadata has a damaged signature");
        if (left != numbers[1])
                return err_set(err, -EBADMSG, REASON_MALFORMED, "packed metadata has not the length it says");
        if (buf_append(&s.bytes, at, left) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        *ret = s;
        s = (struct tuf_signed){};
        return 0;
}
