/* SPDX-License-Identifier: Apache-2.0 */
#include "toolchain.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "path.h"
#include "process.h"

void toolchain_done(struct toolchain *t) {
        free(t->clang);
        free(t->version);
        free(t->multiarch);
        strv_done(&t->system_dirs);
        *t = (struct toolchain){};
}

static char *program_find(const char *name) {
        const char *path = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin";

        if (strchr(name, '/'))
                return realpath(name, NULL);
        while (*path) {
                size_t n = strcspn(path, ":");
                cleanup_free char *file = NULL;

                if (asprintf(&file, "%.*s/%s", (int)n, path, name) < 0) {
                        file = NULL;
                        return NULL;
                }
                if (n > 0 && access(file, X_OK) == 0)
                        return realpath(file, NULL);
                path += n + (path[n] == ':');
        }
        errno = ENOENT;
        return NULL;
}

/* What identifies the program without running it: running clang takes longer than everything else of an unchanged build. */
static int program_key(const char *path, uint8_t ret[static SHA256_SIZE], struct err *err) {
        cleanup_buf struct buf text = {};
        struct stat st;
        int e;

        if (stat(path, &st) < 0)
                return err_errno(err, -errno, "cannot look at '%s'", path);
        e = buf_printf(&text, "toolchain 1 %s %jd %jd %jd.%09ld %jd.%09ld", path, (intmax_t)st.st_ino, (intmax_t)st.st_size,
                       (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
        if (e == 0)
                e = sha256(text.data, text.len, ret);
        return e < 0 ? err_errno(err, e, "digest") : 0;
}

/* The text is `clang -v -E`: a version line, and the header directories between two known lines. */
static int answer_parse(const char *text, struct toolchain *t, struct err *err) {
        const char *dirs = strstr(text, "#include <...> search starts here:\n"),
                   *end = dirs ? strstr(dirs, "End of search list.") : NULL;
        const char *line = strstr(text, "clang version ");

        if (!line || !end)
                return err_set(err, -EBADMSG, REASON_NONE, "'%s' does not answer like clang", t->clang);
        while (line > text && line[-1] != '\n')
                line--;
        t->version = strndup(line, strcspn(line, "\n"));
        if (!t->version)
                return err_errno(err, -ENOMEM, "compiler version");
        for (dirs = strchr(dirs, '\n') + 1; dirs < end; dirs = strchr(dirs, '\n') + 1) {
                cleanup_free char *raw = strndup(dirs + strspn(dirs, " "), strcspn(dirs, "\n") - strspn(dirs, " "));
                cleanup_free char *dir = raw ? path_normal(raw) : NULL;

                if (!dir || strv_add(&t->system_dirs, dir) < 0)
                        return err_errno(err, -ENOMEM, "header directories");
        }
        return 0;
}

static int ask(const struct toolchain *t, struct buf *ret, struct err *err) {
        const char *const argv[] = {t->clang, "-target", "bpf", "-v", "-E", "-x", "c", "-", NULL};
        cleanup_process struct process p = {.argv = argv};
        int e = process_run(&p, err);

        if (e < 0)
                return e;
        if (!process_ok(&p))
                return err_set(err, -EIO, REASON_NONE, "'%s' cannot compile for bpf: %s", t->clang, p.err.data ?: "");
        e = buf_append(ret, p.err.data, p.err.len);
        return e < 0 ? err_errno(err, e, "compiler's answer") : 0;
}

/* Debian keeps asm/types.h where clang does not look when it compiles for bpf. */
static int multiarch_find(struct toolchain *t, struct err *err) {
        cleanup_free char *dir = NULL;
        struct utsname u;

        if (uname(&u) < 0)
                return err_errno(err, -errno, "uname");
        if (asprintf(&dir, "/usr/include/%s-linux-gnu", u.machine) < 0) {
                dir = NULL;
                return err_errno(err, -ENOMEM, "header directories");
        }
        if (access(dir, X_OK) == 0)
                t->multiarch = steal_pointer(dir);
        return 0;
}

static int toolchain_id(struct toolchain *t, const uint8_t key[static SHA256_SIZE], struct err *err) {
        cleanup_buf struct buf text = {};
        int e = buf_append(&text, key, SHA256_SIZE);

        if (e == 0)
                e = buf_append(&text, t->version, strlen(t->version) + 1);
        for (size_t i = 0; e == 0 && i < t->system_dirs.n; i++)
                e = buf_append(&text, t->system_dirs.v[i], strlen(t->system_dirs.v[i]) + 1);
        if (e == 0)
                e = sha256(text.data, text.len, t->id);
        return e < 0 ? err_errno(err, e, "digest") : 0;
}

int toolchain_find(struct cache *cache, struct toolchain *ret, struct err *err) {
        const char *name = getenv("CLANG");
        cleanup_toolchain struct toolchain t = {};
        cleanup_buf struct buf answer = {};
        uint8_t key[SHA256_SIZE];
        int e;

        if (!name || !*name)
                name = "clang";
        t.clang = program_find(name);
        if (!t.clang)
                return err_set(err, -ENOENT, REASON_NONE,
                               "cannot run '%s': install clang (11 or newer), or set CLANG to where it is", name);
        e = program_key(t.clang, key, err);
        if (e < 0)
                return e;
        if (cache_get(cache, key, &answer) < 0) {
                e = ask(&t, &answer, err);
                if (e < 0)
                        return e;
                cache_put(cache, key, answer.data, answer.len);
        }
        e = answer_parse(answer.data, &t, err);
        if (e == 0)
                e = multiarch_find(&t, err);
        if (e == 0)
                e = toolchain_id(&t, key, err);
        if (e < 0)
                return e;
        *ret = t;
        t = (struct toolchain){};
        return 0;
}
