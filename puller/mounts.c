/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

#include <fcntl.h>
#include <stdio.h>

#include "buf.h"

#define MAJOR_MAX (1u << 12)
#define MINOR_MAX (1u << 20)

void mounts_done(struct mounts *m) {
        free(m->list);
        free(m->text);
        *m = (struct mounts){0};
}

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

/* \ooo for what would end a field or a line; in place. */
static bool unescape(char *text) {
        char *to = text;

        for (const char *c = text; *c; c++) {
                if (*c == '\\') {
                        unsigned byte = 0;

                        for (int i = 0; i < 3; i++) {
                                if (*++c < '0' || *c > '7')
                                        return false;
                                byte = byte << 3 | (unsigned)(*c - '0');
                        }
                        if (byte == 0 || byte > 255)
                                return false;
                        *to++ = (char)byte;
                } else
                        *to++ = *c;
        }
        *to = '\0';
        return true;
}

/* "/a/b"; the kernel marks one whose folder is gone by "//deleted". */
static bool path_plain(const char *path) {
        size_t n = strlen(path);

        return path[0] == '/' && !strstr(path, "//") && (n == 1 || path[n - 1] != '/');
}

/* "36 35 98:0 / /mnt/a rw,noatime shared:1 - ext3 /dev/root rw": mount, parent, device, what of it, where, ..., type; the rest does
 * not matter. In place. */
static bool line_parse(char *line, struct mount_entry *ret) {
        char *field[5], *rest = line, *type = NULL;
        unsigned id, parent, major, minor;
        char more;

        for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
                field[i] = strsep(&rest, " ");
                if (!rest)
                        return false;
        }
        if (sscanf(field[0], "%9u%c", &id, &more) != 1 || sscanf(field[1], "%9u%c", &parent, &more) != 1 ||
            sscanf(field[2], "%5u:%8u%c", &major, &minor, &more) != 2 || major >= MAJOR_MAX || minor >= MINOR_MAX ||
            !unescape(field[3]) || !unescape(field[4]) || !path_plain(field[4]))
                return false;
        rest = strstr(rest, " - ");
        if (rest) {
                rest += strlen(" - ");
                type = strsep(&rest, " ");
        }
        *ret = (struct mount_entry){
                .id = id,
                .parent = parent,
                .dev = (uint32_t)major << 20 | minor,
                .whole = streq(field[3], "/"),
                .path = streq(field[4], "/") ? field[4] + 1 : field[4],
                .type = type ?: "",
        };
        return true;
}

/* ---- what is seen --------------------------------------------------------------------------------------------------- */

struct look {
        struct mount_entry *const *by_id;
        struct mount_entry *const *by_place; /* parent, then path */
        size_t n;
        char *scratch; /* room for the longest path */
};

static int id_compare(const void *a, const void *b) {
        const struct mount_entry *x = *(struct mount_entry *const *)a, *y = *(struct mount_entry *const *)b;

        return (x->id > y->id) - (x->id < y->id);
}

static int place_compare(const void *a, const void *b) {
        const struct mount_entry *x = *(struct mount_entry *const *)a, *y = *(struct mount_entry *const *)b;

        return x->parent != y->parent ? (x->parent > y->parent) - (x->parent < y->parent) : strcmp(x->path, y->path);
}

static bool mounted_at(const struct look *l, uint32_t parent, char *path) {
        const struct mount_entry wanted = {.parent = parent, .path = path}, *key = &wanted;

        return bsearch(&key, l->by_place, l->n, sizeof(*l->by_place), place_compare) != NULL;
}

static const struct mount_entry *parent_of(const struct look *l, const struct mount_entry *m) {
        const struct mount_entry wanted = {.id = m->parent}, *key = &wanted;
        struct mount_entry *const *found = bsearch(&key, l->by_id, l->n, sizeof(*l->by_id), id_compare);

        return found && *found != m ? *found : NULL;
}

