/* SPDX-License-Identifier: Apache-2.0 */
/* The spool: order, bounds, sums, what a killed writer or sender leaves. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "spool.h"
#include "util.h"

struct place {
        char path[64];
        struct spool s;
        unsigned next; /* number of the next event */
};

static void begin(struct place *p, uint64_t max_size) {
        assert_int_equal(spool_begin(&p->s, spool_folder(p->path, getuid(), getgid(), NULL), max_size), 0);
}

static void place_make(struct place *p, uint64_t max_size) {
        *p = (struct place){.s = SPOOL_INIT};
        strcpy(p->path, "/tmp/test_spool.XXXXXX");
        assert_non_null(mkdtemp(p->path));
        assert_int_equal(chown(p->path, getuid(), getgid()), 0);
        begin(p, max_size);
}

static void place_done(struct place *p) {
        char command[128];

        spool_done(&p->s);
        snprintf(command, sizeof(command), "rm -rf %s", p->path);
        assert_int_equal(system(command), 0);
}
#define cleanup_place cleanup(place_done)

static int append(struct place *p, size_t length) {
        cleanup_free char *line = malloc(length + 64);
        int n = snprintf(line, 64, "{\"type\":\"denied\",\"pid\":%u,\"x\":\"", p->next);
        int r;

        memset(line + n, 'x', length);
        strcpy(line + n + length, "\"}\n");
        r = spool_append(&p->s, line, strlen(line));
        if (r == 0)
                p->next++;
        return r;
}

static void lost(struct place *p, unsigned count) {
        char line[64];

        snprintf(line, sizeof(line), "{\"type\":\"lost\",\"count\":%u}\n", count);
        assert_int_equal(spool_append(&p->s, line, strlen(line)), 0);
}

static void waits(struct place *p, uint64_t events, uint64_t told) {
        struct spool_sum sum;

        assert_int_equal(spool_waiting(&p->s, 0, &sum), 0);
        assert_int_equal(sum.events, events);
        assert_int_equal(sum.told, told);
}

/* Takes all there is: the first and the last event, which must be in their turn. */
static unsigned take_all(struct place *p, unsigned *ret_first) {
        unsigned n = 0, last = 0;

        for (;;) {
                cleanup_segment struct spool_segment g = {0};
                int r = spool_take(p->s.dir, &g);

                assert_true(r >= 0);
                if (r == 0)
                        return n;
                for (const char *at = g.lines.data; (at = strstr(at, "\"pid\":")); at++) {
                        unsigned pid = (unsigned)strtoul(at + 6, NULL, 10);

                        if (n == 0)
                                *ret_first = pid;
                        else
                                assert_int_equal(pid, last + 1);
                        last = pid;
                        n++;
                }
                assert_int_equal(spool_remove(p->s.dir, g.number), 0);
        }
}

