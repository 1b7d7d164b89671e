/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a policy's lists of matches, each made into rules. */
#include <ctype.h>
#include <stdio.h>

#include "fields.h"
#include "import_kubearmor.h"
#include "rules_words.h"

/* One entry. What stands in it, as it stands there; NULL: it has not got that key. */
struct item {
        const struct yaml_node *path, *dir, *pattern, *protocol, *capability;
        const struct yaml_node *recursive, *owner_only, *read_only, *from_source, *execname, *arguments;
        const struct yaml_node *action, *severity, *tags, *message;
};
KA_KEEP(item, path)
KA_KEEP(item, dir)
KA_KEEP(item, pattern)
KA_KEEP(item, protocol)
KA_KEEP(item, capability)
KA_KEEP(item, recursive)
KA_KEEP(item, owner_only)
KA_KEEP(item, read_only)
KA_KEEP(item, from_source)
KA_KEEP(item, execname)
KA_KEEP(item, arguments)
KA_KEEP(item, action)
KA_KEEP(item, severity)
KA_KEEP(item, tags)
KA_KEEP(item, message)

#define LEVEL_FIELDS                                                                                      \
        {"action", false, keep_action}, {"severity", false, keep_severity}, {"tags", false, keep_tags}, { \
                "message", false, keep_message                                                            \
        }

struct match {
        struct ka_match out;
        const struct item *item;
};

/* ---- entries ------------------------------------------------------------------------------------------------------------- */

static bool is_true(struct ka *ka, const struct yaml_node *node, const char *key) {
        if (!node || ka_absent(node))
                return false;
        if (node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_BOOL)
                return yaml_is_true(node);
        import_error(ka->im, node->pos, "'%s' is true or false, not %s", key, yaml_describe(node));
        return false;
}

static bool source_read(struct match *m, const struct yaml_node *node) {
        static const struct field fields[] = {
                {"path", false, keep_path},
                {"dir", false, keep_dir},
                {"recursive", false, keep_recursive},
        };
        struct item source = {};
        size_t before = m->out.ka->im->diags.n_errors;

        fields_read(node, fields, ARRAY_SIZE(fields), "an entry of 'fromSource'", &source, &m->out.ka->im->diags);
        if (m->out.ka->im->diags.n_errors > before)
                return false;
        if (!source.path == !source.dir) {
                import_error(m->out.ka->im, node->pos, "an entry of 'fromSource' has a 'path' or a 'dir'");
                return false;
        }
        if (source.path)
                return ka_path_exact(m->out.ka, source.path, &m->out.sources);
        return ka_path_directory(m->out.ka, source.dir, is_true(m->out.ka, source.recursive, "recursive"), true, &m->out.sources);
}

static bool sources_read(struct match *m) {
        const struct yaml_node *node = m->item->from_source;
        bool ok = true;

        if (!node || ka_absent(node))
                return true;
        if (node->kind != YAML_LIST) {
                import_error(m->out.ka->im, node->pos, "'fromSource' is a list of programs (- path: ...), not %s",
                             yaml_describe(node));
                return false;
        }
        for (size_t i = 0; i < node->n; i++)
                ok = source_read(m, node->items[i]) && ok;
        return ok;
}

static bool protocol_read(struct match *m) {
        static const char *const known[] = {"tcp", "udp", "icmp", "icmpv6"};
        const char *text = field_text(m->item->protocol, "protocol", &m->out.ka->im->diags);

        if (!text)
                return false;
        m->out.key = "protocol";
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (strcasecmp(known[i], text) == 0)
                        m->out.value = known[i];
        if (strcasecmp(text, "raw") == 0) {
                m->out.key = "type";
                m->out.value = "raw";
        }
        if (!m->out.value)
                import_error(m->out.ka->im, m->item->protocol->pos, "protocol '%s': it is tcp, udp, icmp or raw", text);
        return m->out.value;
}

