/* SPDX-License-Identifier: Apache-2.0 */
#include "compile.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "depfile.h"
#include "fileio.h"
#include "headers.h"
#include "libbpf_log.h"
#include "path.h"
#include "tmpdir.h"

#define OBJECT_MAX (16u << 20)
#define OURS RECORD_OURS

/*
 * The compiler runs in the root of the tree, so that what remains of a path after the map ("./bpf/x.bpf.c") can be opened
 * there: BTF quotes source lines for the verifier's log, and LLVM reads them from files by these names. For a source that was
 * made it runs beside our headers' directory, where that source lies, too.
 */
struct workspace {
        struct tmpdir tmp;
        char *ours; /* the directory of our headers as seen from the root: relative, so that the map for the root, which may
                          lie above the temporary directory, does not apply to it */
};

static void workspace_done(struct workspace *w) {
        tmpdir_done(&w->tmp);
        free(w->ours);
}

/* -gembed-source: for our headers, which are nowhere to be opened by the name that the map gives them.
 * -Werror=date-time: __DATE__ would make every build different. */
static const char *const flags[] = {
        "-target",
        "bpf",
        "-mcpu=v3",
        "-std=gnu11",
        "-O2",
        "-g",
        "-gdwarf-5",
        "-gembed-source",
        "-fdebug-compilation-dir=.",
        "-fno-color-diagnostics",
        "-Wall",
        "-Wno-unknown-attributes",
        "-Werror=date-time",
};

void compile_unit_done(struct compile_unit *u) {
        buf_done(&u->object);
        record_done(&u->record);
        buf_done(&u->messages);
}

/*
 * A source that was made reads our own headers alone, and LLVM finds them by their names: nothing is embedded. LLVM 14 would lose
 * count of its files, and refuse inline assembly, where a macro of one of our headers makes a function of another.
 */
static int add_flags(const struct compiler *c, const struct compile_unit *u, const char *source, struct strv *argv) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(flags); i++)
                e = strv_add(argv, flags[i]);
        if (e == 0)
                e = strv_addf(argv, "-ffile-prefix-map=%s/=", streq(c->root, "/") ? "" : c->root);
        if (e == 0)
                e = u->text ? strv_add(argv, "-gno-embed-source") : strv_addf(argv, "-I%s", c->bundle_dir);
        if (e == 0 && c->toolchain->multiarch)
                e = strv_addf(argv, "-idirafter%s", c->toolchain->multiarch);
        for (size_t i = 0; e == 0 && u->defines && i < u->defines->n; i++)
                e = strv_addf(argv, "-D%s", u->defines->v[i]);
        return e < 0 ? e : strv_add(argv, source);
}

static int unit_key(const struct compiler *c, const struct compile_unit *u, uint8_t ret[static SHA256_SIZE]) {
        cleanup_digest struct digest *d = digest_new();
        cleanup_strv struct strv argv = {};
        int e = d ? digest_update(d, "compile 1 " LSM_VERSION, sizeof("compile 1 " LSM_VERSION)) : -ENOMEM;

        if (e == 0)
                e = digest_update(d, c->toolchain->id, SHA256_SIZE);
        if (e == 0)
                e = add_flags(c, u, u->source, &argv);
        for (size_t i = 0; e == 0 && i < argv.n; i++)
                e = digest_update(d, argv.v[i], strlen(argv.v[i]) + 1);
        if (e == 0 && u->text)
                e = digest_update(d, u->text->data, u->text->len);
        return e < 0 ? e : digest_finish(d, ret);
}

static struct record_place place_of(const struct compiler *c, const char *ours) {
        return (struct record_place){c->root, c->bundle_dir, ours, &c->toolchain->system_dirs};
}

/* Is there a kept object, and is it still the answer? */
static bool unit_from_cache(const struct compiler *c, struct compile_unit *u) {
        struct record_place place = place_of(c, NULL);
        cleanup_record struct record record = {};
        cleanup_buf struct buf packed = {}, object = {};
        uint8_t key[SHA256_SIZE];

        if (!c->cache || unit_key(c, u, key) < 0 || cache_get(c->cache, key, &packed) < 0 ||
            record_unpack(&packed, &record, &object) < 0 || !record_holds(&record, &place) ||
            buf_append(&u->messages, record.messages, strlen(record.messages)) < 0)
                return false;
        u->record = record;
        u->object = object;
        u->cached = true;
        record = (struct record){};
        object = (struct buf){};
        return true;
}

static void unit_to_cache(const struct compiler *c, const struct compile_unit *u) {
        cleanup_buf struct buf packed = {};
        uint8_t key[SHA256_SIZE];

        if (c->cache && unit_key(c, u, key) == 0 && record_pack(&u->record, &u->object, &packed) == 0)
                cache_put(c->cache, key, packed.data, packed.len);
}

static int replace_all(const char *text, const char *from, const char *to, struct buf *ret) {
        const char *hit;
        int e = 0;

        for (; e == 0 && (hit = strstr(text, from)); text = hit + strlen(from)) {
                e = buf_append(ret, text, hit - text);
                if (e == 0)
                        e = buf_append(ret, to, strlen(to));
        }
        return e < 0 ? e : buf_append(ret, text, strlen(text));
}

