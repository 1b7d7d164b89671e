/* SPDX-License-Identifier: Apache-2.0 */
/* How a shadow comes into being: everything is loaded, then put into its place, and only then does it get anything to judge. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <sys/stat.h>

#include "enforce_parts.h"
#include "fault.h"
#include "rules_counts.h"
#include "scope_pins.h"
#include "shadow_parts.h"
#include "swap_parts.h"

#define LOAD_TIMEOUT_NS (120 * 1000000000LL)

struct making {
        struct node *node;
        struct bundle *bundle;
        const struct release *rel;
        enum hook_order order;
        char dir[PATH_MAX]; /* .../shadow/CONTENT-ID */
        char lowered[LOWERED_MAX];
        struct plan plan;
        struct hook *hooks; /* of the plan, in its order */
        int *slots;
};

static void making_done(struct making *m) {
        for (size_t i = 0; m->slots && i < m->plan.n; i++)
                close_p(&m->slots[i]);
        free(m->slots);
        free(m->hooks);
        plan_done(&m->plan);
}
#define cleanup_making cleanup(making_done)

static bool enforced(const struct making *m, size_t i) {
        return m->bundle->kernel.gate_fd >= 0 && enforcement_attached(&m->bundle->kernel, m->plan.hooks[i].name);
}

static int hooks_look(struct making *m, const struct btf *btf, struct err *err) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < m->plan.n; i++) {
                if (m->plan.hooks[i].n == 0)
                        continue;
                r = hook_find(btf, m->plan.hooks[i].name, &m->hooks[i], err);
                if (r >= 0)
                        r = hook_room_check(&m->hooks[i], enforced(m, i) ? 2 : 1,
                                            enforced(m, i) ? "a shadow, and a second dispatcher while the first is taken off"
                                                           : "a shadow",
                                            err);
        }
        return r;
}

/* Arrays for all hooks of the plan, as the loader wants them; pinned where something will stand. */
static int arrays_make(struct making *m, struct err *err) {
        char path[PATH_MAX];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < m->plan.n; i++) {
                if (m->plan.hooks[i].absent)
                        continue;
                if (m->plan.hooks[i].n == 0) {
                        m->slots[i] = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "lsm_shadow", 4, 4, LSM_ARRAY_SIZE, NULL);
                        if (m->slots[i] < 0)
                                r = err_errno(err, -errno, "cannot make the map lsm_shadow");
                        continue;
                }
                r = pin_path(path, "%s/hook/%s", m->dir, m->plan.hooks[i].name);
                if (r >= 0)
                        r = pin_mkdir(path, err);
                if (r < 0)
                        break;
                pin_path(path, "%s/hook/%s/slots", m->dir, m->plan.hooks[i].name);
                r = m->slots[i] = pin_map_adopt(path, "lsm_shadow", BPF_MAP_TYPE_PROG_ARRAY, 4, 4, LSM_ARRAY_SIZE, 0, err);
        }
        return r < 0 ? r : 0;
}

static int generation_load(struct making *m, struct loaded *ret, struct err *err) {
        struct node *n = m->node;
        struct loader_request req = {
                .release = m->rel,
                .plan = &m->plan,
                .slots = m->slots,
                .events = n->agent.events,
                .folds = n->agent.folds,
                .guard = &n->agent.guard,
                .slot = LSM_SHADOW_SLOT,
                .bundle_number = bundle_number(m->bundle->name),
                .shadow = true,
                .lowered = m->lowered,
                .use_token = n->config->bpf_token,
                .deadline_ns = monotonic_ns() + LOAD_TIMEOUT_NS,
        };
        cleanup_buf struct buf log = {0};
        int r;

        node_rules_locks(n, m->rel->manifest, &req.kernel);
        node_user(n->config->loader_user, &req.uid, &req.gid);
        r = loader_run(&req, n->waiter, ret, &log, err);
        if (r < 0)
                verifier_log_keep(n, &log);
        return r;
}

static int counters_pin(const struct making *m, const struct loaded *loaded, struct err *err) {
        char path[PATH_MAX];
        int r;

        pin_path(path, "%s/counters", m->dir);
        r = pin_mkdir(path, err);
        for (size_t i = 0; r >= 0 && i < loaded->n_policies; i++) {
                if (loaded->policies[i].counters < 0)
                        continue;
                pin_path(path, "%s/counters/%s", m->dir, loaded->manifest->policies[i].name);
                r = pin_put(loaded->policies[i].counters, path, err);
        }
        if (r < 0)
                return r;
        pin_path(path, "%s/rules", m->dir);
        r = rules_counts_pin(path, loaded, err);
        if (r < 0)
                return r;
        pin_path(path, "%s/scopes", m->dir);
        return scope_maps_pin(path, loaded, SCOPE_MAP_HASH, err);
}

/* The shadow's dispatcher over an array that is still empty; then the enforcing one anew, if it would run behind it otherwise. */
static int hook_put_on(struct making *m, size_t i, struct err *err) {
        char path[PATH_MAX];
        cleanup_fd int link = shadow_dispatcher_attach(&m->hooks[i], m->slots[i], err);
        int r;

        if (link < 0)
                return link;
        pin_path(path, "%s/hook/%s/link", m->dir, m->hooks[i].name);
        r = pin_put(link, path, err);
        if (r < 0)
                return r;
        fault_point("shadow:attached");
        return m->order == HOOK_NEWEST_FIRST && enforced(m, i) ? enforcement_renew(&m->bundle->kernel, &m->hooks[i], err) : 0;
}

