/* SPDX-License-Identifier: Apache-2.0 */
#include "config_setting.h"

#include <stdio.h>
#include <strings.h>

#include "https.h"
#include "sender.h"
#include "sink_file.h"

#define LIMIT_MAX (4ULL << 30)
#define USER_MAX 31
#define NODE_ID_MAX 128
#define METRICS_SUFFIX ".prom"
#define LIST_MAX 256

enum kind {
        KIND_PATH,
        KIND_PATHS,
        KIND_COMMAND,
        KIND_NAMES,
        KIND_POLICIES,
        KIND_SOURCE,
        KIND_REPOSITORY,
        KIND_GIT,
        KIND_BRANCH,
        KIND_NAME,
        KIND_NODE_ID,
        KIND_METRICS,
        KIND_EVENTS,
        KIND_KEEP,
        KIND_EVENTS_URL,
        KIND_FORMAT,
        KIND_TENANT,
        KIND_LABELS,
        KIND_HTTPS_USER,
        KIND_PROXY,
        KIND_DURATION,
        KIND_LIMIT,
        KIND_PERCENT,
        KIND_THRESHOLD,
        KIND_DENIALS,
        KIND_MODE,
        KIND_BOOL,
        KIND_USER,
};

struct setting {
        const char *section, *key;
        enum kind kind;
        size_t offset;
};

static const struct setting settings[] = {
        {"source", "repository", KIND_REPOSITORY, offsetof(struct config, repository)},
        {"source", "git", KIND_GIT, offsetof(struct config, git)},
        {"source", "branch", KIND_BRANCH, offsetof(struct config, git_branch)},
        {"source", "bundle", KIND_SOURCE, offsetof(struct config, source)},
        {"source", "keys", KIND_PATHS, offsetof(struct config, key_files)},
        {"source", "threshold", KIND_THRESHOLD, offsetof(struct config, threshold)},
        {"trust", "root", KIND_PATH, offsetof(struct config, root_file)},
        {NULL, "bundles", KIND_NAMES, offsetof(struct config, bundles)},
        {NULL, "ring", KIND_NAME, offsetof(struct config, ring)},
        {NULL, "node-id", KIND_NODE_ID, offsetof(struct config, node_id)},
        {NULL, "first_boot", KIND_PATH, offsetof(struct config, first_boot)},
        {"poll", "interval", KIND_DURATION, offsetof(struct config, poll_interval_ns)},
        {"poll", "jitter", KIND_PERCENT, offsetof(struct config, poll_jitter_percent)},
        {"https", "ca", KIND_PATH, offsetof(struct config, ca)},
        {"https", "certificate", KIND_PATH, offsetof(struct config, certificate)},
        {"https", "key", KIND_PATH, offsetof(struct config, client_key)},
        {"https", "token", KIND_PATH, offsetof(struct config, token_file)},
        {"https", "user", KIND_HTTPS_USER, offsetof(struct config, https_user)},
        {"https", "proxy", KIND_PROXY, offsetof(struct config, proxy)},
        {"ssh", "key", KIND_PATH, offsetof(struct config, ssh_key)},
        {"ssh", "known-hosts", KIND_PATH, offsetof(struct config, ssh_known_hosts)},
        {"on_stale", "run", KIND_COMMAND, offsetof(struct config, stale_command)},
        {"on_stale", "after", KIND_DURATION, offsetof(struct config, stale_after_ns)},
        {"metrics", "file", KIND_METRICS, offsetof(struct config, metrics_file)},
        {"events.file", "path", KIND_EVENTS, offsetof(struct config, events_file)},
        {"events.file", "max_size", KIND_LIMIT, offsetof(struct config, events_max_size)},
        {"events.file", "keep", KIND_KEEP, offsetof(struct config, events_keep)},
        {"events.http", "url", KIND_EVENTS_URL, offsetof(struct config, events_url)},
        {"events.http", "format", KIND_FORMAT, offsetof(struct config, events_format)},
        {"events.http", "token", KIND_PATH, offsetof(struct config, events_token)},
        {"events.http", "ca", KIND_PATH, offsetof(struct config, events_ca)},
        {"events.http", "certificate", KIND_PATH, offsetof(struct config, events_certificate)},
        {"events.http", "key", KIND_PATH, offsetof(struct config, events_key)},
        {"events.http", "tenant", KIND_TENANT, offsetof(struct config, events_tenant)},
        {"events.http", "labels", KIND_LABELS, offsetof(struct config, events_labels)},
        {"events.http", "max_size", KIND_LIMIT, offsetof(struct config, events_spool)},
        {"events", "journald", KIND_BOOL, offsetof(struct config, events_journald)},
        {"confirm", "deadline", KIND_DURATION, offsetof(struct config, deadline_ns)},
        {"confirm", "health", KIND_DURATION, offsetof(struct config, health_ns)},
        {"confirm", "max-denials", KIND_DENIALS, offsetof(struct config, max_denials)},
        {"confirm", "command", KIND_COMMAND, offsetof(struct config, health_command)},
        {"limits", "archive", KIND_LIMIT, offsetof(struct config, limits.max_archive)},
        {"limits", "content", KIND_LIMIT, offsetof(struct config, limits.max_content)},
        {NULL, "mode", KIND_MODE, offsetof(struct config, mode)},
        {NULL, "audit", KIND_POLICIES, offsetof(struct config, audit)},
        {NULL, "bpf-token", KIND_BOOL, offsetof(struct config, bpf_token)},
        {"users", "fetcher", KIND_USER, offsetof(struct config, fetcher_user)},
        {"users", "loader", KIND_USER, offsetof(struct config, loader_user)},
        {"users", "reporter", KIND_USER, offsetof(struct config, reporter_user)},
        {"paths", "state", KIND_PATH, offsetof(struct config, state_dir)},
        {"paths", "run", KIND_PATH, offsetof(struct config, run_dir)},
        {"paths", "cache", KIND_PATH, offsetof(struct config, cache_dir)},
        {"paths", "bpffs", KIND_PATH, offsetof(struct config, bpffs_dir)},
        {"paths", "cgroup", KIND_PATH, offsetof(struct config, cgroup_dir)},
};

