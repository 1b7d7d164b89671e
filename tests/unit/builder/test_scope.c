/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes as tables: which cgroups are in them. What is refused: tests/cli/lsmbundle-lint.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scope.h"

struct world {
        struct yaml_doc *docs[3];
        struct scope scopes[3];
        struct scope_tables t;
};

static void world_make(struct world *w, const char *const texts[static 3]) {
        const struct scope *scopes[3] = {&w->scopes[0], &w->scopes[1], &w->scopes[2]};
        struct diags diags = {};
        struct err err = {};

        for (int i = 0; i < 3; i++) {
                if (!texts[i])
                        continue;
                assert_int_equal(yaml_parse("t", texts[i], strlen(texts[i]), &diags, &w->docs[i]), 0);
                scope_read(yaml_root(w->docs[i]), &w->scopes[i], &diags);
        }
        assert_int_equal(diags.n_errors, 0);
        assert_int_equal(scope_tables_make(scopes, 3, &w->t, &err), 0);
}

static void world_done(struct world *w) {
        scope_tables_done(&w->t);
        for (int i = 0; i < 3; i++) {
                scope_done(&w->scopes[i]);
                yaml_free(w->docs[i]);
        }
}
#define WORLD(w, ...)                            \
        cleanup(world_done) struct world w = {}; \
        world_make(&w, (const char *const[3]){__VA_ARGS__})

static uint32_t step(const struct automaton *a, uint32_t state, uint8_t byte) {
        const struct lsm_rules_cell *cell = &a->cells[(size_t)state + byte];

        return cell->check == state ? cell->next : a->cells[state].next;
}

/* The scopes that hold for a cgroup, as bpf/include/lsm_scope.h finds them: what holds for it or for one above it. */
static uint64_t in(const struct world *w, const char *path) {
        const struct automaton *a = &w->t.automaton;
        const uint64_t *masks = (const void *)w->t.masks.data;
        uint32_t state = a->start;
        uint64_t mask = 0;

        for (const char *p = path; *p && state && !(state & LSM_STATE_SINK); p++) {
                state = step(a, state, (uint8_t)*p);
                if (state && (p[1] == '/' || p[1] == '\0'))
                        mask |= masks[a->cells[LSM_STATE_NUMBER(state)].check & ~LSM_CELL_OWN];
        }
        return mask ^ w->t.inverted;
}

static void test_cgroups(void **state) {
        WORLD(w, "{cgroup: [kubepods.slice/**, /a/*/c/]}", "{cgroup: kubepods.slice/x}");

        assert_int_equal(in(&w, "/kubepods.slice"), 4); /* the third has no scope: everywhere */
        assert_int_equal(in(&w, "/kubepods.slice/y/z"), 5);
        assert_int_equal(in(&w, "/kubepods.slice/x"), 7);
        assert_int_equal(in(&w, "/kubepods.slice/x/y"), 7);
        assert_int_equal(in(&w, "/a/b/c"), 5);
        assert_int_equal(in(&w, "/a/b/c/d"), 5);
        assert_int_equal(in(&w, "/a/b"), 4);
        assert_int_equal(in(&w, "/a/c"), 4);
        assert_int_equal(in(&w, "/kubepods.slices/x"), 4);
        assert_int_equal(in(&w, "/b/kubepods.slice/x"), 4);
        assert_int_equal(in(&w, ""), 4);
        assert_int_equal(w.t.namespaced, 0);
        assert_int_equal(w.t.inverted, 4);
}

static void test_units(void **state) {
        WORLD(w, "{unit: [nginx.service, 'app@*.service']}", "{unit: 'a\\x2db.service'}", "{unit: inner.scope}");

        assert_int_equal(in(&w, "/nginx.service"), 1);
        assert_int_equal(in(&w, "/system.slice/nginx.service/sub"), 1);
        assert_int_equal(in(&w, "/system.slice/app@1.service"), 1);
        assert_int_equal(in(&w, "/system.slice/a\\x2db.service"), 2);
        assert_int_equal(in(&w, "/system.slice/ax2db.service"), 0);
        assert_int_equal(in(&w, "/system.slice/xnginx.service"), 0);
        assert_int_equal(in(&w, "/system.slice/nginx.service/a/inner.scope"), 5); /* one within another: both */
}

static void test_none(void **state) {
        WORLD(w, NULL, NULL, NULL);

        assert_false(w.t.used);
}

static void test_containers(void **state) {
        WORLD(w, "{container: true}", "{host: true}", "{container: web}");

        assert_true(w.t.used);
        assert_int_equal(w.t.namespaced, 1);
        assert_int_equal(w.t.inverted, 2);
        assert_int_equal(in(&w, "/system.slice/cron.service"), 2);
        assert_int_equal(in(&w, "/system.slice/docker-1.scope"), 1);
        assert_int_equal(in(&w, "/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope"), 1);
        assert_int_equal(in(&w, "/user.slice/user-1000.slice/libpod-1.scope"), 3); /* users name cgroups as they like */
        assert_int_equal(in(&w, "/machine.slice/machine-web.scope"), 5);
        assert_int_equal(in(&w, "/lxc.payload.web/init.scope"), 5);
}

static void test_pods(void **state) {
        WORLD(w, "{pod: 0a1b-2c}", NULL, NULL);

        assert_int_equal(in(&w, "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b_2c.slice/x.scope") & 1, 1);
        assert_int_equal(in(&w, "/kubepods/besteffort/pod0a1b-2c/89ab") & 1, 1);
        assert_int_equal(in(&w, "/kubepods/besteffort/pod0a1b-2d/89ab") & 1, 0);
}

/* Units in one another make no more states than their names are long: twenty of them would be a million otherwise. */
static void test_many_units(void **state) {
        cleanup_buf struct buf text = {};
        const char *list;

        assert_int_equal(buf_printf(&text, "{unit: ["), 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(buf_printf(&text, "%sunit-%c%d.service", i ? ", " : "", 'a' + i, i), 0);
        assert_int_equal(buf_printf(&text, "]}"), 0);
        list = text.data;
        WORLD(w, list, NULL, NULL);
        assert_true(w.t.automaton.n_nodes < 1000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cgroups),    cmocka_unit_test(test_units), cmocka_unit_test(test_none),
                cmocka_unit_test(test_containers), cmocka_unit_test(test_pods),  cmocka_unit_test(test_many_units),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
