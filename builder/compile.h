/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies in C to BPF objects: clang as a subprocess, several at a time, then libbpf's static linker on each object alone,
 * which drops DWARF and keeps BTF. The same sources give the same bytes wherever the tree stands: no path of this machine
 * gets into an object. What was compiled before from the same files is taken from the cache.
 */
#pragma once

#include "process.h"
#include "record.h"

struct compile_unit {
        const char *name;           /* the policy's: for messages */
        const char *source;         /* absolute, normal; of a text: what it is called, a name without '/' */
        const struct strv *defines; /* "NAME=VALUE"; may be NULL */
        const struct buf *text;     /* a source that was made and is no file; NULL: read the file */
        /* results */
        struct buf object;
        struct record record;
        struct buf messages; /* the compiler's, paths relative to the current directory */
        bool failed;         /* the compiler refused it: messages say why */
        bool cached;
};
void compile_unit_done(struct compile_unit *u);

struct compiler {
        const struct toolchain *toolchain;
        struct cache *cache;    /* NULL: none */
        const char *root;       /* top of the tree; absolute, normal */
        const char *bundle_dir; /* below it; on the include path */
        unsigned jobs;
        process_progress_fn progress;
        void *progress_ctx;
};

/* < 0: could not be tried. Whether a unit was refused stands in the unit. */
int compile_all(const struct compiler *c, struct compile_unit *units, size_t n, struct err *err);
