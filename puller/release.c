/* SPDX-License-Identifier: Apache-2.0 */
#include "release.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"

static void fds_close(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++) {
                close_p(&fds[i]);
                fds[i] = -1;
        }
}

void release_done(struct release *r) {
        if (r->members)
                fds_close(r->members, r->manifest->n_members);
        free(r->members);
        manifest_free(r->manifest);
        free(r->sigs);
        buf_done(&r->signed_bytes);
        *r = RELEASE_INIT;
}

/*
 * The same file, opened anew: whoever sent the descriptor may have kept it, and with it the file position and the status flags,
 * which all holders of one open file share. Read-only, so nothing downstream can even try to write.
 */
static int member_reopen(int fd, struct err *err) {
        char path[sizeof("/proc/self/fd/") + 11];
        int own;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        own = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        return own < 0 ? err_errno(err, -errno, "open a received descriptor") : own;
}

static int on_piece(void *digest, const void *p, size_t n, struct err *err) {
        return digest_update(digest, p, n) < 0 ? err_errno(err, -EIO, "SHA-256") : 0;
}

static int member_digest(int fd, uint64_t length, uint8_t ret[static SHA256_SIZE], struct err *err) {
        cleanup_digest struct digest *digest = digest_new();
        int r;

        if (!digest)
                return err_errno(err, -ENOMEM, "SHA-256");
        r = fd_read_pieces(fd, length, on_piece, digest, err);
        if (r < 0)
                return r;
        return digest_finish(digest, ret) < 0 ? err_errno(err, -EIO, "SHA-256") : 0;
}

/* Returns a descriptor of our own for a member whose content is as listed; `fd` stays the caller's. */
static int member_verify(int fd, const struct manifest_member *m, struct err *err) {
        cleanup_fd int own = -1;
        uint8_t sha256[SHA256_SIZE];
        struct stat st;
        int r;

        /* Sealed comes first: what follows is true only of bytes that nobody can change any more. */
        r = memfd_check_sealed(fd, err);
        if (r < 0)
                return r;
        own = member_reopen(fd, err);
        if (own < 0)
                return own;
        if (fstat(own, &st) < 0)
                return err_errno(err, -errno, "stat");
        if (st.st_size < 0 || (uint64_t)st.st_size != m->length)
                return err_set(err, -EBADMSG, REASON_LENGTH_MISMATCH, "%lld bytes, and %llu are listed", (long long)st.st_size,
                               (unsigned long long)m->length);
        r = member_digest(own, m->length, sha256, err);
        if (r < 0)
                return r;
        if (!digest_equal(sha256, m->sha256))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "its SHA-256 is not the listed one");
        return steal_fd(&own);
}

static int members_verify(int *fds, size_t n_fds, struct release *rel, struct err *err) {
        const struct manifest *m = rel->manifest;

        if (n_fds != m->n_members)
                return err_set(err, -EBADMSG, n_fds < m->n_members ? REASON_MISSING_MEMBER : REASON_UNLISTED_MEMBER,
                               "%zu members, and %zu are listed", n_fds, m->n_members);
        rel->members = new_array(m->n_members, sizeof(*rel->members));
        if (!rel->members)
                return err_errno(err, -ENOMEM, "members");
        for (size_t i = 0; i < m->n_members; i++)
                rel->members[i] = -1;
        for (size_t i = 0; i < m->n_members; i++) {
                int r = member_verify(fds[i], &m->members[i], err);

                if (r < 0)
                        return err_wrap(err, r, "member '%s'", m->members[i].path);
                rel->members[i] = r;
                fds_close(&fds[i], 1); /* now, so that a release of thousands needs them open only once */
        }
        return 0;
}

static int verify(struct release *rel, int *fds, size_t n_fds, const struct bundle_trust *trust, struct err *err) {
        int r;

        /* Nobody to believe is inspection, which no node does; and no threshold would be met by no signature. */
        if (!bundle_trust_decides(trust))
                return err_set(err, -EINVAL, REASON_UNKNOWN_KEY, "no key is trusted");
        r = bundle_trust_check(trust, rel->signed_bytes.data, rel->signed_bytes.len, rel->sigs, rel->n_sigs, &rel->report, err);
        if (r < 0)
                return r;
        r = manifest_parse(rel->signed_bytes.data, rel->signed_bytes.len, &rel->manifest, err); /* type and format first */
        if (r < 0)
                return r;
        return members_verify(fds, n_fds, rel, err);
}

int release_verify(struct buf *signed_bytes, struct signature *sigs, size_t n_sigs, int *fds, size_t n_fds,
                   const struct bundle_trust *trust, struct release *ret, struct err *err) {
        cleanup_release struct release rel = RELEASE_INIT;
        int r;

        rel.signed_bytes = *signed_bytes;
        *signed_bytes = (struct buf){};
        rel.sigs = sigs;
        rel.n_sigs = n_sigs;

        r = verify(&rel, fds, n_fds, trust, err);
        fds_close(fds, n_fds); /* what is kept are descriptors of our own */
        if (r < 0)
                return r;
        *ret = rel;
        rel = RELEASE_INIT;
        return 0;
}
