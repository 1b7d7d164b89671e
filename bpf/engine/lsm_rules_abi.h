/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The tables that `lsmbundle build` makes of a bundle's rules and that the engine (lsm_rules.h) reads. They are seeds of the
 * engine's maps: a node fills them in and does not interpret them, but for lsm_rules_roots, which the agent fills.
 *
 * From what a rule says about objects and programs, an automaton over paths is made (cells, states). Where a path ends, its state
 * names a class: the list of rules that may apply to such a path, the one that decides first in front. So the cost of a
 * decision grows with the length of the path and with the rules that are about this very path, and not with all there are.
 *
 * Included from BPF C and from user space: __u32 and friends must be known before.
 */
#pragma once

/* ---- operations: bits of a set ------------------------------------------------------------------------------------- */

#define LSM_OPS(X)                          \
        X(FILE_READ, "file.read")           \
        X(FILE_WRITE, "file.write")         \
        X(FILE_CREATE, "file.create")       \
        X(FILE_EXEC, "file.exec")           \
        X(FILE_MMAP_EXEC, "file.mmap-exec") \
        X(FILE_UNLINK, "file.unlink")       \
        X(FILE_RENAME, "file.rename")       \
        X(FILE_LINK, "file.link")           \
        X(FILE_SYMLINK, "file.symlink")     \
        X(FILE_MKDIR, "file.mkdir")         \
        X(FILE_CHMOD, "file.chmod")         \
        X(FILE_CHOWN, "file.chown")         \
        X(FILE_TRUNCATE, "file.truncate")   \
        X(FILE_MKNOD, "file.mknod")         \
        X(FILE_SETXATTR, "file.setxattr")   \
        X(EXEC, "exec")                     \
        X(CAPABILITY, "capability")         \
        X(SOCKET_CREATE, "socket.create")   \
        X(SOCKET_BIND, "socket.bind")       \
        X(SOCKET_CONNECT, "socket.connect") \
        X(SOCKET_LISTEN, "socket.listen")   \
        X(SOCKET_ACCEPT, "socket.accept")   \
        X(SOCKET_SENDMSG, "socket.sendmsg") \
        X(MOUNT, "mount")                   \
        X(UMOUNT, "umount")                 \
        X(MOVE_MOUNT, "move-mount")         \
        X(PIVOT_ROOT, "pivot-root")         \
        X(PTRACE, "ptrace")                 \
        X(SIGNAL, "signal")                 \
        X(BPF, "bpf")                       \
        X(MODULE_LOAD, "module.load")       \
        X(KEXEC, "kexec")                   \
        X(USERNS_CREATE, "userns.create")   \
        X(SETUID, "setuid")                 \
        X(SETGID, "setgid")

enum lsm_op {
#define X(name, text) LSM_OP_##name,
        LSM_OPS(X)
#undef X
                LSM_OPS_N,
};
#define LSM_OP_BIT(op) (1ULL << (op))
_Static_assert(LSM_OPS_N <= 60, "and four more in a class's ops");

/* ---- the automaton over paths -------------------------------------------------------------------------------------- */

/*
 * A path is "/a/b": for each component from the root on a '/' and its name; the root itself is "". A state's number is an index of
 * the cells. Byte b (1 to 255) leads from state s to cells[s + b].next when cells[s + b].check is s, and to the state's default
 * when it is not. cells[s] is the state's own: its `check` is LSM_CELL_OWN with the index of its lsm_rules_state, its `next` the
 * default. State 0 is the dead one: no rule is about such a path, and it stays so.
 */
struct lsm_rules_cell {
        __u32 check;
        __u32 next;
};
#define LSM_CELL_OWN 0x80000000u
/* In `next`: whatever follows, it stays in that state. */
#define LSM_STATE_SINK 0x80000000u
/* In what a walk returns: it could not be followed to its end. Any path that goes on from that state may be meant. */
#define LSM_STATE_UNSURE 0x40000000u
#define LSM_STATE_NUMBER(s) ((s) & ~(LSM_STATE_SINK | LSM_STATE_UNSURE))
/* More than this many cells, and the bundle is refused when it is built. */
#define LSM_CELLS_MAX (1u << 24)

