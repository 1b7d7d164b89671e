// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * agent-guard: nobody but the agent touches what the agent has in the kernel, and nobody but PID 1 touches the agent.
 *
 *      who it is         bprm_check_security, task_alloc
 *      its objects       bpf, bpf_map, bpf_prog: maps, programs and links, by id or by pin
 *      its pins          path_*, sb_mount, sb_umount, move_mount: the directory in bpffs, and the mounts that it stands on
 *      its processes     ptrace_access_check, task_*: tracing, signals, scheduler, limits; file_open: its files in /proc
 *      its cgroup        file_open, path_mkdir
 *
 * The agent is known by a mark (lsm_guard.h), which a task gets when it executes the agent's program in one of three ways:
 *
 *      1. as PID 1's child: uid 0, in the node's mount namespace, with the node's root, and in the agent's unit, where one is named;
 *      2. when nobody has renewed the lease for `lease_seconds`: the same, whoever the parent is. So a node whose agent has gone
 *         for good can be repaired;
 *      3. as the agent's child, or as the agent itself: the very file that it runs itself, in whatever place. Not in the probe's
 *         cgroup: what proves the policies must be subject to them.
 *
 * Whatever else a marked task executes is not marked; what it forks is. Not sure (a name cannot be read, a folder is too deep):
 * a task is not the agent, a place is the agent's.
 */
#include <lsm_policy.h>
#include <lsm_guard.h>

#include "agent_guard_kernel.h"

SEED_SET(agent_paths, char[NAME_LEN], 8);
SEED_ARRAY(agent_unit, char[NAME_LEN], 2); /* the last two components of its cgroup; "": any will do */
SEED_ARRAY(lease_seconds, __u32, 1);

#define LSM_UNSAFE_SHARE_OR_PTRACE 3
#define PROBE_CGROUP "lsmpull-probe"
#define DEPTH_MAX 16

/* May do to the agent what it likes. */
static __always_inline bool is_trusted(void) {
        return lsm_current_is_agent() || is_init();
}

/* ---- who it is ------------------------------------------------------------------------------------------------------ */

static __always_inline bool in_probe(struct task_struct *task) {
        const char want[NAME_LEN] = PROBE_CGROUP;

        return name_equals(cgroup_name(cgroup_of(task)), want);
}

static __always_inline bool in_unit(struct task_struct *task) {
        struct cgroup___guard *cgroup = cgroup_of(task);
        __u32 zero = 0, one = 1;
        const char *slice = bpf_map_lookup_elem(&agent_unit, &zero), *unit = bpf_map_lookup_elem(&agent_unit, &one);

        if (!slice || !unit)
                return false;
        if (!unit[0])
                return true;
        return name_equals(cgroup_name(cgroup), unit) && name_equals(cgroup_name(cgroup_above(cgroup)), slice);
}

static __always_inline bool lease_is_over(const struct lsm_guard_node *node) {
        __u32 zero = 0, *seconds = bpf_map_lookup_elem(&lease_seconds, &zero);

        /* Where no agent has served so far, there is none to be taken for. */
        if (!node->renewed_ns)
                return true;
        return seconds && bpf_ktime_get_boot_ns() - node->renewed_ns > *seconds * 1000000000ULL;
}

static __always_inline bool path_is_agents(const struct linux_binprm *bprm) {
        char path[NAME_LEN], key[NAME_LEN] = {};

        /* What is behind the path's end is rubbish, and no part of a key. */
        return bpf_d_path(&bprm->file->f_path, path, sizeof(path)) > 0 && bpf_probe_read_kernel_str(key, sizeof(key), path) > 0 &&
               bpf_map_lookup_elem(&agent_paths, key);
}

static __always_inline bool becomes_agent(struct task_struct *task, const struct linux_binprm *bprm) {
        const struct lsm_guard_node *node = lsm_guard_node_get();
        struct task_struct *parent = TASK(task)->real_parent;
        struct inode *exe = bprm->file->f_inode;

        if (!node || ((const struct linux_binprm___guard *)bprm)->unsafe & LSM_UNSAFE_SHARE_OR_PTRACE)
                return false;
        if (lsm_task_is_agent(task) && exe_of(task) == exe)
                return !in_probe(task);
        if (lsm_task_is_agent(parent) && exe_of(parent) == exe)
                return !in_probe(task);
        if ((__u32)bpf_get_current_uid_gid() != 0 || current_mnt_ns() != node->mnt_ns || !root_is_top(task))
                return false;
        return ((parent->tgid == 1 && in_unit(task)) || lease_is_over(node)) && path_is_agents(bprm);
}

