/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sender: the child that takes events from the spool (spool.h) to a receiver over HTTPS, in order, each at least once. It runs as
 * the reporter's user, with a network and the spool and nothing else; the reporter has no network. It ends when its credentials may
 * be out of date, to be started anew with what is in the files then.
 */
#pragma once

#include "child.h"
#include "node.h"
#include "sender_format.h"

#define SENDER_URL_MAX 2048
#define SENDER_HOST_MAX 128

/* What is configured; goes to the sender as it is. */
struct sender_spec {
        uint32_t on, format;
        char url[SENDER_URL_MAX];
        char host[SENDER_HOST_MAX + 1];
        char tenant[SENDER_HOST_MAX + 1]; /* "": none */
        char labels[SENDER_LABELS_MAX][SENDER_HOST_MAX + 1];
        char ca[PATH_MAX], certificate[PATH_MAX], key[PATH_MAX], token[PATH_MAX]; /* files; "": none */
};
void sender_spec_of(const struct config *c, struct sender_spec *ret);

/* Starts it, if it is configured; *ret stays CHILD_INIT if it is not. spool: the folder; wake: the end of a pipe that the reporter
 * writes to. Both stay the caller's. */
int sender_start(const struct node *n, int spool, int wake, struct child *ret, struct err *err);

/* The child's main. */
int sender_main(int sock);
