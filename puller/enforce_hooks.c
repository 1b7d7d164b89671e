/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatchers: attached to hooks, and taken off again without a moment in which they find nothing. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdio.h>
#include <time.h>

#include "dispatcher.h"
#include "enforce_parts.h"
#include "fault.h"
#include "wait.h"

#define DETACH_TIMEOUT_NS (30 * 1000000000LL)

/* ---- taken off ------------------------------------------------------------------------------------------------------- */

int link_info(const char *path, struct bpf_link_info *ret) {
        cleanup_fd int link = pin_get(path);
        uint32_t len = sizeof(*ret);

        if (link < 0)
                return link;
        *ret = (struct bpf_link_info){0};
        return bpf_obj_get_info_by_fd(link, ret, &len) < 0 ? -errno : 0;
}

/*
 * A link is torn down by a worker of the kernel, some time after its last reference has gone; its program is released last.
 * Until then the dispatcher runs, and the array that it looks into must not be empty: it would deny everything.
 */
static int program_gone_wait(uint32_t id, const char *path, struct err *err) {
        int64_t until = monotonic_ns() + DETACH_TIMEOUT_NS;

        for (;;) {
                cleanup_fd int prog = bpf_prog_get_fd_by_id(id);

                if (prog < 0 && errno == ENOENT)
                        return 0;
                if (monotonic_ns() > until)
                        return err_set(err, -ETIMEDOUT, REASON_NONE, "the kernel takes its time to detach %s", path);
                close_p(&prog);
                prog = -1;
                clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 2000000}, NULL);
        }
}

int link_remove(const char *path, struct err *err) {
        struct bpf_link_info info;
        int r = link_info(path, &info);

        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = unlink(path) < 0 ? -errno : 0;
        return r < 0 ? err_errno(err, r, "cannot detach %s", path) : program_gone_wait(info.prog_id, path, err);
}

/* ---- put on ---------------------------------------------------------------------------------------------------------- */

int hook_room_check(const struct hook *hook, int more, const char *what, struct err *err) {
        int used = hook_programs_count(hook->btf_id, err);

        if (used < 0)
                return used;
        return used + more <= HOOK_PROGRAMS_MAX ? 0
                                                : err_set(err, -E2BIG, REASON_NO_PROGRAM_SLOT,
                                                          "hook %s: %d of about %d places are taken, and %d are needed (%s)",
                                                          hook->name, used, HOOK_PROGRAMS_MAX, more, what);
}

/* The dispatcher of a hook that has none; its array may have survived a crash. */
static int hook_attach(struct enforcement *e, const struct hook *hook, struct err *err) {
        struct enforced_hook *h = enforced_hook_of(e, hook->name);
        struct dispatcher_maps maps = {.gate = e->gate_fd, .agent = e->agent->state};
        cleanup_fd int stub = -1, link = -1;
        char path[PATH_MAX];
        int r;

        snprintf(path, sizeof(path), "one, and a reserve of %d for upgrades", HOOK_PROGRAMS_RESERVE);
        r = hook_room_check(hook, 1 + HOOK_PROGRAMS_RESERVE, path, err);
        if (r < 0)
                return r;
        if (!h) {
                int slots;

                pin_path(path, "%s/hook/%s", e->dir, hook->name);
                r = pin_mkdir(path, err);
                if (r < 0)
                        return r;
                pin_path(path, "%s/hook/%s/slots", e->dir, hook->name);
                slots = pin_map_adopt(path, "lsm_slots", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, LSM_ARRAY_SIZE, 0, err);
                if (slots < 0)
                        return slots;
                r = enforced_hook_add(e, hook->name, slots, false);
                if (r < 0) {
                        close(slots);
                        return r;
                }
                h = &e->hooks[e->n_hooks - 1];
        }
        stub = stub_load(hook, err);
        if (stub < 0)
                return stub;
        for (uint32_t slot = 0; slot < LSM_SLOTS; slot++) {
                uint32_t key = slot * LSM_SLOT_SIZE, id;

                /* An array that outlived its dispatcher may hold a generation: that must not be written over. */
                if (bpf_map_lookup_elem(h->slots, &key, &id) == 0)
                        continue;
                r = slot_put(h->slots, slot, 0, stub);
                if (r < 0)
                        return err_errno(err, r, "hook %s: slot %u", hook->name, slot);
        }
        maps.slots = h->slots;
        link = dispatcher_attach(hook, &maps, err);
        if (link < 0)
                return link;
        pin_path(path, "%s/hook/%s/link", e->dir, hook->name);
        r = pin_put(link, path, err);
        if (r >= 0)
                h->attached = true;
        return r;
}

/* ---- attached anew --------------------------------------------------------------------------------------------------- */

/* The second dispatcher's pin, until it takes the first one's name. */
static void renewed_paths(const struct enforcement *e, const char *hook, char old[static PATH_MAX], char new[static PATH_MAX]) {
        pin_path(old, "%s/hook/%s/link", e->dir, hook);
        pin_path(new, "%s/hook/%s/link-next", e->dir, hook);
}

/* One step: the second link takes the place of the first, whose last reference that was. */
static int renewed_rename(const char *old, const char *new, const char *hook, struct err *err) {
        struct bpf_link_info info = {0};
        int r = link_info(old, &info);

        if (r < 0 && r != -ENOENT)
                return err_errno(err, r, "hook %s: link", hook);
        if (rename(new, old) < 0)
                return err_errno(err, -errno, "hook %s: the second dispatcher cannot take the first one's place", hook);
        return r < 0 ? 0 : program_gone_wait(info.prog_id, old, err);
}

