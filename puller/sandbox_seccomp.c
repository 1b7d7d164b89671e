/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allow-list of system calls. What is not on it fails with EPERM and does not kill: a libc or library update that tries
 * something new must fail at that one call, with an error that can be read, not take updates away from a fleet.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "sandbox_parts.h"
#include "util.h"

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define SOCKET_TYPE_MASK 0xf /* the rest of socket(2)'s type are flags */

/* clang-format off */
/* Memory, time, own descriptors, own identity: nothing that reaches another process or names a file for writing. */
static const int calls_always[] = {
        SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
        SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(close), SCMP_SYS(close_range), SCMP_SYS(dup),
        SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64),
        SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(fstatfs), SCMP_SYS(fadvise64),
        SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate),
        SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
        SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6),
        SCMP_SYS(pselect6_time64), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
        SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
        SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(restart_syscall),
        SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo),
        SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getpid), SCMP_SYS(gettid),
        SCMP_SYS(getppid),
        SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack),
        SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(rseq), SCMP_SYS(set_robust_list), SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity), SCMP_SYS(exit), SCMP_SYS(exit_group),
        /* the supervisor's socket, in either profile */
        SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
};

static const int calls_network[] = {
        SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
        SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
};

/* Its own listening socket is the only one it has to accept from, and it can make no other. */
static const int calls_report[] = {SCMP_SYS(accept4), SCMP_SYS(getsockopt)};

static const int calls_writable[] = {
        SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
        SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
        SCMP_SYS(fchmod),
};

/* clang-format on */

/* Newer than some kernel that libraries still reckon with: with ENOSYS they use the older call, with EPERM they give up. */
static const int calls_unknown[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};

static int allow_calls(scmp_filter_ctx f, const int *calls, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* One of `values` as the argument. */
static int allow_argument(scmp_filter_ctx f, int call, unsigned arg, const unsigned *values, size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, SCMP_CMP32(arg, SCMP_CMP_EQ, values[i]));

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Code comes from files only (a resolver module that libc loads); no page is ever writable first and executable later. */
static int allow_memory(scmp_filter_ctx f) {
        static const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2)};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
                r = seccomp_rule_add(f, SCMP_ACT_ALLOW, maps[i], 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
                if (r < 0)
                        return r;
                r = seccomp_rule_add(f, SCMP_ACT_ALLOW, maps[i], 2,
                                     SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                                     SCMP_A3_64(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
                if (r < 0)
                        return r;
        }
        return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

static int allow_reading(scmp_filter_ctx f) {
        const unsigned writing = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
        int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, SCMP_A1_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));

        if (r < 0)
                return r;
        return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
}

/* No F_SETOWN, F_SETSIG: they make the kernel send signals. */
static int allow_fcntl(scmp_filter_ctx f) {
        static const unsigned commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                            F_GETFL, F_SETFL,         F_ADD_SEALS, F_GET_SEALS};
        int r = allow_argument(f, SCMP_SYS(fcntl), 1, commands, ARRAY_SIZE(commands));

        return r < 0 ? r : allow_argument(f, SCMP_SYS(fcntl64), 1, commands, ARRAY_SIZE(commands));
}

/* Threads, never processes, never namespaces. */
static int allow_threads(scmp_filter_ctx f) {
        const uint64_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;

        return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                SCMP_A0_64(SCMP_CMP_MASKED_EQ, thread | NAMESPACES, thread));
}

static int allow_sockets(scmp_filter_ctx f) {
        static const unsigned families[] = {AF_INET, AF_INET6}, types[] = {SOCK_STREAM, SOCK_DGRAM};
        static const unsigned ioctls[] = {FIONREAD, FIONBIO};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
                        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0_32(SCMP_CMP_EQ, families[i]),
                                             SCMP_A1_64(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, types[j]));
                        if (r < 0)
                                return r;
                }
        /* A pair within the process; connecting to the machine's own services over AF_UNIX is not what it is for. */
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
        if (r < 0)
                return r;
        r = allow_argument(f, SCMP_SYS(ioctl), 1, ioctls, ARRAY_SIZE(ioctls));
        return r < 0 ? r : allow_calls(f, calls_network, ARRAY_SIZE(calls_network));
}

static int filter_fill(scmp_filter_ctx f, const struct sandbox_spec *spec) {
        int r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);

        if (r < 0)
                return r;
        r = allow_calls(f, calls_always, ARRAY_SIZE(calls_always));
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(calls_unknown); i++) {
                r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), calls_unknown[i], 0);
                if (r < 0)
                        return r;
        }
        r = allow_memory(f);
        if (r < 0)
                return r;
        r = allow_fcntl(f);
        if (r < 0)
                return r;
        /* abort() sends its signal with tgkill(); to others, process ids differ. */
        r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0_32(SCMP_CMP_EQ, (unsigned)getpid()));
        if (r < 0)
                return r;
        r = spec->writable_dir >= 0 ? allow_calls(f, calls_writable, ARRAY_SIZE(calls_writable)) : allow_reading(f);
        if (r >= 0 && spec->profile == SANDBOX_REPORT)
                return allow_calls(f, calls_report, ARRAY_SIZE(calls_report));
        if (r < 0 || spec->profile != SANDBOX_NETWORK)
                return r;
        r = allow_threads(f);
        return r < 0 ? r : allow_sockets(f);
}

int seccomp_apply(const struct sandbox_spec *spec, struct err *err) {
        scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!f)
                return err_errno(err, -ENOMEM, "seccomp");
        r = filter_fill(f, spec);
        if (r == 0)
                r = seccomp_load(f);
        seccomp_release(f);
        return r < 0 ? err_errno(err, r, "seccomp") : 0;
}
