/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of a hook's arguments. */
#include <stddef.h>
#include <stdio.h>

#include "address_pattern.h"
#include "import_tetragon.h"
#include "rules_words.h"

#define CAP_LAST 40    /* CAP_CHECKPOINT_RESTORE */
#define NUMBER_MAX 511 /* of protocols; IPPROTO_MPTCP is 262 */

/* How a filter compares. Those of the second half are known, and cannot be said. */
enum op {
        OP_EQUAL,
        OP_PREFIX,
        OP_POSTFIX,
        OP_SUBSTRING,
        OP_MASK,
        OP_FAMILY,
        OP_TYPE,
        OP_PROTOCOL,
        OP_ADDRESS,
        OP_PORT,
        OP_OTHER
};
static const struct comparison {
        const char *word;
        enum op op;
        bool negated;
} comparisons[] = {
        {"Equal", OP_EQUAL, false},
        {"NotEqual", OP_EQUAL, true},
        {"In", OP_EQUAL, false},
        {"NotIn", OP_EQUAL, true},
        {"Prefix", OP_PREFIX, false},
        {"NotPrefix", OP_PREFIX, true},
        {"Postfix", OP_POSTFIX, false},
        {"NotPostfix", OP_POSTFIX, true},
        {"SubString", OP_SUBSTRING, false},
        {"Mask", OP_MASK, false},
        {"Family", OP_FAMILY, false},
        {"Protocol", OP_PROTOCOL, false},
        {"Type", OP_TYPE, false},
        {"SAddr", OP_ADDRESS, false},
        {"DAddr", OP_ADDRESS, false},
        {"NotSAddr", OP_ADDRESS, true},
        {"NotDAddr", OP_ADDRESS, true},
        {"SPort", OP_PORT, false},
        {"DPort", OP_PORT, false},
        {"NotSPort", OP_PORT, true},
        {"NotDPort", OP_PORT, true},
        {"SPortPriv", OP_OTHER, false},
        {"DPortPriv", OP_OTHER, false},
        {"NotSPortPriv", OP_OTHER, false},
        {"NotDPortPriv", OP_OTHER, false},
        {"State", OP_OTHER, false},
        {"GreaterThan", OP_OTHER, false},
        {"LessThan", OP_OTHER, false},
        {"GT", OP_OTHER, false},
        {"LT", OP_OTHER, false},
        {"InMap", OP_OTHER, false},
        {"NotInMap", OP_OTHER, false},
        {"InRange", OP_OTHER, false},
        {"NotInRange", OP_OTHER, false},
        {"FileType", OP_OTHER, false},
        {"NotFileType", OP_OTHER, false},
        {"CapabilitiesGained", OP_OTHER, false},
        {"SubStringIgnCase", OP_OTHER, false},
};

struct filter {
        const struct comparison *how;
        const struct yaml_node *node, *word, *values;
        uint64_t index;
};

static const char *const arg_keys[] = {"index",   "type",   "sizeArgIndex", "returnCopy", "maxData",
                                       "resolve", "source", "label",        "btfType"};
enum { ARG_INDEX, ARG_TYPE, ARG_RESOLVE = 5 };

static bool index_read(struct tg *tg, const struct yaml_node *node, uint64_t *ret) {
        bool negative = false;

        if (node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_INT && yaml_int(node, &negative, ret) == 0 && !negative)
                return true;
        import_error(tg->im, node->pos, "'index' is a whole number from 0, not %s", yaml_describe(node));
        return false;
}

/* ---- what is declared ---------------------------------------------------------------------------------------------------- */

static void type_check(struct tg *tg, const struct tg_entry *entry, const struct yaml_node *type, uint64_t index) {
        static const char *const objects[] = {"file", "path", "dentry", "linux_binprm"};
        enum tg_arg arg = index < TG_ARGS_MAX ? entry->hook->args[index] : TG_OTHER;
        const char *text = tg_text(tg, type, "type");

        if (!text || (arg != TG_OBJECT && arg != TG_DIR))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
                if (streq(objects[i], text))
                        return;
        import_error(tg->im, type->pos, "type '%s': argument %u of '%s' is a file, path, dentry or linux_binprm", text,
                     (unsigned)index, entry->hook->name);
}

