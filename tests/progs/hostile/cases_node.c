/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles that are in order as bundles: signed, complete, every digest as listed. What is wrong with them only a node can see, because
 * it looks into the objects, knows what it has in force, or because its kernel says so. Each has a release number of its own: what
 * a node has refused once, it remembers by number.
 */
#include <elf.h>
#include <stdio.h>

#include "forge.h"

#define OBJECT 1 /* the members' order */
#define SEED 2

/* A case in the making: a manifest, and perhaps one member that is another one. */
struct draft {
        json_t *doc;
        size_t which; /* SIZE_MAX: all members as they were */
        struct buf data;
};

static int next_release(const struct forge *f) {
        return 100 + (int)ftell(f->table); /* the table only grows */
}

static struct draft draft_begin(const struct forge *f) {
        struct draft d = {.doc = json_deep_copy(f->doc), .which = SIZE_MAX};

        json_object_set_new(d.doc, "release", json_integer(next_release(f)));
        return d;
}

static json_t *policy(struct draft *d) {
        return json_array_get(json_object_get(d->doc, "policies"), 0);
}

/* Member `which` becomes what it was, or n bytes of p: to be changed in d->data. */
static void draft_member(const struct forge *f, struct draft *d, size_t which, const void *p, size_t n) {
        d->which = which;
        must(buf_append(&d->data, p ? p : f->members[which].data, p ? n : f->members[which].len) == 0);
}

