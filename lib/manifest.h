/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest: the signed description of a bundle (`_type` "lsm-bundle", format 1; docs/bundle-format.md).
 * Its content id, the SHA-256 of the canonical signed bytes, names the bundle in the journal, the quarantine and status;
 * adding a signature does not change it.
 */
#pragma once

#include "digest.h"
#include "json.h"

#define MANIFEST_TYPE "lsm-bundle"
#define MANIFEST_FORMAT 1
#define MANIFEST_MAX (1u << 20)
#define MEMBERS_MAX 4096
#define POLICIES_MAX 256
#define POLICY_PROGRAMS_MAX 64
#define POLICY_MAPS_MAX 64

#define MANIFEST_PATH "manifest.json"
#define SELFTESTS_PATH "selftests.json"

enum policy_mode { MODE_ENFORCE, MODE_AUDIT };

struct manifest_member { /* every member of the archive but manifest.json, in the archive's order */
        char *path;
        uint64_t length;
        uint8_t sha256[SHA256_SIZE];
};

struct manifest_map { /* the author's maps; the chain's own maps are not listed */
        char *name;
        char *type; /* "hash", "array", ... (libbpf's names) */
        uint32_t key_size, value_size, max_entries;
        ssize_t seed; /* index of its member, seeds/POLICY.NAME.bin: whole records that fit; -1: starts empty */
};

struct manifest_program {
        char *name;    /* the function in the object */
        char *hook;    /* LSM hook without the bpf_lsm_ prefix */
        bool optional; /* left out where the kernel has no such hook */
};

struct manifest_policy {
        char *name;
        size_t object; /* index of its member, objects/NAME.bpf.o */
        enum policy_mode mode;
        bool scoped; /* in force for some cgroups alone; which, its own maps tell */
        bool plain;  /* an ordinary libbpf program, not built with lsm_policy.h */
        struct manifest_program *programs;
        size_t n_programs;
        struct manifest_map *maps;
        size_t n_maps;
};

struct manifest {
        json_t *doc; /* the whole document, for what is only shown (provenance, requirements) */
        char *name, *version;
        uint64_t release;
        uint32_t abi; /* LSM_ABI the objects were compiled against */
        struct manifest_policy *policies;
        size_t n_policies;
        struct manifest_member *members;
        size_t n_members;
        ssize_t selftests; /* index of selftests.json, which is always there */
        uint8_t content_id[SHA256_SIZE];
        char content_hex[SHA256_HEX];
};

/* p: the canonical signed bytes, already verified (or, for `inspect`, known not to be). Everything is checked: names, paths,
 * counts; that every reference points at a listed member of the right kind and every object and seed is referred to once; that
 * members are in canonical order; that a hook has at most LSM_CHAIN_MAX policies, one program each, and a plain one only last.
 * Members that this format does not know are left to `doc`; a scope of a policy that has no maps for it is refused
 * (unsupported-format): enforcing it on the whole node would not be what was signed; so is an optional program other than those
 * of the engine for which hook_optional_beside() knows another: less would be enforced than was signed. */
int manifest_parse(const void *p, size_t n, struct manifest **ret, struct err *err);
void manifest_free(struct manifest *m);
static inline void manifest_free_p(struct manifest **m) {
        manifest_free(*m);
}
#define cleanup_manifest cleanup(manifest_free_p)

/* What `lsmbundle` calls the policy that it makes of a bundle's rules. */
#define ENGINE_POLICY "rules"
/* Is it the engine of the bundle's rules, to which the node tells what only it knows (lsm_rules_abi.h)? */
bool policy_is_engine(const struct manifest_policy *p);
/* The hook that the engine has to ask as well, so that it may do without `hook`: kernels without the one ask all of it by the
 * other. NULL: no program on `hook` may be optional. */
const char *hook_optional_beside(const char *hook);

/* Safe member path: relative, no empty, "." or ".." component, printable ASCII without backslash, at most 255 bytes. (Beyond
 * ASCII, what a tar member is called would depend on the reader's locale.) */
bool member_path_safe(const char *path);
/* Semantic version 2.0.0. */
bool version_valid(const char *version);
/* [a-z_][a-z0-9_]*, at most 63 bytes. */
bool hook_valid(const char *hook);
/* A C identifier of at most 127 bytes: programs and maps. */
bool identifier_valid(const char *name);
