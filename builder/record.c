/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "fileio.h"
#include "headers.h"
#include "json.h"
#include "path.h"

#define SOURCE_MAX (64u << 20)
#define SUFFIX_DEPTH 4

void record_done(struct record *r) {
        for (size_t i = 0; i < r->n_files; i++) {
                free(r->files[i].path);
                free(r->files[i].name);
        }
        free(r->files);
        free(r->messages);
        *r = (struct record){};
}

static int64_t timespec_ns(const struct timespec *t) {
        return t->tv_sec * 1000000000LL + t->tv_nsec;
}

static int file_hash(const char *path, uint8_t ret[static SHA256_SIZE], struct stat *ret_st, struct err *err) {
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
        cleanup_buf struct buf text = {};
        int e;

        if (fd < 0 || fstat(fd, ret_st) < 0)
                return err_errno(err, -errno, "cannot read '%s'", path);
        e = fd_read_all(fd, SOURCE_MAX, &text, err);
        if (e < 0)
                return err_wrap(err, e, "'%s'", path);
        e = sha256(text.data, text.len, ret);
        return e < 0 ? err_errno(err, e, "digest of '%s'", path) : 0;
}

static bool is_system(const struct record_place *place, const char *path) {
        for (size_t i = 0; i < place->system_dirs->n; i++)
                if (path_under(place->system_dirs->v[i], path))
                        return true;
        return false;
}

static const struct header *header_named(const char *name) {
        for (size_t i = 0; i < n_headers; i++)
                if (streq(headers[i].name, name))
                        return &headers[i];
        return NULL;
}

/* The header of ours that a compiler read by this path; NULL: it is somebody else's file. */
static const struct header *header_find(const struct record_place *place, const char *path) {
        size_t n = strlen(place->ours);

        return strncmp(path, place->ours, n) == 0 && path[n] == '/' ? header_named(path + n + 1) : NULL;
}

/* Its directory lives no longer than the build: it is hashed where it came from. */
static int ours_make(const struct header *header, struct source_file *f, struct err *err) {
        f->origin = ORIGIN_OURS;
        f->path = strdup(header->name);
        f->name = path_join(RECORD_OURS, header->name);
        if (!f->path || !f->name || sha256(header->begin, header->end - header->begin, f->sha256) < 0)
                return err_errno(err, -ENOMEM, "'%s'", header->name);
        return 0;
}

static int file_make(const char *path, const struct record_place *place, int64_t start_ns, struct source_file *f,
                     struct err *err) {
        cleanup_free char *absolute = path_join(place->root, path), *normal = absolute ? path_normal(absolute) : NULL;
        struct timespec now;
        struct stat st;
        int e;

        if (!normal)
                return err_errno(err, -ENOMEM, "'%s'", path);
        f->origin = !path_under(place->root, normal) && is_system(place, normal) ? ORIGIN_SYSTEM : ORIGIN_TREE;
        f->name = f->origin == ORIGIN_SYSTEM ? strdup(normal) : path_relative(place->root, normal);
        f->path = steal_pointer(normal);
        if (!f->name)
                return err_errno(err, -ENOMEM, "'%s'", path);
        /* The compiler spells a file below the root as ROOT/..., also when it climbs out of it again. */
        if (f->origin == ORIGIN_TREE && !path_under(place->root, absolute))
                return err_set(err, -EINVAL, REASON_NONE,
                               "'%s' is included by an absolute path: a build elsewhere would not be the same", path);
        e = file_hash(f->path, f->sha256, &st, err);
        if (e < 0)
                return e;
        clock_gettime(CLOCK_REALTIME, &now);
        if (timespec_ns(&st.st_mtim) >= start_ns && timespec_ns(&st.st_mtim) <= timespec_ns(&now))
                return err_set(err, -EAGAIN, REASON_NONE, "'%s' was changed while it was compiled: build again", path);
        return 0;
}

static bool is_known(const struct record *r, const char *path) {
        for (size_t i = 0; i < r->n_files; i++)
                if (streq(r->files[i].path, path))
                        return true;
        return false;
}

