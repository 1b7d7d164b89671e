/* SPDX-License-Identifier: Apache-2.0 */
#include "repo.h"

#include <fcntl.h>
#include <stdio.h>

#include "fileio.h"
#include "repo_parts.h"

void repo_cycle_done(struct repo_cycle *c) {
        papers_done(&c->papers);
        papers_done(&c->bound);
        tuf_trust_free(c->trust);
        repo_record_done(&c->record);
        tuf_signed_done(&c->anchor_signed);
        buf_done(&c->anchor);
}

/* ---- what is trusted --------------------------------------------------------------------------------------------------- */

static int anchor_load(struct repo_cycle *c, const char *path, struct err *err) {
        int r = file_read(AT_FDCWD, path, TUF_ROOT_MAX, &c->anchor, err);

        if (r == -ENOENT)
                return err_set(
                        err, -ENOENT, REASON_CONFIG,
                        "there is no trust anchor %s: it is the repository's first root.json, brought here by a way that is "
                        "trusted; nobody is trusted on first use",
                        path);
        if (r >= 0)
                r = tuf_signed_parse(c->anchor.data, c->anchor.len, &c->anchor_signed, err);
        return r < 0 ? err_wrap(err, r, "the trust anchor %s", path) : 0;
}

/* When the trusted timestamp was signed: a time that is over. The record may not have come to it before the power went. */
static void issued_learn(struct repo_cycle *c) {
        struct tuf_document timestamp;

        if (c->trust && tuf_trust_role(c->trust, "timestamp", &timestamp) >= 0 && timestamp.common.issued > c->record.issued)
                c->record.issued = timestamp.common.issued;
        c->now = repo_now(c->record.issued, &c->clock);
}

/* What was trusted the last time, from today's anchor. Metadata that cannot be used is forgotten: floors are not kept there, and
 * what vouched for the releases kept here still bounds what may follow. It does no more: what is newest, nobody knows. */
static void trusted_load(struct repo_cycle *c) {
        const struct tuf_trust_options options = {.now = c->now, .ignore_expiry = true};
        struct err err = {};

        if (repo_papers_load(c->n->state_fd, &c->papers, &err) < 0 ||
            (c->papers.n > 0 && papers_verify(&c->papers, &c->anchor_signed, NULL, &options, &c->trust, &err) < 0)) {
                node_say(c->n, "the metadata kept here cannot be used, beginning from the anchor again: %s", err.msg);
                papers_done(&c->papers);
        }
        if (!c->trust)
                repo_bound_find(c);
}

/* An image is as old as it is: what has expired in it is used all the same, since nothing newer is known. At time 0, nothing has. */
static int64_t verification_time(const struct repo_cycle *c) {
        return c->ignore_expiry ? 0 : c->now;
}

/* Verified against what was trusted the last time, then kept, then used. */
static int trusted_renew(struct repo_cycle *c, struct papers *fresh, struct err *err) {
        const struct tuf_trust_options options = {.now = verification_time(c)};
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        uint8_t before[SHA256_SIZE], now[SHA256_SIZE];
        int r;

        r = papers_verify(fresh, &c->anchor_signed, c->trust ? &c->papers : &c->bound, &options, &trust, err);
        if (r >= 0)
                r = papers_digest(fresh, now, err);
        if (r >= 0)
                r = papers_digest(&c->papers, before, err);
        if (r >= 0 && memcmp(before, now, sizeof(now)) != 0)
                r = repo_papers_save(c->n->state_fd, fresh, err);
        if (r < 0)
                return r;
        papers_done(&c->papers);
        tuf_trust_free(c->trust);
        c->papers = *fresh;
        *fresh = (struct papers){};
        c->trust = steal_pointer(trust);
        issued_learn(c);
        return 0;
}

static int cycle_begin(struct repo_cycle *c, struct err *err) {
        int r = anchor_load(c, c->n->config->root_file, err);

        if (r >= 0)
                r = repo_record_load(c->n->state_fd, &c->record, err);
        if (r < 0)
                return r;
        c->now = repo_now(c->record.issued, &c->clock);
        trusted_load(c);
        issued_learn(c);
        return 0;
}

/* ---- a poll ------------------------------------------------------------------------------------------------------------ */

/* Brings the metadata up to date. *ret_info is for the caller to look at; its release is not used. */
static int refresh(struct repo_cycle *c, struct fetched *ret_info, struct err *err) {
        cleanup_papers struct papers fresh = {};
        int r = repo_fetch_papers(c->n, &c->source, &c->anchor, verification_time(c), &fresh, ret_info, err);

        return r < 0 ? r : trusted_renew(c, &fresh, err);
}

