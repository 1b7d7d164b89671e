/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_maps.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <sys/mman.h>

#define EVENTS_SIZE (1u << 20)

int agent_maps_open(const char *bpffs, bool create, struct agent_maps *ret, struct err *err) {
        struct agent_maps a = AGENT_MAPS_INIT;
        char path[PATH_MAX];
        int r;

        r = pin_path(a.dir, "%s/lsmpull", bpffs);
        if (r >= 0)
                r = pin_path(path, "%s/agent", a.dir);
        if (r < 0)
                return r;
        if (!create && access(path, F_OK) < 0) {
                *ret = a;
                return 0;
        }
        r = pin_mkdir(path, err);
        if (r < 0)
                return r;
        pin_path(path, "%s/agent/state", a.dir);
        a.state = pin_map_adopt(path, "lsm_agent", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_agent), 1, BPF_F_MMAPABLE, err);
        r = a.state;
        if (r >= 0) {
                pin_path(path, "%s/agent/events", a.dir);
                a.events = pin_map_adopt(path, "lsm_events", BPF_MAP_TYPE_RINGBUF, 0, 0, EVENTS_SIZE, 0, err);
                r = a.events;
        }
        if (r >= 0) {
                pin_path(path, "%s/agent/folds", a.dir);
                a.folds = pin_map_adopt(path, "lsm_folds", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_fold), LSM_FOLDS_SIZE,
                                        BPF_F_MMAPABLE, err);
                r = a.folds;
        }
        if (r >= 0) {
                r = pin_map_mmap(a.state, sizeof(*a.map), (void **)&a.map);
                if (r < 0)
                        err_errno(err, r, "cannot map the agent's state");
        }
        if (r >= 0 && create)
                r = guard_open(a.dir, &a.guard, err);
        if (r < 0) {
                if (r == -EPERM)
                        err_wrap(err, r, "a policy in force may guard the agent, and take this process for another");
                agent_maps_close(&a);
                return r;
        }
        *ret = a;
        return 0;
}

void agent_maps_close(struct agent_maps *a) {
        if (a->map)
                munmap(a->map, sizeof(*a->map));
        guard_close(&a->guard);
        close_p(&a->state);
        close_p(&a->events);
        close_p(&a->folds);
        *a = AGENT_MAPS_INIT;
}
