/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Git's smart protocol over ssh, by libssh2. libgit2 has this, too, but waits for ever on a server that says nothing, reads
 * ~/.ssh/known_hosts, and may ask a server for a host key of another kind than the one that is known.
 *
 * The server's key must stand in the known_hosts that was configured; nothing is ever added to it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "transport_git.h"
#include "transport_git_known.h"

#define CONNECT_TIMEOUT_MS 15000
#define SAID_MAX 200 /* of what the server has to say about a failure */

struct ssh_way {
        git_smart_subtransport parent;
        git_smart_subtransport_stream stream;
        struct branch_transport *t;
        int fd;
        LIBSSH2_SESSION *session;
        struct ssh_known known;
        LIBSSH2_CHANNEL *channel;
        char said[SAID_MAX];
        size_t n_said;
};

static struct ssh_way *way_of(git_smart_subtransport_stream *s) {
        return (struct ssh_way *)s->subtransport;
}

static int ssh_error(struct ssh_way *w, const char *what) {
        char *more = NULL;
        int code = w->session ? libssh2_session_last_error(w->session, &more, NULL, 0) : LIBSSH2_ERROR_ALLOC;

        if (code == LIBSSH2_ERROR_TIMEOUT)
                return err_set(&w->t->failure, -ETIMEDOUT, REASON_NONE, "ssh: %s: too slow", what);
        return err_set(&w->t->failure, -EIO, REASON_NONE, "ssh: %s: %s", what, more && *more ? more : "failed");
}

/* Every call of libssh2 that waits is preceded by this. */
static int clock_set(struct ssh_way *w) {
        long left, idle = w->t->base.req.low_speed_s * 1000;
        int r = transport_time_left(&w->t->base, &left, &w->t->failure);

        if (r == 0)
                libssh2_session_set_timeout(w->session, left < idle ? left : idle);
        return r;
}

/* ---- connecting ---- */

static int address_connect(const struct addrinfo *a, int timeout_ms) {
        cleanup_fd int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t n = sizeof(int);
        int e = 0, r;

        if (fd < 0)
                return -errno;
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
                return steal_fd(&fd);
        if (errno != EINPROGRESS)
                return -errno;
        do
                r = poll(&p, 1, timeout_ms);
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
                return -errno;
        return e ? -e : steal_fd(&fd);
}

static int ssh_connect(struct ssh_way *w) {
        const struct branch_address *to = &w->t->address;
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG}, *list;
        char port[8];
        long left;
        int r = -EIO;

        snprintf(port, sizeof(port), "%u", to->port);
        r = getaddrinfo(to->host, port, &hints, &list);
        if (r != 0)
                return err_set(&w->t->failure, -EIO, REASON_NONE, "could not resolve host %s: %s", to->host, gai_strerror(r));
        for (const struct addrinfo *a = list; a; a = a->ai_next) {
                r = transport_time_left(&w->t->base, &left, &w->t->failure);
                if (r < 0)
                        break;
                w->fd = address_connect(a, left < CONNECT_TIMEOUT_MS ? (int)left : CONNECT_TIMEOUT_MS);
                r = w->fd < 0
                            ? err_errno(&w->t->failure, w->fd == -ENOENT ? -EIO : w->fd, "connect to %s port %s", to->host, port)
                            : 0;
                if (r == 0)
                        break;
        }
        freeaddrinfo(list);
        return r;
}

/* ---- the host's key ---- */

static int known_hosts_load(struct ssh_way *w) {
        return ssh_known_load(&w->known, w->session, w->t->base.req.known_hosts, &w->t->failure);
}

/* A server has keys of several kinds: ask for a kind that is known of it. */
static int kind_ask(struct ssh_way *w) {
        cleanup_buf struct buf kinds = {};
        int r = ssh_known_kinds(&w->known, w->t->address.host, w->t->address.port, &kinds, &w->t->failure);

        if (r < 0)
                return r;
        return libssh2_session_method_pref(w->session, LIBSSH2_METHOD_HOSTKEY, kinds.data) < 0 ? ssh_error(w, "host key") : 0;
}

static int host_check(struct ssh_way *w) {
        size_t n;
        int type;
        const char *key = libssh2_session_hostkey(w->session, &n, &type);

        if (!key)
                return ssh_error(w, "host key");
        return ssh_known_check(&w->known, w->t->address.host, w->t->address.port, key, n, &w->t->failure);
}

/* ---- the session ---- */

static int ssh_log_in(struct ssh_way *w) {
        const struct branch_address *to = &w->t->address;
        const struct buf *key = w->t->base.req.ssh_key;

        if (libssh2_userauth_publickey_frommemory(w->session, to->user, strlen(to->user), NULL, 0, key->data ? key->data : "",
                                                  key->len, NULL) < 0) {
                int r = ssh_error(w, "log in");

                return r == -ETIMEDOUT ? r : err_wrap(&w->t->failure, -EACCES, "user %s", to->user);
        }
        return 0;
}

/* The path is one word for the shell of the other side. */
static int command_make(const char *path, struct buf *ret) {
        int r = buf_printf(ret, "git-upload-pack '");

        for (const char *p = path; *p && r == 0; p++)
                r = *p == '\'' ? buf_printf(ret, "'\\''") : buf_append(ret, p, 1);
        return r == 0 ? buf_printf(ret, "'") : r;
}