LSM_POLICY(bprm_check_security, struct linux_binprm *bprm) {
        struct task_struct *task = current_task();
        __u64 none = 0, *mark;

        /* The mark is for the program to come: if executing it fails, this one has none. Every attempt decides anew. */
        if (becomes_agent(task, bprm)) {
                mark = bpf_task_storage_get(&lsm_guard_tasks, task, &none, BPF_LOCAL_STORAGE_GET_F_CREATE);
                if (mark)
                        *mark = lsm_exec_id(task) + 1;
                else
                        lsm_count_error();
                return ALLOW;
        }
        mark = bpf_task_storage_get(&lsm_guard_tasks, task, NULL, 0);
        if (mark)
                *mark = 0;
        return ALLOW;
}

LSM_POLICY(task_alloc, struct task_struct *task) {
        __u64 mark = lsm_exec_id(current_task());

        if (lsm_current_is_agent() && !bpf_task_storage_get(&lsm_guard_tasks, task, &mark, BPF_LOCAL_STORAGE_GET_F_CREATE))
                lsm_count_error();
        return ALLOW;
}

/* ---- its objects ---------------------------------------------------------------------------------------------------- */

/* Those that it makes are its own from the first moment on. */
static __always_inline bool object_is_closed(__u32 kind, __u32 id) {
        struct lsm_guard_object key = {.kind = kind, .id = id};
        __u8 one = 1;

        if (lsm_current_is_agent()) {
                if (!bpf_map_lookup_elem(&lsm_guard_objects, &key) &&
                    bpf_map_update_elem(&lsm_guard_objects, &key, &one, BPF_ANY) < 0)
                        lsm_count_error();
                return false;
        }
        return bpf_map_lookup_elem(&lsm_guard_objects, &key) && !is_init();
}

LSM_POLICY(bpf_map, struct bpf_map *map) {
        if (object_is_closed(LSM_GUARD_MAP, ((struct bpf_map___guard *)map)->id))
                return DENY(EPERM, "opens a map of the agent");
        return ALLOW;
}

LSM_POLICY(bpf_prog, struct bpf_prog *prog) {
        if (object_is_closed(LSM_GUARD_PROG, ((struct bpf_prog___guard *)prog)->aux->id))
                return DENY(EPERM, "opens a program of the agent");
        return ALLOW;
}

#define CMD_LINK_GET_FD_BY_ID 30

LSM_POLICY(bpf, int cmd, union bpf_attr *attr) {
        struct lsm_guard_object key = {.kind = LSM_GUARD_LINK};

        /* link_id is the first of what this command takes. Links have no hook of their own. */
        if (cmd != CMD_LINK_GET_FD_BY_ID || bpf_probe_read_kernel(&key.id, sizeof(key.id), attr) < 0)
                return ALLOW;
        if (bpf_map_lookup_elem(&lsm_guard_objects, &key) && !is_trusted())
                return DENY(EPERM, "opens a link of the agent");
        return ALLOW;
}

/* ---- its pins ------------------------------------------------------------------------------------------------------- */

static __always_inline bool is_agents_bpffs(const struct lsm_guard_node *node, const struct dentry *dentry) {
        return node && node->bpffs_dev && dentry->d_sb->s_dev == node->bpffs_dev;
}

static __always_inline bool is_pin(const struct dentry *dentry) {
        const struct lsm_guard_node *node = lsm_guard_node_get();

        if (!is_agents_bpffs(node, dentry))
                return false;
        for (int i = 0; i < DEPTH_MAX; i++) {
                const struct dentry *parent = dentry->d_parent;
                const struct inode *inode = dentry->d_inode;

                if (inode && inode->i_ino == node->bpffs_inode)
                        return true;
                if (parent == dentry)
                        return false;
                dentry = parent;
        }
        return true;
}

#define PINS_HOOK(hook, condition, why, ...)      \
        LSM_POLICY(hook, __VA_ARGS__) {           \
                if ((condition) && !is_trusted()) \
                        return DENY(EPERM, why);  \
                return ALLOW;                     \
        }

