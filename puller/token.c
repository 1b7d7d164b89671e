/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "child.h"
#include "fileio.h"
#include "loader_proto.h"
#include "util.h"

#define BIT(n) (1ULL << (n))

/*
 * What is delegated. Creating maps of the types that objects may use, their BTF, and programs; no attaching, no looking up of
 * objects by id. Besides LSM programs libbpf's own probes of the kernel need two types: without them it believes that global
 * data and bpf_probe_read_kernel are missing.
 */
#define DELEGATE_CMDS (BIT(BPF_MAP_CREATE) | BIT(BPF_PROG_LOAD) | BIT(BPF_BTF_LOAD))
#define DELEGATE_MAPS                                                                                                      \
        (BIT(BPF_MAP_TYPE_HASH) | BIT(BPF_MAP_TYPE_ARRAY) | BIT(BPF_MAP_TYPE_PROG_ARRAY) | BIT(BPF_MAP_TYPE_PERCPU_HASH) | \
         BIT(BPF_MAP_TYPE_PERCPU_ARRAY) | BIT(BPF_MAP_TYPE_LRU_HASH) | BIT(BPF_MAP_TYPE_LRU_PERCPU_HASH) |                 \
         BIT(BPF_MAP_TYPE_LPM_TRIE) | BIT(BPF_MAP_TYPE_ARRAY_OF_MAPS) | BIT(BPF_MAP_TYPE_HASH_OF_MAPS) |                   \
         BIT(BPF_MAP_TYPE_RINGBUF) | BIT(BPF_MAP_TYPE_INODE_STORAGE) | BIT(BPF_MAP_TYPE_TASK_STORAGE) |                    \
         BIT(BPF_MAP_TYPE_BLOOM_FILTER) | BIT(32 /* BPF_MAP_TYPE_CGRP_STORAGE, 6.2 */))
#define DELEGATE_PROGS (BIT(BPF_PROG_TYPE_LSM) | BIT(BPF_PROG_TYPE_SOCKET_FILTER) | BIT(BPF_PROG_TYPE_TRACEPOINT))
#define DELEGATE_ATTACHS (BIT(BPF_LSM_MAC) | BIT(0 /* what the probes leave unset */))

static int say(int sock, enum loader_message message, const int *fds, size_t n) {
        struct loader_packet p = {.message = message};

        return msg_send(sock, &p, sizeof(p), fds, n);
}

/* One packet of the expected kind; its descriptor, if it has one, in *ret_fd (which may be NULL when none is expected). */
static int expect(int sock, struct waiter *w, int64_t deadline_ns, enum loader_message message, int *ret_fd, struct err *err) {
        struct loader_packet p;
        int fd = -1;
        size_t n = 1;
        ssize_t r;

        r = w ? msg_recv_wait(sock, w, deadline_ns, &p, sizeof(p), &fd, &n) : msg_recv(sock, &p, sizeof(p), &fd, &n);
        if (r < 0)
                return err_errno(err, (int)r, "BPF token: no answer");
        if (r == sizeof(p) && p.message == LOADER_NO_TOKEN) {
                p.text[sizeof(p.text) - 1] = '\0';
                close_p(&fd);
                return err_set(err, -EOPNOTSUPP, REASON_NONE, "%s", p.text);
        }
        if (r != sizeof(p) || p.message != message || (n == 1) != (ret_fd != NULL)) {
                close_p(&fd);
                return err_set(err, -EPROTO, REASON_NONE, "BPF token: the child broke off");
        }
        if (ret_fd)
                *ret_fd = fd;
        return 0;
}

bool token_known(void) {
        /* A kernel that has the command complains of the descriptor, one that has not of the command. */
        return bpf_token_create(-1, NULL) != -EINVAL;
}

