/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rehearsal: before the supervisor confirms a generation, a child with its comm, credentials, capabilities and cgroup does
 * what the supervisor itself will have to do under it. While the generation is pending, the supervisor is decided by the
 * fallback: without this, confirming would be the first time that the new policy is asked about the agent.
 */
#pragma once

#include "err.h"
#include "wait.h"

/* Absolute paths; NULL: what concerns it is left out, but for cgroup_dir. */
struct rehearsal_spec {
        const char *exe;        /* as in child_spec */
        const char *state_dir;  /* /var/lib/lsmpull */
        const char *run_dir;    /* where the control socket is */
        const char *bpffs_dir;  /* where pins are made */
        const char *cgroup_dir; /* where the probe's cgroup is made; NULL: below the agent's own, as there */
        const char *config_file;
        const char *notify_socket; /* $NOTIFY_SOCKET */
};

/*
 * 0: all of it works. -EBADE (health-failed): a step was denied, did not come back before the deadline, or ended the child; err
 * names the step. Other errors are not the policy's: -ECANCELED from the waiter, the supervisor's own trouble.
 *
 * Run before the flip, it tells a node's own trouble (a full disk) from a policy's.
 */
int rehearsal_run(const struct rehearsal_spec *spec, struct waiter *w, int64_t deadline_ns, struct err *err);

/* The child's main, "@rehearsal". Returns the exit status. */
int rehearsal_main(int sock);
/* "@true": a program that can be executed and does nothing. */
int true_main(void);