/* Paths as people know them: "bpf/x.c:3:1" for "/here/bpf/x.c:3:1", "lsm/lsm_policy.h" for our headers. */
static int messages_shorten(const struct buf *raw, const struct workspace *w, struct buf *ret) {
        cleanup_free char *here = getcwd(NULL, 0);
        cleanup_strv struct strv prefixes = {};
        cleanup_buf struct buf text = {};
        int e = raw->data ? replace_all(raw->data, w->ours, OURS, &text) : 0;

        if (e < 0 || !text.data)
                return e;
        if (!here || here[0] != '/' || here[1] == '\0')
                return buf_append(ret, text.data, text.len);
        e = strv_addf(&prefixes, "%s/", here);
        return e < 0 ? e : replace_all(text.data, prefixes.v[0], "", ret);
}

/* From the compiler's object to the one that is packed. */
static int object_link(const char *from, const char *to, struct err *err) {
        cleanup_buf struct buf log = {};
        struct bpf_linker *linker;
        int e;

        libbpf_log_begin(&log);
        linker = bpf_linker__new(to, NULL);
        e = linker ? bpf_linker__add_file(linker, from, NULL) : -errno;
        if (e == 0)
                e = bpf_linker__finalize(linker);
        bpf_linker__free(linker);
        libbpf_log_end();
        if (e < 0)
                return err_set(err, e, REASON_NONE, "libbpf cannot take the compiler's object: %s",
                               log.len > 0 ? libbpf_log_last(&log) : strerror(-e));
        return 0;
}

/* Where the compiler finds our headers, and the source. */
static const char *ours_of(const struct compile_unit *u, const struct workspace *w) {
        return u->text ? OURS : w->ours;
}

static int source_path(const struct compile_unit *u, struct strv *ret) {
        return u->text ? strv_addf(ret, OURS "/%s", u->source) : strv_add(ret, u->source);
}

/* What the compiler has read, without a source that was made: that comes from files which are looked at elsewhere. */
static int files_read(const struct compile_unit *u, const struct buf *deps, struct strv *ret, struct err *err) {
        cleanup_strv struct strv all = {}, made = {};
        int e = depfile_parse(deps->data, deps->len, &all, err);

        if (e < 0)
                return e;
        e = source_path(u, &made);
        for (size_t i = 0; e == 0 && i < all.n; i++)
                if (!u->text || !streq(all.v[i], made.v[0]))
                        e = strv_add(ret, all.v[i]);
        return e < 0 ? err_errno(err, e, "dependencies") : 0;
}

/* The compiler has accepted unit number i: reads what it has left behind. */
static int unit_finish(const struct compiler *c, struct compile_unit *u, size_t i, const struct workspace *w, int64_t start_ns,
                       struct err *err) {
        struct record_place place = place_of(c, ours_of(u, w));
        cleanup_strv struct strv paths = {}, files = {};
        cleanup_buf struct buf deps = {};
        int e;

        if (strv_addf(&paths, "%s/%zu.clang.o", w->tmp.path, i) < 0 || strv_addf(&paths, "%s/%zu.o", w->tmp.path, i) < 0 ||
            strv_addf(&paths, "%s/%zu.d", w->tmp.path, i) < 0)
                return err_errno(err, -ENOMEM, "paths");
        e = object_link(paths.v[0], paths.v[1], err);
        if (e == 0)
                e = file_read(AT_FDCWD, paths.v[1], OBJECT_MAX, &u->object, err);
        if (e == 0)
                e = file_read(AT_FDCWD, paths.v[2], OBJECT_MAX, &deps, err);
        if (e == 0)
                e = files_read(u, &deps, &files, err);
        return e < 0 ? e : record_make(&files, &place, start_ns, u->messages.data ?: "", &u->record, err);
}

static int unit_argv(const struct compiler *c, const struct compile_unit *u, size_t i, const struct workspace *w,
                     struct strv *argv) {
        cleanup_strv struct strv source = {};
        int e = source_path(u, &source);

        if (e == 0)
                e = strv_add(argv, c->toolchain->clang);
        if (e == 0)
                e = strv_addf(argv, "-I%s", ours_of(u, w));
        if (e == 0)
                e = strv_addf(argv, "-ffile-prefix-map=%s/=" OURS "/", ours_of(u, w));
        if (e == 0)
                e = add_flags(c, u, source.v[0], argv);
        if (e == 0)
                e = strv_add(argv, "-MD");
        if (e == 0)
                e = strv_add(argv, "-MF");
        if (e == 0)
                e = strv_addf(argv, "%s/%zu.d", w->tmp.path, i);
        if (e == 0)
                e = strv_add(argv, "-c");
        if (e == 0)
                e = strv_add(argv, "-o");
        return e < 0 ? e : strv_addf(argv, "%s/%zu.clang.o", w->tmp.path, i);
}

