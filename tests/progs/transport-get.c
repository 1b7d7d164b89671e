/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gets files from a source as the agent's fetcher does, in the fetcher's sandbox, and says what came of it, so that tests/cli can
 * hold the transports against real servers.
 *
 *      transport-get [OPTION...] https|git|dir URL ACTION...
 *
 * Actions, one after the other by one transport: revision, get=PATH, changed=PATH (what was seen is kept in --seen), file=PATH.
 * One line each, "ok ..." or "failed ..."; the first failure ends it. Then "stats ...", and "peak-kib=..." of all memory used.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "digest.h"
#include "fileio.h"
#include "sandbox.h"
#include "transport.h"

#define NOBODY 65534
#define CREDENTIAL_MAX (4u << 20)
#define ADDRESS_SPACE_MAX (1ULL << 30) /* as the fetcher has */

struct session {
        struct transport_request req;
        struct transport *t;
        struct transport_seen seen;
        int seen_fd;
        uint64_t max;
        bool sandbox;
        struct sandbox_report report;
};

static int usage(const char *what) {
        fprintf(stderr, "transport-get: %s\n", what);
        return 2;
}

/* ---- actions ---- */

static void content_print(const char *path, const void *p, size_t n) {
        char hex[SHA256_HEX];
        uint8_t sum[SHA256_SIZE];

        sha256(p, n, sum);
        hex_encode(sum, sizeof(sum), hex);
        printf("ok %s bytes=%zu sha256=%s\n", path, n, hex);
}

static int revision(struct session *s, struct err *err) {
        char id[TRANSPORT_REVISION_SIZE];
        int r = transport_revision(s->t, id, err);

        if (r == 0)
                printf("ok revision=%s\n", id);
        return r;
}

static int get(struct session *s, const char *path, struct err *err) {
        cleanup_buf struct buf b = {};
        int r = transport_get(s->t, path, s->max, &b, err);

        if (r == 0)
                content_print(path, b.data ? b.data : "", b.len);
        return r;
}

static int changed(struct session *s, const char *path, struct err *err) {
        cleanup_buf struct buf b = {};
        bool is;
        int r = transport_get_changed(s->t, path, s->max, &s->seen, &b, &is, err);

        if (r < 0)
                return r;
        if (!is)
                printf("ok %s unchanged\n", path);
        else
                content_print(path, b.data ? b.data : "", b.len);
        if (s->seen_fd >= 0 && pwrite(s->seen_fd, &s->seen, sizeof(s->seen), 0) != sizeof(s->seen))
                return err_errno(err, -EIO, "seen");
        return 0;
}

static int file(struct session *s, const char *path, struct err *err) {
        cleanup_buf struct buf b = {};
        cleanup_fd int fd = -1;
        int r = transport_get_file(s->t, path, s->max, &fd, err);

        if (r == 0)
                r = fd_read_all(fd, s->max, &b, err);
        if (r == 0)
                content_print(path, b.data ? b.data : "", b.len);
        return r;
}

static int act(struct session *s, const char *action, struct err *err) {
        if (streq(action, "revision"))
                return revision(s, err);
        if (strncmp(action, "get=", 4) == 0)
                return get(s, action + 4, err);
        if (strncmp(action, "changed=", 8) == 0)
                return changed(s, action + 8, err);
        if (strncmp(action, "file=", 5) == 0)
                return file(s, action + 5, err);
        return err_set(err, -EINVAL, REASON_USAGE, "action '%s'", action);
}

static int run(struct session *s, char **actions, struct err *err) {
        int r = transport_open(&s->req, &s->t, err);

        for (; r == 0 && *actions; actions++)
                r = act(s, *actions, err);
        return r;
}

/* ---- the child ---- */

static int enter(struct session *s, struct err *err) {
        struct sandbox_spec spec = {.uid = NOBODY,
                                    .gid = NOBODY,
                                    .writable_dir = -1,
                                    .max_memory = ADDRESS_SPACE_MAX,
                                    .max_file = 2 * s->req.max_poll};
        struct transport_needs needs;
        int r = transport_sandbox(&s->req, &needs, &spec, err);

        if (r < 0 || !s->sandbox)
                return r;
        return sandbox_enter(&spec, &s->report, err);
}

static int child(struct session *s, char **actions) {
        struct err err = {};
        int r = enter(s, &err);

        if (r == 0)
                r = run(s, actions, &err);
        if (r < 0)
                printf("failed reason=%s errno=%d message=%s\n", reason_word(err.reason), -r, err.msg);
        if (s->t) {
                const struct transport_stats *st = transport_stats(s->t);
                char words[256];

                sandbox_report_format(&s->report, words, sizeof(words));
                printf("stats requests=%u received=%llu retry-after=%d status=%d resumed=%u fetched=%d renewed=%d sandbox=%s\n",
                       st->requests, (unsigned long long)st->received, st->retry_after_s, st->http_status, st->resumed,
                       st->fetched, st->renewed, words);
        }
        transport_close(s->t);
        fflush(stdout);
        return err_exit_code(&err, r);
}

