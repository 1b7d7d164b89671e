/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the author of a policy includes.
 *
 *      #include <lsm_policy.h>
 *
 *      SEED_SET(protected_names, char[32], 64);           // filled from bundle.yaml
 *
 *      LSM_POLICY(file_open, struct file *file)           // one per hook and file
 *      {
 *              if (comm_is("unprivileged") && file_name_in(file, &protected_names))
 *                      return DENY_PATH(EACCES, "reads the password file", &file->f_path);
 *              return ALLOW;
 *      }
 *
 *      char LICENSE[] SEC("license") = "GPL";
 *
 * LSM_POLICY gives the program its place in the hook's chain, its mode (enforce, audit), its counters, its events, and a
 * return value that every kernel's verifier can bound. It is called for every task on the node.
 */
#pragma once

#include "lsm_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "lsm_abi.h"

/* ---- parameters and maps that the loader provides ------------------------------------------------------------------ */

const volatile struct lsm_config lsm_config = {.abi = LSM_ABI};

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4096);
} lsm_events SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_counters);
} lsm_counters SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, LSM_FOLDS_SIZE);
        __uint(map_flags, BPF_F_MMAPABLE);
        __type(key, __u32);
        __type(value, struct lsm_fold);
} lsm_folds SEC(".maps");

/* ---- maps that bundle.yaml seeds ----------------------------------------------------------------------------------- */

/* Read-only to programs and, once loaded, to everybody. K and V are types: char[32], __u32, struct ... */
#define SEED_SET(name, K, n) SEED_MAP(name, K, __u8, n)

#define SEED_MAP(name, K, V, n)                       \
        struct {                                      \
                __uint(type, BPF_MAP_TYPE_HASH);      \
                __uint(max_entries, n);               \
                __uint(map_flags, BPF_F_RDONLY_PROG); \
                __type(key, K);                       \
                __type(value, V);                     \
        } name SEC(".maps")

#define SEED_ARRAY(name, V, n)                        \
        struct {                                      \
                __uint(type, BPF_MAP_TYPE_ARRAY);     \
                __uint(max_entries, n);               \
                __uint(map_flags, BPF_F_RDONLY_PROG); \
                __type(key, __u32);                   \
                __type(value, V);                     \
        } name SEC(".maps")

/* ---- the verdict --------------------------------------------------------------------------------------------------- */

struct lsm_call {
        const char *why;
        __u32 rule; /* what tells this reason from the policy's others */
        const struct path *path;
        const struct dentry *dentry;
};

#define ALLOW 0

/* `return DENY(EACCES, "why");` Inside LSM_POLICY only. In audit mode the event says so and the task is let through.
 * DENY_PATH adds the path of an object (only on hooks where the kernel allows bpf_d_path), DENY_NAME its last component. */
#define DENY(err, reason) LSM_DENY(err, reason, NULL, NULL)
#define DENY_PATH(err, reason, p) LSM_DENY(err, reason, p, NULL)
#define DENY_NAME(err, reason, d) LSM_DENY(err, reason, NULL, d)
#define LSM_DENY(err, reason, p, d)                                                      \
        ({                                                                               \
                _Static_assert(sizeof(reason) <= LSM_WHY_LEN, "the reason is too long"); \
                lsm->why = (reason);                                                     \
                lsm->rule = __COUNTER__ + 1;                                             \
                lsm->path = (p);                                                         \
                lsm->dentry = (d);                                                       \
                (err);                                                                   \
        })

/* A decision had to be taken without what was needed to decide: counted, shown in status. */
static __always_inline void lsm_count_error(void) {
        __u32 zero = 0;
        struct lsm_counters *c = bpf_map_lookup_elem(&lsm_counters, &zero);

        if (c) /* a program can be preempted by another one of its processor */
                __sync_fetch_and_add(&c->errors, 1);
}

/* ---- where it is in force -------------------------------------------------------------------------------------------- */

#ifdef LSM_SCOPE_CELLS
#include <lsm_scope.h>
#endif

/* A policy written in C has one scope, number 0, or is in force everywhere. The rules' engine asks for each of its policies itself. */
#if defined(LSM_SCOPE_CELLS) && !defined(LSM_SCOPE_MANY)
#define ___lsm_in_scope() (lsm_scopes() & 1)
#else
#define ___lsm_in_scope() true
#endif

/* ---- small questions ----------------------------------------------------------------------------------------------- */

/* The task's name is exactly NAME, a literal of at most 15 characters. Compared byte by byte where it stands, up to the first that
 * differs: nearly always the very first, so that the question costs a few instructions; bpf_get_current_comm() with bpf_strncmp()
 * costs two hundred. */
#define comm_is(name)                                                                             \
        ({                                                                                        \
                _Static_assert(sizeof(name) <= LSM_COMM_LEN, "longer than a task's name can be"); \
                lsm_comm_is(name, sizeof(name));                                                  \
        })
