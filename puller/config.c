/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <libfyaml.h>
#include <stdio.h>

#include "config_setting.h"
#include "fileio.h"
#include "text.h"

#define SEEN_MAX 64
#define LIST_MAX 256
#define SECTION_MAX 64 /* as they are called, which the settings say */

int config_defaults(struct config *ret, struct err *err) {
        struct config c = {
                .poll_interval_ns = 60 * 1000000000LL,
                .poll_jitter_percent = 10,
                .deadline_ns = 60 * 1000000000LL,
                .health_ns = 10 * 1000000000LL,
                .max_denials = -1,
                .limits = bundle_limits_default,
                .mode = MODE_ENFORCE,
                .fetcher_user = strdup("lsmpull-fetch"),
                .loader_user = strdup("lsmpull-load"),
                .reporter_user = strdup("lsmpull-report"),
                .state_dir = strdup("/var/lib/lsmpull"),
                .run_dir = strdup("/run/lsmpull"),
                .cache_dir = strdup("/var/cache/lsmpull"),
                .bpffs_dir = strdup("/sys/fs/bpf"),
                .bpf_token = true,
                .git_branch = strdup("main"),
                .root_file = strdup("/etc/lsmpull/root.json"),
                .ring = strdup("stable"),
                .stale_after_ns = 24 * 3600 * 1000000000LL,
                .ssh_known_hosts = strdup("/etc/ssh/ssh_known_hosts"),
        };

        if (!c.fetcher_user || !c.loader_user || !c.reporter_user || !c.state_dir || !c.run_dir || !c.cache_dir || !c.bpffs_dir ||
            !c.git_branch || !c.root_file || !c.ring || !c.ssh_known_hosts) {
                config_done(&c);
                return err_errno(err, -ENOMEM, "configuration");
        }
        *ret = c;
        return 0;
}

static void list_free(char **list) {
        for (char **p = list; p && *p; p++)
                free(*p);
        free(list);
}

void config_done(struct config *c) {
        char *strings[] = {
                c->file,         c->source,      c->repository,         c->git,          c->git_branch,   c->root_file,
                c->ring,         c->node_id,     c->first_boot,         c->metrics_file, c->ca,           c->certificate,
                c->client_key,   c->token_file,  c->https_user,         c->proxy,        c->ssh_key,      c->ssh_known_hosts,
                c->fetcher_user, c->loader_user, c->reporter_user,      c->state_dir,    c->run_dir,      c->bpffs_dir,
                c->cgroup_dir,   c->fetcher_exe, c->cache_dir,          c->events_file,  c->events_url,   c->events_format,
                c->events_token, c->events_ca,   c->events_certificate, c->events_key,   c->events_tenant};

        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                free(strings[i]);
        list_free(c->key_files);
        list_free(c->bundles);
        list_free(c->audit);
        list_free(c->health_command);
        list_free(c->stale_command);
        list_free(c->events_labels);
        *c = (struct config){};
}

enum source_kind config_source_kind(const struct config *c) {
        if (c->git)
                return SOURCE_GIT;
        if (c->repository)
                return c->repository[0] == '/' ? SOURCE_DIRECTORY : SOURCE_HTTPS;
        return c->source ? SOURCE_BUNDLE : SOURCE_NONE;
}

const char *config_source_address(const struct config *c) {
        return c->git ? c->git : c->repository ? c->repository : c->source;
}

int config_check(const struct config *c, struct err *err) {
        const char *section, *key;

        return settings_judge(c, &section, &key, err);
}

/* ---- YAML ----------------------------------------------------------------------------------------------------------- */

struct place {
        int line, column;
};

struct reader {
        struct config *config;
        const char *name; /* of the file */
        struct err *err;
        struct {
                const struct setting *setting;
                struct place place;
        } seen[SEEN_MAX]; /* where each setting stands, for what is only found out at the end */
        size_t n_seen;
};

static int at(const struct reader *r, struct place place, int res) {
        return err_wrap(r->err, res, "%s:%d:%d", r->name, place.line, place.column);
}

static struct place scalar_place(struct fy_node *node, struct place fallback) {
        struct fy_token *token = node && fy_node_is_scalar(node) ? fy_node_get_scalar_token(node) : NULL;
        const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
        bool quoted = token && (fy_scalar_token_get_style(token) == FYSS_SINGLE_QUOTED ||
                                fy_scalar_token_get_style(token) == FYSS_DOUBLE_QUOTED);

        /* libfyaml counts from 0, and a quoted text from behind the quote. */
        return mark ? (struct place){mark->line + 1, mark->column + (quoted ? 0 : 1)} : fallback;
}

