/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a program and its children by ptrace, and records what they change below a folder (disktrace.h), bytes and all, so that
 * powercut can tell what a disk may hold when the power goes. It also breaks one of these calls:
 *
 *      disktrace FOLDER record TRACE COMMAND...
 *      disktrace FOLDER N kill|short|EIO|ENOSPC|EINTR COMMAND...
 *
 * The Nth call that would change something (or make it durable) fails, writes half, or is the last thing before SIGKILL to all.
 * Exit code: the command's, 128 and the signal; 99: there were fewer than N. 77: not on this machine.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "disktrace.h"
#include "fileio.h"
#include "folder.h"

#ifndef __x86_64__
int main(void) {
        fputs("disktrace: the registers of this machine are not known\n", stderr);
        return 77;
}
#else

#define TASKS_MAX 256
#define MAPPINGS_MAX 16
#define CHUNK (1u << 20)

/* A call that changes something, between its beginning and its end. */
struct call {
        enum disk_kind kind; /* 0: none */
        long nr;
        int their, fd;       /* the file that is written: their descriptor, and ours */
        int parent, parent2; /* open folders */
        uint64_t dir, dir2, ino;
        int64_t off;  /* -1: where the file's position is */
        uint64_t len; /* of a mapping */
        char name[256], name2[256];
};
struct task {
        pid_t tid;
        bool fails; /* the call under way */
        long error;
        struct call call;
};
struct mapping { /* shared and writable */
        pid_t tid;
        int fd;
        uint64_t ino, at, len;
        uint8_t last[4096];
};
struct tracer {
        char root[PATH_MAX];
        int out;
        unsigned long fail_at, calls;
        const char *fault;
        bool done;
        struct task tasks[TASKS_MAX];
        struct mapping maps[MAPPINGS_MAX];
        size_t n_maps;
};

static _Noreturn void die(const char *what) {
        fprintf(stderr, "disktrace: %s: %s\n", what, strerror(errno));
        exit(98);
}

/* ---- the trace -------------------------------------------------------------------------------------------------------- */

static void put(struct tracer *t, struct disk_record r, const char *name, const char *name2, const void *data) {
        r.name_len = (uint32_t)strlen(name);
        r.name2_len = (uint32_t)strlen(name2);
        if (t->out >= 0 && (fd_write_all(t->out, &r, sizeof(r)) < 0 || fd_write_all(t->out, name, r.name_len) < 0 ||
                            fd_write_all(t->out, name2, r.name2_len) < 0 || fd_write_all(t->out, data, r.data_len) < 0))
                die("trace");
}

static void put_new(struct tracer *t, const struct stat *st, uint64_t dir, const char *name) {
        put(t,
            (struct disk_record){.kind = S_ISDIR(st->st_mode) ? DISK_FOLDER : DISK_FILE,
                                 .mode = st->st_mode,
                                 .uid = st->st_uid,
                                 .gid = st->st_gid,
                                 .ino = st->st_ino,
                                 .dir = dir},
            name, "", NULL);
}

static void put_bytes(struct tracer *t, int fd, uint64_t ino, int64_t off, uint64_t n) {
        static char chunk[CHUNK];

        for (ssize_t k; n > 0; off += k, n -= (uint64_t)k) {
                k = pread(fd, chunk, n < CHUNK ? n : CHUNK, off);
                if (k <= 0) /* it is shorter by now: what was cut off again comes as a record of its own */
                        return;
                put(t, (struct disk_record){.kind = DISK_WRITE, .ino = ino, .off = off, .data_len = (uint32_t)k}, "", "", chunk);
        }
}

static void put_tree(struct tracer *t, int dir, uint64_t parent, const char *name) {
        cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        cleanup_names struct names names = {};
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                die(name);
        put_new(t, &st, parent, name);
        if (!S_ISDIR(st.st_mode)) {
                put_bytes(t, fd, st.st_ino, 0, (uint64_t)st.st_size);
                return;
        }
        if (folder_list(fd, &names, NULL) < 0)
                die(name);
        for (size_t i = 0; i < names.n; i++)
                put_tree(t, fd, st.st_ino, names.list[i]);
}

