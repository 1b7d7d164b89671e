/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_journal.h"

#include <endian.h>
#include <stdio.h>
#include <sys/socket.h>

#include "event.h"

#define FIELD_MAX 64 /* journald drops longer names */

int sink_journal_prepare(struct sink_journal *s, const char *path, struct err *err) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        int fd;

        if (strlen(path) >= sizeof(to.sun_path))
                return err_set(err, -ENAMETOOLONG, REASON_CONFIG, "the path %s is too long for a socket", path);
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return err_errno(err, -errno, "socket");
        *s = (struct sink_journal){.fd = fd, .to = to};
        return 0;
}

void sink_journal_done(struct sink_journal *s) {
        close_p(&s->fd);
        s->fd = -1;
}

/* ---- an entry ------------------------------------------------------------------------------------------------------ */

/* With its length: then the value may be anything, and cannot be taken for another field. */
static int field_put(struct buf *out, const char *name, const char *value, size_t n) {
        uint64_t len = htole64(n);
        int r = buf_printf(out, "%s\n", name);

        if (r >= 0)
                r = buf_append(out, &len, sizeof(len));
        if (r >= 0)
                r = buf_append(out, value, n);
        return r < 0 ? r : buf_append(out, "\n", 1);
}

/* LSMPULL_ and the member's name in capitals. */
static int field_name(const char *key, char ret[static FIELD_MAX + 1]) {
        size_t n = (size_t)snprintf(ret, FIELD_MAX + 1, "LSMPULL_%s", key);

        if (n > FIELD_MAX)
                return -EBADMSG;
        for (char *p = ret; *p; p++) {
                if (*p >= 'a' && *p <= 'z')
                        *p = (char)(*p - 'a' + 'A');
                else if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') && *p != '_')
                        return -EBADMSG;
        }
        return 0;
}

static int member_put(struct buf *out, const char *key, const json_t *value) {
        char name[FIELD_MAX + 1], number[32];
        int r = field_name(key, name);

        if (r < 0)
                return r;
        if (json_is_string(value))
                return field_put(out, name, json_string_value(value), json_string_length(value));
        if (!json_is_integer(value))
                return -EBADMSG;
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        return field_put(out, name, number, strlen(number));
}

/* Of syslog(3): 4 warning, 5 notice, 6 info. */
const char *sink_journal_priority(const json_t *event) {
        const char *type = json_string_value(json_object_get(event, "type"));
        const char *mode = json_string_value(json_object_get(event, "mode"));
        const char *state = json_string_value(json_object_get(event, "state"));

        if (type && streq(type, "would-deny"))
                return mode && streq(mode, "shadow") ? "6" : "5";
        if (type && streq(type, "swap"))
                return state && (streq(state, "failed") || streq(state, "rolled-back")) ? "4" : "6";
        return "4"; /* denied, dropped, lost, unreadable */
}

int sink_journal_format(const json_t *event, struct buf *out) {
        cleanup_buf struct buf message = {0};
        const char *key;
        json_t *value;
        int r = event_sentence_format(event, &message);

        if (r >= 0)
                r = field_put(out, "MESSAGE", message.data, message.len);
        if (r >= 0)
                r = buf_printf(out, "MESSAGE_ID=" SINK_JOURNAL_MESSAGE_ID "\nPRIORITY=%s\nSYSLOG_IDENTIFIER=lsmpull\n",
                               sink_journal_priority(event));
        json_object_foreach((json_t *)event, key, value) {
                if (r >= 0)
                        r = member_put(out, key, value);
        }
        return r;
}

int sink_journal_write(struct sink_journal *s, const json_t *event) {
        cleanup_buf struct buf b = {0};
        struct iovec iov;
        struct msghdr m = {.msg_name = &s->to, .msg_namelen = sizeof(s->to), .msg_iov = &iov, .msg_iovlen = 1};
        int r;

        if (s->fd < 0)
                return -ENOENT;
        r = sink_journal_format(event, &b);
        if (r < 0)
                return r;
        iov = (struct iovec){.iov_base = b.data, .iov_len = b.len};
        return sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
