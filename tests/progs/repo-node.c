/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node on a machine whose kernel can enforce nothing: the agent's own code from the poll to the record of what was confirmed,
 * with its sandboxed fetcher, over a kernel that agrees to everything. Every process is a boot of its own: it knows nothing of
 * the one before but what is on the disk.
 *
 *      repo-node CONFIG ACTED boot         recovers, as the agent does when it starts
 *      repo-node CONFIG ACTED poll         recovers, polls once, and adds to the file ACTED what it has acted upon
 *      repo-node CONFIG ACTED check        is less trusted or remembered than what ACTED ends with? Changes nothing
 *      repo-node CONFIG ACTED show         one line: what is trusted, remembered and stored
 *
 * Exit codes are lsmpull's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/statfs.h>

#include "bake.h"
#include "child.h"
#include "enforce_parts.h"
#include "fileio.h"
#include "health.h"
#include "repo_entry.h"
#include "repo_fetcher.h"
#include "repo_record.h"
#include "source.h"
#include "swap.h"
#include "tuf_time.h"

#define BPF_FS_MAGIC 0xcafe4a11

/* ---- the kernel's side: these stand for enforce*.c, loader.c, health.c and agent_maps.c ------------------------------------ */

int statfs(const char *path, struct statfs *ret) {
        *ret = (struct statfs){.f_type = BPF_FS_MAGIC};
        return 0;
}

int agent_maps_open(const char *bpffs, bool create, struct agent_maps *ret, struct err *err) {
        *ret = AGENT_MAPS_INIT;
        snprintf(ret->dir, sizeof(ret->dir), "%s/lsmpull", bpffs);
        ret->map = calloc(1, sizeof(*ret->map));
        return ret->map ? 0 : -ENOMEM;
}

void agent_maps_close(struct agent_maps *a) {
        free(a->map);
        a->map = NULL;
}

bool enforcement_exists(const struct agent_maps *agent, const char *bundle) {
        return false; /* after each start: nothing is in the kernel */
}

