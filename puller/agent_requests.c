/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent is asked. Status is answered whatever goes on. Anything else has the node to itself: it waits until a poll, or a
 * request that came before it, is over. A trial may take its minutes: nothing waits for it, but a rollback ends it.
 */
#include <stdio.h>
#include <sys/socket.h>

#include "agent_parts.h"
#include "control.h"

static void answer(int conn, int exit_code, const char *reason, const char *message) {
        struct op_answer a = {.exit_code = exit_code};

        snprintf(a.reason, sizeof(a.reason), "%s", reason);
        snprintf(a.message, sizeof(a.message), "%s", message);
        control_answer(conn, &a);
}

static void answer_busy(int conn) {
        answer(conn, 1, "busy", "the agent is working on another request: try again");
}

void requests_canceler_answer(struct agent *a) {
        if (a->canceler < 0)
                return;
        answer(a->canceler, 0, "", "called off: back on what was in force before");
        close_p(&a->canceler);
        a->canceler = -1;
}

static void serve(struct agent *a, int conn, const struct op_request *req) {
        cleanup_op_answer struct op_answer answer = {0};

        a->working = true;
        a->asker = conn;
        op_run(&a->node, &a->source, req, &answer);
        a->asker = -1;
        a->working = false;
        if (req->op != OP_STATUS)
                a->metrics_due = 0;
        if (answer.polled)
                metrics_count_poll(&a->counts, a->source.failures > 0, reason_from_word(answer.reason));
        else
                metrics_count_refusal(&a->counts, reason_from_word(answer.reason));
        control_answer(conn, &answer);
        requests_canceler_answer(a);
}

static void answer_status(struct agent *a, int conn, const struct op_request *req) {
        cleanup_op_answer struct op_answer answer = {0};

        op_run(&a->node, &a->source, req, &answer);
        control_answer(conn, &answer);
}

void requests_take(struct agent *a) {
        struct op_request req = OP_REQUEST_INIT;
        int conn = control_accept(a->listener, &req);

        if (conn < 0)
                goto out;
        if (req.op == OP_STATUS) {
                answer_status(a, conn, &req);
                goto out;
        }
        if (a->n_requests == AGENT_REQUESTS_MAX) {
                answer_busy(conn);
                goto out;
        }
        if (a->working && !node_pending(&a->node))
                control_line(conn, "the agent is at work: this waits for its turn");
        a->requests[a->n_requests++] = (struct agent_request){.conn = conn, .op = req};
        return;
out:
        op_request_done(&req);
        close_p(&conn);
}

static struct agent_request take_first(struct agent *a) {
        struct agent_request first = a->requests[0];

        memmove(a->requests, a->requests + 1, --a->n_requests * sizeof(*a->requests));
        return first;
}

/* Who has gone asks for nothing any more. */
static bool gone(int conn) {
        char c;
        ssize_t n = recv(conn, &c, 1, MSG_PEEK | MSG_DONTWAIT);

        return n == 0 || (n < 0 && errno != EAGAIN);
}

/* On trial. At once: the gate first. Whoever waits for the trial then finds that it is over. */
static bool call_off(struct agent *a, struct bundle *pending, struct agent_request *r) {
        if (r->op.op != OP_ROLLBACK || a->canceler >= 0 || (*r->op.bundle && !streq(r->op.bundle, pending->name))) {
                answer_busy(r->conn);
                return false;
        }
        gate_set(&pending->kernel.gate, LSM_GATE_FALLBACK(gate_word(&pending->kernel.gate)));
        a->node.canceled = REASON_OPERATOR;
        a->canceler = r->conn;
        r->conn = -1;
        return true;
}

bool requests_serve(struct agent *a) {
        bool canceled = false;

        while (a->n_requests > 0 && !canceled && !agent_stopping()) {
                struct bundle *pending = a->working ? node_pending(&a->node) : NULL;
                struct agent_request r;

                if (a->working && !pending)
                        return false;
                r = take_first(a);
                if (pending)
                        canceled = call_off(a, pending, &r);
                else if (!gone(r.conn))
                        serve(a, r.conn, &r.op);
                op_request_done(&r.op);
                close_p(&r.conn);
        }
        return canceled;
}

void requests_end(struct agent *a) {
        while (a->n_requests > 0) {
                struct agent_request r = take_first(a);

                op_request_done(&r.op);
                close_p(&r.conn);
        }
}
