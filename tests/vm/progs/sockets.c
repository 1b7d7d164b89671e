/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockets [--uid UID] [--name NAME] WHAT ...: does one thing with a socket and says what came of it: "ok", or the error's name.
 * What has to be done before is done first, and what fails there is "before: ERROR", with exit code 3.
 *
 *   connect KIND ADDRESS         KIND: tcp4, tcp6, udp4, udp6, mptcp4, raw4, ping4, stream, dgram, seqpacket
 *   disconnect KIND ADDRESS      connect to an address of no family
 *   sendto KIND ADDRESS          sendto() without connecting
 *   unspec KIND ADDRESS          the same, with an address that says it is of no family
 *   sendmmsg KIND ADDRESS OTHER  two messages at once: how many have been sent
 *   fastopen KIND ADDRESS        sendto() with MSG_FASTOPEN
 *   send KIND ADDRESS            connects, and then sends without an address
 *   v4on6 KIND ADDRESS           connect of a socket of IPv6 to an address of the family of IPv4
 *   uring KIND ADDRESS           connect by io_uring
 *   bind, listen, accept KIND ADDRESS
 *   serve KIND ADDRESS           is there until it is killed; says "ready"
 *   netlink                      asks the kernel for something
 *
 * ADDRESS: 127.0.0.1:80, [::1]:80, @name, /path
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
        struct sockaddr_storage s;
        socklen_t len;
};

static const struct kind {
        const char *name;
        int family, type, protocol;
} kinds[] = {
        {"tcp4", AF_INET, SOCK_STREAM, 0},
        {"tcp6", AF_INET6, SOCK_STREAM, 0},
        {"udp4", AF_INET, SOCK_DGRAM, 0},
        {"udp6", AF_INET6, SOCK_DGRAM, 0},
        {"mptcp4", AF_INET, SOCK_STREAM, 262},
        {"raw4", AF_INET, SOCK_RAW, 253},
        {"ping4", AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
        {"stream", AF_UNIX, SOCK_STREAM, 0},
        {"dgram", AF_UNIX, SOCK_DGRAM, 0},
        {"seqpacket", AF_UNIX, SOCK_SEQPACKET, 0},
};

static void before(const char *what, int r) {
        if (r >= 0)
                return;
        printf("before: %s: %s\n", what, strerrorname_np(errno));
        exit(3);
}

static int say(long r) {
        puts(r < 0 ? strerrorname_np(errno) : "ok");
        return r < 0;
}

static int ip_parse(char *text, struct address *ret) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->s;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->s;
        char *port = strrchr(text, ':');

        if (!port)
                return -1;
        *port++ = '\0';
        if (text[0] == '[') {
                text[strlen(text) - 1] = '\0';
                *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
                ret->len = sizeof(*v6);
                return inet_pton(AF_INET6, text + 1, &v6->sin6_addr) == 1 ? 0 : -1;
        }
        *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
        ret->len = sizeof(*v4);
        return inet_pton(AF_INET, text, &v4->sin_addr) == 1 ? 0 : -1;
}

static struct address address_parse(const char *text) {
        struct address a = {};
        struct sockaddr_un *un = (struct sockaddr_un *)&a.s;
        char copy[128];

        snprintf(copy, sizeof(copy), "%s", text);
        if (copy[0] != '@' && copy[0] != '/') {
                if (ip_parse(copy, &a) < 0) {
                        fprintf(stderr, "sockets: '%s' is not an address\n", text);
                        exit(2);
                }
                return a;
        }
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, copy, strlen(copy));
        if (copy[0] == '@')
                un->sun_path[0] = '\0';
        a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(copy) + (copy[0] == '/'));
        return a;
}

static int socket_make(const char *name) {
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                if (strcmp(kinds[i].name, name) == 0) {
                        int one = 1, fd = socket(kinds[i].family, kinds[i].type, kinds[i].protocol);

                        before("socket", fd);
                        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
                        return fd;
                }
        fprintf(stderr, "sockets: there is no kind '%s'\n", name);
        exit(2);
}

#define SA(a) ((const struct sockaddr *)&(a).s)

