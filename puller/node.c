/* SPDX-License-Identifier: Apache-2.0 */
#include "node.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "bpffs.h"
#include "fileio.h"
#include "kallsyms.h"
#include "record.h"
#include "sinks.h"

#define BPF_FS_MAGIC 0xcafe4a11
#define NOBODY 65534
#define LOADER_RECORD "loader.json"
#define LOADER_TYPE "lsm-loader"

uint64_t now_seconds(void) {
        return (uint64_t)time(NULL);
}

void node_say(const struct node *n, const char *fmt, ...) {
        char line[1024];
        va_list ap;

        if (!n->say)
                return;
        va_start(ap, fmt);
        vsnprintf(line, sizeof(line), fmt, ap);
        va_end(ap);
        n->say(n->say_ctx, line);
}

void node_user(const char *name, uid_t *ret_uid, gid_t *ret_gid) {
        const struct passwd *pw = name ? getpwnam(name) : NULL;

        *ret_uid = pw ? pw->pw_uid : NOBODY;
        *ret_gid = pw ? pw->pw_gid : NOBODY;
}

enum node_mode node_mode_parse(const char *cmdline) {
        static const char key[] = "lsmpull.mode=";
        enum node_mode mode = NODE_ENFORCE;

        /* As the kernel reads its own parameters: the last one counts. */
        for (const char *p = cmdline; (p = strstr(p, key)); p += sizeof(key) - 1) {
                const char *value = p + sizeof(key) - 1;
                size_t n = strcspn(value, " \n");

                if (p != cmdline && p[-1] != ' ')
                        continue;
                if (n == 3 && memcmp(value, "off", 3) == 0)
                        mode = NODE_OFF;
                else if (n == 5 && memcmp(value, "audit", 5) == 0)
                        mode = NODE_AUDIT;
                else
                        mode = NODE_ENFORCE;
        }
        return mode;
}

void node_mode_update(struct node *n) {
        cleanup_buf struct buf cmdline = {0};

        n->mode = NODE_ENFORCE;
        n->mode_source[0] = '\0';
        if (file_read(AT_FDCWD, "/proc/cmdline", 64 * 1024, &cmdline, NULL) >= 0)
                n->mode = node_mode_parse(cmdline.data);
        if (n->mode != NODE_ENFORCE)
                snprintf(n->mode_source, sizeof(n->mode_source), "kernel command line, lsmpull.mode=%s",
                         n->mode == NODE_OFF ? "off" : "audit");
        else if (n->config->mode == MODE_AUDIT) {
                n->mode = NODE_AUDIT;
                snprintf(n->mode_source, sizeof(n->mode_source), "configuration, mode: audit");
        }
}

static int parent_sync(int fd) {
        cleanup_fd int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return parent < 0 ? -1 : fsync(parent);
}

static int state_open(const char *path, enum node_access access, struct err *err) {
        bool made = access == NODE_WRITE && mkdir(path, 0700) == 0;
        struct stat st;
        int fd;

        if (access == NODE_WRITE && !made && errno != EEXIST)
                return err_errno(err, -errno, "cannot make the state directory %s", path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return err_set(err, -ENOENT, REASON_NONE, "nothing was ever installed on this node: there is no %s", path);
        if (fd < 0)
                return err_errno(err, -errno, "cannot open the state directory %s", path);
        if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022)) {
                close(fd);
                return err_set(err, -EPERM, REASON_CONFIG,
                               "the state directory %s must belong to uid %u and be writable by nobody else", path, geteuid());
        }
        /* All that will be synced in there is lost with its name. */
        if (made && parent_sync(fd) < 0) {
                int r = -errno;

                close(fd);
                return err_errno(err, r, "cannot make the state directory %s", path);
        }
        return fd;
}

static int lock_take(int state_fd, struct err *err) {
        int fd = openat(state_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return err_errno(err, -errno, "cannot open the lock of the state directory");
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                int r = -errno;

                close(fd);
                return r == -EWOULDBLOCK ? err_set(err, r, REASON_BUSY, "another lsmpull is working on this node") : r;
        }
        return fd;
}

