/* SPDX-License-Identifier: Apache-2.0 */
/* A small, valid, signed bundle for tests that move bundles about and never load one: its object is not BPF. */
#pragma once

#include <stdio.h>

#include "bundle.h"
#include "envelope.h"
#include "key.h"

#define MADE_MEMBERS_MAX 512

struct made_bundle {
        struct envelope env;
        struct bundle_member members[MADE_MEMBERS_MAX];
        size_t n;
};

static inline void made_must(bool ok) {
        if (!ok)
                abort();
}

static inline void made_bundle_done(struct made_bundle *b) {
        for (size_t i = 0; i < b->n; i++) {
                free((char *)b->members[i].path);
                free((char *)b->members[i].data);
        }
        envelope_done(&b->env);
        *b = (struct made_bundle){};
}

static inline void made_member_add(struct made_bundle *b, json_t *list, const char *path, size_t len, uint32_t seed) {
        char hex[SHA256_HEX], *data = malloc(len + 1), *name = strdup(path);
        uint8_t digest[SHA256_SIZE];

        made_must(b->n < MADE_MEMBERS_MAX && data && name);
        for (size_t i = 0; i < len; i++)
                data[i] = (char)((seed = seed * 1103515245u + 12345u) >> 16);
        made_must(sha256(data, len, digest) == 0);
        hex_encode(digest, sizeof(digest), hex);
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", path, "length", (json_int_t)len, "sha256", hex));
        b->members[b->n++] = (struct bundle_member){.path = name, .data = data, .len = len};
}

/* selftests.json, one object, and n_sources members of source_len bytes each; signed by each key. */
static inline void made_bundle_make(struct made_bundle *b, const char *type, size_t n_sources, size_t source_len,
                                    struct privkey *const *keys, size_t n_keys) {
        json_t *list = json_array(), *doc;
        char path[64];

        *b = (struct made_bundle){};
        made_member_add(b, list, SELFTESTS_PATH, 40, 1);
        made_member_add(b, list, "objects/sample.bpf.o", 5000, 2);
        for (size_t i = 0; i < n_sources; i++) {
                snprintf(path, sizeof(path), "sources/%04zu.yaml", i);
                made_member_add(b, list, path, source_len, i + 3);
        }
        doc = json_pack("{s:s, s:i, s:i, s:s, s:s, s:i, s:o, s:[{s:s, s:s, s:b, s:s, s:{}, s:[{s:s, s:s}], s:[]}],"
                        " s:{s:[], s:[], s:[]}, s:{s:s, s:s, s:i, s:[]}}",
                        "_type", type, "format", 1, "abi", 1, "name", "sample", "version", "1.2.3", "release", 7, "members", list,
                        "policies", "name", "sample", "object", "objects/sample.bpf.o", "plain", 0, "mode", "enforce", "scope",
                        "programs", "name", "deny", "hook", "file_open", "maps", "requires", "hooks", "helpers", "features",
                        "provenance", "commit", "0", "compiler", "none", "date", 0, "sources");
        made_must(doc && json_canonical(doc, &b->env.bytes, NULL) == 0);
        json_decref(doc);
        for (size_t i = 0; i < n_keys; i++)
                made_must(envelope_sign(&b->env, keys[i], NULL) == 0);
}
