/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <linux/types.h>

#include "lsm_abi.h"

void plan_done(struct plan *p) {
        for (size_t i = 0; i < p->n; i++)
                free(p->hooks[i].entries);
        free(p->hooks);
        *p = (struct plan){0};
}

static int hook_cmp(const void *a, const void *b) {
        return strcmp(((const struct plan_hook *)a)->name, ((const struct plan_hook *)b)->name);
}

static struct plan_hook *find(struct plan *p, const char *hook) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->hooks[i].name, hook))
                        return &p->hooks[i];
        return NULL;
}

const struct plan_hook *plan_find(const struct plan *p, const char *hook) {
        return find((struct plan *)p, hook);
}

static int add(struct plan *p, const char *hook, size_t policy, size_t program, struct err *err) {
        struct plan_hook *h = find(p, hook);
        struct plan_entry *entries;

        if (!h) {
                struct plan_hook *hooks = reallocarray(p->hooks, p->n + 1, sizeof(*hooks));

                if (!hooks)
                        return -ENOMEM;
                p->hooks = hooks;
                h = &hooks[p->n++];
                *h = (struct plan_hook){.name = hook};
        }
        if (h->n == LSM_CHAIN_MAX)
                return err_set(err, -EINVAL, REASON_MALFORMED, "more than %d policies on hook %s", LSM_CHAIN_MAX, hook);
        if (h->n > 0) {
                h->entries[h->n - 1].next = (uint32_t)h->n;
        }
        entries = reallocarray(h->entries, h->n + 1, sizeof(*entries));
        if (!entries)
                return -ENOMEM;
        h->entries = entries;
        entries[h->n] = (struct plan_entry){.policy = policy, .program = program, .position = (uint32_t)h->n};
        h->n++;
        return 0;
}

int plan_make(const struct manifest *m, struct plan *ret, struct err *err) {
        cleanup_plan struct plan p = {0};

        /* A plain program knows nothing of the chain and cannot go on to the next: it must stand last. */
        for (int plain = 0; plain <= 1; plain++)
                for (size_t i = 0; i < m->n_policies; i++) {
                        const struct manifest_policy *policy = &m->policies[i];

                        if (policy->plain != plain)
                                continue;
                        for (size_t j = 0; j < policy->n_programs; j++) {
                                const struct plan_hook *h = find(&p, policy->programs[j].hook);
                                int r;

                                if (plain && h && m->policies[h->entries[h->n - 1].policy].plain)
                                        return err_set(err, -EINVAL, REASON_MALFORMED, "two plain policies on hook %s",
                                                       policy->programs[j].hook);
                                r = add(&p, policy->programs[j].hook, i, j, err);
                                if (r < 0)
                                        return r;
                        }
                }
        qsort(p.hooks, p.n, sizeof(*p.hooks), hook_cmp);
        *ret = p;
        p = (struct plan){0};
        return 0;
}

bool policy_shadowed(const struct manifest_policy *p) {
        return !p->plain && p->mode == MODE_ENFORCE;
}

bool manifest_has_engine(const struct manifest *m) {
        for (size_t i = 0; i < m->n_policies; i++)
                if (policy_is_engine(&m->policies[i]))
                        return true;
        return false;
}

void plan_shadow(struct plan *p, const struct manifest *m) {
        for (size_t i = 0; i < p->n; i++) {
                struct plan_hook *h = &p->hooks[i];
                size_t n = 0;

                for (size_t j = 0; j < h->n; j++) {
                        if (!policy_shadowed(&m->policies[h->entries[j].policy]))
                                continue;
                        h->entries[n] = h->entries[j];
                        h->entries[n].position = (uint32_t)n;
                        h->entries[n].next = 0;
                        if (n > 0)
                                h->entries[n - 1].next = (uint32_t)n;
                        n++;
                }
                h->n = n;
        }
}

static bool hook_optional(const struct plan_hook *h, const struct manifest *m) {
        for (size_t i = 0; i < h->n; i++)
                if (!m->policies[h->entries[i].policy].programs[h->entries[i].program].optional)
                        return false;
        return true;
}

bool plan_hook_optional(const struct plan_hook *h, const struct manifest *m) {
        return h->n > 0 && hook_optional(h, m);
}

bool plan_hook_leave(struct plan *p, size_t i, const struct manifest *m) {
        if (!hook_optional(&p->hooks[i], m))
                return false;
        p->hooks[i].n = 0;
        p->hooks[i].absent = true;
        return true;
}

bool plan_program_absent(const struct plan *p, const struct manifest_program *program) {
        const struct plan_hook *h = plan_find(p, program->hook);

        return program->optional && h && h->absent;
}

const struct plan_entry *plan_entry_of(const struct plan *p, size_t policy, size_t program, const struct plan_hook **ret_hook) {
        for (size_t i = 0; i < p->n; i++)
                for (size_t j = 0; j < p->hooks[i].n; j++) {
                        const struct plan_entry *e = &p->hooks[i].entries[j];

                        if (e->policy == policy && e->program == program) {
                                *ret_hook = &p->hooks[i];
                                return e;
                        }
                }
        return NULL;
}
