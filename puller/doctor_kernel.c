/* SPDX-License-Identifier: Apache-2.0 */
/* Checks: what the kernel's files say about it. */
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "doctor.h"
#include "kallsyms.h"
#include "node.h"

#define CONFIG_TEXT_MAX (4u << 20)

bool list_has(const char *list, const char *item) {
        size_t n = strlen(item);

        for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
                if (strncmp(p, item, n) == 0 && (p[n] == ',' || p[n] == '\0'))
                        return true;
        return false;
}

void lsm_list_with_bpf(const char *list, char *ret, size_t size) {
        static const char fixed[] = "capability,integrity,ima,evm";
        char name[64];
        size_t at = 0;

        ret[0] = '\0';
        while (*list) {
                size_t n = strcspn(list, ",");

                snprintf(name, sizeof(name), "%.*s", (int)n, list);
                if (n > 0 && !list_has(fixed, name) && at < size)
                        at += (size_t)snprintf(ret + at, size - at, "%s,", name);
                list += n + (list[n] == ',');
        }
        if (at < size)
                snprintf(ret + at, size - at, "bpf");
}

char kernel_option(const char *text, const char *name) {
        size_t n = strlen(name);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, name, n) == 0 && line[n] == '=')
                        return line[n + 1] == 'y' || line[n + 1] == 'm' ? line[n + 1] : 'n';
        return 'n';
}

/* The configuration the kernel was built with, from where distributions keep it; gzread(3) also reads what is not compressed. */
static int kernel_config(const struct doctor *d, struct buf *ret) {
        static const struct {
                const char *before, *after; /* around the release; which /proc/config.gz has no need of */
        } places[] = {{"/proc/config.gz", NULL}, {"/boot/config-", ""}, {"/lib/modules/", "/config"}};
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                const char *after = places[i].after;
                char path[PATH_MAX], chunk[16384];
                gzFile f;
                int n;

                if ((size_t)snprintf(path, sizeof(path), "%s%s%s%s", d->root, places[i].before, after ? u.release : "",
                                     after ? after : "") >= sizeof(path))
                        continue;
                f = gzopen(path, "rbe");
                if (!f)
                        continue;
                while ((n = gzread(f, chunk, sizeof(chunk))) > 0 && ret->len < CONFIG_TEXT_MAX)
                        if (buf_append(ret, chunk, (size_t)n) < 0)
                                break;
                gzclose_r(f);
                if (n == 0 && ret->len > 0)
                        return 0;
                buf_done(ret);
        }
        return -ENOENT;
}

void check_kernel(struct doctor *d) {
        struct utsname u;

        if (uname(&u) < 0)
                doctor_found(d, "kernel", FINDING_WARN, NULL, "%s", strerror(errno));
        else
                doctor_found(d, "kernel", FINDING_OK, NULL, "%s %s, %s", u.sysname, u.release, u.machine);
}

void check_mode(struct doctor *d) {
        cleanup_buf struct buf b = {0};
        static const char *const remedy = "boot without lsmpull.mode= when the trouble is over";

        if (doctor_read(d, &b, "/proc/cmdline") < 0) {
                doctor_found(d, "mode", FINDING_WARN, "mount -t proc proc /proc", "the kernel's command line cannot be read");
                return;
        }
        switch (node_mode_parse(b.data)) {
        case NODE_OFF:
                doctor_found(d, "mode", FINDING_FAIL, remedy,
                             "lsmpull.mode=off on the kernel's command line: nothing is enforced");
                return;
        case NODE_AUDIT:
                doctor_found(d, "mode", FINDING_WARN, remedy,
                             "lsmpull.mode=audit on the kernel's command line: denials are reported, and allowed");
                return;
        default:
                if (d->config->mode == MODE_AUDIT)
                        doctor_found(d, "mode", FINDING_WARN, "remove \"mode: audit\" from the configuration",
                                     "audit, by the configuration: denials are reported, and allowed");
                else
                        doctor_found(d, "mode", FINDING_OK, NULL, "enforce");
        }
}

/* ---- the list of active LSMs --------------------------------------------------------------------------------------- */

#ifndef SYS_lsm_list_modules
#define SYS_lsm_list_modules 461 /* 6.8 */
#endif
#define LSM_ID_BPF 109 /* include/uapi/linux/lsm.h */

/* 1: bpf is active; 0: it is not; -ENOSYS and others: this kernel does not say. */
static int lsm_bpf_by_syscall(void) {
        uint64_t ids[64];
        uint32_t size = sizeof(ids);
        long n = syscall(SYS_lsm_list_modules, ids, &size, 0);

        for (long i = 0; i < n && i < (long)ARRAY_SIZE(ids); i++)
                if (ids[i] == LSM_ID_BPF)
                        return 1;
        return n < 0 ? -errno : 0;
}

static const char *const securityfs_remedy = "mount -t securityfs securityfs /sys/kernel/security";

static void lsm_unlisted(struct doctor *d) {
        int active = *d->root ? -ENOSYS : lsm_bpf_by_syscall();

        if (active == 1)
                doctor_found(d, "bpf-lsm", FINDING_OK, NULL, "active");
        else if (active == 0)
                doctor_found(d, "bpf-lsm", FINDING_FAIL, securityfs_remedy, "not active; which others are cannot be seen");
        else
                doctor_found(d, "bpf-lsm", FINDING_FAIL, securityfs_remedy,
                             "/sys/kernel/security/lsm cannot be read: whether bpf is active cannot be seen");
}

