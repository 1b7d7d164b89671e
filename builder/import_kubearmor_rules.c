/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry of a policy becomes: its rules, and what is said of all that an allow-list has not. */
#include <stdio.h>

#include "import_kubearmor.h"

static const char *const reads[] = {"file.read", NULL};
static const char *const writes[] = {"file.write",  "file.create", "file.mknod", "file.mkdir", "file.symlink",  "file.unlink",
                                     "file.rename", "file.link",   "file.chmod", "file.chown", "file.truncate", NULL};
static const char *const execs[] = {"exec", NULL};
static const char *const sockets[] = {"socket.create", NULL};
static const char *const capabilities[] = {"capability", NULL};
/* Two lists for each section: what readOnly leaves, and the rest. */
static const char *const none[] = {NULL};
static const char *const *const section_ops[KA_SECTIONS][2] = {
        [KA_PROCESS] = {execs, none},
        [KA_FILE] = {reads, writes},
        [KA_NETWORK] = {sockets, none},
        [KA_CAPABILITIES] = {capabilities, none},
};
static const char *const section_names[KA_SECTIONS] = {"process", "file", "network", "capability"};

/* ---- rules --------------------------------------------------------------------------------------------------------------- */

enum which { OPS_ALL, OPS_READ, OPS_WRITE };

static void ops_add(struct ka *ka, struct import_rule *rule, enum ka_section section, enum which which) {
        for (size_t i = 0; i < 2; i++)
                for (const char *const *op = section_ops[section][i]; *op; op++)
                        if (which == OPS_ALL || (which == OPS_READ) == (i == 0))
                                ka_try(ka, import_rule_add(rule, "on", *op));
}

/* owner: "true", "false" or NULL. */
static void rule_make(struct ka_match *m, const char *base, enum which which, const char *owner, const char *action) {
        struct ka *ka = m->ka;
        struct import_rule *rule = import_rule_new(ka->policy, m->pos, base);

        if (!rule) {
                ka_try(ka, -ENOMEM);
                return;
        }
        ka_try(ka, import_comment(&rule->comments, "%s:%u", m->pos.file, m->pos.line));
        ka_level_comment(ka, &rule->comments, "", &m->said);
        ops_add(ka, rule, m->section, which);
        for (size_t i = 0; i < m->paths.n; i++)
                ka_try(ka, import_rule_add(rule, "path", m->paths.v[i]));
        if (m->key)
                ka_try(ka, import_rule_add(rule, m->key, m->value));
        for (size_t i = 0; i < m->sources.n; i++)
                ka_try(ka, import_rule_add(rule, "exe", m->sources.v[i]));
        if (owner)
                ka_try(ka, import_rule_add(rule, "owner", owner));
        ka_try(ka, import_rule_add(rule, "action", action));
}

static const char *action_word(enum ka_action action) {
        static const char *const words[] = {[KA_BLOCK] = "deny", [KA_AUDIT] = "audit", [KA_ALLOW] = "allow"};

        return words[action];
}

/*
 * ownerOnly and readOnly say what is left to do, whatever the action: the owner alone; reading alone. The rest is denied, or, with
 * Audit, reported.
 */
static void rules_make(struct ka_match *m) {
        bool owner_only = m->owner_only, read_only = m->read_only;
        const char *base = section_names[m->section], *rest = m->action == KA_AUDIT ? "audit" : "deny";

        if (!owner_only && !read_only) {
                rule_make(m, base, OPS_ALL, NULL, action_word(m->action));
                return;
        }
        if (owner_only)
                rule_make(m, base, OPS_ALL, "false", rest);
        if (read_only)
                rule_make(m, base, OPS_WRITE, owner_only ? "true" : NULL, rest);
        if (m->action != KA_AUDIT && (owner_only || m->action == KA_ALLOW))
                rule_make(m, base, read_only ? OPS_READ : OPS_ALL, owner_only ? "true" : NULL, "allow");
}

/* ---- what is not in an allow-list ------------------------------------------------------------------------------------------ */

static struct import_rule *rule_named(struct ka *ka, struct pos pos, const char *id, bool *ret_new) {
        for (size_t i = 0; i < ka->policy->n; i++)
                if (streq(ka->policy->rules[i]->id, id))
                        return ka->policy->rules[i];
        *ret_new = true;
        return import_rule_new(ka->policy, pos, id);
}

/* A rule without a path, which is asked behind those that have one. */
static void rest_rule(struct ka_match *m, const char *id, const char *action) {
        struct ka *ka = m->ka;
        bool is_new = false;
        struct import_rule *rule = rule_named(ka, m->pos, id, &is_new);

        if (!rule) {
                ka_try(ka, -ENOMEM);
                return;
        }
        if (is_new) {
                ops_add(ka, rule, m->section, OPS_ALL);
                ka_try(ka, import_rule_add(rule, "action", action));
                ka_try(ka, import_comment(&rule->comments, "what is not in the list"));
        }
        if (ka->kind == KA_HOST)
                for (size_t i = 0; i < m->sources.n; i++)
                        ka_try(ka, import_rule_add(rule, "exe", m->sources.v[i]));
}

static void rest_denied(struct ka_match *m) {
        struct ka *ka = m->ka;
        bool is_new = true;

        for (size_t i = 0; i < 2; i++)
                for (const char *const *op = section_ops[m->section][i]; *op; op++) {
                        for (size_t k = 0; k < ka->policy->denied.n; k++)
                                is_new = is_new && !streq(ka->policy->denied.v[k].key, *op);
                        ka_try(ka, import_policy_deny(ka->policy, *op));
                }
        if (is_new)
                import_note(ka->im, m->pos, "Allow: what is not in the list is denied, on the whole node: %s",
                            section_names[m->section]);
        if (m->section == KA_NETWORK) {
                struct import_rule *rule = rule_named(ka, m->pos, "not-ip", &is_new);

                if (!rule)
                        ka_try(ka, -ENOMEM);
                if (!rule || rule->keys.n > 0)
                        return;
                ka_try(ka, import_comment(&rule->comments, "the list is one of protocols of IP"));
                ka_try(ka, import_rule_add(rule, "on", "socket.create"));
                ka_try(ka, import_rule_add(rule, "family", "unix"));
                ka_try(ka, import_rule_add(rule, "family", "netlink"));
                ka_try(ka, import_rule_add(rule, "action", "allow"));
        }
}

/* Allow makes a list of what is allowed. false: that cannot be said, and is left out. */
static bool allow_list(struct ka_match *m) {
        struct ka *ka = m->ka;
        bool has_paths = m->section == KA_PROCESS || m->section == KA_FILE, audited = ka->audited[m->section];
        char id[32];

        if (ka->kind == KA_HOST && m->sources.n == 0) {
                import_left_out(ka->im, m->pos, "Allow without 'fromSource' in a KubeArmorHostPolicy, which KubeArmor ignores");
                return false;
        }
        if (!has_paths && (audited || ka->kind == KA_HOST)) {
                import_left_out(ka->im, m->pos,
                                "Allow where the rest is %s: rules without a path are asked in the order deny, audit, allow",
                                audited ? "audited" : "denied to some programs");
                return false;
        }
        snprintf(id, sizeof(id), "other-%s%s", section_names[m->section], ka->kind == KA_HOST ? "-host" : "");
        if (audited)
                rest_rule(m, id, "audit");
        else if (ka->kind == KA_HOST)
                rest_rule(m, id, "deny");
        else
                rest_denied(m);
        return true;
}

void ka_rules_make(struct ka_match *m) {
        if (m->action != KA_ALLOW || allow_list(m))
                rules_make(m);
}
