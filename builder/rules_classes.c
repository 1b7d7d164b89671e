/* SPDX-License-Identifier: Apache-2.0 */
#include "intern.h"
#include "rules_cover.h"
#include "rules_tables.h"

#define UNKNOWN UINT32_MAX
#define ANYWHERE_MAX (LSM_CLASS_RULES_MAX - RULES_POLICIES_MAX)
#define KEY_BELOW UINT32_MAX /* behind a list: not what a path has that ends there */

/* A rule that may be in a list, with the most specific of its paths; NULL: it names none. */
struct candidate {
        uint32_t entry;
        const struct path_pattern *pattern;
};

/* By number of set: its class, or UNKNOWN. */
struct set_classes {
        uint32_t *here, *below, *unsure;
};

struct lister {
        const struct rules_index *index;
        struct rules_members *members;
        struct diags *diags;
        struct intern *keys; /* class n is number n - 1 */
        struct candidate *candidates;
        size_t n_candidates;
        bool *excepted;             /* entries that the path in hand is an exception to: all false in between */
        struct rules_list anywhere; /* rules without a path that are about files or addresses */
        struct rules_tables *t;
};

static const struct rules_entry *entry_of(const struct lister *l, uint32_t entry) {
        return &l->index->entries[entry];
}

/* A policy's default is asked last. */
static bool is_default(const struct lister *l, const struct rules_entry *entry) {
        return entry->rule == &l->index->defaults[entry->ruleset];
}

