/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child gives up before it touches bytes from outside: user, capabilities, files, network, system calls.
 *
 * seccomp is a must: without it sandbox_enter() fails. Landlock is taken as far as the kernel has it (ABI 1 to 6), and the
 * report says how far. Nothing here can be undone, and it holds for the whole process: call it before there is a second thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

enum sandbox_profile {
        SANDBOX_PARSE,   /* computes on descriptors it has; no socket, no thread */
        SANDBOX_NETWORK, /* and is a TCP client with a resolver and threads */
        SANDBOX_REPORT,  /* computes, and serves local clients on a listening socket that it was given */
};

struct sandbox_spec {
        uid_t uid; /* taken when started as root; then not 0 */
        gid_t gid;
        enum sandbox_profile profile;
        const char *const *readable; /* NULL-terminated: files, and folders with all below; what is not there is skipped */
        int writable_dir;            /* may make and change files below; -1: none */
        const int *writable_too;     /* others of that kind, beside the first */
        size_t n_writable_too;
        const uint16_t *ports; /* SANDBOX_NETWORK: TCP ports it may connect to */
        size_t n_ports;
        uint64_t max_memory; /* address space; 0: not limited */
        uint64_t max_file;   /* size of any file it writes, memory files included; 0: not limited */
};

/* X(identifier, words): what was really applied. */
#define SANDBOX_PARTS(X)                            \
        X(SANDBOX_UID, "own user")                  \
        X(SANDBOX_NO_CAPS, "no capabilities")       \
        X(SANDBOX_SECCOMP, "seccomp")               \
        X(SANDBOX_LANDLOCK_FILES, "Landlock files") \
        X(SANDBOX_LANDLOCK_NET, "Landlock network") \
        X(SANDBOX_LANDLOCK_SCOPE, "Landlock signals and abstract sockets")

enum sandbox_part {
#define X(id, words) id##_BIT,
        SANDBOX_PARTS(X)
#undef X
};
enum {
#define X(id, words) id = 1 << id##_BIT,
        SANDBOX_PARTS(X)
#undef X
};

struct sandbox_report {
        uint32_t parts;        /* SANDBOX_UID | ... */
        uint32_t uid;          /* that it runs as */
        uint32_t landlock_abi; /* of the kernel; 0: none */
};

int sandbox_enter(const struct sandbox_spec *spec, struct sandbox_report *ret, struct err *err);
/* "uid 998, own user, no capabilities, seccomp, Landlock files ...; without: ..." Returns its length, as snprintf() does. */
int sandbox_report_format(const struct sandbox_report *report, char *p, size_t size);
