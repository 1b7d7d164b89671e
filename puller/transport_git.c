/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Git branch. First its tip, and only when that is new, what it needs. Files are read from the object database: there is no
 * work tree, nothing is checked out, no hook, filter, submodule or configuration from outside has a part in it.
 *
 * Over https, only the tip's own files are fetched. libgit2 before 1.9 cannot do that over ssh: there it is the whole history,
 * under the same caps.
 */
#include <stdio.h>

#include "fileio.h"
#include "transport_git.h"

#define BRANCH_DEFAULT "main"
#define MAP_WINDOW (16u << 20)
#define MAPPED_MAX (128u << 20)
#define CACHE_MAX (8u << 20)
#define OBJECTS_MAX 200000 /* in one pack: the index of what is fetched is kept in memory */

/* ---- libgit2 ---- */

/* Nothing of this machine's configuration, and little memory. */
static int library_init(struct err *err) {
        static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
                                     GIT_CONFIG_LEVEL_PROGRAMDATA};
        int r = git_libgit2_init();

        if (r < 0)
                return err_set(err, -EIO, REASON_NONE, "libgit2 cannot start");
        r = 0;
        for (size_t i = 0; i < ARRAY_SIZE(levels) && r == 0; i++)
                r = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, (size_t)MAP_WINDOW);
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, (size_t)MAPPED_MAX);
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_MAX);
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, (size_t)OBJECTS_MAX);
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
        /* A local repository is its owner's, not ours. Nothing in it is ever run. */
        if (r == 0)
                r = git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
        if (r < 0) {
                git_libgit2_shutdown();
                return err_set(err, -EIO, REASON_NONE, "libgit2 cannot do this");
        }
        return 0;
}

int branch_error(struct branch_transport *t, int code, struct err *err, const char *what) {
        const git_error *e = git_error_last();

        if (t->failed < 0) {
                if (err)
                        *err = t->failure;
                /* A server without the repository: not to be taken for a repository without the file. */
                return err_wrap(err, t->failed == -ENOENT ? -EIO : t->failed, "%s", what);
        }
        return err_set(err, -EIO, REASON_NONE, "%s: %s", what, e && e->message ? e->message : "libgit2 failed");
}

/* ---- the other side ---- */

static int way_new(git_transport **ret, git_remote *owner, void *ctx) {
        struct branch_transport *t = ctx;

        return git_transport_smart(ret, owner, &t->way);
}

static git_remote_callbacks callbacks(struct branch_transport *t) {
        git_remote_callbacks c = GIT_REMOTE_CALLBACKS_INIT;

        c.transport = way_new;
        c.payload = t;
        return c;
}

static const char *branch(const struct branch_transport *t) {
        return t->base.req.branch ? t->base.req.branch : BRANCH_DEFAULT;
}

static void disconnect(struct branch_transport *t) {
        git_remote_free(t->remote);
        t->remote = NULL;
}

static int tip_find(struct branch_transport *t, struct err *err) {
        const git_remote_head **heads;
        char name[256];
        size_t n;
        int r = git_remote_ls(&heads, &n, t->remote);

        if (r < 0)
                return branch_error(t, r, err, "branches");
        snprintf(name, sizeof(name), "refs/heads/%s", branch(t));
        for (size_t i = 0; i < n; i++)
                if (streq(heads[i]->name, name)) {
                        t->tip = heads[i]->oid;
                        t->tip_known = true;
                        return 0;
                }
        return err_set(err, -EIO, REASON_NONE, "there is no branch '%s'", branch(t));
}

/* Connects for t->repo and asks for the branch. */
static int remote_connect(struct branch_transport *t, struct err *err) {
        git_remote_callbacks c = callbacks(t);
        int r;

        disconnect(t);
        t->failed = 0;
        r = git_remote_create_anonymous(&t->remote, t->repo, t->base.req.url);
        if (r == 0)
                r = git_remote_connect(t->remote, GIT_DIRECTION_FETCH, &c, NULL, NULL);
        if (r < 0) {
                r = branch_error(t, r, err, "connection");
                disconnect(t);
                return r;
        }
        return tip_find(t, err);
}

