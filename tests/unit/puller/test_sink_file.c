/* SPDX-License-Identifier: Apache-2.0 */
/* The file: whoever reads it must be able to rely on it that everything is there, or how much is not. */
#include "sinks_place.h"

static void test_lines_are_those_of_the_command(void **state) {
        struct place *p = *state;
        cleanup_buf struct buf got = {0}, want = {0};
        cleanup_json json_t *event = NULL;
        struct stat st;

        with_file(p);
        place_open(p);
        add_and_serve(p, 7, 1);
        event = feed_describe(p->feed, 0);
        assert_int_equal(event_json_format(event, &want), 0);
        assert_int_equal(file_read(AT_FDCWD, p->file, 1 << 20, &got, NULL), 0);
        assert_string_equal(got.data, want.data);
        counts_are(p, SINK_FILE, 1, 1, 0);
        assert_int_equal(stat(p->file, &st), 0);
        assert_int_equal(st.st_mode & 07027, 0);
}

static void test_rotation_is_bounded_and_in_order(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 5000);
        l = read_all(p);
        counts_are(p, SINK_FILE, 5000, 5000, 0);
        assert_int_equal(l.files, 4);
        assert_true(l.biggest <= SINK_FILE_MIN);
        assert_int_equal(l.last, 5000);
        assert_int_equal(l.n, l.last - l.first + 1); /* the newest, without a hole */
        assert_true(l.n > 600);
}

static void test_the_next_reporter_goes_on(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        for (uint32_t i = 0; i < 50; i++) { /* restarts everywhere between two rotations */
                add_and_serve(p, 1 + i * 17, 17);
                place_restart(p);
        }
        l = read_all(p);
        assert_int_equal(l.n, 850);
        assert_int_equal(l.lost, 0);
        counts_are(p, SINK_FILE, 850, 850, 0);
}

static void test_killed_with_events_in_hand(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 10);
        for (uint32_t i = 0; i < 7; i++)
                add(p, 11 + i);
        place_restart(p);
        add_and_serve(p, 18, 3);
        l = read_all(p);
        assert_int_equal(l.n, 13);
        assert_int_equal(l.lost, 7);
        counts_are(p, SINK_FILE, 20, 13, 7);
}

static void append(const char *path, const char *text, size_t n) {
        cleanup_fd int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

        assert_int_equal(write(fd, text, n), n);
}

static void test_a_torn_last_line(void **state) {
        static const char zeros[100];
        static const struct {
                const char *text;
                size_t n;
        } torn[] = {{"{", 1}, {"{\"v\":1,\"type\":\"den", 18}, {zeros, sizeof(zeros)}};
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 3);
        for (uint32_t i = 0; i < ARRAY_SIZE(torn); i++) {
                append(p->file, torn[i].text, torn[i].n);
                place_restart(p);
                add_and_serve(p, 4 + i, 1);
        }
        l = read_all(p);
        assert_int_equal(l.n, 6);
}

/* A crash between two renames leaves a number out. */
static void test_a_rotation_that_was_cut_off(void **state) {
        struct place *p = *state;
        char from[128], to[128];
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 2000);
        assert_int_equal(read_all(p).files, 4);
        snprintf(from, sizeof(from), "%s.2", p->file);
        snprintf(to, sizeof(to), "%s.3", p->file);
        assert_int_equal(rename(from, to), 0);
        place_restart(p);
        l = read_all(p);
        assert_int_equal(l.files, 3);
        add_and_serve(p, 2001, 200); /* one rotation: nothing of what was there is lost */
        assert_int_equal(read_all(p).first, l.first);
        assert_int_equal(read_all(p).files, 4);
        add_and_serve(p, 2201, 4000);
        l = read_all(p);
        assert_int_equal(l.files, 4);
        assert_int_equal(l.n, l.last - l.first + 1);
        assert_int_equal(l.last, 6200);
}

static void test_fewer_are_kept_than_before(void **state) {
        struct place *p = *state;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 2000);
        p->spec.keep = 1;
        place_restart(p);
        add_and_serve(p, 2001, 1);
        assert_int_equal(read_all(p).files, 2);
        assert_int_equal(read_all(p).last, 2001);
}

static void test_somebody_moves_the_file_away(void **state) {
        struct place *p = *state;
        char to[128];

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 3);
        snprintf(to, sizeof(to), "%s/mine", p->dir);
        assert_int_equal(rename(p->file, to), 0);
        add_and_serve(p, 4, 3);
        assert_int_equal(read_all(p).first, 4);
        assert_int_equal(read_all(p).n, 3);
}

