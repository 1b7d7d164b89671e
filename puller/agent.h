/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent: one thread, one loop. It polls its source, serves its control socket, keeps its reporter alive and feeds its
 * watchdog; while a step of a swap waits for a child, the same loop goes on around it. Timers are the time-outs of ppoll(2), and
 * signals come through its mask: a policy that denies `read` to everybody must not be able to stop it.
 */
#pragma once

#include "options.h"

/* Runs until SIGTERM or SIGINT. SIGHUP: reads the configuration again, with the same flags, and polls. Takes config over. Returns
 * an exit code. */
int agent_run(const struct options *options, struct config *config);
/* Enforces what was confirmed before the last shutdown, without any network, and ends. */
int agent_boot(const struct options *options, struct config *config);
