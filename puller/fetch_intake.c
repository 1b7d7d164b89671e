/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_intake.h"

#include <stdio.h>
#include <sys/stat.h>

#include "fetch_proto.h"
#include "fileio.h"

void intake_done(struct intake *in) {
        for (size_t i = 0; i < in->n_fds; i++)
                close(in->fds[i]);
        free(in->fds);
        manifest_free(in->manifest);
        free(in->sigs);
        buf_done(&in->bytes);
}

int intake_nonsense(struct err *err, const char *what) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "the fetcher misbehaves: %s", what);
}

/* Whole content of a sealed memory file; by position, because the sender shares the file's offset. */
int memory_file_read(int fd, size_t min, size_t max, struct buf *ret, struct err *err) {
        struct stat st;
        int r = memfd_check_sealed(fd, err);

        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "stat");
        if (st.st_size < (off_t)min || (uint64_t)st.st_size > max)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "%lld bytes, and %zu to %zu are allowed", (long long)st.st_size,
                               min, max);
        while (ret->len < (size_t)st.st_size) {
                char chunk[16384];
                ssize_t n = pread(fd, chunk, sizeof(chunk), ret->len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return err_errno(err, n < 0 ? -errno : -EIO, "read");
                if (buf_append(ret, chunk, n) < 0)
                        return err_errno(err, -ENOMEM, "read");
        }
        return 0;
}

static int signatures_parse(const struct buf *b, struct signature **ret, size_t *ret_n, struct err *err) {
        size_t n = b->len / sizeof(struct fetch_signature);
        cleanup_free struct signature *sigs = new_array(n, sizeof(*sigs));

        if (!sigs)
                return err_errno(err, -ENOMEM, "signatures");
        if (b->len % sizeof(struct fetch_signature) != 0)
                return intake_nonsense(err, "part of a signature");
        for (size_t i = 0; i < n; i++) {
                struct fetch_signature s;

                memcpy(&s, b->data + i * sizeof(s), sizeof(s));
                if (s.len > sizeof(sigs[i].sig))
                        return intake_nonsense(err, "a signature of impossible length");
                memcpy(sigs[i].keyid, s.keyid, sizeof(sigs[i].keyid));
                memcpy(sigs[i].sig, s.sig, s.len);
                sigs[i].len = s.len;
        }
        *ret = steal_pointer(sigs);
        *ret_n = n;
        return 0;
}

static int content_within_limits(const struct manifest *m, const struct bundle_limits *limits, struct err *err) {
        uint64_t sum = 0;

        if (m->n_members > limits->max_members)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "%zu members, and %zu are allowed", m->n_members,
                               limits->max_members);
        for (size_t i = 0; i < m->n_members; i++)
                if (add_overflows(sum, m->members[i].length, &sum) || sum > limits->max_content)
                        return err_set(err, -EFBIG, REASON_TOO_LARGE, "members of more than %llu bytes",
                                       (unsigned long long)limits->max_content);
        return 0;
}

/* Signatures over the exact bytes first, then what they say: from here on it is known how much may still come. */
int intake_manifest(struct intake *in, const int fds[static 2], struct err *err) {
        cleanup_buf struct buf sigs = {};
        int r;

        if (in->bytes.data)
                return intake_nonsense(err, "a second manifest");
        r = memory_file_read(fds[0], 1, MANIFEST_MAX, &in->bytes, err);
        if (r < 0)
                return err_wrap(err, r, "manifest");
        r = memory_file_read(fds[1], 0, SIGNATURES_MAX * sizeof(struct fetch_signature), &sigs, err);
        if (r < 0)
                return err_wrap(err, r, "signatures");
        r = signatures_parse(&sigs, &in->sigs, &in->n_sigs, err);
        if (r < 0)
                return r;
        r = bundle_trust_check(in->trust, in->bytes.data, in->bytes.len, in->sigs, in->n_sigs, NULL, err);
        if (r < 0)
                return r;
        r = manifest_parse(in->bytes.data, in->bytes.len, &in->manifest, err);
        if (r < 0)
                return r;
        r = content_within_limits(in->manifest, in->limits, err);
        if (r < 0)
                return r;
        in->fds = new_array(in->manifest->n_members, sizeof(*in->fds));
        return in->fds ? 0 : err_errno(err, -ENOMEM, "members");
}

int intake_member(struct intake *in, uint32_t member, int *fd, struct err *err) {
        if (!in->manifest || in->n_fds >= in->manifest->n_members || member != in->n_fds)
                return intake_nonsense(err, "a member that is not next");
        in->fds[in->n_fds++] = steal_fd(fd);
        return 0;
}

int intake_finish(struct intake *in, struct release *ret, struct err *err) {
        size_t n = in->n_fds;

        if (!in->manifest || n < in->manifest->n_members)
                return intake_nonsense(err, "it is done before it has sent everything");
        in->n_fds = 0; /* closed by release_verify() */
        return release_verify(&in->bytes, steal_pointer(in->sigs), in->n_sigs, in->fds, n, in->trust, ret, err);
}
