/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a stored release back: as hostile as a download, until it has been verified. */
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "folder.h"
#include "record.h"
#include "store_format.h"

struct stored {
        int dir;
        struct receipt receipt;
        uint8_t content[SHA256_SIZE]; /* that the receipt's papers vouch for */
        struct bundle_trust trust;
        struct buf signed_bytes;
        struct signature *sigs;
        size_t n_sigs;
        struct manifest *manifest;
        int *fds; /* manifest->n_members of them, once it is there */
};

static void stored_done(struct stored *s) {
        if (s->fds)
                for (size_t i = 0; i < s->manifest->n_members; i++)
                        close_p(&s->fds[i]);
        free(s->fds);
        manifest_free(s->manifest);
        free(s->sigs);
        buf_done(&s->signed_bytes);
        receipt_done(&s->receipt);
        close_p(&s->dir);
}

static int whole_read(int dir, const char *name, size_t max, struct buf *ret, struct err *err) {
        cleanup_fd int fd = regular_open(dir, name, err);
        int r;

        if (fd < 0)
                return fd;
        r = fd_read_all(fd, max, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", name) : 0;
}

/* Exactly these names, which are sorted. */
static int listing_check(int dir, const char *const *expected, size_t n, struct err *err) {
        cleanup_names struct names names = {};
        int r = folder_list(dir, &names, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < names.n || i < n; i++) {
                int order = i >= names.n ? 1 : i >= n ? -1 : strcmp(names.list[i], expected[i]);

                if (order > 0)
                        return err_set(err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is missing", expected[i]);
                if (order < 0)
                        return err_set(err, -EBADMSG, REASON_UNLISTED_MEMBER, "'%.80s' does not belong here", names.list[i]);
        }
        return 0;
}

static int members_check(int dir, size_t n, struct err *err) {
        cleanup_free char(*names)[MEMBER_NAME_LEN] = new_array(n, sizeof(*names));
        cleanup_free const char **expected = new_array(n, sizeof(*expected));

        if (!names || !expected)
                return err_errno(err, -ENOMEM, "members");
        for (size_t i = 0; i < n; i++) {
                member_name(i, names[i]);
                expected[i] = names[i];
        }
        return listing_check(dir, expected, n, err);
}

/* What is verified and used is the copy in memory: nobody can change it between the two. */
static int member_load(int dir, size_t i, uint64_t length, struct err *err) {
        cleanup_fd int fd = -1, mem = -1;
        char name[MEMBER_NAME_LEN];
        struct stat st;
        int r;

        member_name(i, name);
        fd = regular_open(dir, name, err);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "%s", name);
        if ((uint64_t)st.st_size != length)
                return err_set(err, -EBADMSG, REASON_LENGTH_MISMATCH, "%s: %lld bytes, and %llu are listed", name,
                               (long long)st.st_size, (unsigned long long)length);
        mem = memfd_new("member", err);
        if (mem < 0)
                return mem;
        r = content_copy(fd, mem, length, err);
        if (r >= 0)
                r = memfd_seal(mem, err);
        return r < 0 ? err_wrap(err, r, "%s", name) : steal_fd(&mem);
}

static int members_load(struct stored *s, struct err *err) {
        size_t n = s->manifest->n_members;
        cleanup_fd int dir = folder_open(s->dir, STORE_MEMBERS, false, err);
        int r;

        if (dir < 0)
                return dir;
        r = members_check(dir, n, err);
        if (r < 0)
                return err_wrap(err, r, STORE_MEMBERS);
        s->fds = new_array(n, sizeof(*s->fds));
        if (!s->fds)
                return err_errno(err, -ENOMEM, STORE_MEMBERS);
        for (size_t i = 0; i < n; i++)
                s->fds[i] = -1;
        for (size_t i = 0; i < n; i++) {
                r = member_load(dir, i, s->manifest->members[i].length, err);
                if (r < 0)
                        return err_wrap(err, r, STORE_MEMBERS);
                s->fds[i] = r;
        }
        return 0;
}

static int papers_load(struct stored *s, struct err *err) {
        static const char *const by_keys[] = {STORE_MEMBERS, STORE_RECEIPT, STORE_SIGNATURES, STORE_SIGNED};
        static const char *const by_papers[] = {STORE_MEMBERS, STORE_PAPERS, STORE_RECEIPT, STORE_SIGNATURES, STORE_SIGNED};
        cleanup_buf struct buf sigs = {}, papers = {};
        cleanup_json json_t *doc = NULL;
        bool vouched;
        int r;

        r = record_load(s->dir, STORE_RECEIPT, RECEIPT_TYPE, RECEIPT_MAX, &doc, err);
        if (r < 0)
                return r == -ENOENT ? err_set(err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is missing", STORE_RECEIPT) : r;
        r = receipt_decode(doc, &s->receipt, err);
        if (r < 0)
                return err_wrap(err, r, STORE_RECEIPT);
        vouched = *s->receipt.target;
        r = listing_check(s->dir, vouched ? by_papers : by_keys, vouched ? ARRAY_SIZE(by_papers) : ARRAY_SIZE(by_keys), err);
        if (r >= 0 && vouched)
                r = whole_read(s->dir, STORE_PAPERS, PAPERS_MAX, &papers, err);
        if (r >= 0 && vouched)
                r = papers_unpack(papers.data, papers.len, &s->receipt.papers, err);
        if (r < 0)
                return r;
        r = receipt_check(&s->receipt, err);
        if (r < 0)
                return err_wrap(err, r, STORE_RECEIPT);
        r = whole_read(s->dir, STORE_SIGNATURES, STORE_SIGNATURES_MAX, &sigs, err);
        if (r < 0)
                return r;
        r = signatures_decode(sigs.data, sigs.len, &s->sigs, &s->n_sigs, err);
        if (r < 0)
                return err_wrap(err, r, STORE_SIGNATURES);
        return whole_read(s->dir, STORE_SIGNED, MANIFEST_MAX, &s->signed_bytes, err);
}

/* Whom the receipt says to believe. */
static int trust_take(struct stored *s, struct err *err) {
        int r;

        if (!*s->receipt.target) {
                s->trust = (struct bundle_trust){.ring = &s->receipt.ring, .threshold = s->receipt.threshold};
                return 0;
        }
        r = receipt_content(&s->receipt, s->content, NULL, err);
        s->trust = (struct bundle_trust){.content = s->content};
        return r < 0 ? err_wrap(err, r, STORE_PAPERS) : 0;
}

static int stored_load(struct stored *s, const char *content_hex, struct err *err) {
        int r;

        r = papers_load(s, err);
        if (r >= 0)
                r = trust_take(s, err);
        if (r < 0)
                return r;
        /* release_verify() does this again. It is done here first, because how many members are read into memory, and how
         * long they are, must not be the disk's word. */
        r = bundle_trust_check(&s->trust, s->signed_bytes.data, s->signed_bytes.len, s->sigs, s->n_sigs, NULL, err);
        if (r >= 0)
                r = manifest_parse(s->signed_bytes.data, s->signed_bytes.len, &s->manifest, err);
        if (r < 0)
                return r;
        if (!streq(s->manifest->content_hex, content_hex))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "it holds %s", s->manifest->content_hex);
        return members_load(s, err);
}

static int release_get(struct stored *s, const char *content_hex, struct release *ret, struct err *err) {
        int r = stored_load(s, content_hex, err);

        if (r < 0)
                return r;
        return release_verify(&s->signed_bytes, steal_pointer(s->sigs), s->n_sigs, s->fds, s->manifest->n_members, &s->trust, ret,
                              err);
}

int store_get(int state_fd, const char *content_hex, struct release *ret, struct receipt *ret_receipt, struct err *err) {
        cleanup(stored_done) struct stored s = {.dir = -1};
        cleanup_fd int store = -1;
        int r;

        r = content_hex_check(content_hex, err);
        if (r < 0)
                return r;
        store = folder_open(state_fd, STORE_FOLDER, false, err);
        if (store < 0)
                return store;
        s.dir = folder_open(store, content_hex, false, err);
        if (s.dir < 0)
                return err_wrap(err, s.dir, STORE_FOLDER);
        r = release_get(&s, content_hex, ret, err);
        if (r == -ENOENT) /* below the release's folder, something missing is damage, and not "no such release" */
                r = -EBADMSG;
        if (r < 0)
                return err_wrap(err, r, STORE_FOLDER "/%s", content_hex);
        if (ret_receipt) {
                *ret_receipt = s.receipt;
                s.receipt = (struct receipt){};
        }
        return 0;
}
