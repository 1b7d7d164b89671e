/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporter, with its sandbox and its sinks, on a node without BPF: in place of the kernel's ring buffer stands a pipe,
 * because the functions of libbpf that read it are defined here. Everything else is what the agent runs.
 *
 *      reporter-sinks [--file PATH --max-size BYTES --keep N] [--journald]
 *              [--http URL --format F --spool DIR --spool-size BYTES --ca FILE --token FILE --tenant NAME --label NAME=VALUE]
 *              [--kill N] [--patience SECONDS] [--object TEXT] EVENTS
 *
 * Sends that many denials, pid 1, 2, ..., and a note; waits until each sink has written, refused or dropped them all, and what waited before, and prints
 * the counters. --http: with a sender, too. --kill: reporter and sender are killed in turns, N times in all, while it goes on.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fileio.h"
#include "reporter.h"
#include "reporter_proto.h"
#include "sender_proto.h"

#define PATIENCE_NS (60LL * 1000000000)
#define KILL_NS 300000000LL

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
        const bool wanted[SINK_KINDS] = {
                [SINK_FILE] = spec->file[0] != '\0', [SINK_JOURNALD] = spec->journald, [SINK_HTTP] = spec->http};

        for (size_t i = 0; i < SINK_KINDS; i++) {
                const volatile struct sink_counts *c = &counts->of[i];

                if (wanted[i] && (c->taken < n || c->written + c->refused + c->dropped < c->taken))
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

struct scene {
        struct reporter_start start;
        struct sender_start_packet sender;
        const char *spool_path, *object;
        uint32_t n;
        unsigned kills;
        int64_t patience_ns;
        int ring[2], listener, counts_fd, folds, spool, wake[2];
        int sock, sender_sock; /* the supervisor's ends */
        pid_t pid, sender_pid;
        struct sinks_counts *counts;
};

static pid_t start_child(int (*child_main)(int), int *ret_sock, const struct scene *s) {
        int socks[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
                die("socketpair");
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                close(socks[0]);
                close(s->ring[1]);
                if (s->sock >= 0)
                        close(s->sock);
                if (s->sender_sock >= 0)
                        close(s->sender_sock);
                _exit(child_main(socks[1]));
        }
        close(socks[1]);
        *ret_sock = socks[0];
        return pid;
}

static void reporter_begin(struct scene *s) {
        const int fds[] = {s->ring[0], s->listener, s->counts_fd, s->folds, s->wake[1], s->spool};

        s->pid = start_child(reporter_main, &s->sock, s);
        if (msg_send(s->sock, &s->start, sizeof(s->start), fds, s->start.sinks.http ? 6 : 4) < 0)
                die("start");
}

static void sender_begin(struct scene *s) {
        const int fds[] = {s->spool, s->wake[0], s->counts_fd};

        s->sender_pid = start_child(sender_main, &s->sender_sock, s);
        if (msg_send(s->sender_sock, &s->sender, sizeof(s->sender), fds, ARRAY_SIZE(fds)) < 0)
                die("sender");
}

static void end(pid_t *pid, int *sock, bool cruelly) {
        int status;

        if (cruelly)
                kill(*pid, SIGKILL);
        close(*sock); /* the supervisor has gone: it ends */
        *sock = -1;
        if (waitpid(*pid, &status, 0) != *pid || (!cruelly && status != 0))
                die("a child");
        *pid = 0;
}

static void kill_one(struct scene *s) {
        if (s->kills-- % 2) {
                end(&s->pid, &s->sock, true);
                reporter_begin(s);
        } else {
                end(&s->sender_pid, &s->sender_sock, true);
                sender_begin(s);
        }
}

/* What the agent does while it runs: starts anew what has ended. */
static void watch(struct scene *s, uint32_t n) {
        int64_t deadline = monotonic_ns() + s->patience_ns, kill_at = monotonic_ns() + KILL_NS;

        while (!done(s->counts, &s->start.sinks, n) && monotonic_ns() < deadline) {
                if (s->sender_pid && waitpid(s->sender_pid, NULL, WNOHANG) == s->sender_pid) {
                        close(s->sender_sock);
                        s->sender_sock = -1;
                        sender_begin(s);
                }
                if (s->kills > 0 && monotonic_ns() > kill_at) {
                        kill_one(s);
                        kill_at = monotonic_ns() + KILL_NS;
                }
                usleep(10000);
        }
}

static void setup(struct scene *s) {
        struct sockaddr_un nameless = {.sun_family = AF_UNIX};
        struct err err = {0};

        s->sock = s->sender_sock = s->spool = s->wake[0] = s->wake[1] = -1;
        s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        s->counts_fd = sinks_counts_new(&s->counts, NULL);
        s->folds = memfd_create("folds", MFD_CLOEXEC); /* nothing is folded */
        if (s->counts_fd < 0 || s->folds < 0 || ftruncate(s->folds, LSM_FOLDS_SIZE * sizeof(struct lsm_fold)) < 0 ||
            pipe2(s->ring, O_CLOEXEC) < 0 || fcntl(s->ring[0], F_SETFL, O_NONBLOCK) < 0 ||
            bind(s->listener, (struct sockaddr *)&nameless, sizeof(sa_family_t)) < 0 || listen(s->listener, 1) < 0)
                die("setup");
        if (!s->start.sinks.http)
                return;
        s->spool = spool_folder(s->spool_path, 65534, 65534, &err);
        if (s->spool < 0) {
                fprintf(stderr, "%s\n", err.msg);
                exit(2);
        }
        if (pipe2(s->wake, O_CLOEXEC | O_NONBLOCK) < 0)
                die("pipe");
}

static void run(struct scene *s) {
        const struct reporter_packet note = {.message = REPORTER_NOTE,
                                             .note = {.state = "confirmed", .bundle = "web", .release = 7}};
        struct spool_sum before = {0};
        cleanup_json json_t *j = NULL;
        cleanup_free char *text = NULL;

        setup(s);
        if (s->start.sinks.http && spool_waiting(&(struct spool){.dir = s->spool}, 0, &before) < 0)
                die("spool");
        reporter_begin(s);
        if (s->start.sinks.http)
                sender_begin(s);
        for (uint32_t i = 1; i <= s->n; i++) {
                struct lsm_event e = event(i, s->object);

                if (fd_write_all(s->ring[1], &e, sizeof(e)) < 0)
                        die("event");
        }
        watch(s, (uint32_t)before.events + s->n);
        if (msg_send(s->sock, &note, sizeof(note), NULL, 0) < 0)
                die("note");
        watch(s, (uint32_t)before.events + s->n + 1);
        end(&s->pid, &s->sock, false);
        if (s->sender_pid)
                end(&s->sender_pid, &s->sender_sock, true);
        j = sinks_counts_json(s->counts);
        text = json_dumps(j, JSON_COMPACT);
        puts(text ? text : "?");
        sinks_counts_free(s->counts);
}

static void take(char *to, size_t size, const char *value) {
        snprintf(to, size, "%s", value);
}

int main(int argc, char **argv) {
        enum { HTTP = 256, FORMAT, SPOOL, SPOOL_BYTES, CA, TOKEN, TENANT, LABEL, KILL, PATIENCE };
        static const struct option options[] = {
                {"file", required_argument, NULL, 'f'},      {"max-size", required_argument, NULL, 's'},
                {"keep", required_argument, NULL, 'k'},      {"journald", no_argument, NULL, 'j'},
                {"http", required_argument, NULL, HTTP},     {"format", required_argument, NULL, FORMAT},
                {"spool", required_argument, NULL, SPOOL},   {"spool-size", required_argument, NULL, SPOOL_BYTES},
                {"ca", required_argument, NULL, CA},         {"token", required_argument, NULL, TOKEN},
                {"tenant", required_argument, NULL, TENANT}, {"label", required_argument, NULL, LABEL},
                {"kill", required_argument, NULL, KILL},     {"patience", required_argument, NULL, PATIENCE},
                {"object", required_argument, NULL, 'o'},    {0}};
        struct scene s = {.start = {.uid = 65534,
                                    .gid = 65534,
                                    .sinks = {.max_size = SINK_FILE_SIZE, .keep = SINK_FILE_KEEP, .http_size = SPOOL_SIZE}},
                          .sender = {.uid = 65534, .gid = 65534, .spec = {.on = 1, .host = "node-1"}},
                          .object = "/etc/shadow",
                          .patience_ns = PATIENCE_NS};
        struct sender_spec *spec = &s.sender.spec;
        enum sender_format format;
        size_t labels = 0;
        int opt;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (opt) {
                case 'f':
                        take(s.start.sinks.file, sizeof(s.start.sinks.file), optarg);
                        break;
                case 's':
                        s.start.sinks.max_size = strtoull(optarg, NULL, 10);
                        break;
                case 'k':
                        s.start.sinks.keep = (uint32_t)strtoul(optarg, NULL, 10);
                        break;
                case 'j':
                        s.start.sinks.journald = 1;
                        break;
                case 'o':
                        s.object = optarg;
                        break;
                case HTTP:
                        s.start.sinks.http = 1;
                        take(spec->url, sizeof(spec->url), optarg);
                        break;
                case FORMAT:
                        if (sender_format_parse(optarg, &format) < 0)
                                return 2;
                        spec->format = format;
                        break;
                case SPOOL:
                        s.spool_path = optarg;
                        break;
                case SPOOL_BYTES:
                        s.start.sinks.http_size = strtoull(optarg, NULL, 10);
                        break;
                case CA:
                        take(spec->ca, sizeof(spec->ca), optarg);
                        break;
                case TOKEN:
                        take(spec->token, sizeof(spec->token), optarg);
                        break;
                case TENANT:
                        take(spec->tenant, sizeof(spec->tenant), optarg);
                        break;
                case LABEL:
                        take(spec->labels[labels], sizeof(spec->labels[labels]), optarg);
                        labels++;
                        break;
                case KILL:
                        s.kills = (unsigned)strtoul(optarg, NULL, 10);
                        break;
                case PATIENCE:
                        s.patience_ns = strtoll(optarg, NULL, 10) * 1000000000LL;
                        break;
                default:
                        return 2;
                }
        if (optind + 1 != argc)
                return 2;
        signal(SIGPIPE, SIG_IGN);
        s.n = (uint32_t)strtoul(argv[optind], NULL, 10);
        run(&s);
        return 0;
}
