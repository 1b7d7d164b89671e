/* SPDX-License-Identifier: Apache-2.0 */
/* Within the parser of self-tests: what its files share. */
#pragma once

#include "selftest_place.h"

/* A word that tests use for one of the kernel's numbers; a list ends with an empty one. */
struct selftest_word {
        const char *word;
        int value;
};
/* -1: not in the list, or not even a string. */
int selftest_word_value(const struct selftest_word *words, const json_t *j);

/* An operation's operand, and the whole of `do` for its options. */
typedef int selftest_operand(const json_t *operand, const json_t *options, struct selftest *t, struct err *err);

selftest_operand selftest_socket_parse, selftest_connect_parse, selftest_bind_parse, selftest_listen_parse, selftest_accept_parse,
        selftest_sendmsg_parse;                                                          /* selftest_ops_net.c */
selftest_operand selftest_mount_parse, selftest_umount_parse, selftest_move_mount_parse; /* selftest_ops_mount.c */
