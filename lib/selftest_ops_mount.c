/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of operations on mounts. All of them are tried in a mount namespace of the test's own. */
#include "selftest_parts.h"

/* File systems whose mounting touches nothing but memory. */
static const char *const mountable[] = {"bind", "tmpfs", "proc", "sysfs", "bpf"};

int selftest_mount_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        const char *key, *fs;
        bool known = false;
        json_t *v;
        int r;

        if (!json_is_object(operand))
                return selftest_refused(err, "mount", "its operand is not {type, target, source}");
        json_object_foreach((json_t *)operand, key, v) {
                if (!streq(key, "type") && !streq(key, "target") && !streq(key, "source"))
                        return selftest_refused(err, "mount", "it knows type, target and, for bind, source");
        }
        r = json_get_string(operand, "type", &fs, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(mountable); i++)
                known |= streq(mountable[i], fs);
        if (!known)
                return selftest_refused(err, "mount", "'type' is one of bind, tmpfs, proc, sysfs, bpf");
        if (streq(fs, "bind") != !!json_object_get(operand, "source"))
                return selftest_refused(err, "mount", "'source' goes with type bind, and bind needs it");

        r = selftest_place_parse(json_object_get(operand, "target"), "mount, 'target'", &t->at, err);
        if (r >= 0 && streq(fs, "bind"))
                r = selftest_place_parse(json_object_get(operand, "source"), "mount, 'source'", &t->to, err);
        if (r < 0)
                return r;
        if (t->at.dir || t->to.dir)
                return selftest_refused(err, "mount", "'target' and 'source' exist, and have no slash at the end");
        t->fs = strdup(fs);
        return t->fs ? 0 : err_errno(err, -ENOMEM, "self-tests");
}

static int directory_parse(const json_t *operand, const char *word, struct selftest_place *ret, struct err *err) {
        int r = selftest_place_parse(operand, word, ret, err);

        if (r >= 0 && (ret->dir || streq(ret->path, "/")))
                return selftest_refused(err, word, "it takes a directory that exists, without a slash at the end, and not '/'");
        return r;
}

int selftest_umount_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return directory_parse(operand, selftest_op_word(t->op), &t->at, err);
}

int selftest_move_mount_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        const char *key;
        json_t *v;
        int r;

        if (!json_is_object(operand))
                return selftest_refused(err, "move-mount", "its operand is not {source, target}");
        json_object_foreach((json_t *)operand, key, v) {
                if (!streq(key, "source") && !streq(key, "target"))
                        return selftest_refused(err, "move-mount", "it knows source and target");
        }
        r = directory_parse(json_object_get(operand, "source"), "move-mount, 'source'", &t->at, err);
        if (r >= 0)
                r = directory_parse(json_object_get(operand, "target"), "move-mount, 'target'", &t->to, err);
        if (r >= 0 && streq(t->at.path, t->to.path))
                return selftest_refused(err, "move-mount", "its places are one and the same");
        return r;
}
