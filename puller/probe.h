/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probe: the child that tries what self-tests name. It starts in a cgroup for which the dispatchers select the new
 * generation and nothing else, and tries each test in a process of its own, which takes the test's comm, ids and capabilities.
 *
 * A denial is only what the operation itself ended with: when something before it fails, the result says so.
 */
#pragma once

#include "selftest.h"

enum probe_kind {
        PROBE_TRIED = 1, /* error: 0, or the errno that the operation ended with */
        PROBE_SETUP,     /* the operation was not reached; error and what say why */
        PROBE_DIED,      /* the process ended in the middle of the operation; what says how */
};

#define PROBE_WHAT_MAX 120

/* A packet from the probe. */
struct probe_result {
        uint32_t kind; /* enum probe_kind */
        int32_t error; /* positive errno */
        char what[PROBE_WHAT_MAX];
};

/* 16 hex digits: what the fresh names of one test are made from. The supervisor draws it, so that it can clear up behind a
 * probe that it had to kill. */
#define PROBE_TOKEN_HEX 17

/* A packet to the probe: the token, then the test's JSON up to the end. */
struct probe_order {
        char token[PROBE_TOKEN_HEX];
        char json[SELFTEST_JSON_MAX];
};

/* The child's main: answers orders until the supervisor closes the socket. Returns the exit status. */
int probe_main(int sock);

/* Tries one test from this very process, and waits for it. */
void probe_try(const struct selftest *t, const char *token, struct probe_result *ret);
/* Removes what a test with this token may have left. Harmless when there is nothing. */
void probe_clear(const struct selftest *t, const char *token);