static bool same_section(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

const struct setting *setting_find(const char *section, const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (same_section(settings[i].section, section) && streq(settings[i].key, key))
                        return &settings[i];
        return NULL;
}

/* What stands directly below `section` on the way to a setting: its key, or a section's name. NULL: the setting is elsewhere. */
static const char *name_below(const struct setting *s, const char *section, size_t *ret_n) {
        size_t skip = section ? strlen(section) : 0;
        const char *name = s->section;

        if (same_section(s->section, section))
                name = s->key;
        else if (section && (!name || strncmp(name, section, skip) != 0 || name[skip] != '.'))
                return NULL;
        else if (section)
                name += skip + 1;
        *ret_n = name == s->key ? strlen(name) : strcspn(name, ".");
        return name;
}

bool setting_is_section(const char *section, const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                size_t n;
                const char *name = name_below(&settings[i], section, &n);

                if (name && name != settings[i].key && n == strlen(key) && strncmp(name, key, n) == 0)
                        return true;
        }
        return false;
}

int setting_names(const char *section, struct buf *out) {
        const char *last = NULL;
        size_t n_last = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(settings); i++) {
                size_t n;
                const char *name = name_below(&settings[i], section, &n);

                if (!name || (last && n == n_last && strncmp(last, name, n) == 0)) /* sections stand together */
                        continue;
                r = buf_printf(out, "%s%.*s", last ? ", " : "", (int)n, name);
                last = name;
                n_last = n;
        }
        return r;
}

/* ---- one value ------------------------------------------------------------------------------------------------------ */

static int bad(struct err *err, const char *text, const char *expected) {
        return err_set(err, -EINVAL, REASON_CONFIG, "'%.200s' is not %s", text, expected);
}

static int string_set(char **field, const char *text, struct err *err) {
        char *copy = strdup(text);

        if (!copy)
                return err_errno(err, -ENOMEM, "configuration");
        free(*field);
        *field = copy;
        return 0;
}