static int local_open(struct branch_transport *t, struct err *err) {
        char name[256];
        int r = git_repository_open_ext(&t->repo, t->address.path, GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE,
                                        NULL);

        if (r < 0)
                return branch_error(t, r, err, "repository");
        snprintf(name, sizeof(name), "refs/heads/%s", branch(t));
        r = git_reference_name_to_id(&t->tip, t->repo, name);
        if (r == GIT_ENOTFOUND)
                return err_set(err, -EIO, REASON_NONE, "there is no branch '%s'", branch(t));
        if (r < 0)
                return branch_error(t, r, err, "branch");
        t->tip_known = t->tip_here = true;
        return 0;
}

/* Learns the tip, once in a transport's life. */
static int tip_learn(struct branch_transport *t, struct err *err) {
        git_oid had;
        int r;

        if (t->tip_known)
                return 0;
        if (t->address.reach == BRANCH_LOCAL)
                return local_open(t, err);
        r = branch_store_open(t, err);
        if (r == 0)
                r = remote_connect(t, err);
        if (r < 0)
                return r;
        t->tip_here = git_reference_name_to_id(&had, t->repo, BRANCH_TIP) == 0 && git_oid_equal(&had, &t->tip);
        if (t->tip_here)
                disconnect(t);
        return 0;
}

/* ---- fetching ---- */

static int on_progress(const git_indexer_progress *stats, void *ctx) {
        struct branch_transport *t = ctx;
        long left;

        if (t->failed < 0)
                return GIT_EUSER;
        /* Between two reads; the reads themselves look at the clock, too. */
        return branch_callback(t, transport_time_left(&t->base, &left, &t->failure));
}

static int fetch_run(struct branch_transport *t, struct err *err) {
        git_fetch_options o = GIT_FETCH_OPTIONS_INIT;
        char spec[512];
        git_strarray specs = {.strings = (char *[]){spec}, .count = 1};
        int r;

        /* "+": a branch whose history was replaced is followed; what must not go back, TUF's versions guard. */
        snprintf(spec, sizeof(spec), "+refs/heads/%s:%s", branch(t), BRANCH_TIP);
        o.callbacks = callbacks(t);
        o.callbacks.transfer_progress = on_progress;
        o.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
        o.update_fetchhead = 0;
        o.depth = t->address.reach == BRANCH_HTTPS ? 1 : GIT_FETCH_DEPTH_FULL;
        r = git_remote_fetch(t->remote, &specs, &o, NULL);
        disconnect(t);
        return r < 0 ? branch_error(t, r, err, "fetch") : 0;
}

static int fetch(struct branch_transport *t, struct err *err) {
        git_repository *had = t->repo;
        git_oid got;
        int r = branch_store_fetch_begin(t, err);

        if (r == 0 && t->repo != had) /* a remote belongs to one repository */
                r = remote_connect(t, err);
        if (r == 0)
                r = fetch_run(t, err);
        if (r == 0 && (git_reference_name_to_id(&got, t->repo, BRANCH_TIP) < 0 || !git_oid_equal(&got, &t->tip)))
                /* Pushed to between the two questions; or the server tells two stories. The next poll will know. */
                r = err_set(err, -EAGAIN, REASON_NONE, "the branch has changed while it was fetched");
        if (r == 0)
                r = branch_store_fetch_end(t, err);
        if (r < 0) {
                /* What libgit2 itself stumbles over may be the store; what the network does is not the store's fault. */
                if (t->failed < 0 || r == -EAGAIN)
                        branch_store_fetch_failed(t);
                else
                        branch_store_discard(t);
                return r;
        }
        t->base.stats.fetched = true;
        t->tip_here = true;
        return 0;
}

static int ready(struct branch_transport *t, struct err *err) {
        int r = tip_learn(t, err);

        if (r == 0 && !t->tip_here)
                r = fetch(t, err);
        return r < 0 ? err_wrap(err, r, "%s", t->base.req.url) : 0;
}

/* ---- the interface ---- */

static int git_revision_get(struct transport *base, char ret[static TRANSPORT_REVISION_SIZE], struct err *err) {
        struct branch_transport *t = (struct branch_transport *)base;
        int r = tip_learn(t, err);

        if (r < 0)
                return err_wrap(err, r, "%s", base->req.url);
        git_oid_tostr(ret, TRANSPORT_REVISION_SIZE, &t->tip);
        return 0;
}