PINS_HOOK(path_unlink, is_pin(dentry), "removes a pin of the agent", const struct path *dir, struct dentry *dentry)
PINS_HOOK(path_rmdir, is_pin(dentry), "removes a folder of the agent's pins", const struct path *dir, struct dentry *dentry)
PINS_HOOK(path_rename, is_pin(dentry) || is_pin(to->dentry), "renames a pin of the agent", const struct path *dir,
          struct dentry *dentry, const struct path *to)
PINS_HOOK(path_mknod, is_pin(dir->dentry), "pins something among the agent's", const struct path *dir)
PINS_HOOK(path_link, is_pin(dentry) || is_pin(to->dentry), "links a pin of the agent", struct dentry *dentry,
          const struct path *to)
PINS_HOOK(path_symlink, is_pin(dir->dentry), "makes a link among the agent's pins", const struct path *dir)
PINS_HOOK(path_chmod, is_pin(path->dentry), "changes a pin of the agent", const struct path *path)
PINS_HOOK(path_chown, is_pin(path->dentry), "changes a pin of the agent", const struct path *path)

/* A new cgroup that has the name of the agent's unit, while there is none: it would let its maker become the agent. */
static __always_inline bool is_unit(const struct path *dir, const struct dentry *dentry) {
        const struct lsm_guard_node *node = lsm_guard_node_get();
        __u32 one = 1;
        const char *unit = bpf_map_lookup_elem(&agent_unit, &one);

        return node && unit && unit[0] && node->cgroup_dev && dir->dentry->d_sb->s_dev == node->cgroup_dev &&
               name_equals((const char *)dentry->d_name.name, unit);
}

PINS_HOOK(path_mkdir, is_pin(dir->dentry) || is_unit(dir, dentry), "makes a folder that is the agent's to make",
          const struct path *dir, struct dentry *dentry)

/* What is mounted here hides the agent's pins from the agent, or changes the mount that they are in. */
static __always_inline bool is_above_pins(const struct lsm_guard_node *node, const struct dentry *dentry) {
        const struct dentry *parent = dentry->d_parent;

        if (is_agents_bpffs(node, dentry))
                return parent == dentry || is_pin(dentry);
        /* /sys and /sys/fs */
        return dentry->d_sb->s_magic == SYSFS_MAGIC && (parent == dentry || parent->d_parent == parent);
}

static __always_inline bool mount_concerns(const struct lsm_guard_node *node, const struct path *at) {
        return current_mnt_ns() == node->mnt_ns || mount_shared(mount_of(at->mnt));
}

LSM_POLICY(sb_mount, const char *dev_name, const struct path *path, const char *type, unsigned long flags) {
        const struct lsm_guard_node *node = lsm_guard_node_get();

        if (!node || !mount_concerns(node, path) || is_trusted())
                return ALLOW;
        if (is_above_pins(node, path->dentry))
                return DENY(EPERM, "mounts over the agent's pins");
        if (flags & MS_MOVE) /* what is moved is not known here */
                return DENY(EPERM, "moves a mount");
        return ALLOW;
}

LSM_POLICY(move_mount, const struct path *from, const struct path *to) {
        const struct lsm_guard_node *node = lsm_guard_node_get();

        if (!node || !mount_concerns(node, to) || is_trusted())
                return ALLOW;
        if (is_above_pins(node, to->dentry))
                return DENY(EPERM, "mounts over the agent's pins");
        if (is_above_pins(node, from->dentry) && mount_ns(mount_of(from->mnt)) == node->mnt_ns)
                return DENY(EPERM, "moves the mount that the agent's pins are in");
        return ALLOW;
}

LSM_POLICY(sb_umount, struct vfsmount *mnt, int flags) {
        const struct lsm_guard_node *node = lsm_guard_node_get();
        struct mount___guard *m = mount_of(mnt);

        if (!node || (mount_ns(m) != node->mnt_ns && !mount_shared(BPF_CORE_READ(m, mnt_parent))) || is_trusted())
                return ALLOW;
        if (is_agents_bpffs(node, mnt->mnt_root))
                return DENY(EPERM, "unmounts the agent's pins");
        /* Lazily: with all that is mounted below. */
        if (flags & MNT_DETACH && (mnt->mnt_root->d_sb->s_magic == SYSFS_MAGIC || mount_is_top(m)))
                return DENY(EPERM, "unmounts what the agent's pins are below");
        return ALLOW;
}

/* ---- its processes -------------------------------------------------------------------------------------------------- */

#define MODE_ATTACH 2
#define SIGHUP 1

