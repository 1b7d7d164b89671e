/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names from the journals and the store. Only the signed bytes are read, and only when their SHA-256 is the content id that the
 * journal recorded after verification; nothing is decided by what is read here.
 */
#include <stdio.h>

#include "bpffs.h"
#include "event_names.h"
#include "fileio.h"
#include "folder.h"
#include "store_format.h"

static int manifest_open(int state_fd, const char *content_hex, struct err *err) {
        cleanup_fd int store = -1, folder = -1;

        store = folder_open(state_fd, STORE_FOLDER, false, err);
        if (store < 0)
                return store;
        folder = folder_open(store, content_hex, false, err);
        return folder < 0 ? folder : regular_open(folder, STORE_SIGNED, err);
}

static int add_stored(struct event_names *t, int state_fd, const char *content_hex, struct err *err) {
        cleanup_manifest struct manifest *m = NULL;
        cleanup_buf struct buf bytes = {0};
        uint8_t wanted[SHA256_SIZE], found[SHA256_SIZE];
        cleanup_fd int fd = -1;
        int r;

        if (hex_decode(content_hex, wanted, sizeof(wanted)) < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not a content id");
        fd = manifest_open(state_fd, content_hex, err);
        if (fd < 0)
                return fd;
        r = fd_read_all(fd, MANIFEST_MAX, &bytes, err);
        if (r < 0)
                return r;
        r = sha256(bytes.data, bytes.len, found);
        if (r < 0)
                return err_errno(err, r, "SHA-256");
        if (memcmp(found, wanted, sizeof(found)) != 0)
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, STORE_FOLDER "/%s is damaged", content_hex);
        r = manifest_parse(bytes.data, bytes.len, &m, err);
        return r < 0 ? r : event_names_add(t, m, err);
}

int event_names_add_journal(struct event_names *t, int state_fd, const struct journal *j, struct err *err) {
        const struct journal_gen *const gens[] = {&j->previous, &j->confirmed, &j->staged};
        int first = 0;

        for (size_t i = 0; i < ARRAY_SIZE(gens); i++)
                if (gens[i]->present) {
                        int r = add_stored(t, state_fd, gens[i]->content_hex, first < 0 ? NULL : err);

                        if (r < 0 && first == 0)
                                first = err_wrap(err, r, "release %llu of '%s'", (unsigned long long)gens[i]->release, j->bundle);
                }
        return first;
}

int event_names_add_bake(struct event_names *t, int state_fd, const struct bake_record *b, struct err *err) {
        int r = b->present ? add_stored(t, state_fd, b->content_hex, err) : 0;

        return r < 0 ? err_wrap(err, r, "release %llu, which bakes", (unsigned long long)b->release) : 0;
}

/* Calls `add` for every bundle of a list. Goes on past failures; returns the first. */
static int load_listed(struct event_names *t, int state_fd, int (*list)(int, char ***, size_t *, struct err *),
                       int (*add)(struct event_names *, int, const char *, struct err *), struct err *err) {
        char **bundles;
        int first = 0, r;
        size_t n;

        r = list(state_fd, &bundles, &n, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = add(t, state_fd, bundles[i], first < 0 ? NULL : err);
                if (r < 0 && first == 0)
                        first = r;
        }
        strings_free(bundles, n);
        return first;
}

static int add_journal(struct event_names *t, int state_fd, const char *bundle, struct err *err) {
        struct journal j;
        int r = journal_load(state_fd, bundle, &j, err);

        return r < 0 ? r : event_names_add_journal(t, state_fd, &j, err);
}

static int add_bake(struct event_names *t, int state_fd, const char *bundle, struct err *err) {
        struct bake_record b;
        int r = bake_record_load(state_fd, bundle, &b, err);

        return r < 0 ? r : event_names_add_bake(t, state_fd, &b, err);
}

int event_names_load(struct event_names *t, int state_fd, struct err *err) {
        int first = load_listed(t, state_fd, bake_record_list, add_bake, err), r;

        r = load_listed(t, state_fd, journal_list, add_journal, first < 0 ? NULL : err);
        return first < 0 ? first : r;
}