/* What is not ours is neither cut nor followed nor opened for ever. */
static void test_other_files_in_its_place(void **state) {
        struct place *p = *state;
        cleanup_buf struct buf b = {0};
        char folder[128];

        snprintf(folder, sizeof(folder), "%s/log", p->dir);
        assert_int_equal(mkdir(folder, 0755), 0);
        with_file(p);
        append(p->file, "root:x:0:0", 10);
        place_open(p);
        add_and_serve(p, 1, 1);
        counts_are(p, SINK_FILE, 1, 0, 0);
        assert_int_equal(p->counts.of[SINK_FILE].error, EBADMSG);
        assert_int_equal(file_read(AT_FDCWD, p->file, 100, &b, NULL), 0);
        assert_string_equal(b.data, "root:x:0:0");
        assert_int_equal(unlink(p->file), 0);
        assert_int_equal(symlink("/dev/null", p->file), 0);
        serve_again(p);
        assert_int_equal(p->counts.of[SINK_FILE].error, ELOOP);
        assert_int_equal(unlink(p->file), 0);
        assert_int_equal(mkfifo(p->file, 0666), 0);
        serve_again(p);
        assert_int_equal(p->counts.of[SINK_FILE].error, EBADMSG);
        assert_int_equal(unlink(p->file), 0);
        serve_again(p);
        counts_are(p, SINK_FILE, 1, 1, 0);
        assert_int_equal(p->counts.of[SINK_FILE].error, 0);
        assert_int_equal(p->counts.of[SINK_FILE].retried, 3);
        assert_int_equal(read_all(p).n, 1);
}

static void test_a_folder_that_is_there_is_not_given_away(void **state) {
        struct place *p = *state;
        char folder[128];
        struct stat st;

        if (geteuid() != 0)
                skip();
        snprintf(folder, sizeof(folder), "%s/log", p->dir);
        with_file(p);
        place_open(p);
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_uid, 65534); /* it has made this one */
        assert_int_equal(st.st_mode & 07777, 0750);
        assert_int_equal(chown(folder, 0, 0), 0);
        place_restart(p);
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_uid, 0);
}

/* A disk that is full in the middle of a line: by the limit on a file's size, which cuts a write short in the same way. */
static void test_a_full_disk(void **state) {
        struct place *p = *state;
        struct rlimit before, now;
        struct lines l;

        with_file(p);
        place_open(p);
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        now = before;
        now.rlim_cur = 1000;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        add_and_serve(p, 1, 10);
        l = read_all(p);
        assert_true(l.n > 0 && l.n < 10);
        counts_are(p, SINK_FILE, 10, l.n, 0);
        assert_true(p->counts.of[SINK_FILE].error != 0);
        assert_true(sinks_timeout(&p->sinks, p->feed) > 0); /* it waits, and does not spin */
        for (uint32_t i = 0; i < 2000; i++)
                add(p, 11 + i);
        serve_again(p);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        serve_again(p);
        l = read_all(p);
        assert_int_equal(l.lost, p->counts.of[SINK_FILE].dropped);
        assert_true(l.lost > 0);
        counts_are(p, SINK_FILE, 2010, 2010 - l.lost, l.lost);
        assert_int_equal(l.last, 2010);
        assert_int_equal(sinks_timeout(&p->sinks, p->feed), -1);
}

static void test_paths(void **state) {
        static const char *const good[] = {"/var/log/lsmpull/events.json", "/a/b", "/a/.b"};
        static const char *const wrong[] = {"/events.json", "events.json", "a/b", "/a/", "/a/.", "/a/..", "/", ""};
        char path[300] = "/a/";

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(sink_file_path_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (sink_file_path_valid(wrong[i]))
                        fail_msg("taken: %s", wrong[i]);
        memset(path + 3, 'x', 251);
        assert_true(sink_file_path_valid(path));
        path[3 + 251] = 'x'; /* there is no room for ".100" */
        assert_false(sink_file_path_valid(path));
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                CASE(test_lines_are_those_of_the_command),
                CASE(test_rotation_is_bounded_and_in_order),
                CASE(test_the_next_reporter_goes_on),
                CASE(test_killed_with_events_in_hand),
                CASE(test_a_torn_last_line),
                CASE(test_a_rotation_that_was_cut_off),
                CASE(test_fewer_are_kept_than_before),
                CASE(test_somebody_moves_the_file_away),
                CASE(test_other_files_in_its_place),
                CASE(test_a_folder_that_is_there_is_not_given_away),
                CASE(test_a_full_disk),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