int enforcement_open(const struct agent_maps *agent, const char *bundle, bool create, struct enforcement *ret, struct err *err) {
        *ret = (struct enforcement){.agent = agent, .gate_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
        ret->gate.map = calloc(1, sizeof(*ret->gate.map));
        snprintf(ret->bundle, sizeof(ret->bundle), "%s", bundle);
        return ret->gate_fd >= 0 && ret->gate.map ? 0 : -ENOMEM;
}

void enforcement_close(struct enforcement *e) {
        close_p(&e->gate_fd);
        free(e->gate.map);
        *e = ENFORCEMENT_INIT;
}

int enforcement_attach(struct enforcement *e, const struct plan *plan, struct err *err) {
        return 0;
}
bool enforcement_check(struct enforcement *e) {
        return true;
}
bool enforcement_attached(const struct enforcement *e, const char *hook) {
        return true;
}
bool enforcement_knows(const struct enforcement *e, const char *hook) {
        return true;
}
int plan_fit(struct plan *plan, const struct manifest *m, struct err *err) {
        return 0;
}
int enforcement_slots(const struct enforcement *e, const struct plan *plan, int **ret) {
        *ret = calloc(plan->n + 1, sizeof(**ret));
        return *ret ? 0 : -ENOMEM;
}
int enforcement_fill(struct enforcement *e, uint32_t slot, const struct plan *plan, const struct loaded *loaded,
                     struct err *err) {
        return 0;
}
int enforcement_clear(struct enforcement *e, uint32_t slot, struct err *err) {
        return 0;
}
int enforcement_renew(struct enforcement *e, const struct hook *hook, struct err *err) {
        return 0;
}
int enforcement_settle(struct enforcement *e, struct err *err) {
        return 0;
}
int enforcement_trim(struct enforcement *e, const struct plan *const *plans, size_t n_plans, struct err *err) {
        return 0;
}
int enforcement_remove(struct enforcement *e, struct err *err) {
        return 0;
}
int enforcement_counters(const struct enforcement *e, uint32_t slot, const char *policy, struct lsm_counters *ret) {
        *ret = (struct lsm_counters){};
        return 0;
}

/* Of a shadow, which this node never has. */
int slot_put(int slots, uint32_t slot, uint32_t position, int program) {
        return -ENOSYS;
}
int link_info(const char *path, struct bpf_link_info *ret) {
        return -ENOENT;
}
int link_remove(const char *path, struct err *err) {
        return 0;
}
int hook_room_check(const struct hook *hook, int more, const char *what, struct err *err) {
        return 0;
}
int counters_read(const char *path, struct lsm_counters *ret) {
        return -ENOENT;
}

int loader_run(const struct loader_request *req, struct waiter *w, struct loaded *ret, struct buf *ret_log, struct err *err) {
        *ret = (struct loaded){};
        return 0;
}
void loaded_done(struct loaded *l) {
}
uint32_t bundle_number(const char *name) {
        return 1;
}

int health_selftests(struct node *n, struct bundle *b, const struct release *rel, uint32_t slot, int64_t deadline_ns,
                     struct err *err) {
        return 0;
}
int health_before(struct node *n, int64_t deadline_ns, struct err *err) {
        return 0;
}

/* ---- what is known ---------------------------------------------------------------------------------------------------- */

struct known {
        unsigned long long root, timestamp, snapshot, targets, floor, issued, seen, highest, release;
        char content[SHA256_HEX];
};
#define KNOWN_FORMAT "root=%llu timestamp=%llu snapshot=%llu targets=%llu floor=%llu issued=%llu seen=%llu highest=%llu"

/* What the metadata says that is trusted by now. */
static int papers_known(int state_fd, const char *bundle, struct known *ret, struct err *err) {
        cleanup_papers struct papers papers = {};
        int r = repo_papers_load(state_fd, &papers, err);

        *ret = (struct known){};
        for (size_t i = 0; r >= 0 && i < papers.n; i++) {
                const struct paper *p = &papers.list[i];
                cleanup_json json_t *doc = NULL;
                unsigned long long version;
                struct repo_entry e;
                const char *name;
                int64_t issued;
                json_t *target;

                if (p->kind != PAPER_METADATA)
                        continue;
                r = json_parse(p->s.bytes.data, p->s.bytes.len, &doc, err);
                version = (unsigned long long)json_integer_value(json_object_get(doc, "version"));
                if (streq(p->name, "root"))
                        ret->root = version; /* the newest comes last */
                else if (streq(p->name, "timestamp"))
                        ret->timestamp = version;
                else if (streq(p->name, "snapshot"))
                        ret->snapshot = version;
                else if (streq(p->name, "targets"))
                        ret->targets = version;
                if (streq(p->name, "timestamp") &&
                    tuf_time_parse(json_string_value(json_object_get(doc, "issued")), &issued) >= 0)
                        ret->issued = (unsigned long long)issued;
                json_object_foreach(json_object_get(doc, "targets"), name,
                                    target) if (repo_entry_parse(json_object_get(target, "custom"), &e, NULL) >= 0 &&
                                                streq(e.bundle, bundle) && e.floor > ret->floor) ret->floor = e.floor;
        }
        return r;
}

/* `remembered`: floors only as far as they have been written down, for metadata may be replaced by other metadata. */
static int known_load(int state_fd, const char *bundle, bool remembered, struct known *ret, struct err *err) {
        cleanup_repo_record struct repo_record record = {};
        const struct repo_memory *m;
        struct journal j = {};
        int r = papers_known(state_fd, bundle, ret, err);

        if (r >= 0)
                r = repo_record_load(state_fd, &record, err);
        if (r >= 0) {
                r = journal_load(state_fd, bundle, &j, err);
                r = r == -ENOENT ? 0 : r;
        }
        m = r >= 0 ? repo_memory_of(&record, bundle) : NULL;
        if (!m)
                return r < 0 ? r : -ENOMEM;
        if (remembered || m->floor > ret->floor)
                ret->floor = m->floor;
        if ((unsigned long long)record.issued > ret->issued)
                ret->issued = (unsigned long long)record.issued;
        ret->seen = j.n_seen ? j.seen[0].release : 0;
        ret->highest = j.highest_release;
        if (!j.confirmed.present || j.removed)
                return 0;
        ret->release = j.confirmed.release;
        memcpy(ret->content, j.confirmed.content_hex, sizeof(ret->content));
        if (!streq(m->taken, ret->content) && !streq(m->taken_before, ret->content))
                return err_set(err, -EBADMSG, REASON_NONE,
                               "release %llu is confirmed, and that the repository brought it is forgotten", ret->release);
        return 0;
}

static void known_print(FILE *f, const struct known *k) {
        fprintf(f, KNOWN_FORMAT "\n", k->root, k->timestamp, k->snapshot, k->targets, k->floor, k->issued, k->seen, k->highest);
}

/* What others have seen this node do: it enforces, or it has reported. */
static int act(int state_fd, const char *acted, const char *bundle, struct err *err) {
        struct known k;
        FILE *f;
        int r = known_load(state_fd, bundle, false, &k, err);

        if (r < 0)
                return r;
        f = fopen(acted, "ae");
        if (!f)
                return err_errno(err, -errno, "%s", acted);
        known_print(f, &k);
        return fclose(f) ? err_errno(err, -errno, "%s", acted) : 0;
}

static int check(int state_fd, const char *acted, const char *bundle, struct err *err) {
        struct known is, was = {};
        char line[512];
        FILE *f = fopen(acted, "re");
        int r = known_load(state_fd, bundle, true, &is, err);

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, KNOWN_FORMAT, &was.root, &was.timestamp, &was.snapshot, &was.targets, &was.floor, &was.issued,
                           &was.seen, &was.highest) != 8)
                        r = r < 0 ? r : err_set(err, -EBADMSG, REASON_NONE, "%s: '%s'", acted, line);
        if (f)
                fclose(f);
        if (r < 0)
                return r;
        if (is.root >= was.root && is.timestamp >= was.timestamp && is.snapshot >= was.snapshot && is.targets >= was.targets &&
            is.floor >= was.floor && is.issued >= was.issued && is.seen >= was.seen && is.highest >= was.highest)
                return 0;
        fputs("acted upon: ", stdout);
        known_print(stdout, &was);
        fputs("remembered: ", stdout);
        known_print(stdout, &is);
        return err_set(err, -ESTALE, REASON_NONE, "what was acted upon is forgotten");
}

