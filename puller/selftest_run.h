/* SPDX-License-Identifier: Apache-2.0 */
/* Running a bundle's self-tests: the supervisor's side of the probe. */
#pragma once

#include "selftest.h"
#include "wait.h"

enum selftest_state { SELFTEST_NOT_RUN, SELFTEST_PASSED, SELFTEST_FAILED };
const char *selftest_state_word(enum selftest_state state); /* "not run", "passed", "failed" */

struct selftest_result {
        char *name;
        enum selftest_state state;
        char *story; /* of a failure: what was tried, expected and got; else NULL */
};

struct selftest_report {
        struct selftest_result *results; /* one per test, in their order */
        size_t n, n_passed, n_failed;
        size_t n_others;  /* passed, but the denial was another bundle's */
        size_t n_audited; /* passed, as one that would have been denied */
};
void selftest_report_done(struct selftest_report *report);
#define cleanup_selftest_report cleanup(selftest_report_done)

/* How many denials there have been so far. An error that was expected, and that nobody counts, came from elsewhere (file permissions,
 * a missing capability, another security module) and would have come without the policy: such a test has failed. */
struct selftest_denials {
        uint64_t own;       /* of the policies that are tested */
        uint64_t would_own; /* and what these would have denied, were they in force: a policy that is lowered to audit */
        uint64_t others;    /* of other bundles, which may be asked first */
};
struct selftest_witness {
        void (*look)(void *ctx, struct selftest_denials *ret);
        void *ctx;
        bool audits; /* some of the policies deny nothing on this node, and count what they would deny */
        bool strict; /* every denial is counted, and nobody else's: what nobody counts came from elsewhere */
};

/* Where tests are tried: those in a policy's scope in a cgroup of theirs each, the others in one. */
struct selftest_ground {
        /* Makes it ready; the one before is no longer used. scope: as in struct selftest_subject. ret_cgroup: its directory, which
         * stays the ground's; -1: the agent's own. -EBADE: the release has no such scope; other errors are the agent's. */
        int (*enter)(void *ctx, const char *scope, int *ret_cgroup, struct err *err);
        void *ctx;
};

/*
 * Runs all tests in probes that start on the ground (NULL: the agent's own cgroup, and no scopes). 0: all have passed. -EBADE (selftest-failed): one
 * has not, and err tells of the first; the others were tried all the same, unless a probe was lost: silent until the
 * deadline, ended, or unable to start under the new policy. Other errors speak of the agent, not of the tests: -ECANCELED from
 * the waiter, -ENOMEM, a descriptor that could not be had.
 *
 * witness: NULL when nobody counts. exe: as in child_spec. ret: a fresh report, filled on failure, too; NULL: not wanted.
 */
int selftest_run(const struct selftests *tests, const struct selftest_ground *ground, const char *exe,
                 const struct selftest_witness *witness, struct waiter *w, int64_t deadline_ns, struct selftest_report *ret,
                 struct err *err);
