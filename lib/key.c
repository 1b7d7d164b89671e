/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#include "fileio.h"
#include "json.h"

#define PEM_MAX 16384
#define RAW_SIZE 32

struct privkey {
        EVP_PKEY *evp;
        struct pubkey public;
};

static void pkey_free_p(EVP_PKEY **p) {
        EVP_PKEY_free(*p);
}
static void bio_free_p(BIO **p) {
        BIO_free(*p);
}
static void md_ctx_free_p(EVP_MD_CTX **p) {
        EVP_MD_CTX_free(*p);
}
static void store_close_p(OSSL_STORE_CTX **p) {
        if (*p)
                OSSL_STORE_close(*p);
}
#define cleanup_pkey cleanup(pkey_free_p)
#define cleanup_bio cleanup(bio_free_p)
#define cleanup_md_ctx cleanup(md_ctx_free_p)
#define cleanup_store cleanup(store_close_p)

/* OpenSSL's own word for what went wrong, if it left one; its queue is empty afterwards. */
static int openssl_error(struct err *err, int r, enum reason reason, const char *what) {
        unsigned long e = ERR_peek_last_error();
        const char *text = e ? ERR_reason_error_string(e) : NULL;

        ERR_clear_error();
        return err_set(err, r, reason, "%s%s%s", what, text ? ": " : "", text ? text : "");
}

/* ---- public keys ------------------------------------------------------------------------------------------------- */

void pubkey_done(struct pubkey *key) {
        EVP_PKEY_free(key->evp);
        *key = (struct pubkey){};
}

void keyring_done(struct keyring *ring) {
        for (size_t i = 0; i < ring->n; i++)
                pubkey_done(&ring->keys[i]);
        free(ring->keys);
        *ring = (struct keyring){};
}

static int key_id(const uint8_t raw[static RAW_SIZE], uint8_t ret[static SHA256_SIZE], struct err *err) {
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf b = {};
        char hex[2 * RAW_SIZE + 1];
        int r;

        hex_encode(raw, RAW_SIZE, hex);
        j = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval", "public", hex);
        if (!j)
                return err_errno(err, -ENOMEM, "key id");
        r = json_canonical(j, &b, err);
        if (r < 0)
                return r;
        r = sha256(b.data, b.len, ret);
        return r < 0 ? err_errno(err, r, "key id") : 0;
}

/* Written here and not by OpenSSL: looking for an encoder takes it as long as verifying a signature. */
int ed25519_material(const uint8_t raw[static RAW_SIZE], uint8_t ret[static SHA256_SIZE]) {
        static const uint8_t prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
        uint8_t der[sizeof(prefix) + RAW_SIZE];

        memcpy(der, prefix, sizeof(prefix));
        memcpy(der + sizeof(prefix), raw, RAW_SIZE);
        return sha256(der, sizeof(der), ret);
}

/* Takes its own reference to evp. */
static int pubkey_init(struct pubkey *ret, EVP_PKEY *evp, struct err *err) {
        struct pubkey key = {};
        uint8_t raw[RAW_SIZE];
        size_t n = sizeof(raw);
        int r;

        if (!EVP_PKEY_is_a(evp, "ED25519"))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not an Ed25519 key");
        if (EVP_PKEY_get_raw_public_key(evp, raw, &n) != 1 || n != sizeof(raw))
                return openssl_error(err, -EBADMSG, REASON_MALFORMED, "no public key");
        r = ed25519_material(raw, key.material);
        if (r < 0)
                return err_errno(err, r, "public key");
        r = key_id(raw, key.id, err);
        if (r < 0)
                return r;
        hex_encode(key.id, sizeof(key.id), key.id_hex);
        if (EVP_PKEY_up_ref(evp) != 1)
                return openssl_error(err, -ENOMEM, REASON_NONE, "public key");
        key.evp = evp;
        *ret = key;
        return 0;
}

static int keyring_add(struct keyring *ring, EVP_PKEY *evp, struct err *err) {
        struct pubkey key, *keys;
        int r;

        r = pubkey_init(&key, evp, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ring->n; i++)
                if (memcmp(ring->keys[i].material, key.material, sizeof(key.material)) == 0) {
                        pubkey_done(&key);
                        return 0;
                }
        if (ring->n >= KEYRING_MAX) {
                pubkey_done(&key);
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "more than %d keys", KEYRING_MAX);
        }
        keys = reallocarray(ring->keys, ring->n + 1, sizeof(*keys));
        if (!keys) {
                pubkey_done(&key);
                return err_errno(err, -ENOMEM, "key ring");
        }
        ring->keys = keys;
        ring->keys[ring->n++] = key;
        return 0;
}

