/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's `to`: addresses of IP, abstract UNIX sockets and paths of others, some of them with '!' in front. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "address_pattern.h"
#include "fields.h"
#include "rules_yaml.h"

struct item {
        const struct yaml_node *node;
        bool negative, is_path;
        struct path_pattern path;
        struct address_pattern address;
};

static enum rules_to_kinds kind_of(const struct item *item) {
        return item->is_path || item->address.kind == ADDRESS_ABSTRACT ? RULES_TO_UNIX : RULES_TO_IP;
}

static bool item_read(const struct yaml_node *node, struct item *ret, struct diags *diags) {
        const char *text = field_text(node, "to", diags);
        struct err err = {};
        size_t len = node->len, column = 1, skipped = 0;
        struct pos pos = node->pos;
        int e;

        *ret = (struct item){.node = node};
        if (!text)
                return false;
        if (text[0] == '!') {
                ret->negative = true;
                skipped = 1;
        }
        text += skipped;
        len -= skipped;
        ret->is_path = text[0] == '/';
        e = ret->is_path ? path_pattern_parse_at(text, len, &ret->path, &column, &err)
                         : address_pattern_parse_at(text, len, &ret->address, &column, &err);
        if (e == 0)
                return true;
        if (!node->quoted)
                pos.column += skipped + column - 1;
        diag_error(diags, pos, "'to': %s", err.msg);
        return false;
}

static bool item_covers(const struct item *a, const struct item *b) {
        if (a->is_path || b->is_path)
                return a->is_path && b->is_path && path_pattern_covers(&a->path, &b->path);
        return address_pattern_covers(&a->address, &b->address);
}

/* Not exact for paths with wildcards: then they may. */
static bool item_meets(const struct item *a, const struct item *b) {
        if (!a->is_path && !b->is_path)
                return address_pattern_meets(&a->address, &b->address);
        if (!a->is_path || !b->is_path)
                return false;
        if (a->path.kind == PATH_GLOB || b->path.kind == PATH_GLOB)
                return true;
        return path_pattern_covers(&a->path, &b->path) || path_pattern_covers(&b->path, &a->path);
}

static void items_check(const struct item *items, size_t n, unsigned positive, struct diags *diags) {
        for (size_t i = 0; i < n; i++) {
                bool meets = false;

                for (size_t k = 0; items[i].negative && k < n; k++) {
                        if (items[k].negative)
                                continue;
                        meets = meets || item_meets(&items[i], &items[k]);
                        if (item_covers(&items[i], &items[k]))
                                diag_error(diags, items[k].node->pos, "'to': '%s' never matches: '%s' takes all of it away",
                                           items[k].node->text, items[i].node->text);
                }
                if (items[i].negative && positive != 0 && !meets)
                        diag_error(diags, items[i].node->pos, "'to': '%s' takes nothing away from what else is named",
                                   items[i].node->text);
        }
}

static void pattern_add(struct rules_paths *to, struct path_pattern *pattern, const struct yaml_node *node) {
        to->v[to->n++] = (struct rules_path){node->pos, *pattern, node->text};
        *pattern = (struct path_pattern){};
}

static int item_add(struct item *item, struct rules_paths *to) {
        struct path_pattern patterns[2 * ADDRESS_ALTERNATIVES];
        size_t n = 0;
        int e;

        if (item->is_path) {
                pattern_add(to, &item->path, item->node);
                return 0;
        }
        e = address_pattern_paths(&item->address, patterns, &n);
        for (size_t i = 0; i < n; i++)
                pattern_add(to, &patterns[i], item->node);
        return e;
}

/* What there is to take something away from, where nothing is named. */
static int all_add(unsigned kinds, const struct yaml_node *node, struct rules_paths *to) {
        struct item abstract = {.node = node, .address = {.kind = ADDRESS_ABSTRACT, .beginning = true}},
                    ip = {.node = node, .address = {.kind = ADDRESS_IP, .port_max = UINT16_MAX}},
                    tree = {.node = node, .is_path = true};
        int e = kinds & RULES_TO_IP ? item_add(&ip, to) : 0;

        if (e == 0 && kinds & RULES_TO_UNIX)
                e = path_pattern_parse("/", &tree.path, NULL) ?: item_add(&tree, to) ?: item_add(&abstract, to);
        return e;
}

/* For those with or without a '!', and for all that there is. */
static bool room_for(struct rules_paths *to, const struct item *items, size_t n, bool negative) {
        size_t room = 2 + 2;

        for (size_t i = 0; i < n; i++)
                if (items[i].negative == negative)
                        room += items[i].is_path ? 1 : (size_t)2 * ADDRESS_ALTERNATIVES;
        to->v = new_array(room, sizeof(*to->v));
        return to->v;
}

