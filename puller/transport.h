/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a release repository's files come from: an HTTPS server, a Git branch or a folder. Runs in the unprivileged fetcher;
 * whatever it brings is unverified.
 *
 * Paths are those of files in the repository: relative, "/" between folders. All kinds answer in the same way: -ENOENT for what
 * is not there and -EPERM for what a web server forbids (403), both for nothing else, too-large for what is longer than the caller takes, unsafe-path and not-a-file for what no
 * honest repository holds, no stable reason for servers and networks that fail. Everything ends in time, with memory and disk
 * bounded by what the request says. docs/transports.md is the same for operators.
 */
#pragma once

#include "buf.h"
#include "err.h"
#include "sandbox.h"

#define TRANSPORT_REVISION_SIZE 65
#define TRANSPORT_VALIDATOR_MAX 256
#define TRANSPORT_PORTS_MAX 4

enum transport_kind { TRANSPORT_HTTPS, TRANSPORT_GIT, TRANSPORT_DIR };

/* Borrowed, as is all that it points to: must outlive the transport. */
struct transport_request {
        enum transport_kind kind;
        const char *url;    /* https: what paths are relative to. git: https://, ssh://, USER@HOST:PATH or an absolute path.
                             * dir: an absolute path */
        const char *branch; /* git; NULL: main */
        const char *subdir; /* git: the folder of the tree that paths are relative to; NULL: its top */

        const struct buf *ca, *certificate, *key; /* PEM; NULL: the system's CAs, no client certificate */
        const char *token;                        /* https: bearer token. git over https: the user's password */
        const char *user;  /* the token is this user's password; NULL: git's is the URL's user's, or else "git"'s */
        const char *proxy; /* of https; NULL: none */
        const struct buf *ssh_key, *known_hosts; /* git over ssh: a private key without passphrase; OpenSSH's known_hosts */

        /* A folder of its own, kept from one poll to the next; every folder above it must be searchable for the fetcher's user.
         * -1 and NULL: nothing is kept, and git has local paths only. */
        int spool;
        const char *spool_path;

        uint64_t max_poll;  /* bytes received in all, by this transport */
        long timeout_ms;    /* for all of it, from transport_open() on */
        long low_speed_s;   /* gives up after that long below 1 KiB/s, or without a sign of life */
        unsigned max_packs; /* git: after so many fetches the spool's repository is made anew; 0: 32 */
};

struct transport_stats {
        unsigned requests;     /* connections' requests; for git also the list of branches */
        uint64_t received;     /* bytes, without protocol overhead below them */
        int retry_after_s;     /* of the last failure: the server asks to wait that long; 0: it did not say */
        int http_status;       /* of the last answer; 0: none, or no HTTP */
        unsigned resumed;      /* downloads that went on where one had stopped */
        bool fetched, renewed; /* git: something was fetched; into a new repository */
};

/* What one got last time, for the next: "" when there is nothing. Kept by the caller, and only when what came was used. */
struct transport_seen {
        char etag[TRANSPORT_VALIDATOR_MAX]; /* git: the commit */
        char last_modified[TRANSPORT_VALIDATOR_MAX];
};

struct transport;

/* What this source needs of the sandbox: fills profile, readable, writable_dir, ports and n_ports of *spec. Refuses what cannot be
 * meant (bad-configuration) before anything is sent. Of credentials it matters only whether there are any: they may be empty yet.
 * *needs must live until sandbox_enter() has returned. */
struct transport_needs {
        const char *readable[48];
        uint16_t ports[TRANSPORT_PORTS_MAX];
        size_t n_ports;
};
int transport_sandbox(const struct transport_request *req, struct transport_needs *needs, struct sandbox_spec *spec,
                      struct err *err);

/* Files and folders, NULL-terminated, that the libraries of a child which talks to the network read; and of one that does not. */
const char *const *transport_readable(bool network);

/* Talks to nobody yet. */
int transport_open(const struct transport_request *req, struct transport **ret, struct err *err);
void transport_close(struct transport *t);
#define cleanup_transport cleanup(transport_close_p)
static inline void transport_close_p(struct transport **t) {
        transport_close(*t);
}

/* git: the id of the branch's newest commit, in hex, asked for once; nothing is fetched. Others: "". */
int transport_revision(struct transport *t, char ret[static TRANSPORT_REVISION_SIZE], struct err *err);
/* The whole file, appended to out; on failure out is unchanged. */
int transport_get(struct transport *t, const char *path, uint64_t max, struct buf *out, struct err *err);
/* The same, unless it is what was seen last time: then *ret_changed is false, and out and seen are unchanged. For git it is the
 * commit that is compared, and nothing at all is fetched when it is the same. A folder always answers with the file. */
int transport_get_changed(struct transport *t, const char *path, uint64_t max, struct transport_seen *seen, struct buf *out,
                          bool *ret_changed, struct err *err);
/* A large file that never changes under its path: a descriptor of it, at its start, that nobody else has. What a broken connection
 * has left in the spool is gone on with, in this poll and in the next. */
int transport_get_file(struct transport *t, const char *path, uint64_t max, int *ret_fd, struct err *err);
/* Also after a failure. */
const struct transport_stats *transport_stats(const struct transport *t);
