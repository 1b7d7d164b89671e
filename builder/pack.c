/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "bundle_file.h"

/* Same manifest, same signatures, and every member as the manifest says: the same bundle, without compressing it again. */
static bool is_there(const char *output, const struct envelope *env) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup_buf struct buf ours = {}, theirs = {};
        struct stat st;

        return stat(output, &st) == 0 && S_ISREG(st.st_mode) && bundle_file_load(output, NULL, 0, &file, NULL) == 0 &&
               envelope_format(env, &ours, NULL) == 0 && envelope_format(&file.env, &theirs, NULL) == 0 &&
               ours.len == theirs.len && memcmp(ours.data, theirs.data, ours.len) == 0;
}

/* Reads the archive that was just written as a node would. */
static int archive_check(int fd, const struct signers *signers, struct err *err) {
        cleanup_keyring struct keyring ring = {};
        struct bundle_trust trust = {};
        int e = signers_ring(signers, &ring, err);

        if (e < 0)
                return e;
        if (signers->n > 0)
                trust = (struct bundle_trust){&ring, ring.n};
        if (lseek(fd, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "cannot read back what was written");
        e = bundle_read_fd(fd, &trust, NULL, &(struct bundle_sink){}, NULL, err);
        return e < 0 ? err_wrap(err, e, "the bundle that was made") : 0;
}

static int archive_write(const struct build *b, const struct build_archive *archive, const struct signers *signers,
                         const char *output, bool *ret_unchanged, struct err *err) {
        cleanup_fd int fd = memfd_create("bundle", MFD_CLOEXEC);
        int e;

        if (fd < 0)
                return err_errno(err, -errno, "cannot make a memory file");
        e = bundle_write(fd, &archive->env, archive->members, archive->n, b->provenance.date, err);
        if (e == 0)
                e = archive_check(fd, signers, err);
        return e < 0 ? e : file_publish(fd, output, 0644, ret_unchanged, err);
}

int bundle_pack(const struct build *b, const struct signers *signers, const char *output, char content_hex[static SHA256_HEX],
                bool *ret_unchanged, struct err *err) {
        cleanup_build_archive struct build_archive archive = {};
        uint8_t content[SHA256_SIZE];
        int e = build_archive_make(b, &archive, err);

        if (e == 0)
                e = signers_sign(signers, &archive.env, err);
        if (e < 0)
                return e;
        *ret_unchanged = is_there(output, &archive.env);
        if (!*ret_unchanged)
                e = archive_write(b, &archive, signers, output, ret_unchanged, err);
        if (e < 0)
                return e;
        e = sha256(archive.env.bytes.data, archive.env.bytes.len, content);
        hex_encode(content, sizeof(content), content_hex);
        return e < 0 ? err_errno(err, e, "digest") : 0;
}
