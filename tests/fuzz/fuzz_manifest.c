/* SPDX-License-Identifier: Apache-2.0 */
/* What a loader follows in an accepted manifest leads somewhere. The input is made canonical first, or hardly any would get
 * in. */
#include "fuzz.h"
#include "manifest.h"

static void policy_check(const struct manifest *m, const struct manifest_policy *p) {
        must(name_valid(p->name));
        must(p->object < m->n_members && strncmp(m->members[p->object].path, "objects/", 8) == 0);
        must(p->n_programs >= 1 && p->n_programs <= POLICY_PROGRAMS_MAX);
        for (size_t i = 0; i < p->n_programs; i++)
                must(identifier_valid(p->programs[i].name) && hook_valid(p->programs[i].hook));
        for (size_t i = 0; i < p->n_maps; i++) {
                const struct manifest_map *map = &p->maps[i];
                uint64_t record = (uint64_t)map->key_size + map->value_size;

                must(identifier_valid(map->name) && *map->type);
                if (map->seed < 0)
                        continue;
                must((size_t)map->seed < m->n_members && strncmp(m->members[map->seed].path, "seeds/", 6) == 0);
                must(record > 0 && m->members[map->seed].length % record == 0);
                must(m->members[map->seed].length / record <= map->max_entries);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_manifest struct manifest *m = NULL, *raw = NULL;
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf b = {};
        struct err err = {};

        if (manifest_parse(data, size, &raw, &err) < 0)
                must(err.reason != REASON_NONE && err.msg[0] && !raw);
        if (json_parse(data, size, &j, NULL) < 0) {
                must(!raw);
                return 0;
        }
        must(json_canonical(j, &b, NULL) == 0);
        if (manifest_parse(b.data, b.len, &m, &err) < 0) {
                must(err.reason != REASON_NONE && err.msg[0] && !m);
                return 0;
        }
        must(!raw || (b.len == size && memcmp(b.data, data, size) == 0));
        must(name_valid(m->name) && version_valid(m->version) && m->release > 0);
        must(m->n_members >= 1 && m->n_members <= MEMBERS_MAX && streq(m->members[m->selftests].path, SELFTESTS_PATH));
        for (size_t i = 0; i < m->n_members; i++)
                must(member_path_safe(m->members[i].path));
        must(m->n_policies >= 1 && m->n_policies <= POLICIES_MAX);
        for (size_t i = 0; i < m->n_policies; i++)
                policy_check(m, &m->policies[i]);
        return 0;
}
