/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "fault.h"
#include "fileio.h"
#include "folder.h"
#include "record.h"
#include "store_format.h"

#define NEW_PREFIX ".new-" /* being written */
#define OLD_PREFIX ".old-" /* being removed */
#define TEMPORARY_LEN 24

static int temporary_name(const char *prefix, char ret[static TEMPORARY_LEN], struct err *err) {
        uint64_t salt;

        if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
                return err_errno(err, -EIO, "getrandom");
        snprintf(ret, TEMPORARY_LEN, "%s%016llx", prefix, (unsigned long long)salt);
        return 0;
}

/* ---- removing ------------------------------------------------------------------------------------------------------- */

/* Takes the name away first: a release of which half is gone must not stand under its id after a power cut. */
static int release_remove(int store, const char *name, struct err *err) {
        char old[TEMPORARY_LEN];
        int r;

        r = temporary_name(OLD_PREFIX, old, err);
        if (r < 0)
                return r;
        if (renameat(store, name, store, old) < 0)
                return errno == ENOENT ? 0 : err_errno(err, -errno, STORE_FOLDER "/%s", name);
        if (fsync(store) < 0)
                return err_errno(err, -errno, STORE_FOLDER);
        r = folder_remove(store, old, err);
        return r < 0 ? err_wrap(err, r, STORE_FOLDER) : 0;
}

int store_remove(int state_fd, const char *content_hex, struct err *err) {
        cleanup_fd int store = -1;
        int r;

        r = content_hex_check(content_hex, err);
        if (r < 0)
                return r;
        store = folder_open(state_fd, STORE_FOLDER, false, err);
        if (store < 0)
                return store == -ENOENT ? 0 : store;
        return release_remove(store, content_hex, err);
}

static bool is_kept(const char *name, const char *const *keep, size_t n_keep) {
        for (size_t i = 0; i < n_keep; i++)
                if (streq(name, keep[i]))
                        return true;
        return false;
}

static int store_entry_collect(int store, const char *name, const char *const *keep, size_t n_keep, struct err *err) {
        if (strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0 || strncmp(name, OLD_PREFIX, strlen(OLD_PREFIX)) == 0)
                return folder_remove(store, name, err);
        if (content_hex_check(name, NULL) == 0 && !is_kept(name, keep, n_keep))
                return release_remove(store, name, err);
        return 0; /* somebody else's */
}

int store_collect(int state_fd, const char *const *keep, size_t n_keep, struct err *err) {
        static const char *const folders[] = {".", "journal", "bake"};
        cleanup_fd int store = folder_open(state_fd, STORE_FOLDER, false, err);
        cleanup_names struct names names = {};
        int first = store < 0 && store != -ENOENT ? store : 0;

        if (store >= 0)
                first = folder_list(store, &names, err);
        for (size_t i = 0; i < names.n; i++) {
                int r = store_entry_collect(store, names.list[i], keep, n_keep, first ? NULL : err);

                if (r < 0 && !first)
                        first = r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                cleanup_fd int dir = folder_open(state_fd, folders[i], false, first ? NULL : err);
                int r = dir >= 0 ? folder_tidy(dir, first ? NULL : err) : dir == -ENOENT ? 0 : dir;

                if (r < 0 && !first)
                        first = r;
        }
        return first;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static int member_write(int dir, size_t i, int member, uint64_t length, struct err *err) {
        cleanup_fd int fd = -1;
        char name[MEMBER_NAME_LEN];
        int r;

        member_name(i, name);
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_errno(err, -errno, "%s", name);
        r = content_copy(member, fd, length, err);
        if (r >= 0 && fsync(fd) < 0)
                r = err_errno(err, -errno, "fsync");
        return r < 0 ? err_wrap(err, r, "%s", name) : 0;
}

static int members_write(int dir, const struct release *rel, struct err *err) {
        cleanup_fd int members = folder_open(dir, STORE_MEMBERS, true, err);

        if (members < 0)
                return members;
        for (size_t i = 0; i < rel->manifest->n_members; i++) {
                int r = member_write(members, i, rel->members[i], rel->manifest->members[i].length, err);

                if (r < 0)
                        return err_wrap(err, r, STORE_MEMBERS);
        }
        return fsync(members) < 0 ? err_errno(err, -errno, STORE_MEMBERS) : 0;
}

static int release_write(int dir, const struct release *rel, const struct receipt *receipt, struct err *err) {
        cleanup_buf struct buf sigs = {}, papers = {};
        json_t *doc;
        int r;

        r = members_write(dir, rel, err);
        if (r >= 0)
                r = signatures_encode(rel->sigs, rel->n_sigs, &sigs, err);
        if (r >= 0)
                r = file_create(dir, STORE_SIGNATURES, 0600, sigs.data, sigs.len, err);
        if (r >= 0)
                r = file_create(dir, STORE_SIGNED, 0600, rel->signed_bytes.data, rel->signed_bytes.len, err);
        if (r >= 0 && receipt->papers.n) {
                r = papers_pack(&receipt->papers, &papers, err);
                if (r >= 0)
                        r = file_create(dir, STORE_PAPERS, 0600, papers.data, papers.len, err);
        }
        if (r >= 0)
                r = receipt_encode(receipt, &doc, err);
        if (r >= 0)
                r = record_save(dir, STORE_RECEIPT, RECEIPT_TYPE, doc, err);
        if (r >= 0 && fsync(dir) < 0)
                r = err_errno(err, -errno, "folder");
        return r;
}

/* Gives the finished folder its name. */
static int release_publish(int store, const char *tmp, const char *content_hex, struct err *err) {
        /* Only what does not verify is ever there already. */
        int r = release_remove(store, content_hex, err);

        if (r < 0)
                return r;
        if (renameat(store, tmp, store, content_hex) < 0 || fsync(store) < 0)
                return err_errno(err, -errno, STORE_FOLDER "/%s", content_hex);
        return 0;
}

int store_put(int state_fd, const struct release *rel, const struct receipt *receipt, struct err *err) {
        cleanup_release struct release there = RELEASE_INIT;
        cleanup_fd int store = -1, dir = -1;
        const char *content_hex = rel->manifest->content_hex;
        char tmp[TEMPORARY_LEN];
        int r;

        r = receipt_check(receipt, err);
        if (r < 0)
                return r;
        if (store_get(state_fd, content_hex, &there, NULL, NULL) == 0)
                return 0;
        store = folder_open(state_fd, STORE_FOLDER, true, err);
        if (store < 0)
                return store;
        r = temporary_name(NEW_PREFIX, tmp, err);
        if (r < 0)
                return r;
        dir = folder_open(store, tmp, true, err);
        if (dir < 0)
                return err_wrap(err, dir, STORE_FOLDER);
        r = release_write(dir, rel, receipt, err);
        if (r < 0)
                err_wrap(err, r, STORE_FOLDER "/%s", content_hex);
        else {
                fault_point("store:written");
                r = release_publish(store, tmp, content_hex, err);
        }
        if (r < 0)
                folder_remove(store, tmp, NULL);
        return r;
}
