/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address of a socket as people write it in rules, and the same for the automaton of paths.
 *
 *   10.1.2.3, 10.0.0.0/8      an IPv4 address, a network of them
 *   fe80::1, fe80::/10        of IPv6
 *   *                         any address of IP
 *   10.0.0.0/8:443            one port of it; [fe80::/10]:443 of IPv6; :1-1023 a range; :* is any port, as if nothing were said
 *   @name                     an abstract UNIX socket
 *   @name*                    all whose names begin like this
 *
 * Refused: bits behind the prefix, names of hosts and services, leading zeros, and IPv4 addresses in IPv6 (::ffff:0:0/96): they
 * are judged as the IPv4 addresses that they are.
 *
 * An automaton over paths finds addresses, too, when they are text that no path can be. That text is
 *   "4" and 8 digits of the address and 4 of the port, hexadecimal, in small letters
 *   "6" and 32 digits, and 4
 *   "@" and the name
 */
#pragma once

#include "err.h"
#include "path_pattern.h"

#define ADDRESS_TEXT_MAX 40    /* of an address of IP, with its NUL */
#define ADDRESS_NAME_MAX 107   /* bytes that an abstract name can have */
#define ADDRESS_ALTERNATIVES 7 /* a range of ports is so many patterns at most */

enum address_kind { ADDRESS_IP, ADDRESS_IP4, ADDRESS_IP6, ADDRESS_ABSTRACT };

struct address_pattern {
        enum address_kind kind; /* ADDRESS_IP: both */
        uint8_t address[16];    /* of IPv4, the first four */
        unsigned bits;
        uint16_t port_min, port_max;
        char name[ADDRESS_NAME_MAX + 1];
        bool beginning; /* name: with whatever behind it */
};

/* -EINVAL with REASON_MALFORMED, and *ret_column (may be NULL) says where: counted in bytes, from 1. */
int address_pattern_parse_at(const char *text, size_t len, struct address_pattern *ret, size_t *ret_column, struct err *err);

/* true: b's addresses are all a's, or: they have any in common. */
bool address_pattern_covers(const struct address_pattern *a, const struct address_pattern *b);
bool address_pattern_meets(const struct address_pattern *a, const struct address_pattern *b);

/* The text that the automaton is asked for. For tests, and whoever wants to know. port: of IP. ret has room for 38 bytes. */
void address_pattern_key(enum address_kind kind, const uint8_t *address, uint16_t port, char *ret);

/* What the automaton is made of: patterns of kind PATH_ADDRESS, each with the rank of the whole: the length of the prefix first,
 * then the fewer ports. Appends at most 2 * ADDRESS_ALTERNATIVES; *n counts. 0 or -ENOMEM. */
int address_pattern_paths(const struct address_pattern *a, struct path_pattern *ret, size_t *n);
