/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way from a branch's tip to a file, through trees that somebody else has made up. Input: two bytes, where the second and the
 * third tree begin (in eighths of what follows); then the top tree, the one that is "d" in it, the one that is "e" in that.
 */
#include <git2/odb_backend.h>
#include <git2/sys/mempack.h>
#include <git2/sys/odb_backend.h>

#include "fuzz.h"
#include "../../puller/transport_git.h"

#define BLOB_MAX 64

/* What transport_git_tree.c wants of the rest. */
int branch_error(struct branch_transport *t, int code, struct err *err, const char *what) {
        return err_set(err, -EIO, REASON_NONE, "%s", what);
}
void branch_store_discard(struct branch_transport *t) {
}

struct world {
        git_odb *odb;
        git_odb_backend *memory;
        git_repository *repo;
        git_oid small, large;
};

static void world_make(struct world *w) {
        char large[BLOB_MAX + 1] = "";

        must(git_libgit2_init() > 0 && git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0) == 0);
        must(git_odb_new(&w->odb) == 0 && git_mempack_new(&w->memory) == 0 && git_odb_add_backend(w->odb, w->memory, 1) == 0);
        must(git_repository_wrap_odb(&w->repo, w->odb) == 0);
        git_odb_hash(&w->small, "content", 7, GIT_OBJECT_BLOB);
        git_odb_hash(&w->large, large, sizeof(large), GIT_OBJECT_BLOB);
}

static void write_object(struct world *w, const void *p, size_t n, git_object_t type, git_oid *ret) {
        must(git_odb_write(ret, w->odb, p, n, type) == 0);
}

/* The child's id is written where the tree says "d" or "e": at twenty bytes of 0xff, which no fuzzer would guess otherwise. */
static void write_tree(struct world *w, const uint8_t *p, size_t n, const git_oid *child, git_oid *ret) {
        static const uint8_t mark[20] = {[0 ... 19] = 0xff}, blob_mark[20] = {[0 ... 19] = 0xfe},
                             large_mark[20] = {[0 ... 19] = 0xfd};
        uint8_t *tree = malloc(n + 1), *at;

        must(tree);
        memcpy(tree, p, n);
        while (child && (at = memmem(tree, n, mark, sizeof(mark))))
                memcpy(at, child->id, sizeof(mark));
        while ((at = memmem(tree, n, blob_mark, sizeof(mark))))
                memcpy(at, w->small.id, sizeof(mark));
        while ((at = memmem(tree, n, large_mark, sizeof(mark))))
                memcpy(at, w->large.id, sizeof(mark));
        write_object(w, tree, n, GIT_OBJECT_TREE, ret);
        free(tree);
}

static void write_world(struct world *w, const uint8_t *p, size_t n, size_t second, size_t third, git_oid *ret_tip) {
        char commit[256], id[GIT_OID_SHA1_HEXSIZE + 1], large[BLOB_MAX + 1] = "";
        git_oid top, d, e, blob;

        write_object(w, "content", 7, GIT_OBJECT_BLOB, &blob);
        write_object(w, large, sizeof(large), GIT_OBJECT_BLOB, &blob);
        write_tree(w, p + third, n - third, NULL, &e);
        write_tree(w, p + second, third - second, &e, &d);
        write_tree(w, p, second, &d, &top);
        git_oid_tostr(id, sizeof(id), &top);
        snprintf(commit, sizeof(commit), "tree %s\nauthor t <t> 0 +0000\ncommitter t <t> 0 +0000\n\nx", id);
        write_object(w, commit, strlen(commit), GIT_OBJECT_COMMIT, ret_tip);
}

static void find(struct world *w, const char *subdir, const char *path, const git_oid *tip) {
        struct branch_transport t = {.base = {.req = {.subdir = subdir}}, .repo = w->repo, .tip = *tip};
        struct err err = {};
        git_oid id;
        git_blob *blob;
        int r = branch_blob_find(&t, path, BLOB_MAX, &id, &err);

        if (r < 0) {
                must(err.msg[0]);
                must((r == -ENOENT) <= (err.reason == REASON_NONE));
                must(err.reason != REASON_TOO_LARGE || r == -EFBIG);
                return;
        }
        must(git_blob_lookup(&blob, w->repo, &id) == 0);
        must((uint64_t)git_blob_rawsize(blob) <= BLOB_MAX);
        git_blob_free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct world w; /* as long as the process; emptied after each run */
        size_t second, third, n;
        git_oid tip;

        if (!w.repo)
                world_make(&w);
        if (size < 2)
                return 0;
        n = size - 2;
        second = n * (data[0] % 9) / 8;
        third = second + (n - second) * (data[1] % 9) / 8;
        write_world(&w, data + 2, n, second, third, &tip);
        find(&w, NULL, "f", &tip);
        find(&w, NULL, "d/f", &tip);
        find(&w, NULL, "d/e/f", &tip);
        find(&w, "d", "e/f", &tip);
        must(git_mempack_reset(w.memory) == 0);
        return 0;
}