LSM_POLICY(ptrace_access_check, struct task_struct *child, unsigned int mode) {
        if (mode & MODE_ATTACH && lsm_task_is_agent(child) && !is_trusted())
                return DENY(EPERM, "traces the agent");
        return ALLOW;
}

/* "Read your configuration again" is the one thing that anybody with root's rights may tell it. */
LSM_POLICY(task_kill, struct task_struct *p, void *info, int sig) {
        const struct lsm_guard_node *node = lsm_guard_node_get();

        if (sig == 0 || !lsm_task_is_agent(p) || is_trusted())
                return ALLOW;
        if (sig == SIGHUP && node && p->tgid == node->supervisor)
                return ALLOW;
        return DENY(EPERM, "signals the agent");
}

#define TASK_HOOK(hook, why)                               \
        LSM_POLICY(hook, struct task_struct *p) {          \
                if (lsm_task_is_agent(p) && !is_trusted()) \
                        return DENY(EPERM, why);           \
                return ALLOW;                              \
        }

TASK_HOOK(task_setscheduler, "changes how the agent is scheduled")
TASK_HOOK(task_setnice, "changes how the agent is scheduled")
TASK_HOOK(task_setioprio, "changes the agent's I/O priority")
TASK_HOOK(task_setrlimit, "changes the agent's limits")
TASK_HOOK(task_movememory, "moves the agent's memory")

/* ---- its files in /proc and its cgroup -------------------------------------------------------------------------------- */

/* Files of the agent's cgroup and below; and of those above, what would stop or starve all that is in them. */
static __always_inline bool is_cgroup_file(const struct lsm_guard_node *node, const struct dentry *dentry) {
        const struct dentry *dir = dentry->d_parent;
        char name[8] = {};

        if (!node->cgroups[0])
                return false;
        for (int i = 1; i < LSM_GUARD_CGROUPS; i++)
                if (node->cgroups[i] && dir->d_inode->i_ino == node->cgroups[i]) {
                        /* "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" are not closed; "cgroup.kill" and
                         * "cgroup.freeze", and every limit, are. */
                        if (bpf_probe_read_kernel(name, sizeof(name), dentry->d_name.name) < 0 || name[6] != '.')
                                return true;
                        return !(name[7] == 'p' || name[7] == 't' || name[7] == 's') || name[0] != 'c' || name[1] != 'g';
                }
        for (int i = 0; i < DEPTH_MAX; i++) {
                const struct dentry *parent = dir->d_parent;

                if (dir->d_inode->i_ino == node->cgroups[0])
                        return true;
                if (parent == dir)
                        return false;
                dir = parent;
        }
        return true;
}

/* /proc/PID/... of the supervisor: oom_score_adj, and what else can be written there. */
static __always_inline bool is_proc_file(const struct lsm_guard_node *node, const struct dentry *dentry) {
        for (int i = 0; i < 4; i++) {
                const struct dentry *parent = dentry->d_parent;
                char name[sizeof(node->supervisor_name)] = {};

                if (parent == dentry)
                        return false;
                dentry = parent;
                if (bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name) < 0)
                        return true;
                if (*(__u64 *)name == *(__u64 *)node->supervisor_name &&
                    *(__u32 *)(name + 8) == *(__u32 *)(node->supervisor_name + 8))
                        return true;
        }
        return false;
}

LSM_POLICY(file_open, struct file *file) {
        const struct lsm_guard_node *node = lsm_guard_node_get();
        const struct inode *inode = file->f_inode;
        __u32 dev = inode->i_sb->s_dev;

        if (!node)
                return ALLOW;
        /* Opening a pin as a file leads to nothing; whether it is refused here shows that the agent is on guard. */
        if (node->bpffs_dev && dev == node->bpffs_dev && (inode->i_mode & S_IFMT) == S_IFREG) {
                if (is_pin(file->f_path.dentry) && !is_trusted())
                        return DENY(EPERM, "opens a pin of the agent");
        }
        if (!(file->f_mode & FMODE_WRITE))
                return ALLOW;
        if (node->cgroup_dev && dev == node->cgroup_dev) {
                if (is_cgroup_file(node, file->f_path.dentry) && !is_trusted())
                        return DENY(EPERM, "writes to the agent's cgroup");
        } else if (node->proc_dev && dev == node->proc_dev) {
                if (is_proc_file(node, file->f_path.dentry) && !is_trusted())
                        return DENY(EPERM, "writes to the agent's files in /proc");
        }
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
