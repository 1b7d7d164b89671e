/* SPDX-License-Identifier: Apache-2.0 */
/* Checks: by loading something, which allows everything, and letting go of it at once. */
#include <bpf/bpf.h>

#include "dispatcher.h"
#include "doctor.h"
#include "hooks.h"

#define EVENTS_SIZE (1u << 20) /* as the agent's own */

static const char *loading_remedy(int r) {
        if (r != -EPERM && r != -EACCES)
                return "boot a kernel with CONFIG_BPF_LSM=y, CONFIG_BPF_SYSCALL=y and CONFIG_DEBUG_INFO_BTF=y";
        if (geteuid() != 0)
                return "run this as root";
        return "run this on the node itself, not in a container; look for lockdown= and for a policy that denies bpf";
}

/* The allow stub on a hook, attached when `attach`. */
static int try_hook(const struct btf *btf, const char *name, bool attach, struct err *err) {
        cleanup_fd int prog = -1, link = -1;
        struct hook hook;
        int r;

        r = hook_find(btf, name, &hook, err);
        if (r < 0)
                return r;
        prog = stub_load(&hook, err);
        if (prog < 0 || !attach)
                return prog < 0 ? prog : 0;
        link = bpf_link_create(prog, 0, BPF_LSM_MAC, NULL);
        return link < 0 ? err_errno(err, -errno, "hook %s: a program that allows everything cannot be attached", name) : 0;
}

void check_loading(struct doctor *d) {
        /* Attached where it is called once in a while, not on the way of every open(). */
        static const struct {
                const char *check, *hook;
                bool attach;
        } tries[] = {{"trial-load", "file_open", false}, {"trial-attach", "quota_on", true}};
        struct err err = {0};
        struct btf *btf = kernel_btf_load(&err);

        for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
                int r = btf ? try_hook(btf, tries[i].hook, tries[i].attach, &err) : -ENOENT;

                if (r < 0)
                        doctor_found(d, tries[i].check, FINDING_FAIL, loading_remedy(r), "%s", err.msg);
                else
                        doctor_found(d, tries[i].check, FINDING_OK, NULL, "an LSM program for %s was %s", tries[i].hook,
                                     tries[i].attach ? "attached" : "loaded");
        }
        kernel_btf_free(btf);
}

void check_ring_buffer(struct doctor *d) {
        cleanup_fd int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "lsm_doctor", 0, 0, EVENTS_SIZE, NULL);

        if (fd < 0)
                doctor_found(d, "ring-buffer", FINDING_FAIL, loading_remedy(-errno),
                             "a ring buffer for events cannot be made: %s", strerror(errno));
        else
                doctor_found(d, "ring-buffer", FINDING_OK, NULL, "%u KiB for events can be had", EVENTS_SIZE / 1024);
}
