/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>

#include "child.h"
#include "fileio.h"
#include "loader_proto.h"
#include "loader_scope.h"
#include "mounts.h"
#include "token.h"

#define LOG_MAX (16u << 20)

uint32_t bundle_number(const char *name) {
        uint32_t h = 2166136261u; /* FNV-1a */

        for (; *name; name++)
                h = (h ^ (uint8_t)*name) * 16777619u;
        return h;
}

void loaded_done(struct loaded *l) {
        for (size_t i = 0; i < l->n_policies; i++) {
                struct loaded_policy *p = &l->policies[i];

                for (size_t j = 0; p->programs && j < l->manifest->policies[i].n_programs; j++)
                        close_p(&p->programs[j]);
                free(p->programs);
                close_p(&p->counters);
                close_p(&p->rule_counts);
                close_p(&p->rule_table);
                close_p(&p->rule_cells);
                close_p(&p->rule_roots);
                close_p(&p->scope_hash);
                close_p(&p->scope_probes);
        }
        free(l->policies);
        *l = (struct loaded){0};
}

static int loaded_init(const struct manifest *m, struct loaded *l) {
        *l = (struct loaded){.manifest = m, .n_policies = m->n_policies, .rules = manifest_has_engine(m)};
        l->policies = new_array(m->n_policies, sizeof(*l->policies));
        if (!l->policies)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_policies; i++)
                l->policies[i] = (struct loaded_policy){.counters = -1,
                                                        .rule_counts = -1,
                                                        .rule_table = -1,
                                                        .rule_cells = -1,
                                                        .rule_roots = -1,
                                                        .scope_hash = -1,
                                                        .scope_probes = -1};
        for (size_t i = 0; i < m->n_policies; i++) {
                l->policies[i].programs = new_array(m->policies[i].n_programs, sizeof(int));
                if (!l->policies[i].programs)
                        return -ENOMEM;
                for (size_t j = 0; j < m->policies[i].n_programs; j++)
                        l->policies[i].programs[j] = -1;
        }
        return 0;
}

/* Its reader is the loader, and its text is as of then. */
static int send_mounts(int sock) {
        cleanup_fd int fd = mounts_open();

        return fd < 0 ? fd : msg_send(sock, "t", 1, &fd, 1);
}

static int send_work(int sock, const struct loader_request *req, struct err *err) {
        struct loader_start start = {
                .slot = req->slot,
                .bundle_number = req->bundle_number,
                .audit = req->audit,
                .shadow = req->shadow,
                .use_token = req->use_token,
                .uid = req->uid,
                .gid = req->gid,
                .n_members = (uint32_t)req->release->manifest->n_members,
                .n_hooks = (uint32_t)req->plan->n,
                .cgroup_storage = scope_storage_there(req->release->manifest),
                .kernel = req->kernel,
        };
        cleanup_fd int manifest = -1;
        int r;

        snprintf(start.lowered, sizeof(start.lowered), "%s", req->lowered ? req->lowered : "");
        manifest = memfd_sealed("manifest", req->release->signed_bytes.data, req->release->signed_bytes.len, err);
        if (manifest < 0)
                return manifest;
        r = msg_send(sock, &start, sizeof(start), &manifest, 1);
        for (size_t i = 0; r >= 0 && i < start.n_members; i++)
                r = msg_send(sock, "m", 1, &req->release->members[i], 1);
        for (size_t i = 0; r >= 0 && i < start.n_hooks; i++)
                r = req->plan->hooks[i].absent ? msg_send(sock, "-", 1, NULL, 0) : msg_send(sock, "h", 1, &req->slots[i], 1);
        if (r >= 0)
                r = msg_send(sock, "e", 1, &req->events, 1);
        if (r >= 0)
                r = msg_send(sock, "f", 1, &req->folds, 1);
        if (r >= 0)
                r = msg_send(sock, "g", 1, (const int[]){req->guard->tasks, req->guard->objects, req->guard->node},
                             LOADER_GUARD_MAPS);
        if (r >= 0 && manifest_has_engine(req->release->manifest))
                r = send_mounts(sock);
        return r < 0 ? err_errno(err, r, "cannot hand the bundle to the loader") : 0;
}

static int take_program(struct loaded *l, const struct loader_packet *p, int *fd) {
        int *place;

        if (p->policy >= l->n_policies || p->program >= l->manifest->policies[p->policy].n_programs)
                return -EPROTO;
        place = &l->policies[p->policy].programs[p->program];
        if (*fd < 0 || *place >= 0)
                return -EPROTO;
        *place = steal_fd(fd);
        return 0;
}

static int *map_place(struct loaded_policy *p, enum loader_message message) {
        switch (message) {
        case LOADER_COUNTERS:
                return &p->counters;
        case LOADER_RULE_COUNTS:
                return &p->rule_counts;
        case LOADER_RULE_TABLE:
                return &p->rule_table;
        case LOADER_RULE_CELLS:
                return &p->rule_cells;
        case LOADER_ROOTS:
                return &p->rule_roots;
        case LOADER_SCOPES:
                return &p->scope_hash;
        case LOADER_PROBES:
                return &p->scope_probes;
        default:
                return NULL;
        }
}

