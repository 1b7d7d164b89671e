/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-tests: what a bundle's author promises of it (`_type` "lsm-selftests", format 1; docs/selftests.md). Each names a
 * subject, one operation and how it must end. This file owns the vocabulary and its refusals; nothing is tried here.
 *
 * The refusals are half of the safety: an operation that makes, changes or removes something can only name a place where
 * the agent makes the thing itself, under a name that nobody can guess.
 */
#pragma once

#include <netinet/in.h>
#include <sys/un.h>

#include "json.h"

#define SELFTESTS_TYPE "lsm-selftests"
#define SELFTESTS_MAX 1024
#define SELFTEST_NAME_MAX 127
#define SELFTEST_JSON_MAX 32768

#define SELFTEST_FRESH_MAX 64 /* bytes of a fresh name, at most */

/* X(identifier, word): the word is the key under `do`. */
#define SELFTEST_OPS(X)                        \
        X(SELFTEST_OPEN, "open")               \
        X(SELFTEST_READ, "read")               \
        X(SELFTEST_MMAP, "mmap")               \
        X(SELFTEST_CREATE, "create")           \
        X(SELFTEST_UNLINK, "unlink")           \
        X(SELFTEST_RENAME, "rename")           \
        X(SELFTEST_LINK, "link")               \
        X(SELFTEST_SYMLINK, "symlink")         \
        X(SELFTEST_MKDIR, "mkdir")             \
        X(SELFTEST_RMDIR, "rmdir")             \
        X(SELFTEST_CHMOD, "chmod")             \
        X(SELFTEST_CHOWN, "chown")             \
        X(SELFTEST_TRUNCATE, "truncate")       \
        X(SELFTEST_MKNOD, "mknod")             \
        X(SELFTEST_SETXATTR, "setxattr")       \
        X(SELFTEST_EXEC, "exec")               \
        X(SELFTEST_SOCKET, "socket")           \
        X(SELFTEST_BIND, "bind")               \
        X(SELFTEST_CONNECT, "connect")         \
        X(SELFTEST_LISTEN, "listen")           \
        X(SELFTEST_ACCEPT, "accept")           \
        X(SELFTEST_SENDMSG, "sendmsg")         \
        X(SELFTEST_MOUNT, "mount")             \
        X(SELFTEST_UMOUNT, "umount")           \
        X(SELFTEST_MOVE_MOUNT, "move-mount")   \
        X(SELFTEST_PIVOT_ROOT, "pivot-root")   \
        X(SELFTEST_PTRACE, "ptrace")           \
        X(SELFTEST_SIGNAL, "signal")           \
        X(SELFTEST_CAPABILITY, "capability")   \
        X(SELFTEST_BPF, "bpf")                 \
        X(SELFTEST_MODULE_LOAD, "module-load") \
        X(SELFTEST_KEXEC, "kexec")             \
        X(SELFTEST_USERNS, "userns")           \
        X(SELFTEST_SETUID, "setuid")           \
        X(SELFTEST_SETGID, "setgid")           \
        X(SELFTEST_FORK, "fork")

#define X(id, word) id,
enum selftest_op { SELFTEST_OPS(X) SELFTEST_OP_COUNT };
#undef X

/* Flags of open. */
enum {
        SELFTEST_O_READ = 1,
        SELFTEST_O_WRITE = 2,
        SELFTEST_O_APPEND = 4,
        SELFTEST_O_CREATE = 8,
        SELFTEST_O_TRUNCATE = 16,
};

/*
 * Where an operation goes:
 *   /a/b      what stands there             dir NULL
 *   /a/       a fresh name in /a            dir "/a", leaf NULL
 *   /a/x/N    (x: an asterisk) N in a fresh directory in /a: dir "/a", leaf "N"
 * For an operation that makes, changes or removes something, /a/b is a stand-in: a file of the test's own that stands at that very
 * name in a mount namespace of the test's own.
 */
