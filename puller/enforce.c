/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "dispatcher.h"

#define EVENTS_SIZE (1u << 20)
#define DETACH_TIMEOUT_NS (30 * 1000000000LL)

static int map_mmap(int fd, size_t size, void **ret) {
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

/* The pinned map, or a new one, pinned. */
static int map_adopt(const char *path, const char *name, enum bpf_map_type type, uint32_t key, uint32_t value, uint32_t max,
                     uint32_t flags, struct err *err) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
        int fd = pin_get(path), r;

        if (fd >= 0)
                return fd;
        if (fd != -ENOENT)
                return err_errno(err, fd, "cannot open the pin %s", path);
        fd = bpf_map_create(type, name, key, value, max, &opts);
        if (fd < 0)
                return err_errno(err, -errno, "cannot make the map %s", name);
        r = pin_put(fd, path, err);
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

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
        a.state = map_adopt(path, "lsm_agent", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_agent), 1, BPF_F_MMAPABLE, err);
        r = a.state;
        if (r >= 0) {
                pin_path(path, "%s/agent/events", a.dir);
                a.events = map_adopt(path, "lsm_events", BPF_MAP_TYPE_RINGBUF, 0, 0, EVENTS_SIZE, 0, err);
                r = a.events;
        }
        if (r >= 0) {
                r = map_mmap(a.state, sizeof(*a.map), (void **)&a.map);
                if (r < 0)
                        err_errno(err, r, "cannot map the agent's state");
        }
        if (r < 0) {
                agent_maps_close(&a);
                return r;
        }
        *ret = a;
        return 0;
}

void agent_maps_close(struct agent_maps *a) {
        if (a->map)
                munmap(a->map, sizeof(*a->map));
        close_p(&a->state);
        close_p(&a->events);
        *a = AGENT_MAPS_INIT;
}

void enforcement_close(struct enforcement *e) {
        if (e->gate.map)
                munmap(e->gate.map, sizeof(*e->gate.map));
        close_p(&e->gate_fd);
        for (size_t i = 0; i < e->n_hooks; i++)
                close_p(&e->hooks[i].slots);
        free(e->hooks);
        *e = ENFORCEMENT_INIT;
}

static struct enforced_hook *hook_of(const struct enforcement *e, const char *name) {
        for (size_t i = 0; i < e->n_hooks; i++)
                if (streq(e->hooks[i].name, name))
                        return &e->hooks[i];
        return NULL;
}

static int hook_append(struct enforcement *e, const char *name, int slots, bool attached) {
        struct enforced_hook *hooks = reallocarray(e->hooks, e->n_hooks + 1, sizeof(*hooks));

        if (!hooks)
                return -ENOMEM;
        e->hooks = hooks;
        hooks[e->n_hooks] = (struct enforced_hook){.slots = slots, .attached = attached};
        snprintf(hooks[e->n_hooks++].name, sizeof(hooks->name), "%s", name);
        return 0;
}

static int hooks_adopt(struct enforcement *e, struct err *err) {
        char path[PATH_MAX], **names;
        size_t n;
        int r;

        r = pin_path(path, "%s/hook", e->dir);
        if (r >= 0)
                r = pin_list(path, &names, &n, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                int slots, link;

                pin_path(path, "%s/hook/%s/slots", e->dir, names[i]);
                slots = pin_get(path);
                if (slots == -ENOENT) /* the agent died while it made this one */
                        continue;
                pin_path(path, "%s/hook/%s/link", e->dir, names[i]);
                link = pin_get(path);
                r = slots < 0 ? err_errno(err, slots, "hook %s: slots", names[i]) : hook_append(e, names[i], slots, link >= 0);
                close_p(&link);
        }
        strings_free(names, n);
        return r;
}

bool enforcement_exists(const struct agent_maps *agent, const char *bundle) {
        char path[PATH_MAX];

        return pin_path(path, "%s/bundle/%s/gate", agent->dir, bundle) >= 0 && access(path, F_OK) == 0;
}

int enforcement_open(const struct agent_maps *agent, const char *bundle, bool create, struct enforcement *ret, struct err *err) {
        cleanup_enforcement struct enforcement e = ENFORCEMENT_INIT;
        char path[PATH_MAX];
        int r;

        if (!create && !enforcement_exists(agent, bundle))
                return err_errno(err, -ENOENT, "bundle '%s' is not in the kernel", bundle);
        e.agent = agent;
        snprintf(e.bundle, sizeof(e.bundle), "%s", bundle);
        r = pin_path(e.dir, "%s/bundle/%s", agent->dir, bundle);
        if (r >= 0)
                r = pin_path(path, "%s/hook", e.dir);
        if (r >= 0)
                r = pin_mkdir(path, err);
        if (r < 0)
                return r;
        pin_path(path, "%s/gate", e.dir);
        e.gate_fd = map_adopt(path, "lsm_gate", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_gate), 1, BPF_F_MMAPABLE, err);
        if (e.gate_fd < 0)
                return e.gate_fd;
        r = map_mmap(e.gate_fd, sizeof(*e.gate.map), (void **)&e.gate.map);
        if (r < 0)
                return err_errno(err, r, "cannot map the gate of '%s'", bundle);
        r = hooks_adopt(&e, err);
        if (r < 0)
                return r;
        *ret = e;
        e = ENFORCEMENT_INIT;
        return 0;
}

