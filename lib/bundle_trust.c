/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

bool bundle_trust_decides(const struct bundle_trust *trust) {
        return trust && (trust->content || (trust->ring && trust->ring->n > 0 && trust->threshold > 0));
}

/* Which of the ring's keys have signed is worth showing; it decides nothing. */
static void report_fill(const struct bundle_trust *trust, const void *p, size_t n, const struct signature *sigs, size_t n_sigs,
                        struct sig_report *ret) {
        *ret = (struct sig_report){.n_unknown = n_sigs};
        if (trust->ring && trust->ring->n > 0)
                signatures_verify(p, n, sigs, n_sigs, trust->ring, 1, ret, NULL);
}

int bundle_trust_check(const struct bundle_trust *trust, const void *p, size_t n, const struct signature *sigs, size_t n_sigs,
                       struct sig_report *ret_report, struct err *err) {
        uint8_t content[SHA256_SIZE];

        if (!trust || (!trust->content && !trust->ring))
                return err_set(err, -EINVAL, REASON_UNKNOWN_KEY, "no key is trusted");
        if (!trust->content)
                return signatures_verify(p, n, sigs, n_sigs, trust->ring, trust->threshold, ret_report, err);
        if (ret_report)
                report_fill(trust, p, n, sigs, n_sigs, ret_report);
        if (sha256(p, n, content) < 0)
                return err_errno(err, -EIO, "SHA-256");
        if (!digest_equal(content, trust->content)) {
                char found[SHA256_HEX], wanted[SHA256_HEX];

                hex_encode(content, sizeof(content), found);
                hex_encode(trust->content, SHA256_SIZE, wanted);
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "the bundle's content id is %s, and %s is listed", found,
                               wanted);
        }
        return 0;
}
