/* SPDX-License-Identifier: Apache-2.0 */
/* Checks: this process, and what it needs from the machine. */
#include <linux/capability.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <time.h>

#include "doctor.h"
#include "probe_cgroup.h"

/* include/linux/proc_ns.h: the numbers of the first namespaces. */
#define PID_NAMESPACE_FIRST "pid:[4026531836]"
#define USER_NAMESPACE_FIRST "user:[4026531837]"

#define CLOCK_LEAST 1735689600 /* 2025-01-01: before this program was written */
#define MIB (1u << 20)

static const char *const as_root = "run this as root, outside of containers";

void check_capabilities(struct doctor *d) {
        static const struct {
                int number;
                const char *name;
        } needed[] = {
                {CAP_BPF, "CAP_BPF"},       {CAP_PERFMON, "CAP_PERFMON"}, {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
                {CAP_SETUID, "CAP_SETUID"}, {CAP_SETGID, "CAP_SETGID"},   {CAP_SETPCAP, "CAP_SETPCAP"},
                {CAP_KILL, "CAP_KILL"},
        };
        cleanup_buf struct buf status = {0}, missing = {0};
        unsigned long long effective = 0;
        const char *line;

        line = doctor_read(d, &status, "/proc/self/status") < 0 ? NULL : strstr(status.data, "\nCapEff:");
        if (!line || sscanf(line, " CapEff: %llx", &effective) != 1) {
                doctor_found(d, "capabilities", FINDING_FAIL, "mount -t proc proc /proc", "/proc/self/status does not tell");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                if (!(effective >> needed[i].number & 1))
                        buf_printf(&missing, "%s%s", missing.len ? ", " : "", needed[i].name);
        if (missing.len)
                doctor_found(d, "capabilities", FINDING_FAIL, as_root, "without %s", missing.data);
        else
                doctor_found(d, "capabilities", FINDING_OK, NULL, "all that the agent needs");
}

static bool namespace_is(const struct doctor *d, const char *name, const char *wanted) {
        char path[PATH_MAX], found[64];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/proc/self/ns/%s", d->root, name);
        n = readlink(path, found, sizeof(found) - 1);
        if (n < 0)
                return false;
        found[n] = '\0';
        return streq(found, wanted);
}

void check_namespaces(struct doctor *d) {
        /* Programs in the kernel know the supervisor by its number in the first namespace. */
        if (!namespace_is(d, "pid", PID_NAMESPACE_FIRST))
                doctor_found(d, "namespaces", FINDING_FAIL,
                             "run lsmpull on the node itself, or in a container with the host's PID namespace",
                             "not the first PID namespace: the agent would not be exempt from a generation on trial");
        else if (!namespace_is(d, "user", USER_NAMESPACE_FIRST))
                doctor_found(d, "namespaces", FINDING_FAIL, "run lsmpull on the node itself",
                             "not the first user namespace: capabilities here are not those of the node");
        else
                doctor_found(d, "namespaces", FINDING_OK, NULL, "those of the node");
}

void check_user_namespaces(struct doctor *d) {
        long long most, unprivileged;

        if (doctor_read_number(d, "/proc/sys/user/max_user_namespaces", &most) < 0)
                doctor_found(d, "user-namespaces", FINDING_WARN, "boot a kernel with CONFIG_USER_NS=y",
                             "none: the loader keeps CAP_BPF and CAP_PERFMON on the node");
        else if (most == 0)
                doctor_found(d, "user-namespaces", FINDING_WARN, "sysctl user.max_user_namespaces=1000",
                             "none allowed: the loader keeps CAP_BPF and CAP_PERFMON on the node");
        else if (doctor_read_number(d, "/proc/sys/kernel/unprivileged_userns_clone", &unprivileged) >= 0 && unprivileged == 0)
                doctor_found(d, "user-namespaces", FINDING_OK, NULL,
                             "at most %lld; for root alone, which is enough for the loader", most);
        else
                doctor_found(d, "user-namespaces", FINDING_OK, NULL, "at most %lld", most);
}

void check_landlock(struct doctor *d) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* the version */);

        if (abi < 1)
                doctor_found(d, "landlock", FINDING_WARN, "add landlock to lsm= on the kernel's command line",
                             "not active (%s): fetcher and reporter are kept in by seccomp alone", strerror(errno));
        else
                doctor_found(d, "landlock", FINDING_OK, NULL, "ABI %ld: %s", abi, abi >= 4 ? "files and network" : "files");
}

/* ---- file systems -------------------------------------------------------------------------------------------------- */

void check_bpffs(struct doctor *d) {
        const char *path = d->config->bpffs_dir;
        char remedy[PATH_MAX + 32];
        struct statfs fs;
        struct stat st;

        snprintf(remedy, sizeof(remedy), "mount -t bpf bpf %s", path);
        if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
                doctor_found(d, "bpffs", FINDING_FAIL, remedy, "%s: %s", path, strerror(errno));
        else if (fs.f_type != BPF_FS_MAGIC)
                doctor_found(d, "bpffs", FINDING_FAIL, remedy, "%s is no BPF file system", path);
        else if (fs.f_flags & ST_RDONLY)
                doctor_found(d, "bpffs", FINDING_FAIL, "mount it writable", "%s is mounted read-only", path);
        else if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
                doctor_found(d, "bpffs", FINDING_WARN, "mount it with mode=0700", "%s: others may remove what is pinned there",
                             path);
        else
                doctor_found(d, "bpffs", FINDING_OK, NULL, "%s", path);
}

