/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_exchange.h"

#include <stdio.h>
#include <sys/wait.h>

#include "https.h"
#include "papers.h"
#include "text.h"

#define END_WAIT (2 * 1000000000LL) /* for the exit status of a child that has closed its socket */
#define RETRY_AFTER_MAX (24 * 3600)

void fetch_call_done(struct fetch_call *c) {
        child_kill(&c->child);
        intake_done(&c->in);
}

/* The child's reasons that make sense of a download; no other may be put into its mouth. */
static enum reason reason_checked(const char *word) {
        enum reason reason = reason_from_word(word);

        if (reason == REASON_CONFIG || (reason >= REASON_BAD_SIGNATURE && reason <= REASON_WRONG_BUNDLE))
                return reason;
        return REASON_NONE;
}

static int failure_take(struct fetch_packet *p, struct fetched *ret, struct err *err) {
        char text[512];
        enum reason reason;

        p->reason[sizeof(p->reason) - 1] = 0;
        p->text[sizeof(p->text) - 1] = 0;
        reason = reason_checked(p->reason);
        text_clean(text, sizeof(text), p->text);
        if (p->retry_after_s > 0)
                ret->retry_after_s = p->retry_after_s < RETRY_AFTER_MAX ? p->retry_after_s : RETRY_AFTER_MAX;
        return err_set(err, reason == REASON_NONE ? -EIO : -EBADMSG, reason, "%s",
                       text[0] ? text : "failed, and does not say why");
}

static int validator_keep(char *text, size_t size, char **ret) {
        text[size - 1] = 0;
        if (!https_validator_valid(text))
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int done_take(struct fetch_call *c, struct fetch_packet *p, struct fetched *ret, struct err *err) {
        cleanup_fetched struct fetched f = {.sandbox = ret->sandbox, .http_status = ret->http_status, .stats = p->stats};
        int r;

        child_kill(&c->child);
        if (c->papers)
                r = c->papers->data ? 0 : intake_nonsense(err, "it is done before it has sent everything");
        else
                r = intake_finish(&c->in, &f.release, err);
        if (r < 0)
                return r;
        if (validator_keep(p->etag, sizeof(p->etag), &f.etag) < 0 ||
            validator_keep(p->last_modified, sizeof(p->last_modified), &f.last_modified) < 0)
                return err_errno(err, -ENOMEM, "validators");
        *ret = f;
        f = FETCHED_INIT;
        return 0;
}

/* 0: more is to come; 1: the end. Takes over the descriptors it keeps, by setting them to -1. */
static int packet_take(struct fetch_call *c, struct fetch_packet *p, int *fds, size_t n_fds, struct fetched *ret,
                       struct err *err) {
        static const size_t brings[] = {[FETCH_MANIFEST] = 2, [FETCH_MEMBER] = 1, [FETCH_PAPERS] = 1, [FETCH_FAILED] = 0};
        int r;

        if (p->message < FETCH_SANDBOXED || p->message > FETCH_FAILED || n_fds != brings[p->message])
                return intake_nonsense(err, "an unknown message, or the wrong descriptors");
        if (p->http_status > 0 && p->http_status < 1000)
                ret->http_status = p->http_status;
        if (p->message == FETCH_FAILED) /* even before the sandbox: that may be what failed */
                return failure_take(p, ret, err);
        if (c->sandboxed == (p->message == FETCH_SANDBOXED))
                return intake_nonsense(err, "messages in the wrong order");

        switch (p->message) {
        case FETCH_SANDBOXED:
                c->sandboxed = true;
                ret->sandbox = p->sandbox;
                return 0;
        case FETCH_PAPERS:
                if (!c->papers || c->papers->data)
                        return intake_nonsense(err, "metadata that nobody has asked for");
                return memory_file_read(fds[0], 1, PAPERS_MAX, c->papers, err);
        case FETCH_MANIFEST:
                if (c->papers)
                        return intake_nonsense(err, "a bundle that nobody has asked for");
                return intake_manifest(&c->in, fds, err);
        case FETCH_MEMBER:
                return intake_member(&c->in, p->member, &fds[0], err);
        case FETCH_NOT_MODIFIED:
                if (!c->conditional || c->in.bytes.data)
                        return intake_nonsense(err, "\"not modified\" answers another question");
                ret->not_modified = true;
                return 1;
        default:
                r = done_take(c, p, ret, err);
                return r < 0 ? r : 1;
        }
}

static int ended(struct fetch_call *c, struct err *err) {
        int status;

        if (child_wait(&c->child, c->waiter, monotonic_ns() + END_WAIT, &status) < 0)
                return err_set(err, -EIO, REASON_NONE, "the fetcher has closed its socket without an answer");
        if (WIFSIGNALED(status))
                return err_set(err, -EIO, REASON_NONE, "the fetcher was killed by signal %d (%s)", WTERMSIG(status),
                               strsignal(WTERMSIG(status)));
        return err_set(err, -EIO, REASON_NONE, "the fetcher has ended without an answer (exit status %d)", WEXITSTATUS(status));
}

static int packet_receive(struct fetch_call *c, struct fetched *ret, struct err *err) {
        struct fetch_packet p;
        size_t n_fds = 2;
        int fds[2], r;
        ssize_t n;

        n = msg_recv_wait(c->child.sock, c->waiter, c->deadline_ns, &p, sizeof(p), fds, &n_fds);
        if (n == -ETIMEDOUT)
                return err_set(err, n, REASON_NONE, "the fetcher has not finished in time");
        if (n == -ECANCELED)
                return err_set(err, n, REASON_NONE, "called off");
        if (n == -EBADMSG)
                return intake_nonsense(err, "too long a message, or too many descriptors");
        if (n < 0)
                return err_errno(err, n, "fetcher");
        if (n == 0)
                return ended(c, err);
        r = n == sizeof(p) ? packet_take(c, &p, fds, n_fds, ret, err) : intake_nonsense(err, "too short a message");
        for (size_t i = 0; i < n_fds; i++)
                close_p(&fds[i]);
        return r;
}

int fetch_call(struct fetch_call *c, const char *exe, const char *role, const struct buf *packet, const int *fds, size_t n_fds,
               struct fetched *ret, struct err *err) {
        struct child_spec spec = {.exe = exe, .role = role, .cgroup = -1};
        int r;

        *ret = FETCHED_INIT;
        r = child_spawn(&spec, &c->child, err);
        if (r < 0)
                return r;
        r = msg_send(c->child.sock, packet->data, packet->len, fds, n_fds);
        if (r == -EPIPE) /* it has ended already; how, is told when its answer is waited for */
                r = 0;
        if (r < 0)
                return err_errno(err, r, "request");
        while (r == 0)
                r = packet_receive(c, ret, err);
        return r < 0 ? r : 0;
}
