/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets between the supervisor and its fetcher: the same program on both sides, so plain structs. What comes from the
 * fetcher is hostile: it has read the network.
 */
#pragma once

#include "key.h"
#include "sandbox.h"

/* To the fetcher: one packet, struct fetch_start and then NUL-terminated strings: url, etag, last_modified, proxy (empty:
 * none), and the PEM text of each trusted key. The descriptors that `given` names come along, in the order of this enum. */
enum fetch_given { GIVEN_INPUT, GIVEN_CA, GIVEN_CERTIFICATE, GIVEN_KEY, GIVEN_TOKEN, GIVEN_COUNT };

struct fetch_start {
        uint32_t given; /* bits 1 << GIVEN_... */
        uint32_t n_keys;
        uint64_t threshold;
        uint64_t max_archive, max_content, max_members;
        uint32_t timeout_ms, low_speed_s;
        uint32_t uid, gid;
};
#define FETCH_PACKET_MAX (64 * 1024)

/* From the fetcher: SANDBOXED; then FAILED or NOT_MODIFIED, or else MANIFEST, one MEMBER each in the manifest's order, DONE. */
enum fetch_message {
        FETCH_SANDBOXED = 1,
        FETCH_MANIFEST, /* with two sealed memfds: the canonical signed bytes; an array of struct fetch_signature */
        FETCH_MEMBER,   /* with one sealed memfd */
        FETCH_PAPERS,   /* instead of a bundle, with one sealed memfd: packed papers (papers.h) */
        FETCH_DONE,     /* with the validators, and what it took */
        FETCH_NOT_MODIFIED,
        FETCH_FAILED, /* with reason, text, retry_after_s, http_status */
};

struct fetch_signature {
        uint8_t keyid[SHA256_SIZE];
        uint32_t len;
        uint8_t sig[SIG_MAX];
};

/* What a poll has cost. */
struct fetch_stats {
        uint32_t requests;
        uint64_t received; /* bytes */
};

struct fetch_packet {
        uint32_t message;
        uint32_t member;
        struct sandbox_report sandbox;
        int32_t retry_after_s, http_status;
        struct fetch_stats stats;
        char reason[32];
        char text[1024];
        char etag[256], last_modified[256];
};
