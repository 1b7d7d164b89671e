/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What verified metadata says of a release: a target's entry, whose `custom` is
 * {"bundle": NAME, "release": N, "version": TEXT, "content": CONTENT-ID, "floor": N}. The floor may be absent: 0.
 */
#pragma once

#include "papers.h"

struct repo_entry {
        char bundle[64];
        char version[128];
        uint64_t release;
        uint64_t floor; /* the oldest release that may still run, as this entry has it */
        char content_hex[SHA256_HEX];
        uint8_t content[SHA256_SIZE];
};

/* malformed: it does not say what release it is. */
int repo_entry_parse(const json_t *custom, struct repo_entry *ret, struct err *err);
/* Of a target path; unknown-target, and what papers_target() says. ret_file: the file's path below targets/; may be NULL. */
int repo_entry_find(const struct papers *papers, struct tuf_trust *trust, const char *path, struct repo_entry *ret,
                    struct buf *ret_file, struct err *err);
/* The highest floor that the document vouching for `path` gives for a bundle. */
uint64_t repo_floor(const struct papers *papers, struct tuf_trust *trust, const char *path, const char *bundle);
