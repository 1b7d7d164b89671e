/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TUF client with the command line that the specification's conformance suite drives:
 *
 *     tuf-client --metadata-dir D init ROOT
 *     tuf-client --metadata-url U --metadata-dir D refresh
 *     tuf-client --metadata-url U --metadata-dir D --target-name P [--target-name P2...] --target-dir T --target-base-url B
 *         download
 *
 * It exits with 0 or 1. Everything it knows of TUF is in lib/; here are arguments, files and URLs. It is for tests: it lets
 * plain http through, which no program that people install does.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "fileio.h"
#include "https.h"
#include "tuf_client.h"
#include "tuf_path.h"

#define TARGETS_MAX 64
#define METADATA_TIMEOUT_MS (60 * 1000L)
#define TARGET_TIMEOUT_MS (600 * 1000L)
#define LOW_SPEED_S 30
#define TEMPORARY ".download"

struct args {
        const char *metadata_dir, *metadata_url, *target_dir, *target_base_url;
        const char *targets[TARGETS_MAX];
        size_t n_targets;
        const char *command, *root;
};

static int usage(void) {
        fputs("usage: tuf-client --metadata-dir D init ROOT\n"
              "       tuf-client --metadata-dir D --metadata-url U refresh\n"
              "       tuf-client --metadata-dir D --metadata-url U --target-name P... --target-dir T --target-base-url B\n"
              "           download\n",
              stderr);
        return -EINVAL;
}

static int args_parse(int argc, char **argv, struct args *a) {
        static const struct option options[] = {
                {"metadata-dir", required_argument, NULL, 'd'},    {"metadata-url", required_argument, NULL, 'u'},
                {"target-name", required_argument, NULL, 'n'},     {"target-dir", required_argument, NULL, 't'},
                {"target-base-url", required_argument, NULL, 'b'}, {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (c) {
                case 'd':
                        a->metadata_dir = optarg;
                        break;
                case 'u':
                        a->metadata_url = optarg;
                        break;
                case 't':
                        a->target_dir = optarg;
                        break;
                case 'b':
                        a->target_base_url = optarg;
                        break;
                case 'n':
                        if (a->n_targets >= TARGETS_MAX)
                                return usage();
                        a->targets[a->n_targets++] = optarg;
                        break;
                default:
                        return usage();
                }
        }
        if (optind >= argc || !a->metadata_dir)
                return usage();
        a->command = argv[optind++];
        if (streq(a->command, "init") && optind + 1 == argc) {
                a->root = argv[optind];
                return 0;
        }
        if (optind != argc || !a->metadata_url)
                return usage();
        if (streq(a->command, "refresh"))
                return 0;
        if (streq(a->command, "download") && a->n_targets && a->target_dir && a->target_base_url)
                return 0;
        return usage();
}

static int dir_open(const char *path, struct err *err) {
        int fd;

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "%s", path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? err_errno(err, -errno, "%s", path) : fd;
}

/* ---- URLs -------------------------------------------------------------------------------------------------------------- */

/* BASE/PATH. What cannot stand in the path of a URL is escaped; "%" can: metadata names are escaped already, and a target's
 * path is a relative URL by definition. */
static int url_make(const char *base, const char *path, struct buf *out) {
        size_t n = strlen(base);
        int r = buf_printf(out, "%s%s", base, n && base[n - 1] == '/' ? "" : "/");

        for (; r >= 0 && *path; path++) {
                uint8_t c = (uint8_t)*path;

                r = c > ' ' && c < 0x7f && !strchr("\"#<>?[\\]^`{|}", c) ? buf_append(out, path, 1)
                                                                         : buf_printf(out, "%%%02X", c);
        }
        return r;
}

static int fetch(const char *base, const char *path, struct https_request *req, struct err *err) {
        cleanup_buf struct buf url = {};
        struct https_response response;
        int r = url_make(base, path, &url);

        if (r < 0)
                return err_errno(err, r, "URL");
        req->url = url.data;
        req->plain_http = true;
        req->low_speed_s = LOW_SPEED_S;
        r = https_get(req, &response, err);
        /* Whatever page comes with it, and however long that is. */
        return r < 0 && response.status == 404 ? -ENOENT : r;
}

static int metadata_data(void *ctx, const void *p, size_t n, struct err *err) {
        return buf_append(ctx, p, n) < 0 ? err_errno(err, -ENOMEM, "metadata") : 0;
}

static int metadata_get(void *ctx, const char *path, uint64_t max, struct buf *out, struct err *err) {
        struct https_request req = {.max_bytes = max, .timeout_ms = METADATA_TIMEOUT_MS, .data = metadata_data, .ctx = out};
        const struct args *a = ctx;

        return fetch(a->metadata_url, path, &req, err);
}

/* ---- targets ------------------------------------------------------------------------------------------------------------ */

struct download {
        int fd;
        struct tuf_hasher *hasher;
};

static int target_data(void *ctx, const void *p, size_t n, struct err *err) {
        struct download *d = ctx;
        int r = fd_write_all(d->fd, p, n);

        if (r >= 0)
                r = tuf_hasher_update(d->hasher, p, n);
        return r < 0 ? err_errno(err, r, "target") : 0;
}

/* One flat folder: a path becomes one name, and the same one whatever the file's content. */
static int local_name(const char *path, struct buf *out) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX];
        int r = tuf_role_encode(path, out);

        if (r != -ENAMETOOLONG)
                return r;
        r = sha256(path, strlen(path), digest);
        if (r < 0)
                return r;
        hex_encode(digest, sizeof(digest), hex);
        return buf_printf(out, "%s", hex);
}

