/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked of a node, by the command line itself or, over the control socket, of a running agent: one request, one
 * answer, the same code behind both.
 */
#pragma once

#include "node.h"
#include "source.h"

#define OPS(X)                     \
        X(OP_STATUS, "status")     \
        X(OP_ONCE, "once")         \
        X(OP_INSTALL, "install")   \
        X(OP_ROLLBACK, "rollback") \
        X(OP_REMOVE, "remove")     \
        X(OP_RETRY, "retry")       \
        X(OP_PAUSE, "pause")       \
        X(OP_RESUME, "resume")

enum op {
#define X(id, word) id,
        OPS(X)
#undef X
                OP_COUNT
};

struct op_request {
        enum op op;
        char bundle[64];     /* "": the only one, or all (retry) */
        char *url;           /* install; NULL: file */
        int file;            /* install: the bundle, open; -1 */
        char *named;         /* install: what the operator called it, for status */
        struct keyring ring; /* install */
        size_t threshold;
        int64_t pause_ns; /* 0: until resumed */
};
#define OP_REQUEST_INIT ((struct op_request){.file = -1})
void op_request_done(struct op_request *r);
#define cleanup_op_request cleanup(op_request_done)

struct op_answer {
        int exit_code;
        char reason[32];    /* "" when done */
        char message[2048]; /* what was done, or why not */
        json_t *status;     /* OP_STATUS */
        bool polled;        /* OP_ONCE: the source was asked, or it was tried; for the agent itself, not sent */
};
void op_answer_done(struct op_answer *a);
#define cleanup_op_answer cleanup(op_answer_done)

/* Does it. The node is open for writing, but OP_STATUS is content with one that is open for reading. */
void op_run(struct node *n, struct source *source, const struct op_request *req, struct op_answer *ret);

/* Packets of the control socket. Parsing is strict; fd (may be -1) is taken over into the request. */
int op_request_format(const struct op_request *req, struct buf *out, struct err *err);
int op_request_parse(const void *p, size_t n, int fd, struct op_request *ret, struct err *err);
int op_answer_format(const struct op_answer *a, struct buf *out, struct err *err);
int op_answer_parse(const void *p, size_t n, struct op_answer *ret, struct err *err);

const char *op_word(enum op op);
