/* SPDX-License-Identifier: Apache-2.0 */
/* What stands where: a program in the wrong place is skipped, or ends the chain before the policies behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/types.h>

#include <cmocka.h>

#include "lsm_abi.h"
#include "plan.h"

#define POLICIES_TEST 40

/* A manifest as the parser would leave it: policies and hooks alone. */
struct made {
        struct manifest m;
        struct manifest_policy policies[POLICIES_TEST];
        struct manifest_program programs[POLICIES_TEST][4];
        char names[POLICIES_TEST][16];
};

static void policy_add(struct made *made, bool plain, const char *const hooks[]) {
        size_t i = made->m.n_policies++;
        struct manifest_policy *p = &made->policies[i];

        snprintf(made->names[i], sizeof(made->names[i]), "policy-%zu", i);
        *p = (struct manifest_policy){.name = made->names[i], .plain = plain, .programs = made->programs[i]};
        for (; hooks[p->n_programs]; p->n_programs++)
                p->programs[p->n_programs] =
                        (struct manifest_program){.name = (char *)"prog", .hook = (char *)hooks[p->n_programs]};
        made->m.policies = made->policies;
}
#define add(made, plain, ...) policy_add(made, plain, (const char *const[]){__VA_ARGS__, NULL})

static void assert_entry(const struct plan *p, const char *hook, size_t at, size_t policy, size_t program, uint32_t next) {
        const struct plan_hook *h = plan_find(p, hook);

        assert_non_null(h);
        assert_true(at < h->n);
        assert_int_equal(h->entries[at].policy, policy);
        assert_int_equal(h->entries[at].program, program);
        assert_int_equal(h->entries[at].position, at);
        assert_int_equal(h->entries[at].next, next);
}

static void one_policy(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};

        add(&made, false, "file_open");
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        assert_int_equal(p.n, 1);
        assert_int_equal(plan_find(&p, "file_open")->n, 1);
        assert_entry(&p, "file_open", 0, 0, 0, 0);
        assert_null(plan_find(&p, "file_ope"));
        assert_null(plan_find(&p, "bprm_check_security"));
}

/* Each hook has a chain of its own, in the manifest's order, and ends with 0. */
static void several_hooks(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};

        add(&made, false, "socket_create", "file_open");
        add(&made, false, "file_open");
        add(&made, false, "bprm_check_security", "file_open", "socket_create");
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        assert_int_equal(p.n, 3);
        assert_string_equal(p.hooks[0].name, "bprm_check_security");
        assert_string_equal(p.hooks[1].name, "file_open");
        assert_string_equal(p.hooks[2].name, "socket_create");

        assert_int_equal(p.hooks[0].n, 1);
        assert_entry(&p, "bprm_check_security", 0, 2, 0, 0);
        assert_int_equal(p.hooks[1].n, 3);
        assert_entry(&p, "file_open", 0, 0, 1, 1);
        assert_entry(&p, "file_open", 1, 1, 0, 2);
        assert_entry(&p, "file_open", 2, 2, 1, 0);
        assert_int_equal(p.hooks[2].n, 2);
        assert_entry(&p, "socket_create", 0, 0, 0, 1);
        assert_entry(&p, "socket_create", 1, 2, 2, 0);
}

/* A plain program does not know of the chain: whatever stood behind it would never be asked. */
static void plain_last(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};

        add(&made, true, "file_open");
        add(&made, false, "file_open");
        add(&made, false, "file_open");
        add(&made, true, "socket_create");
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        assert_entry(&p, "file_open", 0, 1, 0, 1);
        assert_entry(&p, "file_open", 1, 2, 0, 2);
        assert_entry(&p, "file_open", 2, 0, 0, 0);
        assert_entry(&p, "socket_create", 0, 3, 0, 0);
}

static void two_plain(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};
        struct err err = {};

        add(&made, true, "file_open");
        add(&made, false, "file_open");
        add(&made, true, "socket_create", "file_open");
        assert_true(plan_make(&made.m, &p, &err) < 0);
        assert_int_equal(err.reason, REASON_MALFORMED);
        assert_non_null(strstr(err.msg, "file_open"));
        assert_int_equal(p.n, 0);
}

/* The kernel follows 33 tail calls and then simply goes on, which would be "allow" for the policies behind. */
static void as_long_as_the_kernel_follows(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};
        struct err err = {};

        for (int i = 0; i < LSM_CHAIN_MAX; i++)
                add(&made, false, "file_open");
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        for (uint32_t i = 0; i < LSM_CHAIN_MAX; i++)
                assert_entry(&p, "file_open", i, i, 0, i + 1 < LSM_CHAIN_MAX ? i + 1 : 0);
        plan_done(&p);

        add(&made, false, "socket_create"); /* on another hook there is room */
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        plan_done(&p);
        add(&made, true, "file_open");
        assert_true(plan_make(&made.m, &p, &err) < 0);
        assert_int_equal(err.reason, REASON_MALFORMED);
        assert_int_equal(p.n, 0);
}

static void entries_are_found(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};
        const struct plan_hook *hook = NULL;
        const struct plan_entry *e;

        add(&made, false, "socket_create", "file_open");
        add(&made, true, "file_open");
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        e = plan_entry_of(&p, 0, 0, &hook);
        assert_non_null(e);
        assert_string_equal(hook->name, "socket_create");
        e = plan_entry_of(&p, 1, 0, &hook);
        assert_non_null(e);
        assert_string_equal(hook->name, "file_open");
        assert_int_equal(e->position, 1);
        assert_null(plan_entry_of(&p, 1, 1, &hook));
        assert_null(plan_entry_of(&p, 2, 0, &hook));
}

