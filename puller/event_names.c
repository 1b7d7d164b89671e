/* SPDX-License-Identifier: Apache-2.0 */
#include "event_names.h"

#include <stdio.h>

#include "bpffs.h"
#include "loader.h"
#include "plan.h"

#define HOOKS_MAX (POLICIES_MAX * POLICY_PROGRAMS_MAX)

static void generation_done(struct generation_names *g) {
        free(g->bundle);
        free(g->version);
        strings_free(g->policies, g->n_policies);
        strings_free(g->hooks, g->n_hooks);
        *g = (struct generation_names){0};
}
#define cleanup_generation cleanup(generation_done)

void event_names_done(struct event_names *t) {
        for (size_t i = 0; i < t->n; i++)
                generation_done(&t->list[i]);
        t->n = t->bytes = 0;
}

static void forget(struct event_names *t, size_t i) {
        t->bytes -= t->list[i].bytes;
        generation_done(&t->list[i]);
        memmove(&t->list[i], &t->list[i + 1], (t->n - i - 1) * sizeof(*t->list));
        t->n--;
}

/* Takes over g, whose size is within the table's. */
static void take(struct event_names *t, struct generation_names *g) {
        for (size_t i = 0; i < t->n; i++)
                if (t->list[i].bundle_number == g->bundle_number && t->list[i].release == g->release) {
                        forget(t, i);
                        break;
                }
        while (t->n == EVENT_NAMES_MAX || (t->n > 0 && t->bytes + g->bytes > EVENT_NAMES_BYTES_MAX))
                forget(t, 0);
        t->bytes += g->bytes;
        t->list[t->n++] = *g;
        *g = (struct generation_names){0};
}

static char *copy(struct generation_names *g, const char *s) {
        g->bytes += strlen(s) + 1 + sizeof(char *);
        return strdup(s);
}

static int generation_begin(struct generation_names *g, const char *bundle, const char *version, uint64_t release,
                            size_t n_policies, size_t n_hooks) {
        *g = (struct generation_names){.bundle_number = bundle_number(bundle), .release = release};
        g->bundle = copy(g, bundle);
        g->version = copy(g, version);
        g->policies = new_array(n_policies, sizeof(*g->policies));
        g->hooks = new_array(n_hooks, sizeof(*g->hooks));
        if (!g->bundle || !g->version || !g->policies || !g->hooks)
                return -ENOMEM;
        g->n_policies = n_policies;
        g->n_hooks = n_hooks;
        return 0;
}

int event_names_add(struct event_names *t, const struct manifest *m, struct err *err) {
        cleanup_generation struct generation_names g = {0};
        cleanup_plan struct plan plan = {0};
        int r;

        r = plan_make(m, &plan, err);
        if (r < 0)
                return r;
        r = generation_begin(&g, m->name, m->version, m->release, m->n_policies, plan.n);
        for (size_t i = 0; r >= 0 && i < g.n_policies; i++)
                if (!(g.policies[i] = copy(&g, m->policies[i].name)))
                        r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < g.n_hooks; i++)
                if (!(g.hooks[i] = copy(&g, plan.hooks[i].name)))
                        r = -ENOMEM;
        if (r < 0)
                return err_errno(err, r, "names of bundle '%s'", m->name);
        if (g.bytes > EVENT_NAMES_BYTES_MAX)
                return err_errno(err, -E2BIG, "names of bundle '%s'", m->name);
        take(t, &g);
        return 0;
}

/* ---- as JSON ---- */

static json_t *strings_json(char *const *strings, size_t n) {
        json_t *a = json_array();

        for (size_t i = 0; a && i < n; i++)
                if (json_array_append_new(a, json_string(strings[i])) < 0) {
                        json_decref(a);
                        return NULL;
                }
        return a;
}

int event_names_format(const struct event_names *t, struct buf *out, struct err *err) {
        cleanup_json json_t *doc = json_array();
        cleanup_free char *text = NULL;

        for (size_t i = 0; doc && i < t->n; i++) {
                const struct generation_names *g = &t->list[i];
                json_t *o = json_pack("{s:s, s:s, s:I, s:o, s:o}", "bundle", g->bundle, "version", g->version, "release",
                                      (json_int_t)g->release, "policies", strings_json(g->policies, g->n_policies), "hooks",
                                      strings_json(g->hooks, g->n_hooks));

                if (json_array_append_new(doc, o) < 0)
                        return err_errno(err, -ENOMEM, "names of events");
        }
        text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
        if (!text || buf_append(out, text, strlen(text)) < 0)
                return err_errno(err, -ENOMEM, "names of events");
        return 0;
}

