/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock by its system calls: glibc has no wrappers, and the headers of Debian 12 stop at ABI 2, so the newer bits are
 * here (Documentation/userspace-api/landlock.rst). Whatever the kernel can handle is handled, and little is allowed.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sandbox_parts.h"
#include "util.h"

#define FS_EXECUTE (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)
#define FS_REMOVE_DIR (1ULL << 4)
#define FS_REMOVE_FILE (1ULL << 5)
#define FS_MAKE_DIR (1ULL << 7)
#define FS_MAKE_REG (1ULL << 8)
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)     /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15) /* ABI 5 */
#define NET_BIND_TCP (1ULL << 0)  /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

struct ruleset_attr {
        uint64_t handled_fs, handled_net, scoped;
};
struct path_attr {
        uint64_t allowed;
        int32_t parent_fd;
} __attribute__((packed));
struct port_attr {
        uint64_t allowed, port;
};

static struct ruleset_attr ruleset_for(int abi) {
        struct ruleset_attr a = {.handled_fs = FS_ABI_1};

        if (abi >= 2)
                a.handled_fs |= FS_REFER;
        if (abi >= 3)
                a.handled_fs |= FS_TRUNCATE;
        if (abi >= 4)
                a.handled_net = NET_BIND_TCP | NET_CONNECT_TCP;
        if (abi >= 5)
                a.handled_fs |= FS_IOCTL_DEV;
        if (abi >= 6)
                a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
        return a;
}

static int allow_fd(int ruleset, int fd, uint64_t rights) {
        struct path_attr a = {.allowed = rights, .parent_fd = fd};

        return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &a, 0) < 0 ? -errno : 0;
}

static int allow_path(int ruleset, const char *path) {
        cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        /* A right that only folders have is an error on anything else. */
        return allow_fd(ruleset, fd, S_ISDIR(st.st_mode) ? FS_READ_FILE | FS_READ_DIR : FS_READ_FILE);
}

static int allow_writing(int ruleset, int dir, const struct ruleset_attr *attr) {
        uint64_t rights = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
                          FS_MAKE_REG | FS_TRUNCATE;

        return allow_fd(ruleset, dir, rights & attr->handled_fs);
}

static int allow_all(int ruleset, const struct sandbox_spec *spec, const struct ruleset_attr *attr) {
        int r = 0;

        for (const char *const *p = spec->readable; p && *p; p++) {
                r = allow_path(ruleset, *p);
                if (r < 0)
                        return r;
        }
        r = spec->writable_dir >= 0 ? allow_writing(ruleset, spec->writable_dir, attr) : 0;
        for (size_t i = 0; r >= 0 && i < spec->n_writable_too; i++)
                r = allow_writing(ruleset, spec->writable_too[i], attr);
        if (r < 0)
                return r;
        if (!attr->handled_net || spec->profile != SANDBOX_NETWORK)
                return 0;
        for (size_t i = 0; i < spec->n_ports; i++) {
                struct port_attr a = {.allowed = NET_CONNECT_TCP, .port = spec->ports[i]};

                if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &a, 0) < 0)
                        return -errno;
        }
        return 0;
}

int landlock_apply(const struct sandbox_spec *spec, struct sandbox_report *report, struct err *err) {
        int abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION), r;
        cleanup_fd int ruleset = -1;
        struct ruleset_attr attr;

        if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP)) /* not built in, or not in the list of active LSMs */
                return 0;
        if (abi <= 0)
                return err_errno(err, abi < 0 ? -errno : -EPROTO, "Landlock");

        attr = ruleset_for(abi);
        /* Older kernels take a longer structure as long as what they do not know is zero. */
        ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
        if (ruleset < 0)
                return err_errno(err, -errno, "Landlock rules of ABI %d", abi);
        r = allow_all(ruleset, spec, &attr);
        if (r < 0)
                return err_errno(err, r, "Landlock rules");
        if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                return err_errno(err, -errno, "Landlock");

        report->landlock_abi = abi;
        report->parts |= SANDBOX_LANDLOCK_FILES;
        if (attr.handled_net)
                report->parts |= SANDBOX_LANDLOCK_NET;
        if (attr.scoped)
                report->parts |= SANDBOX_LANDLOCK_SCOPE;
        return 0;
}
