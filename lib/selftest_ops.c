/* SPDX-License-Identifier: Apache-2.0 */
/* What follows `do`: the operations' operands, and what each refuses because a policy that fails to deny it would do harm. */
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "selftest_place.h"

/* ---- words ---- */

struct word {
        const char *word;
        int value;
};

static const struct word families[] = {
        {"inet", AF_INET}, {"inet6", AF_INET6}, {"unix", AF_UNIX}, {"packet", AF_PACKET}, {"netlink", AF_NETLINK}, {},
};
static const struct word types[] = {
        {"stream", SOCK_STREAM}, {"dgram", SOCK_DGRAM}, {"raw", SOCK_RAW}, {"seqpacket", SOCK_SEQPACKET}, {},
};
static const struct word protocols[] = {
        {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {},
};
static const struct word open_flags[] = {
        {"read", SELFTEST_O_READ},     {"write", SELFTEST_O_WRITE},       {"append", SELFTEST_O_APPEND},
        {"create", SELFTEST_O_CREATE}, {"truncate", SELFTEST_O_TRUNCATE}, {},
};
static const struct word mmap_prots[] = {{"read", PROT_READ}, {"write", PROT_WRITE}, {"exec", PROT_EXEC}, {}};

/* -1: not in the list, or not even a string. */
static int word_value(const struct word *words, const json_t *j) {
        for (const struct word *w = words; json_is_string(j) && w->word; w++)
                if (streq(w->word, json_string_value(j)))
                        return w->value;
        return -1;
}

static const char *value_word(const struct word *words, int value) {
        for (const struct word *w = words; w->word; w++)
                if (w->value == value)
                        return w->word;
        return "?";
}

const char *selftest_family_word(int family) {
        return value_word(families, family);
}

const char *selftest_type_word(int type) {
        return value_word(types, type);
}

/* The bits of a list of words, none of them twice, at least one. */
static int bits_parse(const json_t *j, const struct word *words, const char *key, int *ret, struct err *err) {
        int bits = 0, bit;
        json_t *v;
        size_t i;

        if (!json_is_array(j) || json_array_size(j) == 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' is not a list of words", key);
        json_array_foreach(j, i, v) {
                bit = word_value(words, v);
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
                return selftest_place_parse_fresh(operand, "open with create or truncate", &t->at, err);
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
        return selftest_place_parse_fresh(operand, selftest_op_word(t->op), &t->at, err);
}

static int rename_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        int r;

        if (!json_is_array(operand) || json_array_size(operand) != 2)
                return selftest_refused(err, "rename", "its operand is not [FROM, TO]");
        r = selftest_place_parse_fresh(json_array_get(operand, 0), "rename", &t->at, err);
        if (r < 0)
                return r;
        return selftest_place_parse_fresh(json_array_get(operand, 1), "rename", &t->to, err);
}

static int exec_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return selftest_place_parse(operand, "exec", &t->at, err);
}

/* File systems whose mounting touches nothing but memory. */
static const char *const mountable[] = {"bind", "tmpfs", "proc", "sysfs", "bpf"};

static int mount_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
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

/* ---- sockets ---- */

static int protocol_parse(const json_t *j, int *ret) {
        if (json_is_integer(j) && json_integer_value(j) >= 0 && json_integer_value(j) <= UINT16_MAX)
                *ret = json_integer_value(j);
        else
                *ret = word_value(protocols, j);
        return *ret < 0 ? -EBADMSG : 0;
}

static int socket_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        size_t n = json_array_size(operand); /* 0 for what is no array */

        if (n < 2 || n > 3)
                return selftest_refused(err, "socket", "its operand is not [FAMILY, TYPE] or [FAMILY, TYPE, PROTOCOL]");
        t->family = word_value(families, json_array_get(operand, 0));
        if (t->family < 0) /* a list, because the kernel loads modules for families that it does not know */
                return selftest_refused(err, "socket", "the family is one of inet, inet6, unix, packet, netlink");
        t->type = word_value(types, json_array_get(operand, 1));
        if (t->type < 0)
                return selftest_refused(err, "socket", "the type is one of stream, dgram, raw, seqpacket");
        /* Without a protocol there is no raw IP socket, and "not denied" would look like EPROTONOSUPPORT. */
        if (t->type == SOCK_RAW && t->family == AF_INET)
                t->protocol = IPPROTO_ICMP;
        else if (t->type == SOCK_RAW && t->family == AF_INET6)
                t->protocol = IPPROTO_ICMPV6;
        if (n == 3 && protocol_parse(json_array_get(operand, 2), &t->protocol) < 0)
                return selftest_refused(err, "socket", "the protocol is one of icmp, icmpv6, tcp, udp, or a number up to 65535");
        return 0;
}

