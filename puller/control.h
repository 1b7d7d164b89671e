/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket, RUN/control.sock (SOCK_SEQPACKET): one request packet, perhaps with a descriptor, answered by any number
 * of progress lines and one answer. Only root, or the agent's own user, is heard. An answer larger than a packet comes as a memfd.
 */
#pragma once

#include "op.h"

#define CONTROL_PACKET_MAX (64 * 1024)

/* The agent's side. */
int control_listen(const char *run_dir, const char *name, struct err *err);
/* Takes a waiting connection whose peer may ask; reads its request. Returns the connection's descriptor; -EAGAIN: nobody is
 * waiting (any more), or he was turned away. */
int control_accept(int listener, struct op_request *ret);
void control_line(int conn, const char *line);
void control_answer(int conn, const struct op_answer *answer);

/* The command line's side. -ENOENT or -ECONNREFUSED: no agent runs here. */
int control_connect(const char *run_dir, struct err *err);
int control_ask(int conn, const struct op_request *req, void (*line)(const char *line), struct op_answer *ret, struct err *err);
