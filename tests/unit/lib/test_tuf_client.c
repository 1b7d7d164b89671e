/* SPDX-License-Identifier: Apache-2.0 */
/* The workflow: what is asked for and kept, and that an update which ends anywhere is made good by the next one. */
#include "tuf_client.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tuf_fixture.h"

#define FILES 16

struct world {
        struct repo *repo;
        char path[64];
        int dirfd;
        struct {
                char name[64];
                struct buf data;
        } files[FILES];
        size_t n_files;
        int absent;            /* what the server says of what it does not have; 0: -ENOENT */
        int fail_at, requests; /* the request of that number fails; -1: none */
        char asked[1024], trusted[1024];
        struct buf anchor;
};

static void serve(struct world *w, const char *name, const json_t *doc, int key) {
        size_t i = 0;

        while (i < w->n_files && !streq(w->files[i].name, name))
                i++;
        assert_true(i < FILES);
        if (i == w->n_files)
                w->n_files++;
        snprintf(w->files[i].name, sizeof(w->files[i].name), "%s", name);
        buf_done(&w->files[i].data);
        file_of(doc, w->repo->keys[key], &w->files[i].data);
}

static void unserve(struct world *w, const char *name) {
        for (size_t i = 0; i < w->n_files; i++)
                if (streq(w->files[i].name, name))
                        w->files[i].name[0] = '!';
}

static void serve_versioned(struct world *w, const char *role, const json_t *doc, int key) {
        char name[64];

        snprintf(name, sizeof(name), "%d.%s.json", (int)json_integer_value(json_object_get(doc, "version")), role);
        serve(w, name, doc, key);
}

static void publish(struct world *w) {
        list_all(w->repo);
        serve_versioned(w, "bundles", w->repo->bundles, 4);
        serve_versioned(w, "targets", w->repo->targets, 3);
        serve_versioned(w, "snapshot", w->repo->snapshot, 2);
        serve(w, "timestamp.json", w->repo->timestamp, 1);
}

static int get(void *ctx, const char *path, uint64_t max, struct buf *out, struct err *err) {
        struct world *w = ctx;

        strcat(strcat(w->asked, path), " ");
        if (w->requests++ == w->fail_at)
                return err_set(err, -EIO, REASON_NONE, "the network is gone");
        for (size_t i = 0; i < w->n_files; i++)
                if (streq(w->files[i].name, path)) {
                        /* One that hands over more than it was asked for is not believed, either. */
                        return buf_append(out, w->files[i].data.data, w->files[i].data.len);
                }
        return w->absent ? w->absent : -ENOENT;
}

static int trusted(void *ctx, const char *role, const struct tuf_signed *s, struct err *err) {
        struct world *w = ctx;

        assert_true(s->bytes.len > 0 && s->n_sigs > 0);
        strcat(strcat(w->trusted, role), " ");
        return 0;
}

static struct tuf_client_options options(struct world *w) {
        return (struct tuf_client_options){
                .get = get,
                .trusted = trusted,
                .ctx = w,
                .store.dirfd = w->dirfd,
                .anchor = w->anchor.data,
                .anchor_len = w->anchor.len,
                .now = NOW,
        };
}

/* One update: refresh, and a look for a target. */
static int update(struct world *w, struct err *err) {
        struct tuf_client_options o = options(w);
        cleanup_tuf_client struct tuf_client *c = NULL;
        struct tuf_target target;
        int r;

        w->requests = 0;
        w->asked[0] = w->trusted[0] = 0;
        *err = (struct err){};
        r = tuf_client_new(&o, &c, err);
        if (r >= 0)
                r = tuf_client_refresh(c, err);
        return r < 0 ? r : tuf_client_find(c, "bundles/a", &target, err);
}

static int setup(void **state) {
        struct world *w = calloc(1, sizeof(*w));

        w->repo = repo_new();
        w->fail_at = -1;
        strcpy(w->path, "/tmp/test-tuf-client.XXXXXX");
        assert_non_null(mkdtemp(w->path));
        w->dirfd = open(w->path, O_RDONLY | O_DIRECTORY);
        file_of(w->repo->root, w->repo->keys[0], &w->anchor);
        publish(w);
        *state = w;
        return 0;
}

