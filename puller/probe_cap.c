/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities. The kernel asks for one within an operation, so each is tried by an operation that asks for it and then does
 * nothing: on the process itself, which is about to end, on memory of its own, or with an argument that is refused later on.
 * lib/selftest_names.c lists which there are.
 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "probe_cap.h"

int cap_answer(long r, int later) {
        return r < 0 && errno != later ? -errno : 0;
}

static const struct probe_op *cap_op(const struct attempt *a) {
        int cap = a->test->capability;

        return cap_op_own(cap) ?: cap_op_object(cap) ?: cap_op_refused(cap);
}

static int capability_prepare(struct attempt *a) {
        const struct probe_op *op = cap_op(a);

        if (!op)
                return setup_failed(a, -EOPNOTSUPP, "finding a way to try it");
        return op->prepare ? op->prepare(a) : 0;
}

/* The kernel takes CAP_SYS_ADMIN in place of these, as it was before they were split from it. */
static bool cap_was_sys_admin(int cap) {
        return cap == CAP_SYSLOG || cap == CAP_BPF || cap == CAP_PERFMON || cap == CAP_CHECKPOINT_RESTORE;
}

static int sys_admin_drop(struct attempt *a) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return setup_failed(a, -errno, "reading the capabilities");
        data[0].effective &= ~(1U << CAP_SYS_ADMIN);
        return syscall(SYS_capset, &header, data) < 0 ? setup_failed(a, -errno, "leaving CAP_SYS_ADMIN out") : 0;
}

static int capability_arrange(struct attempt *a) {
        const struct probe_op *op = cap_op(a);
        int r = cap_was_sys_admin(a->test->capability) ? sys_admin_drop(a) : 0;

        return r < 0 || !op->arrange ? r : op->arrange(a);
}

static int capability_perform(struct attempt *a) {
        return cap_op(a)->perform(a);
}

const struct probe_op probe_op_capability = {
        .prepare = capability_prepare, .arrange = capability_arrange, .perform = capability_perform};
