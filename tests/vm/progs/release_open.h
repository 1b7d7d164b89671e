/* SPDX-License-Identifier: Apache-2.0 */
/* A release from a bundle's file, by way of the agent's own fetcher, for programs that drive the agent's code. */
#pragma once

#include <fcntl.h>

#include "fetch.h"
#include "node.h"
#include "wait.h"

static inline int release_open(const char *path, const struct keyring *ring, struct release *ret, struct err *err) {
        const struct bundle_trust trust = {.ring = ring, .threshold = 1};
        struct fetch_request req = {.limits = bundle_limits_default, .timeout_ns = 60000000000LL, .exe = "/usr/sbin/lsmpull"};
        struct fetched f = FETCHED_INIT;
        int r;

        req.fd = open(path, O_RDONLY | O_CLOEXEC);
        if (req.fd < 0)
                return err_errno(err, -errno, "%s", path);
        node_user("lsmpull-fetch", &req.uid, &req.gid);
        r = fetch_bundle(&req, &trust, &waiter_plain, &f, err);
        close(req.fd);
        if (r >= 0)
                *ret = f.release;
        return r;
}