/* The order in which rules are asked: see rules_tables.h. */
static int candidate_cmp(const void *a, const void *b, void *ctx) {
        const struct candidate *x = a, *y = b;
        const struct lister *l = ctx;
        const struct rules_entry *p = entry_of(l, x->entry), *q = entry_of(l, y->entry);
        int r;

        if (p->ruleset != q->ruleset)
                return p->ruleset < q->ruleset ? -1 : 1;
        if (!x->pattern || !y->pattern) {
                if (x->pattern || y->pattern)
                        return x->pattern ? -1 : 1;
                if (is_default(l, p) != is_default(l, q))
                        return is_default(l, p) ? 1 : -1;
        } else {
                r = path_pattern_compare(y->pattern, x->pattern);
                if (r != 0)
                        return r;
        }
        r = rules_asked_cmp(p->rule, q->rule);
        return r != 0 ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

/* Is there anything left for it to decide behind those in the list? What is allowed is allowed where a task sees it, and not where
 * the object is: there, denials behind it count. */
static bool is_left(const struct lister *l, const struct rules_list *list, uint32_t entry) {
        const struct rules_entry *e = entry_of(l, entry);

        for (size_t i = 0; i < list->n; i++) {
                const struct rules_entry *before = entry_of(l, list->v[i]);

                if (before->rule->action == LSM_RULE_ALLOW && e->rule->action != LSM_RULE_ALLOW)
                        continue;
                if (before->ruleset == e->ruleset && !(e->rule->ops & ~before->rule->ops) &&
                    rules_cover_tasks(before->rule, e->rule))
                        return false;
        }
        return true;
}

/* What a path may be decided by: candidates in order, those with nothing left to decide taken out. `max`: of those that name a
 * path, of each policy; what is beyond that is left out. */
static int list_make(struct lister *l, size_t max, struct rules_list *ret) {
        uint32_t ruleset = UNKNOWN;
        size_t n = 0;

        qsort_r(l->candidates, l->n_candidates, sizeof(*l->candidates), candidate_cmp, l);
        for (size_t i = 0; i < l->n_candidates; i++) {
                uint32_t entry = l->candidates[i].entry;

                if (entry_of(l, entry)->ruleset != ruleset) {
                        ruleset = entry_of(l, entry)->ruleset;
                        n = 0;
                }
                if ((l->candidates[i].pattern && n == max) || !is_left(l, ret, entry))
                        continue;
                n++;
                if (rules_list_add(ret, entry) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static void except_mark(struct lister *l, const struct automaton_set *set, bool mark) {
        for (size_t i = 0; i < set->n; i++)
                for (size_t k = l->index->first_use[set->patterns[i]]; k < l->index->first_use[set->patterns[i] + 1]; k++)
                        if (l->index->uses[k].except)
                                l->excepted[l->index->uses[k].entry] = mark;
}

enum place {
        PLACE_HERE,   /* a path that ends here */
        PLACE_BELOW,  /* all that lies below */
        PLACE_UNSURE, /* any of that: nobody can tell which */
};

/* Only what denies is about more than one place. An exception may be about something else below than what is named; and addresses
 * are below nothing. */
static bool is_about(const struct rules_rule *rule, const struct path_pattern *pattern, enum place place) {
        if (place == PLACE_HERE)
                return true;
        return rule->action <= LSM_RULE_KILL && pattern->kind != PATH_ADDRESS && !(place == PLACE_UNSURE && rule->on_error_allow);
}

static void candidates_of(struct lister *l, const struct automaton_set *set, enum place place) {
        l->n_candidates = 0;
        if (place == PLACE_HERE)
                except_mark(l, set, true);
        for (size_t i = 0; i < set->n; i++) {
                uint32_t pattern = set->patterns[i];

                for (size_t k = l->index->first_use[pattern]; k < l->index->first_use[pattern + 1]; k++) {
                        uint32_t entry = l->index->uses[k].entry;

                        if (l->index->uses[k].except || l->excepted[entry] ||
                            !is_about(entry_of(l, entry)->rule, &l->index->patterns[pattern], place))
                                continue;
                        l->candidates[l->n_candidates++] = (struct candidate){entry, &l->index->patterns[pattern]};
                }
        }
        if (place == PLACE_HERE)
                except_mark(l, set, false);
        for (size_t i = 0; i < l->anywhere.n; i++)
                l->candidates[l->n_candidates++] = (struct candidate){l->anywhere.v[i], NULL};
}

/* Appends the class and its list. */
static int class_add(struct lister *l, const struct rules_list *list) {
        struct lsm_rules_class class = {.first = (uint32_t)(l->t->refs.len / sizeof(uint32_t)), .n = (uint32_t)list->n};

        for (size_t i = 0; i < list->n; i++) {
                const struct rules_rule *rule = entry_of(l, list->v[i])->rule;

                class.ops |= rule->ops;
                if (rule->fs.n > 0)
                        class.ops |= LSM_CLASS_FS;
                if (rule->subject.exe.n + rule->unless.exe.n > 0)
                        class.ops |= LSM_CLASS_EXE;
                if (rule->subject.parent.n + rule->unless.parent.n > 0)
                        class.ops |= LSM_CLASS_PARENT;
                if (rule->subject.host || rule->unless.host)
                        class.ops |= LSM_CLASS_HOST;
        }
        if (buf_append(&l->t->refs, list->v, list->n * sizeof(*list->v)) < 0)
                return -ENOMEM;
        return buf_append(&l->t->classes, &class, sizeof(class));
}

static bool same_list(const struct rules_list *a, const struct rules_list *b) {
        return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

/* The class with this list and these patterns of programs (or KEY_BELOW). */
static int64_t class_number(struct lister *l, const struct rules_list *list, const struct rules_list *programs) {
        cleanup_buf struct buf key = {};
        uint32_t n = (uint32_t)list->n;
        size_t before = intern_count(l->keys);
        int64_t number;

        if (buf_append(&key, &n, sizeof(n)) < 0 || buf_append(&key, list->v, list->n * sizeof(*list->v)) < 0 ||
            buf_append(&key, programs->v, programs->n * sizeof(*programs->v)) < 0)
                return -ENOMEM;
        number = intern_add(l->keys, key.data, key.len);
        if (number < 0)
                return number;
        if (intern_count(l->keys) > before && class_add(l, list) < 0)
                return -ENOMEM;
        return number + 1;
}

static void report_crowd(struct lister *l, const struct rules_list *list) {
        const struct rules_entry *last = entry_of(l, list->v[LSM_CLASS_RULES_MAX]);
        const struct rules_entry *first = entry_of(l, list->v[0]);

        diag_error(l->diags, last->rule->pos,
                   "rule '%s/%s' is one too many: with '%s/%s' and others, more than %d are about the same path",
                   last->policy->source->name, last->rule->id, first->policy->source->name, first->rule->id, LSM_CLASS_RULES_MAX);
}

/* Of a path that has these patterns. */
static int64_t accept_class(struct lister *l, const struct automaton_set *set) {
        cleanup_rules_list struct rules_list list = {}, programs = {};
        int64_t class;

        candidates_of(l, set, PLACE_HERE);
        if (list_make(l, LSM_CLASS_RULES_MAX + 1, &list) < 0)
                return -ENOMEM;
        if (list.n > LSM_CLASS_RULES_MAX) {
                report_crowd(l, &list);
                return -EBADMSG;
        }
        for (size_t i = 0; i < set->n; i++)
                if (rules_members_ask(l->members, set->patterns[i]) && rules_list_add(&programs, set->patterns[i]) < 0)
                        return -ENOMEM;
        if (programs.n == 0 && same_list(&list, &l->anywhere))
                return 0;
        class = class_number(l, &list, &programs);
        if (class > 0 && rules_members_class(l->members, (uint32_t) class, programs.v, programs.n) < 0)
                return -ENOMEM;
        return class;
}

/* Of all that lies below: nobody's program, and no more than what denies. Each policy has its share of the list, one at least. */
static int64_t below_class(struct lister *l, const struct automaton_set *set, enum place place) {
        uint32_t n_rulesets = l->index->n_entries > 0 ? entry_of(l, (uint32_t)l->index->n_entries - 1)->ruleset + 1 : 1,
                 mark = KEY_BELOW;
        cleanup_rules_list struct rules_list list = {};

        candidates_of(l, set, place);
        if (list_make(l, (LSM_CLASS_RULES_MAX - ANYWHERE_MAX) / n_rulesets, &list) < 0)
                return -ENOMEM;
        return same_list(&list, &l->anywhere) ? 0 : class_number(l, &list, &(struct rules_list){&mark, 1, 1});
}

static void report_anywhere(struct lister *l, uint32_t entry, const char *what, int max) {
        const struct rules_entry *last = entry_of(l, entry);

        diag_error(l->diags, last->rule->pos, "rule '%s/%s' is one too many: more than %d %s", last->policy->source->name,
                   last->rule->id, max, what);
}

/* Class 0: what no path is about. */
static int anywhere_collect(struct lister *l) {
        cleanup_rules_list struct rules_list list = {};

        for (size_t i = 0; i < l->index->n_entries; i++)
                if (l->index->entries[i].rule->paths.n == 0)
                        l->candidates[l->n_candidates++] = (struct candidate){(uint32_t)i, NULL};
        if (list_make(l, LSM_CLASS_RULES_MAX + 1, &list) < 0)
                return -ENOMEM;
        if (list.n > LSM_CLASS_RULES_MAX) {
                report_anywhere(l, list.v[LSM_CLASS_RULES_MAX], "name no path", LSM_CLASS_RULES_MAX);
                return -EBADMSG;
        }
        for (size_t i = 0; i < list.n; i++)
                if (entry_of(l, list.v[i])->rule->ops & (RULES_OPS_PATH | RULES_OPS_ADDRESS) &&
                    rules_list_add(&l->anywhere, list.v[i]) < 0)
                        return -ENOMEM;
        if (l->anywhere.n > ANYWHERE_MAX) {
                report_anywhere(l, l->anywhere.v[ANYWHERE_MAX], "are about files or addresses and name none", ANYWHERE_MAX);
                return -EBADMSG;
        }
        return class_add(l, &list);
}

/* A set's class, `known` or to be made. */
static int set_class(struct lister *l, uint32_t set, enum place place, uint32_t *known, uint32_t *ret) {
        const struct automaton_set *s = &l->t->automaton.sets[set];

        if (known[set] == UNKNOWN) {
                int64_t class = place == PLACE_HERE ? accept_class(l, s) : below_class(l, s, place);

                if (class < 0)
                        return (int)class;
                known[set] = (uint32_t) class;
        }
        *ret = known[set];
        return 0;
}

/* Numbers of sets to numbers of classes, as states name them. */
static int states_pack(struct lister *l, struct set_classes *known) {
        const struct automaton *a = &l->t->automaton;

        memset(known->here, 0xff, a->n_sets * sizeof(*known->here));
        memset(known->below, 0xff, a->n_sets * sizeof(*known->below));
        memset(known->unsure, 0xff, a->n_sets * sizeof(*known->unsure));
        for (size_t i = 0; i < a->n_states; i++) {
                const struct automaton_state *s = &a->states[i];
                struct lsm_rules_state state;
                int e = set_class(l, s->accept, PLACE_HERE, known->here, &state.accept)
                                ?: set_class(l, s->below, PLACE_BELOW, known->below, &state.below)
                                ?: set_class(l, s->below, PLACE_UNSURE, known->unsure, &state.unsure);

                if (e < 0)
                        return e;
                if (buf_append(&l->t->states, &state, sizeof(state)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int rules_classes_make(const struct rules_index *index, struct rules_members *members, struct diags *diags,
                       struct rules_tables *t) {
        cleanup_intern struct intern *keys = intern_new();
        cleanup_free struct candidate *candidates = new_array(index->n_uses + index->n_entries, sizeof(*candidates));
        cleanup_free uint32_t *here = new_array(t->automaton.n_sets, sizeof(*here));
        cleanup_free uint32_t *below = new_array(t->automaton.n_sets, sizeof(*below));
        cleanup_free uint32_t *unsure = new_array(t->automaton.n_sets, sizeof(*unsure));
        cleanup_free bool *excepted = new_array(index->n_entries, sizeof(*excepted));
        struct lister l = {.index = index,
                           .members = members,
                           .diags = diags,
                           .keys = keys,
                           .candidates = candidates,
                           .excepted = excepted,
                           .t = t};
        int e;

        if (!keys || !candidates || !here || !below || !unsure || !excepted)
                return -ENOMEM;
        e = anywhere_collect(&l);
        if (e == 0)
                e = states_pack(&l, &(struct set_classes){here, below, unsure});
        rules_list_done(&l.anywhere);
        return e;
}
