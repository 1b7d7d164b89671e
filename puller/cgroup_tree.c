/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "wait.h"

#define PAUSES 9 /* as long as reading took */

/* Of the thread: on a busy node reading takes longer without costing more, and must not be put off for that. */
static int64_t cpu_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
        return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void forget(struct cgroup_tree *t) {
        free(t->v);
        t->v = NULL;
        t->n = 0;
        buf_done(&t->text);
        t->text = (struct buf){0};
}

void cgroup_tree_done(struct cgroup_tree *t) {
        forget(t);
        close_p(&t->dir);
        t->dir = -1;
}

static const char *path_at(const struct cgroup_tree *t, const struct cgroup_node *node) {
        return t->text.data + node->at;
}

/* What is too much, or too long, is left out: 0. */
static int node_add(struct cgroup_tree *t, uint64_t id, const char *above, const char *name) {
        char path[CGROUP_TREE_PATH];
        int n = snprintf(path, sizeof(path), "%s%s%s", above, *name ? "/" : "", name);

        if (n < 0 || (size_t)n >= sizeof(path) || t->n == CGROUP_TREE_MAX || t->text.len + (size_t)n + 1 > CGROUP_TREE_TEXT)
                return 0;
        t->v[t->n] = (struct cgroup_node){.id = id, .at = (uint32_t)t->text.len};
        if (buf_append(&t->text, path, (size_t)n + 1) < 0)
                return -ENOMEM;
        t->n++;
        return 0;
}

/* One that is removed meanwhile is left out, and so is what may not be read. */
static DIR *folder_open(const struct cgroup_tree *t, const char *path) {
        int fd = openat(t->dir, *path ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

        if (!dir)
                close_p(&fd);
        return dir;
}

static int below_add(struct cgroup_tree *t, size_t i) {
        char above[CGROUP_TREE_PATH]; /* the text moves */
        const struct dirent *e;
        DIR *dir;
        int r = 0;

        snprintf(above, sizeof(above), "%s", path_at(t, &t->v[i]));
        dir = folder_open(t, above);
        while (dir && r >= 0 && (e = readdir(dir)))
                if (e->d_type == DT_DIR && !streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = node_add(t, e->d_ino, above, e->d_name);
        if (dir)
                closedir(dir);
        return r;
}

static int id_cmp(const void *a, const void *b) {
        uint64_t x = ((const struct cgroup_node *)a)->id, y = ((const struct cgroup_node *)b)->id;

        return (x > y) - (x < y);
}

/* Level by level: whoever makes many below one of his own hides no others. */
static int tree_read(struct cgroup_tree *t) {
        struct stat st;
        int r;

        forget(t);
        if (fstat(t->dir, &st) < 0)
                return -errno;
        t->v = new_array(CGROUP_TREE_MAX, sizeof(*t->v));
        r = t->v ? node_add(t, st.st_ino, "", "") : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < t->n; i++)
                r = below_add(t, i);
        if (r >= 0)
                qsort(t->v, t->n, sizeof(*t->v), id_cmp);
        else
                forget(t);
        return r;
}

static const struct cgroup_node *find(const struct cgroup_tree *t, uint64_t id) {
        const struct cgroup_node key = {.id = id};

        return t->n > 0 ? bsearch(&key, t->v, t->n, sizeof(key), id_cmp) : NULL;
}

const char *cgroup_tree_path(struct cgroup_tree *t, uint64_t id) {
        const struct cgroup_node *node = find(t, id);

        if (!node && t->dir >= 0 && monotonic_ns() >= t->due) {
                int64_t before = cpu_ns();

                tree_read(t);
                t->due = monotonic_ns() + (cpu_ns() - before) * PAUSES;
                node = find(t, id);
        }
        if (!node)
                return NULL;
        return *path_at(t, node) ? path_at(t, node) : "/";
}