static bool address_is_loopback(const struct selftest *t) {
        return t->family == AF_INET ? ntohl(t->addr.in.sin_addr.s_addr) >> 24 == 127
                                    : IN6_IS_ADDR_LOOPBACK(&t->addr.in6.sin6_addr);
}

static int address_parse(const json_t *operand, struct selftest *t, struct err *err) {
        bool v4 = t->family == AF_INET;
        const char *text = v4 ? "127.0.0.1" : "::1";
        long long port = t->type == SOCK_DGRAM ? 9 : 0; /* discard */
        int r;

        if (json_object_get(operand, "address")) {
                r = json_get_string(operand, "address", &text, err);
                if (r < 0)
                        return r;
        }
        if (json_object_get(operand, "port")) {
                r = json_get_int(operand, "port", 1, UINT16_MAX, &port, err);
                if (r < 0)
                        return r;
        }
        t->addr.any.sa_family = t->family;
        if (inet_pton(t->family, text, v4 ? (void *)&t->addr.in.sin_addr : (void *)&t->addr.in6.sin6_addr) != 1)
                return selftest_refused(err, "connect", "'address' is no address of its family");
        if (v4)
                t->addr.in.sin_port = htons(port);
        else
                t->addr.in6.sin6_port = htons(port);
        if (t->type == SOCK_STREAM && !address_is_loopback(t))
                return selftest_refused(err, "connect",
                                        "a stream would reach a real server: use a loopback address, or dgram, "
                                        "which sends nothing when it connects");
        if (v4 && t->addr.in.sin_addr.s_addr == INADDR_BROADCAST)
                return selftest_refused(err, "connect", "the kernel itself denies 255.255.255.255 (EACCES)");
        return 0;
}

static int connect_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        const char *key;
        json_t *v;

        if (!json_is_object(operand))
                return selftest_refused(err, "connect", "its operand is not {family, type, address, port}");
        json_object_foreach((json_t *)operand, key, v) {
                if (!streq(key, "family") && !streq(key, "type") && !streq(key, "address") && !streq(key, "port"))
                        return selftest_refused(err, "connect", "it knows family, type, address and port");
        }
        t->family = word_value(families, json_object_get(operand, "family"));
        if (t->family != AF_INET && t->family != AF_INET6 && t->family != AF_UNIX)
                return selftest_refused(err, "connect", "'family' is one of inet, inet6, unix");
        t->type = SOCK_STREAM;
        if (json_object_get(operand, "type"))
                t->type = word_value(types, json_object_get(operand, "type"));
        if (t->type != SOCK_STREAM && t->type != SOCK_DGRAM)
                return selftest_refused(err, "connect", "'type' is stream or dgram");
        if (t->family != AF_UNIX)
                return address_parse(operand, t, err);
        if (json_object_get(operand, "address") || json_object_get(operand, "port"))
                return selftest_refused(err, "connect", "a unix socket is one that the agent makes: no address, no port");
        return 0;
}

/* ---- the rest ---- */

static int child_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        if (!json_is_string(operand) || !streq(json_string_value(operand), "child"))
                return selftest_refused(err, selftest_op_word(t->op), "its operand is the word child (a process of its own)");
        return 0;
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

static int bpf_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        if (!json_is_string(operand) || !streq(json_string_value(operand), "map-create"))
                return selftest_refused(err, "bpf", "its operand is the word map-create");
        return 0;
}

static int fork_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return json_is_true(operand) ? 0 : selftest_refused(err, "fork", "its operand is true");
}

static const struct {
        int (*parse)(const json_t *operand, const json_t *options, struct selftest *t, struct err *err);
        const char *option; /* the one more key it may have */
} ops[SELFTEST_OP_COUNT] = {
        [SELFTEST_OPEN] = {open_parse, "flags"},
        [SELFTEST_READ] = {read_parse},
        [SELFTEST_MMAP] = {read_parse, "prot"},
        [SELFTEST_CREATE] = {create_parse},
        [SELFTEST_UNLINK] = {create_parse},
        [SELFTEST_RENAME] = {rename_parse},
        [SELFTEST_MKDIR] = {create_parse},
        [SELFTEST_EXEC] = {exec_parse},
        [SELFTEST_SOCKET] = {socket_parse},
        [SELFTEST_CONNECT] = {connect_parse},
        [SELFTEST_MOUNT] = {mount_parse},
        [SELFTEST_PTRACE] = {child_parse},
        [SELFTEST_SIGNAL] = {child_parse},
        [SELFTEST_CAPABILITY] = {capability_parse},
        [SELFTEST_BPF] = {bpf_parse},
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