void tg_args_check(struct tg *tg, const struct tg_entry *entry) {
        const struct yaml_node *v[ARRAY_SIZE(arg_keys)];

        for (size_t i = 0; entry->args && i < entry->args->n; i++) {
                const struct yaml_node *node = entry->args->items[i];
                uint64_t index = 0;

                if (!tg_keys(tg, node, "an argument", arg_keys, ARRAY_SIZE(arg_keys), v))
                        continue;
                if (!v[ARG_INDEX] || !v[ARG_TYPE])
                        import_error(tg->im, node->pos, "an argument has no '%s'", v[ARG_INDEX] ? "type" : "index");
                else if (index_read(tg, v[ARG_INDEX], &index) && !v[ARG_RESOLVE])
                        type_check(tg, entry, v[ARG_TYPE], index);
        }
}

/* The declaration of that argument; its index is one of the hook's, unless what is asked is only a part of it (ret_part). */
static bool declared(const struct tg_entry *entry, uint64_t index, bool *ret_part) {
        static const char *const names[] = {"index", "resolve"};

        for (size_t i = 0; entry->args && i < entry->args->n; i++) {
                const struct yaml_node *node = entry->args->items[i];
                bool same = false, part = false;

                for (size_t k = 0; node->kind == YAML_MAP && k < node->n; k++) {
                        bool negative;
                        uint64_t v;

                        if (node->keys[k]->kind != YAML_SCALAR)
                                continue;
                        if (streq(node->keys[k]->text, names[0]) && node->items[k]->kind == YAML_SCALAR)
                                same = yaml_scalar_type(node->items[k]) == YAML_INT &&
                                       yaml_int(node->items[k], &negative, &v) == 0 && v == index;
                        part = part || streq(node->keys[k]->text, names[1]);
                }
                if (same) {
                        *ret_part = part;
                        return true;
                }
        }
        return false;
}

/* ---- values that are numbers --------------------------------------------------------------------------------------------- */

static int capability_named(const char *word) {
        return rules_capability_named(word);
}
static int family_named(const char *word) {
        char lower[32];
        size_t n = 0;

        if (strncmp(word, "AF_", 3) != 0)
                return -EINVAL;
        for (word += 3; *word && n + 1 < sizeof(lower); word++)
                lower[n++] = *word >= 'A' && *word <= 'Z' ? (char)(*word + 'a' - 'A') : *word;
        lower[n] = '\0';
        return rules_family_named(lower);
}
static int protocol_named(const char *word) {
        char lower[32];
        size_t n = 0;

        if (strncmp(word, "IPPROTO_", 8) != 0)
                return -EINVAL;
        for (word += 8; *word && n + 1 < sizeof(lower); word++)
                lower[n++] = *word >= 'A' && *word <= 'Z' ? (char)(*word + 'a' - 'A') : *word;
        lower[n] = '\0';
        return rules_protocol_named(lower);
}
static int nothing_named(const char *word __attribute__((unused))) {
        return -EINVAL;
}

static int type_named(const char *word) {
        char lower[32];
        size_t n = 0;

        if (strncmp(word, "SOCK_", 5) != 0)
                return -EINVAL;
        for (word += 5; *word && n + 1 < sizeof(lower); word++)
                lower[n++] = *word >= 'A' && *word <= 'Z' ? (char)(*word + 'a' - 'A') : *word;
        lower[n] = '\0';
        return rules_type_named(lower);
}

/* A number, however it is written, or a name. */
static bool value_number(struct tg *tg, const struct yaml_node *node, int (*named)(const char *), unsigned max, unsigned *ret) {
        const char *text = tg_text(tg, node, "values");
        unsigned long v;
        char *end;
        int number;

        if (!text)
                return false;
        errno = 0;
        v = strtoul(text, &end, 0);
        number = errno == 0 && *end == '\0' && *text >= '0' && *text <= '9' && v <= max ? (int)v : named(text);
        if (number < 0 || (unsigned)number > max) {
                import_error(tg->im, node->pos, "'%s' is no number from 0 to %u%s", text, max,
                             named == nothing_named ? "" : ", nor a name of one");
                return false;
        }
        *ret = (unsigned)number;
        return true;
}

