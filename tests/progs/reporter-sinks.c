/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporter, with its sandbox and its sinks, on a node without BPF: in place of the kernel's ring buffer stands a pipe,
 * because the functions of libbpf that read it are defined here. Everything else is what the agent runs.
 *
 *      reporter-sinks [--file PATH --max-size BYTES --keep N] [--journald] [--object TEXT] EVENTS
 *
 * Sends that many denials, pid 1, 2, ..., and a note; waits until each sink has written or dropped them all, and prints the
 * counters.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fileio.h"
#include "reporter.h"
#include "reporter_proto.h"

#define PATIENCE_NS (60LL * 1000000000)

/* ---- in place of libbpf's ---------------------------------------------------------------------------------------------- */

struct ring_buffer {
        int fd;
        ring_buffer_sample_fn fn;
        void *ctx;
};

struct ring_buffer *ring_buffer__new(int fd, ring_buffer_sample_fn fn, void *ctx, const struct ring_buffer_opts *opts) {
        struct ring_buffer *r = calloc(1, sizeof(*r));

        *r = (struct ring_buffer){.fd = fcntl(fd, F_DUPFD_CLOEXEC, 10), .fn = fn, .ctx = ctx};
        return r;
}

void ring_buffer__free(struct ring_buffer *r) {
        if (r)
                close(r->fd);
        free(r);
}

int ring_buffer__epoll_fd(const struct ring_buffer *r) {
        return r->fd;
}

int ring_buffer__consume(struct ring_buffer *r) {
        struct lsm_event e;
        int n = 0;

        while (read(r->fd, &e, sizeof(e)) == sizeof(e)) {
                n++;
                if (r->fn(r->ctx, &e, sizeof(e)) < 0)
                        break;
        }
        return n;
}

/* ---- the supervisor's part --------------------------------------------------------------------------------------------- */

static int die(const char *what) {
        perror(what);
        exit(2);
}

static bool done(const struct sinks_counts *counts, const struct sinks_spec *spec, uint64_t n) {
        const bool wanted[SINK_KINDS] = {[SINK_FILE] = spec->file[0] != '\0', [SINK_JOURNALD] = spec->journald};

        for (size_t i = 0; i < SINK_KINDS; i++) {
                const volatile struct sink_counts *c = &counts->of[i];

                if (wanted[i] && c->written + c->dropped < n)
                        return false;
        }
        return true;
}

static struct lsm_event event(uint32_t pid, const char *object) {
        struct lsm_event e = {.abi = LSM_ABI, .count = 1, .error = EACCES, .pid = pid, .tgid = 5, .uid = 1000, .comm = "task"};

        e.time_ns = (uint64_t)event_clock_boottime();
        memcpy(e.object, object, strnlen(object, sizeof(e.object)));
        return e;
}

static void run(struct reporter_start *start, uint32_t n, const char *object) {
        const struct reporter_packet note = {.message = REPORTER_NOTE,
                                             .note = {.state = "confirmed", .bundle = "web", .release = 7}};
        struct sockaddr_un nameless = {.sun_family = AF_UNIX};
        int socks[2], ring[2], listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), fds[4], status;
        struct sinks_counts *counts;
        cleanup_json json_t *j = NULL;
        cleanup_free char *text = NULL;
        int64_t deadline = monotonic_ns() + PATIENCE_NS;
        pid_t pid;

        fds[2] = sinks_counts_new(&counts, NULL);
        fds[3] = memfd_create("folds", MFD_CLOEXEC); /* nothing is folded */
        if (fds[2] < 0 || fds[3] < 0 || ftruncate(fds[3], LSM_FOLDS_SIZE * sizeof(struct lsm_fold)) < 0 ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0 || pipe2(ring, O_CLOEXEC) < 0 ||
            fcntl(ring[0], F_SETFL, O_NONBLOCK) < 0 || bind(listener, (struct sockaddr *)&nameless, sizeof(sa_family_t)) < 0 ||
            listen(listener, 1) < 0)
                die("setup");
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                close(socks[0]);
                close(ring[1]);
                _exit(reporter_main(socks[1]));
        }
        close(socks[1]);
        fds[0] = ring[0];
        fds[1] = listener;
        if (msg_send(socks[0], start, sizeof(*start), fds, ARRAY_SIZE(fds)) < 0)
                die("start");
        for (uint32_t i = 1; i <= n; i++) {
                struct lsm_event e = event(i, object);

                if (fd_write_all(ring[1], &e, sizeof(e)) < 0)
                        die("event");
        }
        while (!done(counts, &start->sinks, n) && monotonic_ns() < deadline && waitpid(pid, &status, WNOHANG) == 0)
                usleep(10000);
        if (msg_send(socks[0], &note, sizeof(note), NULL, 0) < 0)
                die("note");
        while (!done(counts, &start->sinks, n + 1) && monotonic_ns() < deadline)
                usleep(10000);
        close(socks[0]); /* the supervisor has gone: the reporter ends */
        if (waitpid(pid, &status, 0) != pid || status != 0)
                die("the reporter");
        j = sinks_counts_json(counts);
        text = json_dumps(j, JSON_COMPACT);
        puts(text ? text : "?");
        sinks_counts_free(counts);
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"file", required_argument, NULL, 'f'},   {"max-size", required_argument, NULL, 's'},
                {"keep", required_argument, NULL, 'k'},   {"journald", no_argument, NULL, 'j'},
                {"object", required_argument, NULL, 'o'}, {0}};
        struct reporter_start start = {.uid = 65534, .gid = 65534, .sinks = {.max_size = SINK_FILE_SIZE, .keep = SINK_FILE_KEEP}};
        const char *object = "/etc/shadow";
        int opt;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (opt == 'f')
                        snprintf(start.sinks.file, sizeof(start.sinks.file), "%s", optarg);
                else if (opt == 's')
                        start.sinks.max_size = strtoull(optarg, NULL, 10);
                else if (opt == 'k')
                        start.sinks.keep = (uint32_t)strtoul(optarg, NULL, 10);
                else if (opt == 'j')
                        start.sinks.journald = 1;
                else if (opt == 'o')
                        object = optarg;
                else
                        return 2;
        }
        if (optind + 1 != argc)
                return 2;
        run(&start, (uint32_t)strtoul(argv[optind], NULL, 10), object);
        return 0;
}
