/* SPDX-License-Identifier: Apache-2.0 */
/* KubeArmor's paths and directories are taken as they are; its patterns are AppArmor's globs, which are nearly those of rules. */
#include <stdio.h>

#include "fields.h"
#include "import_kubearmor.h"

#define EXPANDED_MAX 256

static bool has_glob(const char *text) {
        const char *open = strchr(text, '['), *brace = strchr(text, '{');

        return strpbrk(text, "*?") || (open && strchr(open, ']')) || (brace && strchr(brace, '}'));
}

/* Of regular expressions, what no glob is likely to have. */
static bool looks_regular(const char *text) {
        size_t n = strlen(text);

        return text[0] == '^' || (n > 0 && text[n - 1] == '$') || strstr(text, ".*") || strstr(text, ".+") ||
               strstr(text, "\\.") || strstr(text, "\\d") || strstr(text, "\\w") || strpbrk(text, "()|");
}

/* The text as it is, if it may be a path of that key. */
static const char *plain_text(struct ka *ka, const struct yaml_node *node, const char *key) {
        const char *text = field_text(node, key, &ka->im->diags);

        if (!text)
                return NULL;
        if (looks_regular(text) && (text[0] != '/' || strstr(text, ".*")))
                import_error(ka->im, node->pos, "'%s' looks like a regular expression; '%s' is one path, as it is", text, key);
        else if (has_glob(text))
                import_error(ka->im, node->pos, "'%s' is a glob, and '%s' is one path, as it is: globs belong in matchPatterns",
                             text, key);
        else if (text[0] != '/')
                import_error(ka->im, node->pos, "'%s': a path begins with '/'", text);
        else
                return text;
        return NULL;
}

static bool literal_add(struct ka *ka, const struct yaml_node *node, const char *text, const char *suffix, struct strv *ret) {
        cleanup_free char *literal = import_path_literal(text), *path = NULL;

        if (!literal || asprintf(&path, "%s%s", literal, suffix) < 0) {
                path = NULL;
                ka_try(ka, -ENOMEM);
                return false;
        }
        if (!import_path_check(ka->im, node, path, "path"))
                return false;
        ka_try(ka, strv_add(ret, path));
        return true;
}

bool ka_path_exact(struct ka *ka, const struct yaml_node *node, struct strv *ret) {
        const char *text = plain_text(ka, node, "path");

        if (!text)
                return false;
        if (text[strlen(text) - 1] == '/') {
                import_error(ka->im, node->pos, "'%s' is a directory: those belong in matchDirectories, as 'dir'", text);
                return false;
        }
        return literal_add(ka, node, text, "", ret);
}

bool ka_path_directory(struct ka *ka, const struct yaml_node *node, bool recursive, bool alone, struct strv *ret) {
        const char *text = plain_text(ka, node, "dir");
        cleanup_free char *without = NULL;

        if (!text)
                return false;
        if (text[strlen(text) - 1] != '/') {
                import_error(ka->im, node->pos, "'%s': KubeArmor's directories end in '/'", text);
                return false;
        }
        if (recursive)
                return literal_add(ka, node, text, "", ret);
        if (!literal_add(ka, node, text, "*", ret))
                return false;
        without = strndup(text, strlen(text) - 1);
        if (!without)
                ka_try(ka, -ENOMEM);
        return alone || !without || !*without || literal_add(ka, node, without, "", ret);
}

/* ---- patterns ------------------------------------------------------------------------------------------------------------ */

/* "{a,b}" is two patterns. false: too many. The first brace's alternatives, each with what follows expanded in its turn. */
static bool braces_expand(struct ka *ka, const char *text, struct strv *ret) {
        const char *open = strchr(text, '{'), *end = open, *from;
        int depth = 0;

        for (; end && *end; end++) {
                depth += (*end == '{') - (*end == '}');
                if (depth == 0)
                        break;
        }
        if (!open || !*end) {
                ka_try(ka, strv_add(ret, text));
                return ret->n <= EXPANDED_MAX;
        }
        from = open + 1;
        depth = 1;
        for (const char *s = from; s <= end; s++) {
                cleanup_free char *one = NULL;

                depth += (*s == '{') - (*s == '}');
                if (!(s == end || (*s == ',' && depth == 1)))
                        continue;
                if (asprintf(&one, "%.*s%.*s%s", (int)(open - text), text, (int)(s - from), from, end + 1) < 0) {
                        one = NULL;
                        ka_try(ka, -ENOMEM);
                        return true;
                }
                if (!braces_expand(ka, one, ret))
                        return false;
                from = s + 1;
        }
        return true;
}

bool ka_path_pattern(struct ka *ka, const struct yaml_node *node, struct strv *ret) {
        const char *text = field_text(node, "pattern", &ka->im->diags);
        cleanup_strv struct strv all = {};

        if (!text)
                return false;
        if (looks_regular(text)) {
                import_error(ka->im, node->pos,
                             "'%s' looks like a regular expression; 'pattern' is a glob: *, **, ?, [...], {...}", text);
                return false;
        }
        if (strstr(text, " -")) {
                import_left_out(ka->im, node->pos, "'%s': a path has no arguments behind it, and rules do not look at them",
                                text);
                return false;
        }
        if (!braces_expand(ka, text, &all)) {
                import_left_out(ka->im, node->pos, "'%s': the braces stand for more than %d patterns", text, EXPANDED_MAX);
                return false;
        }
        for (size_t i = 0; i < all.n; i++) {
                for (char *s = all.v[i]; (s = strstr(s, "[^"));)
                        s[1] = '!';
                if (!import_path_check(ka->im, node, all.v[i], "pattern"))
                        return false;
                ka_try(ka, strv_add(ret, all.v[i]));
        }
        return true;
}
