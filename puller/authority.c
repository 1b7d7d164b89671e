/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include <fcntl.h>

#include "fileio.h"
#include "repo_entry.h"
#include "repo_record.h"

/* The metadata of today, from the anchor of today; NULL: there is none. */
static struct tuf_trust *today(const struct node *n, struct papers *papers) {
        const struct tuf_trust_options options = {.ignore_expiry = true};
        struct tuf_trust *trust = NULL;

        if (repo_papers_load(n->state_fd, papers, NULL) < 0 || papers->n == 0 || papers->list[0].kind != PAPER_METADATA)
                return NULL;
        return papers_verify(papers, &papers->list[0].s, NULL, &options, &trust, NULL) < 0 ? NULL : trust;
}

static bool document_find(const struct tuf_trust *t, const char *role, size_t *ret) {
        struct tuf_document d;

        for (size_t i = 0; i < tuf_trust_documents(t); i++)
                if (tuf_trust_document(t, i, &d) >= 0 && streq(d.role, role)) {
                        *ret = i;
                        return true;
                }
        return false;
}

static bool anchor_is(const struct node *n, const struct papers *papers) {
        cleanup_tuf_signed struct tuf_signed anchor = {};
        cleanup_buf struct buf b = {};

        if (file_read(AT_FDCWD, n->config->root_file, TUF_ROOT_MAX, &b, NULL) < 0 ||
            tuf_signed_parse(b.data, b.len, &anchor, NULL) < 0)
                return true; /* not there: nobody has put another in its place */
        for (size_t i = 0; i < papers->n && papers->list[i].kind == PAPER_METADATA && streq(papers->list[i].name, "root"); i++)
                if (papers->list[i].s.bytes.len == anchor.bytes.len &&
                    memcmp(papers->list[i].s.bytes.data, anchor.bytes.data, anchor.bytes.len) == 0)
                        return true;
        return false;
}

static void compare(const struct node *n, const struct receipt *r, const struct tuf_document *then, struct authority *ret) {
        cleanup_papers struct papers papers = {};
        cleanup_tuf_trust struct tuf_trust *trust = today(n, &papers);
        struct tuf_target target;
        size_t document;

        if (!trust)
                return;
        ret->unlisted = papers_target(&papers, trust, r->target, &target, NULL) < 0; /* and the role's document is loaded by it */
        if (!document_find(trust, then->role, &document)) {
                ret->removed = ret->signers;
                return;
        }
        for (size_t i = 0; i < then->signers->n; i++)
                if (!tuf_trust_key_authorised(trust, document, then->signers->a[i].material))
                        ret->removed++;
}

int authority_find(const struct node *n, const struct receipt *r, struct authority *ret, struct err *err) {
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        struct papers papers = r->papers; /* read only */
        uint8_t content[SHA256_SIZE];
        struct tuf_document then;
        struct tuf_target target;
        int res;

        *ret = (struct authority){};
        if (!*r->target) {
                ret->signers = r->threshold;
                return 0;
        }
        ret->repository = true;
        res = receipt_content(r, content, &trust, err);
        if (res >= 0)
                res = papers_target(&papers, trust, r->target, &target, err);
        if (res >= 0)
                res = tuf_trust_document(trust, target.document, &then);
        if (res < 0)
                return res;
        ret->signers = then.signers->n;
        ret->old_anchor = !anchor_is(n, &papers);
        compare(n, r, &then, ret);
        return 0;
}
