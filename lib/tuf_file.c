/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_file.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>

struct tuf_hasher {
        EVP_MD_CTX *sha256, *sha512;
        uint64_t length;
};

void tuf_hasher_free(struct tuf_hasher *h) {
        if (!h)
                return;
        EVP_MD_CTX_free(h->sha256);
        EVP_MD_CTX_free(h->sha512);
        free(h);
}

struct tuf_hasher *tuf_hasher_new(void) {
        cleanup_tuf_hasher struct tuf_hasher *h = calloc(1, sizeof(*h));

        if (!h)
                return NULL;
        h->sha256 = EVP_MD_CTX_new();
        h->sha512 = EVP_MD_CTX_new();
        if (!h->sha256 || !h->sha512 || EVP_DigestInit_ex(h->sha256, EVP_sha256(), NULL) != 1 ||
            EVP_DigestInit_ex(h->sha512, EVP_sha512(), NULL) != 1) {
                ERR_clear_error();
                return NULL;
        }
        return steal_pointer(h);
}

int tuf_hasher_update(struct tuf_hasher *h, const void *p, size_t n) {
        if (add_overflows(h->length, n, &h->length))
                return -EFBIG;
        if (EVP_DigestUpdate(h->sha256, p, n) == 1 && EVP_DigestUpdate(h->sha512, p, n) == 1)
                return 0;
        ERR_clear_error();
        return -EIO;
}

int tuf_hasher_finish(struct tuf_hasher *h, struct tuf_file *ret) {
        struct tuf_file f = {.known = true, .length = h->length};

        if (EVP_DigestFinal_ex(h->sha256, f.sha256, NULL) != 1 || EVP_DigestFinal_ex(h->sha512, f.sha512, NULL) != 1) {
                ERR_clear_error();
                return -EIO;
        }
        *ret = f;
        return 0;
}

int tuf_file_of(const void *p, size_t n, struct tuf_file *ret) {
        cleanup_tuf_hasher struct tuf_hasher *h = tuf_hasher_new();
        int r;

        if (!h)
                return -ENOMEM;
        r = tuf_hasher_update(h, p, n);
        return r < 0 ? r : tuf_hasher_finish(h, ret);
}

bool tuf_hash_decode(const char *hex, uint8_t *ret, size_t n) {
        char lower[2 * SHA512_SIZE + 1];

        if (n > SHA512_SIZE || strlen(hex) != 2 * n)
                return false;
        for (size_t i = 0; i <= 2 * n; i++)
                lower[i] = (char)tolower((unsigned char)hex[i]);
        return hex_decode(lower, ret, n) == 0;
}

static bool sha256_is(const struct tuf_file *file, const char *hex) {
        uint8_t listed[SHA256_SIZE];

        return tuf_hash_decode(hex, listed, sizeof(listed)) && digest_equal(file->sha256, listed);
}

static bool sha512_is(const struct tuf_file *file, const char *hex) {
        uint8_t listed[SHA512_SIZE];

        return tuf_hash_decode(hex, listed, sizeof(listed)) && memcmp(file->sha512, listed, sizeof(listed)) == 0;
}

static int hashes_check(const struct tuf_file *file, const json_t *hashes, struct err *err) {
        const char *sha256_hex = json_string_value(json_object_get(hashes, "sha256"));
        const char *sha512_hex = json_string_value(json_object_get(hashes, "sha512"));

        if (!sha256_hex && !sha512_hex)
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "listed with no hash that this program knows");
        if (sha256_hex && !sha256_is(file, sha256_hex))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "its SHA-256 is not the listed one");
        if (sha512_hex && !sha512_is(file, sha512_hex))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "its SHA-512 is not the listed one");
        return 0;
}

int tuf_file_check(const struct tuf_file *file, const json_t *entry, struct err *err) {
        const json_t *length = json_object_get(entry, "length"), *hashes = json_object_get(entry, "hashes");

        if (!file->known)
                return 0;
        if (length && (uint64_t)json_integer_value(length) != file->length)
                return err_set(err, -EBADMSG, REASON_LENGTH_MISMATCH, "it has %llu bytes, and %lld are listed",
                               (unsigned long long)file->length, (long long)json_integer_value(length));
        return hashes ? hashes_check(file, hashes, err) : 0;
}
