/* SPDX-License-Identifier: Apache-2.0 */
/* What all sinks share: counters that outlive a reporter, and its sandbox. */
#include "sinks_place.h"

static void test_counters_are_shared(void **state) {
        struct sinks_counts *supervisor, *reporter;
        cleanup_json json_t *j = NULL;
        cleanup_free char *text = NULL;
        cleanup_fd int fd = sinks_counts_new(&supervisor, NULL), other = memfd_sealed("x", "y", 1, NULL);

        assert_true(fd >= 0);
        assert_int_equal(sinks_counts_map(fd, &reporter, NULL), 0);
        assert_false(sinks_counts_failing(supervisor));
        reporter->of[SINK_FILE] =
                (struct sink_counts){.taken = 9, .written = 5, .dropped = 3, .retried = 2, .error = ENOSPC, .on = 1};
        j = sinks_counts_json(supervisor);
        text = json_dumps(j, JSON_COMPACT);
        assert_string_equal(
                text, "[{\"name\":\"file\",\"written\":5,\"dropped\":3,\"retried\":2,\"error\":\"No space left on device\"}]");
        assert_true(sinks_counts_failing(supervisor));
        /* One that was taken over can write nonsense there, and nothing worse. */
        memset(reporter, 0xff, sizeof(*reporter));
        json_decref(j);
        j = sinks_counts_json(supervisor);
        assert_int_equal(json_array_size(j), SINK_KINDS);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(sinks_counts_map(other, &reporter, NULL), -EBADMSG);
        sinks_counts_free(supervisor);
        sinks_counts_free(reporter);
}

static int outside(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC, 0666);

        return fd < 0 ? errno : 0;
}

/* In the reporter's sandbox sinks work, and the door is not wider than that. */
static void sandboxed(struct place *p) {
        struct sandbox_spec spec = {
                .uid = 65534, .gid = 65534, .profile = SANDBOX_REPORT, .writable_dir = p->sinks.file.dir, .max_file = 1 << 20};
        struct sandbox_report report;
        char beside[128];

        if (sandbox_enter(&spec, &report, NULL) < 0)
                _exit(10);
        add_and_serve(p, 1, 2000);
        if (p->counts.of[SINK_FILE].written != 2000 || p->counts.of[SINK_JOURNALD].written == 0)
                _exit(11);
        snprintf(beside, sizeof(beside), "%s/beside", p->dir);
        if (outside(beside, O_WRONLY | O_CREAT) != EACCES)
                _exit(12);
        if ((report.parts & SANDBOX_LANDLOCK_FILES) && outside("/etc/passwd", O_RDONLY) != EACCES)
                _exit(13);
        if (socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 || errno != EPERM || socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
                _exit(14);
        _exit(0);
}

static void test_in_the_sandbox(void **state) {
        struct place *p = *state;
        int status;
        pid_t pid;

        if (geteuid() != 0)
                skip();
        assert_int_equal(chmod(p->dir, 0711), 0); /* made for this test's user alone */
        with_file(p);
        with_journald(p);
        assert_int_equal(chmod(p->journal, 0666), 0); /* as journald's is */
        place_open(p);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                sandboxed(p);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read_all(p).last, 2000);
}

/* ---- where the task is --------------------------------------------------------------------------------------------- */

#define CONTAINER "machine.slice/libpod-web.scope"

static void text_is(const json_t *event, const char *key, const char *want) {
        const char *got = json_string_value(json_object_get(event, key));

        if (!got || !streq(got, want))
                fail_msg("%s: %s instead of %s", key, got ?: "nothing", want);
}

static void make(const struct place *p, const char *below) {
        char path[160];

        snprintf(path, sizeof(path), "%s/%s", p->dir, below);
        assert_int_equal(mkdir(path, 0755), 0);
}

/* The last line of the file, of an event in the cgroup of that folder. */
static json_t *told_from(struct place *p, uint32_t pid, const char *cgroup) {
        cleanup_buf struct buf b = {0};
        char path[160];
        struct stat st;
        json_t *event;

        snprintf(path, sizeof(path), "%s/cgroup/%s", p->dir, cgroup);
        st.st_ino = 12345678901; /* nobody's */
        (void)stat(path, &st);
        add(p, pid);
        p->feed->entries[(p->feed->next - 1) % FEED_EVENTS_MAX].event.cgroup = st.st_ino;
        sinks_serve(&p->sinks, p->feed);
        assert_true(file_read(AT_FDCWD, p->file, 1 << 20, &b, NULL) >= 0 && b.len > 0);
        b.data[b.len - 1] = '\0';
        assert_int_equal(json_parse(strrchr(b.data, '\n') ? strrchr(b.data, '\n') + 1 : b.data,
                                    strlen(strrchr(b.data, '\n') ? strrchr(b.data, '\n') + 1 : b.data), &event, NULL),
                         0);
        return event;
}

static void test_places(void **state) {
        static const char record[] = "{\"name\":\"web\",\"pod\":\"shop-1\",\"namespace\":\"prod\"}";
        struct place *p = *state;
        cleanup_json json_t *root = NULL, *container = NULL, *gone = NULL, *named = NULL;
        char path[160];

        make(p, "cgroup");
        make(p, "cgroup/machine.slice");
        make(p, "cgroup/" CONTAINER);
        with_file(p);
        snprintf(p->spec.run_dir, sizeof(p->spec.run_dir), "%s", p->dir);
        place_open(p);
        snprintf(path, sizeof(path), "%s/cgroup", p->dir);
        sinks_places(&p->sinks, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

        root = told_from(p, 1, ".");
        text_is(root, "cgroup_path", "/");
        assert_null(json_object_get(root, "container"));
        container = told_from(p, 2, CONTAINER);
        text_is(container, "cgroup_path", "/" CONTAINER);
        text_is(container, "container", "web");
        assert_null(json_object_get(container, "container_name"));
        gone = told_from(p, 3, "nowhere");
        assert_null(json_object_get(gone, "cgroup_path"));
        assert_non_null(json_object_get(gone, "cgroup"));

        make(p, "containers");
        snprintf(path, sizeof(path), "%s/containers/web", p->dir);
        assert_true(file_replace(AT_FDCWD, path, 0644, record, sizeof(record) - 1, NULL) >= 0);
        named = told_from(p, 4, CONTAINER);
        text_is(named, "container_name", "web");
        text_is(named, "pod_name", "shop-1");
        text_is(named, "pod_namespace", "prod");
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counters_are_shared),
                CASE(test_in_the_sandbox),
                CASE(test_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