static int take_map(struct loaded *l, const struct loader_packet *p, int *fd) {
        struct loaded_policy *policy = p->policy < l->n_policies ? &l->policies[p->policy] : NULL;
        int *place = policy ? map_place(policy, p->message) : NULL;

        if (*fd < 0 || !place)
                return -EPROTO;
        if (*place >= 0)
                return -EPROTO;
        *place = steal_fd(fd);
        return 0;
}

/* Without CAP_BPF outside its namespace the loader may not freeze what it filled. */
static int map_freeze(int fd) {
        return fd < 0 ? -EPROTO : bpf_map_freeze(fd) < 0 ? -errno : 0;
}

static int complete(const struct loaded *l, const struct loader_request *req, struct err *err) {
        for (size_t i = 0; i < l->n_policies; i++)
                for (size_t j = 0; j < l->manifest->policies[i].n_programs; j++)
                        if (l->policies[i].programs[j] < 0 && (!req->shadow || policy_shadowed(&l->manifest->policies[i])) &&
                            !plan_program_absent(req->plan, &l->manifest->policies[i].programs[j]))
                                return err_set(err, -EPROTO, REASON_LOAD_FAILED, "the loader did not load everything");
        return 0;
}

static int failed(const struct loader_packet *p, int fd, struct buf *ret_log, struct err *err) {
        int r = p->error < 0 && p->error > -4096 ? p->error : -EIO;

        if (fd >= 0 && ret_log)
                memfd_read(fd, LOG_MAX, ret_log, NULL);
        return err_set(err, r, p->reason < REASON_COUNT ? (enum reason)p->reason : REASON_LOAD_FAILED, "%s", p->text);
}

/* Packets until DONE or FAILED. */
static int receive(int sock, const struct loader_request *req, struct waiter *w, struct loaded *l, struct buf *ret_log,
                   struct err *err) {
        for (;;) {
                struct loader_packet p;
                cleanup_fd int fd = -1;
                size_t n = 1;
                ssize_t r;

                r = msg_recv_wait(sock, w, req->deadline_ns, &p, sizeof(p), &fd, &n);
                if (r < 0)
                        return err_errno(err, (int)r, "waiting for the loader");
                if (r != sizeof(p))
                        return err_set(err, -EPIPE, REASON_LOAD_FAILED, "the loader has died");
                p.text[sizeof(p.text) - 1] = '\0';
                switch (p.message) {
                case LOADER_PROGRAM:
                        r = take_program(l, &p, &fd);
                        break;
                case LOADER_COUNTERS:
                case LOADER_RULE_COUNTS:
                case LOADER_RULE_TABLE:
                case LOADER_RULE_CELLS:
                case LOADER_SCOPES:
                case LOADER_PROBES:
                        r = take_map(l, &p, &fd);
                        break;
                case LOADER_ROOTS: /* not frozen: mounts change */
                        l->roots = p.roots;
                        r = take_map(l, &p, &fd);
                        break;
                case LOADER_SEED:
                        r = map_freeze(fd);
                        break;
                case LOADER_NO_TOKEN:
                        snprintf(l->no_token, sizeof(l->no_token), "%s", p.text);
                        return -EOPNOTSUPP;
                case LOADER_FAILED:
                        return failed(&p, fd, ret_log, err);
                case LOADER_DONE:
                        l->token = p.token;
                        l->uid = req->uid;
                        return complete(l, req, err);
                default:
                        r = -EPROTO;
                }
                if (r < 0)
                        return err_errno(err, (int)r, "the loader's answer");
        }
}

static int run_once(const struct loader_request *req, struct waiter *w, struct loaded *l, struct buf *ret_log, struct err *err) {
        const struct child_spec spec = {.role = "@loader", .cgroup = -1};
        struct child c = CHILD_INIT;
        int r;

        r = child_spawn(&spec, &c, err);
        if (r < 0)
                return r;
        r = send_work(c.sock, req, err);
        if (r >= 0 && req->use_token)
                r = token_give(c.sock, c.pid, req->uid, req->gid, w, req->deadline_ns, err);
        if (r >= 0)
                r = receive(c.sock, req, w, l, ret_log, err);
        child_kill(&c);
        return r;
}

int loader_run(const struct loader_request *req, struct waiter *w, struct loaded *ret, struct buf *ret_log, struct err *err) {
        struct loader_request again = *req;
        struct loaded l = {0};
        struct err why = {0};
        char no_token[sizeof(l.no_token)] = "";
        int r;

        if (again.use_token && !token_known()) { /* spares the child that would find it out */
                snprintf(no_token, sizeof(no_token), "this kernel has no BPF tokens");
                again.use_token = false;
        }
        for (;;) {
                r = loaded_init(req->release->manifest, &l);
                if (r >= 0)
                        r = run_once(&again, w, &l, ret_log, &why);
                if (r != -EOPNOTSUPP || !again.use_token)
                        break;
                snprintf(no_token, sizeof(no_token), "%.*s", (int)sizeof(no_token) - 1, l.no_token[0] ? l.no_token : why.msg);
                loaded_done(&l);
                again.use_token = false;
        }
        if (r < 0) {
                loaded_done(&l);
                if (err)
                        *err = why;
                return r;
        }
        memcpy(l.no_token, no_token, sizeof(no_token));
        *ret = l;
        return 0;
}
