/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a disk may hold after a power cut: replays a trace of disktrace up to a record, and makes the folder as it may then be
 * found. What was not synced may be there or not:
 *
 *      powercut TRACE count                    how many records there are
 *      powercut TRACE N MODE FOLDER            the folder after N of them; it must not exist
 *
 *      lost     nothing that was not synced: neither bytes (fsync of the file) nor names (fsync of the folder)
 *      kept     all of it: what a killed process leaves
 *      names    names without their bytes: the empty file after a rename
 *      zeros    the same, but the file has its length
 *      bytes    bytes without the names
 *      mixN     each name and each file by a throw of the dice, N is where it begins
 *      nosync   as `lost`, with a disk on which fsync does nothing: to see that a test would notice
 *      nofsync  as `names`, with one on which it does nothing to files
 *
 * A rename in one folder is one change. Modes and owners are never lost. The file "acted" in the folder itself always stays: it
 * stands for what others have seen the node do.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "disktrace.h"
#include "fileio.h"

#define TRACE_MAX (1u << 30)
#define WITNESS "acted"

struct item;
struct entry {
        const char *name;
        struct item *item; /* NULL: no such name */
};
struct change {
        struct entry e[2];
        size_t n;
};
struct item {
        bool folder;
        uint32_t mode, uid, gid;
        uint64_t ino;
        struct buf now, safe;  /* a file's bytes */
        struct entry *entries; /* a folder's synced names */
        size_t n_entries;
        struct change *changes; /* since then */
        size_t n_changes;
        struct item *next;
};
struct disk {
        struct item *items; /* newest first: numbers are used again */
        struct item *top;
        bool no_sync, no_file_sync;
        const char *mode;
        uint64_t dice;
};

static void *grown(void *p, size_t n, size_t size) {
        p = reallocarray(p, n + 1, size);
        if (!p)
                abort();
        return p;
}

static struct item *item_of(const struct disk *d, uint64_t ino) {
        for (struct item *i = d->items; i; i = i->next)
                if (i->ino == ino)
                        return i;
        return NULL;
}

static void entry_set(struct entry **list, size_t *n, struct entry e) {
        for (size_t i = 0; i < *n; i++)
                if (streq((*list)[i].name, e.name)) {
                        (*list)[i] = e;
                        return;
                }
        *list = grown(*list, *n, sizeof(e));
        (*list)[(*n)++] = e;
}

static void changes_apply(struct item *folder) {
        for (size_t i = 0; i < folder->n_changes; i++)
                for (size_t k = 0; k < folder->changes[i].n; k++)
                        entry_set(&folder->entries, &folder->n_entries, folder->changes[i].e[k]);
        folder->n_changes = 0;
}

static void folder_change(struct item *folder, struct change c) {
        if (!folder)
                return;
        folder->changes = grown(folder->changes, folder->n_changes, sizeof(c));
        folder->changes[folder->n_changes++] = c;
}

static struct item *name_find(const struct item *folder, const char *name) {
        struct item *found = NULL;

        for (size_t i = 0; i < folder->n_entries; i++)
                if (streq(folder->entries[i].name, name))
                        found = folder->entries[i].item;
        for (size_t i = 0; i < folder->n_changes; i++)
                for (size_t k = 0; k < folder->changes[i].n; k++)
                        if (streq(folder->changes[i].e[k].name, name))
                                found = folder->changes[i].e[k].item;
        return found;
}

static void item_sync(struct item *i) {
        changes_apply(i);
        i->safe.len = 0;
        if (buf_append(&i->safe, i->now.data, i->now.len) < 0)
                abort();
}

/* ---- replaying -------------------------------------------------------------------------------------------------------- */

static void bytes_set(struct item *i, uint64_t off, const void *data, size_t n) {
        static const char zero[4096];

        while (i->now.len < off + n)
                if (buf_append(&i->now, zero, off + n - i->now.len < sizeof(zero) ? off + n - i->now.len : sizeof(zero)) < 0)
                        abort();
        if (n)
                memcpy(i->now.data + off, data, n);
}

