/* SPDX-License-Identifier: Apache-2.0 */
#include "event_ring.h"

#include <bpf/libbpf.h>
#include <fcntl.h>

#include "bpffs.h"
#include "event_names.h"
#include "fold.h"
#include "wait.h"

#define NAMES_AGAIN_NS 1000000000LL

struct event_ring {
        event_fn fn;
        void *ctx;
        struct ring_buffer *ring;
        struct lsm_fold *folds; /* NULL: none */
        struct event_names names;
        int state_fd;
        int64_t names_read;
        int failed; /* what fn returned */
};

static void names_read(struct event_ring *e) {
        e->names_read = monotonic_ns();
        if (e->state_fd >= 0)
                event_names_load(&e->names, e->state_fd, NULL);
}

static int on_record(void *ctx, void *data, size_t size) {
        struct event_ring *e = ctx;
        cleanup_json json_t *event = NULL;
        struct lsm_event found;

        if (event_read(data, size, &found) < 0)
                event = event_unreadable_json(event_clock_offset() + event_clock_boottime());
        else if (found.tgid == (uint32_t)getpid()) /* telling of it would make the next */
                return 0;
        else {
                /* Somebody may have installed something since. */
                if (!event_names_version(&e->names, found.bundle, found.release) &&
                    monotonic_ns() - e->names_read > NAMES_AGAIN_NS)
                        names_read(e);
                event = event_json(&found, event_clock_offset() + (int64_t)found.time_ns, &e->names);
        }
        e->failed = event ? e->fn(e->ctx, event) : -ENOMEM;
        return e->failed < 0 ? e->failed : 0;
}

static void on_folded(void *ctx, const struct lsm_event *event) {
        struct event_ring *e = ctx;

        if (e->failed >= 0)
                on_record(e, (void *)event, sizeof(*event));
}

/* Left by an agent that could not make one, or by an older one: then nothing is folded. */
static int folds_open(struct event_ring *e, const struct config *config, struct err *err) {
        cleanup_fd int map = -1;
        char path[PATH_MAX];
        int r = pin_path(path, "%s/lsmpull/agent/folds", config->bpffs_dir);

        if (r >= 0)
                r = map = pin_get(path);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? err_errno(err, r, "%s", path) : fold_map(map, &e->folds, err);
}

int event_ring_open(const struct config *config, event_fn fn, void *ctx, struct event_ring **ret, struct err *err) {
        cleanup_event_ring struct event_ring *e = calloc(1, sizeof(*e));
        cleanup_fd int map = -1;
        char path[PATH_MAX];
        int r;

        if (!e)
                return err_errno(err, -ENOMEM, "events");
        *e = (struct event_ring){.fn = fn, .ctx = ctx, .state_fd = -1};
        r = pin_path(path, "%s/lsmpull/agent/events", config->bpffs_dir);
        if (r >= 0)
                r = map = pin_get(path);
        if (r == -ENOENT)
                return err_set(err, r, REASON_NONE, "no agent runs here, and nothing of it is in the kernel (%s)", path);
        if (r < 0)
                return err_errno(err, r, "%s", path);
        e->ring = ring_buffer__new(map, on_record, e, NULL);
        if (!e->ring)
                return err_errno(err, -errno, "%s", path);
        r = folds_open(e, config, err);
        if (r < 0)
                return r;
        e->state_fd = open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        names_read(e);
        *ret = steal_pointer(e);
        return 0;
}

void event_ring_free(struct event_ring *e) {
        if (!e)
                return;
        ring_buffer__free(e->ring);
        fold_unmap(e->folds);
        event_names_done(&e->names);
        close_p(&e->state_fd);
        free(e);
}

static void tell_lost(struct event_ring *e) {
        uint64_t lost = fold_take_lost(e->folds);
        cleanup_json json_t *event = NULL;

        if (!lost)
                return;
        event = event_dropped_json(lost, event_clock_offset() + event_clock_boottime());
        e->failed = event ? e->fn(e->ctx, event) : -ENOMEM;
}

int event_ring_take(struct event_ring *e) {
        e->failed = 0;
        ring_buffer__consume(e->ring);
        if (e->failed >= 0 && e->folds)
                tell_lost(e);
        /* Nobody comes later: what is folded is told now, even if the window is not over. */
        if (e->failed >= 0 && e->folds)
                fold_take(e->folds, (uint64_t)event_clock_boottime(), true, on_folded, e);
        return e->failed < 0 ? e->failed : 0;
}

int event_ring_fd(const struct event_ring *e) {
        return ring_buffer__epoll_fd(e->ring);
}
