/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's request to its fetcher for a release repository: one packet, struct repo_start and then NUL-terminated strings
 * (enum repo_string, then each bundle's name). The descriptors that `given` names come along, in the order of enum repo_given.
 * The answers are those of fetch_proto.h.
 */
#pragma once

#include "digest.h"
#include "fetch_proto.h"

enum repo_want {
        REPO_REFRESH = 1, /* PAPERS: all that is trusted, and the rollouts of these bundles */
        REPO_TARGET,      /* a bundle: MANIFEST, MEMBER... */
};

enum repo_given {
        REPO_SPOOL,
        REPO_ANCHOR, /* with REPO_REFRESH */
        REPO_CA,
        REPO_CERTIFICATE,
        REPO_KEY,
        REPO_TOKEN,
        REPO_SSH_KEY,
        REPO_KNOWN_HOSTS,
        REPO_GIVEN_COUNT
};

enum repo_string {
        REPO_URL,
        REPO_BRANCH,
        REPO_PROXY,
        REPO_USER, /* whose password the token is */
        REPO_SPOOL_PATH,
        REPO_RING,
        REPO_FILE, /* below targets/, with REPO_TARGET */
        REPO_STRING_COUNT
};

struct repo_start {
        uint32_t want, kind; /* enum repo_want, enum transport_kind */
        uint32_t given;      /* bits 1 << REPO_... */
        uint32_t n_bundles;
        uint32_t uid, gid;
        uint32_t timeout_ms, low_speed_s;
        uint64_t max_poll; /* bytes received in all */
        uint64_t max_archive, max_content, max_members;
        int64_t now;                  /* verification time */
        uint8_t content[SHA256_SIZE]; /* of the bundle */
};
#define REPO_PACKET_MAX (64 * 1024)
#define REPO_BUNDLES_MAX 64
