/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy does to a process, without one: a seccomp filter that refuses a system call. The kernel lets it through exec,
 * as a policy's reach is.
 */
#pragma once

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

/* Refuses the calls that match the comparison, if there is one. error 0: ends the process instead. */
static inline int seccomp_deny_matching(int number, int error, unsigned n, const struct scmp_arg_cmp *match) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        int r;

        if (!filter)
                return -ENOMEM;
        r = seccomp_rule_add_array(filter, error ? SCMP_ACT_ERRNO(error) : SCMP_ACT_KILL_PROCESS, number, n, match);
        if (r >= 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}

static inline int seccomp_deny(int number, int error) {
        return seccomp_deny_matching(number, error, 0, NULL);
}

/* For the children: what LSM_TEST_DENY names, "rename" or "mmap,1=1048576" (argument 1 has that value), is denied: EACCES. */
static inline int seccomp_deny_from_environment(void) {
        const char *spec = getenv("LSM_TEST_DENY");
        unsigned long long value;
        char name[64];
        unsigned arg;
        int n;

        if (!spec)
                return 0;
        n = sscanf(spec, "%63[^,],%u=%llu", name, &arg, &value);
        if (n != 1 && n != 3)
                return -EINVAL;
        return seccomp_deny_matching(seccomp_syscall_resolve_name(name), EACCES, n == 3,
                                     &(struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value});
}
