/* SPDX-License-Identifier: Apache-2.0 */
/* The network's sink, as far as the reporter goes: what was taken is in the spool, or dropped and told, through restarts of the agent. */
#include "sinks_place.h"

#define ROOM (1u << 20)

static void open_spool(struct place *p) {
        char path[96];

        snprintf(path, sizeof(path), "%s/spool", p->dir);
        sinks_open(&p->sinks, &p->spec, p->journal, getuid(), getgid(), spool_folder(path, getuid(), getgid(), NULL), -1,
                   &p->counts);
        assert_int_equal(p->counts.of[SINK_HTTP].error, 0);
}

static void with_http(struct place *p) {
        p->spec.http = 1;
        p->spec.http_size = ROOM;
        open_spool(p);
}

/* A reporter that was killed, and the next one; with `agent` a new agent, too, whose counters begin anew. */
static void again(struct place *p, bool agent) {
        sinks_close(&p->sinks);
        feed_free(p->feed);
        p->feed = feed_new();
        if (agent)
                p->counts = (struct sinks_counts){0};
        open_spool(p);
}

static struct spool_sum waiting(const struct place *p) {
        struct spool_sum sum;

        assert_int_equal(spool_waiting(&p->sinks.http.spool, 0, &sum), 0);
        return sum;
}

/* What a sender does when a receiver accepts everything. */
static struct spool_sum accept_all(struct place *p) {
        struct sink_counts *c = &p->counts.of[SINK_HTTP];
        struct spool_sum all = {0};

        for (;;) {
                cleanup_segment struct spool_segment g = {0};
                struct spool_sum sum = {0};

                if (spool_take(p->sinks.http.spool.dir, &g) == 0) {
                        if (p->sinks.http.spool.size == 0)
                                return all;
                        p->sinks.flush_due = 1;
                        sinks_serve(&p->sinks, p->feed);
                        continue;
                }
                for (char *line = g.lines.data, *end; (end = strchr(line, '\n')); line = end + 1)
                        assert_true(spool_line_sum(line, (size_t)(end - line), &sum));
                c->written += sum.events;
                c->told += (int64_t)sum.told;
                c->sent = g.number;
                assert_int_equal(spool_remove(p->sinks.http.spool.dir, g.number), 0);
                all.events += sum.events;
                all.told += sum.told;
        }
}

static void test_all_of_it(void **state) {
        struct place *p = *state;
        struct spool_sum sum;

        with_http(p);
        add_and_serve(p, 1, 1000);
        assert_int_equal(waiting(p).events, 1000);
        counts_are(p, SINK_HTTP, 1000, 0, 0);
        sum = accept_all(p);
        assert_int_equal(sum.events, 1000);
        assert_int_equal(sum.told, 0);
        counts_are(p, SINK_HTTP, 1000, 1000, 0);
}

static void test_killed_with_events_in_hand(void **state) {
        struct place *p = *state;
        struct spool_sum sum;

        with_http(p);
        add_and_serve(p, 1, 10);
        for (uint32_t i = 11; i <= 17; i++) /* taken, and not served */
                add(p, i);
        again(p, false);
        counts_are(p, SINK_HTTP, 17, 0, 7);
        add_and_serve(p, 18, 1);
        again(p, false); /* what was dropped is told once, whatever is killed */
        sum = accept_all(p);
        assert_int_equal(sum.events, 11);
        assert_int_equal(sum.told, 7);
        counts_are(p, SINK_HTTP, 18, 11, 7);
        again(p, false);
        sinks_serve(&p->sinks, p->feed);
        assert_int_equal(accept_all(p).told, 0);
        counts_are(p, SINK_HTTP, 18, 11, 7);
}

static void test_no_room(void **state) {
        struct place *p = *state;
        struct spool_sum sum;

        with_http(p);
        add_and_serve(p, 1, 30000);
        assert_true(p->counts.of[SINK_HTTP].dropped > 10000);
        sum = waiting(p);
        assert_int_equal(sum.events + p->counts.of[SINK_HTTP].dropped, 30000);
        assert_int_equal(sum.told, p->counts.of[SINK_HTTP].dropped);
        again(p, true); /* another agent, which knows what waits and what is told already */
        assert_int_equal(p->counts.of[SINK_HTTP].taken, sum.events);
        counts_are(p, SINK_HTTP, sum.events, 0, 0);
        add_and_serve(p, 30001, 30000); /* the first one's "lost" are lost, too, and told again */
        sum = accept_all(p);
        assert_int_equal(sum.events + sum.told, 60000);
}

static void test_no_folder(void **state) {
        struct place *p = *state;

        p->spec.http = 1;
        p->spec.http_size = ROOM;
        sinks_open(&p->sinks, &p->spec, p->journal, getuid(), getgid(), -1, -1, &p->counts);
        assert_int_equal(p->counts.of[SINK_HTTP].error, ENOENT);
        with_file(p);
        add_and_serve(p, 1, 10);
        assert_true(sinks_timeout(&p->sinks, p->feed) > 0); /* is tried again, and not at once */
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                CASE(test_all_of_it),
                CASE(test_killed_with_events_in_hand),
                CASE(test_no_room),
                CASE(test_no_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
