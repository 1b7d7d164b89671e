/* SPDX-License-Identifier: Apache-2.0 */
/* `lsmbundle sign PENDING`: what is asked for is shown, then signed. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "cmd_repo.h"
#include "fileio.h"
#include "repo_review.h"
#include "sign_pending.h"

static int open_any(const char *path, struct repo *ret, struct err *err) {
        int e = repo_open(path, REPO_READ, ret, err);

        /* The initial change of a repository that has never been published. */
        if (e == -ENOENT)
                e = repo_open_new(path, ret, err);
        return e < 0 ? err_wrap(err, e, "repository '%s'", path) : 0;
}

/* Whoever made the clone could have made all of it, with keys of his own and a state "in force" in which nothing seems to change.
 * The roots in it follow from one another; one of them is the one that the signer has from elsewhere. */
static int root_check(const struct repo *repo, const char *trusted, struct err *err) {
        cleanup_repo_doc struct repo_doc mine = {}, theirs = {};
        cleanup_buf struct buf text = {};
        char path[64];
        int e = file_read(AT_FDCWD, trusted, ENVELOPE_MAX, &text, err);

        if (e == 0)
                e = repo_doc_parse_foreign(ROLE_ROOT, text.data, text.len, &mine, err);
        if (e < 0)
                return err_wrap(err, e, "root '%s'", trusted);
        buf_done(&text);
        text = (struct buf){};
        repo_doc_path(ROLE_ROOT, mine.version, path);
        if (repo->docs[ROLE_ROOT].body && file_read(repo->fd, path, ENVELOPE_MAX, &text, NULL) == 0 &&
            repo_doc_parse_foreign(ROLE_ROOT, text.data, text.len, &theirs, NULL) == 0 && repo_doc_equal(&mine, &theirs))
                return 0;
        return err_set(err, -EBADMSG, REASON_UNKNOWN_KEY, "the repository does not follow from '%s'", trusted);
}

/* Two who sign at once, in one folder, would lose one signature. */
static int dir_lock(const char *dir, int *ret_fd, struct err *err) {
        *ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0)
                return err_errno(err, -errno, "cannot open");
        if (flock(*ret_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? err_set(err, -EBUSY, REASON_BUSY, "somebody else is signing it")
                                            : err_errno(err, -errno, "cannot lock");
        return 0;
}

static int review(const struct repo *repo, const struct repo_change *c, const char *source, struct err *err) {
        cleanup_buf struct buf text = {};
        int e = repo_change_base(repo, c, err);

        if (e == 0)
                e = repo_change_check(repo, c, err);
        if (e == 0)
                e = repo_review(repo, c, &text, err);
        if (e < 0)
                return e;
        printf("what changes:\n");
        fwrite(text.data, 1, text.len, stdout);
        printf("\n");
        if (!source)
                return 0;
        e = repo_rebuild(repo, c, source, err);
        if (e == 0)
                printf("built again from '%s': the same content id\n", source);
        return e;
}

int sign_pending(const struct args *args, struct err *err) {
        cleanup_free char *dir = path_trimmed(args->operands[0]), *path = dir ? repo_path_pending(args, dir) : NULL;
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change c = {};
        cleanup_fd int fd = -1;
        size_t n = 0;
        int e = path ? signers_load(args, &signers, err) : err_errno(err, -ENOMEM, "path");

        if (e == 0)
                e = dir_lock(dir, &fd, err);
        if (e == 0)
                e = open_any(path, &repo, err);
        if (e == 0 && args_has(args, "root"))
                e = root_check(&repo, args_get(args, "root"), err);
        if (e == 0)
                e = repo_pending_load(&repo, dir, &c, err);
        if (e == 0)
                e = review(&repo, &c, args_get(args, "source"), err);
        if (e == 0)
                e = repo_change_sign(&repo, &c, &signers, &n, err);
        if (e == 0 && n == 0)
                e = err_set(err, -ENOKEY, REASON_UNKNOWN_KEY, "none of the keys may sign this");
        if (e == 0)
                e = repo_pending_update(&c, dir, err);
        if (e < 0)
                return e;
        printf("%s: signed\n", dir);
        change_print(&repo, &c);
        if (repo_change_complete(&repo, &c, NULL) == 0)
                printf("next: lsmbundle repo publish %s --key KEY\n", dir);
        return 0;
}