struct lsm_rules_state {
        __u32 accept; /* class of a path that ends here */
        __u32 below;  /* class of all that may end here or further on: for moving a folder */
        __u32 unsure; /* the same for what could not be followed further: without the rules that let that through */
};

/* ---- classes and rules ---------------------------------------------------------------------------------------------- */

/* Class 0: no path at all, or one that no rule names. */
struct lsm_rules_class {
        __u64 ops;   /* union over its rules: nothing to look for, nearly always; and LSM_CLASS_* */
        __u32 first; /* its rules are lsm_rules_refs[first] up to first + n - 1, in the order in which they are asked */
        __u32 n;     /* at most LSM_CLASS_RULES_MAX */
};
#define LSM_CLASS_RULES_MAX 64
/* Some rule of it asks whether the task is the node's own. */
#define LSM_CLASS_HOST (1ULL << 60)
/* Some rule of it asks for the type of the file system. */
#define LSM_CLASS_FS (1ULL << 61)
/* Some rule of it asks for the task's program; for its parent's. To find those out costs more than all else. */
#define LSM_CLASS_EXE (1ULL << 62)
#define LSM_CLASS_PARENT (1ULL << 63)

enum lsm_rule_action {
        LSM_RULE_DENY,
        LSM_RULE_KILL,  /* deny, and SIGKILL */
        LSM_RULE_AUDIT, /* reported as a would-be denial, allowed; later rules are not asked */
        LSM_RULE_ALLOW,
};

/* What a rule asks of the task: all that is named must hold. Sets are numbers of lsm_rules_members; 0: anything. */
struct lsm_rules_subject {
        __u32 exe;    /* set of classes: the program's path */
        __u32 parent; /* the same of the parent's program */
        __u32 comm, uid, gid;
        __u32 flags; /* enum lsm_subject_flag */
};
enum lsm_subject_flag {
        LSM_SUBJECT_ANY = 1 << 0, /* of `unless`: there is one */
        LSM_SUBJECT_HOST = 1 << 1,
        LSM_SUBJECT_NOT_HOST = 1 << 2,
        LSM_SUBJECT_OWNER = 1 << 3, /* the task's uid owns the file */
        LSM_SUBJECT_NOT_OWNER = 1 << 4,
        /* Of `subject`: the rule names no path. It holds once for an operation, not for each view of a path, and it is not about
         * what lies below a folder that is moved. */
        LSM_SUBJECT_NO_PATH = 1 << 5,
};

/* What a socket is, as one value; where there is an address of IP, family is the address's. */
#define LSM_SOCKET_VALUE(family, type, protocol) \
        (((__u32)(family)&0xff) << 24 | ((__u32)(type)&0xff) << 16 | ((__u32)(protocol)&0xffff))

/* What a node for a device is, as one value; what is none is 0. No driver has a major number above LSM_DEVICE_MAJOR_MAX; nodes may. */
enum lsm_device_kind {
        LSM_DEVICE_BLOCK = 1,
        LSM_DEVICE_CHAR,
};
#define LSM_DEVICE_MAJOR_MAX 511
#define LSM_DEVICE_MINOR_MAX 0xfffff
#define LSM_DEVICE_VALUE(kind, major, minor) \
        ((__u32)(kind) << 30 | ((__u32)(major) > LSM_DEVICE_MAJOR_MAX ? 0x3ff : (__u32)(major)) << 20 | (__u32)(minor))
/* A member of a set of devices: those whose value, as far as the mask takes it, is this. */
struct lsm_rules_device {
        __u32 value;
        __u32 mask; /* LSM_DEVICE_MASK_* */
};
#define LSM_DEVICE_MASK_ONE 0xffffffffu
#define LSM_DEVICE_MASK_MAJOR 0xfff00000u
#define LSM_DEVICE_MASK_KIND 0xc0000000u
/* Of a folder that is moved: there may be any below it. */
#define LSM_DEVICE_FOLDER 0xffffffffu

