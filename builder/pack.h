/* SPDX-License-Identifier: Apache-2.0 */
/* What was built, signed and written to its file. */
#pragma once

#include "build.h"
#include "sign.h"

/* The file is replaced whole, and only by an archive that was read back and found right. One that already is this bundle with
 * these signatures is not touched: *ret_unchanged. */
int bundle_pack(const struct build *b, const struct signers *signers, const char *output, char content_hex[static SHA256_HEX],
                bool *ret_unchanged, struct err *err);
