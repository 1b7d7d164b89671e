/* SPDX-License-Identifier: Apache-2.0 */
/* An envelope that was taken apart can be put together again and says the same; nothing that a stranger sends is signed by us. */
#include "envelope.h"
#include "fuzz.h"

/* RFC 8032, 7.1, test 1. Nobody signs with it here: no input may be accepted. */
static const char public[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_envelope struct envelope env = {}, again = {};
        cleanup_keyring struct keyring ring = {};
        cleanup_buf struct buf text = {};
        cleanup_json json_t *j = NULL;
        struct sig_report report;
        uint8_t raw[32];
        struct err err = {};

        if (envelope_parse(data, size, &env, &err) < 0) {
                must(err.reason == REASON_MALFORMED || err.reason == REASON_TOO_LARGE);
                must(!env.sigs && !env.bytes.data);
                return 0;
        }
        must(env.n_sigs <= SIGNATURES_MAX);
        must(hex_decode(public, raw, sizeof(raw)) == 0 && keyring_add_raw(&ring, raw, &err) == 0);
        must(signatures_verify(env.bytes.data, env.bytes.len, env.sigs, env.n_sigs, &ring, 1, &report, &err) < 0);
        must(report.n_valid == 0 && report.n_unknown <= env.n_sigs);
        must(err.reason == REASON_BAD_SIGNATURE || err.reason == REASON_UNKNOWN_KEY);
        if (signed_open(env.bytes.data, env.bytes.len, "lsm-bundle", &j, &err) < 0)
                must(err.reason == REASON_MALFORMED || err.reason == REASON_WRONG_TYPE ||
                     err.reason == REASON_UNSUPPORTED_FORMAT);
        if (envelope_format(&env, &text, &err) < 0) {
                must(err.reason == REASON_TOO_LARGE);
                return 0;
        }
        must(envelope_parse(text.data, text.len, &again, &err) == 0);
        must(again.n_sigs == env.n_sigs);
        must(again.bytes.len == env.bytes.len && memcmp(again.bytes.data, env.bytes.data, env.bytes.len) == 0);
        return 0;
}