/* In object_mask: `object` is a set of lsm_rules_device. (No other set is asked for nothing of a value.) */
#define LSM_OBJECT_DEVICES 0

/* Types of file systems have numbers, from 1 on: those that rules name. 0: any other. */
struct lsm_rules_fs {
        char name[16]; /* as the kernel has it, zeros behind; at most LSM_FS_NAME_MAX bytes */
};
#define LSM_FS_NAME_MAX 14 /* a longer one is not taken for a shorter one: what is read of it is one byte more */
#define LSM_FS_MAX 0x7ffe
/* Nobody can say which it is. */
#define LSM_FS_UNKNOWN 0x7fff
/* Beside a number: and further below there may be any. */
#define LSM_FS_BELOW 0x8000

#define LSM_RULE_ID_LEN 64
/* What a node itself reads of a rule. It stands in front in each version, so that an agent can load what an older or a newer
 * lsmbundle has made; what is behind it is the engine's alone, which comes with the bundle. */
struct lsm_rules_rule_head {
        __u64 ops; /* exec and file.exec are one operation: a rule has both bits or none */
        __u32 ruleset;
        __u16 action;             /* enum lsm_rule_action */
        __u16 error;              /* positive errno */
        char id[LSM_RULE_ID_LEN]; /* "POLICY/ID" */
};

struct lsm_rules_rule {
        __u64 ops; /* these five as in struct lsm_rules_rule_head */
        __u32 ruleset;
        __u16 action;
        __u16 error;
        char id[LSM_RULE_ID_LEN];
        __u32 object;      /* set that the object must be in (capability, ...); 0: anything */
        __u32 object_mask; /* what of the object's value is looked for in that set; or LSM_OBJECT_DEVICES */
        __u32 fs;          /* set of numbers of types of file systems; 0: anything */
        __u32 pad;
        struct lsm_rules_subject subject;
        struct lsm_rules_subject unless; /* the rule does not hold for such a task; flags 0: there is no exception */
};
_Static_assert(sizeof(struct lsm_rules_rule) == 32 + 2 * 24 + LSM_RULE_ID_LEN, "layout");
_Static_assert(sizeof(struct lsm_rules_rule_head) == 16 + LSM_RULE_ID_LEN &&
                       __builtin_offsetof(struct lsm_rules_rule, object) == sizeof(struct lsm_rules_rule_head),
               "in front");

/* A policy written as rules. */
struct lsm_rules_set {
        __u32 mode; /* enum lsm_mode as signed; the agent's for the whole bundle prevails when it is lower */
        __u32 pad;
};

/* Members of sets: the key is (set, value), what the value is depends on what the set is about. */
struct lsm_rules_member {
        __u32 set;
        char value
                [16]; /* a class, a uid, a gid, a capability: __u32 in native order, zeros behind; lsm_rules_device; a task's name as it stands */
};
_Static_assert(sizeof(struct lsm_rules_member) == 20, "layout");

/* ---- what the agent fills: where file systems are in the node's own tree -------------------------------------------- */

/* Key: the kernel's device number (major << 20 | minor), or one that no device has. For a file system whose root is mounted there: the
 * state after that path. */
struct lsm_rules_root {
        __u32 state; /* without LSM_STATE_SINK */
        __u32 pad;
};
#define LSM_ROOTS_MAX 1024 /* file systems */
enum lsm_root_key {
        LSM_ROOT_PROC = 0xfffffffd, /* of an unknown proc: each mount may be another one, and shows the same */
        LSM_ROOT_SYS,               /* of a sysfs: there is one for each network namespace */
        LSM_ROOT_START,             /* the automaton's state at "" */
};
#define LSM_ROOTS_SPECIAL 3

/* The engine's parameters beside lsm_config: addresses of the kernel's seqlocks, 0 where they are not known (then every decision is
 * computed anew). */
struct lsm_rules_kernel {
        __u64 rename_lock, mount_lock;
};

/* ---- counters: one for each rule, shared by all processors ----------------------------------------------------------- */

struct lsm_rules_count {
        __u64 allowed, denied, would_deny;
};