static int show(int state_fd, const char *bundle, struct err *err) {
        cleanup_release struct release rel = RELEASE_INIT;
        struct known k;
        bool stored;
        int r = known_load(state_fd, bundle, true, &k, err);

        if (r < 0)
                return r;
        stored = *k.content && store_get(state_fd, k.content, &rel, NULL, NULL) == 0;
        printf("release=%llu stored=%d ", k.release, stored);
        known_print(stdout, &k);
        return 0;
}

/* ---- the node --------------------------------------------------------------------------------------------------------- */

static const char *acted_path(const struct node *n) {
        return n->source_ctx;
}

/* The gate names it: from here on it is enforced. */
int health_watch(struct node *n, struct bundle *b, const struct release *rel, uint64_t pending, int64_t deadline_ns,
                 struct err *err) {
        return act(n->state_fd, acted_path(n), b->name, err);
}

static void say(void *ctx, const char *line) {
        fprintf(stderr, "%s\n", line);
}

static int poll_once(struct node *n, const char *bundle, struct err *err) {
        struct source source;
        bool changed;
        int r;

        source_load(n, &source);
        r = source_poll(n, &source, &changed, err);
        if (r < 0) {
                fprintf(stderr, "reason=%s\n", source.refused_reason[0] ? source.refused_reason : source.reason);
                return r;
        }
        return act(n->state_fd, acted_path(n), bundle, err);
}

static int another_boot(struct node *n, struct err *err) {
        cleanup_buf struct buf id = {};
        int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/uuid", 4096, &id, err);

        if (r >= 0 && id.len >= sizeof(n->boot_id))
                memcpy(n->boot_id, id.data, sizeof(n->boot_id) - 1);
        return r;
}

static int run(const struct config *config, const char *acted, bool poll, struct err *err) {
        struct node n = {.say = say};
        int r = node_open(config, NODE_WRITE, &waiter_plain, &n, err);

        if (r < 0)
                return r;
        n.source_ctx = (void *)acted;
        r = another_boot(&n, err);
        if (r < 0)
                return r;
        r = swap_recover(&n, poll ? NULL : err); /* what cannot be repaired does not keep it from asking */
        if (poll)
                r = poll_once(&n, config->bundles[0], err);
        node_close(&n);
        return r;
}

int main(int argc, char **argv) {
        cleanup_config struct config config = {};
        cleanup_fd int state = -1;
        struct err err = {};
        int r;

        if (argc == 2 && streq(argv[1], "@repository"))
                return repo_fetcher_main(CHILD_SOCK);
        if (argc != 4) {
                fputs("usage: repo-node CONFIG ACTED boot|poll|check|show\n", stderr);
                return 2;
        }
        r = config_defaults(&config, &err);
        if (r >= 0)
                r = config_load(&config, argv[1], true, &err);
        if (r < 0)
                goto out;
        if (streq(argv[3], "boot") || streq(argv[3], "poll")) {
                r = run(&config, argv[2], argv[3][0] == 'p', &err);
                goto out;
        }
        state = open(config.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (state < 0 && errno == ENOENT) /* nothing is trusted, and nothing may have been acted upon */
                state = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = argv[3][0] == 'c' ? check(state, argv[2], config.bundles[0], &err) : show(state, config.bundles[0], &err);
out:
        if (r < 0)
                fprintf(stderr, "repo-node: %s\n", err.msg);
        return err_exit_code(&err, r);
}