/* An argument that is a number, and the list of a selector that it is kept in. */
static const struct number {
        enum tg_arg arg;
        size_t list;
        int (*named)(const char *);
        unsigned max;
        bool closed; /* there is none above max: all others can be named */
} numbers[] = {
        {TG_CAP, offsetof(struct tg_selector, cap), capability_named, CAP_LAST, true},
        {TG_FAMILY, offsetof(struct tg_selector, family), family_named, 255, false},
        {TG_TYPE, offsetof(struct tg_selector, type), type_named, 15, false},
        {TG_PROTOCOL, offsetof(struct tg_selector, protocol), protocol_named, NUMBER_MAX, false},
        {TG_SIGNAL, offsetof(struct tg_selector, signal), rules_signal_named, 64, true},
        {TG_COMMAND, offsetof(struct tg_selector, command), nothing_named, 255, false},
};

/* NULL: it is no number. */
static const struct number *number_of(enum tg_arg arg) {
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                if (numbers[i].arg == arg)
                        return &numbers[i];
        return NULL;
}

static void numbers_read(struct tg *tg, struct tg_selector *s, const struct filter *f, enum tg_arg arg) {
        const struct number *number = number_of(arg);
        struct strv *to = (struct strv *)((char *)s + number->list);
        unsigned max = number->max;
        bool given[NUMBER_MAX + 1] = {};

        if (f->how->negated && !number->closed) {
                tg_unsaid(tg, s, f->word->pos, "'%s' of these numbers: rules name what they are about", f->how->word);
                return;
        }
        if (to->n > 0) {
                tg_unsaid(tg, s, f->node->pos, "a second filter of the same argument that must hold as well");
                return;
        }
        for (size_t i = 0; i < f->values->n; i++) {
                unsigned v;

                if (value_number(tg, f->values->items[i], number->named, max, &v))
                        given[v] = true;
        }
        for (unsigned i = 0; i <= max; i++)
                if (given[i] != f->how->negated)
                        tg_try(tg, strv_addf(to, "%u", i));
}

/* Of file_permission: what the file is asked for; of mmap_file: what the memory may be used for. */
static void bits_read(struct tg *tg, struct tg_selector *s, const struct filter *f, enum tg_arg arg) {
        enum { MAY_WRITE = 2, MAY_READ = 4, PROT_MEM_EXEC = 4 };
        unsigned all = 0;

        if (f->how->negated || (f->how->op != OP_MASK && f->how->op != OP_EQUAL) || (f->how->op == OP_EQUAL && arg == TG_PROT)) {
                tg_unsaid(tg, s, f->word->pos, "'%s' of these bits: rules know one use at a time", f->how->word);
                return;
        }
        for (size_t i = 0; i < f->values->n; i++) {
                unsigned v;

                if (!value_number(tg, f->values->items[i], nothing_named, 0xffff, &v))
                        return;
                if (arg == TG_MASK && f->how->op == OP_EQUAL && v != MAY_READ && v != MAY_WRITE)
                        tg_unsaid(tg, s, f->values->items[i]->pos, "%u: rules are asked for reading (4) and writing (2)", v);
                all |= v;
        }
        if (s->ops.n > 0) {
                tg_unsaid(tg, s, f->node->pos, "a second filter of the same argument that must hold as well");
                return;
        }
        if (arg == TG_PROT) {
                if (all != PROT_MEM_EXEC)
                        tg_unsaid(tg, s, f->word->pos, "rules are asked for mappings to execute (4) alone");
                else
                        tg_add(tg, &s->ops, "file.mmap-exec");
                return;
        }
        if (all & MAY_READ)
                tg_add(tg, &s->ops, "file.read");
        if (all & MAY_WRITE)
                tg_add(tg, &s->ops, "file.write");
        if (all & ~(unsigned)(MAY_READ | MAY_WRITE) || all == 0)
                tg_unsaid(tg, s, f->word->pos, "rules are asked for reading (4) and writing (2)");
}

/* ---- paths --------------------------------------------------------------------------------------------------------------- */

