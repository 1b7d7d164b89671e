/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: one file per bundle, STATE/journal/NAME.json, replaced durably before every transition that user space makes.
 * It says what is in which slot; what the gate says wins over it (after a crash the gate has moved on, never back).
 */
#pragma once

#include "lowered.h"
#include "digest.h"
#include "err.h"

enum journal_step {
        STEP_NONE,
        STEP_STAGING,    /* a slot is about to be filled, or is filled; the gate does not name it */
        STEP_PROBING,    /* the gate may name it for the probe's cgroup alone */
        STEP_FLIPPING,   /* the gate is about to name it, PENDING */
        STEP_PENDING,    /* the gate names it, PENDING; health checks run */
        STEP_CONFIRMING, /* health held; the gate is about to drop PENDING */
};
const char *journal_step_word(enum journal_step step);

struct journal_gen { /* a generation */
        bool present;
        char content_hex[SHA256_HEX];
        char version[128];
        uint64_t release;
        uint32_t slot;             /* meaningful in this boot only */
        uint64_t since;            /* seconds since the epoch: confirmed, or staged */
        bool audit;                /* loaded with every policy lowered to audit */
        char lowered[LOWERED_MAX]; /* loaded with these lowered (lowered.h) */
};

/* Releases that this node has verified, newest first: a release number never stands for another content. */
#define JOURNAL_SEEN_MAX 128

struct journal_seen {
        uint64_t release;
        char content_hex[SHA256_HEX];
};

struct journal {
        char bundle[64];
        char boot_id[37];             /* of the boot in which the slots were filled */
        struct journal_gen confirmed; /* what the node's owner can count on */
        struct journal_gen previous;  /* what `rollback` goes back to; its slot is still loaded */
        struct journal_gen staged;
        enum journal_step step; /* how far `staged` has come */
        uint32_t attempts;      /* of this staged content id, this one included */
        char left_reason[32];   /* why the last staged or left release is not in force; "" */
        char left_message[512];
        char left_content[SHA256_HEX];
        uint64_t left_release;
        uint64_t highest_release; /* highest ever confirmed */
        bool removed;             /* `remove`: enforce nothing of it, also after a reboot */
        struct journal_seen seen[JOURNAL_SEEN_MAX];
        size_t n_seen;
};

/* The content that a release number stood for when this node saw it, or NULL. */
const char *journal_seen(const struct journal *j, uint64_t release);
/* Remembers a release; beyond JOURNAL_SEEN_MAX the lowest numbers are forgotten. */
void journal_see(struct journal *j, uint64_t release, const char *content_hex);

/* -ENOENT when there is none. A journal that cannot be parsed is an error and is left where it is. */
int journal_load(int state_fd, const char *bundle, struct journal *ret, struct err *err);
/* Durable when it returns. On failure the old one stands (or the new one, when the disk fails in the very last step): whole in
 * any case. Messages are stored as text_clean() leaves them; what could not be loaded again is not written (-EINVAL).
 * Fault points: "journal:STEP:before" and "journal:STEP:after". */
int journal_save(int state_fd, const struct journal *j, struct err *err);
/* Nothing to delete is success. */
int journal_delete(int state_fd, const char *bundle, struct err *err);
/* Names of the bundles that have a journal, sorted; free each and the array. */
int journal_list(int state_fd, char ***ret, size_t *ret_n, struct err *err);
/* "" is valid: no boot. */
bool boot_id_valid(const char *id);
int boot_id_read(char ret[static 37], struct err *err);

/*
 * The rollback page: STATE/rollback, one page, made and mapped at start. Between the decision to roll back and the gate's
 * change nothing may allocate, open or fork, so why it was done is stored here, after the gate, and becomes a journal entry later.
 */
struct rollback_page {
        char magic[8]; /* "LSMRB1\0\0" when the record below is complete and not yet in the journal */
        char bundle[64];
        char content_hex[SHA256_HEX];
        char reason[32];
        char message[512];
        uint64_t release;
};
/* Stays mapped for the life of the process; its blocks are allocated here, so that a full disk cannot fault a later write. */
int rollback_page_map(int state_fd, struct rollback_page **ret, struct err *err);
/* No allocation, no system call but msync: usable when every hook denies. */
void rollback_page_write(struct rollback_page *page, const char *bundle, const char *content_hex, uint64_t release,
                         const char *reason, const char *message);
/* A copy of the record, texts cleaned; false: there is none, or it is damaged. */
bool rollback_page_read(const struct rollback_page *page, struct rollback_page *ret);
void rollback_page_clear(struct rollback_page *page);
