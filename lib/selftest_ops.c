/* SPDX-License-Identifier: Apache-2.0 */
/* What follows `do`: the operations' operands, and what each refuses because a policy that fails to deny it would do harm. */
#include <sys/mman.h>
#include <sys/stat.h>

#include "selftest_parts.h"

/* ---- words ---- */

static const struct selftest_word open_flags[] = {
        {"read", SELFTEST_O_READ},     {"write", SELFTEST_O_WRITE},       {"append", SELFTEST_O_APPEND},
        {"create", SELFTEST_O_CREATE}, {"truncate", SELFTEST_O_TRUNCATE}, {},
};
static const struct selftest_word mmap_prots[] = {{"read", PROT_READ}, {"write", PROT_WRITE}, {"exec", PROT_EXEC}, {}};

int selftest_word_value(const struct selftest_word *words, const json_t *j) {
        for (const struct selftest_word *w = words; json_is_string(j) && w->word; w++)
                if (streq(w->word, json_string_value(j)))
                        return w->value;
        return -1;
}

/* The bits of a list of words, none of them twice, at least one. */
static int bits_parse(const json_t *j, const struct selftest_word *words, const char *key, int *ret, struct err *err) {
        int bits = 0, bit;
        json_t *v;
        size_t i;

        if (!json_is_array(j) || json_array_size(j) == 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' is not a list of words", key);
        json_array_foreach(j, i, v) {
                bit = selftest_word_value(words, v);
                if (bit < 0)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' knows no '%s'", key,
                                       json_is_string(v) ? json_string_value(v) : "?");
                if (bits & bit)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' has '%s' twice", key, json_string_value(v));
                bits |= bit;
        }
        *ret = bits;
        return 0;
}

/* ---- files ---- */

static int open_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        bool writes;
        int r;

        t->flags = SELFTEST_O_READ;
        if (json_object_get(options, "flags")) {
                r = bits_parse(json_object_get(options, "flags"), open_flags, "flags", &t->flags, err);
                if (r < 0)
                        return r;
        }
        writes = t->flags & (SELFTEST_O_WRITE | SELFTEST_O_APPEND);
        if (!writes && !(t->flags & SELFTEST_O_READ))
                return selftest_refused(err, "open", "'flags' needs read, write or append");
        if (t->flags & SELFTEST_O_TRUNCATE && !writes)
                return selftest_refused(err, "open", "'truncate' needs write");
        if (t->flags & (SELFTEST_O_CREATE | SELFTEST_O_TRUNCATE))
                return selftest_place_parse_own(operand, "open with create or truncate", &t->at, err);
        return selftest_place_parse(operand, "open", &t->at, err);
}

static int read_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        const char *word = selftest_op_word(t->op);
        int r;

        t->flags = PROT_READ;
        if (json_object_get(options, "prot")) {
                r = bits_parse(json_object_get(options, "prot"), mmap_prots, "prot", &t->flags, err);
                if (r < 0)
                        return r;
        }
        r = selftest_place_parse(operand, word, &t->at, err);
        if (r < 0)
                return r;
        if (selftest_path_is_interface(t->at.path))
                return selftest_refused(err, word, "in /proc, /sys and /dev reading can act; 'open' goes there");
        return 0;
}

static int create_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return selftest_place_parse_own(operand, selftest_op_word(t->op), &t->at, err);
}

static int pair_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return selftest_places_parse_own(operand, selftest_op_word(t->op), t, err);
}

static const struct selftest_word kinds[] = {{"fifo", S_IFIFO}, {"socket", S_IFSOCK}, {"char", S_IFCHR}, {"block", S_IFBLK}, {}};

static int mknod_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        t->flags = S_IFIFO;
        if (json_object_get(options, "kind"))
                t->flags = selftest_word_value(kinds, json_object_get(options, "kind"));
        if (t->flags < 0)
                return selftest_refused(err, "mknod", "'kind' is one of fifo, socket, char, block");
        return create_parse(operand, options, t, err);
}

static int exec_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return selftest_place_parse(operand, "exec", &t->at, err);
}

/* ---- the rest ---- */

static int child_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        if (!json_is_string(operand) || !streq(json_string_value(operand), "child"))
                return selftest_refused(err, selftest_op_word(t->op), "its operand is the word child (a process of its own)");
        return 0;
}

static int signal_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        const char *word = "TERM";
        int r = child_parse(operand, options, t, err);

        if (r >= 0 && json_object_get(options, "send"))
                r = json_get_string(options, "send", &word, err);
        if (r < 0)
                return r;
        t->signal = signal_from_name(word);
        return t->signal < 0 ? selftest_refused(err, "signal", "'send' is no signal's name, such as USR1") : 0;
}

static int capability_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        t->capability = json_is_string(operand) ? capability_from_name(json_string_value(operand)) : -EINVAL;
        if (t->capability < 0)
                return selftest_refused(err, "capability", "its operand is no capability, such as CAP_SYS_ADMIN");
        if (!capability_testable(t->capability))
                return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "do capability: no harmless way to try %s is known here",
                               capability_name(t->capability));
        return 0;
}