int enforcement_renew(struct enforcement *e, const struct hook *hook, struct err *err) {
        const struct enforced_hook *h = enforced_hook_of(e, hook->name);
        struct dispatcher_maps maps = {.gate = e->gate_fd, .agent = e->agent->state};
        char old[PATH_MAX], new[PATH_MAX];
        cleanup_fd int link = -1;
        int r;

        if (!h)
                return err_set(err, -ENOENT, REASON_NONE, "hook %s has no dispatcher", hook->name);
        renewed_paths(e, hook->name, old, new);
        maps.slots = h->slots;
        link = dispatcher_attach(hook, &maps, err);
        if (link < 0)
                return link;
        r = pin_put(link, new, err);
        if (r < 0)
                return r;
        fault_point("renew:attached");
        r = renewed_rename(old, new, hook->name, err);
        fault_point("renew:done");
        return r;
}

int enforcement_settle(struct enforcement *e, struct err *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < e->n_hooks; i++) {
                char old[PATH_MAX], new[PATH_MAX];

                renewed_paths(e, e->hooks[i].name, old, new);
                if (access(new, F_OK) < 0)
                        continue;
                r = renewed_rename(old, new, e->hooks[i].name, err);
                if (r >= 0)
                        e->hooks[i].attached = true;
        }
        return r;
}

static int hook_detach(struct enforcement *e, const char *name, struct err *err) {
        char path[PATH_MAX];
        int r;

        for (size_t i = 0; i < e->n_hooks; i++) {
                if (!streq(e->hooks[i].name, name))
                        continue;
                pin_path(path, "%s/hook/%s/link", e->dir, name);
                r = link_remove(path, err);
                if (r < 0)
                        return r;
                close_p(&e->hooks[i].slots);
                memmove(&e->hooks[i], &e->hooks[i + 1], (e->n_hooks - i - 1) * sizeof(*e->hooks));
                e->n_hooks--;
                break;
        }
        pin_path(path, "%s/hook/%s", e->dir, name);
        return pin_remove(path, err);
}

int plan_fit(struct plan *plan, const struct manifest *m, struct err *err) {
        struct btf *btf = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->n; i++) {
                struct hook hook;
                struct err why = {0};

                if (!plan_hook_optional(&plan->hooks[i], m))
                        continue;
                if (!btf) {
                        btf = kernel_btf_load(err);
                        if (!btf)
                                return -ENOENT;
                }
                r = hook_find(btf, plan->hooks[i].name, &hook, &why);
                if (r == -ENOENT && plan_hook_leave(plan, i, m))
                        r = 0;
                else if (r < 0 && err)
                        *err = why;
        }
        kernel_btf_free(btf);
        return r;
}

int enforcement_attach(struct enforcement *e, const struct plan *plan, struct err *err) {
        struct btf *btf = NULL;
        cleanup_free bool *added = new_array(plan->n, sizeof(bool));
        int r = added ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < plan->n; i++) {
                const struct enforced_hook *h = enforced_hook_of(e, plan->hooks[i].name);
                struct hook hook;

                if (plan->hooks[i].absent || (h && h->attached))
                        continue;
                if (!btf) {
                        btf = kernel_btf_load(err);
                        if (!btf) {
                                r = -ENOENT;
                                break;
                        }
                }
                r = hook_find(btf, plan->hooks[i].name, &hook, err);
                if (r >= 0) {
                        added[i] = true;
                        r = hook_attach(e, &hook, err);
                }
        }
        kernel_btf_free(btf);
        for (size_t i = 0; r < 0 && added && i < plan->n; i++)
                if (added[i])
                        hook_detach(e, plan->hooks[i].name, NULL);
        return r;
}

bool enforcement_knows(const struct enforcement *e, const char *hook) {
        return enforced_hook_of(e, hook);
}

bool enforcement_attached(const struct enforcement *e, const char *hook) {
        const struct enforced_hook *h = enforced_hook_of(e, hook);

        return h && h->attached;
}

bool enforcement_check(struct enforcement *e) {
        bool all = true;

        for (size_t i = 0; i < e->n_hooks; i++) {
                struct enforced_hook *h = &e->hooks[i];
                char path[PATH_MAX];

                if (!h->attached || pin_path(path, "%s/hook/%s/link", e->dir, h->name) < 0)
                        continue;
                /* Any other failure says nothing about the link: a policy may deny the look. */
                if (access(path, F_OK) < 0 && errno == ENOENT)
                        h->attached = all = false;
        }
        return all;
}

int enforcement_trim(struct enforcement *e, const struct plan *const *plans, size_t n_plans, struct err *err) {
        int r = 0;

        for (size_t i = e->n_hooks; r >= 0 && i-- > 0;) {
                char name[sizeof(e->hooks[i].name)];
                bool used = false;

                memcpy(name, e->hooks[i].name, sizeof(name));
                for (size_t j = 0; j < n_plans && !used; j++)
                        used = plan_find(plans[j], name);
                if (!used)
                        r = hook_detach(e, name, err);
        }
        return r;
}

int enforcement_remove(struct enforcement *e, struct err *err) {
        int r = 0;

        /* Detach one by one before the gate goes: a dispatcher holds the gate itself, but the pins are how we find them. */
        while (r >= 0 && e->n_hooks > 0)
                r = hook_detach(e, e->hooks[e->n_hooks - 1].name, err);
        return r < 0 ? r : pin_remove(e->dir, err);
}