int token_take(int sock, int *ret_fd, struct err *err) {
        cleanup_fd int fs = -1, mnt = -1, dir = -1;
        int r;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return err_set(err, -EOPNOTSUPP, REASON_NONE, "no user namespace (%s)", strerror(errno));
        r = say(sock, LOADER_NAMESPACE, NULL, 0);
        if (r < 0)
                return err_errno(err, r, "BPF token");
        r = expect(sock, NULL, 0, LOADER_GO_ON, NULL, err);
        if (r < 0)
                return r;
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return err_errno(err, -errno, "BPF token: cannot become root of the namespace");

        fs = (int)syscall(SYS_fsopen, "bpf", FSOPEN_CLOEXEC);
        if (fs < 0)
                return err_set(err, -EOPNOTSUPP, REASON_NONE, "this kernel has no BPF tokens (bpffs in a user namespace: %s)",
                               strerror(errno));
        r = say(sock, LOADER_FILESYSTEM, &fs, 1);
        if (r < 0)
                return err_errno(err, r, "BPF token");
        r = expect(sock, NULL, 0, LOADER_GO_ON, NULL, err);
        if (r < 0)
                return r;
        mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
        if (mnt < 0)
                return err_errno(err, -errno, "BPF token: cannot mount the delegated bpffs");
        /* The mount's own descriptor is of the O_PATH kind, which the token call refuses. */
        dir = openat(mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return err_errno(err, -errno, "BPF token: cannot open the delegated bpffs");
        *ret_fd = steal_fd(&dir);
        return 0;
}

static int map_write(int dir, const char *name, const char *text, struct err *err) {
        cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return err_errno(err, -errno, "BPF token: cannot write the child's %s", name);
        return 0;
}

static int ids_map(pid_t child, uid_t uid, gid_t gid, struct err *err) {
        cleanup_fd int dir = -1;
        char path[64], text[64];
        int r;

        snprintf(path, sizeof(path), "/proc/%d", child);
        dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return err_errno(err, -errno, "BPF token: %s", path);
        r = map_write(dir, "setgroups", "deny", err);
        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "0 %u 1", uid);
        r = map_write(dir, "uid_map", text, err);
        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "0 %u 1", gid);
        return map_write(dir, "gid_map", text, err);
}

static int delegate(int fs, struct err *err) {
        static const struct {
                const char *key;
                uint64_t mask;
        } options[] = {
                {"delegate_cmds", DELEGATE_CMDS},
                {"delegate_maps", DELEGATE_MAPS},
                {"delegate_progs", DELEGATE_PROGS},
                {"delegate_attachs", DELEGATE_ATTACHS},
        };

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char mask[32];

                snprintf(mask, sizeof(mask), "0x%llx", (unsigned long long)options[i].mask);
                if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i].key, mask, 0) < 0)
                        return err_set(err, -EOPNOTSUPP, REASON_NONE, "this kernel has no BPF tokens (%s: %s)", options[i].key,
                                       strerror(errno));
        }
        if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                /* 6.1 takes any option and refuses here. */
                return err_set(err, -EOPNOTSUPP, REASON_NONE, "this kernel has no BPF tokens (bpffs in a user namespace: %s)",
                               strerror(errno));
        return 0;
}

int token_give(int sock, pid_t child, uid_t uid, gid_t gid, struct waiter *w, int64_t deadline_ns, struct err *err) {
        cleanup_fd int fs = -1;
        int r;

        r = expect(sock, w, deadline_ns, LOADER_NAMESPACE, NULL, err);
        if (r < 0)
                return r;
        r = ids_map(child, uid, gid, err);
        if (r < 0)
                return r;
        r = say(sock, LOADER_GO_ON, NULL, 0);
        if (r < 0)
                return err_errno(err, r, "BPF token");
        r = expect(sock, w, deadline_ns, LOADER_FILESYSTEM, &fs, err);
        if (r < 0)
                return r;
        r = delegate(fs, err);
        if (r < 0)
                return r;
        r = say(sock, LOADER_GO_ON, NULL, 0);
        return r < 0 ? err_errno(err, r, "BPF token") : 0;
}
