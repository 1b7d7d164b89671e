/* SPDX-License-Identifier: Apache-2.0 */
#include "intern.h"

#include "buf.h"

struct item {
        uint64_t hash;
        size_t at, n; /* in bytes */
};

struct intern {
        struct buf bytes;
        struct item *items;
        size_t n, cap;
        uint32_t *table; /* 1 + number; 0: free */
        size_t size;     /* of the table, a power of two, never more than half full */
};

struct intern *intern_new(void) {
        return new_array(1, sizeof(struct intern));
}

void intern_free(struct intern *in) {
        if (!in)
                return;
        buf_done(&in->bytes);
        free(in->items);
        free(in->table);
        free(in);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const uint8_t *p, size_t n) {
        uint64_t h = 0xcbf29ce484222325;

        for (size_t i = 0; i < n; i++)
                h = (h ^ p[i]) * 0x100000001b3;
        return h ^ h >> 32;
}

/* Where the bytes are in the table, or where they would go. */
static size_t slot_find(const struct intern *in, uint64_t hash, const void *p, size_t n) {
        size_t i = hash & (in->size - 1);

        for (; in->table[i]; i = (i + 1) & (in->size - 1)) {
                const struct item *item = &in->items[in->table[i] - 1];

                if (p && item->hash == hash && item->n == n && (n == 0 || memcmp(in->bytes.data + item->at, p, n) == 0))
                        break;
        }
        return i;
}

static int grow(struct intern *in) {
        size_t cap = in->cap > 0 ? in->cap * 2 : 64;
        struct item *items = reallocarray(in->items, cap, sizeof(*items));
        uint32_t *table = items ? new_array(cap * 2, sizeof(*table)) : NULL;

        if (items)
                in->items = items;
        if (!table)
                return -ENOMEM;
        in->cap = cap;
        free(in->table);
        in->table = table;
        in->size = cap * 2;
        for (size_t i = 0; i < in->n; i++)
                in->table[slot_find(in, in->items[i].hash, NULL, 0)] = (uint32_t)i + 1;
        return 0;
}

int64_t intern_add(struct intern *in, const void *p, size_t n) {
        uint64_t hash = hash_of(p, n);
        size_t slot;

        if (in->n == in->cap && (in->n >= UINT32_MAX / 4 || grow(in) < 0))
                return -ENOMEM;
        slot = slot_find(in, hash, p ?: "", n);
        if (in->table[slot])
                return in->table[slot] - 1;
        in->items[in->n] = (struct item){hash, in->bytes.len, n};
        if (buf_append(&in->bytes, p, n) < 0)
                return -ENOMEM;
        in->table[slot] = (uint32_t)++in->n;
        return (int64_t)in->n - 1;
}

size_t intern_count(const struct intern *in) {
        return in->n;
}

const void *intern_get(const struct intern *in, size_t number, size_t *ret_n) {
        *ret_n = in->items[number].n;
        return in->bytes.data + in->items[number].at;
}
