/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest_place.h"

#include <limits.h>

int selftest_refused(struct err *err, const char *word, const char *why) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "do %s: %s", word, why);
}

/* Absolute, each component once and plain: what the text says is where it is, as far as the text can say. */
static bool path_plain(const char *path) {
        const char *p = path;

        if (*p != '/' || strlen(path) >= PATH_MAX - 64) /* room for a fresh name */
                return false;
        while (*p == '/') {
                size_t n = strcspn(++p, "/");

                if (n == 0)
                        return *p == 0; /* a slash at the end, or twice */
                if (n > NAME_MAX || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += n;
        }
        return true;
}

static bool path_below(const char *path, const char *dir) {
        size_t n = strlen(dir);

        return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == 0);
}

bool selftest_path_is_interface(const char *path) {
        return path_below(path, "/proc") || path_below(path, "/sys") ||
               (path_below(path, "/dev") && !path_below(path, "/dev/shm"));
}

int selftest_place_parse(const json_t *j, const char *word, struct selftest_place *ret, struct err *err) {
        const char *path = json_string_value(j), *star;
        size_t n;

        if (!path)
                return selftest_refused(err, word, "its operand is not a path");
        if (!path_plain(path))
                return selftest_refused(err, word, "a path starts with '/' and has no empty, over-long, '.' or '..' component");
        ret->path = strdup(path);
        if (!ret->path)
                return err_errno(err, -ENOMEM, "self-tests");

        star = strstr(ret->path, "/*/");
        n = strlen(path);
        if (star) {
                ret->leaf = star + 3;
                if (!*ret->leaf || strchr(ret->leaf, '/'))
                        return selftest_refused(err, word, "after '/*/' comes one name");
                n = star - ret->path;
        } else if (path[n - 1] == '/')
                n--;
        else
                return 0;
        ret->dir = strndup(n ? path : "/", n ? n : 1);
        if (!ret->dir)
                return err_errno(err, -ENOMEM, "self-tests");
        if (selftest_path_is_interface(ret->dir))
                return selftest_refused(err, word, "nothing is made in /proc, /sys or /dev");
        return 0;
}

int selftest_place_parse_own(const json_t *j, const char *word, struct selftest_place *ret, struct err *err) {
        int r = selftest_place_parse(j, word, ret, err);

        if (r < 0 || ret->dir)
                return r;
        if (selftest_path_is_interface(ret->path))
                return selftest_refused(err, word, "nothing is made in /proc, /sys or /dev");
        if (strrchr(ret->path, '/') == ret->path)
                return selftest_refused(err, word,
                                        "nothing can stand in for what is in '/' itself: 'DIR/' (a fresh name in DIR) or "
                                        "'DIR/*/NAME' (NAME in a fresh directory in DIR)");
        ret->stand_in = true;
        return 0;
}

/* The directory of x holds y. */
static bool directory_holds(const char *x, const char *y) {
        return strncmp(x, y, strrchr(x, '/') - x + 1) == 0;
}

int selftest_places_parse_own(const json_t *pair, const char *word, struct selftest *t, struct err *err) {
        int r;

        if (!json_is_array(pair) || json_array_size(pair) != 2)
                return selftest_refused(err, word, "its operand is not [FROM, TO]");
        r = selftest_place_parse_own(json_array_get(pair, 0), word, &t->at, err);
        if (r >= 0)
                r = selftest_place_parse_own(json_array_get(pair, 1), word, &t->to, err);
        if (r < 0)
                return r;
        if (t->at.stand_in != t->to.stand_in)
                return selftest_refused(err, word, "a stand-in and a fresh place are on different file systems");
        if (t->at.stand_in && streq(t->at.path, t->to.path))
                return selftest_refused(err, word, "its places are one and the same");
        if (t->at.stand_in && !directory_holds(t->at.path, t->to.path) && !directory_holds(t->to.path, t->at.path))
                return selftest_refused(err, word,
                                        "two stand-ins are on one file system: the directory of one of them holds the other");
        return 0;
}
