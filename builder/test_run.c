/* SPDX-License-Identifier: Apache-2.0 */
#include "test_run.h"

#include <stdio.h>
#include <sys/wait.h>

#include "process.h"
#include "progress.h"
#include "strv.h"

static const char *const known[] = {"6.1", "6.12", "latest"};

void test_kernels_done(struct test_kernels *k) {
        for (size_t i = 0; i < k->n; i++) {
                free(k->v[i].name);
                free(k->v[i].image);
        }
        free(k->v);
        *k = (struct test_kernels){};
}

static bool is_known(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(known[i], name))
                        return true;
        return false;
}

/* Without what ends it. */
static const char *trimmed(struct buf *text) {
        while (text->len > 0 && text->data[text->len - 1] == '\n')
                text->data[--text->len] = '\0';
        return text->data ?: "";
}

/* The path in the line "NAME VERSION PATH" of ci/kernels; NULL: there is no such line. */
static char *image_in(const char *list, const char *name) {
        size_t n = strlen(name);

        for (const char *line = list; line; line = strchr(line, '\n')) {
                const char *path;

                line += *line == '\n';
                if (strncmp(line, name, n) != 0 || line[n] != ' ' || !(path = strchr(line + n + 1, ' ')))
                        continue;
                return strndup(path + 1, strcspn(path + 1, "\n"));
        }
        return NULL;
}

static int kernels_ask(const struct test_tools *tools, const char *const *names, size_t n, struct process *p, struct err *err) {
        cleanup_strv struct strv argv = {};
        int e = strv_add(&argv, tools->kernels);

        for (size_t i = 0; e == 0 && i < n; i++)
                if (is_known(names[i]))
                        e = strv_add(&argv, "--only") < 0 ? -ENOMEM : strv_add(&argv, names[i]);
        if (e < 0)
                return err_errno(err, e, "kernels");
        if (argv.n == 1)
                return 0;
        p->argv = (const char *const *)argv.v;
        e = process_run(p, err);
        p->argv = NULL;
        return e;
}

int test_kernels_find(const struct test_tools *tools, const char *const *names, size_t n, struct test_kernels *ret,
                      struct err *err) {
        cleanup_test_kernels struct test_kernels k = {.v = new_array(n, sizeof(*k.v))};
        cleanup_process struct process p = {};
        int e;

        for (size_t i = 0; i < n; i++)
                if (!is_known(names[i]) && !strchr(names[i], '/'))
                        return err_set(err, -EINVAL, REASON_USAGE,
                                       "kernel '%s': 6.1, 6.12, latest, or the path of a vmlinuz (with a '/')", names[i]);
        e = k.v ? kernels_ask(tools, names, n, &p, err) : err_errno(err, -ENOMEM, "kernels");
        for (size_t i = 0; e == 0 && i < n; i++) {
                struct test_kernel *one = &k.v[k.n++];

                one->name = strdup(names[i]);
                one->image = is_known(names[i]) ? image_in(p.out.data ?: "", names[i]) : realpath(names[i], NULL);
                if (!one->name || !one->image)
                        e = err_set(err, -ENOENT, REASON_NONE, "no kernel '%s'%s%s", names[i],
                                    is_known(names[i]) && p.err.len ? ": " : "", is_known(names[i]) ? trimmed(&p.err) : "");
        }
        if (e < 0)
                return e;
        *ret = k;
        k = (struct test_kernels){};
        return 0;
}

/* ---- guests ------------------------------------------------------------------------------------------------------------ */

/* OPTION SOURCE:PLACE */
static int part_add(struct strv *argv, const char *option, const char *source, const char *place) {
        return strv_add(argv, option) < 0 ? -ENOMEM : strv_addf(argv, "%s:%s", source, place);
}

static int initramfs_make(const struct test_run *run, const char *image, struct err *err) {
        cleanup_strv struct strv argv = {};
        cleanup_process struct process p = {};
        int e = strv_add(&argv, run->tools->initramfs);

        if (e == 0)
                e = strv_add(&argv, image);
        if (e == 0)
                e = part_add(&argv, "--prog", run->tools->guest, "/test/run");
        if (e == 0)
                e = part_add(&argv, "--prog", run->tools->lsmpull, "/usr/sbin/lsmpull");
        if (e == 0)
                e = part_add(&argv, "--file", run->bundle, "/test/bundle.tar.zst");
        if (e == 0)
                e = part_add(&argv, "--file", run->key, "/test/key.pub");
        if (e < 0)
                return err_errno(err, e, "initramfs");
        p.argv = (const char *const *)argv.v;
        e = process_run(&p, err);
        if (e == 0 && !process_ok(&p))
                e = err_set(err, -EIO, REASON_NONE, "the guest cannot be packed: %s", trimmed(&p.err));
        return e;
}

/* One processor on which a nanosecond is an instruction: what measures, and finds the same each time. */
static int guest_add(const struct test_run *run, size_t i, const char *image, struct strv *argv) {
        int e = strv_add(argv, run->tools->vm);

        if (e == 0)
                e = strv_add(argv, "--icount");
        if (e == 0)
                e = strv_add(argv, "--kernel");
        if (e == 0)
                e = strv_add(argv, run->kernels->v[i].image);
        if (e == 0)
                e = strv_add(argv, "--timeout");
        if (e == 0)
                e = strv_addf(argv, "%u", run->timeout);
        return e < 0 ? e : strv_add(argv, image);
}

static int guests_run(const struct test_run *run, const char *image, struct process *p, struct strv *argv,
                      struct test_result *results, struct err *err) {
        size_t n = run->kernels->n;
        int e = 0;

        for (size_t i = 0; e == 0 && i < n; i++) {
                e = guest_add(run, i, image, &argv[i]);
                p[i].argv = (const char *const *)argv[i].v;
        }
        if (e < 0)
                return err_errno(err, e, "guests");
        progress_show((void *)"kernels tried:", 0, n);
        e = processes_run(p, n, run->jobs, progress_show, (void *)"kernels tried:", err);
        progress_end();
        for (size_t i = 0; e == 0 && i < n; i++) {
                int status = WIFEXITED(p[i].status) ? WEXITSTATUS(p[i].status) : 128 + WTERMSIG(p[i].status);

                results[i].asked = run->kernels->v[i].name;
                if (test_result_read(&results[i], &p[i].out, status, &p[i].err) < 0)
                        e = err_errno(err, -ENOMEM, "kernel '%s'", results[i].asked);
        }
        return e;
}

int test_run(const struct test_run *run, struct test_result *results, struct err *err) {
        cleanup_free struct process *p = new_array(run->kernels->n, sizeof(*p));
        cleanup_free struct strv *argv = new_array(run->kernels->n, sizeof(*argv));
        cleanup_free char *image = NULL;
        int e;

        if (!p || !argv || asprintf(&image, "%s/guest.cpio", run->dir->path) < 0) {
                image = NULL;
                return err_errno(err, -ENOMEM, "guests");
        }
        e = initramfs_make(run, image, err);
        if (e == 0)
                e = guests_run(run, image, p, argv, results, err);
        for (size_t i = 0; i < run->kernels->n; i++) {
                process_done(&p[i]);
                strv_done(&argv[i]);
        }
        return e;
}
