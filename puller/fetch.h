/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Obtaining a bundle, seen from the supervisor. An unprivileged child touches the network and the archive; nothing of what
 * it says is believed: the signatures over the exact bytes, then the manifest, then every member are checked here.
 */
#pragma once

#include "fetch_proto.h"
#include "release.h"
#include "sandbox.h"
#include "wait.h"

struct fetch_request {
        const char *url;                      /* https only; NULL: fd */
        int fd;                               /* a local file, read from where it stands; borrowed */
        const char *etag, *last_modified;     /* of what one has: then "not modified" is an answer. Each may be NULL */
        const char *ca;                       /* files, opened here, each may be NULL. The CA instead of the system's */
        const char *certificate, *client_key; /* PEM; both or none */
        const char *token;                    /* bearer token, sent to the URL's own host only */
        const char *proxy;                    /* URL; NULL: none. The environment is never asked */
        struct bundle_limits limits;
        int64_t timeout_ns;   /* for all of it */
        unsigned low_speed_s; /* gives up after that long below 1 KiB/s; 0: 30 */
        uid_t uid;            /* of the child, when we are root */
        gid_t gid;
        const char *exe; /* NULL: this program. Tests put a hostile one in its place */
};

struct fetched {
        bool not_modified;             /* there is nothing newer, and no release here */
        struct release release;        /* verified by this process */
        char *etag, *last_modified;    /* validators for the next time; NULL: the server gave none */
        struct sandbox_report sandbox; /* as the child reported it, before it touched anything */
        int retry_after_s;             /* on failure: the server asks to wait that long; 0: it did not say */
        int http_status;               /* also on failure: the server answered, and that; 0: no answer */
        struct fetch_stats stats;      /* advice, as is all that it says of itself */
};
#define FETCHED_INIT ((struct fetched){0})

void fetched_done(struct fetched *f);
#define cleanup_fetched cleanup(fetched_done)

/* On failure, ret holds retry_after_s, http_status and sandbox, nothing else. -ECANCELED: the waiter called it off. The child has
 * ended either way. A refusal's reason may come from the child: advice good enough to show, not to quarantine anything by. */
int fetch_bundle(const struct fetch_request *req, const struct bundle_trust *trust, struct waiter *w, struct fetched *ret,
                 struct err *err);

/* The child: serves one request that comes on sock, and ends the process. (An int, as every child's main.) */
int fetcher_main(int sock);
