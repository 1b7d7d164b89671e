/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_counts.h"

#include <bpf/bpf.h>

#include "bpffs.h"

#define ARRAY_READ_MAX LSM_CELLS_MAX /* nothing that is read here may have more */
#define VALUE_MAX 4096               /* nor may one of it be longer */

static int pin_all(const char *dir, const struct loaded_policy *p, struct err *err) {
        const struct {
                const char *name;
                int fd;
        } maps[] = {{"counts", p->rule_counts}, {"table", p->rule_table}, {"cells", p->rule_cells}, {"roots", p->rule_roots}};
        char path[PATH_MAX];
        int r = pin_mkdir(dir, err);

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(maps); i++) {
                r = pin_path(path, "%s/%s", dir, maps[i].name);
                if (r >= 0 && maps[i].fd >= 0)
                        r = pin_put(maps[i].fd, path, err);
        }
        return r;
}

int rules_counts_pin(const char *dir, const struct loaded *loaded, struct err *err) {
        int r = pin_remove(dir, err);

        for (size_t i = 0; r >= 0 && loaded && i < loaded->n_policies; i++)
                if (loaded->policies[i].rule_counts >= 0 && loaded->policies[i].rule_table >= 0)
                        return pin_all(dir, &loaded->policies[i], err);
        return r;
}

bool rule_name_split(const char *id, size_t n, char policy[static LSM_RULE_ID_LEN], char rule[static LSM_RULE_ID_LEN]) {
        size_t len = strnlen(id, n);
        const char *slash = memchr(id, '/', len);
        size_t before = slash ? (size_t)(slash - id) : 0;

        if (!slash || len >= LSM_RULE_ID_LEN)
                return false;
        memcpy(policy, id, before);
        policy[before] = '\0';
        memcpy(rule, slash + 1, len - before - 1);
        rule[len - before - 1] = '\0';
        return name_valid(policy) && name_valid(rule);
}

int rules_array_read(const char *dir, const char *name, uint32_t value_size, char **ret, uint32_t *ret_n) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info), next, count;
        cleanup_free uint32_t *keys = NULL;
        cleanup_free char *values = NULL;
        char path[PATH_MAX];
        cleanup_fd int fd = -1;

        if (pin_path(path, "%s/%s", dir, name) < 0)
                return -ENAMETOOLONG;
        fd = pin_get(path);
        if (fd < 0)
                return fd;
        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < value_size || info.value_size > VALUE_MAX ||
            info.max_entries > ARRAY_READ_MAX)
                return -EBADMSG;
        count = info.max_entries;
        keys = new_array(count, sizeof(*keys));
        values = new_array(count, info.value_size);
        if (!keys || !values)
                return -ENOMEM;
        /* The last batch of a map ends in -ENOENT. */
        if (bpf_map_lookup_batch(fd, NULL, &next, keys, values, &count, NULL) < 0 && errno != ENOENT)
                return -errno;
        if (count != info.max_entries)
                return -EBADMSG;
        for (uint32_t i = 0; i < count; i++)
                memmove(values + (size_t)i * value_size, values + (size_t)i * info.value_size, value_size);
        *ret = steal_pointer(values);
        *ret_n = count;
        return 0;
}

int rules_counts_read(const char *dir, struct rule_count **ret, size_t *ret_n) {
        cleanup_free char *counts = NULL, *table = NULL;
        struct rule_count *list;
        uint32_t n, k;
        int r;

        *ret = NULL;
        *ret_n = 0;
        r = rules_array_read(dir, "counts", sizeof(struct lsm_rules_count), &counts, &n);
        if (r >= 0)
                r = rules_array_read(dir, "table", sizeof(struct lsm_rules_rule_head), &table, &k);
        if (r < 0 || n != k)
                return r == -ENOENT ? 0 : r < 0 ? r : -EBADMSG;
        list = new_array(n, sizeof(*list));
        if (!list)
                return -ENOMEM;
        for (uint32_t i = 0; i < n; i++) {
                const struct lsm_rules_rule_head *rule = (const struct lsm_rules_rule_head *)table + i;

                if (!rule_name_split(rule->id, sizeof(rule->id), list[i].policy, list[i].rule)) {
                        free(list);
                        return -EBADMSG;
                }
                list[i].count = ((const struct lsm_rules_count *)counts)[i];
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

json_t *rules_counts_json(const char *dir) {
        cleanup_free struct rule_count *rules = NULL;
        json_t *list = json_array();
        size_t n;

        if (rules_counts_read(dir, &rules, &n) < 0)
                n = 0;
        for (size_t i = 0; i < n; i++)
                json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "policy", rules[i].policy, "rule",
                                                      rules[i].rule, "allowed", (json_int_t)rules[i].count.allowed, "denied",
                                                      (json_int_t)rules[i].count.denied, "would_deny",
                                                      (json_int_t)rules[i].count.would_deny));
        return list;
}
