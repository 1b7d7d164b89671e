/* SPDX-License-Identifier: Apache-2.0 */
/* Checks: what stands on this node's LSM hooks, ours and others', and how much room is left. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "bpffs.h"
#include "doctor.h"
#include "hooks.h"
#include "text.h"

#define SHOWN_MAX 8 /* programs of others, by name */

/* What policies are most often written for; the hooks of what is installed come on top. */
static const char *const common_hooks[] = {
        "file_open",    "bprm_check_security", "socket_create",   "socket_connect",      "inode_unlink",
        "inode_rename", "path_rename",         "capable",         "ptrace_access_check", "sb_mount",
        "bpf",          "kernel_read_file",    "task_fix_setuid",
};

struct survey {
        struct btf *btf;
        uint32_t *ours; /* ids of the links that are pinned as ours */
        size_t n_ours;
        char **hooks;
        size_t n_hooks;
        struct buf others;
        size_t n_others;
};

static void survey_done(struct survey *s) {
        free(s->ours);
        strings_free(s->hooks, s->n_hooks);
        buf_done(&s->others);
        kernel_btf_free(s->btf);
}

static void hook_want(struct survey *s, const char *name) {
        char **more;

        for (size_t i = 0; i < s->n_hooks; i++)
                if (streq(s->hooks[i], name))
                        return;
        more = reallocarray(s->hooks, s->n_hooks + 1, sizeof(*more));
        if (!more)
                return;
        s->hooks = more;
        more[s->n_hooks] = strdup(name);
        s->n_hooks += more[s->n_hooks] != NULL;
}

static void link_ours(struct survey *s, const char *path) {
        cleanup_fd int fd = pin_get(path);
        struct bpf_link_info info = {0};
        uint32_t len = sizeof(info), *more;

        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return;
        more = reallocarray(s->ours, s->n_ours + 1, sizeof(*more));
        if (!more)
                return;
        s->ours = more;
        more[s->n_ours++] = info.id;
}

/* The hooks of what is installed, and the dispatchers on them. */
static void pins_survey(struct survey *s, const char *bpffs) {
        char path[PATH_MAX], **bundles = NULL, **hooks = NULL;
        size_t n_bundles = 0, n_hooks;

        if (pin_path(path, "%s/lsmpull/bundle", bpffs) < 0 || pin_list(path, &bundles, &n_bundles, NULL) < 0)
                return;
        for (size_t i = 0; i < n_bundles; i++) {
                if (pin_path(path, "%s/lsmpull/bundle/%s/hook", bpffs, bundles[i]) < 0 ||
                    pin_list(path, &hooks, &n_hooks, NULL) < 0)
                        continue;
                for (size_t j = 0; j < n_hooks; j++) {
                        hook_want(s, hooks[j]);
                        if (pin_path(path, "%s/lsmpull/bundle/%s/hook/%s/link", bpffs, bundles[i], hooks[j]) >= 0)
                                link_ours(s, path);
                }
                strings_free(hooks, n_hooks);
        }
        strings_free(bundles, n_bundles);
}

static bool is_ours(const struct survey *s, uint32_t id) {
        for (size_t i = 0; i < s->n_ours; i++)
                if (s->ours[i] == id)
                        return true;
        return false;
}

/* ---- others -------------------------------------------------------------------------------------------------------- */

static const char *hook_name(const struct survey *s, uint32_t btf_id) {
        const struct btf_type *t = s->btf && btf_id ? btf__type_by_id(s->btf, btf_id) : NULL;
        const char *name = t ? btf__name_by_offset(s->btf, t->name_off) : NULL;

        if (!name)
                return "?";
        return strncmp(name, "bpf_lsm_", 8) == 0 ? name + 8 : name;
}

