/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include <linux/types.h>
#include <stdio.h>

#include "lsm_abi.h"
#include "path.h"
#include "seeds.h"

static void policy_done(struct build_policy *p) {
        object_free(p->object);
        scope_tables_done(&p->scope);
        strv_done(&p->defines);
        compile_unit_done(&p->unit);
        for (size_t i = 0; i < p->n_seeds; i++)
                buf_done(&p->seeds[i].records);
        free(p->seeds);
}

void build_done(struct build *b) {
        for (size_t i = 0; i < b->n_policies; i++)
                policy_done(&b->policies[i]);
        free(b->policies);
        build_engine_free(b->engine);
        free(b->root);
        toolchain_done(&b->toolchain);
        provenance_done(&b->provenance);
        *b = (struct build){};
}

/* The deepest directory above the bundle and all its policies: names in objects and manifest are relative to it, so that they
 * do not depend on where the tree stands. */
static int root_find(struct build *b) {
        b->root = strdup(b->bundle->dir);
        for (size_t i = 0; b->root && i < b->bundle->n_policies; i++) {
                cleanup_free char *dir = path_dir(b->bundle->policies[i].path), *root = b->root;

                b->root = dir ? path_common(root, dir) : NULL;
        }
        return b->root ? 0 : -ENOMEM;
}

static int compile_policies(struct build *b, const struct build_options *options, struct diags *diags, struct err *err) {
        cleanup_cache struct cache *cache = options->cache ? cache_open() : NULL;
        cleanup_free struct compile_unit *units = new_array(b->n_policies, sizeof(*units));
        struct compiler compiler = {&b->toolchain,        cache, b->root, b->bundle->dir, options->jobs, options->progress,
                                    options->progress_ctx};
        int e;

        if (!units)
                return err_errno(err, -ENOMEM, "compile");
        e = toolchain_find(cache, &b->toolchain, err);
        if (e < 0)
                return e;
        for (size_t i = 0; i < b->n_policies; i++) {
                const struct policy_source *source = b->policies[i].source;

                e = build_scope_make(b, &b->policies[i], err);
                if (e < 0)
                        return e;
                units[i] =
                        (struct compile_unit){.name = source->name, .source = source->path, .defines = &b->policies[i].defines};
                if (source->rules)
                        units[i].text = build_engine_text(b->engine);
        }
        e = compile_all(&compiler, units, b->n_policies, err);
        for (size_t i = 0; i < b->n_policies; i++) {
                b->policies[i].unit = units[i];
                if (e == 0 && (units[i].messages.len > 0 || units[i].failed))
                        diag_verbatim(diags, units[i].messages.data ?: "", units[i].failed);
        }
        return e;
}

static void report_no_map(const struct build_policy *p, const struct yaml_node *key, struct diags *diags) {
        char names[512] = "none";
        size_t len = 0;

        for (size_t i = 0; i < p->object->n_maps; i++) {
                int r = snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "", p->object->maps[i].name);

                if (r < 0 || (size_t)r >= sizeof(names) - len)
                        break;
                len += (size_t)r;
        }
        diag_error(diags, key->pos, "policy '%s' has no map '%s' (maps: %s)", p->source->name,
                   key->kind == YAML_SCALAR ? key->text : "?", names);
}

static int pack_seeds(struct build *b, struct build_policy *p, struct diags *diags, struct err *err) {
        const struct yaml_node *seeds = p->source->seeds;

        if (p->source->rules)
                return build_engine_seed(b, p, err);
        p->seeds = new_array(seeds ? seeds->n : 0, sizeof(*p->seeds));
        if (!p->seeds)
                return err_errno(err, -ENOMEM, "seeds");
        for (size_t i = 0; seeds && i < seeds->n; i++) {
                const struct yaml_node *key = seeds->keys[i];
                const struct object_map *map = key->kind == YAML_SCALAR ? object_map_find(p->object, key->text) : NULL;
                struct build_seed *seed = &p->seeds[p->n_seeds];
                int e;

                if (!map) {
                        report_no_map(p, key, diags);
                        continue;
                }
                p->n_seeds++;
                seed->map = map->name;
                e = seed_pack(p->object, map, seeds->items[i], diags, &seed->records);
                if (e < 0 && e != -EBADMSG)
                        return err_errno(err, e, "seeds of '%s'", p->source->name);
        }
        return 0;
}