static int text_load(const char *path, struct buf *b, const struct buf **ret) {
        struct err err = {};

        if (file_read(AT_FDCWD, path, CREDENTIAL_MAX, b, &err) < 0)
                return usage(err.msg);
        *ret = b;
        return 0;
}

int main(int argc, char **argv) {
        enum {
                BRANCH = 1,
                SUBDIR,
                USER,
                CA,
                CERT,
                KEY,
                TOKEN,
                PROXY,
                SSH_KEY,
                KNOWN,
                SPOOL,
                POLL,
                TIME,
                SPEED,
                PACKS,
                MAX,
                SEEN,
                BARE
        };
        static const struct option options[] = {
                {"branch", 1, NULL, BRANCH},
                {"subdir", 1, NULL, SUBDIR},
                {"user", 1, NULL, USER},
                {"ca", 1, NULL, CA},
                {"cert", 1, NULL, CERT},
                {"key", 1, NULL, KEY},
                {"token", 1, NULL, TOKEN},
                {"proxy", 1, NULL, PROXY},
                {"ssh-key", 1, NULL, SSH_KEY},
                {"known-hosts", 1, NULL, KNOWN},
                {"spool", 1, NULL, SPOOL},
                {"max-poll", 1, NULL, POLL},
                {"timeout", 1, NULL, TIME},
                {"low-speed", 1, NULL, SPEED},
                {"max-packs", 1, NULL, PACKS},
                {"max", 1, NULL, MAX},
                {"seen", 1, NULL, SEEN},
                {"no-sandbox", 0, NULL, BARE},
                {},
        };
        static struct buf texts[5]; /* as long as the process */
        struct session s = {.req = {.spool = -1, .max_poll = 64u << 20, .timeout_ms = 60000, .low_speed_s = 10},
                            .seen_fd = -1,
                            .max = 16u << 20,
                            .sandbox = true};
        struct rusage usage_of;
        int c, status;
        pid_t pid;

        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (c) {
                case BRANCH:
                        s.req.branch = optarg;
                        break;
                case SUBDIR:
                        s.req.subdir = optarg;
                        break;
                case USER:
                        s.req.user = optarg;
                        break;
                case CA:
                        if (text_load(optarg, &texts[0], &s.req.ca))
                                return 2;
                        break;
                case CERT:
                        if (text_load(optarg, &texts[1], &s.req.certificate))
                                return 2;
                        break;
                case KEY:
                        if (text_load(optarg, &texts[2], &s.req.key))
                                return 2;
                        break;
                case SSH_KEY:
                        if (text_load(optarg, &texts[3], &s.req.ssh_key))
                                return 2;
                        break;
                case KNOWN:
                        if (text_load(optarg, &texts[4], &s.req.known_hosts))
                                return 2;
                        break;
                case TOKEN:
                        s.req.token = optarg;
                        break;
                case PROXY:
                        s.req.proxy = optarg;
                        break;
                case SPOOL:
                        s.req.spool_path = optarg;
                        s.req.spool = open(optarg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        if (s.req.spool < 0)
                                return usage("cannot open the spool");
                        break;
                case POLL:
                        s.req.max_poll = strtoull(optarg, NULL, 10);
                        break;
                case TIME:
                        s.req.timeout_ms = atol(optarg) * 1000;
                        break;
                case SPEED:
                        s.req.low_speed_s = atol(optarg);
                        break;
                case PACKS:
                        s.req.max_packs = atoi(optarg);
                        break;
                case MAX:
                        s.max = strtoull(optarg, NULL, 10);
                        break;
                case SEEN:
                        s.seen_fd = open(optarg, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
                        if (s.seen_fd < 0 || pread(s.seen_fd, &s.seen, sizeof(s.seen), 0) < 0)
                                return usage("cannot open what was seen");
                        break;
                case BARE:
                        s.sandbox = false;
                        break;
                default:
                        return 2;
                }
        if (argc - optind < 2)
                return usage("a kind and a URL are wanted");
        s.req.kind = streq(argv[optind], "git") ? TRANSPORT_GIT : streq(argv[optind], "dir") ? TRANSPORT_DIR : TRANSPORT_HTTPS;
        s.req.url = argv[optind + 1];

        pid = fork();
        if (pid < 0)
                return usage("fork");
        if (pid == 0)
                _exit(child(&s, argv + optind + 2));
        if (wait4(pid, &status, 0, &usage_of) != pid)
                return usage("wait");
        printf("peak-kib=%ld\n", usage_of.ru_maxrss);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