static int blob_read(struct branch_transport *t, const char *path, uint64_t max, git_blob **ret, struct err *err) {
        git_oid id;
        int r = branch_blob_find(t, path, max, &id, err);

        if (r < 0)
                return err_wrap(err, r, "%s: %s", t->base.req.url, path);
        r = git_blob_lookup(ret, t->repo, &id);
        if (r < 0) {
                branch_store_discard(t);
                return branch_error(t, r, err, path);
        }
        if ((uint64_t)git_blob_rawsize(*ret) > max) {
                git_blob_free(*ret);
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "%s: longer than %llu bytes", path, (unsigned long long)max);
        }
        return 0;
}

static int git_get_file(struct transport *base, const char *path, uint64_t max, int *ret_fd, struct err *err) {
        struct branch_transport *t = (struct branch_transport *)base;
        git_blob *blob;
        int fd, r = ready(t, err);

        if (r == 0)
                r = blob_read(t, path, max, &blob, err);
        if (r < 0)
                return r;
        fd = memfd_sealed("file", git_blob_rawcontent(blob), git_blob_rawsize(blob), err);
        git_blob_free(blob);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static int git_get(struct transport *base, const char *path, uint64_t max, struct transport_seen *seen, bool *ret_changed,
                   struct buf *out, struct err *err) {
        struct branch_transport *t = (struct branch_transport *)base;
        char tip[GIT_OID_SHA1_HEXSIZE + 1];
        git_blob *blob;
        int r;

        r = seen ? git_revision_get(base, (char[TRANSPORT_REVISION_SIZE]){}, err) : 0;
        if (r < 0)
                return r;
        git_oid_tostr(tip, sizeof(tip), &t->tip);
        if (seen && streq(seen->etag, tip)) {
                *ret_changed = false;
                return 0;
        }
        r = ready(t, err);
        if (r == 0)
                r = blob_read(t, path, max, &blob, err);
        if (r < 0)
                return r;
        r = buf_append(out, git_blob_rawcontent(blob), git_blob_rawsize(blob));
        git_blob_free(blob);
        if (r < 0)
                return err_errno(err, r, "%s", path);
        if (seen) {
                strcpy(seen->etag, tip);
                seen->last_modified[0] = 0;
        }
        return 0;
}

static void git_close(struct transport *base) {
        struct branch_transport *t = (struct branch_transport *)base;

        disconnect(t);
        git_repository_free(t->repo);
        https_session_free(t->session);
        git_libgit2_shutdown();
        free(t);
}

static const struct transport_ops git_ops = {
        .revision = git_revision_get, .get = git_get, .get_file = git_get_file, .close = git_close};

static int address_check(struct branch_transport *t, struct err *err) {
        const struct transport_request *req = &t->base.req;
        int r = transport_address_parse(req->url, &t->address, err);

        if (r < 0)
                return r;
        if (req->branch && !transport_branch_valid(req->branch))
                return err_set(err, -EINVAL, REASON_CONFIG, "not a branch's name");
        if (req->subdir && !transport_path_valid(req->subdir))
                return err_set(err, -EINVAL, REASON_CONFIG, "not a folder in the repository: '%s'", req->subdir);
        if (t->address.reach != BRANCH_LOCAL && (req->spool < 0 || !req->spool_path))
                return err_set(err, -EINVAL, REASON_CONFIG, "a Git repository on another machine needs a spool folder");
        if (t->address.reach == BRANCH_SSH && (!req->ssh_key || !req->known_hosts))
                return err_set(err, -EINVAL, REASON_CONFIG, "a Git repository over ssh needs a key and a known_hosts file");
        if (t->address.reach == BRANCH_HTTPS)
                return https_ports(t->address.url, req->proxy, t->ports, &t->n_ports, err);
        return 0;
}

int transport_git_new(const struct transport_request *req, struct transport **ret, struct err *err) {
        struct branch_transport *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return err_errno(err, -ENOMEM, "source");
        t->base = (struct transport){.ops = &git_ops, .req = *req};
        r = address_check(t, err);
        if (r == 0 && t->address.reach == BRANCH_HTTPS && !(t->session = https_session_new()))
                r = err_errno(err, -ENOMEM, "source");
        if (r == 0)
                r = library_init(err);
        if (r < 0) {
                https_session_free(t->session);
                free(t);
                return r;
        }
        t->way.rpc = t->address.reach == BRANCH_HTTPS; /* every question is a request of its own */
        t->way.callback = t->address.reach == BRANCH_HTTPS ? branch_http_new : branch_ssh_new;
        t->way.param = t;
        *ret = &t->base;
        return 0;
}
