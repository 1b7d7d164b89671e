/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sandbox_parts.h"
#include "util.h"

/* More than ever stand in a full socket, and than the members of one packet: descriptors in flight count against it, too. */
#define DESCRIPTORS_MAX 1024

static int limit(int resource, uint64_t max) {
        return setrlimit(resource, &(struct rlimit){.rlim_cur = max, .rlim_max = max}) < 0 ? -errno : 0;
}

static int limits_apply(const struct sandbox_spec *spec) {
        struct rlimit files;
        int r = limit(RLIMIT_CORE, 0); /* a core file would hold tokens and keys */

        if (r < 0)
                return r;
        if (getrlimit(RLIMIT_NOFILE, &files) < 0)
                return -errno;
        r = limit(RLIMIT_NOFILE, files.rlim_max < DESCRIPTORS_MAX ? files.rlim_max : DESCRIPTORS_MAX);
        if (r < 0)
                return r;
        if (spec->max_file > 0) {
                signal(SIGXFSZ, SIG_IGN); /* EFBIG instead */
                r = limit(RLIMIT_FSIZE, spec->max_file);
                if (r < 0)
                        return r;
        }
#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes of address space */
        if (spec->max_memory > 0)
                r = limit(RLIMIT_AS, spec->max_memory);
#endif
        return r;
}

/* While still root; afterwards there is no right to. */
static int bounding_set_drop(void) {
        for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
                        return -errno;
        return 0;
}

static int capabilities_drop(void) {
        cap_t none = cap_init();
        int r = 0;

        if (!none)
                return -errno;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || cap_set_proc(none) < 0)
                r = -errno;
        cap_free(none);
        return r;
}

static int user_change(const struct sandbox_spec *spec) {
        int r;

        if (spec->uid == 0 || spec->gid == 0)
                return -EINVAL;
        r = bounding_set_drop();
        if (r < 0)
                return r;
        if (setgroups(0, NULL) < 0 || setresgid(spec->gid, spec->gid, spec->gid) < 0 ||
            setresuid(spec->uid, spec->uid, spec->uid) < 0)
                return -errno;
        return 0;
}

int sandbox_enter(const struct sandbox_spec *spec, struct sandbox_report *ret, struct err *err) {
        struct sandbox_report report = {};
        bool root = geteuid() == 0;
        pid_t parent = getppid();
        int signal_with_parent = 0, r;

        if (prctl(PR_GET_PDEATHSIG, &signal_with_parent, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return err_errno(err, -errno, "sandbox");
        r = limits_apply(spec);
        if (r < 0)
                return err_errno(err, r, "sandbox: resource limits");
        r = landlock_apply(spec, &report, err);
        if (r < 0)
                return err_wrap(err, r, "sandbox");
        if (root) {
                r = user_change(spec);
                if (r < 0)
                        return err_errno(err, r, "sandbox: cannot become uid %u gid %u", spec->uid, spec->gid);
                report.parts |= SANDBOX_UID;
        }
        r = capabilities_drop();
        if (r < 0)
                return err_errno(err, r, "sandbox: capabilities");
        report.parts |= SANDBOX_NO_CAPS;

        /* The kernel forgets the parent-death signal when the user changes. */
        if (signal_with_parent && prctl(PR_SET_PDEATHSIG, signal_with_parent, 0, 0, 0) < 0)
                return err_errno(err, -errno, "sandbox: parent-death signal");
        if (signal_with_parent && getppid() != parent)
                return err_set(err, -ESRCH, REASON_NONE, "sandbox: the parent has ended");
        /* Others of the same user may not look into this one. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return err_errno(err, -errno, "sandbox");

        r = seccomp_apply(spec, err);
        if (r < 0)
                return err_wrap(err, r, "sandbox");
        report.parts |= SANDBOX_SECCOMP;
        report.uid = getuid();
        *ret = report;
        return 0;
}

int sandbox_report_format(const struct sandbox_report *report, char *p, size_t size) {
        static const char *const words[] = {
#define X(id, words) words,
                SANDBOX_PARTS(X)
#undef X
        };
        size_t n = snprintf(p, size, "uid %u", report->uid);
        bool missing = false;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (report->parts & 1U << i)
                        n += snprintf(n < size ? p + n : NULL, n < size ? size - n : 0, ", %s", words[i]);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (!(report->parts & 1U << i)) {
                        n += snprintf(n < size ? p + n : NULL, n < size ? size - n : 0, "%s%s", missing ? ", " : "; without ",
                                      words[i]);
                        missing = true;
                }
        return n;
}
