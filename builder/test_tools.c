/* SPDX-License-Identifier: Apache-2.0 */
#include "test_tools.h"

#include <stdio.h>

#include "path.h"

void test_tools_done(struct test_tools *t) {
        free(t->self);
        free(t->vm);
        free(t->initramfs);
        free(t->kernels);
        free(t->guest);
        free(t->lsmpull);
        *t = (struct test_tools){};
}

/* DIR/NAME as an absolute path when it is there and can be run, else NULL. */
static char *program_at(const char *dir, const char *name) {
        cleanup_free char *joined = path_join(dir, name), *path = joined ? realpath(joined, NULL) : NULL;

        return path && access(path, X_OK) == 0 ? steal_pointer(path) : NULL;
}

static bool program_in_path(const char *name) {
        const char *path = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin";
        size_t n;

        for (; *path; path += n + (path[n] == ':')) {
                cleanup_free char *dir = strndup(path, n = strcspn(path, ":")), *found = NULL;

                if (dir && n > 0 && (found = program_at(dir, name)))
                        return true;
        }
        return false;
}

/* ---- the scripts ---------------------------------------------------------------------------------------------------- */

/* guest_dir: where the guest's program is, when that is not `dir`. */
static bool parts_at(struct test_tools *t, const char *dir, const char *guest_dir) {
        t->vm = program_at(dir, "vm");
        t->initramfs = program_at(dir, "initramfs");
        t->kernels = program_at(dir, "kernels");
        t->guest = program_at(guest_dir, "lsmbundle-guest");
        if (t->vm && t->initramfs && t->kernels && t->guest)
                return true;
        free(t->vm);
        free(t->initramfs);
        free(t->kernels);
        free(t->guest);
        t->vm = t->initramfs = t->kernels = t->guest = NULL;
        return false;
}

static int parts_find(struct test_tools *t, const char *bin, struct err *err) {
        static const char *const installed[] = {"../libexec/lsmbundle", "../lib/lsmbundle"};
        const char *named = getenv("LSMBUNDLE_LIBEXEC");
        cleanup_free char *tree = NULL;

        if (named && *named)
                return parts_at(t, named, named) ? 0
                                                 : err_set(err, -ENOENT, REASON_NONE,
                                                           "LSMBUNDLE_LIBEXEC=%s: vm, initramfs, kernels and lsmbundle-guest are "
                                                           "not there",
                                                           named);
        for (size_t i = 0; i < ARRAY_SIZE(installed); i++) {
                cleanup_free char *dir = path_join(bin, installed[i]);

                if (dir && parts_at(t, dir, dir))
                        return 0;
        }
        tree = path_join(bin, "../../ci"); /* bin: build/VARIANT */
        if (tree && parts_at(t, tree, bin))
                return 0;
        return err_set(
                err, -ENOENT, REASON_NONE,
                "the scripts that boot kernels are not installed (%s/../libexec/lsmbundle): run make install, or name their "
                "folder in LSMBUNDLE_LIBEXEC",
                bin);
}

/* ---- the agent ------------------------------------------------------------------------------------------------------ */

static int lsmpull_find(struct test_tools *t, const char *named, const char *bin, struct err *err) {
        static const char *const places[] = {".", "../sbin"};

        if (named) {
                t->lsmpull = program_at(".", named);
                return t->lsmpull ? 0 : err_errno(err, -errno, "no program '%s'", named);
        }
        for (size_t i = 0; !t->lsmpull && i < ARRAY_SIZE(places); i++) {
                cleanup_free char *dir = path_join(bin, places[i]);

                t->lsmpull = dir ? program_at(dir, "lsmpull") : NULL;
        }
        return t->lsmpull ? 0
                          : err_set(err, -ENOENT, REASON_NONE,
                                    "lsmpull is not installed beside this program: name the one to test with (--lsmpull)");
}

static int machine_check(struct err *err) {
        static const struct {
                const char *program, *package;
        } needed[] = {{"qemu-system-x86_64", "qemu-system-x86, 10.0 or newer: bookworm-backports"},
                      {"bash", "bash"},
                      {"busybox", "busybox-static"},
                      {"cpio", "cpio"}};

        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                if (!program_in_path(needed[i].program))
                        return err_set(err, -ENOENT, REASON_NONE, "%s is not installed (Debian: %s). No kernel was booted",
                                       needed[i].program, needed[i].package);
        return 0;
}

int test_tools_find(const char *lsmpull, struct test_tools *ret, struct err *err) {
        cleanup_test_tools struct test_tools t = {.self = realpath("/proc/self/exe", NULL)};
        cleanup_free char *bin = t.self ? path_dir(t.self) : NULL;
        int e = bin ? parts_find(&t, bin, err) : err_errno(err, -errno, "cannot find this program itself");

        if (e == 0)
                e = lsmpull_find(&t, lsmpull, bin, err);
        if (e == 0)
                e = machine_check(err);
        if (e < 0)
                return e;
        *ret = t;
        t = (struct test_tools){};
        return 0;
}
