/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt by a repository's metadata: what it vouched for when the release was accepted. */
#include "repo_entry.h"
#include "store.h"

int receipt_content(const struct receipt *r, uint8_t ret[static SHA256_SIZE], struct tuf_trust **ret_trust, struct err *err) {
        const struct tuf_trust_options then = {.now = (int64_t)r->accepted, .ignore_expiry = true};
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        struct papers papers = r->papers; /* read only: there is nothing before them to be kept instead */
        struct repo_entry entry;
        int res;

        if (papers.n == 0 || papers.list[0].kind != PAPER_METADATA || !*r->target)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a receipt without metadata");
        res = papers_verify(&papers, &papers.list[0].s, NULL, &then, &trust, err);
        if (res >= 0)
                res = repo_entry_find(&papers, trust, r->target, &entry, NULL, err);
        if (res < 0)
                return res;
        memcpy(ret, entry.content, SHA256_SIZE);
        if (ret_trust)
                *ret_trust = steal_pointer(trust);
        return 0;
}