static void lsm_listed(struct doctor *d, const char *list) {
        cleanup_buf struct buf config = {0};
        bool known = kernel_config(d, &config) >= 0;
        char wanted[512], remedy[768];

        if (list_has(list, "bpf")) {
                doctor_found(d, "bpf-lsm", FINDING_OK, NULL, "active");
        } else if (known && kernel_option(config.data, "CONFIG_BPF_LSM") != 'y') {
                doctor_found(d, "bpf-lsm", FINDING_FAIL, "boot a kernel with CONFIG_BPF_LSM=y",
                             "this kernel was built without it");
        } else {
                lsm_list_with_bpf(list, wanted, sizeof(wanted));
                snprintf(remedy, sizeof(remedy),
                         "add lsm=%s to the kernel's command line and reboot (lsm= replaces the whole list)", wanted);
                doctor_found(d, "bpf-lsm", FINDING_FAIL, remedy, "%s, but bpf is not in the list of active LSMs: %s",
                             known ? "built in" : "perhaps built in", list);
        }
}

void check_lsm(struct doctor *d) {
        cleanup_buf struct buf b = {0};

        if (doctor_read(d, &b, "/sys/kernel/security/lsm") < 0 || b.len == 0) {
                lsm_unlisted(d);
                return;
        }
        lsm_listed(d, b.data);
        doctor_found(d, "active-lsms", FINDING_OK, NULL, "%s: each of them can deny on its own", b.data);
}

/* ---- switches ------------------------------------------------------------------------------------------------------ */

void check_btf(struct doctor *d) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", d->root);
        if (access(path, R_OK) == 0)
                doctor_found(d, "btf", FINDING_OK, NULL, "/sys/kernel/btf/vmlinux");
        else
                doctor_found(d, "btf", FINDING_FAIL, "boot a kernel with CONFIG_DEBUG_INFO_BTF=y",
                             "no type information of the kernel (/sys/kernel/btf/vmlinux): %s", strerror(errno));
}

void check_jit(struct doctor *d) {
        static const char *const remedy = "sysctl net.core.bpf_jit_enable=1";
        cleanup_buf struct buf config = {0};
        long long v;
        int r = doctor_read_number(d, "/proc/sys/net/core/bpf_jit_enable", &v);

        if (r < 0 && kernel_config(d, &config) >= 0 && kernel_option(config.data, "CONFIG_BPF_JIT_ALWAYS_ON") == 'y')
                doctor_found(d, "jit", FINDING_OK, NULL, "always on (CONFIG_BPF_JIT_ALWAYS_ON)");
        else if (r < 0)
                doctor_found(d, "jit", FINDING_WARN, "run this as root in the first network namespace",
                             "net.core.bpf_jit_enable cannot be read: %s", strerror(-r));
        else if (v == 0)
                doctor_found(d, "jit", FINDING_FAIL, remedy, "off: policies are chained by tail calls, which need it");
        else if (v == 2)
                doctor_found(d, "jit", FINDING_WARN, remedy, "on, and each program is written to the kernel's log (2)");
        else
                doctor_found(d, "jit", FINDING_OK, NULL, "on");
}

void check_lockdown(struct doctor *d) {
        cleanup_buf struct buf b = {0};

        if (doctor_read(d, &b, "/sys/kernel/security/lockdown") < 0)
                doctor_found(d, "lockdown", FINDING_OK, NULL, "none to be seen");
        else if (strstr(b.data, "[confidentiality]"))
                doctor_found(d, "lockdown", FINDING_FAIL, "boot with lockdown=integrity, or without lockdown=",
                             "confidentiality: programs may not read kernel memory, so no policy loads");
        else if (strstr(b.data, "[integrity]"))
                doctor_found(d, "lockdown", FINDING_OK, NULL, "integrity");
        else
                doctor_found(d, "lockdown", FINDING_OK, NULL, "none");
}

void check_unprivileged_bpf(struct doctor *d) {
        long long v;

        if (doctor_read_number(d, "/proc/sys/kernel/unprivileged_bpf_disabled", &v) < 0)
                doctor_found(d, "unprivileged-bpf", FINDING_OK, NULL, "no switch for it here");
        else if (v == 0)
                doctor_found(d, "unprivileged-bpf", FINDING_WARN, "sysctl kernel.unprivileged_bpf_disabled=1",
                             "allowed: everybody may load programs into the kernel, of a harmless kind");
        else
                doctor_found(d, "unprivileged-bpf", FINDING_OK, NULL, "not allowed");
}

void check_kernel_symbols(struct doctor *d) {
        struct lsm_rules_kernel locks;
        long long restricted = 0;

        kallsyms_rules_locks(d->root, &locks);
        doctor_read_number(d, "/proc/sys/kernel/kptr_restrict", &restricted);
        if (locks.rename_lock)
                doctor_found(d, "kernel-symbols", FINDING_OK, NULL, "addresses of rename_lock and mount_lock are known");
        else
                doctor_found(
                        d, "kernel-symbols", FINDING_WARN,
                        restricted > 1 ? "sysctl kernel.kptr_restrict=1"
                                       : "run this as root with CAP_SYSLOG, on a kernel with CONFIG_KALLSYMS_ALL=y",
                        "rename_lock and mount_lock are not shown: rules about files are decided anew each time, more slowly");
}