/* ---- looking into the program ----------------------------------------------------------------------------------------- */

static bool below_root(const struct tracer *t, int fd) {
        char link[64], path[PATH_MAX];
        size_t n = strlen(t->root);
        ssize_t k;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        k = readlink(link, path, sizeof(path) - 1);
        path[k < 0 ? 0 : k] = 0;
        return strncmp(path, t->root, n) == 0 && (path[n] == 0 || path[n] == '/');
}

/* Their descriptor, opened anew. -1: not ours to follow. */
static int their_fd(const struct tracer *t, pid_t tid, int fd, struct stat *ret) {
        char link[64];
        cleanup_fd int mine = -1;

        snprintf(link, sizeof(link), "/proc/%d/fd/%d", tid, fd);
        if (stat(link, ret) < 0 || !(S_ISREG(ret->st_mode) || S_ISDIR(ret->st_mode)))
                return -1;
        mine = open(link, O_RDONLY | O_CLOEXEC);
        return mine >= 0 && below_root(t, mine) ? steal_fd(&mine) : -1;
}

static void their_text(pid_t tid, uint64_t at, char ret[static PATH_MAX]) {
        size_t n = 0;

        while (n < PATH_MAX - 1) {
                size_t step = 4096 - ((at + n) & 4095);
                struct iovec to, from;
                ssize_t k;

                if (step > PATH_MAX - 1 - n)
                        step = PATH_MAX - 1 - n;
                to = (struct iovec){ret + n, step};
                from = (struct iovec){(void *)(uintptr_t)(at + n), step};
                k = process_vm_readv(tid, &to, 1, &from, 1, 0);
                if (k <= 0)
                        break;
                n += (size_t)k;
                if (memchr(ret + n - k, 0, (size_t)k))
                        return;
        }
        ret[n] = 0;
}

/* The folder that a path of theirs is in, opened, if it is below ours. */
static int their_parent(const struct tracer *t, pid_t tid, int dirfd, uint64_t path_at, uint64_t *ret_dir,
                        char ret_name[static 256]) {
        char path[PATH_MAX], full[PATH_MAX + 64], *slash;
        cleanup_fd int fd = -1;
        struct stat st;

        their_text(tid, path_at, path);
        for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
                path[n - 1] = 0;
        slash = strrchr(path, '/');
        snprintf(ret_name, 256, "%s", slash ? slash + 1 : path);
        if (slash)
                slash[slash == path] = 0;
        if (path[0] == '/')
                snprintf(full, sizeof(full), "%s", path);
        else if (dirfd == AT_FDCWD)
                snprintf(full, sizeof(full), "/proc/%d/cwd/%s", tid, slash ? path : ".");
        else
                snprintf(full, sizeof(full), "/proc/%d/fd/%d/%s", tid, dirfd, slash ? path : ".");
        fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || !below_root(t, fd) || fstat(fd, &st) < 0)
                return -1;
        *ret_dir = st.st_ino;
        return steal_fd(&fd);
}

/* ---- mapped files ----------------------------------------------------------------------------------------------------- */

/* What was stored in memory has reached the file. */
static void mappings_look(struct tracer *t) {
        for (size_t i = 0; i < t->n_maps; i++) {
                struct mapping *m = &t->maps[i];
                uint8_t now[sizeof(m->last)] = {};
                ssize_t n = pread(m->fd, now, sizeof(now), 0);

                if (n > 0 && memcmp(now, m->last, sizeof(now)) != 0) {
                        memcpy(m->last, now, sizeof(now));
                        put_bytes(t, m->fd, m->ino, 0, (uint64_t)n);
                }
        }
}

static void mapping_add(struct tracer *t, pid_t tid, int fd, uint64_t at, uint64_t len) {
        struct stat st;
        int mine = their_fd(t, tid, fd, &st);
        struct mapping *m = &t->maps[t->n_maps];

        if (mine < 0)
                return;
        if (t->n_maps == MAPPINGS_MAX || st.st_size > (off_t)sizeof(m->last)) {
                errno = EFBIG;
                die("a mapped file");
        }
        *m = (struct mapping){.tid = tid, .fd = mine, .ino = st.st_ino, .at = at, .len = len};
        if (pread(mine, m->last, sizeof(m->last), 0) < 0)
                die("a mapped file");
        t->n_maps++;
}