static void other_add(struct survey *s, const struct bpf_link_info *link, uint32_t hook) {
        cleanup_fd int fd = bpf_prog_get_fd_by_id(link->prog_id);
        struct bpf_prog_info prog = {0};
        uint32_t len = sizeof(prog);
        char name[BPF_OBJ_NAME_LEN + 1] = "?";

        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &prog, &len) == 0 && prog.name[0]) {
                snprintf(name, sizeof(name), "%.*s", BPF_OBJ_NAME_LEN, prog.name);
                text_clean(name, sizeof(name), name);
        }
        if (++s->n_others <= SHOWN_MAX)
                buf_printf(&s->others, "%s%s (id %u) on %s", s->others.len ? ", " : "", name, link->prog_id,
                           hook_name(s, hook ? hook : prog.attach_btf_id));
}

static int links_survey(struct survey *s) {
        uint32_t id = 0;

        while (bpf_link_get_next_id(id, &id) == 0) {
                struct bpf_link_info info = {0};
                uint32_t len = sizeof(info);
                cleanup_fd int fd = bpf_link_get_fd_by_id(id);

                if (fd < 0 && errno != ENOENT)
                        return -errno;
                if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || is_ours(s, id))
                        continue;
                if (info.type == BPF_LINK_TYPE_TRACING && info.tracing.attach_type == BPF_LSM_MAC) {
                        other_add(s, &info, info.tracing.target_btf_id);
                        hook_want(s, hook_name(s, info.tracing.target_btf_id));
                } else if (info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.attach_type == BPF_LSM_CGROUP)
                        other_add(s, &info, 0);
        }
        return errno == ENOENT ? 0 : -errno;
}

static void others_report(struct doctor *d, const struct survey *s, int r) {
        if (r < 0)
                doctor_found(d, "other-programs", FINDING_WARN, "run this as root", "cannot be listed: %s", strerror(-r));
        else if (s->n_others == 0)
                doctor_found(d, "other-programs", FINDING_OK, NULL, "no BPF LSM program of anybody else");
        else
                doctor_found(d, "other-programs", FINDING_OK, NULL,
                             "BPF LSM programs of others, which can deny on their own: %zu: %s%s", s->n_others, s->others.data,
                             s->n_others > SHOWN_MAX ? ", ..." : "");
}

/* ---- room ---------------------------------------------------------------------------------------------------------- */

static void room_report(struct doctor *d, const struct survey *s) {
        cleanup_buf struct buf taken = {0}, tight = {0};
        struct err err = {0};
        size_t looked = 0;

        for (size_t i = 0; i < s->n_hooks; i++) {
                struct hook hook;
                int n;

                if (hook_find(s->btf, s->hooks[i], &hook, NULL) < 0)
                        continue;
                n = hook_programs_count(hook.btf_id, &err);
                if (n < 0) {
                        doctor_found(d, "program-slots", FINDING_FAIL, "run this as root", "%s", err.msg);
                        return;
                }
                looked++;
                if (n > 0)
                        buf_printf(&taken, "%s%s %d", taken.len ? ", " : "", hook.name, n);
                if (n + 1 + HOOK_PROGRAMS_RESERVE > HOOK_PROGRAMS_MAX)
                        buf_printf(&tight, "%s%s (%d of %d taken)", tight.len ? ", " : "", hook.name, n, HOOK_PROGRAMS_MAX);
        }
        if (tight.len)
                doctor_found(d, "program-slots", FINDING_WARN, "detach what is not needed of other-programs",
                             "no room for another bundle (and %d in reserve) on %s", HOOK_PROGRAMS_RESERVE, tight.data);
        else
                doctor_found(d, "program-slots", FINDING_OK, NULL, "%d on each of %zu hooks; taken: %s", HOOK_PROGRAMS_MAX,
                             looked, taken.len ? taken.data : "none");
}

void check_hooks(struct doctor *d) {
        cleanup(survey_done) struct survey s = {.btf = kernel_btf_load(NULL)};
        int r;

        pins_survey(&s, d->config->bpffs_dir);
        for (size_t i = 0; i < ARRAY_SIZE(common_hooks); i++)
                hook_want(&s, common_hooks[i]);
        r = links_survey(&s);
        if (s.btf)
                room_report(d, &s);
        others_report(d, &s, r);
}