/* The caller's environment without what would change the compiler's answer behind our back. */
static int compiler_env(struct strv *ret) {
        static const char *const dropped[] = {"CPATH=",
                                              "C_INCLUDE_PATH=",
                                              "CCC_OVERRIDE_OPTIONS=",
                                              "CCC_ADD_ARGS=",
                                              "CLANG_CONFIG_FILE_SYSTEM_DIR=",
                                              "CLANG_CONFIG_FILE_USER_DIR=",
                                              "LC_ALL=",
                                              "LANG="};
        int e = strv_add(ret, "LC_ALL=C");

        for (char **v = environ; e == 0 && *v; v++) {
                bool keep = true;

                for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
                        keep = keep && strncmp(*v, dropped[i], strlen(dropped[i])) != 0;
                if (keep)
                        e = strv_add(ret, *v);
        }
        return e;
}

struct run {
        struct process *processes;
        struct strv *argvs;
        size_t *units; /* process i compiles unit units[i] */
        size_t n;
};

static void run_done(struct run *r) {
        for (size_t i = 0; i < r->n; i++) {
                process_done(&r->processes[i]);
                strv_done(&r->argvs[i]);
        }
        free(r->processes);
        free(r->argvs);
        free(r->units);
}

static int run_compilers(const struct compiler *c, struct compile_unit *units, struct run *r, const struct workspace *w,
                         struct err *err) {
        cleanup_strv struct strv env = {};
        int e = compiler_env(&env);

        for (size_t i = 0; e == 0 && i < r->n; i++) {
                const struct compile_unit *u = &units[r->units[i]];

                e = unit_argv(c, u, r->units[i], w, &r->argvs[i]);
                r->processes[i] = (struct process){.argv = (const char *const *)r->argvs[i].v,
                                                   .env = (const char *const *)env.v,
                                                   .dir = u->text ? w->tmp.path : c->root};
        }
        if (e < 0)
                return err_errno(err, e, "command line");
        return processes_run(r->processes, r->n, c->jobs, c->progress, c->progress_ctx, err);
}

static int workspace_make(const struct compiler *c, struct workspace *w, struct err *err) {
        cleanup_free char *path = NULL;
        cleanup_fd int fd = -1;
        int e = tmpdir_make(&w->tmp, err);

        if (e < 0)
                return e;
        path = path_join(w->tmp.path, OURS);
        w->ours = path ? path_relative(c->root, path) : NULL;
        if (!w->ours)
                return err_errno(err, -ENOMEM, "paths");
        if (mkdirat(w->tmp.fd, OURS, 0700) < 0 || (fd = openat(w->tmp.fd, OURS, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return err_errno(err, -errno, "cannot make '%s'", path);
        return headers_write(fd, err);
}

static int texts_write(const struct workspace *w, const struct compile_unit *units, const struct run *r, struct err *err) {
        cleanup_fd int dir = openat(w->tmp.fd, OURS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return err_errno(err, -errno, "'%s'", w->ours);
        for (size_t i = 0; i < r->n; i++) {
                const struct compile_unit *u = &units[r->units[i]];
                cleanup_fd int fd = -1;
                int e;

                if (!u->text)
                        continue;
                fd = openat(dir, u->source, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                e = fd < 0 ? -errno : fd_write_all(fd, u->text->data, u->text->len);
                if (e < 0)
                        return err_errno(err, e, "cannot write '%s'", u->source);
        }
        return 0;
}

static int compile_missing(const struct compiler *c, struct compile_unit *units, struct run *r, struct err *err) {
        cleanup(workspace_done) struct workspace w = {TMPDIR_INIT, NULL};
        struct timespec start;
        int e;

        clock_gettime(CLOCK_REALTIME, &start);
        e = workspace_make(c, &w, err);
        if (e == 0)
                e = texts_write(&w, units, r, err);
        if (e == 0)
                e = run_compilers(c, units, r, &w, err);
        if (e < 0)
                return e;
        for (size_t i = 0; i < r->n; i++) {
                struct compile_unit *u = &units[r->units[i]];

                e = messages_shorten(&r->processes[i].err, &w, &u->messages);
                if (e < 0)
                        return err_errno(err, e, "the compiler's messages");
                u->failed = !process_ok(&r->processes[i]);
                if (u->failed)
                        continue;
                e = unit_finish(c, u, r->units[i], &w, start.tv_sec * 1000000000LL + start.tv_nsec, err);
                if (e < 0)
                        return err_wrap(err, e, "policy '%s'", u->name);
                unit_to_cache(c, u);
        }
        return 0;
}

int compile_all(const struct compiler *c, struct compile_unit *units, size_t n, struct err *err) {
        cleanup(run_done) struct run r = {new_array(n, sizeof(*r.processes)), new_array(n, sizeof(*r.argvs)),
                                          new_array(n, sizeof(*r.units)), 0};

        if (!r.processes || !r.argvs || !r.units)
                return err_errno(err, -ENOMEM, "compile");
        for (size_t i = 0; i < n; i++)
                if (!unit_from_cache(c, &units[i]))
                        r.units[r.n++] = i;
        return r.n > 0 ? compile_missing(c, units, &r, err) : 0;
}