static int command_run(struct ssh_way *w) {
        cleanup_buf struct buf command = {};
        int r = command_make(w->t->address.path, &command);

        if (r < 0)
                return err_errno(&w->t->failure, r, "ssh");
        w->channel = libssh2_channel_open_session(w->session);
        if (!w->channel)
                return ssh_error(w, "session");
        return libssh2_channel_exec(w->channel, command.data) < 0 ? ssh_error(w, "command") : 0;
}

static int handshake(struct ssh_way *w) {
        return libssh2_session_handshake(w->session, w->fd) < 0 ? ssh_error(w, "handshake") : 0;
}

static int ssh_start(struct ssh_way *w) {
        static int (*const steps[])(struct ssh_way * w) = {known_hosts_load, kind_ask,   ssh_connect, handshake,
                                                           host_check,       ssh_log_in, command_run};

        w->session = libssh2_session_init();
        if (!w->session)
                return err_errno(&w->t->failure, -ENOMEM, "ssh");
        libssh2_session_set_blocking(w->session, 1);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                int r = clock_set(w);

                if (r == 0)
                        r = steps[i](w);
                if (r < 0)
                        return r;
        }
        w->t->base.stats.requests++;
        return 0;
}

/* The connection is over either way: no farewell, which would wait for the other side. */
static void ssh_stop(struct ssh_way *w) {
        close_p(&w->fd);
        w->fd = -1;
        if (w->session)
                libssh2_session_set_blocking(w->session, 0);
        if (w->channel)
                libssh2_channel_free(w->channel);
        w->channel = NULL;
        ssh_known_done(&w->known);
        if (w->session)
                libssh2_session_free(w->session);
        w->session = NULL;
}

/* ---- what libgit2 calls ---- */

static int failed(struct ssh_way *w, int r) {
        return branch_callback(w->t, r);
}

/* What git-upload-pack, or the shell, has to say beside the protocol; the beginning of it is kept. */
static void listen_aside(struct ssh_way *w) {
        char said[SAID_MAX];
        ssize_t n = libssh2_channel_read_stderr(w->channel, said, sizeof(said));

        for (ssize_t i = 0; i < n && w->n_said < SAID_MAX; i++)
                w->said[w->n_said++] = said[i] < ' ' || said[i] > '~' ? ' ' : said[i];
}

/* The end of the protocol is nowhere in the middle of it: if the server has said why, that is the message. */
static int ended(struct ssh_way *w) {
        size_t n = w->n_said;

        while (n > 0 && w->said[n - 1] == ' ')
                n--;
        return n > 0 ? err_set(&w->t->failure, -EIO, REASON_NONE, "ssh: the server says: %.*s", (int)n, w->said) : 0;
}

static int on_read(git_smart_subtransport_stream *stream, char *p, size_t size, size_t *ret_n) {
        struct ssh_way *w = way_of(stream);
        ssize_t n;
        int r;

        if (w->t->failed < 0)
                return GIT_EUSER;
        for (;;) {
                r = clock_set(w);
                if (r < 0)
                        return failed(w, r);
                n = libssh2_channel_read(w->channel, p, size);
                if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
                        return failed(w, ssh_error(w, "read"));
                if (n > 0)
                        break;
                listen_aside(w); /* unread, it would keep the channel from ending */
                if (libssh2_channel_eof(w->channel)) {
                        n = 0;
                        break;
                }
        }
        *ret_n = n;
        return failed(w, n == 0 ? ended(w) : transport_received(&w->t->base, n, &w->t->failure));
}

static int on_write(git_smart_subtransport_stream *stream, const char *p, size_t n) {
        struct ssh_way *w = way_of(stream);

        while (n > 0) {
                ssize_t done;
                int r = clock_set(w);

                if (r < 0)
                        return failed(w, r);
                done = libssh2_channel_write(w->channel, p, n);
                if (done < 0)
                        return failed(w, ssh_error(w, "write"));
                p += done;
                n -= done;
        }
        return failed(w, 0);
}

/* The stream is part of the way, and both of its questions are one. */
static void on_stream_free(git_smart_subtransport_stream *stream) {
}

static int on_action(git_smart_subtransport_stream **ret, git_smart_subtransport *way, const char *url,
                     git_smart_service_t action) {
        struct ssh_way *w = (struct ssh_way *)way;

        if (action == GIT_SERVICE_UPLOADPACK_LS) {
                int r;

                ssh_stop(w);
                r = ssh_start(w);
                if (r < 0)
                        return failed(w, r);
        } else if (action != GIT_SERVICE_UPLOADPACK || !w->channel) {
                return failed(w, err_errno(&w->t->failure, -EINVAL, "ssh"));
        }
        *ret = &w->stream;
        return 0;
}

static int on_close(git_smart_subtransport *way) {
        ssh_stop((struct ssh_way *)way);
        return 0;
}

static void on_free(git_smart_subtransport *way) {
        ssh_stop((struct ssh_way *)way);
        free(way);
}

int branch_ssh_new(git_smart_subtransport **ret, git_transport *owner, void *branch_transport) {
        struct ssh_way *w = calloc(1, sizeof(*w));

        if (!w)
                return -1;
        w->parent = (git_smart_subtransport){.action = on_action, .close = on_close, .free = on_free};
        w->stream = (git_smart_subtransport_stream){
                .subtransport = &w->parent, .read = on_read, .write = on_write, .free = on_stream_free};
        w->t = branch_transport;
        w->fd = -1;
        *ret = &w->parent;
        return 0;
}
