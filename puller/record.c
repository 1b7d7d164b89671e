/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <fcntl.h>
#include <stdio.h>

#include "fileio.h"
#include "folder.h"
#include "text.h"

#define TEXT_MAX 1024

static int record_parse(const struct buf *b, const char *type, json_t **ret, struct err *err) {
        cleanup_json json_t *doc = NULL;
        const char *found;
        long long format;
        int r;

        r = json_parse(b->data, b->len, &doc, err);
        if (r < 0)
                return r;
        if (!json_is_object(doc))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not an object");
        r = json_get_string(doc, "_type", &found, err);
        if (r < 0)
                return r;
        if (!streq(found, type))
                return err_set(err, -EBADMSG, REASON_WRONG_TYPE, "this is a '%s', and a '%s' is needed here", found, type);
        r = json_get_int(doc, "format", 0, JSON_INT_MAX, &format, err);
        if (r < 0)
                return r;
        if (format != RECORD_FORMAT)
                return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "format %lld, and this program knows format %d", format,
                               RECORD_FORMAT);
        *ret = steal_pointer(doc);
        return 0;
}

int record_load(int dirfd, const char *name, const char *type, size_t max, json_t **ret, struct err *err) {
        cleanup_fd int fd = regular_open(dirfd, name, err);
        cleanup_buf struct buf b = {};
        int r;

        if (fd < 0)
                return fd;
        r = fd_read_all(fd, max, &b, err);
        if (r >= 0)
                r = record_parse(&b, type, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", name) : 0;
}

int record_save(int dirfd, const char *name, const char *type, json_t *taken, struct err *err) {
        cleanup_json json_t *doc = taken;
        cleanup_buf struct buf b = {};
        int r;

        if (!doc || json_object_set_new(doc, "_type", json_string(type)) < 0 ||
            json_object_set_new(doc, "format", json_integer(RECORD_FORMAT)) < 0)
                return err_errno(err, -ENOMEM, "%s", name);
        r = json_canonical(doc, &b, err);
        if (r < 0)
                return err_wrap(err, r, "%s", name);
        if (buf_append(&b, "\n", 1) < 0)
                return err_errno(err, -ENOMEM, "%s", name);
        return file_replace(dirfd, name, 0600, b.data, b.len, err);
}

int record_place(int state_fd, const char *folder, const char *bundle, bool create, char ret_name[static RECORD_NAME_LEN],
                 struct err *err) {
        if (!name_valid(bundle))
                return err_set(err, -EINVAL, REASON_MALFORMED, "'%s' is no bundle's name", bundle);
        snprintf(ret_name, RECORD_NAME_LEN, "%s" RECORD_SUFFIX, bundle);
        return folder_open(state_fd, folder, create, err);
}

int record_delete(int state_fd, const char *folder, const char *bundle, struct err *err) {
        char name[RECORD_NAME_LEN];
        cleanup_fd int dir = record_place(state_fd, folder, bundle, false, name, err);

        if (dir < 0)
                return dir == -ENOENT ? 0 : dir;
        if (unlinkat(dir, name, 0) < 0)
                return errno == ENOENT ? 0 : err_errno(err, -errno, "%s: %s", folder, name);
        return fsync(dir) < 0 ? err_errno(err, -errno, "%s", folder) : 0;
}

int record_list(int state_fd, const char *folder, char ***ret, size_t *ret_n, struct err *err) {
        cleanup_fd int dir = folder_open(state_fd, folder, false, err);
        cleanup_names struct names names = {};
        size_t n = 0;
        int r;

        if (dir < 0 && dir != -ENOENT)
                return dir;
        r = dir >= 0 ? folder_list(dir, &names, err) : 0;
        if (r < 0)
                return err_wrap(err, r, "%s", folder);
        for (size_t i = 0; i < names.n; i++) {
                char *name = names.list[i], *suffix = strrchr(name, '.');

                /* Others, such as the temporary file of a write that was cut off, are not ours to judge. */
                names.list[i] = NULL;
                if (suffix && streq(suffix, RECORD_SUFFIX)) {
                        *suffix = 0;
                        if (name_valid(name)) {
                                names.list[n++] = name;
                                continue;
                        }
                }
                free(name);
        }
        *ret = steal_pointer(names.list);
        *ret_n = n;
        names.n = 0;
        return 0;
}

int record_get_text(const json_t *doc, const char *key, char *ret, size_t size, struct err *err) {
        const char *s;
        size_t n;
        int r;

        r = json_get_string(doc, key, &s, err);
        if (r < 0)
                return r;
        n = strlen(s);
        if (n >= size)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' has %zu bytes, and %zu are the most", key, n, size - 1);
        memcpy(ret, s, n + 1);
        return 0;
}

int record_get_uint(const json_t *doc, const char *key, uint64_t max, uint64_t *ret, struct err *err) {
        long long v;
        int r;

        r = json_get_int(doc, key, 0, max < JSON_INT_MAX ? (long long)max : JSON_INT_MAX, &v, err);
        if (r < 0)
                return r;
        *ret = (uint64_t)v;
        return 0;
}

int record_get_word(const json_t *doc, const char *key, const char *const *words, size_t n, size_t *ret, struct err *err) {
        const char *word;
        int r = json_get_string(doc, key, &word, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (streq(word, words[i])) {
                        *ret = i;
                        return 0;
                }
        return err_set(err, -EBADMSG, REASON_MALFORMED, "'%.32s' is no %s", word, key);
}

json_t *record_text(const char *text) {
        char clean[TEXT_MAX];

        text_clean(clean, sizeof(clean), text);
        return json_string(clean);
}
