/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_frame.h"

#include "bundle_tar.h"
#include "manifest.h"

int bundle_manifest_read(struct zframes *z, struct envelope *ret, uint64_t *ret_mtime, struct err *err) {
        cleanup_bundle_tar struct bundle_tar *tar = NULL;
        cleanup_buf struct buf b = {};
        struct bundle_entry e;
        const void *p;
        size_t n;
        int r;

        r = zframes_next(z, err);
        if (r < 0)
                return r;
        r = bundle_tar_new(z, MANIFEST_MAX + 2 * TAR_BLOCK, &tar, err);
        if (r < 0)
                return r;
        r = bundle_tar_next(tar, &e, err);
        if (r < 0)
                return r;
        if (r == 0 || !streq(e.path, MANIFEST_PATH))
                return err_set(err, -EBADMSG, REASON_MISSING_MEMBER, "it does not begin with %s", MANIFEST_PATH);
        if (e.length > MANIFEST_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a manifest of more than %u bytes", MANIFEST_MAX);
        if (buf_reserve(&b, e.length) < 0)
                return err_errno(err, -ENOMEM, "manifest");
        while ((r = bundle_tar_data(tar, &p, &n, err)) > 0)
                if (buf_append(&b, p, n) < 0)
                        return err_errno(err, -ENOMEM, "manifest");
        if (r < 0)
                return r;
        /* One header, the text, its padding: the manifest is replaced as a frame, so the frame holds nothing else. */
        r = bundle_tar_finish(tar, TAR_BLOCK + (e.length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK, err);
        if (r < 0)
                return err_wrap(err, r, "the manifest's frame");
        *ret_mtime = e.mtime;
        return envelope_parse(b.data, b.len, ret, err);
}
