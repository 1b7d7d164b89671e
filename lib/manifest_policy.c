/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/types.h>
#include <stdio.h>

#include "lsm_abi.h"
#include "manifest_parser.h"

static int optional_parse(struct manifest_parser *ps, const json_t *j, struct manifest_program *program) {
        const json_t *optional = json_object_get(j, "optional");

        if (optional && !json_is_boolean(optional))
                return malformed(ps, "program '%s': 'optional' is neither true nor false", program->name);
        program->optional = json_is_true(optional);
        return 0;
}

static int programs_parse(struct manifest_parser *ps, const json_t *j, struct manifest_policy *p) {
        json_t *a, *v;
        size_t i;
        int r;

        r = manifest_array_open(ps, j, "programs", POLICY_PROGRAMS_MAX, sizeof(*p->programs), &a, &p->programs);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) {
                p->n_programs = i + 1;
                r = manifest_string_parse(ps, v, "name", identifier_valid, &p->programs[i].name);
                if (r < 0)
                        return r;
                r = manifest_string_parse(ps, v, "hook", hook_valid, &p->programs[i].hook);
                if (r < 0)
                        return r;
                r = optional_parse(ps, v, &p->programs[i]);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (streq(p->programs[k].name, p->programs[i].name))
                                return malformed(ps, "program '%s' is listed twice", p->programs[i].name);
        }
        return p->n_programs ? 0 : malformed(ps, "it has no programs");
}

/* A seed is whole records, no more than the map has room for. */
static int seed_parse(struct manifest_parser *ps, const json_t *j, const struct manifest_policy *p, struct manifest_map *map) {
        uint64_t record = (uint64_t)map->key_size + map->value_size, length;
        char want[256];
        size_t i;
        int r;

        map->seed = -1;
        if (!json_object_get(j, "seed"))
                return 0;
        snprintf(want, sizeof(want), "seeds/%s.%s.bin", p->name, map->name);
        r = manifest_reference_parse(ps, j, "seed", want, &i);
        if (r < 0)
                return r;
        length = ps->m->members[i].length;
        if (record == 0 || length % record)
                return malformed(ps, "'%s' is not whole records of %u and %u bytes", want, map->key_size, map->value_size);
        if (length / record > map->max_entries)
                return malformed(ps, "'%s' has %llu records for a map of %u entries", want, (unsigned long long)(length / record),
                                 map->max_entries);
        map->seed = (ssize_t)i;
        return 0;
}

static bool map_type_valid(const char *type) {
        return hook_valid(type); /* libbpf's names have the same form: percpu_hash, lpm_trie */
}

static int map_parse(struct manifest_parser *ps, const json_t *j, const struct manifest_policy *p, struct manifest_map *map) {
        int r;

        r = manifest_string_parse(ps, j, "name", identifier_valid, &map->name);
        if (r < 0)
                return r;
        r = manifest_string_parse(ps, j, "type", map_type_valid, &map->type);
        if (r >= 0)
                r = manifest_u32_parse(ps, j, "key_size", 0, &map->key_size);
        if (r >= 0)
                r = manifest_u32_parse(ps, j, "value_size", 0, &map->value_size);
        if (r >= 0)
                r = manifest_u32_parse(ps, j, "max_entries", 0, &map->max_entries);
        if (r >= 0)
                r = seed_parse(ps, j, p, map);
        return r < 0 ? err_wrap(ps->err, r, "map '%s'", map->name ? map->name : "") : 0;
}

static int maps_parse(struct manifest_parser *ps, const json_t *j, struct manifest_policy *p) {
        json_t *a, *v;
        size_t i;
        int r;

        r = manifest_array_open(ps, j, "maps", POLICY_MAPS_MAX, sizeof(*p->maps), &a, &p->maps);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) {
                p->n_maps = i + 1;
                r = map_parse(ps, v, p, &p->maps[i]);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (streq(p->maps[k].name, p->maps[i].name))
                                return malformed(ps, "map '%s' is listed twice", p->maps[i].name);
        }
        return 0;
}

/* Mode and scope. A plain program has no place for either: it enforces, everywhere. */
static int manner_parse(struct manifest_parser *ps, const json_t *j, struct manifest_policy *p) {
        const json_t *plain = json_object_get(j, "plain");
        const char *mode;
        json_t *scope;
        int r;

        if (!json_is_boolean(plain))
                return malformed(ps, "'plain' is missing or neither true nor false");
        p->plain = json_is_true(plain);
        r = json_get_string(j, "mode", &mode, ps->err);
        if (r < 0)
                return r;
        if (streq(mode, "enforce"))
                p->mode = MODE_ENFORCE;
        else if (streq(mode, "audit") && !p->plain)
                p->mode = MODE_AUDIT;
        else
                return malformed(ps, "mode '%s'%s", mode, p->plain ? " of a plain policy, which can only enforce" : "");
        r = json_get_object(j, "scope", &scope, ps->err);
        if (r < 0)
                return r;
        p->scoped = json_object_size(scope) > 0;
        if (p->scoped && p->plain)
                return malformed(ps, "a plain policy with a scope: it is in force everywhere");
        return 0;
}

