/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest (docs/bundle-format.md), from what was built and what the objects themselves say. */
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>

#include "build.h"
#include "fileio.h"
#include "lsm_abi.h"
#include "path.h"

void build_archive_done(struct build_archive *a) {
        free(a->members);
        strv_done(&a->paths);
        envelope_done(&a->env);
        *a = (struct build_archive){};
}

/* ---- members ------------------------------------------------------------------------------------------------------- */

static int member_add(struct build_archive *a, const void *data, size_t len, const char *fmt, const char *policy,
                      const char *map) {
        char path[256];
        struct bundle_member *members = reallocarray(a->members, a->n + 1, sizeof(*members));

        if (!members)
                return -ENOMEM;
        a->members = members;
        snprintf(path, sizeof(path), fmt, policy, map);
        if (strv_add(&a->paths, path) < 0)
                return -ENOMEM;
        a->members[a->n++] = (struct bundle_member){a->paths.v[a->paths.n - 1], data, len};
        return 0;
}

/* The archive's order: selftests.json, then objects, seeds, sources, each by path. */
static int member_cmp(const void *a, const void *b) {
        const struct bundle_member *x = a, *y = b;
        bool x_first = streq(x->path, "selftests.json"), y_first = streq(y->path, "selftests.json");

        return x_first != y_first ? y_first - x_first : strcmp(x->path, y->path);
}

static int members_collect(const struct build *b, struct build_archive *a) {
        int e = member_add(a, b->selftests->json.data, b->selftests->json.len, "selftests.json", NULL, NULL);

        for (size_t i = 0; e == 0 && i < b->n_policies; i++) {
                const struct build_policy *p = &b->policies[i];

                e = member_add(a, p->unit.object.data, p->unit.object.len, "objects/%s.bpf.o", p->source->name, NULL);
                for (size_t k = 0; e == 0 && k < p->n_seeds; k++)
                        if (p->seeds[k].records.len > 0)
                                e = member_add(a, p->seeds[k].records.data, p->seeds[k].records.len, "seeds/%s.%s.bin",
                                               p->source->name, p->seeds[k].map);
        }
        for (size_t i = 0; e == 0 && i < b->rules->n; i++)
                e = member_add(a, b->rules->policies[i].text.data, b->rules->policies[i].text.len, "sources/%s.yaml",
                               b->rules->policies[i].source->name, NULL);
        qsort(a->members, a->n, sizeof(*a->members), member_cmp);
        return e;
}

static json_t *members_json(const struct build_archive *a) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < a->n; i++) {
                uint8_t digest[SHA256_SIZE];
                char hex[SHA256_HEX];

                if (sha256(a->members[i].data, a->members[i].len, digest) < 0) {
                        json_decref(list);
                        return NULL;
                }
                hex_encode(digest, sizeof(digest), hex);
                json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", a->members[i].path, "length",
                                                      (json_int_t)a->members[i].len, "sha256", hex));
        }
        return list;
}

/* ---- policies ------------------------------------------------------------------------------------------------------ */

/* Only what the engine of rules can do without (lib/manifest.h). */
static bool program_optional(const struct build_policy *p, const char *hook) {
        return p->source->rules && hook_optional_beside(hook);
}

static json_t *programs_json(const struct build_policy *p) {
        const struct object *o = p->object;
        json_t *list = json_array();

        for (size_t i = 0; i < o->n_programs; i++) {
                json_t *j = json_pack("{s:s, s:s}", "name", o->programs[i].name, "hook", o->programs[i].hook);

                if (program_optional(p, o->programs[i].hook))
                        json_object_set_new(j, "optional", json_true());
                json_array_append_new(list, j);
        }
        return list;
}

static json_t *map_json(const struct build_policy *p, const struct object_map *map) {
        json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:I}", "name", map->name, "type", map->type, "key_size",
                              (json_int_t)map->key_size, "value_size", (json_int_t)map->value_size, "max_entries",
                              (json_int_t)map->max_entries);

        for (size_t i = 0; i < p->n_seeds; i++)
                if (streq(p->seeds[i].map, map->name) && p->seeds[i].records.len > 0)
                        json_object_set_new(j, "seed", json_sprintf("seeds/%s.%s.bin", p->source->name, map->name));
        return j;
}

static const char *mode_word(const struct policy_source *source) {
        return source->mode == MODE_AUDIT ? "audit" : "enforce";
}

/* What the engine was made from. */
static json_t *rulesets_json(const struct rules_set *rules) {
        json_t *list = json_array();

        for (size_t i = 0; i < rules->n; i++)
                json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", rules->policies[i].source->name, "mode",
                                                      mode_word(rules->policies[i].source), "scope",
                                                      scope_json(rules_policy_scope(&rules->policies[i]))));
        return list;
}

static json_t *policy_json(const struct build *b, const struct build_policy *p) {
        json_t *maps = json_array(), *policy;

        for (size_t i = 0; i < p->object->n_maps; i++)
                json_array_append_new(maps, map_json(p, &p->object->maps[i]));
        policy = json_pack("{s:s, s:o, s:b, s:s, s:o, s:o, s:o}", "name", p->source->name, "object",
                           json_sprintf("objects/%s.bpf.o", p->source->name), "plain", p->source->plain, "mode",
                           mode_word(p->source), "scope", scope_json(&p->source->scope), "programs", programs_json(p), "maps",
                           maps);
        if (p->source->rules)
                json_object_set_new(policy, "rulesets", rulesets_json(b->rules));
        return policy;
}