/* One connect through a ring of its own, without a library. */
static int uring_connect(int fd, const struct address *a) {
        struct io_uring_params p = {};
        int ring = (int)syscall(__NR_io_uring_setup, 1, &p), r;
        struct io_uring_sqe *sqe;
        struct io_uring_cqe *cqe;
        char *sq, *cq;

        before("io_uring_setup", ring);
        sq = mmap(NULL, p.sq_off.array + sizeof(unsigned), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                  IORING_OFF_SQ_RING);
        cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                  IORING_OFF_CQ_RING);
        sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
        before("mmap", sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED ? -1 : 0);
        *sqe = (struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (uintptr_t)&a->s, .off = a->len};
        *(unsigned *)(sq + p.sq_off.array) = 0;
        __atomic_fetch_add((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
        r = (int)syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        before("io_uring_enter", r);
        cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
        errno = cqe->res < 0 ? -cqe->res : 0;
        return cqe->res < 0 ? -1 : 0;
}

static int two_messages(int fd, struct address *a, struct address *b) {
        struct iovec data = {.iov_base = (char *)"x", .iov_len = 1};
        struct mmsghdr m[2] = {
                {.msg_hdr = {.msg_name = &a->s, .msg_namelen = a->len, .msg_iov = &data, .msg_iovlen = 1}},
                {.msg_hdr = {.msg_name = &b->s, .msg_namelen = b->len, .msg_iov = &data, .msg_iovlen = 1}},
        };
        int n = sendmmsg(fd, m, 2, 0);

        if (n < 0)
                return say(n);
        printf("%d\n", n);
        return 0;
}

static int netlink_ask(void) {
        struct {
                struct nlmsghdr header;
                char family[8];
        } ask = {{sizeof(ask), 18 /* RTM_GETLINK */, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {}};
        struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
        int fd = socket(AF_NETLINK, SOCK_RAW, 0);

        before("socket", fd);
        return say(sendto(fd, &ask, sizeof(ask), 0, (struct sockaddr *)&kernel, sizeof(kernel)));
}

static _Noreturn void serve(int fd) {
        char data[16];

        puts("ready");
        fflush(stdout);
        for (;;) {
                /* Whoever comes is not sent away. */
                if (accept(fd, NULL, NULL) < 0 && recv(fd, data, sizeof(data), 0) < 0)
                        sleep(1);
        }
}

/* WHAT is waited for: a socket that is bound, or that listens. */
static int be_there(const char *what, int fd, const struct address *a) {
        int r = bind(fd, SA(*a), a->len);

        if (strcmp(what, "bind") == 0)
                return say(r);
        before("bind", r);
        r = listen(fd, 5);
        if (strcmp(what, "listen") == 0)
                return say(r);
        if (strcmp(what, "serve") == 0)
                serve(fd);
        before("listen", r);
        /* Nobody comes: who may wait is told so. */
        before("fcntl", fcntl(fd, F_SETFL, O_NONBLOCK));
        return say(accept(fd, NULL, NULL));
}

static int work(char **argv, int argc) {
        const char *what = argv[0];
        struct address a, other;
        int fd;

        if (strcmp(what, "netlink") == 0)
                return netlink_ask();
        if (argc < 3)
                return 2;
        fd = socket_make(argv[1]);
        a = address_parse(argv[2]);
        if (strcmp(what, "connect") == 0 || strcmp(what, "v4on6") == 0)
                return say(connect(fd, SA(a), a.len));
        if (strcmp(what, "disconnect") == 0 || strcmp(what, "unspec") == 0)
                a.s.ss_family = AF_UNSPEC;
        if (strcmp(what, "disconnect") == 0)
                return say(connect(fd, SA(a), a.len));
        if (strcmp(what, "sendto") == 0 || strcmp(what, "unspec") == 0)
                return say(sendto(fd, "x", 1, MSG_NOSIGNAL, SA(a), a.len));
        if (strcmp(what, "fastopen") == 0)
                return say(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, SA(a), a.len));
        if (strcmp(what, "uring") == 0)
                return say(uring_connect(fd, &a));
        if (strcmp(what, "send") == 0) {
                before("connect", connect(fd, SA(a), a.len));
                return say(send(fd, "x", 1, MSG_NOSIGNAL));
        }
        if (strcmp(what, "sendmmsg") == 0 && argc == 4) {
                other = address_parse(argv[3]);
                return two_messages(fd, &a, &other);
        }
        return be_there(what, fd, &a);
}

int main(int argc, char **argv) {
        argv++;
        argc--;
        while (argc >= 2 && argv[0][0] == '-') {
                if (strcmp(argv[0], "--uid") == 0)
                        before("setuid", setresuid((uid_t)atoi(argv[1]), (uid_t)atoi(argv[1]), (uid_t)atoi(argv[1])));
                else
                        prctl(PR_SET_NAME, argv[1]);
                argv += 2;
                argc -= 2;
        }
        if (argc < 1)
                return 2;
        return work(argv, argc);
}
