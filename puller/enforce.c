/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/mman.h>

#include "enforce_parts.h"
#include "rules_counts.h"
#include "scope_pins.h"

void enforcement_close(struct enforcement *e) {
        if (e->gate.map)
                munmap(e->gate.map, sizeof(*e->gate.map));
        close_p(&e->gate_fd);
        for (size_t i = 0; i < e->n_hooks; i++)
                close_p(&e->hooks[i].slots);
        free(e->hooks);
        *e = ENFORCEMENT_INIT;
}

struct enforced_hook *enforced_hook_of(const struct enforcement *e, const char *name) {
        for (size_t i = 0; i < e->n_hooks; i++)
                if (streq(e->hooks[i].name, name))
                        return &e->hooks[i];
        return NULL;
}

int enforced_hook_add(struct enforcement *e, const char *name, int slots, bool attached) {
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
                r = slots < 0 ? err_errno(err, slots, "hook %s: slots", names[i])
                              : enforced_hook_add(e, names[i], slots, link >= 0);
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
        e.gate_fd = pin_map_adopt(path, "lsm_gate", BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_gate), 1, BPF_F_MMAPABLE, err);
        if (e.gate_fd < 0)
                return e.gate_fd;
        r = pin_map_mmap(e.gate_fd, sizeof(*e.gate.map), (void **)&e.gate.map);
        if (r < 0)
                return err_errno(err, r, "cannot map the gate of '%s'", bundle);
        r = hooks_adopt(&e, err);
        if (r < 0)
                return r;
        *ret = e;
        e = ENFORCEMENT_INIT;
        return 0;
}

int slot_put(int slots, uint32_t slot, uint32_t position, int program) {
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

int enforcement_slots(const struct enforcement *e, const struct plan *plan, int **ret) {
        int *slots = new_array(plan->n, sizeof(int));

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; i < plan->n; i++) {
                const struct enforced_hook *h = enforced_hook_of(e, plan->hooks[i].name);

                if (plan->hooks[i].absent) {
                        slots[i] = -1;
                        continue;
                }
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
        if (r < 0)
                return r;
        pin_path(path, "%s/rules/%u", e->dir, slot);
        r = rules_counts_pin(path, loaded, err);
        if (r < 0)
                return r;
        pin_path(path, "%s/scopes/%u", e->dir, slot);
        r = scope_maps_pin(path, loaded, SCOPE_MAP_HASH, err);
        if (r < 0)
                return r;
        pin_path(path, "%s/probes/%u", e->dir, slot);
        return scope_maps_pin(path, loaded, SCOPE_MAP_PROBES, err);
}

int enforcement_fill(struct enforcement *e, uint32_t slot, const struct plan *plan, const struct loaded *loaded,
                     struct err *err) {
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

int counters_read(const char *path, struct lsm_counters *ret) {
        int cpus = libbpf_num_possible_cpus();
        cleanup_free struct lsm_counters *per_cpu = NULL;
        cleanup_fd int fd = pin_get(path);
        uint32_t zero = 0;

        *ret = (struct lsm_counters){0};
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
                ret->folded += per_cpu[i].folded;
        }
        return 0;
}

int enforcement_counters(const struct enforcement *e, uint32_t slot, const char *policy, struct lsm_counters *ret) {
        char path[PATH_MAX];

        pin_path(path, "%s/counters/%u/%s", e->dir, slot, policy);
        return counters_read(path, ret);
}

void enforcement_counters_all(const struct enforcement *e, uint32_t slot, struct lsm_counters *ret) {
        char path[PATH_MAX], **policies = NULL;
        size_t n = 0;

        *ret = (struct lsm_counters){0};
        pin_path(path, "%s/counters/%u", e->dir, slot);
        if (pin_list(path, &policies, &n, NULL) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                struct lsm_counters c;

                if (enforcement_counters(e, slot, policies[i], &c) < 0)
                        continue;
                ret->denied += c.denied;
                ret->would_deny += c.would_deny;
                ret->lost += c.lost;
                ret->errors += c.errors;
                ret->folded += c.folded;
        }
        strings_free(policies, n);
}

json_t *enforcement_rules_json(const struct enforcement *e, uint32_t slot) {
        char path[PATH_MAX];

        pin_path(path, "%s/rules/%u", e->dir, slot);
        return rules_counts_json(path);
}