static int teardown(void **state) {
        struct world *w = *state;
        DIR *d = fdopendir(w->dirfd);
        struct dirent *e;

        rewinddir(d);
        while ((e = readdir(d)))
                if (e->d_name[0] != '.' || strlen(e->d_name) > 2)
                        unlinkat(dirfd(d), e->d_name, 0);
        closedir(d);
        assert_int_equal(rmdir(w->path), 0);
        for (size_t i = 0; i < w->n_files; i++)
                buf_done(&w->files[i].data);
        buf_done(&w->anchor);
        repo_free(w->repo);
        free(w);
        return 0;
}

static void first_and_second(void **state) {
        struct world *w = *state;
        struct err err;

        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "2.root.json timestamp.json 1.snapshot.json 1.targets.json 1.bundles.json ");
        assert_string_equal(w->trusted, "root timestamp snapshot targets bundles ");
        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "2.root.json timestamp.json ");
        assert_string_equal(w->trusted, "root timestamp snapshot targets bundles ");
        set_version(w->repo->timestamp, 2);
        set_version(w->repo->snapshot, 2);
        set_version(w->repo->bundles, 2);
        publish(w);
        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "2.root.json timestamp.json 2.snapshot.json 2.bundles.json ");
}

static void no_root(void **state) {
        struct world *w = *state;
        struct err err;

        buf_done(&w->anchor);
        assert_int_equal(update(w, &err), -ENOENT);
        assert_string_equal(w->asked, "");
}

/* root 2 takes the timestamp's key away, root 3 changes nothing; everything else is new, too, and the versions begin again. */
static void new_state(struct world *w) {
        struct repo *f = w->repo;

        set_version(f->timestamp, 50);
        set_version(f->snapshot, 50);
        publish(w);
}

static void recovered_state(struct world *w) {
        struct repo *f = w->repo;

        set_version(f->root, 2);
        set_key(f, "timestamp", f->keys[6]);
        set_key(f, "snapshot", f->keys[7]);
        serve_versioned(w, "root", f->root, 0);
        set_version(f->root, 3);
        serve_versioned(w, "root", f->root, 0);
        set_version(f->timestamp, 3);
        set_version(f->snapshot, 3);
        set_version(f->targets, 2);
        set_version(f->bundles, 2);
        list_all(f);
        serve_versioned(w, "bundles", f->bundles, 4);
        serve_versioned(w, "targets", f->targets, 3);
        serve_versioned(w, "snapshot", f->snapshot, 7);
        serve(w, "timestamp.json", f->timestamp, 6);
}

/* Cut off at each request in turn: the next update makes it good, whatever was stored by then. */
static void cut_off(void **state) {
        static const char all[] =
                "2.root.json 3.root.json 4.root.json timestamp.json 3.snapshot.json 2.targets.json 2.bundles.json ";

        for (int at = 0; at < 7; at++) {
                void *own = NULL;
                struct world *w;
                struct err err;

                setup(&own);
                w = own;
                if (at % 2 == 0) { /* no anchor: from the stored root on */
                        assert_int_equal(tuf_store_save(&(struct tuf_store){.dirfd = w->dirfd}, "root", w->anchor.data,
                                                        w->anchor.len, NULL),
                                         0);
                        buf_done(&w->anchor);
                }
                new_state(w);
                assert_done(update(w, &err), err);
                recovered_state(w);
                w->fail_at = at;
                assert_int_equal(update(w, &err), -EIO);
                w->fail_at = -1;
                assert_done(update(w, &err), err);
                assert_non_null(strstr(all, w->asked[0] == '4'   ? "4.root.json"
                                            : w->asked[0] == '3' ? "3.root.json"
                                                                 : "2.root.json"));
                assert_done(update(w, &err), err);
                assert_string_equal(w->asked, "4.root.json timestamp.json ");
                teardown(&own);
        }
}

/* The chain is walked from the anchor, each time, over what is stored; a damaged link is fetched again. */
static void history(void **state) {
        struct world *w = *state;
        struct err err;
        int fd;

        recovered_state(w);
        assert_done(update(w, &err), err);
        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "4.root.json timestamp.json ");
        assert_string_equal(w->trusted, "root root root timestamp snapshot targets bundles ");
        fd = openat(w->dirfd, "3.root", O_WRONLY | O_TRUNC);
        assert_true(fd >= 0);
        close(fd);
        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "3.root.json 4.root.json timestamp.json ");
        assert_done(update(w, &err), err);
        assert_string_equal(w->asked, "4.root.json timestamp.json ");
}