static int path_check(const char *text, struct err *err) {
        if (text[0] != '/')
                return bad(err, text, "an absolute path");
        if (strlen(text) >= 4096)
                return err_set(err, -EINVAL, REASON_CONFIG, "a path of %zu bytes is too long", strlen(text));
        return 0;
}

static int events_check(const char *text, struct err *err) {
        int r = path_check(text, err);

        return r < 0 || sink_file_path_valid(text) ? r : bad(err, text, "a file in a folder, with a name of at most 250 bytes");
}

static int events_url_check(const char *text, struct err *err) {
        uint16_t ports[HTTPS_PORTS_MAX];
        size_t n;

        if (strlen(text) >= SENDER_URL_MAX)
                return err_set(err, -EINVAL, REASON_CONFIG, "a URL of %zu bytes is too long", strlen(text));
        if (https_is_loopback(text))
                return https_ports_plain(text, ports, &n, err);
        if (strncasecmp(text, "http://", 7) == 0)
                return err_set(
                        err, -EINVAL, REASON_CONFIG,
                        "http:// is for a collector on this machine (127.0.0.1, [::1], localhost): anybody on the way could read "
                        "and change events, and the token; use https://");
        return https_ports(text, NULL, ports, &n, err);
}

static int format_check(const char *text, struct err *err) {
        enum sender_format format;

        return sender_format_parse(text, &format) < 0 ? bad(err, text, "a format: loki, splunk or otlp") : 0;
}

static int tenant_check(const char *text, struct err *err) {
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!-_.*'()|");

        return n == 0 || text[n] || n > SENDER_HOST_MAX ? bad(err, text, "a tenant: letters, digits and !-_.*'()|") : 0;
}

static int label_check(const char *text, struct err *err) {
        return sender_label_valid(text) ? 0 : bad(err, text, "a label: NAME=VALUE, of printable characters");
}

static int proxy_check(const char *text, struct err *err) {
        static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};

        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
                if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0 && text[strlen(schemes[i])] && !strpbrk(text, " \t"))
                        return 0;
        return bad(err, text, "an http://, https://, socks5:// or socks5h:// URL");
}

static int user_check(const char *text, struct err *err) {
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

        if (n == 0 || text[n] || n > USER_MAX || strchr("-.0123456789", text[0]))
                return bad(err, text, "a user's name");
        if (streq(text, "root"))
                return err_set(err, -EINVAL, REASON_CONFIG, "a child that runs as root is not confined: name a user of its own");
        return 0;
}

/* What git itself would take for the name of a branch, and nothing that means something to a shell, a refspec or a path. */
static int branch_check(const char *text, struct err *err) {
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-");

        if (n == 0 || text[n] || n > 200 || strchr("-./", text[0]) || strchr("./", text[n - 1]) || strstr(text, "..") ||
            strstr(text, "//") || strstr(text, "/.") || strstr(text, ".lock"))
                return bad(err, text, "a branch's name");
        return 0;
}

static int bundle_name_check(const char *text, struct err *err) {
        return name_valid(text) ? 0 : bad(err, text, "a name: a-z, 0-9 and -, at most 63");
}

/* BUNDLE/POLICY */
static int policy_check(const char *text, struct err *err) {
        const char *slash = strchr(text, '/');
        char bundle[64];

        if (!slash || (size_t)(slash - text) >= sizeof(bundle))
                return bad(err, text, "BUNDLE/POLICY");
        snprintf(bundle, sizeof(bundle), "%.*s", (int)(slash - text), text);
        return name_valid(bundle) && name_valid(slash + 1) ? 0 : bad(err, text, "BUNDLE/POLICY");
}

static int node_id_check(const char *text, struct err *err) {
        size_t n = 0;

        while (text[n] > ' ' && text[n] <= '~')
                n++;
        if (n == 0 || text[n] || n > NODE_ID_MAX)
                return bad(err, text, "a node's id: 1 to 128 printable characters, no spaces");
        return 0;
}

