/* SPDX-License-Identifier: Apache-2.0 */
#include "container_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"

#define ID_MAX 128
#define NAME_LEN 253 /* the longest that Kubernetes takes */
#define RECORD_MAX 4096

/* Annotations, by the runtimes that set them: containerd's CRI plugin, CRI-O and the kubelet. */
static const struct {
        const char *what, *keys[2];
} known[] = {
        {"name", {"io.kubernetes.cri.container-name", "io.kubernetes.container.name"}},
        {"pod", {"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"}},
        {"namespace", {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"}},
};

/* It becomes the name of a file. */
static bool id_valid(const char *id, size_t len) {
        for (size_t i = 0; i < len; i++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.", id[i]) || !id[i])
                        return false;
        return len > 0 && len <= ID_MAX && id[0] != '.';
}

static bool name_fits(const char *name) {
        size_t len = strlen(name);

        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)name[i];

                /* Control characters, those that are two bytes among them. */
                if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)name[i + 1] < 0xa0))
                        return false;
        }
        return len > 0 && len <= NAME_LEN;
}

/* ---- processes ------------------------------------------------------------------------------------------------------------- */

/* When the process started, in ticks since the boot: no other one has both that and its number. 0: there is none. */
static json_int_t process_start(json_int_t pid) {
        char path[64], text[1024];
        unsigned long long start = 0;
        const char *p;
        FILE *f;
        size_t n;

        snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
        f = pid > 0 ? fopen(path, "re") : NULL;
        if (!f)
                return 0;
        n = fread(text, 1, sizeof(text) - 1, f);
        fclose(f);
        text[n] = '\0';
        p = strrchr(text, ')'); /* the name before it may hold anything */
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        return p && sscanf(p, " %llu", &start) == 1 ? (json_int_t)start : 0;
}

/* ---- records ---------------------------------------------------------------------------------------------------------------- */

static int folder_open(const char *run_dir, bool make) {
        cleanup_fd int run = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (run < 0)
                return -errno;
        if (make && mkdirat(run, CONTAINER_NAMES_FOLDER, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(run, CONTAINER_NAMES_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static json_t *record_read(int folder, const char *id) {
        cleanup_buf struct buf text = {};
        json_t *record;

        if (file_read(folder, id, RECORD_MAX, &text, NULL) < 0 || json_parse(text.data ?: "", text.len, &record, NULL) < 0)
                return NULL;
        return record;
}

static bool record_lives(int folder, const char *id) {
        cleanup_json json_t *record = record_read(folder, id);
        json_int_t start = json_integer_value(json_object_get(record, "start"));

        return start && process_start(json_integer_value(json_object_get(record, "pid"))) == start;
}

/* Makes room: what a runtime that was killed has left behind goes. */
static int folder_tidy(int folder) {
        int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
        const struct dirent *e;
        size_t n = 0;

        if (!dir) {
                close_p(&copy);
                return -errno;
        }
        while ((e = readdir(dir)))
                n += id_valid(e->d_name, strlen(e->d_name));
        if (n >= CONTAINER_NAMES_MAX) {
                rewinddir(dir);
                while ((e = readdir(dir)))
                        if (id_valid(e->d_name, strlen(e->d_name)) && !record_lives(folder, e->d_name))
                                n -= unlinkat(folder, e->d_name, 0) == 0;
        }
        closedir(dir);
        return n >= CONTAINER_NAMES_MAX ? -ENOSPC : 0;
}

static int record_write(int folder, const char *id, const json_t *record, struct err *err) {
        cleanup_buf struct buf text = {};
        int r = folder_tidy(folder);

        if (r < 0)
                return err_errno(err, r, "names of more than %d containers are kept", CONTAINER_NAMES_MAX);
        r = json_canonical(record, &text, err);
        return r < 0 ? r : file_replace(folder, id, 0644, text.data, text.len, err);
}

/* ---- the hook --------------------------------------------------------------------------------------------------------------- */

/* What its annotations say; *named: anything. A name that is none is left out. */
static int names_add(const json_t *annotations, json_t *record, bool *named) {
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                for (size_t k = 0; k < ARRAY_SIZE(known[i].keys); k++) {
                        const char *name = json_string_value(json_object_get(annotations, known[i].keys[k]));

                        if (!name || !name_fits(name))
                                continue;
                        if (json_object_set_new(record, known[i].what, json_string(name)) < 0)
                                return -ENOMEM;
                        *named = true;
                        break;
                }
        return 0;
}

static int state_parse(const void *state, size_t n, json_t **ret, const char **id, const char **status, struct err *err) {
        int r = json_parse_foreign(state, n, ret, err);

        if (r >= 0)
                r = json_get_string(*ret, "id", id, err);
        if (r >= 0)
                r = json_get_string(*ret, "status", status, err);
        if (r < 0)
                return err_wrap(err, r, "a container's state");
        return id_valid(*id, strlen(*id)) ? 0
                                          : err_set(err, -EBADMSG, REASON_MALFORMED, "a container's state: no such id is known");
}

int container_names_take(const char *run_dir, const void *state, size_t n, struct err *err) {
        cleanup_json json_t *doc = NULL, *record = NULL;
        const char *id, *status;
        cleanup_fd int folder = -1;
        json_int_t pid;
        bool named = false;
        int r = state_parse(state, n, &doc, &id, &status, err);

        if (r < 0)
                return r;
        pid = json_integer_value(json_object_get(doc, "pid"));
        record = json_pack("{s:I, s:I}", "pid", pid, "start", process_start(pid));
        r = record ? names_add(json_object_get(doc, "annotations"), record, &named) : -ENOMEM;
        if (r < 0)
                return err_errno(err, r, "a container's names");
        if (streq(status, "stopped"))
                named = false;
        folder = folder_open(run_dir, named);
        if (folder < 0)
                return folder == -ENOENT ? 0 : err_errno(err, folder, "%s/%s", run_dir, CONTAINER_NAMES_FOLDER);
        if (named)
                return record_write(folder, id, record, err);
        if (unlinkat(folder, id, 0) < 0 && errno != ENOENT)
                return err_errno(err, -errno, "%s/%s/%s", run_dir, CONTAINER_NAMES_FOLDER, id);
        return 0;
}

int container_names_prepare(const char *run_dir, struct err *err) {
        cleanup_fd int folder = folder_open(run_dir, true);

        return folder < 0 ? err_errno(err, folder, "%s/%s", run_dir, CONTAINER_NAMES_FOLDER) : 0;
}

json_t *container_names_of(const char *run_dir, const char *id, size_t len) {
        cleanup_json json_t *record = NULL;
        cleanup_fd int folder = -1;
        char name[ID_MAX + 1];
        json_t *ret;

        if (!id_valid(id, len))
                return NULL;
        snprintf(name, sizeof(name), "%.*s", (int)len, id);
        folder = folder_open(run_dir, false);
        record = folder >= 0 ? record_read(folder, name) : NULL;
        ret = record ? json_object() : NULL;
        for (size_t i = 0; ret && i < ARRAY_SIZE(known); i++) {
                json_t *value = json_object_get(record, known[i].what);

                if (json_is_string(value) && name_fits(json_string_value(value)))
                        json_object_set(ret, known[i].what, value);
        }
        return ret;
}