void check_cgroup(struct doctor *d) {
        const char *wanted = d->config->cgroup_dir;
        char own[PATH_MAX];
        struct err err = {0};
        struct statfs fs;

        if (!wanted) {
                if (cgroup_own(own, &err) < 0) {
                        doctor_found(d, "cgroup", FINDING_FAIL, "mount -t cgroup2 cgroup2 /sys/fs/cgroup", "%s", err.msg);
                        return;
                }
                wanted = own;
        }
        if (statfs(wanted, &fs) < 0)
                doctor_found(d, "cgroup", FINDING_FAIL, "correct paths.cgroup in the configuration", "%s: %s", wanted,
                             strerror(errno));
        else if (fs.f_type != CGROUP2_SUPER_MAGIC)
                doctor_found(d, "cgroup", FINDING_FAIL, "mount -t cgroup2 cgroup2 /sys/fs/cgroup", "%s is not in a cgroup v2",
                             wanted);
        else if (access(wanted, W_OK) < 0)
                doctor_found(d, "cgroup", FINDING_FAIL, as_root, "no cgroup for self-tests can be made in %s: %s", wanted,
                             strerror(errno));
        else
                doctor_found(d, "cgroup", FINDING_OK, NULL, "v2, %s", wanted);
}

/* The state directory, or what it would be made in. */
void check_state(struct doctor *d) {
        const char *path = d->config->state_dir;
        uint64_t wanted, there;
        char parent[PATH_MAX], *slash, remedy[PATH_MAX + 64];
        struct statvfs fs;
        struct stat st;
        bool made = stat(path, &st) == 0;

        if (mul_overflows(d->config->limits.max_content, (uint64_t)3, &wanted))
                wanted = UINT64_MAX;
        snprintf(parent, sizeof(parent), "%s", path);
        slash = strrchr(parent, '/');
        if (!made && slash)
                slash[slash == parent] = '\0';
        snprintf(remedy, sizeof(remedy), "chown root:root %s; chmod 0700 %s", path, path);
        if (!made && (errno != ENOENT || stat(parent, &st) < 0))
                doctor_found(d, "state", FINDING_FAIL, "make the directory it is to be in", "%s: %s", path, strerror(errno));
        else if (!S_ISDIR(st.st_mode))
                doctor_found(d, "state", FINDING_FAIL, "move it away, or say --state DIR", "%s is no directory", path);
        else if (made && (st.st_uid != geteuid() || (st.st_mode & 022)))
                doctor_found(d, "state", FINDING_FAIL, remedy, "%s belongs to uid %u, mode %04o: others could change it", path,
                             st.st_uid, st.st_mode & 07777);
        else if (access(made ? path : parent, W_OK) < 0 || statvfs(made ? path : parent, &fs) < 0)
                doctor_found(d, "state", FINDING_FAIL, "mount it writable, and run this as root", "%s: %s", path,
                             strerror(errno));
        else if ((there = (uint64_t)fs.f_bavail * fs.f_frsize) < wanted)
                doctor_found(d, "state", FINDING_WARN, "make room, or lower limits.content in the configuration",
                             "%s: %llu MiB free; three releases of the largest allowed size need %llu", path,
                             (unsigned long long)(there / MIB), (unsigned long long)(wanted / MIB));
        else
                doctor_found(d, "state", FINDING_OK, NULL, "%s%s, %llu MiB free", path, made ? "" : " (not made yet)",
                             (unsigned long long)(there / MIB));
}

/* ---- the rest ------------------------------------------------------------------------------------------------------ */

void check_users(struct doctor *d) {
        const char *const names[] = {d->config->fetcher_user, d->config->loader_user, d->config->reporter_user};
        cleanup_buf struct buf missing = {0}, remedy = {0};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (!getpwnam(names[i])) {
                        buf_printf(&missing, "%s%s", missing.len ? ", " : "", names[i]);
                        buf_printf(&remedy, "%suseradd --system --no-create-home %s", remedy.len ? "; " : "systemd-sysusers, or ",
                                   names[i]);
                }
        if (missing.len)
                doctor_found(d, "users", FINDING_WARN, remedy.data,
                             "there is no user %s: such a child runs as nobody, as others may, too", missing.data);
        else
                doctor_found(d, "users", FINDING_OK, NULL, "%s, %s, %s", names[0], names[1], names[2]);
}

void check_clock(struct doctor *d) {
        struct timex t = {0};
        time_t now = time(NULL);
        bool synchronised = adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
        char text[64];
        struct tm tm;

        if (!gmtime_r(&now, &tm) || strftime(text, sizeof(text), "%F %TZ", &tm) == 0)
                snprintf(text, sizeof(text), "?");
        if (now < CLOCK_LEAST)
                doctor_found(d, "clock", FINDING_WARN, "set the clock, and keep it set (chrony, systemd-timesyncd)",
                             "%s: in the past; certificates and expiry dates mean nothing", text);
        else
                doctor_found(d, "clock", FINDING_OK, NULL, "%s%s", text, synchronised ? ", synchronised" : "");
}