/* Enforced on the whole node it would not be what was signed. */
static int scope_check(struct manifest_parser *ps, const struct manifest_policy *p) {
        static const char *const maps[] = {"lsm_scope_cells", "lsm_scope_masks"};
        size_t found = 0;

        for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
                for (size_t k = 0; k < p->n_maps; k++)
                        found += streq(p->maps[k].name, maps[i]) && p->maps[k].seed >= 0;
        if (p->scoped && found < ARRAY_SIZE(maps))
                return err_set(ps->err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "it has a scope, and nothing that would ask for it");
        return 0;
}

bool policy_is_engine(const struct manifest_policy *p) {
        if (p->plain || !streq(p->name, ENGINE_POLICY))
                return false;
        for (size_t i = 0; i < p->n_maps; i++)
                if (streq(p->maps[i].name, "lsm_rules_roots"))
                        return true;
        return false;
}

const char *hook_optional_beside(const char *hook) {
        static const struct {
                const char *hook, *beside;
        } known[] = {
                /* Linux 6.2, 3350607dc563: before, ftruncate() and O_TRUNC asked path_truncate. */
                {"file_truncate", "path_truncate"},
                /* Linux 6.2: before, access lists were asked about as the attributes that they are. */
                {"inode_set_acl", "inode_setxattr"},
                {"inode_remove_acl", "inode_removexattr"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(known[i].hook, hook))
                        return known[i].beside;
        return NULL;
}

/* What a node may leave out must be asked in another way there: else the word would be a way to enforce less, unnoticed. */
static int optional_check(struct manifest_parser *ps, const struct manifest_policy *p) {
        for (size_t i = 0; i < p->n_programs; i++) {
                const char *beside = hook_optional_beside(p->programs[i].hook);
                bool found = false;

                if (!p->programs[i].optional)
                        continue;
                for (size_t k = 0; beside && k < p->n_programs; k++)
                        found = found || (streq(p->programs[k].hook, beside) && !p->programs[k].optional);
                if (!found || !policy_is_engine(p))
                        return err_set(ps->err, -EBADMSG, REASON_UNSUPPORTED_FORMAT,
                                       "program '%s' is optional: without it, nothing would ask what hook '%s' asks",
                                       p->programs[i].name, p->programs[i].hook);
        }
        return 0;
}

static int policy_parse(struct manifest_parser *ps, const json_t *j, struct manifest_policy *p) {
        char want[128];
        int r;

        r = manifest_string_parse(ps, j, "name", name_valid, &p->name);
        if (r < 0)
                return err_wrap(ps->err, r, "policy");
        snprintf(want, sizeof(want), "objects/%s.bpf.o", p->name);
        r = manifest_reference_parse(ps, j, "object", want, &p->object);
        if (r >= 0)
                r = manner_parse(ps, j, p);
        if (r >= 0)
                r = programs_parse(ps, j, p);
        if (r >= 0)
                r = maps_parse(ps, j, p);
        if (r >= 0)
                r = scope_check(ps, p);
        if (r >= 0)
                r = optional_check(ps, p);
        return r < 0 ? err_wrap(ps->err, r, "policy '%s'", p->name) : 0;
}

/* One program's place on its hook. */
struct place {
        const char *hook;
        size_t policy;
};

static int place_compare(const void *a, const void *b) {
        const struct place *x = a, *y = b;
        int r = strcmp(x->hook, y->hook);

        return r ? r : (x->policy > y->policy) - (x->policy < y->policy);
}

/* What the chain of a hook can hold: the kernel bounds its length, each policy has one place, and a plain program does not go on
 * to the next. */
static int hooks_check(struct manifest_parser *ps) {
        const struct manifest *m = ps->m;
        cleanup_free struct place *places = NULL;
        size_t total = 0, n = 0, first = 0;

        for (size_t i = 0; i < m->n_policies; i++)
                total += m->policies[i].n_programs;
        places = new_array(total, sizeof(*places));
        if (!places)
                return err_errno(ps->err, -ENOMEM, "manifest");
        for (size_t i = 0; i < m->n_policies; i++)
                for (size_t k = 0; k < m->policies[i].n_programs; k++)
                        places[n++] = (struct place){m->policies[i].programs[k].hook, i};
        qsort(places, n, sizeof(*places), place_compare);
        for (size_t i = 1; i < n; i++) {
                const struct manifest_policy *before = &m->policies[places[i - 1].policy], *p = &m->policies[places[i].policy];

                if (!streq(places[i - 1].hook, places[i].hook)) {
                        first = i;
                        continue;
                }
                if (before == p)
                        return malformed(ps, "policy '%s' has two programs on hook '%s'", p->name, places[i].hook);
                if (before->plain)
                        return malformed(ps, "on hook '%s' the plain policy '%s' is not the last", places[i].hook, before->name);
                if (i - first >= LSM_CHAIN_MAX)
                        return malformed(ps, "more than %d policies on hook '%s'", LSM_CHAIN_MAX, places[i].hook);
        }
        return 0;
}

int manifest_policies_parse(struct manifest_parser *ps) {
        struct manifest *m = ps->m;
        json_t *a, *v;
        size_t i;
        int r;

        r = manifest_array_open(ps, m->doc, "policies", POLICIES_MAX, sizeof(*m->policies), &a, &m->policies);
        if (r < 0)
                return r;
        json_array_foreach(a, i, v) {
                m->n_policies = i + 1;
                r = policy_parse(ps, v, &m->policies[i]);
                if (r < 0)
                        return r;
        }
        if (m->n_policies == 0)
                return malformed(ps, "it has no policies");
        r = manifest_references_check(ps);
        return r < 0 ? r : hooks_check(ps);
}