static struct strv steal_list(struct strv *from) {
        struct strv ret = *from;

        *from = (struct strv){};
        return ret;
}

static void paths_read(struct tg *tg, struct tg_selector *s, const struct filter *f, bool dir) {
        static const enum tg_compare compares[] = {
                [OP_EQUAL] = TG_EQUAL, [OP_PREFIX] = TG_PREFIX, [OP_POSTFIX] = TG_POSTFIX, [OP_SUBSTRING] = TG_SUBSTRING};
        cleanup_strv struct strv paths = {}, both = {};

        if (f->how->op > OP_SUBSTRING) {
                tg_unsaid(tg, s, f->word->pos, "operator '%s' of a file", f->how->word);
                return;
        }
        for (size_t i = 0; i < f->values->n; i++)
                tg_path(tg, s, f->values->items[i], compares[f->how->op], dir, f->how->negated ? &s->not_path : &paths);
        if (f->how->negated)
                return;
        if (s->path.n > 0 && !tg_paths_below(tg, &s->path, &paths, &both) && !tg_paths_below(tg, &paths, &s->path, &both)) {
                tg_unsaid(tg, s, f->node->pos, "a second filter of paths that must hold as well");
                return;
        }
        if (s->path.n == 0)
                both = steal_list(&paths);
        strv_done(&s->path);
        s->path = steal_list(&both);
}

/* ---- addresses ----------------------------------------------------------------------------------------------------------- */

/* 10.0.0.0/8, fd00::/8, with no port. */
static bool is_address(const char *text) {
        struct address_pattern a;

        return *text != '/' && *text != '@' && *text != '*' && *text != '!' && *text != '[' &&
               address_pattern_parse_at(text, strlen(text), &a, NULL, NULL) == 0 && a.port_min == 0 && a.port_max == UINT16_MAX;
}

static void addresses_read(struct tg *tg, struct tg_selector *s, const struct filter *f) {
        struct strv *to = f->how->negated ? &s->not_address : &s->address;

        if (to->n > 0) {
                tg_unsaid(tg, s, f->node->pos, "a second filter of addresses that must hold as well");
                return;
        }
        for (size_t i = 0; i < f->values->n; i++) {
                const char *text = tg_text(tg, f->values->items[i], "values");

                if (text && !is_address(text))
                        import_error(tg->im, f->values->items[i]->pos, "'%s' is no address of IP, nor a network", text);
                else if (text)
                        tg_add(tg, to, text);
        }
}

/* 443, 1024:2048 */
static void ports_read(struct tg *tg, struct tg_selector *s, const struct filter *f) {
        if (f->how->negated || s->port.n > 0) {
                tg_unsaid(tg, s, f->word->pos, "'%s': rules name the ports that they are about, once", f->how->word);
                return;
        }
        for (size_t i = 0; i < f->values->n; i++) {
                const char *text = tg_text(tg, f->values->items[i], "values");
                unsigned min, max;
                char end;
                int n;

                if (!text)
                        continue;
                n = strspn(text, "0123456789:") == strlen(text) ? sscanf(text, "%5u:%5u%c", &min, &max, &end) : 0;
                if (n == 1 && !strchr(text, ':'))
                        max = min;
                else if (n != 2)
                        n = 0;
                if (n == 0 || min < 1 || max > UINT16_MAX || min > max || strlen(text) > 11)
                        import_error(tg->im, f->values->items[i]->pos,
                                     "'%s' is no port from 1 to 65535, nor a range of them (1024:2048)", text);
                else
                        tg_try(tg, min == max ? strv_addf(&s->port, "%u", min) : strv_addf(&s->port, "%u-%u", min, max));
        }
}