/* A public key has no passphrase; without this, OpenSSL would ask the terminal for one. */
static int no_passphrase(char *p, int size, int rw, void *ctx) {
        return -1;
}

int keyring_add_pem(struct keyring *ring, const void *pem, size_t n, struct err *err) {
        cleanup_pkey EVP_PKEY *evp = NULL, *second = NULL;
        cleanup_bio BIO *bio = NULL;

        if (n > PEM_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a PEM text of more than %d bytes", PEM_MAX);
        ERR_clear_error();
        bio = BIO_new_mem_buf(pem, (int)n);
        if (!bio)
                return openssl_error(err, -ENOMEM, REASON_NONE, "PEM");
        evp = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
        if (!evp)
                return openssl_error(err, -EBADMSG, REASON_MALFORMED, "not a public key in PEM (BEGIN PUBLIC KEY)");
        second = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
        if (second)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "more than one public key in one PEM text");
        ERR_clear_error();
        return keyring_add(ring, evp, err);
}

int keyring_add_file(struct keyring *ring, const char *path, struct err *err) {
        cleanup_buf struct buf b = {};
        int r;

        r = file_read(AT_FDCWD, path, PEM_MAX, &b, err);
        if (r < 0)
                return r;
        r = keyring_add_pem(ring, b.data, b.len, err);
        return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

int keyring_add_raw(struct keyring *ring, const uint8_t raw[static 32], struct err *err) {
        cleanup_pkey EVP_PKEY *evp = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, RAW_SIZE);

        if (!evp)
                return openssl_error(err, -EBADMSG, REASON_MALFORMED, "Ed25519 key");
        return keyring_add(ring, evp, err);
}

static int bio_append(BIO *bio, struct buf *out, struct err *err) {
        char *p;
        long n = BIO_get_mem_data(bio, &p);

        if (n <= 0 || buf_append(out, p, (size_t)n) < 0)
                return err_errno(err, -ENOMEM, "PEM");
        return 0;
}

int pubkey_pem(const struct pubkey *key, struct buf *out, struct err *err) {
        cleanup_bio BIO *bio = BIO_new(BIO_s_mem());

        if (!bio || PEM_write_bio_PUBKEY(bio, key->evp) != 1)
                return openssl_error(err, -ENOMEM, REASON_NONE, "PEM");
        return bio_append(bio, out, err);
}

static bool scheme_set(EVP_PKEY_CTX *params, enum key_scheme scheme) {
        switch (scheme) {
        case KEY_ED25519:
        case KEY_ECDSA_SHA256:
                return true;
        case KEY_RSA_PSS_SHA256:
                return EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_rsa_mgf1_md(params, EVP_sha256()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_AUTO) == 1;
        case KEY_RSA_PKCS1_SHA256:
                return EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PADDING) == 1;
        }
        return false;
}

int pubkey_raw(const struct pubkey *key, uint8_t ret[static RAW_SIZE]) {
        size_t n = RAW_SIZE;

        if (key->scheme == KEY_ED25519 && EVP_PKEY_get_raw_public_key(key->evp, ret, &n) == 1 && n == RAW_SIZE)
                return 0;
        ERR_clear_error();
        return -EBADMSG;
}

int pubkey_verify(const struct pubkey *key, const void *p, size_t n, const uint8_t *sig, size_t sig_len, struct err *err) {
        cleanup_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *params = NULL; /* ctx owns it */
        bool good = false;

        if (!ctx)
                return err_errno(err, -ENOMEM, "signature");
        if (EVP_DigestVerifyInit(ctx, &params, key->scheme == KEY_ED25519 ? NULL : EVP_sha256(), NULL, key->evp) == 1 &&
            scheme_set(params, key->scheme))
                good = EVP_DigestVerify(ctx, sig, sig_len, p, n) == 1;
        ERR_clear_error();
        if (!good)
                return err_set(err, -EBADMSG, REASON_BAD_SIGNATURE, "the signature by key %s is wrong", key->id_hex);
        return 0;
}

/* ---- private keys ------------------------------------------------------------------------------------------------ */