static void write_file(const struct place *p, const char *name, const char *text) {
        cleanup_fd int fd = openat(p->s.dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void in_turn(void **state) {
        cleanup_place struct place p;
        unsigned first;

        place_make(&p, SPOOL_SIZE);
        for (int i = 0; i < 3000; i++) {
                assert_int_equal(append(&p, 200), 0);
                if (i % 7 == 0)
                        assert_true(spool_publish(&p.s) >= 0);
        }
        lost(&p, 5);
        waits(&p, 3000, 5);
        /* While much waits, it is not given away in small pieces. */
        assert_true(p.s.size > 0);
        take_all(&p, &first);
        assert_int_equal(spool_publish(&p.s), 1);
        take_all(&p, &first);
        waits(&p, 0, 0);
}

static void all_of_it(void **state) {
        cleanup_place struct place p;
        unsigned first = 99;

        place_make(&p, SPOOL_SIZE);
        for (int i = 0; i < 100; i++)
                assert_int_equal(append(&p, 10), 0);
        assert_int_equal(take_all(&p, &first), 0); /* not before it is published */
        assert_int_equal(spool_publish(&p.s), 1);
        assert_int_equal(spool_publish(&p.s), 0);
        assert_int_equal(take_all(&p, &first), 100);
        assert_int_equal(first, 0);
}

static void the_oldest_makes_room(void **state) {
        cleanup_place struct place p;
        struct spool_sum sum = {0};
        unsigned first = 0, n;

        place_make(&p, SPOOL_MIN);
        lost(&p, 1000);
        for (int i = 0; i < 4000; i++) {
                assert_int_equal(spool_make_room(&p.s, &sum), 0);
                assert_int_equal(append(&p, 1000), 0);
        }
        assert_true(sum.events > 2500);
        assert_int_equal(sum.told, 1000);
        waits(&p, 4000 - sum.events, 0);
        assert_int_equal(spool_publish(&p.s), 1);
        n = take_all(&p, &first);
        assert_int_equal(first, sum.events);
        assert_int_equal(n, 4000 - sum.events);
}

static void a_killed_sender(void **state) {
        cleanup_place struct place p;
        struct spool_segment g = {0};
        struct spool_sum sum;
        unsigned first;

        place_make(&p, SPOOL_SIZE);
        for (int i = 0; i < 10; i++)
                assert_int_equal(append(&p, 10) | (spool_publish(&p.s) < 0), 0);
        assert_int_equal(spool_take(p.s.dir, &g), 1); /* and is killed */
        waits(&p, 10, 0);
        assert_int_equal(spool_waiting(&p.s, g.number, &sum), 0); /* it was accepted already */
        assert_int_equal(sum.events, 9);
        spool_segment_done(&g);
        assert_int_equal(take_all(&p, &first),
                         8 + 0 * (int)first); /* eight are few enough; the rest is published when it may be */
        assert_int_equal(spool_publish(&p.s), 1);
        assert_int_equal(take_all(&p, &first), 2);
}

static void a_killed_writer(void **state) {
        cleanup_place struct place p;
        unsigned first = 0;

        place_make(&p, SPOOL_SIZE);
        for (int i = 0; i < 5; i++)
                assert_int_equal(append(&p, 10), 0);
        assert_int_equal(write(p.s.fd, "{\"type\":\"den", 12), 12);
        write_file(&p, "dropping", "{\"type\":\"denied\"}\n");
        spool_done(&p.s);
        begin(&p, SPOOL_SIZE);
        waits(&p, 5, 0);
        assert_int_equal(append(&p, 10), 0);
        assert_int_equal(spool_publish(&p.s), 1);
        assert_int_equal(take_all(&p, &first), 6);
        assert_int_equal(first, 0);
        assert_int_equal(faccessat(p.s.dir, "dropping", F_OK, 0), -1);
        spool_done(&p.s);
        begin(&p, SPOOL_SIZE); /* and with nothing new: what is left is published all the same */
        write_file(&p, "open", "{\"type\":\"denied\",\"pid\":7}\n");
        assert_int_equal(spool_publish(&p.s), 1);
        assert_int_equal(take_all(&p, &first), 1);
}

static void what_others_put_there(void **state) {
        cleanup_place struct place p;
        unsigned first = 0;
        char target[96];

        place_make(&p, SPOOL_SIZE);
        snprintf(target, sizeof(target), "%s/../test_spool_stays", p.path);
        assert_int_equal(symlinkat(target, p.s.dir, "0000000000000001.events"), 0);
        assert_int_equal(symlinkat(target, p.s.dir, "open"), 0);
        assert_int_equal(mkfifoat(p.s.dir, "0000000000000002.sending", 0600), 0);
        assert_int_equal(mkdirat(p.s.dir, "0000000000000003.events", 0700), 0);
        write_file(&p, "ffffffffffffffff.events", "{\"type\":\"denied\",\"pid\":1}\n");
        write_file(&p, "0000000000000000.events", "{\"type\":\"denied\",\"pid\":1}\n");
        write_file(&p, "000000000000000A.events", "{\"type\":\"denied\",\"pid\":1}\n");
        write_file(&p, "stranger", "x");
        spool_done(&p.s);
        begin(&p, SPOOL_SIZE);
        waits(&p, 0, 0);
        assert_int_equal(append(&p, 10), 0);
        assert_int_equal(spool_publish(&p.s), 1);
        assert_int_equal(take_all(&p, &first), 1);
        assert_int_equal(faccessat(p.s.dir, "stranger", F_OK, 0), 0);
        assert_int_equal(access(target, F_OK), -1);
}

static void too_long(void **state) {
        cleanup_place struct place p;

        place_make(&p, SPOOL_SIZE);
        assert_int_equal(append(&p, SPOOL_SEGMENT_MAX), -EMSGSIZE);
        waits(&p, 0, 0);
}

static void sums(void **state) {
        struct spool_sum sum = {0};

        assert_false(spool_line_sum("x", 1, &sum));
        assert_false(spool_line_sum("[]", 2, &sum));
        assert_false(spool_line_sum("{}", 2, &sum));
        assert_true(spool_line_sum("{\"type\":\"lost\",\"count\":-5}", 26, &sum));
        assert_true(spool_line_sum("{\"type\":\"lost\"}", 15, &sum));
        assert_int_equal(sum.events + sum.told, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(in_turn),
                cmocka_unit_test(all_of_it),
                cmocka_unit_test(the_oldest_makes_room),
                cmocka_unit_test(a_killed_sender),
                cmocka_unit_test(a_killed_writer),
                cmocka_unit_test(what_others_put_there),
                cmocka_unit_test(too_long),
                cmocka_unit_test(sums),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