static int metrics_check(const char *text, struct err *err) {
        size_t n = strlen(text), suffix = strlen(METRICS_SUFFIX);
        int r = path_check(text, err);

        if (r < 0)
                return r;
        /* node_exporter passes over all other files without a word. */
        if (n <= suffix || !streq(text + n - suffix, METRICS_SUFFIX) || text[n - suffix - 1] == '/')
                return bad(err, text, "a file whose name ends in " METRICS_SUFFIX);
        return 0;
}

static int https_user_check(const char *text, struct err *err) {
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~' || *p == ':')
                        return bad(err, text, "a user's name: printable characters, no spaces and colons");
        return *text && strlen(text) <= NODE_ID_MAX ? 0 : bad(err, text, "a user's name");
}

static int number_set(const char *text, uint64_t min, uint64_t max, uint64_t *ret, struct err *err) {
        uint64_t v;

        if (number_parse(text, &v) < 0 || v < min || v > max)
                return err_set(err, -EINVAL, REASON_CONFIG, "'%.200s' is not a number from %llu to %llu", text,
                               (unsigned long long)min, (unsigned long long)max);
        *ret = v;
        return 0;
}

static int word_set(const char *text, const char *no, const char *yes, bool *ret, struct err *err) {
        if (!streq(text, no) && !streq(text, yes))
                return err_set(err, -EINVAL, REASON_CONFIG, "'%.200s' is neither %s nor %s", text, yes, no);
        *ret = streq(text, yes);
        return 0;
}

static int (*const text_checks[])(const char *text, struct err *err) = {
        [KIND_PATH] = path_check,        [KIND_PROXY] = proxy_check,
        [KIND_USER] = user_check,        [KIND_BRANCH] = branch_check,
        [KIND_NAME] = bundle_name_check, [KIND_NODE_ID] = node_id_check,
        [KIND_METRICS] = metrics_check,  [KIND_HTTPS_USER] = https_user_check,
        [KIND_EVENTS] = events_check,    [KIND_EVENTS_URL] = events_url_check,
        [KIND_FORMAT] = format_check,    [KIND_TENANT] = tenant_check,
};

static int scalar_set(struct config *c, const struct setting *s, const char *text, struct err *err) {
        void *field = (char *)c + s->offset;
        char *source = NULL;
        uint64_t v;
        bool yes;
        int r;

        switch (s->kind) {
        case KIND_PATH:
        case KIND_PROXY:
        case KIND_USER:
        case KIND_BRANCH:
        case KIND_NAME:
        case KIND_NODE_ID:
        case KIND_METRICS:
        case KIND_EVENTS:
        case KIND_EVENTS_URL:
        case KIND_FORMAT:
        case KIND_TENANT:
        case KIND_HTTPS_USER:
                r = text_checks[s->kind](text, err);
                return r < 0 ? r : string_set(field, text, err);
        case KIND_SOURCE:
        case KIND_REPOSITORY:
        case KIND_GIT:
                r = s->kind == KIND_SOURCE ? source_parse(text, &source, err)
                    : s->kind == KIND_GIT  ? git_url_parse(text, &source, err)
                                           : repository_parse(text, &source, err);
                if (r < 0)
                        return r;
                free(*(char **)field);
                *(char **)field = source;
                return 0;
        case KIND_DURATION:
                return duration_parse(text, field) < 0 ? bad(err, text, "a duration: 1500ms, 90s, 5m, 2h or 1d, at most 30d") : 0;
        case KIND_LIMIT:
                if (size_parse(text, &v) < 0 || v > LIMIT_MAX)
                        return bad(err, text, "a size: bytes, 512KiB, 64MiB or 1GiB, at most 4GiB");
                *(uint64_t *)field = v;
                return 0;
        case KIND_PERCENT:
                r = number_set(text, 0, 100, &v, err);
                if (r >= 0)
                        *(unsigned *)field = (unsigned)v;
                return r;
        case KIND_KEEP:
                r = number_set(text, 1, SINK_FILE_KEEP_MAX, &v, err);
                if (r >= 0)
                        *(unsigned *)field = (unsigned)v;
                return r;
        case KIND_THRESHOLD:
                r = number_set(text, 1, KEYRING_MAX, &v, err);
                if (r >= 0)
                        *(size_t *)field = (size_t)v;
                return r;
        case KIND_DENIALS:
                r = number_set(text, 0, JSON_INT_MAX, &v, err);
                if (r >= 0)
                        *(int64_t *)field = (int64_t)v;
                return r;
        case KIND_MODE:
                r = word_set(text, "enforce", "audit", &yes, err);
                if (r >= 0)
                        *(enum policy_mode *)field = yes ? MODE_AUDIT : MODE_ENFORCE;
                return r;
        case KIND_BOOL:
                return word_set(text, "false", "true", field, err);
        default: /* lists: setting_set() has sorted them out */
                return -EINVAL;
        }
}