static bool operand_is(const json_t *operand, const char *word) {
        return json_is_string(operand) && streq(json_string_value(operand), word);
}

static int bpf_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        t->command = json_is_string(operand) ? command_from_name(json_string_value(operand)) : -EINVAL;
        if (t->command < 0)
                return selftest_refused(err, "bpf", "its operand is no command of bpf(2), such as map-create or prog-load");
        return 0;
}

static int image_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        t->memory = operand_is(operand, "memory");
        if (t->memory || operand_is(operand, "file"))
                return 0;
        if (!json_is_string(operand) || *json_string_value(operand) != '/')
                return selftest_refused(err, selftest_op_word(t->op), "its operand is the word memory, the word file, or a path");
        return selftest_place_parse_own(operand, selftest_op_word(t->op), &t->at, err);
}

static int userns_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return operand_is(operand, "create") ? 0 : selftest_refused(err, "userns", "its operand is the word create");
}

static int id_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        json_int_t id = json_integer_value(operand);

        if (!json_is_integer(operand) || id < 0 || id >= UINT32_MAX)
                return selftest_refused(err, selftest_op_word(t->op), "its operand is the number of an id");
        t->id = id;
        return 0;
}

static int fork_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return json_is_true(operand) ? 0 : selftest_refused(err, "fork", "its operand is true");
}

static const struct {
        selftest_operand *parse;
        const char *option; /* the one more key it may have */
} ops[SELFTEST_OP_COUNT] = {
        [SELFTEST_OPEN] = {open_parse, "flags"},
        [SELFTEST_READ] = {read_parse},
        [SELFTEST_MMAP] = {read_parse, "prot"},
        [SELFTEST_CREATE] = {create_parse},
        [SELFTEST_UNLINK] = {create_parse},
        [SELFTEST_RENAME] = {pair_parse},
        [SELFTEST_LINK] = {pair_parse},
        [SELFTEST_SYMLINK] = {create_parse},
        [SELFTEST_MKDIR] = {create_parse},
        [SELFTEST_RMDIR] = {create_parse},
        [SELFTEST_CHMOD] = {create_parse},
        [SELFTEST_CHOWN] = {create_parse},
        [SELFTEST_TRUNCATE] = {create_parse},
        [SELFTEST_MKNOD] = {mknod_parse, "kind"},
        [SELFTEST_SETXATTR] = {create_parse},
        [SELFTEST_EXEC] = {exec_parse},
        [SELFTEST_SOCKET] = {selftest_socket_parse},
        [SELFTEST_BIND] = {selftest_bind_parse},
        [SELFTEST_CONNECT] = {selftest_connect_parse},
        [SELFTEST_LISTEN] = {selftest_listen_parse},
        [SELFTEST_ACCEPT] = {selftest_accept_parse},
        [SELFTEST_SENDMSG] = {selftest_sendmsg_parse},
        [SELFTEST_MOUNT] = {selftest_mount_parse},
        [SELFTEST_UMOUNT] = {selftest_umount_parse},
        [SELFTEST_MOVE_MOUNT] = {selftest_move_mount_parse},
        [SELFTEST_PIVOT_ROOT] = {selftest_umount_parse},
        [SELFTEST_PTRACE] = {child_parse},
        [SELFTEST_SIGNAL] = {signal_parse, "send"},
        [SELFTEST_CAPABILITY] = {capability_parse},
        [SELFTEST_BPF] = {bpf_parse},
        [SELFTEST_MODULE_LOAD] = {image_parse},
        [SELFTEST_KEXEC] = {image_parse},
        [SELFTEST_USERNS] = {userns_parse},
        [SELFTEST_SETUID] = {id_parse},
        [SELFTEST_SETGID] = {id_parse},
        [SELFTEST_FORK] = {fork_parse},
};

static int op_find(const char *word) {
        for (int op = 0; op < SELFTEST_OP_COUNT; op++)
                if (streq(selftest_op_word(op), word))
                        return op;
        return -1;
}

int selftest_op_parse(const json_t *what, struct selftest *t, struct err *err) {
        int found = -1;
        const char *key;
        json_t *v;

        json_object_foreach((json_t *)what, key, v) {
                int op = op_find(key);

                if (op >= 0 && found >= 0)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "'do' has two operations, '%s' and '%s'",
                                       selftest_op_word(found), key);
                if (op >= 0)
                        found = op;
        }
        json_object_foreach((json_t *)what, key, v) {
                if (found >= 0 && (streq(key, selftest_op_word(found)) || (ops[found].option && streq(key, ops[found].option))))
                        continue;
                if (found >= 0)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "do %s: unknown key '%s'", selftest_op_word(found), key);
                return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "'do' knows no operation '%s'", key);
        }
        if (found < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'do' names no operation");
        t->op = found;
        return ops[found].parse(json_object_get(what, selftest_op_word(found)), what, t, err);
}
