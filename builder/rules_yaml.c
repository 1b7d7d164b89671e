/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_yaml.h"

#include <fcntl.h>

#include "fields.h"
#include "fileio.h"

#define ID_MAX 31

/* A rule while it is read: where the keys stand whose combinations are looked at afterwards. line 0: it has not got that key. */
struct rule_reader {
        struct rules_policy *policy;
        struct rules_rule *rule;
        struct pos path, to, cap, family, type, protocol, owner, error, on_error, signal, command, target, device, fs;
        bool has_action;
};

/* ---- the subject --------------------------------------------------------------------------------------------------- */

static void paths_done(struct rules_paths *paths) {
        for (size_t i = 0; i < paths->n; i++)
                path_pattern_done(&paths->v[i].pattern);
        free(paths->v);
}

static void subject_done(struct rules_subject *s) {
        paths_done(&s->exe);
        paths_done(&s->parent);
        strv_done(&s->comm);
        free(s->uid.v);
        free(s->gid.v);
}

/* For the rule itself, and for its `unless`. */
#define SUBJECT_FIELD(word, part, get)                                                                   \
        static void read_##word(void *into, const struct yaml_node *value, struct diags *diags) {        \
                get(value, #word, &((struct rule_reader *)into)->rule->subject.part, diags);             \
        }                                                                                                \
        static void read_unless_##word(void *into, const struct yaml_node *value, struct diags *diags) { \
                get(value, #word, &((struct rule_reader *)into)->rule->unless.part, diags);              \
        }
SUBJECT_FIELD(exe, exe, rules_value_paths)
SUBJECT_FIELD(parent, parent, rules_value_paths)
SUBJECT_FIELD(comm, comm, rules_value_comms)
SUBJECT_FIELD(uid, uid, rules_value_ids)
SUBJECT_FIELD(gid, gid, rules_value_ids)
SUBJECT_FIELD(host, host, rules_value_answer)

static void read_owner(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->owner = value->pos;
        rules_value_answer(value, "owner", &r->rule->subject.owner, diags);
}

static void read_unless_owner(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->owner = value->pos;
        rules_value_answer(value, "owner", &r->rule->unless.owner, diags);
}

static void read_unless(void *into, const struct yaml_node *value, struct diags *diags) {
        static const struct field fields[] = {
                {"exe", false, read_unless_exe},     {"comm", false, read_unless_comm},     {"uid", false, read_unless_uid},
                {"gid", false, read_unless_gid},     {"parent", false, read_unless_parent}, {"host", false, read_unless_host},
                {"owner", false, read_unless_owner},
        };
        struct rule_reader *r = into;

        r->rule->has_unless = true;
        if (value->kind == YAML_MAP && value->n == 0)
                diag_error(diags, value->pos, "'unless' is empty: leave it out");
        else
                fields_read(value, fields, ARRAY_SIZE(fields), "'unless'", into, diags);
}

/* ---- the rest of a rule -------------------------------------------------------------------------------------------- */

static bool id_valid(const char *id) {
        return strlen(id) <= ID_MAX && name_valid(id);
}

static void read_id(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;
        const char *text = field_text(value, "id", diags), *policy = r->policy->source ? r->policy->source->name : NULL;

        if (!text)
                return;
        if (!id_valid(text))
                diag_error(diags, value->pos, "'%s' is not an id: [a-z0-9][a-z0-9-]{0,30}", text);
        else if (streq(text, "default"))
                diag_error(diags, value->pos, "the id 'default' is what 'default' itself is called in events and counters");
        else if (policy && strlen(policy) + 1 + strlen(text) >= LSM_RULE_ID_LEN)
                diag_error(diags, value->pos, "'%s/%s', as it is called in events, is longer than %d bytes", policy, text,
                           LSM_RULE_ID_LEN - 1);
        r->rule->id = strdup(text);
        if (!r->rule->id)
                diag_error(diags, value->pos, "out of memory");
}

static void read_on(void *into, const struct yaml_node *value, struct diags *diags) {
        rules_value_ops(value, "on", &((struct rule_reader *)into)->rule->ops, diags);
}

static void read_path(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->path = value->pos;
        if (r->to.line > 0)
                return;
        rules_value_paths(value, "path", &r->rule->paths, diags);
}

static void read_to(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->to = value->pos;
        if (r->rule->paths.v == NULL) /* `path` is refused beside it */
                rules_value_to(value, r->rule, diags);
}

