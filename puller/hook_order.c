/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the programs on a hook, which no kernel promises: two programs are attached to a hook that nothing but a process
 * itself calls (task_getpgid), which is then called.
 */
#include <bpf/bpf.h>
#include <linux/types.h>
#include <unistd.h>

#include "dispatcher_parts.h"
#include "lsm_abi.h"
#include "order.skel.h"
#include "util.h"

#define HOOK "task_getpgid"

/* The second program counts in the first one's map. */
static int watcher_attach(struct order *o, const struct hook *hook, uint32_t which, int turns, struct err *err) {
        cleanup_fd int prog = -1;
        int r = 0;

        o->rodata->tgid = (uint32_t)getpid();
        o->rodata->which = which;
        if (turns >= 0)
                r = bpf_map__reuse_fd(o->maps.turns, turns);
        if (r >= 0)
                r = program_load_first(o->skeleton, o->progs.order);
        prog = r < 0 ? r : program_load_again(o->obj, o->progs.order, &(struct program_again){.hook = hook, .own = -1});
        return program_attach(prog, hook, "a program that watches the order", err);
}

static int order_watch(struct order *first, struct order *second, const struct hook *hook, struct lsm_turns *ret,
                       struct err *err) {
        cleanup_fd int one = -1, two = -1;
        uint32_t zero = 0;
        int turns;

        one = watcher_attach(first, hook, 0, -1, err);
        if (one < 0)
                return one;
        turns = bpf_map__fd(first->maps.turns);
        two = watcher_attach(second, hook, 1, turns, err);
        if (two < 0)
                return two;
        if (getpgid(getpid()) < 0)
                return err_errno(err, -errno, "getpgid");
        return bpf_map_lookup_elem(turns, &zero, ret) < 0 ? err_errno(err, -errno, "order of programs") : 0;
}

int hook_order_find(const struct btf *btf, enum hook_order *ret, struct err *err) {
        struct order *first = order__open(), *second = order__open();
        struct lsm_turns turns = {0};
        struct hook hook;
        int r;

        r = first && second ? hook_find(btf, HOOK, &hook, err) : err_errno(err, -ENOMEM, "order of programs");
        if (r >= 0)
                r = order_watch(first, second, &hook, &turns, err);
        order__destroy(first);
        order__destroy(second);
        if (r < 0)
                return r;
        if (turns.n != 2 || turns.at[0] + turns.at[1] != 3)
                return err_set(err, -ENOTSUP, REASON_KERNEL_UNSUPPORTED,
                               "in which order this kernel runs the programs on a hook cannot be told (%u, %u of %u)",
                               turns.at[0], turns.at[1], turns.n);
        *ret = turns.at[1] < turns.at[0] ? HOOK_NEWEST_FIRST : HOOK_OLDEST_FIRST;
        return 0;
}
