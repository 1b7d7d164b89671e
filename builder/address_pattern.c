/* SPDX-License-Identifier: Apache-2.0 */
#include "address_pattern.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#define PORT_MAX 65535
#define RANK_EXACT UINT32_MAX

static unsigned bits_of(enum address_kind kind) {
        return kind == ADDRESS_IP6 ? 128 : 32;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

struct parser {
        const char *text; /* ends in NUL */
        size_t len;
        struct address_pattern *a;
        size_t *ret_column;
        struct err *err;
};

static int refused(struct parser *p, size_t at) {
        if (p->ret_column)
                *p->ret_column = at + 1;
        return -EINVAL;
}
#define REFUSE(p, at, ...) err_set((p)->err, refused(p, at), REASON_MALFORMED, __VA_ARGS__)

/* Digits from `at` to `end`, of at most `max`; -1: they are none. */
static long number_at(const char *text, size_t at, size_t end, long max) {
        long v = 0;

        if (at == end || end - at > 5 || (text[at] == '0' && end - at > 1))
                return -1;
        for (; at < end; at++) {
                if (!isdigit((unsigned char)text[at]))
                        return -1;
                v = v * 10 + (text[at] - '0');
        }
        return v <= max ? v : -1;
}

static int parse_ports(struct parser *p, size_t at) {
        const char *dash = memchr(p->text + at, '-', p->len - at);
        size_t end = dash ? (size_t)(dash - p->text) : p->len;
        long lo, hi;

        if (streq(p->text + at, "*"))
                return 0;
        lo = number_at(p->text, at, end, PORT_MAX);
        if (lo < 0)
                return REFUSE(p, at, "'%.*s' is not a port: a number from 0 to %d, a range such as 1-1023, or *", (int)(end - at),
                              p->text + at, PORT_MAX);
        hi = dash ? number_at(p->text, end + 1, p->len, PORT_MAX) : lo;
        if (hi < 0)
                return REFUSE(p, end + 1, "'%s' is not a port: a number from 0 to %d", p->text + end + 1, PORT_MAX);
        if (hi < lo)
                return REFUSE(p, at, "the range of ports %ld-%ld runs backwards", lo, hi);
        p->a->port_min = (uint16_t)lo;
        p->a->port_max = (uint16_t)hi;
        return 0;
}

static void address_clear(uint8_t *address, unsigned from, unsigned bits) {
        for (unsigned i = from; i < bits; i++)
                address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static const char *address_show(const struct address_pattern *a, char ret[static ADDRESS_TEXT_MAX + 8]) {
        inet_ntop(a->kind == ADDRESS_IP6 ? AF_INET6 : AF_INET, a->address, ret, ADDRESS_TEXT_MAX + 8);
        return ret;
}

/* Nothing but 0 behind the prefix, and no IPv4 address. */
static int check_bits(struct parser *p, size_t at) {
        static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
        struct address_pattern *a = p->a, clean = *a;
        char shown[ADDRESS_TEXT_MAX + 8];

        address_clear(clean.address, a->bits, bits_of(a->kind));
        if (memcmp(clean.address, a->address, sizeof(clean.address)) != 0)
                return REFUSE(p, at, "the address has bits behind its prefix: write %s/%u", address_show(&clean, shown), a->bits);
        if (a->kind == ADDRESS_IP6 && a->bits >= 96 && memcmp(a->address, mapped, sizeof(mapped)) == 0) {
                clean.kind = ADDRESS_IP4;
                memcpy(clean.address, a->address + 12, 4);
                return REFUSE(p, at, "an IPv4 address in IPv6 is judged as what it is: write %s/%u", address_show(&clean, shown),
                              a->bits - 96);
        }
        return 0;
}

/* What is between `at` and `end`. */
static int parse_network(struct parser *p, size_t at, size_t end) {
        const char *slash = memchr(p->text + at, '/', end - at);
        size_t stop = slash ? (size_t)(slash - p->text) : end;
        struct address_pattern *a = p->a;
        char text[ADDRESS_TEXT_MAX + 8];
        long bits;

        if (stop - at >= sizeof(text) || stop == at)
                return REFUSE(p, at, "'%.*s' is not an address", (int)(stop - at), p->text + at);
        memcpy(text, p->text + at, stop - at);
        text[stop - at] = '\0';
        a->kind = strchr(text, ':') ? ADDRESS_IP6 : ADDRESS_IP4;
        if (strchr(text, '%'))
                return REFUSE(p, at, "'%s' names an interface: rules are about addresses alone", text);
        if (inet_pton(a->kind == ADDRESS_IP6 ? AF_INET6 : AF_INET, text, a->address) != 1)
                return REFUSE(p, at, "'%s' is not an address: %s", text,
                              a->kind == ADDRESS_IP4 && isalpha((unsigned char)text[0])
                                      ? "names may stand for others on a node than here"
                                      : "it is four numbers from 0 to 255, or one of IPv6, or *");
        a->bits = bits_of(a->kind);
        if (!slash)
                return check_bits(p, at);
        bits = number_at(p->text, stop + 1, end, bits_of(a->kind));
        if (bits < 0)
                return REFUSE(p, stop + 1, "'%.*s' is not the length of a prefix: a number from 0 to %u", (int)(end - stop - 1),
                              p->text + stop + 1, bits_of(a->kind));
        a->bits = (unsigned)bits;
        return check_bits(p, at);
}

static int parse_ip(struct parser *p) {
        const char *colon = strchr(p->text, ':');
        size_t end;
        int r;

        if (p->text[0] == '[') {
                const char *close = strchr(p->text, ']');

                if (!close)
                        return REFUSE(p, 0, "no ']' closes this '['");
                end = (size_t)(close - p->text);
                r = parse_network(p, 1, end);
                if (r < 0)
                        return r;
                if (p->a->kind != ADDRESS_IP6)
                        return REFUSE(p, 0, "only addresses of IPv6 stand between brackets");
                if (++end == p->len)
                        return 0;
                return p->text[end] == ':' ? parse_ports(p, end + 1) : REFUSE(p, end, "only ':' and ports follow a ']'");
        }
        end = colon ? (size_t)(colon - p->text) : p->len;
        if (end == 1 && p->text[0] == '*')
                p->a->kind = ADDRESS_IP;
        else if (colon && strchr(colon + 1, ':')) /* IPv6, without ports */
                return parse_network(p, 0, p->len);
        else {
                r = parse_network(p, 0, end);
                if (r < 0)
                        return r;
        }
        return colon ? parse_ports(p, end + 1) : 0;
}

static int parse_abstract(struct parser *p) {
        size_t n = p->len - 1;

        p->a->kind = ADDRESS_ABSTRACT;
        if (n > 0 && p->text[p->len - 1] == '*') {
                p->a->beginning = true;
                n--;
        }
        if (n > ADDRESS_NAME_MAX)
                return REFUSE(p, 1 + ADDRESS_NAME_MAX, "longer than the name of a UNIX socket can be: %d bytes",
                              ADDRESS_NAME_MAX);
        if (n == 0 && !p->a->beginning)
                return REFUSE(p, 1, "the name of an abstract UNIX socket, or *, follows a '@'");
        for (size_t i = 1; i <= n; i++)
                if (strchr("*?[]\\", p->text[i]))
                        return REFUSE(p, i, "'%c': a name of a UNIX socket is taken as it is, but for one '*' at its end",
                                      p->text[i]);
        memcpy(p->a->name, p->text + 1, n);
        return 0;
}

int address_pattern_parse_at(const char *text, size_t len, struct address_pattern *ret, size_t *ret_column, struct err *err) {
        cleanup_free char *copy = strndup(text, len);
        struct address_pattern a = {.port_max = PORT_MAX};
        struct parser p = {.text = copy, .len = len, .a = &a, .ret_column = ret_column, .err = err};
        int r;

        if (!copy)
                return err_errno(err, -ENOMEM, "address");
        for (size_t i = 0; i < len; i++)
                if (iscntrl((unsigned char)text[i]) && isascii(text[i]))
                        return REFUSE(&p, i, "a control character, 0x%02x, cannot be in it", (uint8_t)text[i]);
        if (len == 0)
                return REFUSE(&p, 0, "an address is expected");
        r = copy[0] == '@' ? parse_abstract(&p) : parse_ip(&p);
        if (r == 0)
                *ret = a;
        return r;
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
        unsigned rest = bits % 8;

        if (memcmp(a, b, bits / 8) != 0)
                return false;
        return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & (0xff00 >> rest & 0xff)) == 0;
}

static bool names_cover(const struct address_pattern *a, const struct address_pattern *b) {
        if (!a->beginning)
                return !b->beginning && streq(a->name, b->name);
        return strncmp(a->name, b->name, strlen(a->name)) == 0;
}

bool address_pattern_covers(const struct address_pattern *a, const struct address_pattern *b) {
        if (a->kind == ADDRESS_ABSTRACT || b->kind == ADDRESS_ABSTRACT)
                return a->kind == b->kind && names_cover(a, b);
        if (a->port_min > b->port_min || a->port_max < b->port_max)
                return false;
        return a->kind == ADDRESS_IP || (a->kind == b->kind && a->bits <= b->bits && same_bits(a->address, b->address, a->bits));
}

bool address_pattern_meets(const struct address_pattern *a, const struct address_pattern *b) {
        if (a->kind == ADDRESS_ABSTRACT || b->kind == ADDRESS_ABSTRACT)
                return a->kind == b->kind && (names_cover(a, b) || names_cover(b, a));
        if (a->port_max < b->port_min || b->port_max < a->port_min)
                return false;
        return a->kind == ADDRESS_IP || b->kind == ADDRESS_IP ||
               (a->kind == b->kind && same_bits(a->address, b->address, a->bits < b->bits ? a->bits : b->bits));
}

/* ---- for the automaton ------------------------------------------------------------------------------------------------- */

static char digit(unsigned n) {
        return "0123456789abcdef"[n & 15];
}

void address_pattern_key(enum address_kind kind, const uint8_t *address, uint16_t port, char *ret) {
        *ret++ = kind == ADDRESS_IP6 ? '6' : '4';
        for (unsigned i = 0; i < bits_of(kind) / 4; i++)
                *ret++ = digit(address[i / 2] >> (i % 2 ? 0 : 4));
        for (int i = 12; i >= 0; i -= 4)
                *ret++ = digit(port >> i);
        *ret = '\0';
}

struct digits {
        unsigned lo, hi; /* each digit may be */
};

/* One pattern: digits, those that may be anything at the end left out. */
static int pattern_make(const char *text, unsigned alternative, char first, const struct digits *digits, size_t n, uint32_t rank,
                        struct path_pattern *ret) {
        struct path_pattern p = {.kind = PATH_ADDRESS, .rank = rank};
        size_t at = 0;

        while (n > 0 && digits[n - 1].lo == 0 && digits[n - 1].hi == 15)
                n--;
        p.prefix = malloc(n + 2);
        p.tokens = new_array(n + 1, sizeof(*p.tokens));
        if (asprintf(&p.text, "%s#%u", text, alternative) < 0)
                p.text = NULL;
        if (!p.prefix || !p.tokens || !p.text) {
                path_pattern_done(&p);
                return -ENOMEM;
        }
        p.prefix[p.literal++] = first;
        while (at < n && digits[at].lo == digits[at].hi)
                p.prefix[p.literal++] = digit(digits[at++].lo);
        p.prefix[p.literal] = '\0';
        for (; at < n; at++) {
                struct path_token token = {.kind = PATH_CHAR};

                for (unsigned d = digits[at].lo; d <= digits[at].hi; d++)
                        token.ascii[digit(d) / 64] |= 1ULL << digit(d) % 64;
                p.tokens[p.n++] = token;
        }
        p.tokens[p.n++] = (struct path_token){.kind = PATH_STAR_STAR};
        *ret = p;
        return 0;
}

/* Splits a range of numbers of four digits into patterns, from the lowest on: each is a common beginning, a range of one digit,
 * and whatever behind it. The next one's first number, or above `hi`. */
static uint32_t range_next(uint32_t lo, uint32_t hi, struct digits ret[static 4]) {
        unsigned free = 0;
        uint32_t size = 1, n = 1;

        /* the most digits at the end that may be anything */
        while (free < 3 && lo % (size * 16) == 0 && lo + size * 16 - 1 <= hi) {
                size *= 16;
                free++;
        }
        while (n < 16 - lo / size % 16 && lo + (n + 1) * size - 1 <= hi)
                n++;
        for (unsigned i = 0; i < 4; i++) {
                unsigned d = lo >> (12 - 4 * i) & 15;

                ret[i] = (struct digits){d, d};
                if (i == 3 - free)
                        ret[i].hi = d + n - 1;
                else if (i > 3 - free)
                        ret[i] = (struct digits){0, 15};
        }
        return lo + n * size;
}

static int network_paths(const struct address_pattern *a, enum address_kind kind, struct path_pattern *ret, size_t *n) {
        size_t n_digits = bits_of(kind) / 4;
        unsigned bits = a->kind == kind ? a->bits : 0, alternative = 0;
        uint32_t rank = bits << 16 | (PORT_MAX - (uint32_t)(a->port_max - a->port_min));
        struct address_pattern shown = {.kind = kind};
        struct digits digits[36];
        char address[ADDRESS_TEXT_MAX + 8], text[ADDRESS_TEXT_MAX + 32];

        if (bits > 0)
                memcpy(shown.address, a->address, sizeof(shown.address));
        snprintf(text, sizeof(text), "%s/%u:%u-%u", address_show(&shown, address), bits, a->port_min, a->port_max);
        for (size_t i = 0; i < n_digits; i++) {
                unsigned d = shown.address[i / 2] >> (i % 2 ? 0 : 4) & 15;
                unsigned free = bits >= 4 * (i + 1) ? 0 : bits <= 4 * i ? 4 : 4 * ((unsigned)i + 1) - bits;

                digits[i] = (struct digits){d, d + (1u << free) - 1};
        }
        for (uint32_t port = a->port_min; port <= a->port_max; alternative++) {
                int r;

                port = range_next(port, a->port_max, digits + n_digits);
                r = pattern_make(text, alternative, kind == ADDRESS_IP6 ? '6' : '4', digits, n_digits + 4, rank, &ret[*n]);
                if (r < 0)
                        return r;
                ++*n;
        }
        return 0;
}

static int abstract_paths(const struct address_pattern *a, struct path_pattern *ret, size_t *n) {
        struct path_pattern p = {.kind = PATH_ADDRESS, .rank = a->beginning ? (uint32_t)strlen(a->name) : RANK_EXACT};

        p.tokens = new_array(1, sizeof(*p.tokens));
        if (asprintf(&p.text, "@%s%s", a->name, a->beginning ? "*" : "") < 0)
                p.text = NULL;
        if (asprintf(&p.prefix, "@%s", a->name) < 0)
                p.prefix = NULL;
        if (!p.tokens || !p.text || !p.prefix) {
                path_pattern_done(&p);
                return -ENOMEM;
        }
        p.literal = strlen(p.prefix);
        if (a->beginning)
                p.tokens[p.n++] = (struct path_token){.kind = PATH_STAR_STAR};
        ret[(*n)++] = p;
        return 0;
}

int address_pattern_paths(const struct address_pattern *a, struct path_pattern *ret, size_t *n) {
        int r;

        if (a->kind == ADDRESS_ABSTRACT)
                return abstract_paths(a, ret, n);
        if (a->kind != ADDRESS_IP)
                return network_paths(a, a->kind, ret, n);
        r = network_paths(a, ADDRESS_IP4, ret, n);
        return r < 0 ? r : network_paths(a, ADDRESS_IP6, ret, n);
}
