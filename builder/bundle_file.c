/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_file.h"

#include <fcntl.h>

void bundle_file_done(struct bundle_file *f) {
        for (size_t i = 0; f->manifest && f->members && i < f->manifest->n_members; i++)
                buf_done(&f->members[i]);
        free(f->members);
        envelope_done(&f->env);
        manifest_free(f->manifest);
        close_p(&f->fd);
        *f = (struct bundle_file)BUNDLE_FILE_INIT;
}

/* The reader's own envelope and manifest live no longer than the pass. */
static int on_manifest(void *ctx, const struct envelope *env, const struct manifest *m, struct err *err) {
        struct bundle_file *f = ctx;
        int e = buf_append(&f->env.bytes, env->bytes.data, env->bytes.len);

        if (e < 0)
                return err_errno(err, e, "manifest");
        f->env.sigs = new_array(env->n_sigs, sizeof(*f->env.sigs));
        f->members = new_array(m->n_members, sizeof(*f->members));
        if (!f->env.sigs || !f->members)
                return err_errno(err, -ENOMEM, "manifest");
        if (env->n_sigs > 0)
                memcpy(f->env.sigs, env->sigs, env->n_sigs * sizeof(*env->sigs));
        f->env.n_sigs = env->n_sigs;
        return manifest_parse(f->env.bytes.data, f->env.bytes.len, &f->manifest, err);
}

static int on_data(void *ctx, size_t index, const void *p, size_t n, struct err *err) {
        struct bundle_file *f = ctx;
        int e;

        if (f->check_only || strncmp(f->manifest->members[index].path, "objects/", 8) == 0)
                return 0;
        e = buf_append(&f->members[index], p, n);
        return e < 0 ? err_errno(err, e, "'%s'", f->manifest->members[index].path) : 0;
}

int bundle_file_load_fd(int fd, const struct keyring *ring, size_t threshold, struct bundle_file *ret, struct err *err) {
        struct bundle_sink sink = {.ctx = ret, .manifest = on_manifest, .data = on_data};
        struct bundle_trust trust = {ring, threshold};

        ret->fd = fd;
        return bundle_read_fd(ret->fd, &trust, NULL, &sink, &ret->report, err);
}

int bundle_file_load(const char *path, const struct keyring *ring, size_t threshold, struct bundle_file *ret, struct err *err) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? err_errno(err, -errno, "cannot open") : bundle_file_load_fd(fd, ring, threshold, ret, err);
}
