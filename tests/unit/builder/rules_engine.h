/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's rules as tables, and the engine that asks them, in short. */
#pragma once

#include "../lib/unit.h"

#include "rules_source.h"
#include "rules_walk.h"

/* Policies a, b...; b audits. */
struct world {
        struct policy_source sources[RULES_POLICIES_MAX + 1];
        struct rules_set set;
        struct rules_tables t;
        struct diags diags;
};

static void world_done(struct world *w) {
        rules_tables_done(&w->t);
        rules_set_done(&w->set);
        diags_done(&w->diags);
}
#define cleanup_world cleanup(world_done)

static char names[][2] = {"a", "b", "c", "d"};

static int world_try(struct world *w, const char *const *texts, size_t n) {
        *w = (struct world){.set = {new_array(n, sizeof(struct rules_policy)), n}};
        for (size_t i = 0; i < n; i++) {
                w->sources[i] = (struct policy_source){.name = names[i], .mode = i == 1 ? MODE_AUDIT : MODE_ENFORCE};
                w->set.policies[i].source = &w->sources[i];
                if (rules_policy_parse("r.yaml", texts[i], strlen(texts[i]), &w->diags, &w->set.policies[i]) < 0)
                        return -EBADMSG;
        }
        return rules_tables_make(&w->set, &w->diags, &w->t, NULL);
}

static inline void world_make(struct world *w, const char *const *texts, size_t n) {
        if (world_try(w, texts, n) < 0) {
                diags_print(&w->diags, stderr);
                fail();
        }
}
#define WORLD(w, ...)                 \
        cleanup_world struct world w; \
        world_make(&w, (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* ---- the engine, in short ------------------------------------------------------------------------------------------- */

struct question {
        enum lsm_op op;   /* file.read, unless said */
        const char *path; /* NULL: none */
        const char *exe, *parent, *comm, *fs;
        uint32_t uid, gid, value;
        bool is_host, is_owner, below, unsure;
        size_t ruleset;
};

static struct lsm_rules_state state_of(const struct world *w, const char *path) {
        const struct lsm_rules_state *states = (const struct lsm_rules_state *)w->t.states.data;
        uint32_t state, record;

        if (!path)
                return (struct lsm_rules_state){};
        state = rules_walk(w->t.automaton.cells, w->t.automaton.n_cells, w->t.automaton.start, path);
        if (state == 0)
                return (struct lsm_rules_state){};
        record = rules_state_record(w->t.automaton.cells, w->t.automaton.n_cells, state);
        assert_true(record < w->t.states.len / sizeof(*states));
        return states[record];
}

static inline uint32_t class_of(const struct world *w, const char *path, bool below) {
        struct lsm_rules_state state = state_of(w, path);

        return below ? state.below : state.accept;
}

static inline uint32_t class_unsure(const struct world *w, const char *path) {
        return state_of(w, path).unsure;
}

static bool is_member(const struct world *w, uint32_t set, const void *value, size_t n) {
        const struct lsm_rules_member *members = (const struct lsm_rules_member *)w->t.members.data;
        struct lsm_rules_member key = {.set = set};

        memcpy(key.value, value, n);
        for (size_t i = 0; i < w->t.members.len / sizeof(*members); i++)
                if (memcmp(&members[i], &key, sizeof(key)) == 0)
                        return true;
        return false;
}

static bool number_in(const struct world *w, uint32_t set, uint32_t value) {
        return set == 0 || is_member(w, set, &value, sizeof(value));
}

static bool object_is(const struct world *w, const struct lsm_rules_rule *rule, uint32_t value) {
        static const uint32_t masks[] = {LSM_DEVICE_MASK_ONE, LSM_DEVICE_MASK_MAJOR, LSM_DEVICE_MASK_KIND};

        if (rule->object == 0 || rule->object_mask != LSM_OBJECT_DEVICES)
                return number_in(w, rule->object, value & rule->object_mask);
        for (size_t i = 0; value != 0 && i < 3; i++)
                if (is_member(w, rule->object, &(struct lsm_rules_device){value & masks[i], masks[i]},
                              sizeof(struct lsm_rules_device)))
                        return true;
        return false;
}

/* Without the class's word, types are not looked up. */
static bool fs_is(const struct world *w, const struct lsm_rules_rule *rule, const char *fs, uint64_t ops) {
        uint32_t number = 0;

        for (uint32_t i = 0; fs && ops & LSM_CLASS_FS && i < w->t.fs.n; i++)
                if (streq(w->t.fs.v[i], fs))
                        number = i + 1;
        return number_in(w, rule->fs, number);
}

/* ops: of the class that is asked. Without its word, programs are not looked up, nor whether the task is the node's own. */
static bool subject_is(const struct world *w, const struct lsm_rules_subject *s, const struct question *q, uint64_t ops) {
        const char *comm = q->comm ?: "";
        uint32_t exe = ops & LSM_CLASS_EXE ? class_of(w, q->exe, false) : 0;
        uint32_t parent = ops & LSM_CLASS_PARENT ? class_of(w, q->parent, false) : 0;
        bool is_host = ops & LSM_CLASS_HOST && q->is_host;

        return number_in(w, s->uid, q->uid) && number_in(w, s->gid, q->gid) && number_in(w, s->exe, exe) &&
               number_in(w, s->parent, parent) && (s->comm == 0 || is_member(w, s->comm, comm, strlen(comm))) &&
               !(s->flags & LSM_SUBJECT_HOST && !is_host) && !(s->flags & LSM_SUBJECT_NOT_HOST && is_host) &&
               !(s->flags & LSM_SUBJECT_OWNER && !q->is_owner) && !(s->flags & LSM_SUBJECT_NOT_OWNER && q->is_owner);
}

/* The rule that decides; "": none does. */
static inline const char *decider(const struct world *w, const struct question *q) {
        const struct lsm_rules_class *classes = (const struct lsm_rules_class *)w->t.classes.data, *class;
        const struct lsm_rules_rule *rules = (const struct lsm_rules_rule *)w->t.rules.data;
        const uint32_t *refs = (const uint32_t *)w->t.refs.data;
        uint32_t number = q->unsure ? class_unsure(w, q->path) : class_of(w, q->path, q->below);

        assert_true(number < w->t.classes.len / sizeof(*classes));
        class = &classes[number];
        assert_true(class->n <= LSM_CLASS_RULES_MAX);
        for (uint32_t i = 0; i < class->n; i++) {
                const struct lsm_rules_rule *rule = &rules[refs[class->first + i]];

                /* What is not in the class's operations is not looked for. */
                assert_int_equal(rule->ops & ~class->ops, 0);
                if (rule->ruleset != q->ruleset || !(rule->ops & LSM_OP_BIT(q->op)) || !object_is(w, rule, q->value) ||
                    !fs_is(w, rule, q->fs, class->ops) || !subject_is(w, &rule->subject, q, class->ops) ||
                    (rule->unless.flags & LSM_SUBJECT_ANY && subject_is(w, &rule->unless, q, class->ops)))
                        continue;
                return rule->id;
        }
        return "";
}

/* Two rules that deny: does the first one, which says this, leave nothing to the second, which says that? */
static inline void expect_dead(const char *first, const char *second, bool dead) {
        char text[512];
        struct world w;
        int e;

        snprintf(text, sizeof(text), "rules:\n  - {id: one, %s, action: deny}\n  - {id: two, %s, action: deny}\n", first, second);
        e = world_try(&w, (const char *[]){text}, 1);
        if (dead != (e == -EBADMSG)) {
                diags_print(&w.diags, stderr);
                fail_msg("%s", text);
        }
        world_done(&w);
}