/* Every bundle is looked at, one swap at a time; the first error is returned. */
static int bundles_step(struct repo_cycle *c, bool *ret_changed, struct repo_next *ret_next, struct err *err) {
        int first = 0;

        for (char **name = c->n->config->bundles; name && *name; name++) {
                struct err why = {};
                bool changed = false;
                struct repo_next next = {};
                int r = repo_bundle_step(c, *name, &changed, &next, &why);

                *ret_changed = *ret_changed || changed;
                if (next.seconds > 0 && (ret_next->seconds == 0 || next.seconds < ret_next->seconds))
                        *ret_next = next;
                if (r == -ECANCELED) {
                        *err = why;
                        return r;
                }
                if (r < 0 && first == 0) {
                        first = r;
                        *err = why;
                }
        }
        return first;
}

int repo_poll(struct node *n, struct source *s, bool *ret_changed, struct err *err) {
        cleanup_repo_cycle struct repo_cycle c = {.n = n};
        cleanup_fetched struct fetched info = FETCHED_INIT;
        struct repo_next next = {};
        struct err why = {}, step = {};
        int r, stepped = 0;

        *ret_changed = false;
        if (!repo_source_configured(n->config, &c.source))
                return err_set(err, -EINVAL, REASON_CONFIG, "no repository is configured");
        source_of(s, c.source.url);
        r = cycle_begin(&c, &why);
        if (r >= 0) {
                r = refresh(&c, &info, &why);
                s->retry_after_s = r < 0 ? info.retry_after_s : 0;
                /* Also when it failed: waves go on by what is known. */
                if (r != -ECANCELED && c.trust)
                        stepped = bundles_step(&c, ret_changed, &next, &step);
        }
        if (c.anchor.len > 0) {
                struct err full = {};
                int saved = repo_record_save(n->state_fd, &c.record, &full);

                if (saved < 0 && r >= 0) { /* the next poll would not know what this one has decided */
                        r = saved;
                        why = full;
                } else if (saved < 0)
                        node_say(n, "%s", full.msg);
        }
        if (r >= 0) {
                source_succeeded(s);
                source_refused(s, stepped < 0 ? &step : NULL);
        } else
                source_failed(s, &why);
        s->next_s = next.seconds;
        s->next_own = next.own;
        source_save(n, s, NULL);
        if (r < 0 || stepped < 0)
                *err = r < 0 ? why : step;
        return r < 0 ? r : stepped;
}

int repo_first_boot(struct node *n, bool *ret_changed, struct err *err) {
        cleanup_repo_cycle struct repo_cycle c = {.n = n, .source = {.kind = TRANSPORT_DIR, .url = n->config->first_boot}};
        cleanup_fetched struct fetched info = FETCHED_INIT;
        struct repo_next next = {};
        int r;

        *ret_changed = false;
        if (!n->config->first_boot)
                return 0;
        for (size_t i = 0; i < n->n_bundles; i++)
                if (n->bundles[i]->journal.highest_release > 0)
                        return 0;
        r = cycle_begin(&c, err);
        if (r < 0 || c.trust) /* the repository was heard from: what it says is newer than any image */
                return r;
        c.ignore_expiry = true;
        r = refresh(&c, &info, err);
        return r < 0 ? err_wrap(err, r, "%s", n->config->first_boot) : bundles_step(&c, ret_changed, &next, err);
}

int repo_reachable(struct node *n, int64_t deadline_ns, struct err *err) {
        cleanup_repo_cycle struct repo_cycle c = {.n = n};
        cleanup_papers struct papers fresh = {};
        cleanup_fetched struct fetched info = FETCHED_INIT;
        struct err why = {};
        int r;

        if (!repo_source_configured(n->config, &c.source) || c.source.kind == TRANSPORT_DIR)
                return 0;
        r = cycle_begin(&c, err);
        if (r >= 0)
                r = repo_fetch_papers(n, &c.source, &c.anchor, c.now, &fresh, &info, &why);
        if (r == -ECANCELED)
                return r;
        /* An answer that does not please is an answer: what is asked is whether the new policy lets the fetcher reach it. */
        if (r < 0 && why.reason == REASON_NONE && info.http_status == 0)
                return err_set(err, r, REASON_HEALTH_FAILED, "the source cannot be reached under the new policy: %s", why.msg);
        return 0;
}
