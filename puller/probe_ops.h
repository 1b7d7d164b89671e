/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Within the probe: how each operation is tried. Three steps, so that what is judged is the operation alone:
 *   prepare   as the agent: scratch files, a private mount namespace, checks that the attempt can do no harm
 *   arrange   as the test's subject, for what belongs to the subject: its socket, its child
 *   perform   the operation: 0, or the negative errno it ended with
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "probe.h"

/* Shared memory: the process that tries may be denied every write(2), and may end at any point. */
struct outcome {
        enum { STAGE_SETUP, STAGE_PERFORM, STAGE_DONE } stage;
        int error;
        char what[PROBE_WHAT_MAX];
};

struct attempt {
        const struct selftest *test;
        struct outcome *out;
        char at[PATH_MAX], to[PATH_MAX]; /* where the test's places are */
        char stand_ins[PATH_MAX];        /* where their file system is mounted, when there are any */
        int fd;                          /* what prepare and arrange leave for perform */
        pid_t target;                    /* a child of the subject's; 0: none */
        int target_life;                 /* closing it ends the target */
        struct sockaddr_storage addr;
        socklen_t addr_len;
};

struct probe_op {
        int (*prepare)(struct attempt *a); /* NULL: nothing to do */
        int (*arrange)(struct attempt *a);
        int (*perform)(struct attempt *a);
};

extern const struct probe_op probe_op_open, probe_op_read, probe_op_mmap, probe_op_create, probe_op_unlink, probe_op_rename,
        probe_op_link, probe_op_symlink, probe_op_mkdir, probe_op_rmdir, probe_op_chmod, probe_op_chown, probe_op_truncate,
        probe_op_mknod, probe_op_setxattr, probe_op_exec, probe_op_mount, probe_op_umount, probe_op_move_mount,
        probe_op_pivot_root, probe_op_socket, probe_op_bind, probe_op_connect, probe_op_listen, probe_op_accept, probe_op_sendmsg,
        probe_op_ptrace, probe_op_signal, probe_op_capability, probe_op_bpf, probe_op_module_load, probe_op_kexec,
        probe_op_userns, probe_op_setuid, probe_op_setgid, probe_op_fork;

/* Did the program that perform() executed run, as far as it was to run? status: as waitpid(2) gives it. */
bool probe_exec_ran(const struct selftest *t, int status);

/* Notes what could not be set up, and returns r. */
int setup_failed(struct attempt *a, int r, const char *what);

/* ---- places (probe_place.c) ---- */

/* `which` (0, 1) tells the places of one test apart. -ENAMETOOLONG. */
int place_resolve(const struct selftest_place *p, const char *token, int which, char ret[static PATH_MAX]);

enum place_content { PLACE_EMPTY, PLACE_FILE, PLACE_DIRECTORY, PLACE_PROGRAM, PLACE_IMAGE };
/* Makes the fresh directory where the place has one, and in it, unless PLACE_EMPTY, a file: owned by the subject, with nothing
 * in it, a copy of this program, or zeros. Nothing is made for a place that names something existing. */
int place_make(struct attempt *a, const struct selftest_place *p, const char *path, enum place_content content);
void place_remove(const struct selftest_place *p, const char *path);

/* ---- namespaces of the test's own (probe_mount.c, probe_ops_net.c) ---- */

int mounts_private(struct attempt *a);
int network_private(struct attempt *a); /* with a loopback interface */
int tmpfs_open(void);                   /* mounted nowhere: a descriptor */
int tmpfs_mount(const char *dir);
/* The directory in which the stand-in at path is to be. */
int stand_in_make(struct attempt *a, const char *path);

/* ---- the subject (probe_subject.c) ---- */

/* Takes ids, capabilities and comm; no way back. */
int subject_assume(struct attempt *a, pid_t parent);

/* Starts a->target: a process of the subject's that waits to be acted on. dumpable: may be traced without CAP_SYS_PTRACE. */
int target_start(struct attempt *a, bool dumpable);
/* The same, of another user; for prepare. */
int target_start_as(struct attempt *a, uid_t uid);
/* Lets it end, and reaps it. */
void target_end(struct attempt *a);
