/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys of a command line, and files that are replaced whole. */
#pragma once

#include "cmd.h"
#include "envelope.h"

struct signers {
        struct privkey **keys;
        size_t n;
};
void signers_done(struct signers *s);
#define cleanup_signers cleanup(signers_done)
int signers_add(struct signers *s, const char *path_or_uri, struct err *err);
/* Every --key of a command line. */
int signers_load(const struct args *args, struct signers *ret, struct err *err);
/* The same key twice signs once. */
int signers_sign(const struct signers *s, struct envelope *env, struct err *err);
/* Their public keys. */
int signers_ring(const struct signers *s, struct keyring *ret, struct err *err);

/* The content of a memory file as PATH: nothing but the whole file is ever seen there, also after a power cut. mode: of a new
 * file; an existing one keeps its own. ret_unchanged: PATH already held these very bytes and was not touched. */
int file_publish(int memfd, const char *path, mode_t mode, bool *ret_unchanged, struct err *err);