static int bpffs_check(const char *path, struct err *err) {
        struct statfs fs;

        if (statfs(path, &fs) < 0)
                return err_errno(err, -errno, "%s", path);
        if (fs.f_type != BPF_FS_MAGIC)
                return err_set(err, -ENOTSUP, REASON_KERNEL_UNSUPPORTED, "%s is no BPF file system: mount -t bpf bpf %s", path,
                               path);
        return 0;
}

static void bundle_free(struct bundle *b) {
        enforcement_close(&b->kernel);
        free(b);
}

static int by_name(const void *a, const void *b) {
        return strcmp((*(struct bundle *const *)a)->name, (*(struct bundle *const *)b)->name);
}

struct bundle *node_bundle(const struct node *n, const char *name) {
        for (size_t i = 0; i < n->n_bundles; i++)
                if (streq(n->bundles[i]->name, name))
                        return n->bundles[i];
        return NULL;
}

int node_bundle_add(struct node *n, const char *name, struct bundle **ret, struct err *err) {
        struct bundle *b = node_bundle(n, name), **more;
        struct err bake_err = {0};
        int r;

        if (b) {
                *ret = b;
                return 0;
        }
        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->kernel = ENFORCEMENT_INIT;
        snprintf(b->name, sizeof(b->name), "%s", name);
        r = journal_load(n->state_fd, name, &b->journal, err);
        if (r == -ENOENT) {
                snprintf(b->journal.bundle, sizeof(b->journal.bundle), "%s", name);
                r = 0;
        }
        if (r >= 0 && (r = bake_record_load(n->state_fd, name, &b->bake, &bake_err)) < 0) {
                /* What a bake has come to is found out anew. */
                if (r != -ENOENT)
                        node_say(n, "%s: %s", name, bake_err.msg);
                r = 0;
        }
        if (r >= 0 && enforcement_exists(&n->agent, name))
                r = enforcement_open(&n->agent, name, false, &b->kernel, err);
        more = r >= 0 ? reallocarray(n->bundles, n->n_bundles + 1, sizeof(*more)) : NULL;
        if (!more) {
                bundle_free(b);
                return r < 0 ? r : -ENOMEM;
        }
        n->bundles = more;
        more[n->n_bundles++] = b;
        qsort(more, n->n_bundles, sizeof(*more), by_name);
        *ret = b;
        return 0;
}

void node_bundle_drop(struct node *n, struct bundle *b) {
        for (size_t i = 0; i < n->n_bundles; i++)
                if (n->bundles[i] == b) {
                        memmove(&n->bundles[i], &n->bundles[i + 1], (n->n_bundles - i - 1) * sizeof(*n->bundles));
                        n->n_bundles--;
                        break;
                }
        bundle_free(b);
}

struct bundle *node_pending(const struct node *n) {
        for (size_t i = 0; i < n->n_bundles; i++)
                if (n->bundles[i]->kernel.gate_fd >= 0 && gate_pending(gate_word(&n->bundles[i]->kernel.gate)))
                        return n->bundles[i];
        return NULL;
}

static void loader_rules_load(struct node *n, const json_t *rules) {
        const struct {
                const char *key;
                uint32_t *to;
        } numbers[] = {{"roots", &n->loader.roots.n},
                       {"parts", &n->loader.roots.parts},
                       {"full", &n->loader.roots.full},
                       {"unreadable", &n->loader.roots.unreadable}};

        if (!json_is_object(rules))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                uint64_t value = 0;

                record_get_uint(rules, numbers[i].key, UINT32_MAX, &value, NULL);
                *numbers[i].to = (uint32_t)value;
        }
        n->loader.locks = json_is_true(json_object_get(rules, "locks"));
        n->loader.rules = true;
}

static void loader_load(struct node *n) {
        cleanup_json json_t *doc = NULL;
        uint64_t uid;

        if (record_load(n->state_fd, LOADER_RECORD, LOADER_TYPE, 4096, &doc, NULL) < 0 ||
            record_get_uint(doc, "uid", UINT32_MAX, &uid, NULL) < 0 ||
            record_get_text(doc, "why_no_token", n->loader.no_token, sizeof(n->loader.no_token), NULL) < 0)
                return;
        n->loader.uid = (uid_t)uid;
        n->loader.token = json_is_true(json_object_get(doc, "token"));
        n->loader.known = true;
        loader_rules_load(n, json_object_get(doc, "rules"));
}

