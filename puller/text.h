/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside (verifier logs, names of tasks, messages of others), made fit for a line, a terminal and JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of valid UTF-8 in at most size - 1 bytes: control characters become spaces, bytes that are not UTF-8 become '?',
 * and what does not fit is cut between two characters. ret may be text itself. */
void text_clean(char *ret, size_t size, const char *text);

/* The character that begins at text, in *ret, and its length in bytes; 0: these bytes are not UTF-8 (RFC 3629). The text must be
 * terminated. */
size_t utf8_decode(const char *text, uint32_t *ret);
bool utf8_valid(const void *p, size_t n);