static __always_inline bool lsm_comm_byte_is(const struct task_struct *task, const char *name, __u32 size, __u32 i) {
        return size <= i || task->comm[i] == name[i];
}
static __always_inline bool lsm_comm_is(const char *name, __u32 size) {
        const struct task_struct *t = (const struct task_struct *)bpf_get_current_task_btf();

        /* Written out, for which bytes there are is known only after inlining, when clang has given up on unrolling a loop. */
        return lsm_comm_byte_is(t, name, size, 0) && lsm_comm_byte_is(t, name, size, 1) && lsm_comm_byte_is(t, name, size, 2) &&
               lsm_comm_byte_is(t, name, size, 3) && lsm_comm_byte_is(t, name, size, 4) && lsm_comm_byte_is(t, name, size, 5) &&
               lsm_comm_byte_is(t, name, size, 6) && lsm_comm_byte_is(t, name, size, 7) && lsm_comm_byte_is(t, name, size, 8) &&
               lsm_comm_byte_is(t, name, size, 9) && lsm_comm_byte_is(t, name, size, 10) && lsm_comm_byte_is(t, name, size, 11) &&
               lsm_comm_byte_is(t, name, size, 12) && lsm_comm_byte_is(t, name, size, 13) &&
               lsm_comm_byte_is(t, name, size, 14) && lsm_comm_byte_is(t, name, size, 15);
}

/* The last component of the file's path is in SET, a SEED_SET(..., char[32], ...). */
static __always_inline bool file_name_in(struct file *file, void *set) {
        struct dentry *dentry = file->f_path.dentry;
        char name[32] = {};

        if (dentry->d_name.len >= sizeof(name))
                return false; /* no member of the set is that long */
        if (bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name) < 0) {
                lsm_count_error();
                return false;
        }
        return bpf_map_lookup_elem(set, name) != NULL;
}

/* ---- the chain ----------------------------------------------------------------------------------------------------- */

#include "lsm_report.h"

/* -errno for an errno in 1..4095. In assembly, because the verifier must see the bounds (6.12: "should have been in
 * [-4095, 0]"): it follows a mask and a subtraction, but neither a negation nor what clang makes of comparisons. */
static __always_inline int lsm_negate(__u32 error) {
        int r;

        asm volatile("%[e] &= 0xfff\n\t"
                     "%[r] = 0\n\t"
                     "%[r] -= %[e]"
                     : [r] "=&w"(r), [e] "+w"(error));
        return r;
}

/* Policies write positive errnos; -EACCES means the same. */
static __always_inline __u32 lsm_error(int verdict) {
        __u32 error = verdict < 0 ? -(__u32)verdict : (__u32)verdict;

        return error > 4095 ? EPERM : error;
}

#define ___lsm_arg0()
#define ___lsm_arg1(x) , (void *)ctx[0]
#define ___lsm_arg2(x, args...) ___lsm_arg1(args), (void *)ctx[1]
#define ___lsm_arg3(x, args...) ___lsm_arg2(args), (void *)ctx[2]
#define ___lsm_arg4(x, args...) ___lsm_arg3(args), (void *)ctx[3]
#define ___lsm_arg5(x, args...) ___lsm_arg4(args), (void *)ctx[4]
#define ___lsm_arg6(x, args...) ___lsm_arg5(args), (void *)ctx[5]
#define ___lsm_arg7(x, args...) ___lsm_arg6(args), (void *)ctx[6]
#define ___lsm_arg8(x, args...) ___lsm_arg7(args), (void *)ctx[7]
#define ___lsm_args(args...) ___bpf_apply(___lsm_arg, ___bpf_narg(args))(args)

/* In shadow mode a denial is returned, too: it ends the chain, as it will when it is enforced; the shadow's dispatcher drops it. */
#define LSM_POLICY(HOOK, args...)                                                                                              \
        const volatile struct lsm_chain lsm_chain_##HOOK = {};                                                                 \
        struct {                                                                                                               \
                __uint(type, BPF_MAP_TYPE_PROG_ARRAY);                                                                         \
                __uint(max_entries, LSM_ARRAY_SIZE);                                                                           \
                __type(key, __u32);                                                                                            \
                __type(value, __u32);                                                                                          \
        } lsm_slots_##HOOK SEC(".maps");                                                                                       \
                                                                                                                               \
        static __always_inline int lsm_decide_##HOOK(struct lsm_call *lsm, const volatile __u64 *lsm_args, ##args);            \
                                                                                                                               \
        SEC("lsm/" #HOOK) int lsm_##HOOK(unsigned long long *ctx) {                                                            \
                struct lsm_call call = {};                                                                                     \
                __u32 error;                                                                                                   \
                                                                                                                               \
                _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wint-conversion\"") error =                  \
                        ___lsm_in_scope() ? lsm_error(lsm_decide_##HOOK(&call, (const volatile __u64 *)ctx ___lsm_args(args))) \
                                          : 0;                                                                                 \
                _Pragma("GCC diagnostic pop") if (error) {                                                                     \
                        lsm_report(&call, error, lsm_chain_##HOOK.hook, false);                                                \
                        if (lsm_config.mode != LSM_MODE_AUDIT)                                                                 \
                                return lsm_negate(error);                                                                      \
                }                                                                                                              \
                if (!lsm_chain_##HOOK.next)                                                                                    \
                        return 0;                                                                                              \
                bpf_tail_call(ctx, &lsm_slots_##HOOK, lsm_config.slot *LSM_SLOT_SIZE + lsm_chain_##HOOK.next);                 \
                /* The rest of the generation is not there: that must not look like "allow". */                                \
                lsm_count_error();                                                                                             \
                return -EPERM;                                                                                                 \
        }                                                                                                                      \
                                                                                                                               \
        static __always_inline int lsm_decide_##HOOK(struct lsm_call *lsm, const volatile __u64 *lsm_args, ##args)
