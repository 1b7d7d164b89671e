/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releases that this node will not try again: STATE/quarantine.json, keyed by content id, kernel release and agent version (a
 * new kernel deserves a new try). An operator's rollback is keyed by content id alone. What is not the bundle's fault
 * (memory, disk, time-outs, no free program slot) is never put here.
 */
#pragma once

#include "digest.h"
#include "err.h"

struct quarantine_entry {
        char bundle[64];
        char content_hex[SHA256_HEX];
        uint64_t release;
        char kernel[65]; /* "" with reason `operator`: any */
        char agent[32];
        char reason[32];
        char message[512];
        uint64_t since;
};
struct quarantine {
        struct quarantine_entry *entries;
        size_t n;
};
void quarantine_done(struct quarantine *q);
#define cleanup_quarantine cleanup(quarantine_done)

/* An absent file is an empty quarantine. */
int quarantine_load(int state_fd, struct quarantine *ret, struct err *err);
/* At most QUARANTINE_MAX entries are kept: the oldest goes first, and is tried once more. */
#define QUARANTINE_MAX 1024
/* Adds for this kernel (uname) and this agent version; durable when it returns. The same key again is replaced;
 * with reason `operator` the key is the content id alone. */
int quarantine_add(int state_fd, const char *bundle, const char *content_hex, uint64_t release, const char *reason,
                   const char *message, struct err *err);
/* The entry that holds on this kernel for this content, or NULL. */
const struct quarantine_entry *quarantine_find(const struct quarantine *q, const char *content_hex);
/* Forgets all entries of a bundle (NULL: all). Returns how many. */
int quarantine_forget(int state_fd, const char *bundle, struct err *err);
