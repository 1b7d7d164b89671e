/* SPDX-License-Identifier: Apache-2.0 */
/* KubeArmor's documents: what they are, whom they are for, and which policy their rules go to. */
#include "import_kubearmor.h"

#include <stdio.h>

#include "fields.h"

#define API_VERSION "security.kubearmor.com/v1"
/* Documents that allow something: one list for the node, or each would deny what only another allows. */
#define SHARED "allow-list"

KA_KEEP(ka, api_version)
KA_KEEP(ka, kind_node)
KA_KEEP(ka, metadata)
KA_KEEP(ka, spec)

static void ignore(void *into __attribute__((unused)), const struct yaml_node *value __attribute__((unused)),
                   struct diags *diags __attribute__((unused))) {
}

bool ka_absent(const struct yaml_node *node) {
        return node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_NULL;
}

void ka_try(struct ka *ka, int e) {
        ka->out_of_memory = ka->out_of_memory || e < 0;
}

/* The value of a key; NULL: there is none. */
static const struct yaml_node *child(const struct yaml_node *map, const char *key) {
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
                if (map->keys[i]->kind == YAML_SCALAR && streq(map->keys[i]->text, key))
                        return map->items[i];
        return NULL;
}

static const char *child_text(const struct yaml_node *map, const char *key) {
        const struct yaml_node *node = child(map, key);

        return node && node->kind == YAML_SCALAR && !ka_absent(node) ? node->text : NULL;
}

/* ---- levels -------------------------------------------------------------------------------------------------------------- */

static int action_named(const char *text) {
        static const char *const words[] = {[KA_BLOCK] = "Block", [KA_AUDIT] = "Audit", [KA_ALLOW] = "Allow"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], text))
                        return (int)i;
        return -EINVAL;
}

enum ka_action ka_action(const struct ka_level *level) {
        int action = level->action && level->action->kind == YAML_SCALAR ? action_named(level->action->text) : KA_BLOCK;

        return action < 0 ? KA_BLOCK : (enum ka_action)action;
}

void ka_level_inherit(struct ka_level *level, const struct ka_level *around) {
        level->action = level->action ?: around->action;
}

static void severity_check(struct ka *ka, const struct yaml_node *node) {
        bool negative = false;
        uint64_t v = 0;

        if (node->kind != YAML_SCALAR || yaml_scalar_type(node) != YAML_INT || yaml_int(node, &negative, &v) < 0 || negative ||
            v < 1 || v > 10)
                import_error(ka->im, node->pos, "'severity' is a number from 1 to 10, not %s",
                             node->kind == YAML_SCALAR && node->len > 0 ? node->text : yaml_describe(node));
}

void ka_level_check(struct ka *ka, const struct ka_level *level) {
        struct diags *diags = &ka->im->diags;
        const char *action;

        if (level->action && (action = field_text(level->action, "action", diags)) && action_named(action) < 0)
                import_error(ka->im, level->action->pos, "action '%s': it is Allow, Audit or Block", action);
        if (level->severity && !ka_absent(level->severity))
                severity_check(ka, level->severity);
        if (level->message && !ka_absent(level->message))
                field_text(level->message, "message", diags);
        if (!level->tags || ka_absent(level->tags))
                return;
        if (level->tags->kind != YAML_LIST) {
                import_error(ka->im, level->tags->pos, "'tags' is a list, not %s", yaml_describe(level->tags));
                return;
        }
        for (size_t i = 0; i < level->tags->n; i++)
                field_text(level->tags->items[i], "tags", diags);
}

void ka_level_comment(struct ka *ka, struct strv *comments, const char *of, const struct ka_level *level) {
        const struct yaml_node *message = level->message, *severity = level->severity, *tags = level->tags;
        cleanup_buf struct buf text = {};

        if (message && message->kind == YAML_SCALAR && !ka_absent(message))
                ka_try(ka, import_comment(comments, "%s%s", of, message->text));
        if (severity && severity->kind == YAML_SCALAR && !ka_absent(severity))
                ka_try(ka, buf_printf(&text, "severity %s", severity->text));
        for (size_t i = 0; tags && tags->kind == YAML_LIST && i < tags->n; i++)
                if (tags->items[i]->kind == YAML_SCALAR)
                        ka_try(ka, buf_printf(&text, "%s%s",
                                              i > 0          ? ", "
                                              : text.len > 0 ? "; tags: "
                                                             : "tags: ",
                                              tags->items[i]->text));
        if (text.len > 0)
                ka_try(ka, import_comment(comments, "%s%s", of, text.data));
}