/* In the order of bundle.yaml; plain ones behind the others, because they do not go on to the next. */
static json_t *policies_json(const struct build *b) {
        json_t *list = json_array();

        for (int plain = 0; plain <= 1; plain++)
                for (size_t i = 0; i < b->n_policies; i++)
                        if (b->policies[i].source->plain == plain)
                                json_array_append_new(list, policy_json(b, &b->policies[i]));
        return list;
}

/* ---- what it needs, where it comes from ---------------------------------------------------------------------------- */

static json_t *strings_json(const struct strv *s) {
        json_t *list = json_array();

        for (size_t i = 0; i < s->n; i++)
                json_array_append_new(list, json_string(s->v[i]));
        return list;
}

static json_t *requires_json(const struct build *b) {
        cleanup_strv struct strv hooks = {}, helpers = {}, features = {};
        int e = 0;

        for (size_t i = 0; i < b->n_policies; i++) {
                const struct object *o = b->policies[i].object;

                for (size_t k = 0; e == 0 && k < o->n_programs; k++)
                        if (!program_optional(&b->policies[i], o->programs[k].hook))
                                e = strv_add_set(&hooks, o->programs[k].hook);
                for (size_t k = 0; e == 0 && k < o->helpers.n; k++)
                        e = strv_add_set(&helpers, o->helpers.v[k]);
                for (size_t k = 0; e == 0 && k < o->features.n; k++)
                        e = strv_add_set(&features, o->features.v[k]);
        }
        return e < 0 ? NULL
                     : json_pack("{s:o, s:o, s:o}", "hooks", strings_json(&hooks), "helpers", strings_json(&helpers), "features",
                                 strings_json(&features));
}

static int source_add(json_t *by_path, const char *name, const uint8_t digest[static SHA256_SIZE], struct err *err) {
        char hex[SHA256_HEX];

        hex_encode(digest, SHA256_SIZE, hex);
        if (json_object_set_new(by_path, name, json_string(hex)) < 0)
                return err_set(err, -EINVAL, REASON_NONE, "the name of '%s' is not UTF-8", name);
        return 0;
}

/* A file of the tree that no compiler read. */
static int tree_file_add(const struct build *b, json_t *by_path, const char *path, struct err *err) {
        cleanup_free char *name = path_relative(b->root, path);
        cleanup_buf struct buf text = {};
        uint8_t digest[SHA256_SIZE];
        int e = file_read(AT_FDCWD, path, YAML_FILE_MAX, &text, err);

        if (e < 0)
                return e;
        e = name ? sha256(text.data, text.len, digest) : -ENOMEM;
        return e < 0 ? err_errno(err, e, "provenance of '%s'", path) : source_add(by_path, name, digest, err);
}

/* Every file but the system's and the compiler's, sorted by path. */
static int sources_json(const struct build *b, json_t **ret, struct err *err) {
        cleanup_json json_t *by_path = json_object();
        cleanup_strv struct strv sorted = {};
        const char *name;
        json_t *value;
        int e = tree_file_add(b, by_path, b->bundle->file, err);

        for (size_t i = 0; e == 0 && i < b->bundle->selftests.n; i++)
                e = tree_file_add(b, by_path, b->bundle->selftests.v[i], err);
        for (size_t i = 0; e == 0 && i < b->rules->n; i++)
                e = tree_file_add(b, by_path, b->rules->policies[i].source->path, err);
        for (size_t i = 0; i < b->n_policies; i++) {
                const struct record *record = &b->policies[i].unit.record;

                for (size_t k = 0; e == 0 && k < record->n_files; k++)
                        if (record->files[k].origin != ORIGIN_SYSTEM)
                                e = source_add(by_path, record->files[k].name, record->files[k].sha256, err);
        }
        if (e < 0)
                return e;
        json_object_foreach(by_path, name, value) if (strv_add_set(&sorted, name) < 0) return err_errno(err, -ENOMEM,
                                                                                                        "provenance");
        *ret = json_array();
        for (size_t i = 0; i < sorted.n; i++)
                json_array_append_new(
                        *ret, json_pack("{s:s, s:O}", "path", sorted.v[i], "sha256", json_object_get(by_path, sorted.v[i])));
        return 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static int document_make(const struct build *b, const struct build_archive *a, json_t **ret, struct err *err) {
        json_t *sources = NULL, *provenance;
        int e = sources_json(b, &sources, err);

        if (e < 0)
                return e;
        provenance = json_pack("{s:s, s:s, s:I, s:o}", "commit", b->provenance.commit, "compiler", b->toolchain.version, "date",
                               (json_int_t)b->provenance.date, "sources", sources);
        *ret = json_pack("{s:s, s:i, s:i, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "_type", MANIFEST_TYPE, "format", MANIFEST_FORMAT,
                         "abi", LSM_ABI, "name", b->bundle->name, "version", b->version, "release", (json_int_t)b->release,
                         "policies", policies_json(b), "requires", requires_json(b), "provenance", provenance, "members",
                         members_json(a));
        return *ret ? 0 : err_errno(err, -ENOMEM, "manifest");
}

int build_archive_make(const struct build *b, struct build_archive *ret, struct err *err) {
        cleanup_build_archive struct build_archive a = {};
        cleanup_manifest struct manifest *manifest = NULL;
        cleanup_json json_t *doc = NULL;
        int e = members_collect(b, &a);

        if (e < 0)
                return err_errno(err, e, "members");
        e = document_make(b, &a, &doc, err);
        if (e == 0)
                e = json_canonical(doc, &a.env.bytes, err);
        /* Nothing leaves here that a node would not take. */
        if (e == 0)
                e = manifest_parse(a.env.bytes.data, a.env.bytes.len, &manifest, err);
        if (e < 0)
                return err_wrap(err, e, "the manifest that was made");
        *ret = a;
        a = (struct build_archive){};
        return 0;
}
