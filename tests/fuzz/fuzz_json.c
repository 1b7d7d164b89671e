/* SPDX-License-Identifier: Apache-2.0 */
/* What is accepted has one canonical text, and that text is accepted and is its own canonical text. */
#include "fuzz.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_json json_t *j = NULL, *again = NULL;
        cleanup_buf struct buf a = {}, b = {};
        struct err err = {};

        if (json_parse(data, size, &j, &err) < 0) {
                must(err.reason == REASON_MALFORMED);
                must(!j);
                return 0;
        }
        must(json_canonical(j, &a, &err) == 0);
        for (size_t i = 0; i < a.len; i++)
                must((uint8_t)a.data[i] >= 0x20 && (uint8_t)a.data[i] != 0x7f);
        must(json_parse(a.data, a.len, &again, &err) == 0);
        must(json_equal(j, again));
        must(json_canonical(again, &b, &err) == 0);
        must(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
        return 0;
}