/* The supervisor and the loader compute it each for themselves, and must agree. */
static void the_same_again(void **state) {
        struct made made = {};
        cleanup_plan struct plan a = {}, b = {};

        add(&made, true, "task_alloc", "file_open");
        add(&made, false, "file_open", "bprm_check_security");
        add(&made, false, "inode_unlink", "file_open");
        assert_int_equal(plan_make(&made.m, &a, NULL), 0);
        assert_int_equal(plan_make(&made.m, &b, NULL), 0);
        assert_int_equal(a.n, b.n);
        for (size_t i = 0; i < a.n; i++) {
                assert_string_equal(a.hooks[i].name, b.hooks[i].name);
                assert_int_equal(a.hooks[i].n, b.hooks[i].n);
                assert_memory_equal(a.hooks[i].entries, b.hooks[i].entries, a.hooks[i].n * sizeof(*a.hooks[i].entries));
        }
}

/* A shadow runs what would deny and can be kept from it: that alone, and without holes in the chain. */
static void shadow(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};

        add(&made, true, "file_open");
        add(&made, false, "file_open", "socket_create");
        add(&made, false, "file_open", "task_kill");
        add(&made, false, "file_open");
        add(&made, true, "socket_bind");
        made.policies[2].mode = MODE_AUDIT;
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        plan_shadow(&p, &made.m);
        assert_int_equal(p.n, 4); /* hooks keep their numbers */
        assert_int_equal(plan_find(&p, "file_open")->n, 2);
        assert_entry(&p, "file_open", 0, 1, 0, 1);
        assert_entry(&p, "file_open", 1, 3, 0, 0);
        assert_int_equal(plan_find(&p, "socket_create")->n, 1);
        assert_entry(&p, "socket_create", 0, 1, 1, 0);
        assert_int_equal(plan_find(&p, "task_kill")->n, 0);
        assert_int_equal(plan_find(&p, "socket_bind")->n, 0);
}

/* Its name alone is anybody's. */
static void engine(void **state) {
        struct manifest_map maps[] = {{.name = (char *)"lsm_rules_cells"}, {.name = (char *)"lsm_rules_roots"}};
        struct manifest_policy policies[] = {
                {.name = (char *)"first", .maps = maps, .n_maps = 2},
                {.name = (char *)"rules", .maps = maps, .n_maps = 2},
        };
        const struct manifest m = {.policies = policies, .n_policies = 2};

        assert_false(policy_is_engine(&policies[0]));
        assert_true(policy_is_engine(&policies[1]));
        assert_true(manifest_has_engine(&m));
        policies[1].plain = true;
        assert_false(policy_is_engine(&policies[1]));
        policies[1].plain = false;
        policies[1].n_maps = 1;
        assert_false(policy_is_engine(&policies[1]));
        assert_false(manifest_has_engine(&m));
}

/* A hook that is left out keeps its number, by which events name it; one that something needs is not left out. */
static void hook_left_out(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};
        const struct plan_hook *hook;

        add(&made, false, "path_truncate", "file_truncate", "file_open");
        made.programs[0][1].optional = true;
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        assert_string_equal(p.hooks[1].name, "file_truncate");
        assert_true(plan_hook_optional(&p.hooks[1], &made.m));
        assert_false(plan_hook_optional(&p.hooks[0], &made.m));
        assert_false(plan_program_absent(&p, &made.programs[0][1]));
        assert_false(plan_hook_leave(&p, 0, &made.m));
        assert_entry(&p, "file_open", 0, 0, 2, 0);
        assert_true(plan_hook_leave(&p, 1, &made.m));
        assert_true(plan_program_absent(&p, &made.programs[0][1]));
        assert_false(plan_program_absent(&p, &made.programs[0][0]));
        assert_int_equal(p.n, 3);
        assert_null(plan_entry_of(&p, 0, 1, &hook));
        assert_non_null(plan_entry_of(&p, 0, 0, &hook));
        assert_int_equal(hook - p.hooks, 2);
}

/* Beside a policy that must be asked there, the kernel has to have the hook. */
static void hook_not_left_out_for_all(void **state) {
        struct made made = {};
        cleanup_plan struct plan p = {};

        add(&made, false, "file_truncate");
        add(&made, false, "file_truncate");
        made.programs[0][0].optional = true;
        assert_int_equal(plan_make(&made.m, &p, NULL), 0);
        assert_false(plan_hook_optional(&p.hooks[0], &made.m));
        assert_false(plan_hook_leave(&p, 0, &made.m));
        assert_int_equal(p.hooks[0].n, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_policy),
                cmocka_unit_test(hook_left_out),
                cmocka_unit_test(hook_not_left_out_for_all),
                cmocka_unit_test(several_hooks),
                cmocka_unit_test(plain_last),
                cmocka_unit_test(two_plain),
                cmocka_unit_test(entries_are_found),
                cmocka_unit_test(as_long_as_the_kernel_follows),
                cmocka_unit_test(the_same_again),
                cmocka_unit_test(shadow),
                cmocka_unit_test(engine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
