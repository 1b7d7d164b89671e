/* SPDX-License-Identifier: Apache-2.0 */
/* What Tetragon compares with a path byte by byte, as paths of rules. */
#include <stdio.h>

#include "import_tetragon.h"
#include "path_pattern.h"

static bool looks_regular(const char *text) {
        size_t n = strlen(text);

        return text[0] == '^' || (n > 0 && text[n - 1] == '$') || strstr(text, ".*") || strstr(text, ".+") || strstr(text, "\\.");
}

/* Is it what Tetragon can compare with a path, and does it ever match? */
static bool text_check(struct tg *tg, const struct yaml_node *value, const char *text, enum tg_compare compare) {
        static const char *const words[] = {"Equal", "Prefix", "Postfix", "SubString"};
        const char *word = words[compare];
        size_t n = strlen(text);

        if (looks_regular(text))
                import_error(tg->im, value->pos, "'%s' looks like a regular expression; %s compares bytes", text, word);
        else if (strchr(text, '*'))
                import_error(tg->im, value->pos,
                             "'%s' is a glob, and %s compares bytes: a folder is Prefix '/dir/', an ending Postfix", text, word);
        else if (compare <= TG_PREFIX && text[0] != '/')
                import_error(tg->im, value->pos, "'%s': %s never matches: a path begins with '/'", text, word);
        else if ((compare == TG_EQUAL || compare == TG_POSTFIX) && n > 1 && text[n - 1] == '/')
                import_error(tg->im, value->pos, "'%s': %s never matches: a path does not end in '/'; what is below it is Prefix",
                             text, word);
        else
                return true;
        return false;
}

/* literal: of n bytes. */
static char *pattern_of(const char *literal, enum tg_compare compare, bool dir) {
        size_t n = strlen(literal);
        bool slash = literal[n - 1] == '/';
        const char *before = "", *behind = "";
        char *ret;

        if (compare == TG_EQUAL)
                behind = !dir ? "" : slash ? "*" : "/*";
        else if (compare == TG_PREFIX && slash)
                behind = dir && n > 1 ? "*/**" : "";
        else if (compare == TG_PREFIX)
                behind = dir ? "*/**" : "*/";
        else {
                before = literal[0] == '/' ? "/**" : "/**/*";
                behind = compare == TG_SUBSTRING ? (dir ? "*/**" : "*/") : dir ? "/*" : "";
        }
        return asprintf(&ret, "%s%s%s", before, literal, behind) < 0 ? NULL : ret;
}

void tg_path(struct tg *tg, struct tg_selector *s, const struct yaml_node *value, enum tg_compare compare, bool dir,
             struct strv *ret) {
        const char *text = tg_text(tg, value, "values");
        cleanup_free char *literal = NULL, *pattern = NULL;

        if (!text || !text_check(tg, value, text, compare))
                return;
        if (streq(text, "/") && (compare == TG_POSTFIX || (compare == TG_EQUAL && !dir))) {
                tg_unsaid(tg, s, value->pos, "'/': rules cannot name the root alone");
                return;
        }
        if (compare == TG_SUBSTRING && strchr(text, '/')) {
                tg_unsaid(tg, s, value->pos, "'%s': SubString with '/' in it", text);
                return;
        }
        literal = import_path_literal(text);
        pattern = literal ? pattern_of(literal, compare, dir) : NULL;
        if (!pattern)
                tg_try(tg, -ENOMEM);
        else if (import_path_check(tg->im, value, pattern, "values"))
                tg_add(tg, ret, pattern);
}

static bool is_folder(const char *path) {
        cleanup_path_pattern struct path_pattern p = {};
        struct err err = {};

        return path_pattern_parse(path, &p, &err) == 0 && p.kind == PATH_TREE;
}

bool tg_paths_below(struct tg *tg, const struct strv *dirs, const struct strv *paths, struct strv *ret) {
        bool below = dirs->n > 0;

        for (size_t i = 0; i < dirs->n; i++)
                below = below && is_folder(dirs->v[i]);
        for (size_t i = 0; i < paths->n; i++)
                below = below && strncmp(paths->v[i], "/**/", 4) == 0;
        for (size_t k = 0; k < dirs->n && below; k++)
                for (size_t i = 0; i < paths->n; i++)
                        tg_try(tg, strv_addf(ret, "%s%s", dirs->v[k], paths->v[i] + 1));
        return below;
}

bool tg_paths_precede(const struct strv *paths, const struct strv *others) {
        for (size_t i = 0; i < paths->n; i++)
                for (size_t k = 0; k < others->n; k++) {
                        cleanup_path_pattern struct path_pattern a = {}, b = {};
                        struct err err = {};

                        if (path_pattern_parse(paths->v[i], &a, &err) < 0 || path_pattern_parse(others->v[k], &b, &err) < 0 ||
                            path_pattern_compare(&a, &b) <= 0)
                                return false;
                }
        return true;
}

bool tg_path_apart(const char *a, const char *b) {
        cleanup_path_pattern struct path_pattern x = {}, y = {};
        struct err err = {};

        return path_pattern_parse(a, &x, &err) == 0 && path_pattern_parse(b, &y, &err) == 0 && x.kind != PATH_GLOB &&
               y.kind != PATH_GLOB && !path_pattern_covers(&x, &y) && !path_pattern_covers(&y, &x);
}
