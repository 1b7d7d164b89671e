/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the numbers in events stand for. Programs in the kernel know their bundle by a hash of its name (bundle_number), their
 * policy by its place in the manifest and their hook by its place among the plan's: the names are kept here, by bundle and
 * release. As JSON the table goes to the reporter, which reads it like anything from outside.
 */
#pragma once

#include "bake_record.h"
#include "journal.h"
#include "manifest.h"

/* More generations, or longer names together, than a node ever has at once; the oldest go first. */
#define EVENT_NAMES_MAX 64
#define EVENT_NAMES_BYTES_MAX (256u * 1024)
#define EVENT_NAMES_JSON_MAX (512u * 1024)

/* Of one generation. */
struct generation_names {
        uint32_t bundle_number;
        uint64_t release;
        char *bundle, *version;
        char **policies; /* in the manifest's order */
        size_t n_policies;
        char **hooks; /* in the plan's order */
        size_t n_hooks;
        size_t bytes;
};

struct event_names {
        struct generation_names list[EVENT_NAMES_MAX]; /* oldest first */
        size_t n, bytes;
};

void event_names_done(struct event_names *t);
#define cleanup_event_names cleanup(event_names_done)

/* Known again, a generation is the newest; its former names are forgotten. */
int event_names_add(struct event_names *t, const struct manifest *m, struct err *err);
/* Of the generations that a journal names, from the store. Goes on past those that are not there; returns the first error. */
int event_names_add_journal(struct event_names *t, int state_fd, const struct journal *j, struct err *err);
/* Of the release that a bundle bakes, if it bakes one. */
int event_names_add_bake(struct event_names *t, int state_fd, const struct bake_record *b, struct err *err);
/* Of every bundle that has a journal, or bakes. */
int event_names_load(struct event_names *t, int state_fd, struct err *err);

/* Appends the table as JSON. */
int event_names_format(const struct event_names *t, struct buf *out, struct err *err);
/* Adds what event_names_format() wrote. After an error the table is as it was. */
int event_names_parse(struct event_names *t, const void *p, size_t n, struct err *err);

/* Names, or NULL: not known. The name of a bundle is that of any of its releases. */
const char *event_names_bundle(const struct event_names *t, uint32_t bundle_number);
const char *event_names_version(const struct event_names *t, uint32_t bundle_number, uint64_t release);
const char *event_names_policy(const struct event_names *t, uint32_t bundle_number, uint64_t release, uint32_t policy);
const char *event_names_hook(const struct event_names *t, uint32_t bundle_number, uint64_t release, uint32_t hook);