/* Anchors, aliases and tags make a file read differently from what it shows. */
static int node_check(const struct reader *r, struct fy_node *node, struct place place) {
        if (fy_node_is_alias(node) || fy_node_get_anchor(node))
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "anchors and aliases (&, *) are not supported"));
        if (fy_node_get_tag_token(node))
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "tags (!) are not supported"));
        return 0;
}

/* The text of a scalar, which lives as long as the document. */
static int scalar_text(const struct reader *r, struct fy_node *node, struct place place, const char **ret) {
        const char *text;
        size_t n = 0;
        int res;

        if (!node || !fy_node_is_scalar(node))
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "plain text is needed here"));
        res = node_check(r, node, place);
        if (res < 0)
                return res;
        text = fy_node_get_scalar0(node);
        (void)fy_node_get_scalar(node, &n);
        if (!text)
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "a value is needed here"));
        if (strlen(text) != n)
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "a NUL character"));
        for (const unsigned char *p = (const unsigned char *)text; *p; p++)
                if (*p < 0x20 || *p == 0x7f)
                        return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "control character 0x%02x", *p));
        *ret = text;
        return 0;
}

/* A scalar is a list of one here; setting_set() knows which of the two it wants. */
static int values_collect(const struct reader *r, struct fy_node *value, struct place place, const char **values, size_t *n) {
        struct fy_node *item;
        void *iter = NULL;

        *n = 0;
        if (!value || !fy_node_is_sequence(value)) {
                *n = 1;
                return scalar_text(r, value, scalar_place(value, place), &values[0]);
        }
        while ((item = fy_node_sequence_iterate(value, &iter))) {
                int res;

                if (*n >= LIST_MAX)
                        return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "a list of more than %d", LIST_MAX));
                res = scalar_text(r, item, scalar_place(item, place), &values[*n]);
                if (res < 0)
                        return res;
                ++*n;
        }
        return node_check(r, value, place);
}

static int unknown_key(const struct reader *r, struct place place, const char *section, const char *key) {
        cleanup_buf struct buf names = {};

        if (setting_names(section, &names) < 0)
                return err_errno(r->err, -ENOMEM, "configuration");
        return at(r, place,
                  err_set(r->err, -EINVAL, REASON_CONFIG, "unknown key '%s%s%.100s'; here are known: %s", section ? section : "",
                          section ? "." : "", key, names.data));
}

static int setting_read(struct reader *r, const char *section, const char *key, struct place place, struct fy_node *value) {
        const struct setting *setting = setting_find(section, key);
        const char *values[LIST_MAX];
        size_t n, bad;
        int res;

        if (!setting)
                return unknown_key(r, place, section, key);
        for (size_t i = 0; i < r->n_seen; i++)
                if (r->seen[i].setting == setting)
                        return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "'%s' is there twice", key));
        res = values_collect(r, value, place, values, &n);
        if (res < 0)
                return res;
        res = setting_set(r->config, setting, values, n, fy_node_is_sequence(value), &bad, r->err);
        if (res < 0) {
                err_wrap(r->err, res, "%s%s%s", section ? section : "", section ? "." : "", key);
                return at(
                        r,
                        scalar_place(fy_node_is_sequence(value) ? fy_node_sequence_get_by_index(value, (int)bad) : value, place),
                        res);
        }
        if (r->n_seen < ARRAY_SIZE(r->seen)) {
                r->seen[r->n_seen].setting = setting;
                r->seen[r->n_seen++].place = place;
        }
        return 0;
}

static int mapping_read(struct reader *r, const char *section, struct fy_node *map);

static int section_read(struct reader *r, const char *section, const char *key, struct place place, struct fy_node *value) {
        char name[SECTION_MAX];
        const char *text = value && fy_node_is_scalar(value) ? fy_node_get_scalar0(value) : NULL;

        if (!value || (text && !*text)) /* all of it commented out */
                return 0;
        if (!fy_node_is_mapping(value))
                return at(r, place, err_set(r->err, -EINVAL, REASON_CONFIG, "%s: keys are needed below it", key));
        snprintf(name, sizeof(name), "%s%s%s", section ? section : "", section ? "." : "", key);
        return mapping_read(r, name, value);
}

static int mapping_read(struct reader *r, const char *section, struct fy_node *map) {
        struct place place = {1, 1};
        struct fy_node_pair *pair;
        void *iter = NULL;
        int res = node_check(r, map, place);

        while (res >= 0 && (pair = fy_node_mapping_iterate(map, &iter))) {
                struct fy_node *value = fy_node_pair_value(pair);
                const char *key;

                place = scalar_place(fy_node_pair_key(pair), place);
                res = scalar_text(r, fy_node_pair_key(pair), place, &key);
                if (res >= 0)
                        res = setting_is_section(section, key) ? section_read(r, section, key, place, value)
                                                               : setting_read(r, section, key, place, value);
        }
        return res;
}