/* ret: room for the word. */
static bool capability_read(struct match *m, char *ret, size_t n) {
        const char *text = field_text(m->item->capability, "capability", &m->out.ka->im->diags);

        if (!text)
                return false;
        snprintf(ret, n, "CAP_%s", strncasecmp(text, "cap_", 4) == 0 ? text + 4 : text);
        for (char *s = ret; *s; s++)
                *s = (char)toupper((unsigned char)*s);
        m->out.key = "cap";
        m->out.value = ret;
        if (rules_capability_named(ret) >= 0)
                return true;
        import_error(m->out.ka->im, m->item->capability->pos, "there is no capability '%s'; they are written as in net_raw",
                     text);
        return false;
}

/* What it is about. */
static bool object_read(struct match *m, char *word, size_t n) {
        const struct item *item = m->item;
        struct ka *ka = m->out.ka;

        if (item->execname || item->arguments) {
                import_left_out(ka->im, (item->execname ?: item->arguments)->pos,
                                "'%s': a rule knows programs by their paths, and not by %s",
                                item->execname ? "execname" : "allowedArgs", item->execname ? "names" : "arguments");
                return false;
        }
        if (item->path)
                return ka_path_exact(ka, item->path, &m->out.paths);
        if (item->dir)
                return ka_path_directory(ka, item->dir, is_true(m->out.ka, item->recursive, "recursive"),
                                         m->out.section == KA_PROCESS, &m->out.paths);
        if (item->pattern)
                return ka_path_pattern(ka, item->pattern, &m->out.paths);
        return item->protocol ? protocol_read(m) : capability_read(m, word, n);
}

static void match_done(struct match *m) {
        strv_done(&m->out.paths);
        strv_done(&m->out.sources);
}

static void item_read(struct ka *ka, enum ka_section section, const struct yaml_node *node, const struct field *fields,
                      size_t n_fields, const char *what, const struct ka_level *around) {
        struct item item = {};
        cleanup(match_done) struct match m = {.out = {.ka = ka, .section = section, .pos = node->pos}, .item = &item};
        size_t before = ka->im->diags.n_errors;
        struct ka_level level;
        char word[64];

        fields_read(node, fields, n_fields, what, &item, &ka->im->diags);
        m.out.said = level = (struct ka_level){item.action, item.severity, item.tags, item.message};
        ka_level_check(ka, &level);
        ka_level_inherit(&level, around);
        m.out.action = ka_action(&level);
        m.out.owner_only = is_true(ka, item.owner_only, "ownerOnly");
        m.out.read_only = is_true(ka, item.read_only, "readOnly");
        if (ka->im->diags.n_errors == before && sources_read(&m) && object_read(&m, word, sizeof(word)))
                ka_rules_make(&m.out);
}

static void list_read(struct ka *ka, enum ka_section section, const struct yaml_node *list, const char *key,
                      const struct field *fields, size_t n_fields, const struct ka_level *around) {
        char what[64];

        if (!list || ka_absent(list))
                return;
        if (list->kind != YAML_LIST) {
                import_error(ka->im, list->pos, "'%s' is a list, not %s", key, yaml_describe(list));
                return;
        }
        snprintf(what, sizeof(what), "an entry of '%s'", key);
        for (size_t i = 0; i < list->n; i++)
                item_read(ka, section, list->items[i], fields, n_fields, what, around);
}

/* ---- sections ------------------------------------------------------------------------------------------------------------ */

struct section {
        const struct yaml_node *paths, *dirs, *patterns, *protocols, *caps;
        const struct yaml_node *action, *severity, *tags, *message;
};
#define KEEP_SECTION(member)                                                                                                   \
        static void section_##member(void *into, const struct yaml_node *value, struct diags *diags __attribute__((unused))) { \
                ((struct section *)into)->member = value;                                                                      \
        }
KEEP_SECTION(paths)
KEEP_SECTION(dirs)
KEEP_SECTION(patterns)
KEEP_SECTION(protocols)
KEEP_SECTION(caps)
KEEP_SECTION(action)
KEEP_SECTION(severity)
KEEP_SECTION(tags)
KEEP_SECTION(message)

#define SECTION_LEVEL                                                                                              \
        {"action", false, section_action}, {"severity", false, section_severity}, {"tags", false, section_tags}, { \
                "message", false, section_message                                                                  \
        }
