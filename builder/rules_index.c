/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_tables.h"

int rules_list_add(struct rules_list *list, uint32_t v) {
        if (list->n == list->cap) {
                size_t cap = list->cap > 0 ? list->cap * 2 : 8;
                uint32_t *p = reallocarray(list->v, cap, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                list->v = p;
                list->cap = cap;
        }
        list->v[list->n++] = v;
        return 0;
}

void rules_list_done(struct rules_list *list) {
        free(list->v);
        *list = (struct rules_list){};
}

void rules_index_done(struct rules_index *index) {
        free(index->entries);
        free(index->defaults);
        free(index->patterns);
        free(index->uses);
        free(index->first_use);
        *index = (struct rules_index){};
}

static int pattern_cmp(const void *a, const void *b) {
        return strcmp(((const struct path_pattern *)a)->text, ((const struct path_pattern *)b)->text);
}

static size_t paths_add(struct path_pattern *to, const struct rules_paths *paths) {
        for (size_t i = 0; to && i < paths->n; i++)
                to[i] = paths->v[i].pattern;
        return paths->n;
}

/* Appends the patterns of a rule, or only counts them when `to` is NULL. */
static size_t rule_patterns(struct path_pattern *to, const struct rules_rule *rule) {
        const struct rules_paths *lists[] = {&rule->paths,          &rule->except,     &rule->subject.exe,
                                             &rule->subject.parent, &rule->unless.exe, &rule->unless.parent};
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                n += paths_add(to ? to + n : NULL, lists[i]);
        return n;
}

static int patterns_collect(struct rules_index *index) {
        size_t n = 0, kept = 0;

        for (size_t i = 0; i < index->n_entries; i++)
                n += rule_patterns(NULL, index->entries[i].rule);
        index->patterns = new_array(n, sizeof(*index->patterns));
        if (!index->patterns)
                return -ENOMEM;
        n = 0;
        for (size_t i = 0; i < index->n_entries; i++)
                n += rule_patterns(index->patterns + n, index->entries[i].rule);
        qsort(index->patterns, n, sizeof(*index->patterns), pattern_cmp);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || !streq(index->patterns[kept - 1].text, index->patterns[i].text))
                        index->patterns[kept++] = index->patterns[i];
        index->n_patterns = kept;
        return 0;
}

uint32_t rules_index_pattern(const struct rules_index *index, const struct path_pattern *pattern) {
        const struct path_pattern *found =
                bsearch(pattern, index->patterns, index->n_patterns, sizeof(*index->patterns), pattern_cmp);

        return (uint32_t)(found - index->patterns);
}

static int use_cmp(const void *a, const void *b) {
        const struct rules_use *x = a, *y = b;

        if (x->pattern != y->pattern)
                return x->pattern < y->pattern ? -1 : 1;
        return (x->entry > y->entry) - (x->entry < y->entry);
}

static void uses_add(struct rules_index *index, uint32_t entry, const struct rules_paths *paths, bool except) {
        for (size_t i = 0; i < paths->n; i++)
                index->uses[index->n_uses++] =
                        (struct rules_use){rules_index_pattern(index, &paths->v[i].pattern), entry, except};
}

static int uses_collect(struct rules_index *index) {
        size_t n = 0;

        for (size_t i = 0; i < index->n_entries; i++)
                n += index->entries[i].rule->paths.n + index->entries[i].rule->except.n;
        index->uses = new_array(n, sizeof(*index->uses));
        index->first_use = new_array(index->n_patterns + 1, sizeof(*index->first_use));
        if (!index->uses || !index->first_use)
                return -ENOMEM;
        for (size_t i = 0; i < index->n_entries; i++) {
                uses_add(index, (uint32_t)i, &index->entries[i].rule->paths, false);
                uses_add(index, (uint32_t)i, &index->entries[i].rule->except, true);
        }
        qsort(index->uses, n, sizeof(*index->uses), use_cmp);
        for (size_t i = 0, at = 0; i <= index->n_patterns; i++) {
                while (at < n && index->uses[at].pattern < i)
                        at++;
                index->first_use[i] = at;
        }
        return 0;
}

int rules_index_make(const struct rules_set *set, struct rules_index *ret) {
        cleanup_rules_index struct rules_index index = {};
        size_t n = 0;
        int e;

        for (size_t i = 0; i < set->n; i++)
                n += set->policies[i].n + 1;
        index.entries = new_array(n, sizeof(*index.entries));
        index.defaults = new_array(set->n, sizeof(*index.defaults));
        if (!index.entries || !index.defaults)
                return -ENOMEM;
        for (size_t i = 0; i < set->n; i++) {
                const struct rules_policy *policy = &set->policies[i];

                for (size_t k = 0; k < policy->n; k++)
                        index.entries[index.n_entries++] = (struct rules_entry){policy, &policy->rules[k], (uint32_t)i};
                if (policy->default_deny == 0)
                        continue;
                index.defaults[i] = (struct rules_rule){
                        .id = (char *)"default",
                        .pos = policy->default_pos,
                        .ops = policy->default_deny,
                        .action = LSM_RULE_DENY,
                        .error = policy->default_deny & RULES_OPS_FILE ? EACCES : EPERM,
                };
                index.entries[index.n_entries++] = (struct rules_entry){policy, &index.defaults[i], (uint32_t)i};
        }
        e = patterns_collect(&index);
        if (e == 0)
                e = uses_collect(&index);
        if (e < 0)
                return e;
        *ret = index;
        index = (struct rules_index){};
        return 0;
}