static void draft_put(struct forge *f, struct draft *d, const char *name, const char *reason, enum where where) {
        cleanup_buf struct buf text = {}, manifest = {}, first = {}, tar = {}, archive = {};
        char hex[SHA256_HEX];

        if (d->which != SIZE_MAX) {
                json_t *listed = json_array_get(json_object_get(d->doc, "members"), d->which);

                digest_hex(d->data.data, d->data.len, hex);
                json_object_set_new(listed, "length", json_integer((json_int_t)d->data.len));
                json_object_set_new(listed, "sha256", json_string(hex));
        }
        canonical_put(&text, d->doc);
        envelope_put_plain(f, &manifest, &text);
        manifest_tar_put(&first, &manifest);
        for (size_t i = 0; i < f->n; i++) {
                const char *path =
                        json_string_value(json_object_get(json_array_get(json_object_get(d->doc, "members"), i), "path"));

                if (i == d->which)
                        tar_file_put(&tar, path, d->data.data, d->data.len);
                else
                        tar_file_put(&tar, path, f->members[i].data, f->members[i].len);
        }
        tar_end_put(&tar);
        frame_put(&archive, first.data, first.len);
        frame_put(&archive, tar.data, tar.len);
        case_put(f, name, reason, where, "test", &archive);
        json_decref(d->doc);
        buf_done(&d->data);
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

static void object_is(struct forge *f, const char *name, const char *reason, const void *p, size_t n) {
        struct draft d = draft_begin(f);

        draft_member(f, &d, OBJECT, p, n);
        draft_put(f, &d, name, reason, ON_LOAD);
}

/* Every `find` in the object becomes `replace`, of the same length: names of sections, of symbols, in BTF. */
static void object_with(struct forge *f, const char *name, const char *reason, const char *find, const char *replace, size_t n) {
        struct draft d = draft_begin(f);
        size_t found = 0;
        char *at;

        draft_member(f, &d, OBJECT, NULL, 0);
        at = d.data.data;
        while ((at = memmem(at, (size_t)(d.data.data + d.data.len - at), find, n))) {
                memcpy(at, replace, n);
                at += n;
                found++;
        }
        must(found > 0);
        draft_put(f, &d, name, reason, ON_LOAD);
}
#define object_with(f, name, reason, find, replace)                                    \
        do {                                                                           \
                _Static_assert(sizeof(find) == sizeof(replace), "of the same length"); \
                object_with(f, name, reason, find, replace, sizeof(find) - 1);         \
        } while (0)

static void objects(struct forge *f) {
        const struct bundle_member *object = &f->members[OBJECT];
        struct draft d;

        object_is(f, "load-object-empty", "malformed", "", 0);
        object_is(f, "load-object-text", "malformed", "#!/bin/sh\nreboot\n", 17);
        object_is(f, "load-object-cut", "malformed", object->data, object->len / 2);
        object_is(f, "load-object-header-alone", "malformed", object->data, sizeof(Elf64_Ehdr));

        d = draft_begin(f);
        draft_member(f, &d, OBJECT, NULL, 0);
        ((Elf64_Ehdr *)d.data.data)->e_machine = EM_X86_64;
        draft_put(f, &d, "load-object-of-another-machine", "malformed", ON_LOAD);
        d = draft_begin(f);
        draft_member(f, &d, OBJECT, NULL, 0);
        ((Elf64_Ehdr *)d.data.data)->e_shoff = 1ULL << 40;
        draft_put(f, &d, "load-object-sections-beyond-the-end", "malformed", ON_LOAD);

        /* Elsewhere than signed: another hook, another kind of program. */
        object_with(f, "load-program-on-another-hook", "malformed", "lsm/file_open", "lsm/file_lock");
        object_with(f, "load-program-of-another-kind", "malformed", "lsm/file_open", "fentry/vfs_x1");
        object_with(f, "load-program-of-no-kind", "malformed", "lsm/file_open", "xxx/file_open");
        object_with(f, "load-not-for-the-chain", "unsupported-format", "lsm_config", "lsm_c0nfig");
        object_with(f, "load-licence", "verifier-rejected", "\0GPL\0", "\0MIT\0");
}

/* ---- objects and manifest do not agree ---------------------------------------------------------------------------------------- */

static void disagreements(struct forge *f) {
        struct draft d;
        json_t *map;

        d = draft_begin(f);
        json_array_remove(json_object_get(policy(&d), "programs"), 1);
        draft_put(f, &d, "load-program-not-listed", "malformed", ON_LOAD);

        d = draft_begin(f);
        json_object_set_new(json_array_get(json_object_get(policy(&d), "programs"), 0), "name", json_string("lsm_file_close"));
        draft_put(f, &d, "load-program-not-there", "malformed", ON_LOAD);

        d = draft_begin(f);
        json_object_set_new(json_array_get(json_object_get(policy(&d), "programs"), 0), "name", json_string("lsm_socket_create"));
        json_object_set_new(json_array_get(json_object_get(policy(&d), "programs"), 1), "name", json_string("lsm_file_open"));
        draft_put(f, &d, "load-programs-exchanged", "malformed", ON_LOAD);

        /* 66 bytes are 3 records of 22 as they are 2 of 33. */
        d = draft_begin(f);
        map = json_array_get(json_object_get(policy(&d), "maps"), 0);
        json_object_set_new(map, "key_size", json_integer(21));
        draft_put(f, &d, "load-map-of-another-size", "malformed", ON_LOAD);

        d = draft_begin(f);
        map = json_array_get(json_object_get(policy(&d), "maps"), 0);
        json_object_set_new(map, "name", json_string("absent"));
        json_object_set_new(map, "seed", json_string("seeds/guard.absent.bin"));
        json_object_set_new(json_array_get(json_object_get(d.doc, "members"), SEED), "path",
                            json_string("seeds/guard.absent.bin"));
        draft_put(f, &d, "load-map-not-there", "malformed", ON_LOAD);

        /* More records than the object's map has room for, though not more than the manifest says. */
        d = draft_begin(f);
        map = json_array_get(json_object_get(policy(&d), "maps"), 0);
        json_object_set_new(map, "max_entries", json_integer(1000));
        draft_member(f, &d, SEED, NULL, 0);
        d.data.len = 0;
        for (int i = 0; i < 65; i++) {
                char record[33];

                memset(record, 0, sizeof(record));
                snprintf(record, 32, "name-%d", i);
                must(buf_append(&d.data, record, sizeof(record)) == 0);
        }
        draft_put(f, &d, "load-seed-larger-than-the-map", "malformed", ON_LOAD);
}

/* ---- self-tests, releases -------------------------------------------------------------------------------------------------- */

static void selftests(struct forge *f, const char *name, const char *reason, const char *text) {
        struct draft d = draft_begin(f);

        draft_member(f, &d, 0, text, strlen(text));
        draft_put(f, &d, name, reason, ON_LOAD);
}

void cases_node(struct forge *f) {
        struct draft d;

        objects(f);
        disagreements(f);
        selftests(f, "load-selftests-text", "malformed", "all is well\n");
        selftests(f, "load-selftests-of-another-type", "wrong-type", "{\"_type\":\"lsm-bundle\",\"format\":1,\"tests\":[]}");
        selftests(f, "load-selftests-newer", "unsupported-format", "{\"_type\":\"lsm-selftests\",\"format\":2,\"tests\":[]}");

        d = draft_begin(f);
        json_object_set_new(d.doc, "abi", json_integer(LSM_ABI + 1));
        draft_put(f, &d, "node-abi-newer", "unsupported-format", ON_NODE);
        /* Release 1 is in force, and was signed with another content. */
        d = draft_begin(f);
        json_object_set_new(d.doc, "release", json_integer(1));
        draft_put(f, &d, "node-release-reused", "release-reused", ON_NODE);
}