/* Is it there already, as it is listed? */
static bool is_cached(int dirfd, const char *name, const struct tuf_target *target) {
        cleanup_tuf_hasher struct tuf_hasher *h = tuf_hasher_new();
        cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct tuf_file file;
        char buf[65536];
        ssize_t n;

        if (!h || fd < 0)
                return false;
        while ((n = fd_read_some(&fd, buf, sizeof(buf))) > 0)
                if (tuf_hasher_update(h, buf, (size_t)n) < 0)
                        return false;
        return n == 0 && tuf_hasher_finish(h, &file) == 0 && tuf_file_check(&file, target->entry, NULL) == 0;
}

/* Into a file of no meaning first; its name it gets when it is known to be what is listed. */
static int download(const struct args *a, int dirfd, const char *url_path, const char *name, const struct tuf_target *target,
                    struct err *err) {
        cleanup_tuf_hasher struct tuf_hasher *h = tuf_hasher_new();
        cleanup_fd int fd = openat(dirfd, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        struct download d = {.fd = fd, .hasher = h};
        struct https_request req = {
                .max_bytes = (uint64_t)target->length, .timeout_ms = TARGET_TIMEOUT_MS, .data = target_data, .ctx = &d};
        struct tuf_file file;
        int r;

        if (!h || fd < 0)
                return err_errno(err, fd < 0 ? -errno : -ENOMEM, "download");
        r = fetch(a->target_base_url, url_path, &req, err);
        if (r == -ENOENT)
                r = err_set(err, r, REASON_NONE, "the repository has no such file");
        if (r >= 0)
                r = tuf_hasher_finish(h, &file);
        if (r >= 0)
                r = tuf_file_check(&file, target->entry, err);
        if (r >= 0 && (fsync(fd) < 0 || renameat(dirfd, TEMPORARY, dirfd, name) < 0 || fsync(dirfd) < 0))
                r = err_errno(err, -errno, "download");
        if (r < 0)
                unlinkat(dirfd, TEMPORARY, 0);
        return r < 0 ? r : 0;
}

static int target_fetch(const struct args *a, struct tuf_client *c, int dirfd, const char *path, struct err *err) {
        cleanup_buf struct buf name = {}, url_path = {};
        struct tuf_target target;
        int r;

        r = tuf_client_find(c, path, &target, err);
        if (r < 0)
                return r;
        r = local_name(path, &name);
        if (r < 0)
                return err_errno(err, r, "file name");
        if (is_cached(dirfd, name.data, &target))
                return 0;
        r = tuf_client_target_name(c, path, &target, &url_path, err);
        return r < 0 ? r : download(a, dirfd, url_path.data, name.data, &target, err);
}

/* ---- commands ------------------------------------------------------------------------------------------------------------ */

/* Checked before it is taken: a root that cannot be trusted with is better refused while somebody is looking. */
static int cmd_init(const struct args *a, struct err *err) {
        struct tuf_trust_options options = {.now = time(NULL)};
        cleanup_tuf_signed struct tuf_signed s = {};
        cleanup_tuf_trust struct tuf_trust *t = NULL;
        cleanup_buf struct buf root = {};
        cleanup_fd int dirfd = -1;
        int r;

        r = file_read(AT_FDCWD, a->root, TUF_ROOT_MAX, &root, err);
        if (r >= 0)
                r = tuf_signed_parse(root.data, root.len, &s, err);
        if (r >= 0)
                r = tuf_trust_new(&s, &options, &t, err);
        if (r < 0)
                return r;
        dirfd = dir_open(a->metadata_dir, err);
        return dirfd < 0 ? dirfd : tuf_store_save(&(struct tuf_store){.dirfd = dirfd}, "root", root.data, root.len, err);
}

static int cmd_update(struct args *a, struct err *err) {
        cleanup_tuf_client struct tuf_client *c = NULL;
        cleanup_fd int dirfd = -1, targets = -1;
        int r;

        dirfd = dir_open(a->metadata_dir, err);
        if (dirfd < 0)
                return dirfd;
        r = tuf_client_new(&(struct tuf_client_options){.get = metadata_get, .ctx = a, .store.dirfd = dirfd, .now = time(NULL)},
                           &c, err);
        if (r >= 0)
                r = tuf_client_refresh(c, err);
        if (r < 0 || !a->n_targets || streq(a->command, "refresh"))
                return r;
        targets = dir_open(a->target_dir, err);
        if (targets < 0)
                return targets;
        for (size_t i = 0; i < a->n_targets; i++) {
                r = target_fetch(a, c, targets, a->targets[i], err);
                if (r < 0)
                        return err_wrap(err, r, "target %zu", i + 1);
        }
        return 0;
}

int main(int argc, char **argv) {
        struct args a = {};
        struct err err = {};
        int r;

        if (args_parse(argc, argv, &a) < 0)
                return 1;
        r = a.root ? cmd_init(&a, &err) : cmd_update(&a, &err);
        if (r >= 0)
                return 0;
        if (err.reason)
                fprintf(stderr, "tuf-client: refused: %s: %s\n", reason_word(err.reason), err.msg);
        else
                fprintf(stderr, "tuf-client: %s\n", err.msg);
        return 1;
}
