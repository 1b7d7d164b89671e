/* SPDX-License-Identifier: Apache-2.0 */
/* A file's object, by its path in the tip's tree. Only what a release repository is made of: folders and plain files. */
#include "transport_git.h"

#include <git2/odb_backend.h>

static int tip_tree(struct branch_transport *t, git_tree **ret, struct err *err) {
        git_commit *commit = NULL;
        int r = git_commit_lookup(&commit, t->repo, &t->tip);

        if (r == 0)
                r = git_commit_tree(ret, commit);
        git_commit_free(commit);
        if (r == 0)
                return 0;
        branch_store_discard(t);
        return branch_error(t, r, err, "the branch's commit");
}

/* Not only the name that is asked for: who puts such a name beside it wants to write outside of somebody's work tree. */
static int names_check(const git_tree *tree, struct err *err) {
        size_t n = git_tree_entrycount(tree);

        for (size_t i = 0; i < n; i++)
                if (transport_name_odd(git_tree_entry_name(git_tree_entry_byindex(tree, i))))
                        return err_set(err, -EINVAL, REASON_UNSAFE_PATH, "its folder has an entry whose name is no file's name");
        return 0;
}

static int kind_check(const git_tree_entry *e, bool folder, struct err *err) {
        switch (git_tree_entry_filemode(e)) {
        case GIT_FILEMODE_BLOB:
        case GIT_FILEMODE_BLOB_EXECUTABLE:
                return folder ? err_set(err, -EINVAL, REASON_NOT_A_FILE, "a file where a folder should be") : 0;
        case GIT_FILEMODE_TREE:
                return folder ? 0 : err_set(err, -EINVAL, REASON_NOT_A_FILE, "a folder");
        case GIT_FILEMODE_LINK:
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "a symbolic link");
        case GIT_FILEMODE_COMMIT:
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "a submodule");
        default:
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "neither a file nor a folder");
        }
}

/* Replaces *tree by its child, or (last) sets *ret. *path moves past the component. */
static int component_find(struct branch_transport *t, git_tree **tree, const char **path, bool last, git_oid *ret,
                          struct err *err) {
        char name[TRANSPORT_PATH_MAX];
        size_t n = strcspn(*path, "/");
        const git_tree_entry *e;
        git_tree *next;
        int r = names_check(*tree, err);

        if (r < 0)
                return r;
        memcpy(name, *path, n);
        name[n] = 0;
        *path += n + ((*path)[n] == '/');
        e = git_tree_entry_byname(*tree, name);
        if (!e)
                return err_set(err, -ENOENT, REASON_NONE, "there is no such file");
        r = kind_check(e, !last, err);
        if (r < 0)
                return r;
        *ret = *git_tree_entry_id(e);
        if (last)
                return 0;
        r = git_tree_lookup(&next, t->repo, ret);
        if (r < 0) {
                branch_store_discard(t);
                return branch_error(t, r, err, "folder");
        }
        git_tree_free(*tree);
        *tree = next;
        return 0;
}

static int path_find(struct branch_transport *t, git_tree **tree, const char *path, git_oid *ret, struct err *err) {
        const char *p = t->base.req.subdir ? t->base.req.subdir : "";
        int r = 0;

        while (*p && r == 0)
                r = component_find(t, tree, &p, false, ret, err);
        for (p = path; *p && r == 0;)
                r = component_find(t, tree, &p, !strchr(p, '/'), ret, err);
        return r;
}

/* By the object's header: what is too large is never unpacked. */
static int size_check(struct branch_transport *t, const git_oid *id, uint64_t max, struct err *err) {
        git_odb *odb = NULL;
        git_object_t type;
        size_t size;
        int r = git_repository_odb(&odb, t->repo);

        if (r == 0)
                r = git_odb_read_header(&size, &type, odb, id);
        git_odb_free(odb);
        if (r < 0) {
                branch_store_discard(t);
                return branch_error(t, r, err, "object");
        }
        if (type != GIT_OBJECT_BLOB)
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "its object is no file's");
        if (size > max)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)max);
        return 0;
}

int branch_blob_find(struct branch_transport *t, const char *path, uint64_t max, git_oid *ret, struct err *err) {
        git_tree *tree = NULL;
        int r = tip_tree(t, &tree, err);

        if (r == 0)
                r = path_find(t, &tree, path, ret, err);
        git_tree_free(tree);
        return r < 0 ? r : size_check(t, ret, max, err);
}
