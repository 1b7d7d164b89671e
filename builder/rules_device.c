/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's `device`: `block`, `char`, or a number as `ls -l` shows it, MAJOR:MINOR or MAJOR:*, with `b` or `c` in front for one kind. */
#include <ctype.h>

#include "fields.h"
#include "rules_yaml.h"

#define VALUES_MAX 256 /* of a rule */
#define DEVICE_KINDS 2 /* a number without a kind is one of each */

/* What one value of the file says. */
struct item {
        struct lsm_rules_device v[DEVICE_KINDS];
        size_t n;
        const struct yaml_node *node;
};

static void item_add(struct item *item, enum lsm_device_kind kind, uint32_t number, uint32_t mask) {
        item->v[item->n++] = (struct lsm_rules_device){(LSM_DEVICE_VALUE(kind, 0, 0) | number) & mask, mask};
}

/* Decimal digits; *text is set behind them. false: there are none, or the number is above max. */
static bool number_parse(const char **text, uint32_t max, uint32_t *ret) {
        const char *s = *text;
        uint32_t v = 0;

        if (!isdigit((unsigned char)*s))
                return false;
        for (; isdigit((unsigned char)*s); s++) {
                v = v * 10 + (uint32_t)(*s - '0');
                if (v > max)
                        return false;
        }
        *text = s;
        *ret = v;
        return true;
}

/* NULL, or what is wrong. */
static const char *number_read(const char *text, struct item *ret) {
        const char *s = text;
        uint32_t major, minor = 0, mask = LSM_DEVICE_MASK_MAJOR;
        bool block = true, character = true;

        if ((s[0] == 'b' || s[0] == 'c') && s[1] == ' ') {
                block = s[0] == 'b';
                character = !block;
                s += 2;
        }
        if (s[0] == '*')
                return "for all major numbers, write block or char";
        if (!isdigit((unsigned char)*s))
                return "it is block, char, or a number: 8:0, 8:*, 'b 8:0', 'c 1:*'";
        if (!number_parse(&s, LSM_DEVICE_MAJOR_MAX, &major))
                return "no device has a major number above 511";
        if (*s++ != ':')
                return "behind the major number comes the minor one, or all of them: 8:0, 8:*";
        if (streq(s, "*"))
                s++;
        else if (!isdigit((unsigned char)*s))
                return "behind the major number comes the minor one, or all of them: 8:0, 8:*";
        else if (!number_parse(&s, LSM_DEVICE_MINOR_MAX, &minor))
                return "no device has a minor number above 1048575";
        else
                mask = LSM_DEVICE_MASK_ONE;
        if (*s)
                return "something follows the minor number";
        if (block)
                item_add(ret, LSM_DEVICE_BLOCK, major << 20 | minor, mask);
        if (character)
                item_add(ret, LSM_DEVICE_CHAR, major << 20 | minor, mask);
        return NULL;
}

static bool item_read(const struct yaml_node *node, struct item *ret, struct diags *diags) {
        const char *text = field_text(node, "device", diags), *wrong = NULL;

        *ret = (struct item){.node = node};
        if (!text)
                return false;
        if (streq(text, "block"))
                item_add(ret, LSM_DEVICE_BLOCK, 0, LSM_DEVICE_MASK_KIND);
        else if (streq(text, "char"))
                item_add(ret, LSM_DEVICE_CHAR, 0, LSM_DEVICE_MASK_KIND);
        else
                wrong = number_read(text, ret);
        if (wrong)
                diag_error(diags, node->pos, "'device': '%s': %s", text, wrong);
        return !wrong;
}

static bool device_covers(const struct lsm_rules_device *a, const struct lsm_rules_device *b) {
        return (b->mask & a->mask) == a->mask && (b->value & a->mask) == a->value;
}

bool rules_devices_cover(const struct rules_devices *a, const struct rules_devices *b) {
        for (size_t i = 0; i < b->n; i++) {
                bool covered = false;

                for (size_t k = 0; k < a->n && !covered; k++)
                        covered = device_covers(&a->v[k], &b->v[i]);
                if (!covered)
                        return false;
        }
        return true;
}

/* All that an item says, the other one says, too. */
static bool item_covers(const struct item *a, const struct item *b) {
        return rules_devices_cover(&(struct rules_devices){(struct lsm_rules_device *)a->v, a->n},
                                   &(struct rules_devices){(struct lsm_rules_device *)b->v, b->n});
}

/* Each is compared with each. */
static void items_check(const struct item *items, size_t n, struct diags *diags) {
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++) {
                        bool same = item_covers(&items[i], &items[k]);

                        if (k == i || !item_covers(&items[k], &items[i]) || (same && k > i))
                                continue;
                        if (same)
                                diag_error(diags, items[i].node->pos, "'device': '%s' is there twice", items[i].node->text);
                        else
                                diag_error(diags, items[i].node->pos, "'device': '%s' takes in '%s', which is there, too",
                                           items[k].node->text, items[i].node->text);
                        break;
                }
}

static int device_cmp(const void *a, const void *b) {
        const struct lsm_rules_device *x = a, *y = b;

        if (x->value != y->value)
                return x->value < y->value ? -1 : 1;
        return (x->mask > y->mask) - (x->mask < y->mask);
}

/* Of two items, each may have the half of another: the same twice goes. */
static void devices_sort(struct rules_devices *devices) {
        size_t kept = 0;

        qsort(devices->v, devices->n, sizeof(*devices->v), device_cmp);
        for (size_t i = 0; i < devices->n; i++)
                if (kept == 0 || device_cmp(&devices->v[kept - 1], &devices->v[i]) != 0)
                        devices->v[kept++] = devices->v[i];
        devices->n = kept;
}

bool rules_value_devices(const struct yaml_node *value, struct rules_devices *ret, struct diags *diags) {
        struct rules_items values = rules_items_of(&value, "device", diags);
        cleanup_free struct item *items = new_array(values.n, sizeof(*items));
        size_t n = 0;

        ret->v = new_array(values.n * DEVICE_KINDS, sizeof(*ret->v));
        if (!items || !ret->v) {
                diag_error(diags, value->pos, "out of memory");
                return false;
        }
        if (values.n > VALUES_MAX) {
                diag_error(diags, values.v[VALUES_MAX]->pos, "'device': more than %d in a rule", VALUES_MAX);
                return false;
        }
        for (size_t i = 0; i < values.n; i++)
                if (item_read(values.v[i], &items[n], diags))
                        n++;
        items_check(items, n, diags);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < items[i].n; k++)
                        ret->v[ret->n++] = items[i].v[k];
        devices_sort(ret);
        return ret->n > 0;
}
