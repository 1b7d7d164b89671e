/* SPDX-License-Identifier: Apache-2.0 */
#include "rehearsal.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "child.h"
#include "rehearsal_steps.h"
#include "selftest.h"

/* ---- the child ---- */

int true_main(void) {
        return EXIT_SUCCESS;
}

int rehearsal_main(int sock) {
        cleanup_free struct rehearsal_order *order = new_array(1, sizeof(*order));
        ssize_t n;

        if (!order)
                return EXIT_FAILURE;
        n = msg_recv(sock, order, sizeof(*order), NULL, NULL);
        if (n != sizeof(*order))
                return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;

        for (size_t i = 0; i < rehearsal_steps_n; i++) {
                struct rehearsal_progress progress = {.step = i, .error = -rehearsal_step_perform(i, order)};
                int r = msg_send(sock, &progress, sizeof(progress), NULL, 0);

                if (r < 0 || progress.error) {
                        rehearsal_clear(order);
                        return EXIT_FAILURE;
                }
        }
        return EXIT_SUCCESS;
}

/* ---- the supervisor ---- */

static int failed(struct err *err, size_t step, const char *how) {
        return err_set(err, -EBADE, REASON_HEALTH_FAILED, "the agent itself could not '%s' under the new policy: %s",
                       rehearsal_steps[step].name, how);
}

static int path_fill(char ret[static PATH_MAX], const char *path) {
        return snprintf(ret, PATH_MAX, "%s", path ? path : "") < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int order_fill(const struct rehearsal_spec *spec, struct rehearsal_order *order) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        if (prctl(PR_GET_NAME, order->comm, 0, 0, 0) < 0 || syscall(SYS_capget, &header, order->caps) < 0)
                return -errno;
        if (path_fill(order->state_dir, spec->state_dir) < 0 || path_fill(order->run_dir, spec->run_dir) < 0 ||
            path_fill(order->bpffs_dir, spec->bpffs_dir) < 0 || path_fill(order->cgroup_dir, spec->cgroup_dir) < 0 ||
            path_fill(order->config_file, spec->config_file) < 0 || path_fill(order->notify_socket, spec->notify_socket) < 0)
                return -ENAMETOOLONG;
        return 0;
}

/* Follows the child from step to step. */
static int steps_watch(struct child *c, struct waiter *w, int64_t deadline_ns, struct err *err) {
        for (size_t i = 0; i < rehearsal_steps_n; i++) {
                struct rehearsal_progress progress;
                ssize_t n = msg_recv_wait(c->sock, w, deadline_ns, &progress, sizeof(progress), NULL, NULL);

                if (n == 0)
                        return failed(err, i, "its process ended");
                if (n == -ETIMEDOUT)
                        return failed(err, i, "no answer in time");
                if (n < 0 && n != -EBADMSG)
                        return err_errno(err, n, "rehearsal");
                if (n != sizeof(progress) || progress.step != i)
                        return failed(err, i, "its answer makes no sense");
                if (progress.error)
                        return failed(err, i, errno_name(progress.error));
        }
        return 0;
}

int rehearsal_run(const struct rehearsal_spec *spec, struct waiter *w, int64_t deadline_ns, struct err *err) {
        cleanup_free struct rehearsal_order *order = new_array(1, sizeof(*order));
        struct child c = CHILD_INIT;
        int r;

        if (!order)
                return err_errno(err, -ENOMEM, "rehearsal");
        r = order_fill(spec, order);
        if (r < 0)
                return err_errno(err, r, "rehearsal");

        r = child_spawn(&(struct child_spec){.exe = spec->exe, .role = "@rehearsal", .cgroup = -1}, &c, err);
        if (r == -EACCES || r == -EPERM)
                return err_set(err, -EBADE, REASON_HEALTH_FAILED,
                               "the agent itself could not 'execute a program' under the new policy: %s", errno_name(r));
        if (r < 0)
                return r;
        r = msg_send(c.sock, order, sizeof(*order), NULL, 0);
        if (r < 0 && r != -EPIPE) /* then it has gone, and steps_watch() says so */
                err_errno(err, r, "rehearsal");
        else
                r = steps_watch(&c, w, deadline_ns, err);
        child_kill(&c);
        return r;
}