static int items_add(struct item *items, size_t n, unsigned all, struct rules_rule *rule) {
        int e = 0;

        if (!room_for(&rule->paths, items, n, false) || !room_for(&rule->except, items, n, true))
                return -ENOMEM;
        for (size_t i = 0; e == 0 && i < n; i++)
                e = item_add(&items[i], items[i].negative ? &rule->except : &rule->paths);
        return e == 0 && all != 0 ? all_add(all, items[0].node, &rule->paths) : e;
}

bool rules_value_to(const struct yaml_node *value, struct rules_rule *rule, struct diags *diags) {
        struct rules_items values = rules_items_of(&value, "to", diags);
        cleanup_free struct item *items = new_array(values.n, sizeof(*items));
        unsigned positive = 0, negative = 0;
        size_t n = 0;
        int e = items ? 0 : -ENOMEM;

        for (size_t i = 0; items && i < values.n; i++) {
                if (!item_read(values.v[i], &items[n], diags))
                        continue;
                if (items[n].negative)
                        negative |= kind_of(&items[n]);
                else
                        positive |= kind_of(&items[n]);
                n++;
        }
        if (e == 0 && n > 0) {
                items_check(items, n, positive, diags);
                rule->to_kinds = positive ?: negative;
                e = items_add(items, n, positive != 0 ? 0 : negative, rule);
                rules_paths_check_twice(&rule->paths, "to", value, diags);
                rules_paths_check_twice(&rule->except, "to", value, diags);
        }
        for (size_t i = 0; i < n; i++)
                path_pattern_done(&items[i].path);
        if (e < 0)
                diag_error(diags, value->pos, "out of memory");
        return e == 0 && n > 0;
}

/* ---- with what else the rule says ----------------------------------------------------------------------------------- */

/* A path, that no family of the rule leaves out; without `to`, when UNIX is said. */
static bool names_node(const struct rules_rule *rule) {
        if (rule->families.n > 0 && !rules_numbers_have(&rule->families, AF_UNIX))
                return false;
        for (size_t i = 0; i < rule->paths.n; i++)
                if (rule->paths.v[i].pattern.kind != PATH_ADDRESS)
                        return true;
        return rule->paths.n == 0 && rule->families.n > 0;
}

/* An address that the rule's families leave out. `protocol` alone means those of IP. */
static bool family_excludes(const struct rules_rule *rule, const struct rules_path *path) {
        const char *text = path->pattern.kind == PATH_ADDRESS ? path->pattern.prefix : "@";

        if (rule->families.n == 0)
                return rule->protocols.n > 0 && text[0] == '@';
        return !rules_numbers_have(&rule->families, text[0] == '4' ? AF_INET : text[0] == '6' ? AF_INET6 : AF_UNIX);
}

static bool only_without_ports(const struct rules_rule *rule) {
        for (size_t i = 0; i < rule->types.n; i++)
                if (rule->types.v[i] != SOCK_RAW)
                        return false;
        for (size_t i = 0; rule->types.n == 0 && i < rule->protocols.n; i++)
                if (rule->protocols.v[i] != IPPROTO_ICMP && rule->protocols.v[i] != IPPROTO_ICMPV6)
                        return false;
        return rule->types.n + rule->protocols.n > 0;
}

/* Each of the file's values once, though it may be several patterns. */
static void check_families(const struct rules_rule *rule, struct diags *diags) {
        for (size_t i = 0, end; i < rule->paths.n; i = end) {
                const struct rules_path *path = &rule->paths.v[i];
                bool left = false;

                for (end = i; end < rule->paths.n && rules_path_same_value(&rule->paths.v[end], path); end++)
                        left = left || !family_excludes(rule, &rule->paths.v[end]);
                if (!left)
                        diag_error(diags, path->pos, "'to': '%s' never matches: %s", path->written,
                                   rule->families.n > 0 ? "'family' leaves it out" : "'protocol' without 'family' is of IP");
        }
}

static void check_ports(const struct rules_rule *rule, struct diags *diags) {
        for (size_t i = 0; i < rule->paths.n; i++) {
                const char *written = rule->paths.v[i].written;
                struct address_pattern a;

                if (rule->paths.v[i].pattern.kind == PATH_ADDRESS && written[0] != '!' &&
                    address_pattern_parse_at(written, strlen(written), &a, NULL, NULL) == 0 && a.port_min > 0) {
                        diag_error(diags, rule->paths.v[i].pos, "'to': '%s' never matches: such sockets have no ports", written);
                        return;
                }
        }
}

void rules_to_check(const struct rules_rule *rule, struct diags *diags) {
        check_families(rule, diags);
        if (rule->to_kinds & RULES_TO_IP && only_without_ports(rule))
                check_ports(rule, diags);
        if (rule->ops & LSM_OP_BIT(LSM_OP_SOCKET_BIND) && rule->types.n + rule->protocols.n > 0 && names_node(rule))
                diag_error(diags, rule->pos,
                           "'type' and 'protocol' are not known where a UNIX socket is bound to a path: leave them out, or write "
                           "one rule for 'socket.bind' and one for the rest");
}
