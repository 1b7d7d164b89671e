/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bundle_file.h"
#include "cmd.h"
#include "fileio.h"
#include "process.h"
#include "sign.h"
#include "test_report.h"
#include "test_run.h"

#define KERNELS_MAX 64
#define TIMEOUT 900

static const struct option_spec options[] = {
        {"kernel", 0, "V", "6.1, 6.12, latest or the path of a vmlinuz (default: the first three)", true},
        {"release", 0, "N", "of a directory: the release, instead of the one in bundle.yaml"},
        {"lsmpull", 0, "FILE", "test with this lsmpull (default: the one installed with this program)"},
        {"jobs", 'j', "N", "boot so many kernels at a time (default: one per processor)"},
        {"timeout", 0, "SECONDS", "a kernel that takes longer has failed (default: 900)"},
        {"json", 0, NULL, "print it as JSON"},
};

static unsigned processors(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* As `lsmbundle build` does it, in a process of its own; what is wrong with the sources it says itself. */
static int build(const struct args *args, const struct test_tools *tools, const char *output, int *ret_code, struct err *err) {
        const char *release = args_get(args, "release");
        const char *argv[] = {tools->self, "build", "-o", output, args->operands[0], release ? "--release" : NULL, release, NULL};
        cleanup_process struct process p = {.argv = argv};
        int e = process_run(&p, err);

        if (e < 0)
                return e;
        if (p.err.len)
                fwrite(p.err.data, 1, p.err.len, stderr);
        *ret_code = WIFEXITED(p.status) ? WEXITSTATUS(p.status) : 1;
        return 0;
}

/* A copy that is signed by a key of our own, too: whose signatures a node wants is not what is tested. */
static int sign_copy(struct bundle_file *file, const struct privkey *key, const char *path, struct err *err) {
        cleanup_fd int fd = memfd_create("bundle", MFD_CLOEXEC);
        bool unchanged;
        int e = fd < 0 ? err_errno(err, -errno, "cannot make a memory file") : 0;

        /* An unsigned bundle has room for ours; of one that is full of signatures, none is needed here. */
        if (e == 0 && file->env.n_sigs >= SIGNATURES_MAX)
                file->env.n_sigs--;
        if (e == 0)
                e = envelope_sign(&file->env, key, err);
        if (e == 0 && lseek(file->fd, 0, SEEK_SET) < 0)
                e = err_errno(err, -errno, "cannot read it again");
        if (e == 0)
                e = bundle_replace_manifest(file->fd, fd, &file->env, err);
        return e < 0 ? e : file_publish(fd, path, 0644, &unchanged, err);
}

static int key_make(const struct tmpdir *dir, struct privkey **ret, struct err *err) {
        cleanup_buf struct buf pem = {};
        int e = privkey_generate(ret, err);

        if (e == 0)
                e = pubkey_pem(privkey_public(*ret), &pem, err);
        return e < 0 ? e : file_create(dir->fd, "key.pub", 0644, pem.data, pem.len, err);
}

static int print(const struct args *args, const struct manifest *m, const struct test_result *results, size_t n,
                 struct err *err) {
        cleanup_buf struct buf text = {};
        cleanup_json json_t *json = NULL;

        if (args_has(args, "json")) {
                json = test_report_json(m, results, n);
                if (!json)
                        return err_errno(err, -ENOMEM, "JSON");
                json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
                printf("\n");
                return 0;
        }
        if (test_report_text(m, results, n, &text) < 0)
                return err_errno(err, -ENOMEM, "text");
        fwrite(text.data, 1, text.len, stdout);
        return 0;
}

/* What weighs most decides: a kernel on which the bundle failed, a refusal, then what else went wrong. */
static int judge(const struct test_result *results, size_t n, struct err *err) {
        static const int weights[] = {4, 3, 1, 2};
        const struct test_result *worst = NULL;
        char message[sizeof(worst->message)];
        size_t failed = 0;

        for (size_t i = 0; i < n; i++)
                failed += results[i].code != 0;
        for (size_t w = 0; !worst && w < ARRAY_SIZE(weights); w++)
                for (size_t i = 0; !worst && i < n; i++)
                        if (results[i].code == weights[w])
                                worst = &results[i];
        if (!worst)
                return 0;
        snprintf(message, sizeof(message), "%s", worst->message);
        for (char *c = message; (c = strchr(c, '\n'));)
                *c = ' ';
        return err_set(err, -EBADMSG, worst->reason, "on %zu of %zu kernel%s, first %s: %s", failed, n, n == 1 ? "" : "s",
                       worst->kernel[0] ? worst->kernel : worst->asked, message);
}

static int test(const struct args *args, const struct test_run *run, const struct manifest *m, struct err *err) {
        size_t n = run->kernels->n;
        cleanup_free struct test_result *results = new_array(n, sizeof(*results));
        int e = results ? test_run(run, results, err) : err_errno(err, -ENOMEM, "results");

        if (e == 0)
                e = print(args, m, results, n, err);
        if (e == 0)
                e = judge(results, n, err);
        for (size_t i = 0; results && i < n; i++)
                test_result_done(&results[i]);
        return e;
}

static int kernels_of(const struct args *args, const struct test_tools *tools, struct test_kernels *ret, struct err *err) {
        const char *names[KERNELS_MAX] = {"6.1", "6.12", "latest"};
        size_t n = 0;

        for (const char *name; n < KERNELS_MAX && (name = args_nth(args, "kernel", n)); n++)
                names[n] = name;
        return test_kernels_find(tools, names, n ?: 3, ret, err);
}

/* *ret_code: the exit code of a build that did not succeed, which has been reported. */
static int prepare_and_test(const struct args *args, struct test_run *run, int *ret_code, struct err *err) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup_free char *built = NULL, *signed_copy = NULL, *pub = NULL;
        cleanup_privkey struct privkey *key = NULL;
        const char *path = args->operands[0];
        struct stat st;
        int e = 0;

        if (asprintf(&built, "%s/built.tar.zst", run->dir->path) < 0 ||
            asprintf(&signed_copy, "%s/bundle.tar.zst", run->dir->path) < 0 || asprintf(&pub, "%s/key.pub", run->dir->path) < 0)
                return err_errno(err, -ENOMEM, "names");
        if (stat(path, &st) < 0)
                return err_errno(err, -errno, "cannot look at it");
        if (S_ISDIR(st.st_mode)) {
                e = build(args, run->tools, built, ret_code, err);
                if (e < 0 || *ret_code != 0)
                        return e;
                path = built;
        }
        file.check_only = true;
        e = bundle_file_load(path, NULL, 0, &file, err);
        if (e == 0)
                e = key_make(run->dir, &key, err);
        if (e == 0)
                e = sign_copy(&file, key, signed_copy, err);
        run->bundle = signed_copy;
        run->key = pub;
        return e < 0 ? e : test(args, run, file.manifest, err);
}

