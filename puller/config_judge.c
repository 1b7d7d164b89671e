/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold between settings. */
#include <strings.h>

#include "config_setting.h"
#include "sink_file.h"
#include "spool.h"

#define S_NS 1000000000LL
#define DEADLINE_MAX (24 * 3600 * S_NS) /* the gate's clock wraps after weeks; a day is more than anyone watches */
#define INTERVAL_MIN S_NS
#define RUN_DIR_MAX 94 /* "/control.sock" and the terminator make it the 108 bytes of a socket's address */

struct judgement {
        const char *section, *key; /* to blame */
        struct err *err;
};

static int blame(struct judgement *j, const char *section, const char *key, const char *why) {
        j->section = section;
        j->key = key;
        return err_set(j->err, -EINVAL, REASON_CONFIG, "%s.%s: %s", section, key, why);
}

static int top_blame(struct judgement *j, const char *key, const char *why) {
        j->key = key;
        return err_set(j->err, -EINVAL, REASON_CONFIG, "%s: %s", key, why);
}

static int kind_judge(const struct config *c, struct judgement *j) {
        static const char one[] = "one source is enough: repository, git or bundle";
        bool repository = c->git || c->repository;

        if (c->repository && (c->git || c->source))
                return blame(j, "source", "repository", one);
        if (c->git && c->source)
                return blame(j, "source", "git", one);
        if (repository && c->n_key_files > 0)
                return blame(j, "source", "keys", "whose signatures count, the repository's root says: trust.root");
        if (repository && !c->bundles)
                return blame(j, "source", c->git ? "git" : "repository", "which of its bundles? Name them: bundles: [NAME]");
        if (!repository && c->bundles)
                return top_blame(j, "bundles", "they are of no use without source.repository or source.git");
        if (!repository && c->first_boot)
                return top_blame(j, "first_boot", "it is of no use without source.repository or source.git");
        return 0;
}

static int source_judge(const struct config *c, struct judgement *j) {
        int r = kind_judge(c, j);

        if (r < 0)
                return r;
        if (c->source && c->n_key_files == 0)
                return blame(j, "source", "bundle", "it needs source.keys: nothing is taken on anyone's word");
        if (!c->source && c->n_key_files > 0)
                return blame(j, "source", "keys", "they are of no use without source.bundle");
        if (!c->source && c->threshold > 0)
                return blame(j, "source", "threshold", "it is of no use without source.bundle");
        if (c->threshold > c->n_key_files && c->n_key_files > 0)
                return blame(j, "source", "threshold", "it is higher than the number of source.keys");
        return 0;
}

static int credentials_judge(const struct config *c, struct judgement *j) {
        bool ssh = c->git && strncasecmp(c->git, "ssh://", 6) == 0;

        if (c->client_key && !c->certificate)
                return blame(j, "https", "key", "it is of no use without https.certificate");
        if (c->certificate && !c->client_key)
                return blame(j, "https", "certificate", "it is of no use without https.key");
        if (c->https_user && !c->token_file)
                return blame(j, "https", "user", "it is of no use without https.token, which is sent as its password");
        if (ssh && !c->ssh_key)
                return blame(j, "source", "git", "ssh:// needs ssh.key");
        if (c->ssh_key && !ssh)
                return blame(j, "ssh", "key", "it is of no use without an ssh:// URL as source.git");
        return 0;
}

static int times_judge(const struct config *c, struct judgement *j) {
        if (c->deadline_ns > DEADLINE_MAX)
                return blame(j, "confirm", "deadline", "at most 1d");
        if (c->health_ns >= c->deadline_ns)
                return blame(j, "confirm", "health",
                             "it must be shorter than confirm.deadline, or the kernel falls back before anything is confirmed");
        if (c->poll_interval_ns < INTERVAL_MIN)
                return blame(j, "poll", "interval", "at least 1s");
        return 0;
}

static int users_judge(const struct config *c, struct judgement *j) {
        static const char why[] = "each child needs a user of its own: what runs as one user can take over all that runs as it";

        if (streq(c->fetcher_user, c->loader_user))
                return blame(j, "users", "loader", why);
        if (streq(c->fetcher_user, c->reporter_user) || streq(c->loader_user, c->reporter_user))
                return blame(j, "users", "reporter", why);
        return 0;
}

static int events_http_judge(const struct config *c, struct judgement *j) {
        static const char why[] = "it is of no use without events.http.url";
        const struct {
                const char *key;
                bool said;
        } rest[] = {{"format", c->events_format},           {"token", c->events_token},       {"ca", c->events_ca},
                    {"certificate", c->events_certificate}, {"key", c->events_key},           {"tenant", c->events_tenant},
                    {"labels", c->events_labels},           {"max_size", c->events_spool > 0}};
        const char *format = c->events_format;

        for (size_t i = 0; !c->events_url && i < ARRAY_SIZE(rest); i++)
                if (rest[i].said)
                        return blame(j, "events.http", rest[i].key, why);
        if (!c->events_url)
                return 0;
        if (!format)
                return blame(j, "events.http", "url", "what does the receiver take? Say format: loki, splunk or otlp");
        if (c->events_key && !c->events_certificate)
                return blame(j, "events.http", "key", "it is of no use without events.http.certificate");
        if (c->events_certificate && !c->events_key)
                return blame(j, "events.http", "certificate", "it is of no use without events.http.key");
        if (c->events_tenant && !streq(format, "loki"))
                return blame(j, "events.http", "tenant", "only Loki has tenants");
        if (streq(format, "splunk") && !c->events_token)
                return blame(j, "events.http", "format", "Splunk takes nothing without events.http.token");
        if (c->events_spool && c->events_spool < SPOOL_MIN)
                return blame(j, "events.http", "max_size", "at least 1MiB");
        return 0;
}

static int events_judge(const struct config *c, struct judgement *j) {
        static const char why[] = "it is of no use without events.file.path";

        if (c->events_max_size && !c->events_file)
                return blame(j, "events.file", "max_size", why);
        if (c->events_keep && !c->events_file)
                return blame(j, "events.file", "keep", why);
        if (c->events_max_size && c->events_max_size < SINK_FILE_MIN)
                return blame(j, "events.file", "max_size", "at least 64KiB");
        return events_http_judge(c, j);
}

int settings_judge(const struct config *c, const char **ret_section, const char **ret_key, struct err *err) {
        struct judgement j = {.err = err};
        int r;

        r = source_judge(c, &j);
        if (r >= 0)
                r = credentials_judge(c, &j);
        if (r >= 0)
                r = times_judge(c, &j);
        if (r >= 0)
                r = users_judge(c, &j);
        if (r >= 0)
                r = events_judge(c, &j);
        if (r >= 0 && strlen(c->run_dir) > RUN_DIR_MAX)
                r = blame(&j, "paths", "run", "too long for the address of the control socket in it");
        *ret_section = j.section;
        *ret_key = j.key;
        return r;
}