static json_t *loader_rules_json(const struct loader_facts *facts) {
        if (!facts->rules)
                return NULL;
        return json_pack("{s:b, s:I, s:I, s:I, s:I}", "locks", facts->locks, "roots", (json_int_t)facts->roots.n, "parts",
                         (json_int_t)facts->roots.parts, "full", (json_int_t)facts->roots.full, "unreadable",
                         (json_int_t)facts->roots.unreadable);
}

void node_loader_set(struct node *n, const struct loader_facts *facts) {
        const struct loader_facts before = n->loader;

        n->loader = *facts;
        if (!facts->rules) {
                n->loader.rules = before.rules;
                n->loader.locks = before.locks;
                n->loader.roots = before.roots;
        }
        record_save(n->state_fd, LOADER_RECORD, LOADER_TYPE,
                    json_pack("{s:b, s:I, s:o*, s:o*}", "token", facts->token, "uid", (json_int_t)facts->uid, "why_no_token",
                              record_text(facts->no_token), "rules", loader_rules_json(&n->loader)),
                    NULL);
}

void node_rules_locks(struct node *n, const struct manifest *m, struct lsm_rules_kernel *ret) {
        *ret = (struct lsm_rules_kernel){0};
        if (!manifest_has_engine(m))
                return;
        if (!n->rules_kernel.rename_lock)
                kallsyms_rules_locks("", &n->rules_kernel);
        *ret = n->rules_kernel;
}

static void bundle_open(struct node *n, const char *name) {
        struct err err = {0};
        struct bundle *b;

        if (node_bundle_add(n, name, &b, &err) < 0)
                node_say(n, "%s: left as it is: %s", name, err.msg);
}

/* Every bundle that the journal, a bake or the kernel knows. */
static int bundles_open(struct node *n, struct err *err) {
        int (*const lists[])(int, char ***, size_t *, struct err *) = {journal_list, bake_record_list};
        char path[PATH_MAX], **names;
        size_t count;
        int r;

        for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
                r = lists[k](n->state_fd, &names, &count, err);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < count; i++)
                        bundle_open(n, names[i]);
                strings_free(names, count);
        }
        pin_path(path, "%s/bundle", n->agent.dir);
        r = pin_list(path, &names, &count, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++)
                if (name_valid(names[i]) && enforcement_exists(&n->agent, names[i]))
                        bundle_open(n, names[i]);
        strings_free(names, count);
        return 0;
}

int node_open(const struct config *config, enum node_access access, struct waiter *w, struct node *ret, struct err *err) {
        struct node *n = ret;
        int r;

        *n = (struct node){.config = config,
                           .waiter = w,
                           .state_fd = -1,
                           .lock_fd = -1,
                           .sinks_fd = -1,
                           .agent = AGENT_MAPS_INIT,
                           .say = ret->say,
                           .say_ctx = ret->say_ctx};
        node_mode_update(n);
        r = n->state_fd = state_open(config->state_dir, access, err);
        if (r >= 0 && access == NODE_WRITE)
                r = n->lock_fd = lock_take(n->state_fd, err);
        if (r >= 0)
                r = boot_id_read(n->boot_id, err);
        if (r >= 0 && access == NODE_WRITE)
                r = rollback_page_map(n->state_fd, &n->page, err);
        if (r >= 0)
                r = bpffs_check(config->bpffs_dir, err);
        if (r >= 0)
                r = agent_maps_open(config->bpffs_dir, access == NODE_WRITE, &n->agent, err);
        if (r >= 0 && access == NODE_WRITE)
                n->agent.map->supervisor_tgid = (uint32_t)getpid();
        if (r >= 0) {
                loader_load(n);
                r = bundles_open(n, err);
        }
        if (r < 0)
                node_close(n);
        return r;
}

void node_close(struct node *n) {
        for (size_t i = 0; i < n->n_bundles; i++)
                bundle_free(n->bundles[i]);
        free(n->bundles);
        agent_maps_close(&n->agent);
        sinks_counts_free(n->sinks);
        close_p(&n->sinks_fd);
        close_p(&n->lock_fd);
        close_p(&n->state_fd);
        *n = (struct node){.state_fd = -1, .lock_fd = -1, .sinks_fd = -1, .agent = AGENT_MAPS_INIT};
}