struct selftest_place {
        char *path; /* as written; NULL: the operation has no such place */
        char *dir;
        const char *leaf; /* within path */
        bool stand_in;
};

struct selftest_subject {
        char comm[16];     /* "selftest" unless named */
        uint32_t uid, gid; /* 0 unless named; gid is uid unless named */
        uint64_t caps;     /* bit n: capability n. Unless named: all for uid 0, none for others */
        bool apart;        /* in namespaces of its own, as a container is; not the host's */
        char scope[64];    /* the policy in whose scope it is, besides those of the agent's own cgroup; "": none */
};
#define SELFTEST_CAPS_ALL UINT64_MAX /* all that the agent has to give */

struct selftest {
        char *name;
        struct selftest_subject as;
        enum selftest_op op;
        struct selftest_place at,
                to;                 /* to: the new name of rename and link, the source of a bind mount, where a mount is moved */
        int flags;                  /* open: SELFTEST_O_*; mmap: PROT_*; mknod: S_IF* */
        int family, type, protocol; /* sockets: as socket(2) takes them */
        union {
                struct sockaddr any;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
                struct sockaddr_un un; /* abstract; a path is in `at`. Neither: the probe's choice */
        } addr;         /* bind, connect, listen, accept, sendmsg; port 0: one of the probe's choice (connect: closed) */
        char *fs;       /* mount: "bind" or a file system */
        int capability; /* capability: its number */
        uint32_t id;    /* setuid, setgid */
        bool memory;    /* module-load, kexec: from memory, not from a file */
        int signal;     /* signal: its number */
        int command;    /* bpf: the command's number */
        int expect;     /* 0: ok; else a positive errno */
        char *json;     /* this test alone, canonical: selftest_parse() reads it back */
};

struct selftests {
        struct selftest *tests;
        size_t n;
};
void selftests_done(struct selftests *tests);
#define cleanup_selftests cleanup(selftests_done)

/* The whole document: canonical bytes, which a trusted key has signed, and which are checked as if none had. Errors name the
 * test by number (from 1) and name. Unknown operation or untestable capability: unsupported-format; other faults: malformed. */
int selftests_parse(const void *p, size_t n, struct selftests *ret, struct err *err);

/* Does its command of bpf(2) make something when it is let through (map-create, prog-load)? The others are asked for nonsense. */
bool selftest_bpf_makes(const struct selftest *t);

void selftest_done(struct selftest *t);
#define cleanup_selftest cleanup(selftest_done)
/* One test, as in selftest.json. */
int selftest_parse(const void *p, size_t n, struct selftest *ret, struct err *err);

/* Operands by operation (selftest_ops.c): fills what `op` of *t needs from {"WORD": operand, options...}. */
int selftest_op_parse(const json_t *what, struct selftest *t, struct err *err);
const char *selftest_op_word(enum selftest_op op);
const char *selftest_family_word(int family);
const char *selftest_type_word(int type);
/* "open /etc/shadow as unprivileged, uid 65534"; cut off at n bytes. */
void selftest_describe(const struct selftest *t, char *ret, size_t n);

/* "CAP_SYS_ADMIN" and its number; -EINVAL and NULL when there is none. */
int capability_from_name(const char *name);
const char *capability_name(int cap);
/* Capabilities that can be tried without harm. */
bool capability_testable(int cap);

/* Signals: "USR1" or "SIGUSR1" and its number, of those with a name; "USR1". -EINVAL and NULL when there is none. */
int signal_from_name(const char *name);
const char *signal_name(int signal);

/* Commands of bpf(2): "map_create" or "map-create" and its number; "map-create". -EINVAL and NULL when there is none. */
int command_from_name(const char *name);
const char *command_name(int command);

/* "EACCES" and 13; -EINVAL when there is no such name. */
int errno_from_name(const char *name);
/* "ok" for 0, "unknown error" for what has no name. */
const char *errno_name(int error);
