/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundle archive (NAME-VERSION.tar.zst): a pax tar in zstd frames, the first of which holds manifest.json alone.
 *
 * Reading is one streaming pass in bounded memory and starts from "refused": the manifest's signatures first, then every
 * member is hashed as it comes. Bytes handed to the sink are not to be used before bundle_read() has returned 0.
 */
#pragma once

#include "envelope.h"
#include "manifest.h"

struct bundle_limits {
        uint64_t max_archive; /* compressed bytes read */
        uint64_t max_content; /* sum of the members' lengths */
        size_t max_members;
};
extern const struct bundle_limits bundle_limits_default; /* 64 MiB, 256 MiB, 4096 */

/* Whom to believe: a threshold of the ring's keys; or verified metadata that lists the content id, and then embedded signatures
 * are only reported. Neither: nobody (inspect): nothing is checked, and the caller says so. */
struct bundle_trust {
        const struct keyring *ring;
        size_t threshold;       /* >= 1 with a ring that decides */
        const uint8_t *content; /* SHA256_SIZE bytes; NULL: the ring decides */
};
bool bundle_trust_decides(const struct bundle_trust *trust);
/* Are these exact bytes a manifest's that is to be believed? Refusals: those of signatures_verify(); digest-mismatch for another
 * content id; unknown-key when nobody is trusted. ret_report may be NULL. */
int bundle_trust_check(const struct bundle_trust *trust, const void *p, size_t n, const struct signature *sigs, size_t n_sigs,
                       struct sig_report *ret_report, struct err *err);

/* Called in order; each may be NULL; a negative return stops the pass and is passed on. */
struct bundle_sink {
        void *ctx;
        int (*manifest)(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err);
        int (*member)(void *ctx, size_t index, struct err *err); /* begins */
        int (*data)(void *ctx, size_t index, const void *p, size_t n, struct err *err);
        int (*member_end)(void *ctx, size_t index, struct err *err); /* length, digest held */
};

/* read: like read(2), negative errno on failure. */
typedef ssize_t (*bundle_read_fn)(void *ctx, void *p, size_t n);

/*
 * Refusals: those of signatures_verify() and manifest_parse(), and for the archive: malformed (not zstd, not tar, not two
 * frames), too-large (a limit, a window), truncated, trailing-data, missing-member, unlisted-member, duplicate-member,
 * wrong-order, unsafe-path, not-a-file, length-mismatch, digest-mismatch. limits NULL: the default ones. ret_report may be NULL;
 * it is filled once the signatures have been looked at, on refusal, too.
 */
int bundle_read(bundle_read_fn read, void *read_ctx, const struct bundle_trust *trust, const struct bundle_limits *limits,
                const struct bundle_sink *sink, struct sig_report *ret_report, struct err *err);
/* The same from a descriptor, at its current position. */
int bundle_read_fd(int fd, const struct bundle_trust *trust, const struct bundle_limits *limits, const struct bundle_sink *sink,
                   struct sig_report *ret_report, struct err *err);

/* Writing. Byte-identical for the same members, mtime and signatures. */
struct bundle_member {
        const char *path;
        const void *data;
        size_t len;
};
/* env: the signed manifest, which lists exactly these members in this order (checked: malformed). */
int bundle_write(int fd, const struct envelope *env, const struct bundle_member *members, size_t n, uint64_t mtime,
                 struct err *err);
/* Writes to out_fd the archive in in_fd with the manifest frame replaced, every other byte copied as it is. env has the signed
 * bytes that stand there already, with other signatures; other bytes would not fit the members: malformed. */
int bundle_replace_manifest(int in_fd, int out_fd, const struct envelope *env, struct err *err);