static int slot_put(int slots, uint32_t slot, uint32_t position, int program) {
        uint32_t key = slot * LSM_SLOT_SIZE + position;

        return bpf_map_update_elem(slots, &key, &program, BPF_ANY) < 0 ? -errno : 0;
}

static int slot_cut(int slots, uint32_t slot, uint32_t from) {
        for (uint32_t p = from; p < LSM_SLOT_SIZE; p++) {
                uint32_t key = slot * LSM_SLOT_SIZE + p;

                if (bpf_map_delete_elem(slots, &key) < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

/* The dispatcher of a hook that has none; its array may have survived a crash. */
static int hook_attach(struct enforcement *e, const struct hook *hook, struct err *err) {
        struct enforced_hook *h = hook_of(e, hook->name);
        struct dispatcher_maps maps = {.gate = e->gate_fd, .agent = e->agent->state};
        cleanup_fd int stub = -1, link = -1;
        char path[PATH_MAX];
        int used, r;

        used = hook_programs_count(hook->btf_id, err);
        if (used < 0)
                return used;
        if (used + 1 + HOOK_PROGRAMS_RESERVE > HOOK_PROGRAMS_MAX)
                return err_set(err, -E2BIG, REASON_NO_PROGRAM_SLOT,
                               "hook %s: %d of about %d places are taken, and %d are needed (one, and a reserve of %d for upgrades)",
                               hook->name, used, HOOK_PROGRAMS_MAX, 1 + HOOK_PROGRAMS_RESERVE, HOOK_PROGRAMS_RESERVE);
        if (!h) {
                int slots;

                pin_path(path, "%s/hook/%s", e->dir, hook->name);
                r = pin_mkdir(path, err);
                if (r < 0)
                        return r;
                pin_path(path, "%s/hook/%s/slots", e->dir, hook->name);
                slots = map_adopt(path, "lsm_slots", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, LSM_ARRAY_SIZE, 0, err);
                if (slots < 0)
                        return slots;
                r = hook_append(e, hook->name, slots, false);
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

/*
 * A link is torn down by a worker of the kernel, some time after its last reference has gone; its program is released last.
 * Until then the dispatcher runs, and the array that it looks into must not be empty: it would deny everything.
 */
static int link_remove(const char *path, struct err *err) {
        int64_t until = monotonic_ns() + DETACH_TIMEOUT_NS;
        struct bpf_link_info info = {0};
        uint32_t len = sizeof(info);
        int link = pin_get(path), r;

        if (link == -ENOENT)
                return 0;
        r = link < 0 ? link : bpf_obj_get_info_by_fd(link, &info, &len) < 0 ? -errno : 0;
        close_p(&link);
        if (r >= 0)
                r = unlink(path) < 0 ? -errno : 0;
        if (r < 0)
                return err_errno(err, r, "cannot detach %s", path);
        for (;;) {
                cleanup_fd int prog = bpf_prog_get_fd_by_id(info.prog_id);

                if (prog < 0 && errno == ENOENT)
                        return 0;
                if (monotonic_ns() > until)
                        return err_set(err, -ETIMEDOUT, REASON_NONE, "the kernel takes its time to detach %s", path);
                close_p(&prog);
                prog = -1;
                clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 2000000}, NULL);
        }
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

int enforcement_attach(struct enforcement *e, const struct plan *plan, struct err *err) {
        struct btf *btf = NULL;
        cleanup_free bool *added = new_array(plan->n, sizeof(bool));
        int r = added ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < plan->n; i++) {
                const struct enforced_hook *h = hook_of(e, plan->hooks[i].name);
                struct hook hook;

                if (h && h->attached)
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

int enforcement_slots(const struct enforcement *e, const struct plan *plan, int **ret) {
        int *slots = new_array(plan->n, sizeof(int));

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n; i++) {
                const struct enforced_hook *h = hook_of(e, plan->hooks[i].name);

                if (!h) {
                        free(slots);
                        return -ENOENT;
                }
                slots[i] = h->slots;
        }
        *ret = slots;
        return 0;
}

/* The slot's copy of the stub, from slot 0, which always has it. */
static int stub_of(const struct enforced_hook *h) {
        uint32_t zero = 0, id;
        int fd;

        if (bpf_map_lookup_elem(h->slots, &zero, &id) < 0)
                return -errno;
        fd = bpf_prog_get_fd_by_id(id);
        return fd < 0 ? -errno : fd;
}

static int hook_fill(const struct enforced_hook *h, uint32_t slot, const struct plan_hook *ph, const struct loaded *loaded) {
        size_t n = ph ? ph->n : 0;
        int r = 0;

        /* Backwards: a position is filled before the one that goes on to it. */
        for (size_t i = n; r >= 0 && i-- > 0;)
                r = slot_put(h->slots, slot, ph->entries[i].position,
                             loaded->policies[ph->entries[i].policy].programs[ph->entries[i].program]);
        if (r >= 0 && n == 0) {
                cleanup_fd int stub = stub_of(h);

                r = stub < 0 ? stub : slot_put(h->slots, slot, 0, stub);
        }
        return r < 0 ? r : slot_cut(h->slots, slot, n ? (uint32_t)n : 1);
}

static int unnamed_check(const struct enforcement *e, uint32_t slot, struct err *err) {
        uint64_t word = gate_word(&e->gate);

        if (slot == 0 || slot >= LSM_SLOTS || LSM_GATE_ACTIVE(word) == slot || LSM_GATE_PROBE(word) == slot ||
            (gate_pending(word) && LSM_GATE_FALLBACK(word) == slot))
                return err_set(err, -EBUSY, REASON_NONE, "bundle '%s': slot %u is in use", e->bundle, slot);
        return bpf_grace_period(err);
}

static int counters_pin(struct enforcement *e, uint32_t slot, const struct loaded *loaded, struct err *err) {
        char path[PATH_MAX];
        int r;

        pin_path(path, "%s/counters/%u", e->dir, slot);
        r = pin_remove(path, err);
        if (r >= 0 && loaded)
                r = pin_mkdir(path, err);
        for (size_t i = 0; r >= 0 && loaded && i < loaded->n_policies; i++) {
                if (loaded->policies[i].counters < 0)
                        continue;
                pin_path(path, "%s/counters/%u/%s", e->dir, slot, loaded->manifest->policies[i].name);
                r = pin_put(loaded->policies[i].counters, path, err);
        }
        return r;
}

int enforcement_fill(struct enforcement *e, uint32_t slot, const struct plan *plan, const struct loaded *loaded, struct err *err) {
        int r = unnamed_check(e, slot, err);

        if (r >= 0)
                r = counters_pin(e, slot, loaded, err);
        for (size_t i = 0; r >= 0 && i < e->n_hooks; i++) {
                r = hook_fill(&e->hooks[i], slot, plan_find(plan, e->hooks[i].name), loaded);
                if (r < 0)
                        err_set(err, r, REASON_ATTACH_FAILED, "hook %s: slot %u cannot be filled: %s", e->hooks[i].name, slot,
                                strerror(-r));
        }
        return r;
}

int enforcement_clear(struct enforcement *e, uint32_t slot, struct err *err) {
        static const struct plan nothing;
        int r = unnamed_check(e, slot, err);

        if (r >= 0)
                r = counters_pin(e, slot, NULL, err);
        for (size_t i = 0; r >= 0 && i < e->n_hooks; i++) {
                r = hook_fill(&e->hooks[i], slot, plan_find(&nothing, e->hooks[i].name), NULL);
                if (r < 0)
                        err_errno(err, r, "hook %s: slot %u cannot be emptied", e->hooks[i].name, slot);
        }
        return r;
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

int enforcement_counters(const struct enforcement *e, uint32_t slot, const char *policy, struct lsm_counters *ret) {
        int cpus = libbpf_num_possible_cpus();
        cleanup_free struct lsm_counters *per_cpu = NULL;
        cleanup_fd int fd = -1;
        char path[PATH_MAX];
        uint32_t zero = 0;

        *ret = (struct lsm_counters){0};
        pin_path(path, "%s/counters/%u/%s", e->dir, slot, policy);
        fd = pin_get(path);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (cpus < 0)
                return cpus;
        per_cpu = new_array((size_t)cpus, sizeof(*per_cpu));
        if (!per_cpu)
                return -ENOMEM;
        if (bpf_map_lookup_elem(fd, &zero, per_cpu) < 0)
                return -errno;
        for (int i = 0; i < cpus; i++) {
                ret->denied += per_cpu[i].denied;
                ret->would_deny += per_cpu[i].would_deny;
                ret->lost += per_cpu[i].lost;
                ret->errors += per_cpu[i].errors;
        }
        return 0;
}
