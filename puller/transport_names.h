/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, paths and names of sources: text in, parts or a refusal out. No I/O. */
#pragma once

#include "buf.h"
#include "err.h"

#define TRANSPORT_PATH_MAX 1024

/* Relative, no empty component, no "." or "..", nothing that Git keeps for itself, printable ASCII without "\". */
bool transport_path_valid(const char *path);
/* A name in a Git tree that no work tree could hold safely: "", ".", "..", ".git" in any case, with "/", "\" or control characters. */
bool transport_name_odd(const char *name);
/* What Git takes for a branch, and a little less. */
bool transport_branch_valid(const char *branch);
/* An https URL's folder and a path below it, percent-encoded, appended to out. bad-configuration when base is not such a URL. */
int transport_url_join(const char *base, const char *path, struct buf *out, struct err *err);

enum branch_reach { BRANCH_HTTPS, BRANCH_SSH, BRANCH_LOCAL };

struct branch_address {
        enum branch_reach reach;
        char user[64];                 /* "": none */
        char host[256];                /* ssh; an IPv6 address without its brackets */
        uint16_t port;                 /* ssh */
        char path[TRANSPORT_PATH_MAX]; /* ssh, local */
        char url[TRANSPORT_PATH_MAX];  /* https, without the user and without "/" at its end */
};

/* https://[USER@]HOST[:PORT]/PATH, ssh://[USER@]HOST[:PORT]/PATH, USER@HOST:PATH, /PATH. Else bad-configuration. */
int transport_address_parse(const char *url, struct branch_address *ret, struct err *err);
