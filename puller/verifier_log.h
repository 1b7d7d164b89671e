/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libbpf and the kernel's verifier had to say: collected from libbpf's print callback (which has no context argument, so
 * there is one collector per process, in the loader only), and trimmed to what matters for a message.
 */
#pragma once

#include <stddef.h>

#include "err.h"

struct verifier_log;

/* Makes libbpf print into the log. NULL: no memory. */
struct verifier_log *verifier_log_install(void);
void verifier_log_reset(struct verifier_log *log);
const char *verifier_log_text(const struct verifier_log *log);
size_t verifier_log_len(const struct verifier_log *log);

/* Says why bpf_object__load() failed with r: verifier-rejected with the verifier's last words, kernel-unsupported for a hook or
 * helper that is not here, load-failed for what is nobody's fault (memory, permissions). */
void verifier_log_explain(const struct verifier_log *log, int r, const char *policy, struct err *err);

/* The last lines that say something, of a log of n bytes: at most `size` bytes in ret, NUL-terminated. */
void verifier_log_trim(const char *log, size_t n, char *ret, size_t size);
