/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside (verifier logs, names of tasks, messages of others), made fit for a line, a terminal and JSON. */
#pragma once

#include <stddef.h>

/* One line of valid UTF-8 in at most size - 1 bytes: control characters become spaces, bytes that are not UTF-8 become '?',
 * and what does not fit is cut between two characters. ret may be text itself. */
void text_clean(char *ret, size_t size, const char *text);