static int run(const struct args *args) {
        cleanup_test_tools struct test_tools tools = {};
        cleanup_test_kernels struct test_kernels kernels = {};
        cleanup_tmpdir struct tmpdir dir = TMPDIR_INIT;
        uint64_t jobs = processors(), timeout = TIMEOUT, release;
        struct err err = {};
        int e, code = 0;

        if (args_number(args, "jobs", 1, 64, &jobs) < 0 || args_number(args, "timeout", 1, 86400, &timeout) < 0 ||
            args_number(args, "release", 1, JSON_INT_MAX, &release) < 0)
                return reason_exit_code(REASON_USAGE);
        e = test_tools_find(args_get(args, "lsmpull"), &tools, &err);
        if (e == 0)
                e = kernels_of(args, &tools, &kernels, &err);
        if (e == 0)
                e = tmpdir_make(&dir, &err);
        if (e == 0) {
                struct test_run r = {
                        .tools = &tools, .dir = &dir, .kernels = &kernels, .jobs = (unsigned)jobs, .timeout = (unsigned)timeout};

                e = prepare_and_test(args, &r, &code, &err);
        }
        return e < 0 ? output_end(report_error(args->operands[0], &err, e)) : output_end(code);
}

const struct command cmd_test = {
        .name = "test",
        .operands = "FILE|DIR",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "try a bundle on real kernels, in virtual machines",
        .details = "Boots each kernel in QEMU, installs the bundle with lsmpull, which runs its self-tests, and then\n"
                   "measures what each hook costs while an ordinary process works. A directory is built first.\n"
                   "Signatures are not checked: a copy of the bundle is signed with a key made for the test.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
