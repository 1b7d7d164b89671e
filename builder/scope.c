/* SPDX-License-Identifier: Apache-2.0 */
#include "scope.h"

#include <ctype.h>

#include "fields.h"

void scope_done(struct scope *s) {
        for (size_t i = 0; i < s->n; i++)
                path_pattern_done(&s->patterns[i]);
        free(s->patterns);
        strv_done(&s->values);
        free(s->key);
        *s = (struct scope){};
}

/* Where the usual runtimes keep a container's cgroup, in places where only root makes any. */
static const char *const root_patterns[] = {
        "/docker/*", "/system.slice/docker-*.scope", "/kubepods", "/kubepods.slice", "/machine.slice/*", "/lxc.payload.*",
        "/lxc/*",
};

/* How they call it wherever it is: below a user's manager, too. */
static const char *const anywhere_patterns[] = {
        "/**/docker-*.scope",
        "/**/libpod-*.scope",
        "/**/cri-containerd-*.scope",
        "/**/crio-*.scope",
};

/* One that is called NAME, or has it for its id. */
static const char *const named_patterns[] = {"/**/*-%s.scope", "/**/%s", "/lxc.payload.%s"};

/* kubelet's, with systemd (where '-' is written '_') and without. */
static const char *const pod_patterns[] = {"/**/kubepods*-pod%s.slice", "/**/pod%s"};

static const char *const unit_types[] = {".service", ".scope", ".slice", ".socket", ".mount", ".swap"};

struct reader {
        struct scope *scope;
        const struct yaml_node *node;
        struct diags *diags;
};

static void no_memory(const struct reader *r) {
        diag_error(r->diags, r->node->pos, "out of memory");
}

static void pattern_add(const struct reader *r, const char *text) {
        struct path_pattern *larger = reallocarray(r->scope->patterns, r->scope->n + 1, sizeof(*larger));
        struct err err = {};
        size_t column = 0;

        if (!larger) {
                no_memory(r);
                return;
        }
        r->scope->patterns = larger;
        larger[r->scope->n] = (struct path_pattern){};
        if (path_pattern_parse_at(text, strlen(text), &larger[r->scope->n], &column, &err) < 0)
                diag_error(r->diags, r->node->pos, "'%.*s': %s", (int)r->node->len, r->node->text, err.msg);
        else
                r->scope->n++;
}

static void patterns_add(const struct reader *r, const char *const *formats, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++) {
                cleanup_buf struct buf text = {};
                const char *at = strstr(formats[i], "%s");

                if (buf_printf(&text, "%.*s%s%s", (int)(at - formats[i]), formats[i], name, at + 2) < 0)
                        no_memory(r);
                else
                        pattern_add(r, text.data);
        }
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* "kubepods.slice/burstable", from the root of the hierarchy; a '/' in front or behind says nothing more. */
static void cgroup_add(const struct reader *r, const char *text) {
        cleanup_buf struct buf path = {};
        size_t n;

        if (strncmp(text, "/sys/fs/cgroup", 14) == 0)
                diag_error(r->diags, r->node->pos, "'%s': from the root of the hierarchy, without /sys/fs/cgroup", text);
        text += text[0] == '/';
        n = strlen(text);
        n -= n > 0 && text[n - 1] == '/';
        if (n == 0 || streq(text, "**"))
                diag_error(r->diags, r->node->pos, "the root of all cgroups is the whole node: leave 'scope' out");
        else if (buf_printf(&path, "/%.*s", (int)n, text) < 0)
                no_memory(r);
        else
                pattern_add(r, path.data);
}

/* A component's own characters and the wildcards that may stand in it; a backslash, as systemd writes "\x2d", is one of them. */
static bool component_escape(const char *text, struct buf *ret) {
        for (; *text; text++)
                if (*text == '/' || buf_printf(ret, *text == '\\' ? "\\%c" : "%c", *text) < 0)
                        return false;
        return ret->len > 0;
}

static void unit_add(const struct reader *r, const char *text) {
        cleanup_buf struct buf name = {};
        bool known = false;

        for (size_t i = 0; i < ARRAY_SIZE(unit_types); i++) {
                size_t n = strlen(text), suffix = strlen(unit_types[i]);

                known = known || (n > suffix && streq(text + n - suffix, unit_types[i]));
        }
        if (!known)
                diag_error(r->diags, r->node->pos,
                           "'%s' is not a unit with a cgroup: NAME.service, .scope, .slice, .socket, .mount or .swap", text);
        else if (!component_escape(text, &name))
                diag_error(r->diags, r->node->pos, "'%s' is not a unit's name", text);
        else
                patterns_add(r, (const char *const[]){"/**/%s"}, 1, name.data);
}

static void container_add(const struct reader *r, const char *text) {
        cleanup_buf struct buf name = {};

        if (!component_escape(text, &name))
                diag_error(r->diags, r->node->pos, "'%s' is not a container's name or id", text);
        else
                patterns_add(r, named_patterns, ARRAY_SIZE(named_patterns), name.data);
}

