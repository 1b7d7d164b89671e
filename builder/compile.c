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
#define OURS "lsm" /* our headers' directory, as the compiler spells it: it runs in the temporary directory */

/*
 * -gembed-source: BTF quotes source lines for the verifier's log; without it the compiler reads them from the mapped paths,
 * which do not exist. -Werror=date-time: __DATE__ would make every build different.
 */
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
        "-I" OURS,
};

void compile_unit_done(struct compile_unit *u) {
        buf_done(&u->object);
        record_done(&u->record);
        buf_done(&u->messages);
}

static int add_flags(const struct compiler *c, const struct compile_unit *u, struct strv *argv) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(flags); i++)
                e = strv_add(argv, flags[i]);
        if (e == 0)
                e = strv_addf(argv, "-ffile-prefix-map=%s/=", streq(c->root, "/") ? "" : c->root);
        if (e == 0)
                e = strv_addf(argv, "-I%s", c->bundle_dir);
        if (e == 0 && c->toolchain->multiarch)
                e = strv_addf(argv, "-idirafter%s", c->toolchain->multiarch);
        return e < 0 ? e : strv_add(argv, u->source);
}

static int unit_key(const struct compiler *c, const struct compile_unit *u, uint8_t ret[static SHA256_SIZE]) {
        cleanup_digest struct digest *d = digest_new();
        cleanup_strv struct strv argv = {};
        int e = d ? digest_update(d, "compile 1 " LSM_VERSION, sizeof("compile 1 " LSM_VERSION)) : -ENOMEM;

        if (e == 0)
                e = digest_update(d, c->toolchain->id, SHA256_SIZE);
        if (e == 0)
                e = add_flags(c, u, &argv);
        for (size_t i = 0; e == 0 && i < argv.n; i++)
                e = digest_update(d, argv.v[i], strlen(argv.v[i]) + 1);
        return e < 0 ? e : digest_finish(d, ret);
}

static struct record_place place_of(const struct compiler *c, const char *cwd) {
        return (struct record_place){c->root, c->bundle_dir, OURS, cwd, &c->toolchain->system_dirs};
}

/* Is there a kept object, and is it still the answer? */
static bool unit_from_cache(const struct compiler *c, struct compile_unit *u) {
        struct record_place place = place_of(c, "/");
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

/* "/here/bpf/x.c:3:1: ..." reads better as "bpf/x.c:3:1: ...". */
static int messages_shorten(const struct buf *raw, struct buf *ret) {
        cleanup_free char *here = getcwd(NULL, 0);
        const char *p = raw->data, *hit;
        size_t n;
        int e;

        if (!p)
                return 0;
        if (!here || here[0] != '/' || here[1] == '\0')
                return buf_append(ret, p, raw->len);
        n = strlen(here);
        while ((hit = strstr(p, here))) {
                e = buf_append(ret, p, hit - p);
                if (e < 0)
                        return e;
                p = hit + n;
                if (*p == '/')
                        p++;
                else if ((e = buf_append(ret, here, n)) < 0)
                        return e;
        }
        return buf_append(ret, p, strlen(p));
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

/* The compiler has accepted unit number i: reads what it has left behind. */
static int unit_finish(const struct compiler *c, struct compile_unit *u, size_t i, const struct tmpdir *tmp, int64_t start_ns,
                       struct err *err) {
        struct record_place place = place_of(c, tmp->path);
        cleanup_strv struct strv paths = {}, files = {};
        cleanup_buf struct buf deps = {};
        int e;

        if (strv_addf(&paths, "%s/%zu.clang.o", tmp->path, i) < 0 || strv_addf(&paths, "%s/%zu.o", tmp->path, i) < 0 ||
            strv_addf(&paths, "%s/%zu.d", tmp->path, i) < 0)
                return err_errno(err, -ENOMEM, "paths");
        e = object_link(paths.v[0], paths.v[1], err);
        if (e == 0)
                e = file_read(AT_FDCWD, paths.v[1], OBJECT_MAX, &u->object, err);
        if (e == 0)
                e = file_read(AT_FDCWD, paths.v[2], OBJECT_MAX, &deps, err);
        if (e == 0)
                e = depfile_parse(deps.data, deps.len, &files, err);
        return e < 0 ? e : record_make(&files, &place, start_ns, u->messages.data ?: "", &u->record, err);
}

static int unit_argv(const struct compiler *c, const struct compile_unit *u, size_t i, struct strv *argv) {
        int e = strv_add(argv, c->toolchain->clang);

        if (e == 0)
                e = add_flags(c, u, argv);
        if (e == 0)
                e = strv_add(argv, "-MD");
        if (e == 0)
                e = strv_add(argv, "-MF");
        if (e == 0)
                e = strv_addf(argv, "%zu.d", i);
        if (e == 0)
                e = strv_add(argv, "-c");
        if (e == 0)
                e = strv_add(argv, "-o");
        return e < 0 ? e : strv_addf(argv, "%zu.clang.o", i);
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

static int run_compilers(const struct compiler *c, struct compile_unit *units, struct run *r, const struct tmpdir *tmp,
                         struct err *err) {
        cleanup_strv struct strv env = {};
        int e = compiler_env(&env);

        for (size_t i = 0; e == 0 && i < r->n; i++) {
                e = unit_argv(c, &units[r->units[i]], r->units[i], &r->argvs[i]);
                r->processes[i] = (struct process){
                        .argv = (const char *const *)r->argvs[i].v, .env = (const char *const *)env.v, .dir = tmp->path};
        }
        if (e < 0)
                return err_errno(err, e, "command line");
        return processes_run(r->processes, r->n, c->jobs, c->progress, c->progress_ctx, err);
}

static int compile_missing(const struct compiler *c, struct compile_unit *units, struct run *r, struct err *err) {
        cleanup_tmpdir struct tmpdir tmp = TMPDIR_INIT;
        cleanup_fd int ours = -1;
        struct timespec start;
        int e;

        clock_gettime(CLOCK_REALTIME, &start);
        e = tmpdir_make(&tmp, err);
        if (e < 0)
                return e;
        if (mkdirat(tmp.fd, OURS, 0700) < 0 || (ours = openat(tmp.fd, OURS, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return err_errno(err, -errno, "cannot make '%s/%s'", tmp.path, OURS);
        e = headers_write(ours, err);
        if (e < 0)
                return e;
        e = run_compilers(c, units, r, &tmp, err);
        if (e < 0)
                return e;
        for (size_t i = 0; i < r->n; i++) {
                struct compile_unit *u = &units[r->units[i]];

                e = messages_shorten(&r->processes[i].err, &u->messages);
                if (e < 0)
                        return err_errno(err, e, "the compiler's messages");
                u->failed = !process_ok(&r->processes[i]);
                if (u->failed)
                        continue;
                e = unit_finish(c, u, r->units[i], &tmp, start.tv_sec * 1000000000LL + start.tv_nsec, err);
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