static void item_new(struct disk *d, const struct disk_record *r, const char *name) {
        struct item *i = calloc(1, sizeof(*i));

        if (!i)
                abort();
        *i = (struct item){.folder = r->kind == DISK_FOLDER, .ino = r->ino, .next = d->items};
        d->items = i;
        if (r->dir)
                folder_change(item_of(d, r->dir), (struct change){.e = {{name, i}}, .n = 1});
        else
                d->top = i;
}

static void rename_replay(struct disk *d, const struct disk_record *r, const char *name, const char *name2) {
        struct item *from = item_of(d, r->dir), *what = from ? name_find(from, name) : NULL;

        if (r->dir == r->dir2) {
                folder_change(from, (struct change){.e = {{name, NULL}, {name2, what}}, .n = 2});
                return;
        }
        folder_change(from, (struct change){.e = {{name, NULL}}, .n = 1});
        folder_change(item_of(d, r->dir2), (struct change){.e = {{name2, what}}, .n = 1});
}

static void replay(struct disk *d, const struct disk_record *r, const char *name, const char *name2, const char *data) {
        struct item *i = item_of(d, r->ino);

        switch (r->kind) {
        case DISK_FILE:
        case DISK_FOLDER:
                item_new(d, r, name);
                i = d->items;
                break;
        case DISK_WRITE:
                if (i)
                        bytes_set(i, (uint64_t)r->off, data, r->data_len);
                return;
        case DISK_TRUNCATE:
                if (i)
                        bytes_set(i, (uint64_t)r->off, NULL, 0);
                if (i)
                        i->now.len = (size_t)r->off;
                return;
        case DISK_RENAME:
                rename_replay(d, r, name, name2);
                return;
        case DISK_LINK:
                folder_change(item_of(d, r->dir2), (struct change){.e = {{name2, i}}, .n = 1});
                return;
        case DISK_UNLINK:
                folder_change(item_of(d, r->dir), (struct change){.e = {{name, NULL}}, .n = 1});
                return;
        case DISK_SYNC:
                if (i && !d->no_sync && !(d->no_file_sync && !i->folder))
                        item_sync(i);
                return;
        case DISK_BEGIN:
        case DISK_SYNC_ALL:
                for (struct item *k = d->items; k && !(d->no_sync && r->kind == DISK_SYNC_ALL); k = k->next)
                        item_sync(k);
                return;
        default:
                break;
        }
        if (i) {
                i->mode = r->mode;
                i->uid = r->uid;
                i->gid = r->gid;
        }
}

/* ---- what is found ---------------------------------------------------------------------------------------------------- */

static bool dice(struct disk *d) {
        d->dice = d->dice * 6364136223846793005u + 1442695040888963407u;
        return d->dice >> 63;
}

static bool is(const struct disk *d, const char *mode) {
        return streq(d->mode, mode);
}

static int file_make(struct disk *d, struct item *i, int dir, const char *name, bool witness) {
        cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        const struct buf *b = &i->safe;

        if (witness || is(d, "kept") || is(d, "bytes") || (strncmp(d->mode, "mix", 3) == 0 && dice(d)))
                b = &i->now;
        if (fd < 0 || fd_write_all(fd, b->data, b->len) < 0)
                return -1;
        if (is(d, "zeros") && !witness &&
            (i->safe.len != i->now.len || (i->now.len && memcmp(i->safe.data, i->now.data, i->now.len) != 0)) &&
            (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)i->now.len) < 0))
                return -1;
        return fchmod(fd, i->mode & 07777) < 0 || (geteuid() == 0 && fchown(fd, i->uid, i->gid) < 0) ? -1 : 0;
}

