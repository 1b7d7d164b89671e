/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_tables.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lsm_abi.h"

void rules_tables_done(struct rules_tables *t) {
        struct buf *tables[] = {&t->states, &t->classes, &t->refs, &t->rules, &t->sets, &t->members};

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                buf_done(tables[i]);
        automaton_done(&t->automaton);
        strv_done(&t->hooks);
        strv_done(&t->fs);
        *t = (struct rules_tables){};
}

/* ---- objects ------------------------------------------------------------------------------------------------------- */

#define SOCKETS_MAX 65536

struct sockets {
        struct rules_list values;
        uint32_t mask;
};

/* Values that stand for "whatever": one, which the mask takes away. */
static struct rules_numbers numbers_or(const struct rules_numbers *numbers, const struct rules_numbers *otherwise) {
        return numbers->n > 0 ? *numbers : *otherwise;
}

static bool is_ip(uint32_t family) {
        return family == AF_INET || family == AF_INET6;
}

/* A program that names no protocol gets that of the type: TCP for a stream, UDP for datagrams. */
static bool is_implied(uint32_t family, uint32_t type, uint32_t protocol) {
        return is_ip(family) &&
               ((type == SOCK_STREAM && protocol == IPPROTO_TCP) || (type == SOCK_DGRAM && protocol == IPPROTO_UDP));
}

static int socket_add(struct sockets *s, uint32_t family, uint32_t type, uint32_t protocol) {
        return rules_list_add(&s->values, LSM_SOCKET_VALUE(family, type, protocol) & s->mask);
}

/* All sockets that a rule is about, as values. A protocol alone is one of IP, with each type there is. */
static int sockets_collect(const struct rules_rule *rule, struct sockets *s) {
        static const uint32_t ip[] = {AF_INET, AF_INET6}, zero[] = {0},
                              all[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_DCCP, SOCK_PACKET};
        const struct rules_numbers any = {(uint32_t *)zero, 1}, any_ip = {(uint32_t *)ip, 2},
                                   any_type = {(uint32_t *)all, ARRAY_SIZE(all)};
        bool precise = rule->protocols.n > 0;
        struct rules_numbers families = numbers_or(&rule->families, precise ? &any_ip : &any);
        struct rules_numbers types = numbers_or(&rule->types, precise ? &any_type : &any);
        struct rules_numbers protocols = numbers_or(&rule->protocols, &any);
        int e = 0;

        s->mask = precise ? UINT32_MAX : LSM_SOCKET_VALUE(rule->families.n > 0 ? 0xff : 0, rule->types.n > 0 ? 0xff : 0, 0);
        if (s->mask == 0)
                return 0;
        if (families.n * types.n * protocols.n > SOCKETS_MAX)
                return -E2BIG;
        for (size_t i = 0; i < families.n; i++)
                for (size_t k = 0; k < types.n; k++)
                        for (size_t m = 0; e == 0 && m < protocols.n; m++) {
                                e = socket_add(s, families.v[i], types.v[k], protocols.v[m]);
                                /* it speaks TCP to whoever knows no better */
                                if (e == 0 && protocols.v[m] == IPPROTO_TCP && is_ip(families.v[i]) && types.v[k] == SOCK_STREAM)
                                        e = socket_add(s, families.v[i], types.v[k], IPPROTO_MPTCP);
                                if (e == 0 && is_implied(families.v[i], types.v[k], protocols.v[m]))
                                        e = socket_add(s, families.v[i], types.v[k], 0);
                        }
        return e;
}