/* Backwards: a position is filled before the one that goes on to it, and the first, with which it begins to count, last. */
static int hook_fill(const struct making *m, size_t i, const struct loaded *loaded, struct err *err) {
        const struct plan_hook *h = &m->plan.hooks[i];

        for (size_t k = h->n; k-- > 0;) {
                const struct plan_entry *e = &h->entries[k];
                int r = slot_put(m->slots[i], LSM_SHADOW_SLOT, e->position, loaded->policies[e->policy].programs[e->program]);

                if (r < 0)
                        return err_set(err, r, REASON_ATTACH_FAILED, "hook %s: the shadow cannot be filled: %s", h->name,
                                       strerror(-r));
        }
        return 0;
}

static int put_in_place(struct making *m, const struct loaded *loaded, struct err *err) {
        char path[PATH_MAX];
        int r = counters_pin(m, loaded, err);

        for (size_t i = 0; r >= 0 && i < m->plan.n; i++)
                if (m->plan.hooks[i].n > 0)
                        r = hook_put_on(m, i, err);
        /* A call that met the shadow's dispatcher before the enforcing one was put on anew must not be counted. */
        if (r >= 0)
                r = bpf_grace_period(err);
        for (size_t i = 0; r >= 0 && i < m->plan.n; i++)
                r = hook_fill(m, i, loaded, err);
        if (r < 0)
                return r;
        fault_point("shadow:filled");
        pin_path(path, "%s/%s", m->dir, hook_order_word(m->order));
        return pin_mkdir(path, err);
}

static void left_out_say(const struct making *m) {
        const struct manifest *manifest = m->rel->manifest;

        for (size_t i = 0; i < manifest->n_policies; i++)
                if (manifest->policies[i].plain)
                        node_say(m->node, "%s: policy '%s' is plain and not part of the shadow: what it would deny is not known",
                                 m->bundle->name, manifest->policies[i].name);
}

static int shadow_make(struct making *m, const struct btf *btf, struct err *err) {
        struct loaded loaded = {0};
        int r;

        /* What will deny nothing on this node would deny nothing. */
        lowered_of(m->node->config->audit, m->bundle->name, m->lowered);
        lowered_apply(m->lowered, m->rel->manifest);
        r = plan_make(m->rel->manifest, &m->plan, err);
        if (r >= 0)
                r = plan_fit(&m->plan, m->rel->manifest, err);
        if (r < 0)
                return r;
        plan_shadow(&m->plan, m->rel->manifest);
        m->hooks = new_array(m->plan.n, sizeof(*m->hooks));
        m->slots = new_array(m->plan.n, sizeof(*m->slots));
        if (!m->hooks || !m->slots)
                return err_errno(err, -ENOMEM, "shadow");
        for (size_t i = 0; i < m->plan.n; i++)
                m->slots[i] = -1;
        r = hooks_look(m, btf, err);
        if (r < 0)
                return r;
        left_out_say(m);
        r = arrays_make(m, err);
        if (r >= 0)
                r = generation_load(m, &loaded, err);
        if (r < 0)
                return r;
        r = put_in_place(m, &loaded, err);
        loaded_done(&loaded);
        return r;
}

static int start(struct node *n, struct bundle *b, const struct release *rel, const struct btf *btf, enum hook_order order,
                 struct err *err) {
        cleanup_making struct making m = {.node = n, .bundle = b, .rel = rel, .order = order};
        char path[PATH_MAX];
        int r;

        if (node_pending(n))
                return err_set(err, -EBUSY, REASON_BUSY, "bundle '%s' is being tried: no shadow beside a trial",
                               node_pending(n)->name);
        r = shadow_stop(n, b->name, err);
        if (r >= 0 && b->kernel.gate_fd >= 0) {
                r = enforcement_settle(&b->kernel, err);
                enforcement_check(&b->kernel);
        }
        if (r >= 0)
                r = shadow_path(n, b->name, path);
        if (r >= 0)
                r = pin_path(m.dir, "%s/%s", path, rel->manifest->content_hex);
        if (r < 0)
                return r;
        r = shadow_make(&m, btf, err);
        if (r < 0)
                shadow_stop(n, b->name, NULL);
        return r;
}

int shadow_start_ordered(struct node *n, struct bundle *b, const struct release *rel, enum hook_order order, struct err *err) {
        struct btf *btf = kernel_btf_load(err);
        int r = btf ? start(n, b, rel, btf, order, err) : -ENOENT;

        kernel_btf_free(btf);
        return r;
}

int shadow_start(struct node *n, struct bundle *b, const struct release *rel, struct err *err) {
        struct btf *btf = kernel_btf_load(err);
        enum hook_order order;
        int r = btf ? hook_order_find(btf, &order, err) : -ENOENT;

        if (r >= 0)
                r = start(n, b, rel, btf, order, err);
        kernel_btf_free(btf);
        return r;
}
