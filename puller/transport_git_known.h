/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom ssh may talk to: OpenSSH's known_hosts, by libssh2, and what that does not do. As OpenSSH does, lines that are not understood
 * are passed over: what is not known is refused. Certificates are not understood. Nothing is ever added.
 */
#pragma once

#include <libssh2.h>

#include "buf.h"
#include "err.h"

struct ssh_known {
        LIBSSH2_KNOWNHOSTS *hosts;
        const struct buf *file; /* borrowed */
        unsigned bad_line;      /* the first that was not understood; 0: none */
};

int ssh_known_load(struct ssh_known *k, LIBSSH2_SESSION *session, const struct buf *file, struct err *err);
/* Before the session. Of {}, too. */
void ssh_known_done(struct ssh_known *k);
/* The kinds of keys that are known of this host, as libssh2 wants them listed. -EACCES: none. */
int ssh_known_kinds(const struct ssh_known *k, const char *host, uint16_t port, struct buf *ret, struct err *err);
/* -EACCES: this is not the host's key, or it has been revoked. */
int ssh_known_check(const struct ssh_known *k, const char *host, uint16_t port, const char *key, size_t n, struct err *err);