/* ---- whom it is for -------------------------------------------------------------------------------------------------------- */

static void labels_check(struct ka *ka, const struct yaml_node *labels) {
        if (!labels || ka_absent(labels))
                return;
        if (labels->kind != YAML_MAP) {
                import_error(ka->im, labels->pos, "'matchLabels' is a mapping, not %s", yaml_describe(labels));
                return;
        }
        for (size_t i = 0; i < labels->n; i++)
                if (labels->items[i]->kind != YAML_SCALAR)
                        import_error(ka->im, labels->items[i]->pos, "a label's value is a text, not %s",
                                     yaml_describe(labels->items[i]));
}

struct selector {
        const struct yaml_node *labels, *expressions;
};
static void selector_labels(void *into, const struct yaml_node *value, struct diags *diags __attribute__((unused))) {
        ((struct selector *)into)->labels = value;
}
static void selector_expressions(void *into, const struct yaml_node *value, struct diags *diags __attribute__((unused))) {
        ((struct selector *)into)->expressions = value;
}

static void selector_check(struct ka *ka, const struct yaml_node *node, const char *key) {
        static const struct field fields[] = {
                {"matchLabels", false, selector_labels},
                {"matchExpressions", false, selector_expressions},
                {"identities", false, ignore},
        };
        struct selector s = {};

        if (!node || ka_absent(node))
                return;
        fields_read(node, fields, ARRAY_SIZE(fields), key, &s, &ka->im->diags);
        labels_check(ka, s.labels);
        if (s.expressions && !ka_absent(s.expressions) && s.expressions->kind != YAML_LIST)
                import_error(ka->im, s.expressions->pos, "'matchExpressions' is a list, not %s", yaml_describe(s.expressions));
}

static const char *kind_word(const struct ka *ka) {
        return ka->kind_node->text;
}

/* A node knows neither labels nor names of pods: what was meant for some containers would hold for all that runs on the node. */
static void scope_check(struct ka *ka, const struct yaml_node *selector, const struct yaml_node *node_selector) {
        const struct yaml_node *wrong = ka->kind == KA_HOST ? selector : node_selector;

        selector_check(ka, selector, "'selector'");
        selector_check(ka, node_selector, "'nodeSelector'");
        if (wrong)
                import_error(ka->im, wrong->pos, "a %s has no '%s'; it has '%s'", kind_word(ka),
                             wrong == selector ? "selector" : "nodeSelector", wrong == selector ? "nodeSelector" : "selector");
        else if (ka->kind == KA_HOST && node_selector)
                import_note(ka->im, node_selector->pos, "'nodeSelector': rules hold on each node that is given the bundle");
        else if (ka->kind != KA_HOST && !ka->im->whole_node)
                import_error(ka->im, ka->kind_node->pos,
                             "%s '%s' is for some pods%s%s, and a node knows neither their labels nor their names: the rules "
                             "would hold for the whole node. If that may be: --whole-node; a scope can be added then",
                             kind_word(ka), ka->name ?: "?", ka->space ? " of namespace " : "", ka->space ?: "");
        else if (ka->kind != KA_HOST)
                import_left_out(ka->im, (selector ?: ka->kind_node)->pos,
                                "'%s': a node knows neither labels nor names of pods, and the rules of '%s' hold for all of it",
                                selector ? "selector" : "namespace", ka->name ?: "?");
}

/* ---- posture ------------------------------------------------------------------------------------------------------------- */

