/* SPDX-License-Identifier: Apache-2.0 */
/* Which key is this object of TUF metadata? */
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "key.h"

#define PEM_MAX 16384
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX (8 * SIG_MAX)

static void pkey_free_p(EVP_PKEY **p) {
        EVP_PKEY_free(*p);
}
static void bio_free_p(BIO **p) {
        BIO_free(*p);
}
#define cleanup_pkey cleanup(pkey_free_p)
#define cleanup_bio cleanup(bio_free_p)

/* "ecdsa-sha2-nistp256" as a key type is how older repositories wrote it. */
static const struct {
        const char *keytype, *scheme;
        enum key_scheme value;
} schemes[] = {
        {"ed25519", "ed25519", KEY_ED25519},
        {"ecdsa", "ecdsa-sha2-nistp256", KEY_ECDSA_SHA256},
        {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", KEY_ECDSA_SHA256},
        {"rsa", "rsassa-pss-sha256", KEY_RSA_PSS_SHA256},
        {"rsa", "rsa-pkcs1v15-sha256", KEY_RSA_PKCS1_SHA256},
};

static int malformed(struct err *err, const char *what) {
        ERR_clear_error();
        return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", what);
}

static int scheme_find(const json_t *object, enum key_scheme *ret, struct err *err) {
        const char *keytype, *scheme;
        int r;

        r = json_get_string(object, "keytype", &keytype, err);
        if (r < 0)
                return r;
        r = json_get_string(object, "scheme", &scheme, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
                if (streq(schemes[i].keytype, keytype) && streq(schemes[i].scheme, scheme)) {
                        *ret = schemes[i].value;
                        return 0;
                }
        return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "a kind of key that this program does not know");
}

static int ed25519_load(const char *hex, EVP_PKEY **ret, struct err *err) {
        char lower[2 * 32 + 1];
        uint8_t raw[32];

        if (strlen(hex) != 2 * sizeof(raw))
                return malformed(err, "an Ed25519 key is not 32 bytes");
        for (size_t i = 0; i < sizeof(lower); i++)
                lower[i] = (char)tolower((unsigned char)hex[i]);
        if (hex_decode(lower, raw, sizeof(raw)) < 0)
                return malformed(err, "an Ed25519 key is not in hex");
        *ret = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
        return *ret ? 0 : malformed(err, "not an Ed25519 key");
}

/* A public key has no passphrase; without this, OpenSSL would ask the terminal for one. */
static int no_passphrase(char *p, int size, int rw, void *ctx) {
        return -1;
}

static int pem_load(const char *pem, EVP_PKEY **ret, struct err *err) {
        cleanup_bio BIO *bio = NULL;
        size_t n = strlen(pem);

        if (n > PEM_MAX)
                return malformed(err, "a key of more than 16384 bytes");
        bio = BIO_new_mem_buf(pem, (int)n);
        if (!bio)
                return err_errno(err, -ENOMEM, "PEM");
        *ret = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
        ERR_clear_error();
        return *ret ? 0 : malformed(err, "not a public key in PEM (BEGIN PUBLIC KEY)");
}

/* One form for one key: a point can be written compressed, and a curve by its parameters; both would give the same key another
 * material. */
static int ecdsa_check(EVP_PKEY *evp, struct err *err) {
        char group[32] = "";
        int explicit = 0;

        if (!EVP_PKEY_is_a(evp, "EC") || EVP_PKEY_get_group_name(evp, group, sizeof(group), NULL) != 1 ||
            !streq(group, "prime256v1"))
                return malformed(err, "not a key on P-256");
        if (EVP_PKEY_get_int_param(evp, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit) != 1 || explicit)
                return malformed(err, "a curve is not given by its name");
        if (EVP_PKEY_set_utf8_string_param(evp, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1)
                return malformed(err, "a point that cannot be written");
        return 0;
}

static int rsa_check(EVP_PKEY *evp, struct err *err) {
        if (!EVP_PKEY_is_a(evp, "RSA"))
                return malformed(err, "not an RSA key");
        if (EVP_PKEY_get_bits(evp) < RSA_BITS_MIN || EVP_PKEY_get_bits(evp) > RSA_BITS_MAX)
                return malformed(err, "an RSA key has not between 2048 and 8192 bits");
        return 0;
}

static int load(enum key_scheme scheme, const char *public, EVP_PKEY **ret, struct err *err) {
        int r;

        if (scheme == KEY_ED25519)
                return ed25519_load(public, ret, err);
        r = pem_load(public, ret, err);
        if (r < 0)
                return r;
        return scheme == KEY_ECDSA_SHA256 ? ecdsa_check(*ret, err) : rsa_check(*ret, err);
}

static int material(EVP_PKEY *evp, enum key_scheme scheme, uint8_t ret[static SHA256_SIZE], struct err *err) {
        unsigned char *der = NULL;
        uint8_t raw[32];
        size_t n = sizeof(raw);
        int len, r;

        if (scheme == KEY_ED25519) {
                if (EVP_PKEY_get_raw_public_key(evp, raw, &n) != 1 || n != sizeof(raw))
                        return malformed(err, "not an Ed25519 key");
                r = ed25519_material(raw, ret);
                return r < 0 ? err_errno(err, r, "key") : 0;
        }
        len = i2d_PUBKEY(evp, &der);
        if (len <= 0)
                return malformed(err, "a key that cannot be written");
        r = sha256(der, (size_t)len, ret);
        OPENSSL_free(der);
        return r < 0 ? err_errno(err, r, "key") : 0;
}

int pubkey_from_tuf(const json_t *object, struct pubkey *ret, struct err *err) {
        cleanup_pkey EVP_PKEY *evp = NULL;
        cleanup_buf struct buf canonical = {};
        struct pubkey key = {};
        const char *public;
        json_t *keyval;
        int r;

        r = scheme_find(object, &key.scheme, err);
        if (r < 0)
                return r;
        r = json_get_object(object, "keyval", &keyval, err);
        if (r < 0)
                return r;
        r = json_get_string(keyval, "public", &public, err);
        if (r < 0)
                return r;
        r = load(key.scheme, public, &evp, err);
        if (r < 0)
                return r;
        r = material(evp, key.scheme, key.material, err);
        if (r < 0)
                return r;
        r = json_canonical_foreign(object, &canonical, err);
        if (r < 0)
                return r;
        r = sha256(canonical.data, canonical.len, key.id);
        if (r < 0)
                return err_errno(err, r, "key id");
        hex_encode(key.id, sizeof(key.id), key.id_hex);
        key.evp = steal_pointer(evp);
        *ret = key;
        return 0;
}