static void read_cap(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->cap = value->pos;
        rules_value_numbers(value, "cap", rules_capability_named, 63, &r->rule->caps, diags);
}

static void read_family(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->family = value->pos;
        rules_value_numbers(value, "family", rules_family_named, UINT8_MAX, &r->rule->families, diags);
}

static void read_type(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->type = value->pos;
        rules_value_numbers(value, "type", rules_type_named, 15, &r->rule->types, diags);
}

static void read_protocol(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->protocol = value->pos;
        rules_value_numbers(value, "protocol", rules_protocol_named, UINT16_MAX, &r->rule->protocols, diags);
}

static void read_signal(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->signal = value->pos;
        rules_value_numbers(value, "signal", rules_signal_named, 64, &r->rule->signals, diags);
}

static void read_command(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->command = value->pos;
        rules_value_numbers(value, "command", rules_command_named, 255, &r->rule->commands, diags);
}

static void read_device(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->device = value->pos;
        rules_value_devices(value, &r->rule->devices, diags);
}

static void read_target(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->target = value->pos;
        rules_value_ids(value, "target", &r->rule->targets, diags);
}

static void read_action(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;
        const char *text = field_text(value, "action", diags);
        int action = text ? rules_action_named(text) : 0;

        r->has_action = text && action >= 0;
        if (action < 0)
                diag_error(diags, value->pos, "action '%s': it is deny, audit, allow or kill", text);
        else
                r->rule->action = action;
}

static void read_errno(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->error = value->pos;
        rules_value_errno(value, "errno", &r->rule->error, diags);
}

static void read_on_error(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;
        const char *text = field_text(value, "on_error", diags);

        r->on_error = value->pos;
        if (text && !streq(text, "deny") && !streq(text, "allow"))
                diag_error(diags, value->pos, "on_error '%s': it is deny or allow", text);
        r->rule->on_error_allow = text && streq(text, "allow");
}

static void read_fs(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rule_reader *r = into;

        r->fs = value->pos;
        rules_value_fs(value, &r->rule->fs, diags);
}

/* mount(2) is asked about before the kernel has looked its source up: the text can be a link, or a place that is another one by then. */
static void read_source(void *into, const struct yaml_node *value, struct diags *diags) {
        diag_error(
                diags, value->pos,
                "'source' cannot be asked for: when a mount is decided, the kernel has not looked up yet what is to be mounted; name "
                "where it comes to ('path'), or who may mount");
}

/* A key that says something about an object that none, or not all, of the rule's operations have. */
static void check_object(const struct rules_rule *rule, uint64_t ops, struct pos pos, const char *key, struct diags *diags) {
        char words[256];

        if (pos.line == 0 || (rule->ops & ~ops) == 0)
                return;
        rules_ops_show(rule->ops & ~ops, words, sizeof(words));
        diag_error(diags, pos, "'%s' makes no sense with 'on: %s'%s", key, words,
                   rule->ops & ops ? ": write one rule for these, and one for the others" : "");
}

/* What it answers where its path cannot be told from others: only what denies, and says where, has a choice. */
static void check_on_error(const struct rule_reader *r, struct diags *diags) {
        if (r->on_error.line == 0)
                return;
        if (r->has_action && r->rule->action > LSM_RULE_KILL)
                diag_error(diags, r->on_error, "'on_error' makes no sense with 'action: %s': it is for rules that deny",
                           r->rule->action == LSM_RULE_ALLOW ? "allow" : "audit");
        else if (r->path.line == 0 && !(r->rule->to_kinds & RULES_TO_UNIX))
                diag_error(diags, r->on_error,
                           "'on_error' makes no sense without a path: only what that leads to can be uncertain");
}

