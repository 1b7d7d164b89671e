/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polls a release repository as the agent does, on machines whose kernel can enforce nothing: the supervisor's own code in this
 * process, with lsmpull as its fetcher. The node has the release in force that the repository lists, so that there is nothing to do.
 *
 *      node-poll LSMPULL CONFIG BUNDLE RELEASE CONTENT-ID POLLS
 *
 * A line each: "poll SUPERVISOR FETCHER", nanoseconds of processor time; at the end "resident SUPERVISOR FETCHER", the most KiB.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "repo.h"

static int failed(const char *what, const struct err *err) {
        fprintf(stderr, "node-poll: %s: %s\n", what, err->msg);
        return 1;
}

static int64_t time_of(int who) {
        struct rusage u;

        getrusage(who, &u);
        return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000LL + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

static long resident_of(int who) {
        struct rusage u;

        getrusage(who, &u);
        return u.ru_maxrss;
}

static int poll_once(struct node *n, struct err *err) {
        struct source s;
        bool changed;
        int r;

        source_load(n, &s);
        r = repo_poll(n, &s, &changed, err);
        return r == 0 && changed ? err_set(err, -ESTALE, REASON_NONE, "there was something new") : r;
}

int main(int argc, char **argv) {
        cleanup_config struct config config = {};
        struct bundle bundle = {.kernel = ENFORCEMENT_INIT};
        struct bundle *bundles[] = {&bundle};
        struct node node = {.config = &config, .bundles = bundles, .n_bundles = 1, .waiter = &waiter_plain, .lock_fd = -1};
        struct journal_gen *g = &bundle.journal.confirmed;
        struct err err = {};

        if (argc != 7) {
                fputs("usage: node-poll LSMPULL CONFIG BUNDLE RELEASE CONTENT-ID POLLS\n", stderr);
                return 2;
        }
        if (config_defaults(&config, &err) < 0 || config_load(&config, argv[2], true, &err) < 0)
                return failed(argv[2], &err);
        config.fetcher_exe = strdup(argv[1]);
        mkdir(config.state_dir, 0700);
        node.state_fd = open(config.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        snprintf(bundle.name, sizeof(bundle.name), "%s", argv[3]);
        *g = (struct journal_gen){.present = true, .release = strtoull(argv[4], NULL, 10)};
        snprintf(g->content_hex, sizeof(g->content_hex), "%s", argv[5]);

        for (int i = 0; i < atoi(argv[6]); i++) {
                int64_t self = time_of(RUSAGE_SELF), children = time_of(RUSAGE_CHILDREN);

                if (poll_once(&node, &err) < 0)
                        return failed("poll", &err);
                printf("poll %lld %lld\n", (long long)(time_of(RUSAGE_SELF) - self),
                       (long long)(time_of(RUSAGE_CHILDREN) - children));
        }
        printf("resident %ld %ld\n", resident_of(RUSAGE_SELF), resident_of(RUSAGE_CHILDREN));
        return 0;
}