static const struct field path_fields[] = {{"matchPaths", false, section_paths},
                                           {"matchDirectories", false, section_dirs},
                                           {"matchPatterns", false, section_patterns},
                                           SECTION_LEVEL};
static const struct field network_fields[] = {{"matchProtocols", false, section_protocols}, SECTION_LEVEL};
static const struct field capability_fields[] = {{"matchCapabilities", false, section_caps}, SECTION_LEVEL};

#define OWNER \
        { "ownerOnly", false, keep_owner_only }
#define SOURCE \
        { "fromSource", false, keep_from_source }
#define READ_ONLY \
        { "readOnly", false, keep_read_only }
#define RECURSIVE \
        { "recursive", false, keep_recursive }
#define PROGRAM                                      \
        {"execname", false, keep_execname}, {        \
                "allowedArgs", false, keep_arguments \
        }

static void section_lists(struct ka *ka, enum ka_section section, const struct section *s, const struct ka_level *level) {
        static const struct field exec_path[] = {{"path", false, keep_path}, OWNER, SOURCE, PROGRAM, LEVEL_FIELDS};
        static const struct field exec_dir[] = {{"dir", true, keep_dir}, RECURSIVE, OWNER, SOURCE, LEVEL_FIELDS};
        static const struct field exec_pattern[] = {{"pattern", true, keep_pattern}, OWNER, LEVEL_FIELDS};
        static const struct field file_path[] = {{"path", true, keep_path}, READ_ONLY, OWNER, SOURCE, LEVEL_FIELDS};
        static const struct field file_dir[] = {{"dir", true, keep_dir}, RECURSIVE, READ_ONLY, OWNER, SOURCE, LEVEL_FIELDS};
        static const struct field file_pattern[] = {{"pattern", true, keep_pattern}, READ_ONLY, OWNER, LEVEL_FIELDS};
        static const struct field protocol[] = {{"protocol", true, keep_protocol}, SOURCE, LEVEL_FIELDS};
        static const struct field capability[] = {{"capability", true, keep_capability}, SOURCE, LEVEL_FIELDS};

#define LIST(member, key, fields) list_read(ka, section, s->member, key, fields, ARRAY_SIZE(fields), level)
        if (section == KA_PROCESS) {
                LIST(paths, "matchPaths", exec_path);
                LIST(dirs, "matchDirectories", exec_dir);
                LIST(patterns, "matchPatterns", exec_pattern);
        } else if (section == KA_FILE) {
                LIST(paths, "matchPaths", file_path);
                LIST(dirs, "matchDirectories", file_dir);
                LIST(patterns, "matchPatterns", file_pattern);
        }
        LIST(protocols, "matchProtocols", protocol);
        LIST(caps, "matchCapabilities", capability);
#undef LIST
}

void ka_section_read(struct ka *ka, enum ka_section section, const struct yaml_node *value, const struct ka_level *around) {
        static const struct {
                const struct field *fields;
                size_t n;
                const char *what, *of;
        } lists[KA_SECTIONS] = {
                [KA_PROCESS] = {path_fields, ARRAY_SIZE(path_fields), "'process'", "process: "},
                [KA_FILE] = {path_fields, ARRAY_SIZE(path_fields), "'file'", "file: "},
                [KA_NETWORK] = {network_fields, ARRAY_SIZE(network_fields), "'network'", "network: "},
                [KA_CAPABILITIES] = {capability_fields, ARRAY_SIZE(capability_fields), "'capabilities'", "capabilities: "},
        };
        struct section s = {};
        struct ka_level level;
        struct diags *diags = &ka->im->diags;

        if (!value || ka_absent(value))
                return;
        fields_read(value, lists[section].fields, lists[section].n, lists[section].what, &s, diags);
        level = (struct ka_level){s.action, s.severity, s.tags, s.message};
        ka_level_check(ka, &level);
        ka_level_comment(ka, &ka->policy->comments, lists[section].of, &level);
        ka_level_inherit(&level, around);
        section_lists(ka, section, &s, &level);
}
