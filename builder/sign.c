/* SPDX-License-Identifier: Apache-2.0 */
#include "sign.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fileio.h"
#include "path.h"

#define PUBLISH_MAX (1u << 30)

void signers_done(struct signers *s) {
        for (size_t i = 0; i < s->n; i++)
                privkey_free(s->keys[i]);
        free(s->keys);
        *s = (struct signers){};
}

int signers_add(struct signers *s, const char *path_or_uri, struct err *err) {
        struct privkey **keys = reallocarray(s->keys, s->n + 1, sizeof(struct privkey *));
        int e;

        if (!keys)
                return err_errno(err, -ENOMEM, "keys");
        s->keys = keys;
        e = privkey_load(path_or_uri, &keys[s->n], err);
        if (e == 0)
                s->n++;
        return e;
}

int signers_load(const struct args *args, struct signers *ret, struct err *err) {
        const char *key;

        for (size_t i = 0; (key = args_nth(args, "key", i)); i++) {
                int e = signers_add(ret, key, err);

                if (e < 0)
                        return err_wrap(err, e, "key '%s'", key);
        }
        return 0;
}

int signers_sign(const struct signers *s, struct envelope *env, struct err *err) {
        for (size_t i = 0; i < s->n; i++) {
                int e = envelope_sign(env, s->keys[i], err);

                if (e < 0)
                        return e;
        }
        return 0;
}

int signers_ring(const struct signers *s, struct keyring *ret, struct err *err) {
        for (size_t i = 0; i < s->n; i++) {
                cleanup_buf struct buf pem = {};
                int e = pubkey_pem(privkey_public(s->keys[i]), &pem, err);

                if (e == 0)
                        e = keyring_add_pem(ret, pem.data, pem.len, err);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* The mode of what is there, if anything; only a regular file is ever replaced, never /dev/null. */
static int file_look(int dirfd, const char *name, mode_t *mode, struct err *err) {
        struct stat st;

        if (fstatat(dirfd, name, &st, 0) < 0)
                return errno == ENOENT ? 0 : err_errno(err, -errno, "cannot look at '%s'", name);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EEXIST, REASON_NONE, "'%s' is there and is not a regular file", name);
        *mode = st.st_mode & 07777;
        return 0;
}

int file_publish(int memfd, const char *path, mode_t mode, bool *ret_unchanged, struct err *err) {
        /* Of a symbolic link, the file that it leads to. */
        cleanup_free char *real = realpath(path, NULL), *dir = path_dir(real ?: path);
        cleanup_fd int dirfd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        const char *slash = strrchr(real ?: path, '/'), *name = slash ? slash + 1 : path;
        cleanup_buf struct buf text = {}, old = {};
        int e;

        if (dirfd < 0)
                return err_errno(err, -errno, "cannot open the directory of '%s'", path);
        e = file_look(dirfd, name, &mode, err);
        if (e < 0)
                return e;
        if (lseek(memfd, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "cannot read back what was written");
        e = fd_read_all(memfd, PUBLISH_MAX, &text, err);
        if (e < 0)
                return e;
        *ret_unchanged = file_read(dirfd, name, text.len, &old, NULL) == 0 && old.len == text.len &&
                         memcmp(old.data, text.data, text.len) == 0;
        if (*ret_unchanged)
                return 0;
        e = file_replace(dirfd, name, mode, text.data, text.len, err);
        return e < 0 ? err_wrap(err, e, "'%s'", path) : 0;
}