static int settings_check(const struct reader *r) {
        const char *section, *key;
        int res = settings_judge(r->config, &section, &key, r->err);

        if (res >= 0)
                return 0;
        for (size_t i = 0; key && i < r->n_seen; i++)
                if (r->seen[i].setting == setting_find(section, key))
                        return at(r, r->seen[i].place, res);
        return err_wrap(r->err, res, "%s", r->name);
}

static int syntax_error(const struct reader *r, struct fy_diag *diag) {
        void *iter = NULL;
        struct fy_diag_error *e = fy_diag_errors_iterate(diag, &iter);

        if (!e)
                return err_set(r->err, -EINVAL, REASON_CONFIG, "%s: not YAML", r->name);
        return err_set(r->err, -EINVAL, REASON_CONFIG, "%s:%d:%d: %s", r->name, e->line, e->column, e->msg);
}

static int stream_read(struct reader *r, struct fy_parser *parser, struct fy_diag *diag) {
        struct fy_document *doc = fy_parse_load_document(parser), *more;
        struct fy_node *root = doc ? fy_document_root(doc) : NULL;
        int res = 0;

        if (!doc && fy_diag_got_error(diag))
                return syntax_error(r, diag);
        if (root && fy_node_is_mapping(root))
                res = mapping_read(r, NULL, root);
        else if (root && !(fy_node_is_scalar(root) && !*fy_node_get_scalar0(root)))
                res = err_set(r->err, -EINVAL, REASON_CONFIG, "%s: 'KEY: VALUE' is needed, not a list or a text", r->name);
        more = res >= 0 && doc ? fy_parse_load_document(parser) : NULL;
        if (more)
                res = err_set(r->err, -EINVAL, REASON_CONFIG, "%s: a second document; one is expected", r->name);
        else if (res >= 0 && fy_diag_got_error(diag))
                res = syntax_error(r, diag);
        fy_parse_document_destroy(parser, more);
        fy_parse_document_destroy(parser, doc);
        return res;
}

/* Not fy_diag_unref(): that one leaves the collected errors behind. */
static void diag_destroy_p(struct fy_diag **d) {
        if (*d)
                fy_diag_destroy(*d);
}

static void parser_destroy_p(struct fy_parser **p) {
        if (*p)
                fy_parser_destroy(*p);
}

int config_parse(struct config *c, const char *name, const void *p, size_t n, struct err *err) {
        cleanup(diag_destroy_p) struct fy_diag *diag = NULL;
        cleanup(parser_destroy_p) struct fy_parser *parser = NULL;
        struct reader r = {.config = c, .name = name, .err = err};
        struct fy_diag_cfg diag_cfg;
        int res;

        if (n > CONFIG_MAX)
                return err_set(err, -EFBIG, REASON_CONFIG, "%s: longer than %u bytes", name, CONFIG_MAX);
        if (n > 0 && memchr(p, 0, n)) /* libfyaml would take it for the end */
                return err_set(err, -EINVAL, REASON_CONFIG, "%s: contains a NUL character", name);
        if (!utf8_valid(p, n)) /* and might take it for UTF-16 */
                return err_set(err, -EINVAL, REASON_CONFIG, "%s: is not UTF-8", name);
        fy_diag_cfg_default(&diag_cfg);
        diag_cfg.fp = NULL;
        diag = fy_diag_create(&diag_cfg);
        if (!diag)
                return err_errno(err, -ENOMEM, "%s", name);
        fy_diag_set_collect_errors(diag, true);
        parser = fy_parser_create(&(struct fy_parse_cfg){
                .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag});
        if (!parser || (n > 0 && fy_parser_set_string(parser, p, n) < 0))
                return err_errno(err, -ENOMEM, "%s", name);
        res = n > 0 ? stream_read(&r, parser, diag) : 0;
        return res < 0 ? res : settings_check(&r);
}

int config_load(struct config *c, const char *path, bool required, struct err *err) {
        cleanup_buf struct buf b = {};
        int r;

        r = file_read(AT_FDCWD, path, CONFIG_MAX, &b, err);
        if (r == -ENOENT && !required)
                return 0;
        if (r < 0) {
                if (err)
                        err->reason = REASON_CONFIG; /* whatever the failure, nothing runs without what it should have said */
                return r;
        }
        r = config_parse(c, path, b.data, b.len, err);
        if (r >= 0) {
                free(c->file);
                c->file = strdup(path);
                if (!c->file)
                        r = err_errno(err, -ENOMEM, "configuration");
        }
        return r;
}
