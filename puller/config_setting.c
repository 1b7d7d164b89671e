/* SPDX-License-Identifier: Apache-2.0 */
#include "config_setting.h"

#include <strings.h>

#define S_NS 1000000000LL
#define DEADLINE_MAX (24 * 3600 * S_NS) /* the gate's clock wraps after weeks; a day is more than anyone watches */
#define INTERVAL_MIN S_NS
#define LIMIT_MAX (4ULL << 30)
#define RUN_DIR_MAX 94 /* "/control.sock" and the terminator make it the 108 bytes of a socket's address */
#define USER_MAX 31
#define LIST_MAX 256

enum kind {
        KIND_PATH,
        KIND_PATHS,
        KIND_COMMAND,
        KIND_SOURCE,
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
        {"source", "bundle", KIND_SOURCE, offsetof(struct config, source)},
        {"source", "keys", KIND_PATHS, offsetof(struct config, key_files)},
        {"source", "threshold", KIND_THRESHOLD, offsetof(struct config, threshold)},
        {"poll", "interval", KIND_DURATION, offsetof(struct config, poll_interval_ns)},
        {"poll", "jitter", KIND_PERCENT, offsetof(struct config, poll_jitter_percent)},
        {"https", "ca", KIND_PATH, offsetof(struct config, ca)},
        {"https", "certificate", KIND_PATH, offsetof(struct config, certificate)},
        {"https", "key", KIND_PATH, offsetof(struct config, client_key)},
        {"https", "token", KIND_PATH, offsetof(struct config, token_file)},
        {"https", "proxy", KIND_PROXY, offsetof(struct config, proxy)},
        {"confirm", "deadline", KIND_DURATION, offsetof(struct config, deadline_ns)},
        {"confirm", "health", KIND_DURATION, offsetof(struct config, health_ns)},
        {"confirm", "max-denials", KIND_DENIALS, offsetof(struct config, max_denials)},
        {"confirm", "command", KIND_COMMAND, offsetof(struct config, health_command)},
        {"limits", "archive", KIND_LIMIT, offsetof(struct config, limits.max_archive)},
        {"limits", "content", KIND_LIMIT, offsetof(struct config, limits.max_content)},
        {NULL, "mode", KIND_MODE, offsetof(struct config, mode)},
        {NULL, "bpf-token", KIND_BOOL, offsetof(struct config, bpf_token)},
        {"users", "fetcher", KIND_USER, offsetof(struct config, fetcher_user)},
        {"users", "loader", KIND_USER, offsetof(struct config, loader_user)},
        {"users", "reporter", KIND_USER, offsetof(struct config, reporter_user)},
        {"paths", "state", KIND_PATH, offsetof(struct config, state_dir)},
        {"paths", "run", KIND_PATH, offsetof(struct config, run_dir)},
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

bool setting_is_section(const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (settings[i].section && streq(settings[i].section, key))
                        return true;
        return false;
}

int setting_names(const char *section, struct buf *out) {
        const char *last = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(settings); i++) {
                const struct setting *s = &settings[i];
                const char *name = same_section(s->section, section) ? s->key : section ? NULL : s->section;

                if (!name || (last && streq(last, name))) /* sections stand together */
                        continue;
                r = buf_printf(out, "%s%s", last ? ", " : "", name);
                last = name;
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

static int scalar_set(struct config *c, const struct setting *s, const char *text, struct err *err) {
        void *field = (char *)c + s->offset;
        char *source = NULL;
        uint64_t v;
        bool yes;
        int r;

        switch (s->kind) {
        case KIND_PATH:
                r = path_check(text, err);
                return r < 0 ? r : string_set(field, text, err);
        case KIND_PROXY:
                r = proxy_check(text, err);
                return r < 0 ? r : string_set(field, text, err);
        case KIND_USER:
                r = user_check(text, err);
                return r < 0 ? r : string_set(field, text, err);
        case KIND_SOURCE:
                r = source_parse(text, &source, err);
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

static void strings_free(char **list) {
        for (char **p = list; p && *p; p++)
                free(*p);
        free(list);
}

static int strings_set(char ***field, const char *const *values, size_t n, struct err *err) {
        char **list = new_array(n + 1, sizeof(*list));

        for (size_t i = 0; list && i < n; i++) {
                list[i] = strdup(values[i]);
                if (!list[i]) {
                        strings_free(list);
                        list = NULL;
                }
        }
        if (!list)
                return err_errno(err, -ENOMEM, "configuration");
        strings_free(*field);
        *field = list;
        return 0;
}

static int list_set(struct config *c, const struct setting *s, const char *const *values, size_t n, size_t *ret_bad,
                    struct err *err) {
        bool paths = s->kind == KIND_PATHS;
        size_t n_checked = paths ? n : 1; /* a command's arguments may be anything */
        int r;

        if (n == 0 || n > (paths ? KEYRING_MAX : LIST_MAX))
                return err_set(err, -EINVAL, REASON_CONFIG, "a list of 1 to %d is needed", paths ? KEYRING_MAX : LIST_MAX);
        for (size_t i = 0; i < n_checked; i++) {
                r = path_check(values[i], err);
                if (r < 0) {
                        *ret_bad = i;
                        return r;
                }
        }
        r = strings_set((char ***)((char *)c + s->offset), values, n, err);
        if (r >= 0 && paths)
                c->n_key_files = n;
        return r;
}

int setting_set(struct config *c, const struct setting *s, const char *const *values, size_t n, bool list, size_t *ret_bad,
                struct err *err) {
        bool wants_list = s->kind == KIND_PATHS || s->kind == KIND_COMMAND;

        *ret_bad = n;
        if (list != wants_list)
                return err_set(err, -EINVAL, REASON_CONFIG, wants_list ? "a list is needed: [A, B, ...]" : "one value is needed");
        if (list)
                return list_set(c, s, values, n, ret_bad, err);
        *ret_bad = 0;
        return scalar_set(c, s, values[0], err);
}

/* ---- between settings ----------------------------------------------------------------------------------------------- */

struct judgement {
        const char *section, *key; /* to blame */
        struct err *err;
};

static int blame(struct judgement *j, const char *section, const char *key, const char *why) {
        j->section = section;
        j->key = key;
        return err_set(j->err, -EINVAL, REASON_CONFIG, "%s.%s: %s", section, key, why);
}

static int source_judge(const struct config *c, struct judgement *j) {
        if (c->source && c->n_key_files == 0)
                return blame(j, "source", "bundle", "it needs source.keys: nothing is taken on anyone's word");
        if (!c->source && c->n_key_files > 0)
                return blame(j, "source", "keys", "they are of no use without source.bundle");
        if (c->threshold > c->n_key_files && c->n_key_files > 0)
                return blame(j, "source", "threshold", "it is higher than the number of source.keys");
        if (c->client_key && !c->certificate)
                return blame(j, "https", "key", "it is of no use without https.certificate");
        if (c->certificate && !c->client_key)
                return blame(j, "https", "certificate", "it is of no use without https.key");
        return 0;
}

static int times_judge(const struct config *c, struct judgement *j) {
        if (c->deadline_ns > DEADLINE_MAX)
                return blame(j, "confirm", "deadline", "at most 1d");
        if (c->health_ns >= c->deadline_ns)
                return blame(j, "confirm", "health",
                             "it must be shorter than confirm.deadline, or the kernel falls back before anything is confirmed");
        if (c->poll_interval_ns < INTERVAL_MIN)
                return blame(j, "poll", "interval", "at least 1s");
        return 0;
}

static int users_judge(const struct config *c, struct judgement *j) {
        static const char why[] = "each child needs a user of its own: what runs as one user can take over all that runs as it";

        if (streq(c->fetcher_user, c->loader_user))
                return blame(j, "users", "loader", why);
        if (streq(c->fetcher_user, c->reporter_user) || streq(c->loader_user, c->reporter_user))
                return blame(j, "users", "reporter", why);
        return 0;
}

int settings_judge(const struct config *c, const char **ret_section, const char **ret_key, struct err *err) {
        struct judgement j = {.err = err};
        int r;

        r = source_judge(c, &j);
        if (r >= 0)
                r = times_judge(c, &j);
        if (r >= 0)
                r = users_judge(c, &j);
        if (r >= 0 && strlen(c->run_dir) > RUN_DIR_MAX)
                r = blame(&j, "paths", "run", "too long for the address of the control socket in it");
        *ret_section = j.section;
        *ret_key = j.key;
        return r;
}
