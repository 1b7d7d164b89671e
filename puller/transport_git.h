/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between transport_git*.c, which alone know libgit2 (and, for ssh, libssh2); nobody else's business.
 *
 * The spool holds one bare repository, SPOOL/git, with one reference, the branch's tip as it was fetched last. It is a cache:
 * whatever is wrong with it, it is thrown away and fetched anew.
 */
#pragma once

#include <git2.h>
#include <git2/sys/repository.h>
#include <git2/sys/transport.h>

#include "https.h"
#include "transport_names.h"
#include "transport_parts.h"

struct branch_transport {
        struct transport base;
        struct branch_address address;
        git_repository *repo; /* of the spool, or the local one; NULL: not opened yet */
        git_remote *remote;   /* connected; NULL: not */
        git_oid tip;          /* of the branch, where it is */
        bool tip_known;
        bool tip_here; /* and its objects are in repo */
        struct https_session *session;
        uint16_t ports[HTTPS_PORTS_MAX];
        size_t n_ports;
        git_smart_subtransport_definition way;
        int failed; /* of our own callbacks, on which libgit2 gives up with a message that says less */
        struct err failure;
};

/* What our callbacks hand back to libgit2: r is 0, or what err_...(&t->failure, ...) has returned. The first failure stays. */
static inline int branch_callback(struct branch_transport *t, int r) {
        if (r < 0 && t->failed == 0)
                t->failed = r;
        return r < 0 ? GIT_EUSER : 0;
}

#define BRANCH_TIP "refs/lsmpull/tip"

/* libgit2's last error, as ours: what our callbacks had to say counts more. Returns a negative errno, never -ENOENT. */
int branch_error(struct branch_transport *t, int code, struct err *err, const char *what);

/* ---- transport_git_store.c ---- */

/* SPOOL/git, made when it is not there or not fit to be used. */
int branch_store_open(struct branch_transport *t, struct err *err);
/* Where to fetch to: SPOOL/git, or an empty one beside it when that has become too large. */
int branch_store_fetch_begin(struct branch_transport *t, struct err *err);
/* It has been fetched: what was fetched to is SPOOL/git from now on. */
int branch_store_fetch_end(struct branch_transport *t, struct err *err);
/* It has not: nothing of the attempt stays. */
void branch_store_fetch_failed(struct branch_transport *t);
/* The store is of no use: the next fetch makes a new one. A local repository is left alone. */
void branch_store_discard(struct branch_transport *t);

/* ---- transport_git_tree.c ---- */

/* The id and size of the file at PATH below the subdir, in the tip's tree. -ENOENT, unsafe-path, not-a-file, too-large. */
int branch_blob_find(struct branch_transport *t, const char *path, uint64_t max, git_oid *ret, struct err *err);

/* ---- transport_git_http.c, transport_git_ssh.c: the ways libgit2 reaches another machine ---- */

int branch_http_new(git_smart_subtransport **ret, git_transport *owner, void *branch_transport);
int branch_ssh_new(git_smart_subtransport **ret, git_transport *owner, void *branch_transport);
