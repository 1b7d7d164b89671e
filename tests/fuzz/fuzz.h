/* SPDX-License-Identifier: Apache-2.0 */
/* One function per target, called by libFuzzer (`make fuzz`) or, with the files of the corpus, by replay.c
 * (`make check-fuzz`). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input: an abort, so that every driver sees it. */
#define must(x)                                                                            \
        do {                                                                               \
                if (!(x)) {                                                                \
                        fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #x); \
                        abort();                                                           \
                }                                                                          \
        } while (0)
