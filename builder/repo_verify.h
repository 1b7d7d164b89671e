/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's file against a release repository: what a node with this root would say of it now. */
#pragma once

#include "bundle_file.h"

struct repo_verified {
        char target[512];
        uint64_t floor;
        long long root_version;
        int64_t expires; /* the earliest of all metadata that vouches for it */
};

/* file: read without regard to its signatures. repo: a directory, or an https:// URL; ca: a PEM file
 * with the authorities of the latter (NULL: the system's). Refused with the words of the
 * TUF client (bad-signature, expired, unknown-target...), wrong-bundle and release-too-old; digest-mismatch: the repository has
 * other bytes under this name (a copy that was signed once more is one). */
int repo_verify(const struct bundle_file *file, const char *root, const char *repo, const char *ca, struct repo_verified *ret,
                struct err *err);
