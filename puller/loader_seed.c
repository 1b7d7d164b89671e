/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_seed.h"

#include <bpf/bpf.h>

#include "fileio.h"
#include "loader_parts.h"
#include "lowered.h"
#include "lsm_abi.h"
#include "lsm_rules_abi.h"
#include "plan.h"

/* Modes of policies that are written as rules, as they are on this node: in what is seeded, before it is frozen. */
static int modes_lower(const struct manifest_policy *engine, const int *members, const char *lowered, int map, struct err *err) {
        struct rules_sets sets;
        int r = rules_sets_read(engine, members, &sets, err);

        for (uint32_t i = 0; r >= 0 && i < sets.n; i++) {
                struct lsm_rules_set set;

                if (!lowered_has(lowered, sets.list[i].policy))
                        continue;
                if (bpf_map_lookup_elem(map, &i, &set) < 0)
                        return err_errno(err, -errno, "map 'lsm_rules_sets'");
                set.mode = LSM_MODE_AUDIT;
                if (bpf_map_update_elem(map, &i, &set, BPF_ANY) < 0)
                        return err_errno(err, -errno, "map 'lsm_rules_sets'");
        }
        return r;
}

#define SEED_BATCH 4096 /* records for one system call */

/* Packed records of key and value, which the kernel wants apart. Hashes and arrays, which are all that is seeded, take batches. */
static int records_put(const struct manifest_map *m, int map, const char *data, size_t n, struct err *err) {
        size_t record = (size_t)m->key_size + m->value_size;
        cleanup_free char *keys = calloc(SEED_BATCH, m->key_size), *values = calloc(SEED_BATCH, m->value_size);

        if (!keys || !values)
                return err_errno(err, -ENOMEM, "seed of map '%s'", m->name);
        for (size_t at = 0; at < n;) {
                uint32_t count = n - at < SEED_BATCH ? (uint32_t)(n - at) : SEED_BATCH, given = count;

                for (uint32_t i = 0; i < count; i++) {
                        memcpy(keys + (size_t)i * m->key_size, data + (at + i) * record, m->key_size);
                        memcpy(values + (size_t)i * m->value_size, data + (at + i) * record + m->key_size, m->value_size);
                }
                if (bpf_map_update_batch(map, keys, values, &count, NULL) < 0)
                        return err_errno(err, -errno, "seed of map '%s', record %zu", m->name, at + (count < given ? count : 0));
                at += given;
        }
        return 0;
}

int map_seed(const struct manifest_policy *p, const struct manifest_map *m, const int *members, const char *lowered, int map,
             struct err *err) {
        size_t record = (size_t)m->key_size + m->value_size;
        cleanup_buf struct buf data = {0};
        int r;

        r = m->seed < 0 ? 0 : memfd_read(members[m->seed], OBJECT_MAX, &data, err);
        if (r < 0)
                return r;
        if (record == 0 || data.len % record != 0)
                return err_set(err, -EINVAL, REASON_MALFORMED, "seed of map '%s': not a whole number of records", m->name);
        r = records_put(m, map, data.data, data.len / record, err);
        if (r < 0)
                return r;
        if (*lowered && policy_is_engine(p) && streq(m->name, "lsm_rules_sets"))
                return modes_lower(p, members, lowered, map, err);
        return 0;
}