static int number_cmp(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static void list_unique(struct rules_list *list) {
        size_t kept = 0;

        if (list->n > 0)
                qsort(list->v, list->n, sizeof(*list->v), number_cmp);
        for (size_t i = 0; i < list->n; i++)
                if (kept == 0 || list->v[kept - 1] != list->v[i])
                        list->v[kept++] = list->v[i];
        list->n = kept;
}

/* ---- rules --------------------------------------------------------------------------------------------------------- */

struct packer {
        struct rules_members *members;
        const struct strv *fs; /* all that have a number */
        struct diags *diags;
        bool failed; /* no memory */
};

static uint32_t number_of(struct packer *p, int64_t set) {
        p->failed = p->failed || set < 0;
        return set < 0 ? 0 : (uint32_t)set;
}

static uint32_t ids_pack(struct packer *p, const struct rules_numbers *ids) {
        return number_of(p, rules_members_values(p->members, &(struct rules_list){ids->v, ids->n, ids->n}));
}

static struct lsm_rules_subject subject_pack(struct packer *p, const struct rules_subject *s) {
        static const uint32_t host[] = {[ANSWER_YES] = LSM_SUBJECT_HOST, [ANSWER_NO] = LSM_SUBJECT_NOT_HOST};
        static const uint32_t owner[] = {[ANSWER_YES] = LSM_SUBJECT_OWNER, [ANSWER_NO] = LSM_SUBJECT_NOT_OWNER};

        return (struct lsm_rules_subject){
                .exe = number_of(p, rules_members_paths(p->members, &s->exe)),
                .parent = number_of(p, rules_members_paths(p->members, &s->parent)),
                .comm = number_of(p, rules_members_comms(p->members, &s->comm)),
                .uid = ids_pack(p, &s->uid),
                .gid = ids_pack(p, &s->gid),
                .flags = host[s->host] | owner[s->owner],
        };
}

static void object_pack(struct packer *p, const struct rules_rule *rule, struct lsm_rules_rule *ret) {
        struct sockets sockets = {};
        const struct rules_numbers *plain[] = {&rule->caps, &rule->signals, &rule->commands, &rule->targets};
        int e = 0;

        for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
                if (plain[i]->n > 0) {
                        ret->object = ids_pack(p, plain[i]);
                        ret->object_mask = UINT32_MAX;
                }
        if (rule->devices.n > 0) {
                ret->object = number_of(p, rules_members_devices(p->members, &rule->devices));
                ret->object_mask = LSM_OBJECT_DEVICES;
        }
        if (rule->ops & RULES_OPS_SOCKET)
                e = sockets_collect(rule, &sockets);
        if (e == -E2BIG)
                diag_error(p->diags, rule->pos, "rule '%s': families, types and protocols make more than %d combinations",
                           rule->id, SOCKETS_MAX);
        p->failed = p->failed || e == -ENOMEM;
        list_unique(&sockets.values);
        if (e == 0 && sockets.values.n > 0) {
                ret->object = number_of(p, rules_members_values(p->members, &sockets.values));
                ret->object_mask = sockets.mask;
        }
        rules_list_done(&sockets.values);
}

/* The set of these types' numbers. */
static uint32_t fs_pack(struct packer *p, const struct strv *fs) {
        struct rules_list numbers = {};
        uint32_t set;

        for (size_t i = 0; i < p->fs->n; i++)
                if (strv_has(fs, p->fs->v[i]))
                        p->failed = rules_list_add(&numbers, (uint32_t)i + 1) < 0 || p->failed;
        set = number_of(p, rules_members_values(p->members, &numbers));
        rules_list_done(&numbers);
        return set;
}

static int rule_pack(struct packer *p, const struct rules_entry *entry, struct buf *to) {
        const struct rules_rule *rule = entry->rule;
        struct lsm_rules_rule r = {
                .ops = rule->ops,
                .ruleset = entry->ruleset,
                .action = (uint16_t)rule->action,
                .error = (uint16_t)rule->error,
                .subject = subject_pack(p, &rule->subject),
        };

        if (rule->paths.n == 0)
                r.subject.flags |= LSM_SUBJECT_NO_PATH;
        if (rule->has_unless) {
                r.unless = subject_pack(p, &rule->unless);
                r.unless.flags |= LSM_SUBJECT_ANY;
        }
        object_pack(p, rule, &r);
        r.fs = fs_pack(p, &rule->fs);
        snprintf(r.id, sizeof(r.id), "%s/%s", entry->policy->source->name, rule->id);
        return p->failed ? -ENOMEM : buf_append(to, &r, sizeof(r));
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

/* Something in the file system that a name leads to. */
static bool names_path(const struct rules_rule *rule) {
        static const uint64_t ops = RULES_OPS_PATH | LSM_OP_BIT(LSM_OP_SOCKET_BIND) | LSM_OP_BIT(LSM_OP_SOCKET_CONNECT) |
                                    LSM_OP_BIT(LSM_OP_SOCKET_SENDMSG);

        if (!(rule->ops & ops))
                return false;
        for (size_t i = 0; i < rule->paths.n; i++)
                if (rule->paths.v[i].pattern.kind != PATH_ADDRESS)
                        return true;
        return false;
}

/* Of operations that have an address, those that a rule is about with UNIX sockets, or else with others. `protocol` alone means those
 * of IP. */
static uint64_t address_ops(const struct rules_rule *rule, bool unix_sockets) {
        bool is_unix = rule->families.n == 0 || rules_numbers_have(&rule->families, AF_UNIX),
             is_other = rule->families.n != 1 || !is_unix;

        if (rule->families.n == 0 && rule->protocols.n > 0)
                is_unix = false;
        if (rule->paths.n > 0) {
                is_unix = is_unix && rule->to_kinds & RULES_TO_UNIX;
                is_other = is_other && rule->to_kinds & RULES_TO_IP;
        }
        return (unix_sockets ? is_unix : is_other) ? rule->ops & RULES_OPS_ADDRESS : 0;
}

/* What takes an object out of a rule's reach is judged, too: moving it, and another name for it. */
static int hooks_collect(const struct rules_index *index, struct rules_tables *t) {
        uint64_t ops = 0, unix_ops = 0;

        for (size_t i = 0; i < index->n_entries; i++) {
                const struct rules_rule *rule = index->entries[i].rule;

                t->ops |= rule->ops;
                t->devices = t->devices || rule->devices.n > 0;
                ops |= (rule->ops & ~RULES_OPS_ADDRESS) | address_ops(rule, false);
                unix_ops |= address_ops(rule, true);
                if (names_path(rule) && rule->action <= LSM_RULE_KILL)
                        ops |= LSM_OP_BIT(LSM_OP_FILE_RENAME) | LSM_OP_BIT(LSM_OP_FILE_LINK);
        }
        t->unix_sockets = unix_ops != 0;
        return rules_hooks_add(ops, unix_ops, &t->hooks);
}

static int fs_collect(const struct rules_index *index, struct rules_tables *t, struct diags *diags) {
        for (size_t i = 0; i < index->n_entries; i++) {
                const struct rules_rule *rule = index->entries[i].rule;

                for (size_t k = 0; k < rule->fs.n; k++)
                        if (!strv_has(&t->fs, rule->fs.v[k]) && strv_add_set(&t->fs, rule->fs.v[k]) < 0)
                                return -ENOMEM;
                if (t->fs.n > LSM_FS_MAX) {
                        diag_error(diags, rule->pos, "rule '%s': more than %d types of file systems in a bundle", rule->id,
                                   LSM_FS_MAX);
                        return -EBADMSG;
                }
        }
        return 0;
}

static int tables_make(const struct rules_set *set, const struct rules_index *index, struct diags *diags,
                       struct rules_tables *t) {
        struct packer p = {rules_members_new(index), &t->fs, diags, false};
        int e = p.members ? fs_collect(index, t, diags) : -ENOMEM;

        for (size_t i = 0; e == 0 && i < set->n; i++) {
                struct lsm_rules_set s = {.mode = set->policies[i].source->mode == MODE_AUDIT ? LSM_MODE_AUDIT
                                                                                              : LSM_MODE_ENFORCE};

                e = buf_append(&t->sets, &s, sizeof(s));
        }
        for (size_t i = 0; e == 0 && i < index->n_entries; i++)
                e = rule_pack(&p, &index->entries[i], &t->rules);
        if (e == 0)
                e = rules_classes_make(index, p.members, diags, t);
        if (e == 0)
                e = rules_members_pack(p.members, &t->members);
        if (e == 0)
                e = hooks_collect(index, t);
        rules_members_free(p.members);
        return e;
}

int rules_tables_make(const struct rules_set *set, struct diags *diags, struct rules_tables *ret, struct err *err) {
        cleanup_rules_tables struct rules_tables t = {};
        cleanup_rules_index struct rules_index index = {};
        size_t before = diags->n_errors;
        int e = rules_index_make(set, &index);

        if (e < 0)
                return err_errno(err, e, "rules");
        e = automaton_make(index.patterns, index.n_patterns, &t.automaton, err);
        if (e < 0)
                return err_wrap(err, e, "rules");
        e = tables_make(set, &index, diags, &t);
        if (e < 0 && e != -EBADMSG)
                return err_errno(err, e, "rules");
        if (diags->n_errors > before)
                return -EBADMSG;
        *ret = t;
        t = (struct rules_tables){};
        return 0;
}
