/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: PEM files as OpenSSL writes them (PKCS#8 private, SPKI public). A key id is the SHA-256 of the canonical TUF key
 * object, {"keytype":"ed25519","keyval":{"public":HEX},"scheme":"ed25519"} (TUF 1.0.34, section 4.2).
 *
 * Whatever we write is signed with Ed25519. ECDSA and RSA are for reading others' repositories (key_tuf.c).
 */
#pragma once

#include "buf.h"
#include "digest.h"
#include "err.h"
#include "json.h"

#define KEYID_HEX SHA256_HEX
#define SIG_MAX 1024 /* RSA-4096 is 512 bytes; Ed25519 is 64 */
#define KEYRING_MAX 64

enum key_scheme {
        KEY_ED25519,
        KEY_ECDSA_SHA256,   /* on P-256; DER signature */
        KEY_RSA_PSS_SHA256, /* MGF1 with SHA-256, any length of salt */
        KEY_RSA_PKCS1_SHA256,
};

struct pubkey {
        void *evp; /* EVP_PKEY, opaque outside key*.c */
        enum key_scheme scheme;
        uint8_t material[SHA256_SIZE]; /* SHA-256 of the SPKI DER: two ids of one key have one material */
        uint8_t id[SHA256_SIZE];
        char id_hex[KEYID_HEX];
};

struct keyring {
        struct pubkey *keys;
        size_t n;
};
void keyring_done(struct keyring *ring);
#define cleanup_keyring cleanup(keyring_done)
/* A PEM text may hold one public key; other kinds than Ed25519 are refused (malformed). The same material twice is kept once. */
int keyring_add_pem(struct keyring *ring, const void *pem, size_t n, struct err *err);
int keyring_add_file(struct keyring *ring, const char *path, struct err *err);
int keyring_add_raw(struct keyring *ring, const uint8_t raw[static 32], struct err *err);
void pubkey_done(struct pubkey *key);
/*
 * A key of TUF metadata (section 4.2): {"keytype", "scheme", "keyval": {"public"}}, other members ignored: ed25519 (hex); ecdsa
 * or ecdsa-sha2-nistp256 with ecdsa-sha2-nistp256 (SPKI PEM, P-256); rsa with rsassa-pss-sha256 or rsa-pkcs1v15-sha256 (SPKI
 * PEM, 2048 to 8192 bits). Another kind: unsupported-format; damaged: malformed. ret->id is the key id of that object.
 */
int pubkey_from_tuf(const json_t *object, struct pubkey *ret, struct err *err);
/* SPKI PEM text of a key. */
int pubkey_pem(const struct pubkey *key, struct buf *out, struct err *err);
/* The material of an Ed25519 key: SHA-256 of the SPKI that it is written as (RFC 8410, section 4). */
int ed25519_material(const uint8_t raw[static 32], uint8_t ret[static SHA256_SIZE]);
/* The 32 bytes of an Ed25519 key, which TUF's key object has in hex. -EBADMSG: it is another kind of key. */
int pubkey_raw(const struct pubkey *key, uint8_t ret[static 32]);
/* 0 when sig is this key's signature over p; -EBADMSG (bad-signature) otherwise. Starts from "refused". */
int pubkey_verify(const struct pubkey *key, const void *p, size_t n, const uint8_t *sig, size_t sig_len, struct err *err);

struct privkey; /* secret part: wiped when freed */
/* A PEM file, or an OpenSSL store URI (pkcs11:, file:, ...). OpenSSL asks the terminal for a passphrase or PIN where one is
 * needed. */
int privkey_load(const char *path_or_uri, struct privkey **ret, struct err *err);
int privkey_generate(struct privkey **ret, struct err *err);
void privkey_free(struct privkey *key);
static inline void privkey_free_p(struct privkey **k) {
        privkey_free(*k);
}
#define cleanup_privkey cleanup(privkey_free_p)
const struct pubkey *privkey_public(const struct privkey *key);
/* PKCS#8 PEM text; `out` is best empty and wiped afterwards (cleanup_buf_wipe). */
int privkey_pem(const struct privkey *key, struct buf *out, struct err *err);
/* ret_sig has room for SIG_MAX bytes. */
int privkey_sign(const struct privkey *key, const void *p, size_t n, uint8_t *ret_sig, size_t *ret_len, struct err *err);
