/* SPDX-License-Identifier: Apache-2.0 */
#include "op.h"

#include <stdio.h>

#include "pause.h"
#include "quarantine.h"
#include "repo_record.h"
#include "status.h"

const char *op_word(enum op op) {
        static const char *const words[OP_COUNT] = {
#define X(id, word) [id] = word,
                OPS(X)
#undef X
        };

        return op < OP_COUNT ? words[op] : "";
}

void op_request_done(struct op_request *r) {
        free(r->url);
        free(r->named);
        close_p(&r->file);
        keyring_done(&r->ring);
        *r = OP_REQUEST_INIT;
}

void op_answer_done(struct op_answer *a) {
        json_decref(a->status);
        *a = (struct op_answer){0};
}

static void done(struct op_answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void done(struct op_answer *a, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(a->message, sizeof(a->message), fmt, ap);
        va_end(ap);
}

static void failed(struct op_answer *a, int r, const struct err *err) {
        a->exit_code = err_exit_code(err, r);
        snprintf(a->reason, sizeof(a->reason), "%s", reason_word(err->reason));
        snprintf(a->message, sizeof(a->message), "%s", err->msg[0] ? err->msg : strerror(-r));
}

/* The named bundle, or the only one. */
static int bundle_find(const struct node *n, const char *name, struct bundle **ret, struct err *err) {
        if (*name) {
                *ret = node_bundle(n, name);
                return *ret ? 0 : err_set(err, -ENOENT, REASON_USAGE, "no bundle '%s' on this node", name);
        }
        if (n->n_bundles == 0)
                return err_set(err, -ENOENT, REASON_NONE, "no bundle on this node");
        if (n->n_bundles > 1)
                return err_set(err, -EINVAL, REASON_USAGE, "%zu bundles on this node: say which", n->n_bundles);
        *ret = n->bundles[0];
        return 0;
}

/* What was refused is known by where it came from; what failed on this kernel, by its release, and the message says which. */
static int from(const char *where, int r, struct err *err) {
        bool said = where && strncmp(err->msg, where, strlen(where)) == 0; /* by the download */

        return r < 0 && !said && reason_exit_code(err->reason) == 3 ? err_wrap(err, r, "%s", where) : r;
}

static int paused_check(const struct node *n, struct err *err) {
        struct pause p;

        pause_load(n, &p);
        return p.paused ? err_set(err, -EPERM, REASON_PAUSED, "taking new releases is paused; `lsmpull resume` ends that") : 0;
}

static int once(struct node *n, struct source *source, struct op_answer *a, struct err *err) {
        bool changed;
        int r = paused_check(n, err);

        if (r >= 0) {
                a->polled = config_source_kind(n->config) != SOURCE_NONE;
                r = from(config_source_address(n->config), source_poll(n, source, &changed, err), err);
        }
        if (r >= 0)
                done(a,
                     changed                   ? "a new release is in force"
                     : *source->refused_reason ? "nothing new; the newest release was refused (%s)"
                                               : "nothing new",
                     source->refused_reason);
        return r;
}

static int install(struct node *n, const struct op_request *req, struct op_answer *a, struct err *err) {
        struct release rel = RELEASE_INIT;
        struct swap_result result;
        int r = paused_check(n, err);

        if (r < 0)
                return r;
        r = source_install(n, req->url, req->file, req->named, &req->ring, req->threshold, &result, &rel, err);
        r = from(req->named, r, err);
        if (r >= 0)
                done(a, "%s %s (release %llu, content %.12s) %s", rel.manifest->name, rel.manifest->version,
                     (unsigned long long)rel.manifest->release, rel.manifest->content_hex,
                     result.unchanged ? "is in force already" : "is in force");
        release_done(&rel);
        return r;
}

static int rollback(struct node *n, const char *name, struct op_answer *a, struct err *err) {
        struct bundle *b;
        int r = bundle_find(n, name, &b, err);

        if (r >= 0)
                r = swap_rollback(n, b, err);
        if (r >= 0) {
                if (b->journal.confirmed.present)
                        done(a, "%s: back on release %llu", b->name, (unsigned long long)b->journal.confirmed.release);
                else
                        done(a, "%s: nothing is enforced, as before the first install", b->name);
        }
        return r;
}

static int remove_bundle(struct node *n, const char *name, struct op_answer *a, struct err *err) {
        struct bundle *b;
        char copy[64];
        int r = bundle_find(n, name, &b, err);

        if (r < 0)
                return r;
        memcpy(copy, b->name, sizeof(copy));
        /* First: a poll must not bring it back. */
        r = repo_removed_set(n->state_fd, copy, true, err);
        if (r >= 0)
                r = swap_remove(n, b, err);
        if (r >= 0)
                done(a, "%s: nothing of it is enforced any more", copy);
        return r;
}

static int retry(struct node *n, struct source *source, const char *name, struct op_answer *a, struct err *err) {
        int r = quarantine_forget(n->state_fd, *name ? name : NULL, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n->n_bundles; i++)
                if (!*name || streq(n->bundles[i]->name, name)) {
                        int saved;

                        n->bundles[i]->journal.attempts = 0;
                        saved = journal_save(n->state_fd, &n->bundles[i]->journal, err);
                        if (saved < 0)
                                return saved;
                }
        if (repo_removed_set(n->state_fd, *name ? name : NULL, false, err) < 0)
                return -EIO;
        source_forget(n, source);
        done(a, "forgot %d quarantined release%s", r, r == 1 ? "" : "s");
        return 0;
}

static int pause_node(struct node *n, int64_t for_ns, struct op_answer *a, struct err *err) {
        int r = pause_set(n, for_ns, err);

        if (r >= 0 && for_ns)
                done(a, "paused for %lld s: what is in force stays in force", (long long)(for_ns / 1000000000));
        else if (r >= 0)
                done(a, "paused until `lsmpull resume`: what is in force stays in force");
        return r;
}

void op_run(struct node *n, struct source *source, const struct op_request *req, struct op_answer *ret) {
        struct err err = {0};
        int r = -EINVAL;

        *ret = (struct op_answer){0};
        switch (req->op) {
        case OP_STATUS:
                r = status_collect(n, source, &ret->status, &err);
                break;
        case OP_ONCE:
                r = once(n, source, ret, &err);
                break;
        case OP_INSTALL:
                r = install(n, req, ret, &err);
                break;
        case OP_ROLLBACK:
                r = rollback(n, req->bundle, ret, &err);
                break;
        case OP_REMOVE:
                r = remove_bundle(n, req->bundle, ret, &err);
                break;
        case OP_RETRY:
                r = retry(n, source, req->bundle, ret, &err);
                break;
        case OP_PAUSE:
                r = pause_node(n, req->pause_ns, ret, &err);
                break;
        case OP_RESUME:
                r = pause_clear(n, &err);
                if (r >= 0)
                        done(ret, "taking new releases again");
                break;
        case OP_COUNT:
                break;
        }
        if (r < 0)
                failed(ret, r, &err);
}
