/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in the journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram an entry. Not by
 * sd_journal_sendv(), which opens a socket of its own, when a sandbox no longer lets it, and waits for a journald that is busy.
 */
#pragma once

#include <sys/un.h>

#include "err.h"
#include "json.h"

#define SINK_JOURNAL_SOCKET "/run/systemd/journal/socket"
/* Of every entry; what the other fields are, docs/events.md says. */
#define SINK_JOURNAL_MESSAGE_ID "6f0d3b2ac1e84d0f9a5e7741c83b52d6"

struct sink_journal {
        int fd;
        struct sockaddr_un to;
};
#define SINK_JOURNAL_INIT ((struct sink_journal){.fd = -1})

/* Before the sandbox, which lets no socket be made. */
int sink_journal_prepare(struct sink_journal *s, const char *path, struct err *err);
void sink_journal_done(struct sink_journal *s);

/* Of syslog(3), as a digit: what an event weighs. */
const char *sink_journal_priority(const json_t *event);
/* An entry's fields, as they are sent. -EBADMSG: not an event. */
int sink_journal_format(const json_t *event, struct buf *out);
/* Never waits: -EAGAIN when journald has enough to do. */
int sink_journal_write(struct sink_journal *s, const json_t *event);
