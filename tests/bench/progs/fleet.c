/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet of virtual nodes at one server, by the agent's own scheduling (puller/schedule.c) and the node's own decision about a
 * rollout (lib/rollout.c): time is an event queue, so an hour of 100,000 nodes takes seconds.
 *
 *      fleet SCENARIO NODES INTERVAL_S CAPACITY
 *
 * rest      all is well
 * boot      all nodes start in the same moment
 * release   one is published for all nodes, without waves
 * waves     the same in waves: 1 % after 10 minutes, 25 % after 30, all after 60
 * outage    the server is gone for an hour
 * overload  the server answers CAPACITY polls a second; to more, "503, Retry-After: 10"
 *
 * Prints "NAME VALUE" lines. Units: polls (and, for release and waves, downloads of the bundle) in each second.
 */
#include <math.h>
#include <stdio.h>

#include "rollout.h"
#include "schedule.h"

#define S 1000000000LL
#define SECONDS_MAX (8 * 3600)
#define RETRY_AFTER_S 10

enum scenario { REST, BOOT, RELEASE, WAVES, OUTAGE, OVERLOAD, N_SCENARIOS };
static const char *const names[N_SCENARIOS] = {"rest", "boot", "release", "waves", "outage", "overload"};

struct vnode {
        uint32_t failures;
        bool served; /* since the server came back, or since the release */
        uint64_t release;
        int64_t poll_at; /* what is in the queue may be a wake-up before it */
};

struct event {
        int64_t at;
        uint32_t node;
};

struct fleet {
        enum scenario scenario;
        struct schedule schedule;
        struct rollout *rollout;
        struct vnode *nodes;
        size_t n;
        struct event *queue; /* a heap, the earliest first; each node is in it once */
        uint64_t seed;
        double capacity;
        int64_t down_from, down_until, published, end;
        /* a second each */
        uint32_t polls[SECONDS_MAX], refused[SECONDS_MAX], downloads[SECONDS_MAX], done[SECONDS_MAX];
};

static uint64_t draw(struct fleet *f) {
        uint64_t x = f->seed += 0x9e3779b97f4a7c15ULL;

        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
        return x ^ x >> 31;
}

/* Moves what is at the root of the heap to its place. */
static void sift(struct fleet *f) {
        struct event e = f->queue[0];
        size_t i = 0;

        for (;;) {
                size_t k = 2 * i + 1;

                if (k + 1 < f->n && f->queue[k + 1].at < f->queue[k].at)
                        k++;
                if (k >= f->n || f->queue[k].at >= e.at)
                        break;
                f->queue[i] = f->queue[k];
                i = k;
        }
        f->queue[i] = e;
}

static int event_compare(const void *a, const void *b) {
        const struct event *x = a, *y = b;

        return x->at < y->at ? -1 : x->at > y->at;
}

/* What the node does about the rollout now; when that may change by itself, s. */
static int64_t rollout_follow(struct fleet *f, uint32_t i, int64_t now) {
        struct vnode *v = &f->nodes[i];
        struct rollout_decision d;
        struct rollout_facts facts = {.ring = f->scenario == WAVES ? "waves" : "all",
                                      .now = (int64_t)f->rollout->rings[0].started + (now - f->published) / S,
                                      .in_force = true,
                                      .release = v->release};
        char id[32];

        snprintf(id, sizeof(id), "node-%u", i);
        facts.node_id = id;
        rollout_decide(f->rollout, &facts, &d);
        if (d.action == ROLLOUT_TAKE) {
                v->release = d.choice.release;
                f->downloads[now / S]++;
                f->done[now / S]++;
        }
        return d.next_s;
}

static bool answered(struct fleet *f, int64_t now, int *ret_retry_after) {
        *ret_retry_after = 0;
        if (now >= f->down_from && now < f->down_until)
                return false;
        if (f->scenario == OVERLOAD && f->polls[now / S] - f->refused[now / S] >= f->capacity) {
                f->refused[now / S]++;
                *ret_retry_after = RETRY_AFTER_S;
                return false;
        }
        return true;
}

/* One node's turn; when its next one is. */
static int64_t step(struct fleet *f, uint32_t i, int64_t now) {
        struct vnode *v = &f->nodes[i];
        int64_t change_s = 0;
        int retry_after = 0;

        if (now < v->poll_at) { /* woken for the rollout: what it needs to know, it knows */
                rollout_follow(f, i, now);
                return v->poll_at;
        }
        if (answered(f, now, &retry_after)) {
                v->failures = 0;
                if (f->scenario == OUTAGE && now >= f->down_until && !v->served) {
                        v->served = true;
                        f->done[now / S]++;
                }
                if (f->rollout && now >= f->published)
                        change_s = rollout_follow(f, i, now);
        } else {
                v->failures++;
        }
        f->polls[now / S]++;
        v->poll_at = now + schedule_next(&f->schedule, v->failures, retry_after, draw(f));
        return now + schedule_wake(&f->schedule, v->poll_at - now, change_s, true, draw(f));
}

