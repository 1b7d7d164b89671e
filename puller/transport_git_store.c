/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repository in the spool. Every fetch adds one pack and nothing ever repacks: so after some fetches, or when it has become
 * larger than one poll may bring, it is fetched anew beside it, and takes its place when that is complete.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "transport_git.h"

#define STORE "git"
#define STORE_NEW "git.new"
#define STORE_OLD "git.old"
#define LABEL "lsmpull-source" /* in the store: what it was fetched from */
#define LABEL_MAX 4096
#define PACKS "objects/pack"
#define PACKS_MAX_DEFAULT 32
#define DEPTH_MAX 16

/* ---- folders ---- */

/* As far as it can: whatever stays makes the next step fail, with a message. */
static void remove_all(int dir, const char *name, int depth) {
        DIR *d = NULL;
        int fd;

        if (unlinkat(dir, name, 0) == 0 || depth > DEPTH_MAX)
                return;
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
                d = fdopendir(fd);
        if (!d) {
                close_p(&fd);
                return;
        }
        for (struct dirent *e; (e = readdir(d));)
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        remove_all(dirfd(d), e->d_name, depth + 1);
        closedir(d);
        unlinkat(dir, name, AT_REMOVEDIR);
}

static bool ends_with(const char *s, const char *end) {
        size_t n = strlen(s), m = strlen(end);

        return n >= m && streq(s + n - m, end);
}

static bool is_left_over(const char *name, bool packs) {
        bool pack = strncmp(name, "pack-", 5) == 0 && (ends_with(name, ".pack") || ends_with(name, ".idx"));

        return packs ? !pack : ends_with(name, ".lock");
}

struct pack_count {
        unsigned packs;
        uint64_t bytes;
};

/* Removes what a fetch that was interrupted has left: halves of packs, locks. Counts the rest. */
static void sweep(int store, const char *folder, bool packs, struct pack_count *count) {
        int fd = openat(store, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        struct stat st;

        if (!d) {
                close_p(&fd);
                return;
        }
        for (struct dirent *e; (e = readdir(d));) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if (is_left_over(e->d_name, packs)) {
                        unlinkat(dirfd(d), e->d_name, 0);
                } else if (packs && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                        count->packs += ends_with(e->d_name, ".pack");
                        count->bytes += st.st_size;
                }
        }
        closedir(d);
}

static struct pack_count store_sweep(int spool) {
        cleanup_fd int store = openat(spool, STORE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct pack_count count = {};

        if (store >= 0) {
                sweep(store, ".", false, &count);
                sweep(store, "refs/lsmpull", false, &count);
                sweep(store, PACKS, true, &count);
        }
        return count;
}

/* ---- the store ---- */

static int label_make(const struct branch_transport *t, struct buf *ret) {
        const struct transport_request *req = &t->base.req;

        return buf_printf(ret, "%s\n%s\n", req->url, req->branch ? req->branch : "");
}

static bool label_matches(const struct branch_transport *t, const char *store) {
        cleanup_buf struct buf want = {}, is = {};
        char path[64];

        snprintf(path, sizeof(path), "%s/%s", store, LABEL);
        return label_make(t, &want) == 0 && file_read(t->base.req.spool, path, LABEL_MAX, &is, NULL) == 0 && is.len == want.len &&
               memcmp(is.data, want.data, want.len) == 0;
}

/* The object database and our one reference are all we have of it: no configuration, not even its own. */
static int store_use(struct branch_transport *t, const char *name, git_repository **ret) {
        cleanup_buf struct buf path = {};
        git_config *none = NULL;
        int r = buf_printf(&path, "%s/%s", t->base.req.spool_path, name);

        if (r == 0)
                r = git_repository_open_ext(ret, path.data, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, NULL);
        if (r == 0)
                r = git_config_new(&none);
        if (r == 0)
                r = git_repository_set_config(*ret, none);
        git_config_free(none);
        if (r < 0) {
                git_repository_free(*ret);
                *ret = NULL;
        }
        return r;
}

static int store_make(struct branch_transport *t, const char *name, git_repository **ret, struct err *err) {
        git_repository_init_options o = GIT_REPOSITORY_INIT_OPTIONS_INIT;
        cleanup_buf struct buf path = {}, label = {};
        char label_path[64];
        int r;

        remove_all(t->base.req.spool, name, 0);
        o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_REINIT;
        o.initial_head = BRANCH_TIP;
        r = buf_printf(&path, "%s/%s", t->base.req.spool_path, name);
        if (r == 0)
                r = label_make(t, &label);
        if (r < 0)
                return err_errno(err, r, "spool");
        r = git_repository_init_ext(ret, path.data, &o);
        if (r < 0)
                return branch_error(t, r, err, "spool: a new repository");
        git_repository_free(*ret);
        *ret = NULL;
        /* Last: without its label it is not used. */
        snprintf(label_path, sizeof(label_path), "%s/%s", name, LABEL);
        r = file_replace(t->base.req.spool, label_path, 0600, label.data, label.len, err);
        if (r < 0)
                return err_wrap(err, r, "spool");
        r = store_use(t, name, ret);
        return r < 0 ? branch_error(t, r, err, "spool: a new repository") : 0;
}

int branch_store_open(struct branch_transport *t, struct err *err) {
        int spool = t->base.req.spool;

        if (t->repo)
                return 0;
        remove_all(spool, STORE_NEW, 0);
        remove_all(spool, STORE_OLD, 0);
        store_sweep(spool);
        if (label_matches(t, STORE) && store_use(t, STORE, &t->repo) == 0)
                return 0;
        return store_make(t, STORE, &t->repo, err);
}

int branch_store_fetch_begin(struct branch_transport *t, struct err *err) {
        const struct transport_request *req = &t->base.req;
        struct pack_count have = store_sweep(req->spool);
        git_repository *fresh = NULL;
        int r;

        if (have.packs < (req->max_packs ? req->max_packs : PACKS_MAX_DEFAULT) && have.bytes <= req->max_poll)
                return 0;
        r = store_make(t, STORE_NEW, &fresh, err);
        if (r < 0)
                return r;
        git_remote_free(t->remote);
        t->remote = NULL;
        git_repository_free(t->repo);
        t->repo = fresh;
        t->base.stats.renewed = true;
        return 0;
}

int branch_store_fetch_end(struct branch_transport *t, struct err *err) {
        int spool = t->base.req.spool, r;

        if (!t->base.stats.renewed)
                return 0;
        git_repository_free(t->repo);
        t->repo = NULL;
        if ((renameat(spool, STORE, spool, STORE_OLD) < 0 && errno != ENOENT) || renameat(spool, STORE_NEW, spool, STORE) < 0)
                return err_errno(err, -errno, "spool: %s", STORE_NEW);
        remove_all(spool, STORE_OLD, 0);
        r = store_use(t, STORE, &t->repo);
        return r < 0 ? branch_error(t, r, err, "spool") : 0;
}

void branch_store_fetch_failed(struct branch_transport *t) {
        git_remote_free(t->remote);
        t->remote = NULL;
        git_repository_free(t->repo);
        t->repo = NULL;
        t->tip_known = t->tip_here = false;
        t->base.stats.renewed = false;
        remove_all(t->base.req.spool, STORE_NEW, 0);
        store_sweep(t->base.req.spool);
}

void branch_store_discard(struct branch_transport *t) {
        if (t->address.reach == BRANCH_LOCAL)
                return;
        branch_store_fetch_failed(t);
        remove_all(t->base.req.spool, STORE, 0);
}