void privkey_free(struct privkey *key) {
        if (!key)
                return;
        EVP_PKEY_free(key->evp); /* OpenSSL overwrites the secret */
        pubkey_done(&key->public);
        free(key);
}

static int privkey_new(EVP_PKEY *evp, struct privkey **ret, struct err *err) {
        cleanup_privkey struct privkey *key = calloc(1, sizeof(*key));
        int r;

        if (!key)
                return err_errno(err, -ENOMEM, "private key");
        r = pubkey_init(&key->public, evp, err);
        if (r < 0)
                return r;
        if (EVP_PKEY_up_ref(evp) != 1)
                return openssl_error(err, -ENOMEM, REASON_NONE, "private key");
        key->evp = evp;
        *ret = steal_pointer(key);
        return 0;
}

/* RFC 3986: a scheme and a colon. A file of such a name is meant by "./NAME". */
static bool is_uri(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

        return n > 1 && s[n] == ':' && ((s[0] >= 'a' && s[0] <= 'z') || (s[0] >= 'A' && s[0] <= 'Z'));
}

/* Straight into one buffer, which is wiped: neither stdio nor a growing buffer keeps a copy. */
static int load_pem(const char *path, EVP_PKEY **ret, struct err *err) {
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        cleanup_bio BIO *bio = NULL;
        char pem[PEM_MAX];
        size_t len = 0;
        ssize_t n = 0;

        if (fd < 0)
                return err_errno(err, -errno, "%s", path);
        while (len < sizeof(pem)) {
                n = read(fd, pem + len, sizeof(pem) - len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                len += (size_t)n;
        }
        if (n < 0) {
                int r = -errno;

                OPENSSL_cleanse(pem, sizeof(pem));
                return err_errno(err, r, "%s", path);
        }
        bio = BIO_new_mem_buf(pem, (int)len);
        *ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        OPENSSL_cleanse(pem, sizeof(pem));
        if (!*ret)
                return openssl_error(err, -EBADMSG, REASON_MALFORMED, "not a private key in PEM");
        return 0;
}

static int load_uri(const char *uri, EVP_PKEY **ret, struct err *err) {
        cleanup_store OSSL_STORE_CTX *store = OSSL_STORE_open(uri, UI_OpenSSL(), NULL, NULL, NULL);

        if (!store)
                return openssl_error(err, -EIO, REASON_NONE, "cannot open this key store");
        if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1)
                return openssl_error(err, -EIO, REASON_NONE, "key store");
        while (!OSSL_STORE_eof(store)) {
                OSSL_STORE_INFO *info = OSSL_STORE_load(store);

                if (!info)
                        continue; /* what it cannot decode, and at the end */
                if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
                        *ret = OSSL_STORE_INFO_get1_PKEY(info);
                OSSL_STORE_INFO_free(info);
                if (*ret)
                        return 0;
        }
        return openssl_error(err, -EBADMSG, REASON_MALFORMED, "no private key there");
}

int privkey_load(const char *path_or_uri, struct privkey **ret, struct err *err) {
        cleanup_pkey EVP_PKEY *evp = NULL;
        int r;

        ERR_clear_error();
        r = is_uri(path_or_uri) ? load_uri(path_or_uri, &evp, err) : load_pem(path_or_uri, &evp, err);
        if (r >= 0)
                r = privkey_new(evp, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", path_or_uri) : 0;
}

int privkey_generate(struct privkey **ret, struct err *err) {
        cleanup_pkey EVP_PKEY *evp = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

        if (!evp)
                return openssl_error(err, -EIO, REASON_NONE, "cannot make a key");
        return privkey_new(evp, ret, err);
}

const struct pubkey *privkey_public(const struct privkey *key) {
        return &key->public;
}

int privkey_pem(const struct privkey *key, struct buf *out, struct err *err) {
        cleanup_bio BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */

        if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key->evp, NULL, NULL, 0, NULL, NULL) != 1)
                return openssl_error(err, -EIO, REASON_NONE, "the private key cannot be written");
        return bio_append(bio, out, err);
}

int privkey_sign(const struct privkey *key, const void *p, size_t n, uint8_t *ret_sig, size_t *ret_len, struct err *err) {
        cleanup_md_ctx EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        size_t len = SIG_MAX;

        ERR_clear_error();
        if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->evp) != 1 || EVP_DigestSign(ctx, ret_sig, &len, p, n) != 1)
                return openssl_error(err, -EIO, REASON_NONE, "cannot sign");
        *ret_len = len;
        return 0;
}
