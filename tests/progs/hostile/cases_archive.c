/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest is good and signed. What does not fit are the members: which there are, where they stand, of what kind and name. */
#include "forge.h"

/* ---- which, and where ----------------------------------------------------------------------------------------------- */

static void one_more(struct forge *f, const char *name, size_t at, const char *path, const char *reason) {
        cleanup_buf struct buf tar = {};

        members_put(f, &tar, 0, at);
        tar_file_put(&tar, path, "x", 1);
        members_put(f, &tar, at, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, reason, &tar);
}

static void again(struct forge *f, const char *name, size_t at, size_t which) {
        cleanup_buf struct buf tar = {};

        members_put(f, &tar, 0, at);
        members_put(f, &tar, which, which + 1);
        members_put(f, &tar, at, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, "duplicate-member", &tar);
}

static void without(struct forge *f, size_t which) {
        cleanup_buf struct buf tar = {};
        char name[64];

        snprintf(name, sizeof(name), "missing-%zu", which);
        members_put(f, &tar, 0, which);
        members_put(f, &tar, which + 1, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, "missing-member", &tar);
}

static void swapped(struct forge *f, const char *name, size_t a, size_t b) {
        cleanup_buf struct buf tar = {};

        for (size_t i = 0; i < f->n; i++) {
                size_t which = i == a ? b : i == b ? a : i;

                members_put(f, &tar, which, which + 1);
        }
        tar_end_put(&tar);
        case_put_tar(f, name, "wrong-order", &tar);
}

static void which_and_where(struct forge *f) {
        cleanup_buf struct buf nothing = {}, manifest = {}, tar = {};
        char renamed[256];

        one_more(f, "unlisted-first", 0, "sources/extra", "unlisted-member");
        one_more(f, "unlisted-object", 2, "objects/extra.bpf.o", "unlisted-member");
        one_more(f, "unlisted-last", f->n, "sources/extra", "unlisted-member");
        snprintf(renamed, sizeof(renamed), "%sx", f->members[1].path);
        one_more(f, "unlisted-longer-name", 1, renamed, "unlisted-member");

        again(f, "twice-in-a-row", 1, 0);
        again(f, "twice-object-at-the-end", f->n, 1);
        one_more(f, "twice-with-other-content", 2, f->members[1].path, "duplicate-member");
        one_more(f, "twice-manifest", f->n, MANIFEST_PATH, "duplicate-member");

        for (size_t i = 0; i < f->n; i++)
                without(f, i);
        tar_end_put(&nothing);
        case_put_tar(f, "missing-all", "missing-member", &nothing);

        swapped(f, "order-first-two", 0, 1);
        swapped(f, "order-last-two", f->n - 2, f->n - 1);
        swapped(f, "order-first-and-last", 0, f->n - 1);

        /* The first frame begins with something else. */
        tar_file_put(&tar, SELFTESTS_PATH, "x", 1);
        frame_put(&manifest, tar.data, tar.len);
        frame_put(&manifest, tar.data, tar.len);
        case_put(f, "missing-manifest", "missing-member", BOTH, "test", &manifest);
}

/* ---- how long -------------------------------------------------------------------------------------------------------- */

/* Member `which` with `stated` bytes in its header and `n` bytes behind it. */
static void length(struct forge *f, const char *name, const char *reason, size_t which, size_t stated, size_t n) {
        cleanup_buf struct buf tar = {}, data = {};

        must(buf_append(&data, f->members[which].data, f->members[which].len) == 0);
        while (data.len < n)
                must(buf_append(&data, "x", 1) == 0);
        members_put(f, &tar, 0, which);
        tar_header_put(&tar, &(struct tar_header){.path = f->members[which].path, .size = stated});
        tar_data_put(&tar, data.data, n);
        members_put(f, &tar, which + 1, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, reason, &tar);
}