static void run(struct fleet *f) {
        for (uint32_t i = 0; i < f->n; i++) {
                /* At rest a node is anywhere between two polls, which after a start is where schedule_first() puts it. */
                f->nodes[i].release = 41;
                f->nodes[i].poll_at = schedule_first(&f->schedule, draw(f));
                f->queue[i] = (struct event){f->nodes[i].poll_at, i};
        }
        qsort(f->queue, f->n, sizeof(*f->queue), event_compare); /* sorted is a heap, too */
        while (f->queue[0].at < f->end) {
                f->queue[0].at = step(f, f->queue[0].node, f->queue[0].at);
                sift(f);
        }
}

/* ---- results -------------------------------------------------------------------------------------------------------- */

static int number_compare(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return x < y ? -1 : x > y;
}

static void load_print(const char *name, const uint32_t *counts, int64_t from, int64_t until) {
        size_t n = (size_t)(until - from);
        uint32_t *sorted = new_array(n, sizeof(*sorted));

        if (!sorted)
                exit(1);
        memcpy(sorted, counts + from, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), number_compare);
        printf("%s-median %u\n%s-p99 %u\n%s-peak %u\n", name, sorted[n / 2], name, sorted[n * 99 / 100], name, sorted[n - 1]);
        free(sorted);
}

/* How many seconds after `from` so many percent of the nodes were done. */
static void progress_print(const struct fleet *f, const char *name, int64_t from) {
        static const double percents[] = {50, 90, 99, 100};
        uint64_t sum = 0;
        size_t k = 0;

        for (int64_t s = from; s < f->end / S && k < ARRAY_SIZE(percents); s++) {
                sum += f->done[s];
                while (k < ARRAY_SIZE(percents) && sum >= (uint64_t)ceil((double)f->n * percents[k] / 100))
                        printf("%s-%.0f-percent-after %lld\n", name, percents[k++], (long long)(s + 1 - from));
        }
        printf("%s-reached %llu\n", name, (unsigned long long)sum);
}

static void results_print(const struct fleet *f) {
        int64_t interval = f->schedule.interval_ns / S, end = f->end / S, back = f->down_until / S, published = f->published / S;

        switch (f->scenario) {
        case REST:
                load_print("polls", f->polls, 10 * interval, end);
                break;
        case BOOT:
                load_print("polls", f->polls, 0, interval);
                break;
        case RELEASE:
        case WAVES:
                load_print("polls", f->polls, published, end);
                load_print("downloads", f->downloads, published, end);
                progress_print(f, "release", published);
                break;
        case OUTAGE:
                load_print("polls-before", f->polls, back - 3600 - 10 * interval, back - 3600);
                load_print("polls-while-down", f->polls, back - 1800, back);
                load_print("polls-after", f->polls, back, end);
                printf("polls-first-second %u\n", f->polls[back]);
                progress_print(f, "served", back);
                break;
        default:
                load_print("polls-offered", f->polls, end - 1800, end);
                load_print("polls-refused", f->refused, end - 1800, end);
        }
}

static void rollout_prepare(struct fleet *f) {
        static const char document[] =
                "{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\",\"rings\":{"
                "\"all\":{\"release\":42,\"target\":\"bundles/b\",\"started\":\"2026-11-22T08:00:00Z\"},"
                "\"waves\":{\"release\":42,\"target\":\"bundles/b\",\"started\":\"2026-11-22T08:00:00Z\",\"waves\":["
                "{\"after\":\"10m\",\"percent\":1},{\"after\":\"30m\",\"percent\":25},{\"after\":\"60m\",\"percent\":100}]}}}";
        struct err err = {0};

        if (rollout_parse(document, strlen(document), "baseline", &f->rollout, &err) < 0) {
                fprintf(stderr, "fleet: %s\n", err.msg);
                exit(1);
        }
}

int main(int argc, char **argv) {
        struct fleet *f = calloc(1, sizeof(*f));
        int64_t interval = argc == 5 ? atoll(argv[3]) : 0;

        if (!f || interval < 1 || interval > 600) {
                fprintf(stderr, "usage: fleet SCENARIO NODES INTERVAL_S CAPACITY\n");
                return 2;
        }
        while (f->scenario < N_SCENARIOS && !streq(argv[1], names[f->scenario]))
                f->scenario++;
        f->n = strtoul(argv[2], NULL, 10);
        f->capacity = atof(argv[4]);
        f->schedule = (struct schedule){.interval_ns = interval * S, .jitter_percent = 10};
        f->nodes = new_array(f->n, sizeof(*f->nodes));
        f->queue = new_array(f->n, sizeof(*f->queue));
        if (f->scenario == N_SCENARIOS || f->n == 0 || !f->nodes || !f->queue) {
                fprintf(stderr, "fleet: no such scenario, or no nodes\n");
                return 2;
        }
        f->published = 10 * interval * S;
        f->end = 30 * interval * S;
        if (f->scenario == RELEASE || f->scenario == WAVES)
                rollout_prepare(f);
        if (f->scenario == WAVES)
                f->end = f->published + (3600 + 3 * interval) * S;
        if (f->scenario == OUTAGE) {
                f->down_from = 10 * interval * S;
                f->down_until = f->down_from + 3600 * S;
                f->end = f->down_until + 2 * 3600 * S;
        }
        if (f->scenario == OVERLOAD)
                f->end = 3 * 3600 * S;
        run(f);
        results_print(f);
        rollout_free(f->rollout);
        free(f->nodes);
        free(f->queue);
        free(f);
        return 0;
}
