/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path as people write it in rules: what it says, how specific it is, and whether it takes in another one. No I/O; which paths it
 * matches is the automaton's business (automaton.h).
 *
 *   /etc/shadow     exactly this
 *   /etc/ssh/       the directory itself and everything below; "/" is the whole tree
 *   a glob          if there is any of these in it, unescaped:
 *     *             any run of bytes, or none, without '/'
 *     **            the same, and '/' as well. Between two '/', and as the last component, it is whole components: "/a/ ** /b" (without
 *                   the blanks) matches /a/b, /a/x/b and /a/x/y/b, and what ends in it matches everything below, not the directory
 *     ?             one character that is not '/'
 *     [a-c_]        one of these ASCII characters
 *     [!a-c_]       one character that is none of these, nor '/'
 *     a '/' at the end   the tree under each match: the match itself and everything below
 *   \               takes from the character behind it its meaning
 *
 * A character is a byte with the UTF-8 continuation bytes (0x80 to 0xbf) that follow it: in names that are UTF-8, that is one
 * character; in others it is at least one byte, so that every name has characters.
 *
 * Refused: what is not absolute, empty components, "." and "..", brackets that do not match, "***", control characters, braces
 * (they mean alternatives elsewhere), and more than PATH_PATTERN_MAX bytes.
 */
#pragma once

#include "err.h"
#include "util.h"

#define PATH_PATTERN_MAX 4095

enum path_kind {
        PATH_EXACT,
        PATH_TREE,
        PATH_GLOB,
        PATH_ADDRESS, /* no path: an address as text (address_pattern.h) */
};

enum path_token_kind {
        PATH_BYTE,      /* this one */
        PATH_CHAR,      /* one character of a set */
        PATH_STAR,      /* * */
        PATH_STAR_STAR, /* ** within a component */
        PATH_DEEP,      /* a component ** and the '/' behind it: no component or any number of them, each with its '/' */
};
struct path_token {
        enum path_token_kind kind;
        uint8_t byte;
        bool others;       /* PATH_CHAR: all characters that are not ASCII, too */
        uint64_t ascii[2]; /* PATH_CHAR: bit c of 128; neither 0 nor '/' are ever in it */
};

struct path_pattern {
        char *text; /* as written, without control characters */
        enum path_kind kind;
        bool tree;      /* and everything below: ended in '/' */
        char *prefix;   /* what is in front of the first glob character, unescaped; of a directory, without the '/' at its end */
        size_t literal; /* its length in bytes */
        struct path_token *tokens; /* what follows */
        size_t n;
        uint32_t rank; /* PATH_ADDRESS: the higher, the more specific */
};

void path_pattern_done(struct path_pattern *p);
#define cleanup_path_pattern cleanup(path_pattern_done)

/* -EINVAL with REASON_MALFORMED (or REASON_TOO_LARGE), and *ret_column (may be NULL) says where: counted in bytes, from 1. */
int path_pattern_parse_at(const char *text, size_t len, struct path_pattern *ret, size_t *ret_column, struct err *err);
int path_pattern_parse(const char *text, struct path_pattern *ret, struct err *err);

/* Above 0: a is the more specific one. Exact ones before all others, then by length of the literal beginning;
 * addresses by rank. */
int path_pattern_compare(const struct path_pattern *a, const struct path_pattern *b);

/* true: whatever name in UTF-8 b matches, a matches. Exact where neither is a glob; with a glob it may be false although it is so.
 * An address takes in itself. */
bool path_pattern_covers(const struct path_pattern *a, const struct path_pattern *b);