/* The last `depth` components of a path; NULL when it has not so many. */
static const char *path_tail(const char *path, unsigned depth) {
        const char *p = path + strlen(path);

        for (; depth > 0; depth--) {
                do {
                        if (p == path)
                                return NULL;
                        p--;
                } while (p > path && *p != '/');
        }
        return *p == '/' ? p + 1 : p;
}

/* Existing files in one directory that an #include could mean instead of one that was read. */
static int shadows_in(const struct record *r, const char *dir, struct digest *d) {
        for (size_t i = 0; i < r->n_files; i++) {
                for (unsigned depth = 1; depth <= SUFFIX_DEPTH; depth++) {
                        const char *tail = path_tail(r->files[i].path, depth);
                        cleanup_free char *candidate = tail ? path_join(dir, tail) : NULL;

                        if (!tail)
                                break;
                        if (!candidate)
                                return -ENOMEM;
                        if (!is_known(r, candidate) && access(candidate, F_OK) == 0) {
                                int e = digest_update(d, candidate, strlen(candidate) + 1);

                                if (e < 0)
                                        return e;
                        }
                }
        }
        return 0;
}

/*
 * A new file may be found in front of one that was read: beside the file that includes it, or in the bundle's directory.
 * What could be mistaken and is there already was passed over by the compiler; so the set of such files must stay the same.
 */
static int shadows_digest(const struct record *r, const struct record_place *place, uint8_t ret[static SHA256_SIZE]) {
        cleanup_digest struct digest *d = digest_new();
        cleanup_strv struct strv dirs = {};
        int e = d ? strv_add_set(&dirs, place->bundle_dir) : -ENOMEM;

        for (size_t i = 0; e == 0 && i < r->n_files; i++) {
                cleanup_free char *dir = r->files[i].origin == ORIGIN_TREE ? path_dir(r->files[i].path) : NULL;

                if (r->files[i].origin == ORIGIN_TREE)
                        e = dir ? strv_add_set(&dirs, dir) : -ENOMEM;
        }
        for (size_t i = 0; e == 0 && i < dirs.n; i++)
                e = shadows_in(r, dirs.v[i], d);
        return e < 0 ? e : digest_finish(d, ret);
}

int record_make(const struct strv *paths, const struct record_place *place, int64_t start_ns, const char *messages,
                struct record *ret, struct err *err) {
        cleanup_record struct record r = {};
        int e;

        r.files = new_array(paths->n, sizeof(*r.files));
        r.messages = strdup(messages);
        if (!r.files || !r.messages)
                return err_errno(err, -ENOMEM, "record of sources");
        for (size_t i = 0; i < paths->n; i++) {
                const struct header *header = header_find(place, paths->v[i]);
                struct source_file *f = &r.files[r.n_files++];

                e = header ? ours_make(header, f, err) : file_make(paths->v[i], place, start_ns, f, err);
                if (e < 0)
                        return e;
        }
        e = shadows_digest(&r, place, r.shadows);
        if (e < 0)
                return err_errno(err, e, "record of sources");
        *ret = r;
        r = (struct record){};
        return 0;
}

bool record_holds(const struct record *r, const struct record_place *place) {
        uint8_t digest[SHA256_SIZE];
        struct stat st;

        for (size_t i = 0; i < r->n_files; i++) {
                const struct source_file *f = &r->files[i];
                const struct header *header = f->origin == ORIGIN_OURS ? header_named(f->path) : NULL;

                if (f->origin == ORIGIN_OURS) {
                        if (!header || sha256(header->begin, header->end - header->begin, digest) < 0)
                                return false;
                } else if (file_hash(f->path, digest, &st, NULL) < 0)
                        return false;
                if (memcmp(digest, f->sha256, sizeof(digest)) != 0)
                        return false;
        }
        return shadows_digest(r, place, digest) == 0 && memcmp(digest, r->shadows, sizeof(digest)) == 0;
}