static int read_objects(struct build *b, struct diags *diags, struct err *err) {
        for (size_t i = 0; i < b->n_policies; i++) {
                struct build_policy *p = &b->policies[i];
                int e;

                if (p->unit.failed)
                        continue;
                e = object_read(&p->unit.object, p->source->plain, (struct pos){p->source->shown}, diags, &p->object, err);
                if (e < 0 && e != -EBADMSG)
                        return err_wrap(err, e, "policy '%s'", p->source->name);
                if (e == 0)
                        e = pack_seeds(b, p, diags, err);
                if (e == 0)
                        e = build_scope_seed(p, err);
                if (e < 0 && e != -EBADMSG)
                        return e;
        }
        return 0;
}

/* Policies of one hook: how many a chain can hold, and one plain one behind them. */
static void check_hook(const struct build *b, const char *hook, struct diags *diags) {
        const struct policy_source *plain = NULL;
        size_t n = 0;

        for (size_t i = 0; i < b->n_policies; i++) {
                const struct build_policy *p = &b->policies[i];

                for (size_t k = 0; k < p->object->n_programs; k++) {
                        if (!streq(p->object->programs[k].hook, hook))
                                continue;
                        if (++n == LSM_CHAIN_MAX + 1)
                                diag_error(diags, p->source->pos, "more than %d policies on hook '%s'", LSM_CHAIN_MAX, hook);
                        if (p->source->plain && plain)
                                diag_error(diags, p->source->pos,
                                           "policies '%s' and '%s' are both plain and on hook '%s': one can be", plain->name,
                                           p->source->name, hook);
                        if (p->source->plain)
                                plain = p->source;
                }
        }
}

static int check_hooks(const struct build *b, struct diags *diags) {
        cleanup_strv struct strv hooks = {};

        for (size_t i = 0; i < b->n_policies; i++)
                for (size_t k = 0; k < b->policies[i].object->n_programs; k++)
                        if (strv_add_set(&hooks, b->policies[i].object->programs[k].hook) < 0)
                                return -ENOMEM;
        for (size_t i = 0; i < hooks.n; i++)
                check_hook(b, hooks.v[i], diags);
        return 0;
}

static int find_provenance(struct build *b, struct err *err) {
        cleanup_strv struct strv files = {};
        int e = strv_add(&files, b->bundle->file);

        for (size_t i = 0; e == 0 && i < b->bundle->selftests.n; i++)
                e = strv_add_set(&files, b->bundle->selftests.v[i]);
        for (size_t i = 0; e == 0 && i < b->bundle->n_policies; i++)
                if (b->bundle->policies[i].rules)
                        e = strv_add_set(&files, b->bundle->policies[i].path);
        for (size_t i = 0; i < b->n_policies; i++) {
                const struct record *record = &b->policies[i].unit.record;

                for (size_t k = 0; e == 0 && k < record->n_files; k++)
                        if (record->files[k].origin == ORIGIN_TREE)
                                e = strv_add_set(&files, record->files[k].path);
        }
        return e < 0 ? err_errno(err, e, "provenance") : provenance_find(b->bundle->dir, &files, &b->provenance, err);
}

/* In the order of bundle.yaml; the engine where the first one stands that is written as rules. */
static void list_policies(struct build *b) {
        bool engine = false;

        for (size_t i = 0; i < b->bundle->n_policies; i++) {
                const struct policy_source *source = &b->bundle->policies[i];

                if (source->rules && engine)
                        continue;
                engine = engine || source->rules;
                b->policies[b->n_policies++].source = source->rules ? build_engine_source(b->engine) : source;
        }
}

int build_policies(struct build *b, const struct build_options *options, struct diags *diags, struct err *err) {
        size_t before = diags->n_errors;
        int e;

        b->policies = new_array(b->bundle->n_policies, sizeof(*b->policies));
        if (!b->policies)
                return err_errno(err, -ENOMEM, "build");
        e = build_engine_make(b, diags, err);
        if (e < 0)
                return e;
        list_policies(b);
        e = root_find(b);
        if (e < 0)
                return err_errno(err, e, "build");
        e = compile_policies(b, options, diags, err);
        if (e == 0)
                e = read_objects(b, diags, err);
        if (e < 0)
                return e;
        if (diags->n_errors > before)
                return -EBADMSG;
        e = check_hooks(b, diags);
        if (e < 0)
                return err_errno(err, e, "build");
        return diags->n_errors > before ? -EBADMSG : find_provenance(b, err);
}