static int strings_parse(const json_t *a, bool (*valid)(const char *), struct generation_names *g, char **ret, struct err *err) {
        const json_t *item;
        size_t i;

        json_array_foreach(a, i, item) {
                if (!json_is_string(item) || !valid(json_string_value(item)))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "names of events: not a name");
                ret[i] = copy(g, json_string_value(item));
                if (!ret[i])
                        return -ENOMEM;
        }
        return 0;
}

static int generation_parse(const json_t *o, struct generation_names *g, struct err *err) {
        const char *bundle, *version;
        json_t *policies, *hooks;
        long long release;
        int r;

        r = json_get_string(o, "bundle", &bundle, err);
        if (r >= 0)
                r = json_get_string(o, "version", &version, err);
        if (r >= 0)
                r = json_get_int(o, "release", 0, JSON_INT_MAX, &release, err);
        if (r >= 0)
                r = json_get_array(o, "policies", &policies, err);
        if (r >= 0)
                r = json_get_array(o, "hooks", &hooks, err);
        if (r < 0)
                return r;
        if (!name_valid(bundle) || !version_valid(version) || json_array_size(policies) > POLICIES_MAX ||
            json_array_size(hooks) > HOOKS_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "names of events: not a bundle");
        r = generation_begin(g, bundle, version, (uint64_t)release, json_array_size(policies), json_array_size(hooks));
        if (r >= 0)
                r = strings_parse(policies, name_valid, g, g->policies, err);
        if (r >= 0)
                r = strings_parse(hooks, hook_valid, g, g->hooks, err);
        return r;
}

int event_names_parse(struct event_names *t, const void *p, size_t n, struct err *err) {
        cleanup_event_names struct event_names found = {0};
        cleanup_json json_t *doc = NULL;
        const json_t *item;
        size_t i;
        int r;

        r = json_parse(p, n, &doc, err);
        if (r < 0)
                return r;
        if (!json_is_array(doc) || json_array_size(doc) > EVENT_NAMES_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "names of events: not an array of at most %d", EVENT_NAMES_MAX);
        json_array_foreach(doc, i, item) {
                cleanup_generation struct generation_names g = {0};

                r = generation_parse(item, &g, err);
                if (r < 0)
                        return r;
                if (g.bytes > EVENT_NAMES_BYTES_MAX)
                        return err_set(err, -EBADMSG, REASON_TOO_LARGE, "names of events: more than %u bytes",
                                       EVENT_NAMES_BYTES_MAX);
                take(&found, &g);
        }
        for (i = 0; i < found.n; i++)
                take(t, &found.list[i]);
        found.n = 0;
        return 0;
}

/* ---- looking up ---- */

static const struct generation_names *find(const struct event_names *t, uint32_t bundle_number, uint64_t release) {
        for (size_t i = t->n; i-- > 0;)
                if (t->list[i].bundle_number == bundle_number && t->list[i].release == release)
                        return &t->list[i];
        return NULL;
}

const char *event_names_bundle(const struct event_names *t, uint32_t bundle_number) {
        for (size_t i = t->n; i-- > 0;)
                if (t->list[i].bundle_number == bundle_number)
                        return t->list[i].bundle;
        return NULL;
}

const char *event_names_version(const struct event_names *t, uint32_t bundle_number, uint64_t release) {
        const struct generation_names *g = find(t, bundle_number, release);

        return g ? g->version : NULL;
}

const char *event_names_policy(const struct event_names *t, uint32_t bundle_number, uint64_t release, uint32_t policy) {
        const struct generation_names *g = find(t, bundle_number, release);

        return g && policy < g->n_policies ? g->policies[policy] : NULL;
}

const char *event_names_hook(const struct event_names *t, uint32_t bundle_number, uint64_t release, uint32_t hook) {
        const struct generation_names *g = find(t, bundle_number, release);

        return g && hook < g->n_hooks ? g->hooks[hook] : NULL;
}
