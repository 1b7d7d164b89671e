/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as a person would have written them, and a bundle's directory around them. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "import.h"
#include "path.h"

#define LINE_WIDTH 100

/* ---- a file of rules ----------------------------------------------------------------------------------------------------- */

/* In quotes unless it can be nothing but a text, even between brackets. */
static int put_scalar(struct buf *to, const char *text) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@";
        int e;

        if (*text && strspn(text, plain) == strlen(text) && *text != '-' && *text != '@')
                return buf_append(to, text, strlen(text));
        e = buf_append(to, "'", 1);
        for (; e == 0 && *text; text++) {
                if (*text == '\'')
                        e = buf_append(to, "'", 1);
                if (e == 0)
                        e = buf_append(to, text, 1);
        }
        return e < 0 ? e : buf_append(to, "'", 1);
}

/* One value alone, several between brackets, on lines of their own when they are too many for one. */
static int put_values(struct buf *to, const struct strv *values, unsigned indent) {
        size_t start = to->len;
        int e;

        if (values->n == 1)
                return put_scalar(to, values->v[0]);
        e = buf_append(to, "[", 1);
        for (size_t i = 0; e == 0 && i < values->n; i++) {
                if (i > 0)
                        e = buf_append(to, ", ", 2);
                if (e == 0 && to->len - start > LINE_WIDTH - indent) {
                        to->len--; /* the blank at the end of the line */
                        e = buf_printf(to, "\n%*s", indent, "");
                        start = to->len;
                }
                if (e == 0)
                        e = put_scalar(to, values->v[i]);
        }
        return e < 0 ? e : buf_append(to, "]", 1);
}

static int put_unless(struct buf *to, const struct import_keys *unless) {
        int e = buf_printf(to, "    unless: {");

        for (size_t i = 0; e == 0 && i < unless->n; i++) {
                e = buf_printf(to, "%s%s: ", i > 0 ? ", " : "", unless->v[i].key);
                if (e == 0)
                        e = put_values(to, &unless->v[i].values, 8);
        }
        return e < 0 ? e : buf_printf(to, "}\n");
}

/* In the order in which the documents name them, whatever the order of their coming. */
static int put_rule(struct buf *to, const struct import_rule *rule) {
        static const char *const first[] = {"on",  "path", "cap",    "family", "type", "protocol",
                                            "exe", "comm", "parent", "uid",    "gid",  "owner"};
        const struct import_key *action = NULL;
        int e = buf_printf(to, "  - id: %s\n", rule->id);

        for (size_t k = 0; k <= ARRAY_SIZE(first); k++)
                for (size_t i = 0; e == 0 && i < rule->keys.n; i++) {
                        const struct import_key *key = &rule->keys.v[i];
                        bool known = false;

                        for (size_t m = 0; m < ARRAY_SIZE(first); m++)
                                known = known || streq(first[m], key->key);
                        if (streq(key->key, "action")) {
                                action = key;
                                continue;
                        }
                        if (k < ARRAY_SIZE(first) ? !streq(first[k], key->key) : known)
                                continue;
                        e = buf_printf(to, "    %s: ", key->key);
                        if (e == 0)
                                e = put_values(to, &key->values, 6);
                        if (e == 0)
                                e = buf_append(to, "\n", 1);
                }
        if (e == 0 && rule->unless.n > 0)
                e = put_unless(to, &rule->unless);
        return e == 0 && action ? buf_printf(to, "    action: %s\n", action->values.v[0]) : e;
}

static int put_comments(struct buf *to, const struct strv *comments, unsigned indent) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < comments->n; i++)
                e = buf_printf(to, "%*s#%s%s\n", indent, "", *comments->v[i] ? " " : "", comments->v[i]);
        return e;
}

static unsigned lines_count(const struct buf *text) {
        unsigned n = 0;

        for (size_t i = 0; i < text->len; i++)
                n += text->data[i] == '\n';
        return n;
}

int import_policy_text(const struct import_policy *policy, struct buf *ret, unsigned *lines) {
        int e = put_comments(ret, &policy->comments, 0);

        if (e == 0 && policy->denied.n > 0) {
                e = buf_printf(ret, "default:\n");
                for (size_t i = 0; e == 0 && i < policy->denied.n; i++)
                        e = buf_printf(ret, "  %s: deny\n", policy->denied.v[i].key);
        }
        if (e == 0 && policy->n > 0)
                e = buf_printf(ret, "rules:\n");
        for (size_t i = 0; e == 0 && i < policy->n; i++) {
                e = put_comments(ret, &policy->rules[i]->comments, 2);
                if (lines)
                        lines[i] = lines_count(ret) + 1;
                if (e == 0)
                        e = put_rule(ret, policy->rules[i]);
        }
        return e;
}

/* ---- the directory ------------------------------------------------------------------------------------------------------- */

static int bundle_text(const struct import *im, const char *name, const char *mode, struct buf *ret) {
        int e = buf_printf(ret,
                           "# Made by lsmbundle import %s. Look at what it would deny, then enforce: mode: enforce.\n"
                           "apiVersion: lsmbundle/v1\nname: %s\nversion: 0.1.0\nrelease: 1\npolicies:\n",
                           im->format->name, name);

        for (size_t i = 0; e == 0 && i < im->n_policies; i++)
                e = buf_printf(ret, "  - {name: %s, rules: rules/%s.yaml, mode: %s}\n", im->policies[i]->name,
                               im->policies[i]->name, mode);
        return e;
}

static void closedir_p(DIR **d) {
        if (*d)
                closedir(*d);
}

/* Never into what somebody has: only a new directory, or an empty one. */
static int dir_make(const char *dir, struct err *err) {
        cleanup(closedir_p) DIR *d = NULL;
        struct dirent *entry;

        if (mkdir(dir, 0777) == 0)
                return 0;
        if (errno != EEXIST)
                return err_errno(err, -errno, "%s", dir);
        d = opendir(dir);
        if (!d)
                return err_errno(err, -errno, "%s", dir);
        while ((entry = readdir(d)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        return err_set(err, -EEXIST, REASON_NONE, "%s: not empty: name another directory by --output", dir);
        return 0;
}

int import_write(const struct import *im, const char *dir, const char *name, const char *mode, struct err *err) {
        cleanup_free char *rules = path_join(dir, "rules");
        cleanup_buf struct buf bundle = {};
        cleanup_fd int fd = -1;
        int e = rules ? bundle_text(im, name, mode, &bundle) : -ENOMEM;

        if (e < 0)
                return err_errno(err, e, "%s", dir);
        e = dir_make(dir, err);
        if (e < 0)
                return e;
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || mkdirat(fd, "rules", 0777) < 0)
                return err_errno(err, -errno, "%s", rules);
        for (size_t i = 0; i < im->n_policies; i++) {
                cleanup_buf struct buf text = {};
                char file[128];

                snprintf(file, sizeof(file), "rules/%s.yaml", im->policies[i]->name);
                e = import_policy_text(im->policies[i], &text, NULL);
                e = e < 0 ? err_errno(err, e, "%s", file) : file_create(fd, file, 0666, text.data, text.len, err);
                if (e < 0)
                        return err_wrap(err, e, "%s", dir);
        }
        /* The last one: without it there is no bundle. */
        e = file_create(fd, "bundle.yaml", 0666, bundle.data, bundle.len, err);
        return e < 0 ? err_wrap(err, e, "%s", dir) : 0;
}