static void check_objects(const struct rule_reader *r, struct diags *diags) {
        const struct rules_rule *rule = r->rule;

        check_object(rule, RULES_OPS_PATH, r->path, "path", diags);
        check_object(rule, RULES_OPS_FILE, r->owner, "owner", diags);
        check_object(rule, LSM_OP_BIT(LSM_OP_CAPABILITY), r->cap, "cap", diags);
        check_object(rule, RULES_OPS_ADDRESS, r->to, "to", diags);
        check_object(rule, RULES_OPS_SOCKET, r->family, "family", diags);
        check_object(rule, RULES_OPS_SOCKET, r->type, "type", diags);
        check_object(rule, RULES_OPS_SOCKET, r->protocol, "protocol", diags);
        check_object(rule, LSM_OP_BIT(LSM_OP_SIGNAL), r->signal, "signal", diags);
        check_object(rule, LSM_OP_BIT(LSM_OP_BPF), r->command, "command", diags);
        check_object(rule, LSM_OP_BIT(LSM_OP_SETUID) | LSM_OP_BIT(LSM_OP_SETGID), r->target, "target", diags);
        check_object(rule, RULES_OPS_DEVICE, r->device, "device", diags);
        check_object(rule, RULES_OPS_PATH, r->fs, "fs", diags);
        if ((rule->ops & ~RULES_OPS_ADDRESS) == 0)
                rules_to_check(rule, diags);
        check_on_error(r, diags);
        if (r->has_action && rule->action == LSM_RULE_ALLOW && r->error.line > 0)
                diag_error(diags, r->error, "'errno' makes no sense with 'action: allow'");
}

static void read_rule(struct rules_policy *policy, const struct yaml_node *node, struct diags *diags) {
        static const struct field fields[] = {
                {"id", true, read_id},          {"on", true, read_on},          {"path", false, read_path},
                {"unless", false, read_unless}, {"exe", false, read_exe},       {"comm", false, read_comm},
                {"uid", false, read_uid},       {"gid", false, read_gid},       {"parent", false, read_parent},
                {"host", false, read_host},     {"owner", false, read_owner},   {"cap", false, read_cap},
                {"family", false, read_family}, {"type", false, read_type},     {"protocol", false, read_protocol},
                {"action", true, read_action},  {"errno", false, read_errno},   {"on_error", false, read_on_error},
                {"to", false, read_to},         {"source", false, read_source}, {"fs", false, read_fs},
                {"device", false, read_device}, {"signal", false, read_signal}, {"command", false, read_command},
                {"target", false, read_target},
        };
        struct rules_rule *rule = &policy->rules[policy->n++];
        struct rule_reader r = {.policy = policy, .rule = rule};

        rule->pos = node->pos;
        fields_read(node, fields, ARRAY_SIZE(fields), "a rule", &r, diags);
        if (rule->ops != 0)
                check_objects(&r, diags);
        if (rule->error == 0)
                rule->error = rule->ops & RULES_OPS_FILE ? EACCES : EPERM;
}

static int id_cmp(const void *a, const void *b) {
        const struct rules_rule *x = *(const struct rules_rule *const *)a, *y = *(const struct rules_rule *const *)b;
        int r = strcmp(x->id ?: "", y->id ?: "");

        return r != 0 ? r : (x > y) - (x < y);
}

