/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of events: whatever one does, the others get theirs, and nobody is left to believe that there was nothing more. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "feed.h"

struct reader {
        int fd;
        size_t events, lost, live; /* what it has got */
        uint32_t last_pid;         /* of the last event; -1: out of order */
};

static struct reader join(struct feed *f, pid_t pid) {
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(feed_join(f, fds[0], pid), 0);
        return (struct reader){.fd = fds[1]};
}

/* Events are told apart by their pid, which counts from 1. */
static void add(struct feed *f, uint32_t first, uint32_t n) {
        for (uint32_t i = 0; i < n; i++)
                feed_add(f, FEED_EVENT, 1)->event = (struct lsm_event){
                        .abi = LSM_ABI, .count = 1, .error = EACCES, .pid = first + i, .tgid = 5, .comm = "task"};
}

/* One turn of the reporter's loop. How many readers it would have to wake up for: none, when everything is sent. */
static int turn(struct feed *f) {
        struct pollfd fds[FEED_READERS_MAX];
        int n;

        feed_poll_fill(f, fds);
        n = poll(fds, FEED_READERS_MAX, 0);
        assert_true(n >= 0);
        feed_serve(f, fds);
        return n;
}

static bool take(struct reader *r) {
        cleanup_json json_t *o = NULL;
        char line[8192];
        ssize_t n = recv(r->fd, line, sizeof(line), MSG_DONTWAIT);
        struct err err = {0};
        const char *type;

        if (n <= 0)
                return false;
        assert_int_equal(line[n - 1], '\n');
        if (json_parse(line, (size_t)n, &o, &err) < 0)
                fail_msg("%s", err.msg);
        type = json_string_value(json_object_get(o, "type"));
        if (streq(type, "denied")) {
                uint32_t pid = (uint32_t)json_integer_value(json_object_get(o, "pid"));

                assert_true(pid > r->last_pid);
                r->last_pid = pid;
                r->events++;
        } else if (streq(type, "lost"))
                r->lost += (size_t)json_integer_value(json_object_get(o, "count"));
        else if (streq(type, "live"))
                r->live++;
        return true;
}

static void drain(struct feed *f, struct reader *r) {
        for (bool more = true; more;) {
                more = turn(f) > 0;
                while (take(r))
                        more = true;
        }
}

static void test_kept_then_live(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader r;

        add(f, 1, 3);
        r = join(f, 1);
        turn(f);
        for (int i = 0; i < 3; i++)
                assert_true(take(&r));
        assert_int_equal(r.events, 3);
        assert_int_equal(r.live, 0);
        assert_true(take(&r));
        assert_int_equal(r.live, 1); /* "from here on it is new": how a reader that does not follow knows when to stop */
        assert_false(take(&r));
        assert_int_equal(turn(f), 0); /* nothing to do: nobody is woken up */
        add(f, 4, 1);
        assert_int_equal(turn(f), 1);
        assert_true(take(&r));
        assert_int_equal(r.last_pid, 4);
        close(r.fd);
}

static void test_nothing_kept(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader r = join(f, 1);

        drain(f, &r);
        assert_int_equal(r.live, 1);
        assert_int_equal(r.events + r.lost, 0);
        close(r.fd);
}

/* Of more than are kept, the newest; and what was before them was before the reader, so it has not missed it. */
static void test_only_the_newest_are_kept(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader r;

        add(f, 1, FEED_EVENTS_MAX + 7);
        r = join(f, 1);
        drain(f, &r);
        assert_int_equal(r.events, FEED_EVENTS_MAX);
        assert_int_equal(r.lost, 0);
        assert_int_equal(r.last_pid, FEED_EVENTS_MAX + 7);
        close(r.fd);
}

static void test_slow_reader(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader slow = join(f, 1), quick = join(f, 1);
        const size_t bursts = 50, size = 100;

        for (size_t i = 0; i < bursts; i++) {
                add(f, 1 + i * size, size);
                drain(f, &quick);
                assert_int_equal(quick.events, (i + 1) * size);
        }
        assert_int_equal(quick.lost, 0);
        assert_int_equal(turn(f), 0); /* the slow one's socket is full: it is not tried again and again */
        drain(f, &slow);
        assert_true(slow.lost > 0);
        assert_int_equal(slow.events + slow.lost, bursts * size); /* told of exactly what it has missed */
        assert_int_equal(slow.last_pid, bursts * size);
        assert_int_equal(slow.live, 1);
        close(slow.fd);
        close(quick.fd);
}

/* Each line that it prints may be an event: one that is sent its own would never stop. Everybody else is told. */
static void test_own_events(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader own = join(f, 5), other = join(f, 6);

        add(f, 1, 10);
        drain(f, &own);
        drain(f, &other);
        assert_int_equal(own.events, 0);
        assert_int_equal(own.live, 1);
        assert_int_equal(other.events, 10);
        close(own.fd);
        close(other.fd);
}

static void test_readers_go(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader r = join(f, 1), stays = join(f, 1);

        for (int i = 0; i < 1000; i++) { /* or places would run out */
                close(r.fd);
                turn(f);
                r = join(f, 1);
        }
        add(f, 1, 1);
        close(r.fd); /* with something under way to it */
        drain(f, &stays);
        assert_int_equal(stays.events, 1);
        close(stays.fd);
}

static void test_too_many_readers(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader readers[FEED_READERS_MAX];
        char c;
        int fds[2];

        for (size_t i = 0; i < FEED_READERS_MAX; i++)
                readers[i] = join(f, 1);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(feed_join(f, fds[0], 1), -EBUSY);
        assert_int_equal(fcntl(fds[0], F_GETFD), -1);
        assert_int_equal(recv(fds[1], &c, 1, 0), 0); /* turned away, not left waiting */
        close(fds[1]);
        add(f, 1, 1);
        for (size_t i = 0; i < FEED_READERS_MAX; i++) {
                drain(f, &readers[i]);
                assert_int_equal(readers[i].events, 1);
                close(readers[i].fd);
        }
}

static void test_other_lines(void **state) {
        cleanup_feed struct feed *f = feed_new();
        struct reader r = join(f, 1);
        char line[4096];
        ssize_t n;

        feed_add(f, FEED_NOTE, 1)->note = (struct event_note){.state = "confirmed", .bundle = "web"};
        feed_add(f, FEED_UNREADABLE, 1);
        turn(f);
        assert_true(take(&r)); /* live */
        n = recv(r.fd, line, sizeof(line) - 1, 0);
        assert_true(n > 0);
        line[n] = '\0';
        assert_non_null(strstr(line, "\"type\":\"swap\""));
        n = recv(r.fd, line, sizeof(line) - 1, 0);
        assert_true(n > 0);
        line[n] = '\0';
        assert_non_null(strstr(line, "\"type\":\"unreadable\""));
        close(r.fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kept_then_live),
                cmocka_unit_test(test_nothing_kept),
                cmocka_unit_test(test_only_the_newest_are_kept),
                cmocka_unit_test(test_slow_reader),
                cmocka_unit_test(test_own_events),
                cmocka_unit_test(test_readers_go),
                cmocka_unit_test(test_too_many_readers),
                cmocka_unit_test(test_other_lines),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