static void posture_read(struct ka *ka, const struct yaml_node *annotations) {
        static const struct {
                const char *key;
                enum ka_section sections[2];
        } postures[] = {
                {"kubearmor-file-posture", {KA_FILE, KA_PROCESS}},
                {"kubearmor-network-posture", {KA_NETWORK, KA_NETWORK}},
                {"kubearmor-capabilities-posture", {KA_CAPABILITIES, KA_CAPABILITIES}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(postures); i++) {
                const struct yaml_node *node = child(annotations, postures[i].key);
                bool audited = node && node->kind == YAML_SCALAR && streq(node->text, "audit");

                if (!node)
                        continue;
                if (!audited && !(node->kind == YAML_SCALAR && streq(node->text, "block")))
                        import_error(ka->im, node->pos, "'%s' is block or audit, not %s", postures[i].key,
                                     node->kind == YAML_SCALAR ? node->text : yaml_describe(node));
                for (size_t k = 0; k < 2; k++)
                        ka->audited[postures[i].sections[k]] = audited;
        }
}

/* Of its namespace, where that stands among the documents, and its own. */
static void postures_find(struct ka *ka) {
        for (size_t i = 0; ka->space && i < ka->im->n_files; i++) {
                const struct yaml_doc *doc = ka->im->files[i].doc;

                for (size_t k = 0; doc && k < yaml_count(doc); k++) {
                        const struct yaml_node *root = yaml_nth(doc, k), *metadata = child(root, "metadata");
                        const char *kind = child_text(root, "kind"), *name = child_text(metadata, "name");

                        if (kind && name && streq(kind, "Namespace") && streq(name, ka->space))
                                posture_read(ka, child(metadata, "annotations"));
                }
        }
        posture_read(ka, child(ka->metadata, "annotations"));
}

/* ---- the rest of a document ------------------------------------------------------------------------------------------------ */

static bool allows(const struct yaml_node *node) {
        const char *action = child_text(node, "action");

        if (action && streq(action, "Allow"))
                return true;
        for (size_t i = 0; node->kind != YAML_SCALAR && i < node->n; i++)
                if (allows(node->items[i]))
                        return true;
        return false;
}

static struct import_policy *policy_find(struct ka *ka) {
        ka->in_shared = allows(ka->spec);
        for (size_t i = 0; ka->in_shared && i < ka->im->n_policies; i++)
                if (streq(ka->im->policies[i]->name, SHARED))
                        return ka->im->policies[i];
        return import_policy_new(ka->im, ka->root->pos, ka->in_shared ? SHARED : ka->name);
}

struct spec {
        const struct yaml_node *sections[KA_SECTIONS], *selector, *node_selector, *syscalls, *others[4];
        struct ka_level level;
};
#define KEEP_SPEC(name, member)                                                                                           \
        static void spec_##name(void *into, const struct yaml_node *value, struct diags *diags __attribute__((unused))) { \
                ((struct spec *)into)->member = value;                                                                    \
        }
KEEP_SPEC(process, sections[KA_PROCESS])
KEEP_SPEC(file, sections[KA_FILE])
KEEP_SPEC(network, sections[KA_NETWORK])
KEEP_SPEC(capabilities, sections[KA_CAPABILITIES])
KEEP_SPEC(selector, selector)
KEEP_SPEC(node_selector, node_selector)
KEEP_SPEC(syscalls, syscalls)
KEEP_SPEC(apparmor, others[0])
KEEP_SPEC(device, others[1])
KEEP_SPEC(presets, others[2])
KEEP_SPEC(dns, others[3])
KEEP_SPEC(action, level.action)
KEEP_SPEC(severity, level.severity)
KEEP_SPEC(tags, level.tags)
KEEP_SPEC(message, level.message)

static void spec_left_out(struct ka *ka, const struct spec *s) {
        static const char *const why[ARRAY_SIZE(s->others)] = {
                "'apparmor': a profile of AppArmor is not rules",
                "'device': rules know no classes of devices; a path such as /dev/sd? is one of files",
                "'presets': they are programs of KubeArmor's",
                "'dns': rules know no names of hosts",
        };

        if (s->syscalls && !ka_absent(s->syscalls))
                import_left_out(ka->im, s->syscalls->pos, "'syscalls': rules are asked at the LSM's hooks, not at system calls");
        for (size_t i = 0; i < ARRAY_SIZE(why); i++)
                if (s->others[i] && !ka_absent(s->others[i]))
                        import_left_out(ka->im, s->others[i]->pos, "%s", why[i]);
}

static void spec_read(struct ka *ka) {
        static const struct field fields[] = {
                {"selector", false, spec_selector}, {"nodeSelector", false, spec_node_selector},
                {"process", false, spec_process},   {"file", false, spec_file},
                {"network", false, spec_network},   {"capabilities", false, spec_capabilities},
                {"syscalls", false, spec_syscalls}, {"action", false, spec_action},
                {"severity", false, spec_severity}, {"tags", false, spec_tags},
                {"message", false, spec_message},   {"apparmor", false, spec_apparmor},
                {"device", false, spec_device},     {"presets", false, spec_presets},
                {"dns", false, spec_dns},
        };
        struct spec s = {};

        fields_read(ka->spec, fields, ARRAY_SIZE(fields), "'spec'", &s, &ka->im->diags);
        if (ka->spec->kind != YAML_MAP)
                return;
        scope_check(ka, s.selector, s.node_selector);
        ka_level_check(ka, &s.level);
        ka->policy = policy_find(ka);
        if (!ka->policy) {
                ka_try(ka, -ENOMEM);
                return;
        }
        ka_try(ka, import_comment(&ka->policy->comments, "%s %s (%s:%u)", kind_word(ka), ka->name, ka->root->pos.file,
                                  ka->root->pos.line));
        ka_level_comment(ka, &ka->policy->comments, "", &s.level);
        spec_left_out(ka, &s);
        for (enum ka_section i = 0; i < KA_SECTIONS; i++)
                ka_section_read(ka, i, s.sections[i], &s.level);
}