/* A rotation of long ago is not a new one: what was trusted since is still the measure. */
static void rotated_once(void **state) {
        struct world *w = *state;
        struct err err;

        recovered_state(w);
        assert_done(update(w, &err), err);
        set_version(w->repo->timestamp, 2);
        serve(w, "timestamp.json", w->repo->timestamp, 6);
        assert_refused(update(w, &err), err, REASON_ROLLED_BACK_METADATA);
        assert_refused(update(w, &err), err, REASON_ROLLED_BACK_METADATA);
}

static void too_much(void **state) {
        struct world *w = *state;
        cleanup_free char *text = malloc(TUF_TIMESTAMP_MAX + 2);
        struct err err;

        memset(text, ' ', TUF_TIMESTAMP_MAX + 1);
        text[TUF_TIMESTAMP_MAX + 1] = 0;
        for (size_t i = 0; i < w->n_files; i++)
                if (streq(w->files[i].name, "timestamp.json"))
                        assert_int_equal(buf_append(&w->files[i].data, text, TUF_TIMESTAMP_MAX + 1), 0);
        assert_refused(update(w, &err), err, REASON_TOO_LARGE);
}

static void missing(void **state) {
        static const char *const names[] = {"timestamp.json", "1.snapshot.json", "1.targets.json", "1.bundles.json"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                void *own = NULL;
                struct err err;

                setup(&own);
                unserve(own, names[i]);
                assert_int_equal(update(own, &err), -ENODATA);
                assert_non_null(strstr(err.msg, names[i]));
                teardown(&own);
        }
}

/* A server that says 403 of what it does not have: no newer root; of anything else, a failure. And another failure is no answer. */
static void forbidden(void **state) {
        struct world *w = *state;
        struct err err;

        w->absent = -EPERM;
        assert_done(update(w, &err), err);
        unserve(w, "1.bundles.json");
        assert_int_equal(unlinkat(w->dirfd, "bundles.json", 0), 0);
        assert_int_equal(update(w, &err), -EPERM);
        unserve(w, "timestamp.json");
        assert_int_equal(update(w, &err), -EPERM);
        w->absent = -EACCES;
        assert_int_equal(update(w, &err), -EACCES);
        assert_non_null(strstr(w->asked, "2.root.json "));
        assert_null(strstr(w->asked, "timestamp.json "));
}

/* What cannot be read where metadata should be is no reason to wait or to give up. */
static void store_damaged(void **state) {
        static const char *const names[] = {"timestamp.json", "snapshot.json", "targets.json", "bundles.json"};
        struct world *w = *state;
        struct err err;

        assert_done(update(w, &err), err);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                int fd = openat(w->dirfd, names[i], O_WRONLY | O_TRUNC);

                assert_int_equal(write(fd, "{\"signed\":{}", 12), 12);
                close(fd);
                assert_done(update(w, &err), err);
                assert_int_equal(unlinkat(w->dirfd, names[i], 0), 0);
                assert_int_equal(mkfifoat(w->dirfd, names[i], 0600), 0);
                assert_done(update(w, &err), err);
                assert_done(update(w, &err), err);
                assert_string_equal(w->asked, "2.root.json timestamp.json ");
        }
}

static void store_read_only(void **state) {
        struct world *w = *state;
        struct err err;

        if (geteuid() == 0) {
                /* root writes everywhere: a file in the place of the folder does it */
                int fd = openat(w->dirfd, "file", O_WRONLY | O_CREAT, 0600), was = w->dirfd;

                w->dirfd = fd;
                assert_int_equal(update(w, &err), -ENOTDIR);
                w->dirfd = was;
                close(fd);
                return;
        }
        assert_int_equal(fchmod(w->dirfd, 0500), 0);
        assert_int_equal(update(w, &err), -EACCES);
        assert_int_equal(fchmod(w->dirfd, 0700), 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(first_and_second), TEST(no_root),   cmocka_unit_test(cut_off), TEST(history),
                TEST(rotated_once),     TEST(too_much),  cmocka_unit_test(missing), TEST(store_damaged),
                TEST(store_read_only),  TEST(forbidden),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