/* What is asked of a socket (TG_SOCK), or of the address that it is given (TG_ADDRESS). */
static void socket_read(struct tg *tg, struct tg_selector *s, const struct filter *f, enum tg_arg arg) {
        if (f->how->op == OP_FAMILY)
                numbers_read(tg, s, f, TG_FAMILY);
        else if (f->how->op == OP_TYPE && arg == TG_SOCK)
                numbers_read(tg, s, f, TG_TYPE);
        else if (f->how->op == OP_PROTOCOL && arg == TG_SOCK)
                numbers_read(tg, s, f, TG_PROTOCOL);
        else if (arg == TG_ADDRESS && f->how->op == OP_ADDRESS && strchr(f->how->word, 'S'))
                addresses_read(tg, s, f);
        else if (arg == TG_ADDRESS && f->how->op == OP_PORT && strchr(f->how->word, 'S'))
                ports_read(tg, s, f);
        else
                tg_unsaid(tg, s, f->word->pos,
                          "'%s': of a socket rules ask for family, type and protocol; of a sockaddr's address, SAddr and SPort",
                          f->how->word);
}

/* ---- filters --------------------------------------------------------------------------------------------------------------- */

static bool filter_read(struct tg *tg, const struct yaml_node *node, struct filter *ret) {
        static const char *const names[] = {"index", "operator", "values", "args"};
        const struct yaml_node *v[4], *index;
        const char *word;

        if (!tg_keys(tg, node, "a filter of matchArgs", names, 4, v))
                return false;
        index = !v[0] && v[3] && v[3]->kind == YAML_LIST && v[3]->n == 1 ? v[3]->items[0] : v[0];
        if (!index || !v[1] || !v[2]) {
                import_error(tg->im, node->pos, "a filter of matchArgs has no '%s'",
                             !index  ? "index"
                             : !v[1] ? "operator"
                                     : "values");
                return false;
        }
        word = tg_text(tg, v[1], "operator");
        if (!index_read(tg, index, &ret->index) || !word || !tg_list(tg, v[2], "values"))
                return false;
        ret->node = node;
        ret->word = v[1];
        ret->values = v[2];
        for (size_t i = 0; i < ARRAY_SIZE(comparisons) && !ret->how; i++)
                if (streq(comparisons[i].word, word))
                        ret->how = &comparisons[i];
        if (!ret->how)
                import_error(
                        tg->im, v[1]->pos,
                        "there is no operator '%s'; of paths there are Equal, NotEqual, Prefix, NotPrefix, Postfix, NotPostfix",
                        word);
        else if (ret->values->n == 0)
                import_error(tg->im, v[2]->pos, "'values' has nothing in it");
        return ret->how && ret->values->n > 0;
}

static void filter_apply(struct tg *tg, const struct tg_entry *entry, struct tg_selector *s, const struct filter *f) {
        enum tg_arg arg = f->index < TG_ARGS_MAX ? entry->hook->args[f->index] : TG_OTHER;
        bool part = false;

        if (!declared(entry, f->index, &part)) {
                import_error(tg->im, f->node->pos, "matchArgs asks for argument %u, and 'args' has none of that index",
                             (unsigned)f->index);
                return;
        }
        if (part)
                tg_unsaid(tg, s, f->node->pos, "'resolve': rules look at no parts of a structure");
        else if (arg == TG_SOCK || arg == TG_ADDRESS)
                socket_read(tg, s, f, arg);
        else if (arg == TG_OBJECT || arg == TG_DIR)
                paths_read(tg, s, f, arg == TG_DIR);
        else if (arg == TG_MASK || arg == TG_PROT)
                bits_read(tg, s, f, arg);
        else if (arg == TG_OTHER)
                tg_unsaid(tg, s, f->node->pos, "argument %u of '%s' is nothing that rules ask for", (unsigned)f->index,
                          entry->hook->name);
        else if (f->how->op == OP_EQUAL || (f->how->op == OP_FAMILY && arg == TG_FAMILY) ||
                 (f->how->op == OP_TYPE && arg == TG_TYPE) || (f->how->op == OP_PROTOCOL && arg == TG_PROTOCOL))
                numbers_read(tg, s, f, arg);
        else
                tg_unsaid(tg, s, f->word->pos, "operator '%s' of this argument", f->how->word);
}

void tg_args_read(struct tg *tg, const struct tg_entry *entry, struct tg_selector *s, const struct yaml_node *filters) {
        for (size_t i = 0; i < filters->n; i++) {
                struct filter f = {};

                if (filter_read(tg, filters->items[i], &f))
                        filter_apply(tg, entry, s, &f);
        }
}