/* Only the uid is in a cgroup's path: a pod's name is known to Kubernetes alone. */
static void pod_add(const struct reader *r, const char *text) {
        char systemd[64];
        size_t n = strlen(text), i;

        for (i = 0; i < n && n < sizeof(systemd); i++) {
                if (!isxdigit((unsigned char)text[i]) && text[i] != '-')
                        break;
                systemd[i] = text[i] == '-' ? '_' : text[i];
        }
        if (i < n || n == 0) {
                diag_error(r->diags, r->node->pos,
                           "'%s' is not the uid of a pod; its name is not known to the node's kernel: use the uid, or a cgroup",
                           text);
                return;
        }
        systemd[n] = '\0';
        patterns_add(r, pod_patterns, 1, systemd);
        patterns_add(r, pod_patterns + 1, 1, text);
}

/* Whoever may be a container's is in the one scope; out of the other is only what nobody but root can have made one. So a task cannot
 * take itself out by a namespace, or by a cgroup with a good name. */
static void containers_all(const struct reader *r, bool inside) {
        for (size_t i = 0; i < ARRAY_SIZE(root_patterns); i++)
                pattern_add(r, root_patterns[i]);
        for (size_t i = 0; inside && i < ARRAY_SIZE(anywhere_patterns); i++)
                pattern_add(r, anywhere_patterns[i]);
        r->scope->namespaced = inside;
        r->scope->inverted = !inside;
}

/* ---- keys ---------------------------------------------------------------------------------------------------------- */

static void value_add(struct scope *s, const struct yaml_node *node, const char *key,
                      void (*add)(const struct reader *, const char *), struct diags *diags) {
        const struct reader r = {s, node, diags};
        const char *text = field_text(node, key, diags);

        if (!text)
                return;
        if (strv_add(&s->values, text) < 0)
                no_memory(&r);
        else
                add(&r, text);
}

static void values_read(struct scope *s, const struct yaml_node *value, const char *key,
                        void (*add)(const struct reader *, const char *), struct diags *diags) {
        if (s->key) {
                diag_error(diags, value->pos, "a scope has '%s' or '%s', not both", s->key, key);
                return;
        }
        s->key = strdup(key);
        if (!s->key)
                diag_error(diags, value->pos, "out of memory");
        else if (value->kind == YAML_LIST && value->n == 0)
                diag_error(diags, value->pos, "'%s' is empty: that would be no task at all", key);
        else if (value->kind == YAML_LIST)
                for (size_t i = 0; i < value->n; i++)
                        value_add(s, value->items[i], key, add, diags);
        else
                value_add(s, value, key, add, diags);
}

static bool answer_read(const struct yaml_node *value, bool *ret) {
        if (value->kind != YAML_SCALAR || yaml_scalar_type(value) != YAML_BOOL)
                return false;
        *ret = yaml_is_true(value);
        return true;
}

static void inside_add(const struct reader *r, const char *text) {
        containers_all(r, true);
}
static void outside_add(const struct reader *r, const char *text) {
        containers_all(r, false);
}

static void answer_add(struct scope *s, const struct yaml_node *value, const char *key, bool inside, struct diags *diags) {
        const struct reader r = {s, value, diags};

        if (s->key) {
                diag_error(diags, value->pos, "a scope has '%s' or '%s', not both", s->key, key);
                return;
        }
        s->key = strdup(key);
        if (!s->key || strv_add(&s->values, value->text) < 0)
                no_memory(&r);
        else
                (inside ? inside_add : outside_add)(&r, value->text);
}

static void read_cgroup(void *into, const struct yaml_node *value, struct diags *diags) {
        values_read(into, value, "cgroup", cgroup_add, diags);
}
static void read_unit(void *into, const struct yaml_node *value, struct diags *diags) {
        values_read(into, value, "unit", unit_add, diags);
}
static void read_pod(void *into, const struct yaml_node *value, struct diags *diags) {
        values_read(into, value, "pod", pod_add, diags);
}
static void read_container(void *into, const struct yaml_node *value, struct diags *diags) {
        bool inside;

        if (answer_read(value, &inside))
                answer_add(into, value, "container", inside, diags);
        else
                values_read(into, value, "container", container_add, diags);
}
static void read_host(void *into, const struct yaml_node *value, struct diags *diags) {
        bool host;

        if (!answer_read(value, &host))
                diag_error(diags, value->pos, "'host' is true or false, not %s", yaml_describe(value));
        else
                answer_add(into, value, "host", !host, diags);
}

void scope_read(const struct yaml_node *value, struct scope *ret, struct diags *diags) {
        static const struct field fields[] = {
                {"cgroup", false, read_cgroup}, {"unit", false, read_unit}, {"container", false, read_container},
                {"pod", false, read_pod},       {"host", false, read_host},
        };
        size_t before = diags->n_errors;

        ret->pos = value->pos;
        fields_read(value, fields, ARRAY_SIZE(fields), "a scope", ret, diags);
        if (!ret->key && diags->n_errors == before)
                diag_error(diags, value->pos, "a scope names one of cgroup, unit, container, pod, host");
}

json_t *scope_json(const struct scope *s) {
        json_t *j = json_object(), *list;

        if (!s->key)
                return j;
        list = json_array();
        for (size_t i = 0; i < s->values.n; i++)
                json_array_append_new(list, json_string(s->values.v[i]));
        if (json_object_set_new(j, s->key, list) < 0) {
                json_decref(j);
                return NULL;
        }
        return j;
}