static void lengths(struct forge *f) {
        size_t n = f->members[1].len;

        length(f, "longer-by-one", "length-mismatch", 1, n + 1, n + 1);
        length(f, "longer-by-a-block", "length-mismatch", 1, n + BLOCK, n + BLOCK);
        length(f, "shorter-by-one", "length-mismatch", 1, n - 1, n - 1);
        length(f, "shorter-empty", "length-mismatch", 1, 0, 0);
        length(f, "longer-than-empty", "length-mismatch", 3, 1, 1);
        length(f, "longer-than-its-header", "malformed", 1, n, n + BLOCK); /* so the next header is none */
}

/* ---- of what kind ----------------------------------------------------------------------------------------------------- */

/* Member 2 is of this kind; content follows where that kind has some. */
static void kind(struct forge *f, const char *name, char type, const char *link, bool content) {
        const struct bundle_member *m = &f->members[2];
        cleanup_buf struct buf tar = {};

        members_put(f, &tar, 0, 2);
        tar_header_put(&tar, &(struct tar_header){.path = m->path, .type = type, .link = link, .size = content ? m->len : 0});
        if (content)
                tar_data_put(&tar, m->data, m->len);
        members_put(f, &tar, 3, f->n);
        tar_end_put(&tar);
        case_put_tar(f, name, "not-a-file", &tar);
}

static void manifest_kind(struct forge *f, const char *name, char type, const char *link) {
        cleanup_buf struct buf tar = {}, archive = {};

        tar_header_put(&tar, &(struct tar_header){.path = MANIFEST_PATH, .type = type, .link = link});
        frame_put(&archive, tar.data, tar.len);
        frame_put(&archive, tar.data, tar.len);
        case_put(f, name, "not-a-file", BOTH, "test", &archive);
}

static void kinds(struct forge *f) {
        kind(f, "kind-symlink", '2', "/etc/shadow", false);
        kind(f, "kind-symlink-inside", '2', "guard.bpf.o", false);
        kind(f, "kind-hardlink", '1', f->members[1].path, false);
        kind(f, "kind-hardlink-with-content", '1', f->members[1].path, true);
        kind(f, "kind-hardlink-outside", '1', "/etc/shadow", false);
        kind(f, "kind-character-device", '3', NULL, false);
        kind(f, "kind-block-device", '4', NULL, false);
        kind(f, "kind-folder", '5', NULL, false);
        kind(f, "kind-fifo", '6', NULL, false);
        manifest_kind(f, "kind-manifest-symlink", '2', "/etc/passwd");
        manifest_kind(f, "kind-manifest-folder", '5', NULL);
}

/* ---- of what name ------------------------------------------------------------------------------------------------------ */

static void paths(struct forge *f) {
        static const struct {
                const char *name, *path;
        } bad[] = {
                {"path-up", "../selftests.json"},
                {"path-up-within", "sources/../../etc/cron.d/x"},
                {"path-up-at-the-end", "sources/.."},
                {"path-absolute", "/etc/cron.d/x"},
                {"path-dot", "./selftests.json"},
                {"path-dot-within", "objects/./guard.bpf.o"},
                {"path-double-slash", "objects//guard.bpf.o"},
                {"path-trailing-slash", "sources/"},
                {"path-backslash", "sources\\..\\x"},
                {"path-newline", "sources/a\nselftests.json"},
                {"path-escape", "sources/\x1b[2J"},
                {"path-del", "sources/a\x7f"},
                {"path-latin1", "sources/caf\xe9"},
                {"path-utf8", "sources/caf\xc3\xa9"},
                {"path-empty", ""},
        };
        cleanup_buf struct buf tar = {}, archive = {};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                one_more(f, bad[i].name, 1, bad[i].path, "unsafe-path");
        tar_file_put(&tar, "../manifest.json", "{}", 2);
        frame_put(&archive, tar.data, tar.len);
        case_put(f, "path-of-the-manifest", "unsafe-path", BOTH, "test", &archive);
}

void cases_archive(struct forge *f) {
        which_and_where(f);
        lengths(f);
        kinds(f);
        paths(f);
}
