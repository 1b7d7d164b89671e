/* SPDX-License-Identifier: Apache-2.0 */
/* libbpf's own words: it reports an errno and prints the reason, so its printing is kept for the message. */
#pragma once

#include "buf.h"

/* Between the two, warnings of this thread's libbpf calls are appended to text (which may be NULL: dropped). */
void libbpf_log_begin(struct buf *text);
void libbpf_log_end(void);
/* The last line of what was kept, without "libbpf: "; "" when there is none. Cuts the text. */
const char *libbpf_log_last(struct buf *text);
