/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of operations on sockets. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "selftest_parts.h"

static const struct selftest_word families[] = {
        {"inet", AF_INET}, {"inet6", AF_INET6}, {"unix", AF_UNIX}, {"packet", AF_PACKET}, {"netlink", AF_NETLINK}, {},
};
static const struct selftest_word types[] = {
        {"stream", SOCK_STREAM}, {"dgram", SOCK_DGRAM}, {"raw", SOCK_RAW}, {"seqpacket", SOCK_SEQPACKET}, {},
};
static const struct selftest_word protocols[] = {
        {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {},
};

static const char *value_word(const struct selftest_word *words, int value) {
        for (const struct selftest_word *w = words; w->word; w++)
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

static int protocol_parse(const json_t *j, int *ret) {
        if (json_is_integer(j) && json_integer_value(j) >= 0 && json_integer_value(j) <= UINT16_MAX)
                *ret = json_integer_value(j);
        else
                *ret = selftest_word_value(protocols, j);
        return *ret < 0 ? -EBADMSG : 0;
}

int selftest_socket_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        size_t n = json_array_size(operand); /* 0 for what is no array */

        if (n < 2 || n > 3)
                return selftest_refused(err, "socket", "its operand is not [FAMILY, TYPE] or [FAMILY, TYPE, PROTOCOL]");
        t->family = selftest_word_value(families, json_array_get(operand, 0));
        if (t->family < 0) /* a list, because the kernel loads modules for families that it does not know */
                return selftest_refused(err, "socket", "the family is one of inet, inet6, unix, packet, netlink");
        t->type = selftest_word_value(types, json_array_get(operand, 1));
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

static int address_parse(const json_t *operand, long long port, struct selftest *t, struct err *err) {
        const char *text = t->family == AF_INET ? "127.0.0.1" : "::1", *word = selftest_op_word(t->op);
        bool v4 = t->family == AF_INET;
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
                return selftest_refused(err, word, "'address' is no address of its family");
        if (v4)
                t->addr.in.sin_port = htons(port);
        else
                t->addr.in6.sin6_port = htons(port);
        if (v4 && t->addr.in.sin_addr.s_addr == INADDR_BROADCAST)
                return selftest_refused(err, word, "the kernel itself denies 255.255.255.255 (EACCES)");
        return 0;
}

/* Nothing: an address of the probe's choice. "@name": an abstract one. Else a place for the socket's file, which is made for this. */
static int unix_parse(const json_t *address, const char *word, struct selftest *t, struct err *err) {
        const char *text = json_string_value(address);
        size_t n;
        int r;

        t->addr.un.sun_family = AF_UNIX;
        if (!address)
                return 0;
        if (!text || (*text != '@' && *text != '/'))
                return selftest_refused(err, word, "'address' of a unix socket is a path, or '@' and a name");
        n = strlen(text);
        if (n < 2 || n >= sizeof(t->addr.un.sun_path))
                return selftest_refused(err, word, "'address' of a unix socket has 2 to 107 bytes");
        if (*text == '@') {
                memcpy(t->addr.un.sun_path + 1, text + 1, n - 1);
                return 0;
        }
        r = selftest_place_parse_own(address, word, &t->at, err);
        if (r < 0)
                return r;
        if (t->at.dir && n + SELFTEST_FRESH_MAX >= sizeof(t->addr.un.sun_path))
                return selftest_refused(err, word, "'address' of a unix socket leaves no room for a fresh name");
        return 0;
}

/* {family, type, address, port} */
static int endpoint_parse(const json_t *operand, int type, long long port, struct selftest *t, struct err *err) {
        const char *key, *word = selftest_op_word(t->op);
        json_t *v;

        if (!json_is_object(operand))
                return selftest_refused(err, word, "its operand is not {family, type, address, port}");
        json_object_foreach((json_t *)operand, key, v) {
                if (!streq(key, "family") && !streq(key, "type") && !streq(key, "address") && !streq(key, "port"))
                        return selftest_refused(err, word, "it knows family, type, address and port");
        }
        t->family = selftest_word_value(families, json_object_get(operand, "family"));
        if (t->family != AF_INET && t->family != AF_INET6 && t->family != AF_UNIX)
                return selftest_refused(err, word, "'family' is one of inet, inet6, unix");
        t->type = type;
        if (json_object_get(operand, "type"))
                t->type = selftest_word_value(types, json_object_get(operand, "type"));
        if (t->type != SOCK_STREAM && t->type != SOCK_DGRAM)
                return selftest_refused(err, word, "'type' is stream or dgram");
        if (t->family != AF_UNIX)
                return address_parse(operand, t->type == SOCK_DGRAM && t->op == SELFTEST_CONNECT ? 9 : port, t, err);
        if (json_object_get(operand, "port"))
                return selftest_refused(err, word, "a unix socket has no port");
        return unix_parse(json_object_get(operand, "address"), word, t, err);
}

int selftest_bind_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return endpoint_parse(operand, SOCK_STREAM, 0, t, err);
}

int selftest_connect_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return endpoint_parse(operand, SOCK_STREAM, 0, t, err);
}

static int stream_parse(const json_t *operand, struct selftest *t, struct err *err) {
        int r = endpoint_parse(operand, SOCK_STREAM, 0, t, err);

        if (r >= 0 && t->type != SOCK_STREAM)
                return selftest_refused(err, selftest_op_word(t->op), "it takes a stream");
        return r;
}

int selftest_listen_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        return stream_parse(operand, t, err);
}

int selftest_accept_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        int r = stream_parse(operand, t, err);

        if (r >= 0 && t->family != AF_UNIX && !address_is_loopback(t))
                return selftest_refused(err, "accept", "who is to connect can reach a loopback address only");
        return r;
}

int selftest_sendmsg_parse(const json_t *operand, const json_t *options, struct selftest *t, struct err *err) {
        int r = endpoint_parse(operand, SOCK_DGRAM, 9, t, err); /* discard */

        if (r >= 0 && t->type != SOCK_DGRAM)
                return selftest_refused(err, "sendmsg", "it takes dgram");
        return r;
}