static int folder_make(struct disk *d, struct item *i, int dir, const char *name) {
        cleanup_fd int fd = -1;
        bool all = is(d, "kept") || is(d, "names") || is(d, "zeros"), some = strncmp(d->mode, "mix", 3) == 0;
        struct item seen = *i;
        int r = 0;

        seen.entries = NULL;
        seen.n_entries = 0;
        for (size_t k = 0; k < i->n_entries; k++)
                entry_set(&seen.entries, &seen.n_entries, i->entries[k]);
        for (size_t k = 0; k < i->n_changes; k++) {
                bool witness = i == d->top && streq(i->changes[k].e[0].name, WITNESS);

                if (witness || all || (some && dice(d)))
                        for (size_t e = 0; e < i->changes[k].n; e++)
                                entry_set(&seen.entries, &seen.n_entries, i->changes[k].e[e]);
        }
        if (mkdirat(dir, name, 0700) < 0)
                return -1;
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t k = 0; r == 0 && k < seen.n_entries; k++) {
                const struct entry *e = &seen.entries[k];

                if (e->item)
                        r = e->item->folder ? folder_make(d, e->item, fd, e->name)
                                            : file_make(d, e->item, fd, e->name, i == d->top && streq(e->name, WITNESS));
        }
        free(seen.entries);
        return r < 0 || fchmod(fd, i->mode & 07777) < 0 || (geteuid() == 0 && fchown(fd, i->uid, i->gid) < 0) ? -1 : 0;
}

/* The next record; false at the end. Names get a NUL of their own, and stay. */
static bool record_next(const struct buf *trace, size_t *at, struct disk_record *r, char **name, char **name2,
                        const char **data) {
        if (trace->len - *at < sizeof(*r))
                return false;
        memcpy(r, trace->data + *at, sizeof(*r));
        *at += sizeof(*r);
        if (trace->len - *at < (size_t)r->name_len + r->name2_len + r->data_len)
                return false;
        *name = strndup(trace->data + *at, r->name_len);
        *name2 = strndup(trace->data + *at + r->name_len, r->name2_len);
        *data = trace->data + *at + r->name_len + r->name2_len;
        *at += (size_t)r->name_len + r->name2_len + r->data_len;
        return *name && *name2;
}

int main(int argc, char **argv) {
        struct disk d = {};
        cleanup_buf struct buf trace = {};
        struct disk_record r;
        struct err err = {};
        char *name, *name2;
        const char *data;
        size_t at = 0, n = 0, stop;
        bool begun = false;

        if ((argc != 3 || !streq(argv[2], "count")) && argc != 5) {
                fputs("usage: powercut TRACE count | TRACE N MODE FOLDER\n", stderr);
                return 2;
        }
        if (file_read(AT_FDCWD, argv[1], TRACE_MAX, &trace, &err) < 0) {
                fprintf(stderr, "powercut: %s\n", err.msg);
                return 1;
        }
        stop = argc == 5 ? strtoul(argv[2], NULL, 10) : SIZE_MAX;
        d.no_sync = argc == 5 && streq(argv[3], "nosync");
        d.no_file_sync = argc == 5 && streq(argv[3], "nofsync");
        d.mode = argc != 5 || d.no_sync ? "lost" : d.no_file_sync ? "names" : argv[3];
        d.dice = strncmp(d.mode, "mix", 3) == 0 ? strtoul(d.mode + 3, NULL, 10) * 2654435761u + stop : 0;
        while ((!begun || n < stop) && record_next(&trace, &at, &r, &name, &name2, &data)) {
                replay(&d, &r, name, name2, data);
                n += begun;
                begun |= r.kind == DISK_BEGIN;
        }
        if (argc == 3) {
                printf("%zu\n", n);
                return 0;
        }
        if (!d.top || !begun || n < stop || folder_make(&d, d.top, AT_FDCWD, argv[4]) < 0) {
                fprintf(stderr, "powercut: %s: %s\n", argv[4], n < stop ? "there are not so many records" : strerror(errno));
                return 1;
        }
        return 0;
}
