/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of lib/ have in common. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "err.h"
#include "util.h"

/* A call was refused for exactly this reason, and says something. */
#define assert_refused(r, err, want)                                                                              \
        do {                                                                                                      \
                int _r = (r);                                                                                     \
                if (_r >= 0 || (err).reason != (want) || !(err).msg[0])                                           \
                        fail_msg("%s: %d, '%s': %s; expected '%s'", #r, _r, reason_word((err).reason), (err).msg, \
                                 reason_word(want));                                                              \
        } while (0)

#define assert_done(r, err)                                                                         \
        do {                                                                                        \
                int _r = (r);                                                                       \
                if (_r < 0)                                                                         \
                        fail_msg("%s: %d, '%s': %s", #r, _r, reason_word((err).reason), (err).msg); \
        } while (0)
