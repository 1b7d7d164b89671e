/* SPDX-License-Identifier: Apache-2.0 */
/* A BPF token, really obtained: by a child, as the loader does it, which makes a map with it and ends. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "child.h"
#include "doctor.h"
#include "loader_proto.h"
#include "node.h"
#include "token.h"

#define TOKEN_TIMEOUT_NS 10000000000LL
#define MAP_FLAG_TOKEN (1U << 16) /* BPF_F_TOKEN_FD, which headers of 6.1 lack */

static int map_make(int delegated, struct err *err) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = MAP_FLAG_TOKEN);
        cleanup_fd int token = bpf_token_create(delegated, NULL), map = -1;

        if (token < 0)
                return err_errno(err, -errno, "BPF_TOKEN_CREATE");
        opts.token_fd = token;
        map = bpf_map_create(BPF_MAP_TYPE_HASH, "lsm_doctor", 4, 4, 1, &opts);
        return map < 0 ? err_errno(err, -errno, "there is a token, but no map can be made with it") : 0;
}

int token_check_main(int sock) {
        struct loader_packet p = {.message = LOADER_DONE};
        cleanup_fd int delegated = -1;
        struct err err = {0};
        int r = token_take(sock, &delegated, &err);

        if (r == -EOPNOTSUPP)
                p.message = LOADER_NO_TOKEN;
        else if (r < 0)
                p.message = LOADER_FAILED;
        else if (map_make(delegated, &err) < 0)
                p.message = LOADER_FAILED;
        snprintf(p.text, sizeof(p.text), "%.*s", (int)sizeof(p.text) - 1, err.msg);
        return msg_send(sock, &p, sizeof(p), NULL, 0) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int token_try(const struct doctor *d, struct err *err) {
        const struct child_spec spec = {.role = "@token-check", .cgroup = -1};
        int64_t deadline = monotonic_ns() + TOKEN_TIMEOUT_NS;
        struct child c = CHILD_INIT;
        struct loader_packet p;
        ssize_t n;
        uid_t uid;
        gid_t gid;
        int r;

        node_user(d->config->loader_user, &uid, &gid);
        r = child_spawn(&spec, &c, err);
        if (r < 0)
                return r;
        r = token_give(c.sock, c.pid, uid, gid, &waiter_plain, deadline, err);
        if (r >= 0) {
                n = msg_recv_wait(c.sock, &waiter_plain, deadline, &p, sizeof(p), NULL, NULL);
                p.text[sizeof(p.text) - 1] = '\0';
                if (n != sizeof(p))
                        r = err_set(err, n < 0 ? (int)n : -EPIPE, REASON_NONE, "the child that tried has died");
                else if (p.message != LOADER_DONE)
                        r = err_set(err, p.message == LOADER_NO_TOKEN ? -EOPNOTSUPP : -EIO, REASON_NONE, "%s", p.text);
        }
        child_kill(&c);
        return r;
}

void check_token(struct doctor *d) {
        struct err err = {0};
        int r;

        if (!d->config->bpf_token) {
                doctor_found(d, "token", FINDING_WARN, NULL, "not wanted, by the configuration");
                return;
        }
        if (geteuid() != 0) {
                doctor_found(d, "token", FINDING_WARN, "run this as root", "not tried");
                return;
        }
        r = token_try(d, &err);
        if (r == -EOPNOTSUPP)
                doctor_found(d, "token", FINDING_WARN, "boot a kernel of 6.9 or newer, with user namespaces",
                             "%s: the loader keeps CAP_BPF and CAP_PERFMON on the node", err.msg);
        else if (r < 0)
                doctor_found(d, "token", FINDING_FAIL,
                             "say \"bpf-token: false\" in the configuration, if that is how it is to be", "%s", err.msg);
        else
                doctor_found(d, "token", FINDING_OK, NULL, "obtained: the loader has no capability on the node");
}