static void check_ids(const struct rules_policy *policy, struct pos pos, struct diags *diags) {
        cleanup_free const struct rules_rule **sorted = new_array(policy->n, sizeof(*sorted));

        if (!sorted) {
                diag_error(diags, pos, "out of memory");
                return;
        }
        for (size_t i = 0; i < policy->n; i++)
                sorted[i] = &policy->rules[i];
        qsort(sorted, policy->n, sizeof(*sorted), id_cmp);
        for (size_t i = 1; i < policy->n; i++)
                if (sorted[i]->id && sorted[i - 1]->id && streq(sorted[i]->id, sorted[i - 1]->id))
                        diag_error(diags, sorted[i]->pos, "there are two rules '%s'; the other is in line %u", sorted[i]->id,
                                   sorted[i - 1]->pos.line);
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

static void read_rules(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rules_policy *policy = into;

        if (value->kind != YAML_LIST) {
                diag_error(diags, value->pos, "'rules' is a list of rules, not %s", yaml_describe(value));
                return;
        }
        policy->rules = new_array(value->n, sizeof(*policy->rules));
        if (!policy->rules) {
                diag_error(diags, value->pos, "out of memory");
                return;
        }
        for (size_t i = 0; i < value->n; i++)
                read_rule(policy, value->items[i], diags);
        check_ids(policy, value->pos, diags);
}

static void read_default(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rules_policy *policy = into;

        if (value->kind != YAML_MAP) {
                diag_error(diags, value->pos, "'default' is a mapping from operations to allow or deny, not %s",
                           yaml_describe(value));
                return;
        }
        policy->default_pos = value->pos;
        for (size_t i = 0; i < value->n; i++) {
                const char *text = field_text(value->items[i], "default", diags);
                uint64_t ops = 0;

                if (!rules_value_ops(value->keys[i], "default", &ops, diags) || !text)
                        continue;
                if (streq(text, "deny"))
                        policy->default_deny |= ops;
                else if (!streq(text, "allow"))
                        diag_error(diags, value->items[i]->pos, "default '%s': it is allow or deny", text);
        }
}

const struct scope *rules_policy_scope(const struct rules_policy *policy) {
        return policy->scope.key ? &policy->scope : &policy->source->scope;
}

void rules_policy_done(struct rules_policy *policy) {
        scope_done(&policy->scope);
        for (size_t i = 0; i < policy->n; i++) {
                struct rules_rule *rule = &policy->rules[i];

                subject_done(&rule->subject);
                subject_done(&rule->unless);
                paths_done(&rule->paths);
                paths_done(&rule->except);
                free(rule->caps.v);
                free(rule->families.v);
                free(rule->types.v);
                free(rule->protocols.v);
                free(rule->signals.v);
                free(rule->commands.v);
                free(rule->targets.v);
                free(rule->devices.v);
                strv_done(&rule->fs);
                free(rule->id);
        }
        free(policy->rules);
        yaml_free(policy->doc);
        buf_done(&policy->text);
        *policy = (struct rules_policy){};
}

static void read_scope(void *into, const struct yaml_node *value, struct diags *diags) {
        struct rules_policy *policy = into;

        if (policy->source && policy->source->scope.key)
                diag_error(diags, value->pos, "there is a scope in " BUNDLE_YAML " already: one place for it");
        scope_read(value, &policy->scope, diags);
}

int rules_policy_parse(const char *file, const void *p, size_t n, struct diags *diags, struct rules_policy *policy) {
        static const struct field fields[] = {
                {"scope", false, read_scope},
                {"default", false, read_default},
                {"rules", false, read_rules},
        };
        size_t before = diags->n_errors;
        int e = yaml_parse(file, p, n, diags, &policy->doc);

        if (e < 0)
                return e;
        fields_read(yaml_root(policy->doc), fields, ARRAY_SIZE(fields), "a file of rules", policy, diags);
        if (diags->n_errors == before && policy->n == 0 && policy->default_deny == 0)
                diag_error(diags, yaml_root(policy->doc)->pos, "there is no rule in it, and nothing that is denied by default");
        if (diags->n_errors == before)
                rules_policy_check(policy, diags);
        return diags->n_errors > before ? -EBADMSG : 0;
}

void rules_set_done(struct rules_set *set) {
        for (size_t i = 0; i < set->n; i++)
                rules_policy_done(&set->policies[i]);
        free(set->policies);
        *set = (struct rules_set){};
}

int rules_set_load(const struct bundle_source *bundle, struct diags *diags, struct rules_set *ret, struct err *err) {
        cleanup_rules_set struct rules_set set = {new_array(bundle->n_policies, sizeof(*set.policies)), 0};
        size_t before = diags->n_errors, n_rules = 0;

        if (!set.policies)
                return err_errno(err, -ENOMEM, "rules");
        for (size_t i = 0; i < bundle->n_policies; i++) {
                const struct policy_source *source = &bundle->policies[i];
                struct rules_policy *policy = &set.policies[set.n];
                int e;

                if (!source->rules || !source->path)
                        continue;
                if (set.n++ == RULES_POLICIES_MAX)
                        diag_error(diags, source->pos, "more than %d policies with 'rules' in a bundle", RULES_POLICIES_MAX);
                policy->source = source;
                e = file_read(AT_FDCWD, source->path, YAML_FILE_MAX, &policy->text, err);
                if (e == 0)
                        e = rules_policy_parse(source->shown, policy->text.data, policy->text.len, diags, policy);
                if (e < 0 && e != -EBADMSG)
                        return err_wrap(err, e, "policy '%s'", source->name ?: "?");
                n_rules += policy->n + (policy->default_deny != 0);
        }
        if (n_rules > RULES_MAX)
                diag_error(diags, bundle->start, "%zu rules: a bundle has room for %d", n_rules, RULES_MAX);
        if (diags->n_errors > before)
                return -EBADMSG;
        *ret = set;
        set = (struct rules_set){};
        return 0;
}