/* ---- lists ---------------------------------------------------------------------------------------------------------- */

static void values_free(char **list) {
        for (char **p = list; p && *p; p++)
                free(*p);
        free(list);
}

static int strings_set(char ***field, const char *const *values, size_t n, struct err *err) {
        char **list = new_array(n + 1, sizeof(*list));

        for (size_t i = 0; list && i < n; i++) {
                list[i] = strdup(values[i]);
                if (!list[i]) {
                        values_free(list);
                        list = NULL;
                }
        }
        if (!list)
                return err_errno(err, -ENOMEM, "configuration");
        values_free(*field);
        *field = list;
        return 0;
}

static bool named_before(const char *const *values, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(values[i], values[n]))
                        return true;
        return false;
}

/* The kinds that are lists: how long, and what each value may be. */
static const struct list_kind {
        size_t max;
        int (*check)(const char *text, struct err *err);
        bool once; /* no value twice */
} list_kinds[] = {
        [KIND_PATHS] = {KEYRING_MAX, path_check, false},          [KIND_NAMES] = {CONFIG_BUNDLES_MAX, bundle_name_check, true},
        [KIND_POLICIES] = {CONFIG_AUDIT_MAX, policy_check, true}, [KIND_COMMAND] = {LIST_MAX, path_check, false},
        [KIND_LABELS] = {SENDER_LABELS_MAX, label_check, true},
};

static const struct list_kind *list_kind(enum kind kind) {
        return kind < ARRAY_SIZE(list_kinds) && list_kinds[kind].check ? &list_kinds[kind] : NULL;
}

static int list_set(struct config *c, const struct setting *s, const char *const *values, size_t n, size_t *ret_bad,
                    struct err *err) {
        const struct list_kind *kind = list_kind(s->kind);
        size_t n_checked = s->kind == KIND_COMMAND ? 1 : n; /* a command's arguments may be anything */
        int r;

        if (n == 0 || n > kind->max)
                return err_set(err, -EINVAL, REASON_CONFIG, "a list of 1 to %zu is needed", kind->max);
        for (size_t i = 0; i < n_checked; i++) {
                r = kind->check(values[i], err);
                if (r >= 0 && kind->once && named_before(values, i))
                        r = err_set(err, -EINVAL, REASON_CONFIG, "'%s' is there twice", values[i]);
                if (r < 0) {
                        *ret_bad = i;
                        return r;
                }
        }
        r = strings_set((char ***)((char *)c + s->offset), values, n, err);
        if (r >= 0 && s->kind == KIND_PATHS)
                c->n_key_files = n;
        return r;
}

int setting_set(struct config *c, const struct setting *s, const char *const *values, size_t n, bool list, size_t *ret_bad,
                struct err *err) {
        bool wants_list = list_kind(s->kind);

        *ret_bad = n;
        if (list != wants_list)
                return err_set(err, -EINVAL, REASON_CONFIG, wants_list ? "a list is needed: [A, B, ...]" : "one value is needed");
        if (list)
                return list_set(c, s, values, n, ret_bad, err);
        *ret_bad = 0;
        return scalar_set(c, s, values[0], err);
}