/* ---- calls ------------------------------------------------------------------------------------------------------------ */

static void call_done(struct call *c) {
        close_p(&c->fd);
        close_p(&c->parent);
        close_p(&c->parent2);
        *c = (struct call){.fd = -1, .parent = -1, .parent2 = -1};
}

static void call_open(const struct tracer *t, pid_t tid, struct call *c, int dirfd, uint64_t path, uint64_t flags) {
        struct stat st;
        bool there;

        if (!(flags & (O_CREAT | O_TRUNC)))
                return;
        c->parent = their_parent(t, tid, dirfd, path, &c->dir, c->name);
        if (c->parent < 0)
                return;
        there = fstatat(c->parent, c->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (there && (flags & O_TRUNC) && !(flags & O_EXCL))
                *c = (struct call){.kind = DISK_TRUNCATE, .fd = -1, .parent = c->parent, .parent2 = -1, .ino = st.st_ino};
        else if (!there)
                c->kind = DISK_FILE;
}

static void call_names(const struct tracer *t, pid_t tid, struct call *c, enum disk_kind kind, int dirfd, uint64_t path,
                       int dirfd2, uint64_t path2) {
        struct stat st;

        c->parent = their_parent(t, tid, dirfd, path, &c->dir, c->name);
        if (c->parent < 0)
                return;
        c->kind = kind;
        if (!path2)
                return;
        c->parent2 = their_parent(t, tid, dirfd2, path2, &c->dir2, c->name2);
        if (c->parent2 < 0 || fstatat(c->parent, c->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                c->kind = 0; /* across the border, which nothing of ours does; or about to fail */
        else
                c->ino = st.st_ino;
}

static void call_file(const struct tracer *t, pid_t tid, struct call *c, enum disk_kind kind, uint64_t fd, int64_t off) {
        struct stat st;

        c->fd = their_fd(t, tid, (int)fd, &st);
        if (c->fd < 0)
                return;
        c->kind = kind;
        c->their = (int)fd;
        c->ino = st.st_ino;
        c->off = off;
}

/* What a call is about to change; kind 0: nothing that we follow. */
static void call_begin(const struct tracer *t, pid_t tid, const struct ptrace_syscall_info *s, struct call *c) {
        const uint64_t *a = (const uint64_t *)s->entry.args;

        call_done(c);
        c->nr = (long)s->entry.nr;
        switch (c->nr) {
        case SYS_open:
                return call_open(t, tid, c, AT_FDCWD, a[0], a[1]);
        case SYS_creat:
                return call_open(t, tid, c, AT_FDCWD, a[0], O_CREAT | O_TRUNC);
        case SYS_openat:
                return call_open(t, tid, c, (int)a[0], a[1], a[2]);
        case SYS_mkdir:
                return call_names(t, tid, c, DISK_FOLDER, AT_FDCWD, a[0], 0, 0);
        case SYS_mkdirat:
                return call_names(t, tid, c, DISK_FOLDER, (int)a[0], a[1], 0, 0);
        case SYS_unlink:
        case SYS_rmdir:
                return call_names(t, tid, c, DISK_UNLINK, AT_FDCWD, a[0], 0, 0);
        case SYS_unlinkat:
                return call_names(t, tid, c, DISK_UNLINK, (int)a[0], a[1], 0, 0);
        case SYS_rename:
                return call_names(t, tid, c, DISK_RENAME, AT_FDCWD, a[0], AT_FDCWD, a[1]);
        case SYS_renameat:
        case SYS_renameat2:
                return call_names(t, tid, c, DISK_RENAME, (int)a[0], a[1], (int)a[2], a[3]);
        case SYS_link:
                return call_names(t, tid, c, DISK_LINK, AT_FDCWD, a[0], AT_FDCWD, a[1]);
        case SYS_linkat:
                return call_names(t, tid, c, DISK_LINK, (int)a[0], a[1], (int)a[2], a[3]);
        case SYS_write:
        case SYS_writev:
        case SYS_sendfile:
                return call_file(t, tid, c, DISK_WRITE, a[0], -1);
        case SYS_copy_file_range:
        case SYS_splice:
                return call_file(t, tid, c, DISK_WRITE, a[2], -1); /* with a position of its own: nothing of ours does that */
        case SYS_pwrite64:
        case SYS_pwritev:
        case SYS_pwritev2:
                return call_file(t, tid, c, DISK_WRITE, a[0], (int64_t)a[3]);
        case SYS_ftruncate:
        case SYS_fallocate:
                return call_file(t, tid, c, DISK_TRUNCATE, a[0], 0);
        case SYS_fchmod:
        case SYS_fchown:
                return call_file(t, tid, c, DISK_META, a[0], 0);
        case SYS_fsync:
        case SYS_fdatasync:
                return call_file(t, tid, c, DISK_SYNC, a[0], 0);
        case SYS_syncfs:
                return call_file(t, tid, c, DISK_SYNC_ALL, a[0], 0);
        case SYS_msync:
                for (size_t i = 0; i < t->n_maps; i++)
                        if (t->maps[i].at == a[0] && t->maps[i].tid == tid && (a[2] & MS_SYNC)) {
                                c->kind = DISK_SYNC;
                                c->ino = t->maps[i].ino;
                        }
                return;
        case SYS_mmap:
                if ((a[3] & MAP_TYPE) == MAP_SHARED && (a[2] & PROT_WRITE) && (int)a[4] >= 0) {
                        c->their = (int)a[4];
                        c->len = a[1];
                }
                return;
        default:
                return;
        }
}

static int64_t position(pid_t tid, int fd) {
        char path[64], line[128];
        long long pos = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, fd);
        f = fopen(path, "re");
        if (!f || !fgets(line, sizeof(line), f) || sscanf(line, "pos: %lld", &pos) != 1)
                die(path);
        fclose(f);
        return pos;
}

/* The call has succeeded. */
static void call_record(struct tracer *t, pid_t tid, const struct ptrace_syscall_info *s, const struct call *c) {
        const struct disk_record r = {.kind = c->kind, .ino = c->ino, .dir = c->dir, .dir2 = c->dir2};
        struct stat st = {};

        switch (c->kind) {
        case DISK_FILE:
        case DISK_FOLDER:
                if (fstatat(c->parent, c->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        die(c->name);
                return put_new(t, &st, c->dir, c->name);
        case DISK_WRITE:
                return put_bytes(t, c->fd, c->ino, c->off >= 0 ? c->off : position(tid, c->their) - s->exit.rval,
                                 (uint64_t)s->exit.rval);
        case DISK_TRUNCATE:
                if (c->fd >= 0 && fstat(c->fd, &st) < 0)
                        die("fstat");
                return put(t, (struct disk_record){.kind = DISK_TRUNCATE, .ino = c->ino, .off = st.st_size}, "", "", NULL);
        case DISK_META:
                if (fstat(c->fd, &st) < 0)
                        die("fstat");
                return put(t,
                           (struct disk_record){
                                   .kind = DISK_META, .ino = c->ino, .mode = st.st_mode, .uid = st.st_uid, .gid = st.st_gid},
                           "", "", NULL);
        default:
                return put(t, r, c->name, c->name2, NULL);
        }
}

/* ---- faults ----------------------------------------------------------------------------------------------------------- */

static long error_of(const char *fault) {
        return streq(fault, "EIO") ? EIO : streq(fault, "ENOSPC") ? ENOSPC : EINTR;
}

static void kill_all(struct tracer *t) {
        for (size_t i = 0; i < TASKS_MAX; i++)
                if (t->tasks[i].tid)
                        kill(t->tasks[i].tid, SIGKILL);
}

static void fault_make(struct tracer *t, struct task *task) {
        struct user_regs_struct regs;

        t->done = true;
        if (streq(t->fault, "kill")) {
                kill_all(t);
                return;
        }
        if (ptrace(PTRACE_GETREGS, task->tid, NULL, &regs) < 0)
                die("registers");
        if (streq(t->fault, "short")) {
                if (task->call.nr == SYS_write || task->call.nr == SYS_pwrite64)
                        regs.rdx = (regs.rdx + 1) / 2;
                else
                        t->done = false; /* the next one that writes */
        } else {
                task->fails = true;
                task->error = -error_of(t->fault);
                regs.orig_rax = (unsigned long long)-1;
        }
        if (ptrace(PTRACE_SETREGS, task->tid, NULL, &regs) < 0)
                die("registers");
}

static void fault_finish(struct task *task) {
        struct user_regs_struct regs;

        if (ptrace(PTRACE_GETREGS, task->tid, NULL, &regs) < 0)
                die("registers");
        regs.rax = (unsigned long long)task->error;
        if (ptrace(PTRACE_SETREGS, task->tid, NULL, &regs) < 0)
                die("registers");
        task->fails = false;
}

/* ---- following -------------------------------------------------------------------------------------------------------- */

static void stopped(struct tracer *t, struct task *task) {
        struct ptrace_syscall_info s = {};
        struct call *c = &task->call;

        if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(s), &s) < 0)
                return; /* killed meanwhile */
        if (s.op == PTRACE_SYSCALL_INFO_ENTRY) {
                call_begin(t, task->tid, &s, c);
                if (c->kind) {
                        mappings_look(t);
                        t->calls++;
                        if (!t->done && t->fault && t->calls >= t->fail_at)
                                fault_make(t, task);
                }
        } else if (s.op == PTRACE_SYSCALL_INFO_EXIT) {
                if (task->fails)
                        fault_finish(task);
                else if (c->len && !s.exit.is_error)
                        mapping_add(t, task->tid, c->their, (uint64_t)s.exit.rval, c->len);
                else if (c->kind && !s.exit.is_error)
                        call_record(t, task->tid, &s, c);
                call_done(c);
        }
}

static struct task *task_of(struct tracer *t, pid_t tid) {
        struct task *free_one = NULL;

        for (size_t i = 0; i < TASKS_MAX; i++) {
                if (t->tasks[i].tid == tid)
                        return &t->tasks[i];
                if (!t->tasks[i].tid && !free_one)
                        free_one = &t->tasks[i];
        }
        if (!free_one)
                die("too many tasks");
        *free_one = (struct task){.tid = tid, .call = {.fd = -1, .parent = -1, .parent2 = -1}};
        return free_one;
}

static int follow(struct tracer *t, pid_t first) {
        int status, result = 0;
        pid_t tid;

        while ((tid = waitpid(-1, &status, __WALL)) > 0) {
                struct task *task = task_of(t, tid);
                int sig = 0;

                if (WIFEXITED(status) || WIFSIGNALED(status)) {
                        if (tid == first)
                                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                        call_done(&task->call);
                        task->tid = 0;
                        continue;
                }
                if (WSTOPSIG(status) == (SIGTRAP | 0x80))
                        stopped(t, task);
                else if (!(status >> 16) && WSTOPSIG(status) != SIGSTOP) /* a new task begins with SIGSTOP */
                        sig = WSTOPSIG(status);
                ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)sig);
        }
        mappings_look(t);
        return result;
}

int main(int argc, char **argv) {
        const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                             PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
        static struct tracer t = {.out = -1};
        int status;
        pid_t pid;

        if (argc < 5 || !realpath(argv[1], t.root)) {
                fputs("usage: disktrace FOLDER record TRACE COMMAND... | FOLDER N FAULT COMMAND...\n", stderr);
                return 2;
        }
        if (streq(argv[2], "record")) {
                t.out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                if (t.out < 0)
                        die(argv[3]);
                put_tree(&t, AT_FDCWD, 0, t.root);
                put(&t, (struct disk_record){.kind = DISK_BEGIN}, "", "", NULL);
        } else {
                t.fail_at = strtoul(argv[2], NULL, 10);
                t.fault = argv[3];
        }
        pid = fork();
        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                        _exit(77);
                raise(SIGSTOP);
                execvp(argv[4], argv + 4);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                die("fork");
        if (WIFEXITED(status))
                return WEXITSTATUS(status);
        task_of(&t, pid);
        if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) < 0 || ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
                die("ptrace");
        status = follow(&t, pid);
        return t.fault && !t.done ? 99 : status;
}
#endif
