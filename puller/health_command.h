/* SPDX-License-Identifier: Apache-2.0 */
/* The owner's own health check: a program that says, by its exit status, whether the node still does its work. */
#pragma once

#include "err.h"
#include "wait.h"

#include <sys/types.h>

/* Runs argv as uid/gid without privileges; health-failed when it fails or does not end before the deadline. */
int health_command_run(char *const *argv, uid_t uid, gid_t gid, struct waiter *w, int64_t deadline_ns, struct err *err);
/* The child. */
int health_command_main(int sock);