/* Something else stands in its parent's tree on a folder above. */
static bool covered_above(const struct look *l, const struct mount_entry *m) {
        strcpy(l->scratch, m->path);
        for (char *slash = strrchr(l->scratch, '/'); slash && slash != l->scratch; slash = strrchr(l->scratch, '/')) {
                *slash = '\0';
                if (mounted_at(l, m->parent, l->scratch))
                        return true;
        }
        return false;
}

enum reach { UNKNOWN, REACHED, COVERED };

/* Whether a path leads to where m is mounted; noted for it and those above, so that each is looked at once. */
static enum reach reach_find(const struct look *l, const struct mount_entry *m, const struct mount_entry *list,
                             enum reach *known) {
        const struct mount_entry *top = m;
        enum reach reach = UNKNOWN;

        for (size_t steps = 0; reach == UNKNOWN; steps++) {
                const struct mount_entry *parent = parent_of(l, top);

                if (known[top - list] != UNKNOWN)
                        reach = known[top - list];
                else if (steps > l->n || covered_above(l, top))
                        reach = COVERED;
                else if (!parent) /* the root, or what hangs on a root that is a folder */
                        reach = REACHED;
                else if (!*top->path) /* over the root: a path from there does not notice */
                        reach = COVERED;
                else {
                        top = parent;
                        continue;
                }
                break;
        }
        for (const struct mount_entry *at = m;; at = parent_of(l, at)) {
                known[at - list] = reach;
                if (at == top)
                        return reach;
        }
}

static size_t longest_path(const struct mounts *m) {
        size_t longest = 0;

        for (size_t i = 0; i < m->n; i++)
                if (strlen(m->list[i].path) > longest)
                        longest = strlen(m->list[i].path);
        return longest;
}

static int seen_find(struct mounts *m) {
        cleanup_free struct mount_entry **by_id = new_array(m->n, sizeof(*by_id)),
                                        **by_place = new_array(m->n, sizeof(*by_place));
        cleanup_free enum reach *known = new_array(m->n, sizeof(*known));
        cleanup_free char *scratch = new_array(longest_path(m) + 1, 1);
        const struct look l = {by_id, by_place, m->n, scratch};

        if (!by_id || !by_place || !known || !scratch)
                return -ENOMEM;
        for (size_t i = 0; i < m->n; i++)
                by_id[i] = by_place[i] = &m->list[i];
        qsort(by_id, m->n, sizeof(*by_id), id_compare);
        qsort(by_place, m->n, sizeof(*by_place), place_compare);
        for (size_t i = 0; i < m->n; i++) {
                struct mount_entry *e = &m->list[i];

                e->seen = reach_find(&l, e, m->list, known) == REACHED && !(*e->path && mounted_at(&l, e->id, e->path));
        }
        return 0;
}

int mounts_parse(const void *p, size_t n, struct mounts *ret) {
        cleanup_mounts struct mounts m = {0};
        size_t lines = 1;
        char *rest, *line;
        int r;

        m.text = strndup(p, n);
        for (const char *c = m.text; c && (c = strchr(c, '\n')); c++)
                lines++;
        m.list = new_array(lines, sizeof(*m.list));
        if (!m.text || !m.list)
                return -ENOMEM;
        rest = m.text;
        while ((line = strsep(&rest, "\n")))
                if (*line) {
                        if (line_parse(line, &m.list[m.n]))
                                m.n++;
                        else
                                m.unreadable++;
                }
        r = seen_find(&m);
        if (r < 0)
                return r;
        *ret = m;
        m = (struct mounts){0};
        return 0;
}

int mounts_open(void) {
        int fd = open("/proc/1/mountinfo", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int mounts_read(int fd, struct mounts *ret) {
        cleanup_buf struct buf text = {0};
        ssize_t r;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        do {
                if (buf_reserve(&text, 65536) < 0)
                        return -ENOMEM;
                r = read(fd, text.data + text.len, 65536);
                if (r > 0)
                        text.len += (size_t)r;
        } while ((r > 0 || (r < 0 && errno == EINTR)) && text.len < MOUNTS_TEXT_MAX);
        if (r < 0)
                return -errno;
        while (r > 0 && text.len > 0 && text.data[text.len - 1] != '\n')
                text.len--;
        return mounts_parse(text.data, text.len, ret);
}