static bool metadata_read(struct ka *ka) {
        if (ka->metadata->kind != YAML_MAP) {
                import_error(ka->im, ka->metadata->pos, "'metadata' is a mapping, not %s", yaml_describe(ka->metadata));
                return false;
        }
        ka->name = child_text(ka->metadata, "name");
        ka->space = child_text(ka->metadata, "namespace");
        if (!ka->name || !*ka->name)
                import_error(ka->im, ka->metadata->pos, "'metadata' has no 'name'");
        return ka->name && *ka->name;
}

/* ---- kinds --------------------------------------------------------------------------------------------------------------- */

static int kind_named(const char *text) {
        static const char *const words[] = {
                [KA_POLICY] = "KubeArmorPolicy", [KA_CLUSTER] = "KubeArmorClusterPolicy", [KA_HOST] = "KubeArmorHostPolicy"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], text))
                        return (int)i;
        return -EINVAL;
}

static int read_document(struct import *im, const struct yaml_node *root);

/* As `kubectl get -o yaml` prints several. */
static int read_list(struct import *im, const struct yaml_node *root) {
        const struct yaml_node *items = child(root, "items");
        int e = 0;

        if (!items || items->kind != YAML_LIST) {
                import_error(im, (items ?: root)->pos, "a List has 'items', a list");
                return 0;
        }
        for (size_t i = 0; e == 0 && i < items->n; i++)
                e = read_document(im, items->items[i]);
        return e;
}

static int read_policy(struct import *im, const struct yaml_node *root, enum ka_kind kind) {
        static const struct field fields[] = {
                {"apiVersion", true, keep_api_version},
                {"kind", true, keep_kind_node},
                {"metadata", true, keep_metadata},
                {"spec", true, keep_spec},
                {"status", false, ignore},
        };
        struct ka ka = {.im = im, .kind = kind, .root = root};

        fields_read(root, fields, ARRAY_SIZE(fields), "a policy", &ka, &im->diags);
        if (ka.api_version && !(ka.api_version->kind == YAML_SCALAR && streq(ka.api_version->text, API_VERSION)))
                import_error(im, ka.api_version->pos, "apiVersion '%s': it is " API_VERSION,
                             ka.api_version->kind == YAML_SCALAR ? ka.api_version->text : yaml_describe(ka.api_version));
        if (!ka.api_version || !ka.metadata || !ka.spec || !metadata_read(&ka))
                return 0;
        postures_find(&ka);
        spec_read(&ka);
        return ka.out_of_memory ? -ENOMEM : 0;
}

static int read_document(struct import *im, const struct yaml_node *root) {
        const struct yaml_node *node = child(root, "kind");
        const char *kind = child_text(root, "kind");

        if (root->kind != YAML_MAP) {
                import_error(im, root->pos, "a policy is a mapping, not %s", yaml_describe(root));
                return 0;
        }
        if (!kind) {
                import_error(im, (node ?: root)->pos,
                             "there is no 'kind': KubeArmorPolicy, KubeArmorClusterPolicy or "
                             "KubeArmorHostPolicy");
                return 0;
        }
        if (kind_named(kind) >= 0)
                return read_policy(im, root, (enum ka_kind)kind_named(kind));
        if (streq(kind, "List") || streq(kind, "KubeArmorPolicyList") || streq(kind, "KubeArmorHostPolicyList"))
                return read_list(im, root);
        /* Its annotations are looked at with the policies. */
        if (!streq(kind, "Namespace"))
                import_error(im, node->pos, "kind '%s': it is KubeArmorPolicy, KubeArmorClusterPolicy or KubeArmorHostPolicy",
                             kind);
        return 0;
}

const struct import_format import_kubearmor = {.name = "kubearmor", .read = read_document};
