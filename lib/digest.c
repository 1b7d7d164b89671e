/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <openssl/evp.h>

struct digest {
        EVP_MD_CTX *ctx;
};

struct digest *digest_new(void) {
        struct digest *d = calloc(1, sizeof(*d));

        if (!d)
                return NULL;
        d->ctx = EVP_MD_CTX_new();
        if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
                digest_free(d);
                return NULL;
        }
        return d;
}

void digest_free(struct digest *d) {
        if (!d)
                return;
        EVP_MD_CTX_free(d->ctx);
        free(d);
}

int digest_update(struct digest *d, const void *p, size_t n) {
        return EVP_DigestUpdate(d->ctx, p, n) == 1 ? 0 : -EIO;
}

int digest_finish(struct digest *d, uint8_t ret[static SHA256_SIZE]) {
        uint8_t md[EVP_MAX_MD_SIZE];
        unsigned int n = 0;

        if (EVP_DigestFinal_ex(d->ctx, md, &n) != 1 || n != SHA256_SIZE)
                return -EIO;
        if (EVP_DigestInit_ex(d->ctx, NULL, NULL) != 1) /* the same algorithm again */
                return -EIO;
        memcpy(ret, md, SHA256_SIZE);
        return 0;
}

int sha256(const void *p, size_t n, uint8_t ret[static SHA256_SIZE]) {
        unsigned int len = 0;
        uint8_t md[EVP_MAX_MD_SIZE];

        if (EVP_Digest(p, n, md, &len, EVP_sha256(), NULL) != 1 || len != SHA256_SIZE)
                return -EIO;
        memcpy(ret, md, SHA256_SIZE);
        return 0;
}
