/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten operations, each of another LSM hook: tried on what every release under the hammer denies, and on what none of them does.
 * tests/data/swap-rules writes the rules for them. Included by hammer.h.
 */
#pragma once

#include <errno.h>
#include <string.h>

struct hammer_place {
        char dir[32], file[40], new[40]; /* `file` is there, `new` is not */
        int type, protocol;              /* of a socket */
};

/* 0, and all is as it was; -1 with errno when it was not let through. */
typedef int hammer_op(const struct hammer_place *p);

static inline int hammer_read(const struct hammer_place *p) {
        int fd = open(p->file, O_RDONLY);

        return fd < 0 ? -1 : close(fd);
}
static inline int hammer_create(const struct hammer_place *p) {
        int fd = open(p->new, O_CREAT | O_EXCL | O_WRONLY, 0600);

        return fd < 0 || close(fd) < 0 ? -1 : unlink(p->new);
}
static inline int hammer_unlink(const struct hammer_place *p) {
        return unlink(p->file) < 0 ? -1 : close(open(p->file, O_CREAT | O_WRONLY, 0600));
}
static inline int hammer_rename(const struct hammer_place *p) {
        return rename(p->file, p->new) < 0 ? -1 : rename(p->new, p->file);
}
static inline int hammer_link(const struct hammer_place *p) {
        return link(p->file, p->new) < 0 ? -1 : unlink(p->new);
}
static inline int hammer_symlink(const struct hammer_place *p) {
        return symlink("file", p->new) < 0 ? -1 : unlink(p->new);
}
static inline int hammer_mkdir(const struct hammer_place *p) {
        return mkdir(p->new, 0700) < 0 ? -1 : rmdir(p->new);
}
static inline int hammer_chmod(const struct hammer_place *p) {
        return chmod(p->file, 0600);
}
static inline int hammer_truncate(const struct hammer_place *p) {
        return truncate(p->file, 0);
}
static inline int hammer_socket(const struct hammer_place *p) {
        int fd = socket(AF_INET, p->type, p->protocol);

        return fd < 0 ? -1 : close(fd);
}

static hammer_op *const hammer_ops[] = {hammer_read,    hammer_create, hammer_unlink, hammer_rename,   hammer_link,
                                        hammer_symlink, hammer_mkdir,  hammer_chmod,  hammer_truncate, hammer_socket};
#define HAMMER_OPS (sizeof(hammer_ops) / sizeof(*hammer_ops))

static inline struct hammer_place hammer_place_of(const char *name, bool closed) {
        struct hammer_place p = {.type = closed ? SOCK_RAW : SOCK_DGRAM, .protocol = closed ? IPPROTO_ICMP : 0};

        snprintf(p.dir, sizeof(p.dir), "/tmp/hammer/%s", name);
        snprintf(p.file, sizeof(p.file), "%s/file", p.dir);
        snprintf(p.new, sizeof(p.new), "%s/new", p.dir);
        return p;
}
static inline struct hammer_place hammer_closed(void) {
        return hammer_place_of("closed", true);
}
static inline struct hammer_place hammer_open(int i) {
        char name[] = "open0";

        name[sizeof(name) - 2] += (char)i;
        return hammer_place_of(name, false);
}

static inline void hammer_place_make(struct hammer_place p) {
        mkdir(p.dir, 0755);
        close(open(p.file, O_CREAT | O_WRONLY, 0644));
}

/* Each thing once. Nobody may do anything in the one place, each of the processes everything in one of its own. */
static inline void hammer_operations_try(struct hammer *h, int i) {
        const struct hammer_place closed = hammer_closed(), open = hammer_open(i);

        for (size_t op = 0; op < HAMMER_OPS; op++) {
                h->of[i].tries++;
                if (hammer_ops[op](&closed) == 0)
                        h->of[i].leaks++;
                else if (errno != EACCES)
                        h->of[i].wrong++;
                if (hammer_ops[op](&open) < 0)
                        h->of[i].wrong++;
        }
}

static inline void hammer_operations_begin(int n) {
        hammer_place_make(hammer_closed());
        for (int i = 0; i < n; i++)
                hammer_place_make(hammer_open(i));
}
