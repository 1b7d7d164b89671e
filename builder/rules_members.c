/* SPDX-License-Identifier: Apache-2.0 */
#include "intern.h"
#include "rules_tables.h"

/* A set's content, to be told from others: its kind, then its members as they were asked for. */
enum kind { KIND_VALUES, KIND_COMMS, KIND_PATHS, KIND_DEVICES };

struct rules_members {
        const struct rules_index *index;
        struct intern *sets;           /* set n is number n - 1 */
        struct rules_list *by_pattern; /* the sets of programs that ask for a pattern */
        struct buf records;            /* struct lsm_rules_member */
};

struct rules_members *rules_members_new(const struct rules_index *index) {
        struct rules_members *m = new_array(1, sizeof(*m));

        if (!m)
                return NULL;
        m->index = index;
        m->sets = intern_new();
        m->by_pattern = new_array(index->n_patterns, sizeof(*m->by_pattern));
        if (!m->sets || !m->by_pattern) {
                rules_members_free(m);
                return NULL;
        }
        return m;
}

void rules_members_free(struct rules_members *m) {
        if (!m)
                return;
        for (size_t i = 0; m->by_pattern && i < m->index->n_patterns; i++)
                rules_list_done(&m->by_pattern[i]);
        free(m->by_pattern);
        intern_free(m->sets);
        buf_done(&m->records);
        free(m);
}

static int record_add(struct rules_members *m, uint32_t set, const void *value, size_t n) {
        struct lsm_rules_member record = {.set = set};

        memcpy(record.value, value, n);
        return buf_append(&m->records, &record, sizeof(record));
}

/* The number of the set; *ret_new: it was not there before. */
static int64_t set_number(struct rules_members *m, enum kind kind, const void *content, size_t n, bool *ret_new) {
        cleanup_buf struct buf key = {};
        uint32_t word = kind;
        size_t before = intern_count(m->sets);
        int64_t number;

        if (buf_append(&key, &word, sizeof(word)) < 0 || buf_append(&key, content, n) < 0)
                return -ENOMEM;
        number = intern_add(m->sets, key.data, key.len);
        *ret_new = intern_count(m->sets) > before;
        return number < 0 ? number : number + 1;
}

int64_t rules_members_values(struct rules_members *m, const struct rules_list *values) {
        bool fresh;
        int64_t set;

        if (values->n == 0)
                return 0;
        set = set_number(m, KIND_VALUES, values->v, values->n * sizeof(*values->v), &fresh);
        for (size_t i = 0; set > 0 && fresh && i < values->n; i++)
                if (record_add(m, (uint32_t)set, &values->v[i], sizeof(values->v[i])) < 0)
                        return -ENOMEM;
        return set;
}

int64_t rules_members_devices(struct rules_members *m, const struct rules_devices *devices) {
        bool fresh;
        int64_t set;

        if (devices->n == 0)
                return 0;
        set = set_number(m, KIND_DEVICES, devices->v, devices->n * sizeof(*devices->v), &fresh);
        for (size_t i = 0; set > 0 && fresh && i < devices->n; i++)
                if (record_add(m, (uint32_t)set, &devices->v[i], sizeof(devices->v[i])) < 0)
                        return -ENOMEM;
        return set;
}

int64_t rules_members_comms(struct rules_members *m, const struct strv *comms) {
        cleanup_buf struct buf content = {};
        bool fresh;
        int64_t set;

        if (comms->n == 0)
                return 0;
        for (size_t i = 0; i < comms->n; i++)
                if (buf_append(&content, comms->v[i], strlen(comms->v[i]) + 1) < 0)
                        return -ENOMEM;
        set = set_number(m, KIND_COMMS, content.data, content.len, &fresh);
        for (size_t i = 0; set > 0 && fresh && i < comms->n; i++)
                if (record_add(m, (uint32_t)set, comms->v[i], strlen(comms->v[i])) < 0)
                        return -ENOMEM;
        return set;
}

static int number_cmp(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

int64_t rules_members_paths(struct rules_members *m, const struct rules_paths *paths) {
        cleanup_rules_list struct rules_list patterns = {};
        bool fresh;
        int64_t set;

        if (paths->n == 0)
                return 0;
        for (size_t i = 0; i < paths->n; i++)
                if (rules_list_add(&patterns, rules_index_pattern(m->index, &paths->v[i].pattern)) < 0)
                        return -ENOMEM;
        qsort(patterns.v, patterns.n, sizeof(*patterns.v), number_cmp);
        set = set_number(m, KIND_PATHS, patterns.v, patterns.n * sizeof(*patterns.v), &fresh);
        for (size_t i = 0; set > 0 && fresh && i < patterns.n; i++)
                if (rules_list_add(&m->by_pattern[patterns.v[i]], (uint32_t)set) < 0)
                        return -ENOMEM;
        return set;
}

bool rules_members_ask(const struct rules_members *m, uint32_t pattern) {
        return m->by_pattern[pattern].n > 0;
}

int rules_members_class(struct rules_members *m, uint32_t class, const uint32_t *patterns, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const struct rules_list *sets = &m->by_pattern[patterns[i]];

                for (size_t k = 0; k < sets->n; k++)
                        if (record_add(m, sets->v[k], &class, sizeof(class)) < 0)
                                return -ENOMEM;
        }
        return 0;
}

static int record_cmp(const void *a, const void *b) {
        return memcmp(a, b, sizeof(struct lsm_rules_member));
}

int rules_members_pack(struct rules_members *m, struct buf *ret) {
        struct lsm_rules_member *records = (struct lsm_rules_member *)m->records.data;
        size_t n = m->records.len / sizeof(*records);

        if (n == 0)
                return 0;
        qsort(records, n, sizeof(*records), record_cmp);
        /* A class may be in a set by more than one pattern. */
        for (size_t i = 0; i < n; i++)
                if ((i == 0 || record_cmp(&records[i - 1], &records[i]) != 0) &&
                    buf_append(ret, &records[i], sizeof(records[i])) < 0)
                        return -ENOMEM;
        return 0;
}
