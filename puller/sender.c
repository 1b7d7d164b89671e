/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side. */
#include "sender.h"

#include <stdio.h>

#include "node_id.h"
#include "sender_proto.h"

static void copy(char *to, size_t size, const char *from) {
        snprintf(to, size, "%s", from ? from : "");
}

void sender_spec_of(const struct config *c, struct sender_spec *ret) {
        enum sender_format format = SENDER_LOKI;

        *ret = (struct sender_spec){.on = c->events_url != NULL};
        if (!ret->on)
                return;
        if (c->events_format)
                sender_format_parse(c->events_format, &format);
        ret->format = format;
        copy(ret->url, sizeof(ret->url), c->events_url);
        copy(ret->tenant, sizeof(ret->tenant), c->events_tenant);
        for (size_t i = 0; c->events_labels && c->events_labels[i] && i < SENDER_LABELS_MAX; i++)
                copy(ret->labels[i], sizeof(ret->labels[i]), c->events_labels[i]);
        copy(ret->ca, sizeof(ret->ca), c->events_ca);
        copy(ret->certificate, sizeof(ret->certificate), c->events_certificate);
        copy(ret->key, sizeof(ret->key), c->events_key);
        copy(ret->token, sizeof(ret->token), c->events_token);
}

/* The name that receivers know the machine by. */
static void host_name(const struct config *c, char ret[static SENDER_HOST_MAX + 1]) {
        char id[SENDER_HOST_MAX + 1];

        if (c->node_id)
                copy(ret, SENDER_HOST_MAX + 1, c->node_id);
        else if (gethostname(ret, SENDER_HOST_MAX) < 0 || !*ret)
                copy(ret, SENDER_HOST_MAX + 1, node_id_get(c, id, NULL) < 0 ? "?" : id);
        ret[SENDER_HOST_MAX] = '\0';
}

int sender_start(const struct node *n, int spool, int wake, struct child *ret, struct err *err) {
        const struct child_spec spec = {.role = "@sender", .cgroup = -1};
        const int fds[] = {spool, wake, n->sinks_fd};
        struct sender_start_packet p = {0};
        struct child c = CHILD_INIT;
        uid_t uid;
        gid_t gid;
        int r;

        sender_spec_of(n->config, &p.spec);
        if (!p.spec.on)
                return 0;
        host_name(n->config, p.spec.host);
        node_user(n->config->reporter_user, &uid, &gid);
        p.uid = uid;
        p.gid = gid;
        r = child_spawn(&spec, &c, err);
        if (r < 0)
                return r;
        r = msg_send(c.sock, &p, sizeof(p), fds, ARRAY_SIZE(fds));
        if (r < 0) {
                child_kill(&c);
                return err_errno(err, r, "sender");
        }
        *ret = c;
        return 0;
}
