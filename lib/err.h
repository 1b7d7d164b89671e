/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: 0 or a negative errno, with the story in a caller-owned `struct err`.
 *
 * The reason is one stable word, the same in messages, events, status and documentation; scripts depend on it.
 * Every function that takes a `struct err *` accepts NULL. lib/ never prints and never exits.
 */
#pragma once

#include <stdarg.h>

/* X(identifier, word, exit code). The exit codes are those of the command line: 1 failed, 2 usage or configuration,
 * 3 refused before anything was loaded, 4 failed on this kernel or in its tests. */
#define REASONS(X)                                                \
        X(REASON_NONE, "", 1)                                     \
        X(REASON_USAGE, "usage", 2)                               \
        X(REASON_CONFIG, "bad-configuration", 2)                  \
        /* signatures and envelopes */                            \
        X(REASON_BAD_SIGNATURE, "bad-signature", 3)               \
        X(REASON_UNKNOWN_KEY, "unknown-key", 3)                   \
        X(REASON_THRESHOLD_NOT_MET, "threshold-not-met", 3)       \
        X(REASON_WRONG_TYPE, "wrong-type", 3)                     \
        X(REASON_UNSUPPORTED_FORMAT, "unsupported-format", 3)     \
        X(REASON_MALFORMED, "malformed", 3)                       \
        /* archives and members */                                \
        X(REASON_DIGEST_MISMATCH, "digest-mismatch", 3)           \
        X(REASON_LENGTH_MISMATCH, "length-mismatch", 3)           \
        X(REASON_UNLISTED_MEMBER, "unlisted-member", 3)           \
        X(REASON_MISSING_MEMBER, "missing-member", 3)             \
        X(REASON_DUPLICATE_MEMBER, "duplicate-member", 3)         \
        X(REASON_WRONG_ORDER, "wrong-order", 3)                   \
        X(REASON_UNSAFE_PATH, "unsafe-path", 3)                   \
        X(REASON_NOT_A_FILE, "not-a-file", 3)                     \
        X(REASON_TOO_LARGE, "too-large", 3)                       \
        X(REASON_TRAILING_DATA, "trailing-data", 3)               \
        X(REASON_TRUNCATED, "truncated", 3)                       \
        /* releases */                                            \
        X(REASON_EXPIRED, "expired", 3)                           \
        X(REASON_ROLLED_BACK_METADATA, "rolled-back-metadata", 3) \
        X(REASON_MIXED_METADATA, "mixed-metadata", 3)             \
        X(REASON_UNKNOWN_TARGET, "unknown-target", 3)             \
        X(REASON_WRONG_BUNDLE, "wrong-bundle", 3)                 \
        X(REASON_RELEASE_TOO_OLD, "release-too-old", 3)           \
        X(REASON_RELEASE_REUSED, "release-reused", 3)             \
        X(REASON_QUARANTINED, "quarantined", 3)                   \
        X(REASON_STALE_BASE, "stale-base", 3)                     \
        X(REASON_PAUSED, "paused", 3)                             \
        X(REASON_RING_UNKNOWN, "ring-unknown", 3)                 \
        X(REASON_BUSY, "busy", 1)                                 \
        /* this kernel, this node */                              \
        X(REASON_KERNEL_UNSUPPORTED, "kernel-unsupported", 4)     \
        X(REASON_VERIFIER_REJECTED, "verifier-rejected", 4)       \
        X(REASON_ATTACH_FAILED, "attach-failed", 4)               \
        X(REASON_NO_PROGRAM_SLOT, "no-program-slot", 4)           \
        X(REASON_LOAD_FAILED, "load-failed", 4)                   \
        X(REASON_SELFTEST_FAILED, "selftest-failed", 4)           \
        X(REASON_HEALTH_FAILED, "health-failed", 4)               \
        X(REASON_NOT_CONFIRMED, "not-confirmed", 4)               \
        X(REASON_BAKE_FAILED, "bake-failed", 4)                   \
        X(REASON_OPERATOR, "operator", 4)

enum reason {
#define X(id, word, code) id,
        REASONS(X)
#undef X
                REASON_COUNT
};

struct err {
        enum reason reason;
        char msg[2048];
};

const char *reason_word(enum reason reason);
int reason_exit_code(enum reason reason);
/* REASON_NONE when no reason has that word. */
enum reason reason_from_word(const char *word);

/* Sets reason and message, returns r (a negative errno). */
int err_set(struct err *err, int r, enum reason reason, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same for failures that have no stable reason (I/O, memory): appends strerror(-r). */
int err_errno(struct err *err, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "CONTEXT: " in front of the message, keeps the reason, returns r. */
int err_wrap(struct err *err, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* 0 for r >= 0; else the exit code of the reason. */
int err_exit_code(const struct err *err, int r);
