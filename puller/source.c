/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "record.h"
#include "repo.h"

#define RECORD "source.json"
#define RECORD_TYPE "lsm-source"
#define RECORD_MAX (64u * 1024)
#define FETCH_TIMEOUT_NS (600 * 1000000000LL)
#define STALE_INTERVALS 3

/* ---- the record ------------------------------------------------------------------------------------------------------- */

static int parse(const json_t *doc, struct source *s) {
        uint64_t failures;
        int r;

        r = record_get_text(doc, "url", s->url, sizeof(s->url), NULL);
        if (r >= 0)
                r = record_get_text(doc, "keys", s->keys_hex, sizeof(s->keys_hex), NULL);
        if (r >= 0)
                r = record_get_text(doc, "etag", s->etag, sizeof(s->etag), NULL);
        if (r >= 0)
                r = record_get_text(doc, "last_modified", s->last_modified, sizeof(s->last_modified), NULL);
        if (r >= 0)
                r = record_get_uint(doc, "last_success", JSON_INT_MAX, &s->last_success, NULL);
        if (r >= 0)
                r = record_get_uint(doc, "failing_since", JSON_INT_MAX, &s->failing_since, NULL);
        if (r >= 0)
                r = record_get_uint(doc, "failures", UINT32_MAX, &failures, NULL);
        if (r >= 0)
                r = record_get_text(doc, "reason", s->reason, sizeof(s->reason), NULL);
        if (r >= 0)
                r = record_get_text(doc, "message", s->message, sizeof(s->message), NULL);
        if (r >= 0)
                r = record_get_text(doc, "refused_reason", s->refused_reason, sizeof(s->refused_reason), NULL);
        if (r >= 0)
                r = record_get_text(doc, "refused_message", s->refused_message, sizeof(s->refused_message), NULL);
        if (r >= 0)
                s->failures = (uint32_t)failures;
        return r;
}

void source_load(const struct node *n, struct source *ret) {
        cleanup_json json_t *doc = NULL;
        struct source s = {0};

        if (record_load(n->state_fd, RECORD, RECORD_TYPE, RECORD_MAX, &doc, NULL) < 0 || parse(doc, &s) < 0)
                s = (struct source){0};
        *ret = s;
}

int source_save(const struct node *n, const struct source *s, struct err *err) {
        json_t *doc = json_pack("{s:o*, s:s, s:o*, s:o*, s:I, s:I, s:I, s:s, s:o*, s:s, s:o*}", "url", record_text(s->url),
                                "keys", s->keys_hex, "etag", record_text(s->etag), "last_modified", record_text(s->last_modified),
                                "last_success", (json_int_t)s->last_success, "failing_since", (json_int_t)s->failing_since,
                                "failures", (json_int_t)s->failures, "reason", s->reason, "message", record_text(s->message),
                                "refused_reason", s->refused_reason, "refused_message", record_text(s->refused_message));

        return record_save(n->state_fd, RECORD, RECORD_TYPE, doc, err);
}

void source_forget(const struct node *n, struct source *s) {
        memset(s->etag, 0, sizeof(s->etag));
        memset(s->last_modified, 0, sizeof(s->last_modified));
        memset(s->refused_reason, 0, sizeof(s->refused_reason));
        memset(s->refused_message, 0, sizeof(s->refused_message));
        source_save(n, s, NULL);
}

uint64_t source_stale_since(const struct node *n, const struct source *s) {
        uint64_t interval = (uint64_t)(n->config->poll_interval_ns / 1000000000), heard = s->last_success;

        if (config_source_kind(n->config) == SOURCE_NONE)
                return UINT64_MAX;
        if (heard == 0) /* never: since it was asked in vain */
                heard = s->failing_since ? s->failing_since : 0;
        return heard + STALE_INTERVALS * (interval ? interval : 1);
}

bool source_stale(const struct node *n, const struct source *s, uint64_t now) {
        return now > source_stale_since(n, s);
}

/* ---- fetching --------------------------------------------------------------------------------------------------------- */

static int keys_load(const struct node *n, struct keyring *ring, size_t *ret_threshold, char hex[static SHA256_HEX],
                     struct err *err) {
        cleanup_buf struct buf all = {0};
        uint8_t digest[SHA256_SIZE];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n->config->n_key_files; i++)
                r = keyring_add_file(ring, n->config->key_files[i], err);
        /* All that were configured, not all that differ: one key in two files is still one signature short. */
        *ret_threshold = n->config->threshold ? n->config->threshold : n->config->n_key_files;
        for (size_t i = 0; r >= 0 && i < ring->n; i++)
                r = buf_append(&all, ring->keys[i].material, SHA256_SIZE);
        if (r >= 0)
                r = buf_printf(&all, "%zu", *ret_threshold);
        if (r >= 0)
                r = sha256(all.data, all.len, digest);
        if (r >= 0)
                hex_encode(digest, sizeof(digest), hex);
        return r;
}

static void request_fill(const struct node *n, struct fetch_request *req) {
        const struct config *c = n->config;

        req->ca = c->ca;
        req->certificate = c->certificate;
        req->client_key = c->client_key;
        req->token = c->token_file;
        req->proxy = c->proxy;
        req->limits = c->limits;
        req->timeout_ns = FETCH_TIMEOUT_NS;
        req->exe = c->fetcher_exe;
        node_user(c->fetcher_user, &req->uid, &req->gid);
}

/* A file's identity serves as its validator, so that an unchanged one is not read again. */
static void file_validator(int fd, char *ret, size_t size) {
        struct stat st;

        ret[0] = '\0';
        if (fstat(fd, &st) == 0)
                snprintf(ret, size, "file-%llx-%llx-%llx-%lld.%09ld", (unsigned long long)st.st_dev,
                         (unsigned long long)st.st_ino, (unsigned long long)st.st_size, (long long)st.st_mtim.tv_sec,
                         st.st_mtim.tv_nsec);
}

static const char *local_path(const char *source) {
        if (strncmp(source, "file://", 7) == 0)
                return source + 7;
        return source[0] == '/' ? source : NULL;
}

/* Fetches from the source; *ret_fetched->not_modified when there is nothing new. */
static int fetch(struct node *n, const struct source *s, const struct bundle_trust *trust, bool conditional, struct fetched *ret,
                 struct err *err) {
        const char *path = local_path(n->config->source);
        struct fetch_request req = {.fd = -1};
        cleanup_fd int file = -1;
        char validator[sizeof(s->etag)];
        int r;

        request_fill(n, &req);
        if (!path) {
                req.url = n->config->source;
                req.etag = conditional && *s->etag ? s->etag : NULL;
                req.last_modified = conditional && *s->last_modified ? s->last_modified : NULL;
                return fetch_bundle(&req, trust, n->waiter, ret, err);
        }
        file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file < 0)
                return err_errno(err, -errno, "cannot open the source %s", path);
        file_validator(file, validator, sizeof(validator));
        if (conditional && *validator && streq(validator, s->etag)) {
                *ret = (struct fetched){.not_modified = true};
                return 0;
        }
        req.fd = file;
        r = fetch_bundle(&req, trust, n->waiter, ret, err);
        if (r >= 0 && !ret->etag)
                ret->etag = strdup(validator);
        return r;
}

static void set(char *p, size_t size, const char *text) {
        memset(p, 0, size);
        if (text && strlen(text) < size)
                memcpy(p, text, strlen(text));
}

void source_succeeded(struct source *s) {
        s->last_success = now_seconds();
        s->failing_since = 0;
        s->failures = 0;
        s->retry_after_s = 0;
        set(s->reason, sizeof(s->reason), "");
        set(s->message, sizeof(s->message), "");
}

void source_failed(struct source *s, const struct err *why) {
        if (!s->failing_since)
                s->failing_since = now_seconds();
        s->failures++;
        set(s->reason, sizeof(s->reason), why->reason ? reason_word(why->reason) : "failed");
        snprintf(s->message, sizeof(s->message), "%.*s", (int)sizeof(s->message) - 1, why->msg);
}

void source_of(struct source *s, const char *url) {
        if (streq(s->url, url) && !*s->keys_hex)
                return;
        *s = (struct source){0};
        set(s->url, sizeof(s->url), url);
}

void source_refused(struct source *s, const struct err *why) {
        set(s->refused_reason, sizeof(s->refused_reason), why ? (why->reason ? reason_word(why->reason) : "failed") : "");
        set(s->refused_message, sizeof(s->refused_message), "");
        if (why)
                snprintf(s->refused_message, sizeof(s->refused_message), "%.*s", (int)sizeof(s->refused_message) - 1, why->msg);
}

static int apply(struct node *n, struct source *s, const struct fetched *f, const struct bundle_trust *trust, bool *ret_changed,
                 struct err *err) {
        struct receipt receipt = {.ring = *trust->ring,
                                  .threshold = trust->threshold,
                                  .source = (char *)n->config->source,
                                  .accepted = now_seconds()};
        struct swap_result result;
        int r = swap_apply(n, &f->release, &receipt, true, &result, err);

        *ret_changed = r >= 0 && !result.unchanged;
        if (r < 0 && err->reason != REASON_NONE && err->reason != REASON_BUSY && err->reason != REASON_LOAD_FAILED &&
            err->reason != REASON_NO_PROGRAM_SLOT && err->reason != REASON_NOT_CONFIRMED && err->reason != REASON_PAUSED) {
                /* For good: this content will be refused again, so it need not come again. */
                source_refused(s, err);
        } else if (r < 0) {
                return r;
        } else {
                source_refused(s, NULL);
        }
        set(s->etag, sizeof(s->etag), f->etag);
        set(s->last_modified, sizeof(s->last_modified), f->last_modified);
        return r;
}

int source_poll(struct node *n, struct source *s, bool *ret_changed, struct err *err) {
        cleanup_keyring struct keyring ring = {0};
        cleanup_fetched struct fetched f = FETCHED_INIT;
        struct bundle_trust trust = {.ring = &ring};
        char keys_hex[SHA256_HEX] = "";
        struct err why = {0};
        bool same, reached = false;
        int r;

        *ret_changed = false;
        s->next_s = 0;
        if (config_source_kind(n->config) == SOURCE_NONE)
                return err_set(err, -EINVAL, REASON_CONFIG, "no source is configured: `source: {repository: ...}`");
        if (!n->config->source)
                return repo_poll(n, s, ret_changed, err);
        r = keys_load(n, &ring, &trust.threshold, keys_hex, &why);
        if (r >= 0) {
                same = streq(s->url, n->config->source) && streq(s->keys_hex, keys_hex);
                if (!same) {
                        *s = (struct source){0};
                        set(s->url, sizeof(s->url), n->config->source);
                        set(s->keys_hex, sizeof(s->keys_hex), keys_hex);
                }
                r = fetch(n, s, &trust, same, &f, &why);
                s->retry_after_s = r < 0 ? f.retry_after_s : 0;
        }
        reached = r >= 0;
        if (r >= 0 && !f.not_modified)
                r = apply(n, s, &f, &trust, ret_changed, &why);
        /* "Reached and verified" is what staleness is about; a release that failed here is told by its own fields. */
        if (reached)
                source_succeeded(s);
        if (r < 0 && (!reached || !*s->refused_reason))
                source_failed(s, &why);
        source_save(n, s, NULL);
        if (r < 0 && err)
                *err = why;
        return r;
}

int source_reachable(struct node *n, int64_t deadline_ns, struct err *err) {
        cleanup_keyring struct keyring ring = {0};
        cleanup_fetched struct fetched f = FETCHED_INIT;
        struct fetch_request req = {.fd = -1};
        struct bundle_trust trust = {.ring = &ring};
        char keys_hex[SHA256_HEX];
        struct err why = {0};
        int64_t left = deadline_ns - monotonic_ns();
        int r;

        if (!n->config->source)
                return repo_reachable(n, deadline_ns, err);
        if (local_path(n->config->source))
                return 0;
        r = keys_load(n, &ring, &trust.threshold, keys_hex, err);
        if (r < 0)
                return r;
        request_fill(n, &req);
        req.url = n->config->source;
        if (left < req.timeout_ns)
                req.timeout_ns = left > 0 ? left : 1;
        r = fetch_bundle(&req, &trust, n->waiter, &f, &why);
        if (r == -ECANCELED)
                return r;
        /* An answer that does not please is an answer: what is asked is whether the new policy lets the fetcher reach it. */
        if (r < 0 && why.reason == REASON_NONE && f.http_status == 0)
                return err_set(err, r, REASON_HEALTH_FAILED, "the source cannot be reached under the new policy: %s", why.msg);
        return 0;
}

int source_install(struct node *n, const char *url, int fd, const char *named, const struct keyring *ring, size_t threshold,
                   struct swap_result *ret, struct release *ret_release, struct err *err) {
        struct receipt receipt = {
                .ring = *ring, .threshold = threshold ? threshold : ring->n, .source = (char *)named, .accepted = now_seconds()};
        struct bundle_trust trust = {.ring = ring, .threshold = receipt.threshold};
        cleanup_fetched struct fetched f = FETCHED_INIT;
        struct fetch_request req = {.fd = fd, .url = url};
        int r;

        request_fill(n, &req);
        req.url = url;
        req.fd = fd;
        r = fetch_bundle(&req, &trust, n->waiter, &f, err);
        if (r < 0)
                return r;
        r = swap_apply(n, &f.release, &receipt, false, ret, err);
        *ret_release = f.release;
        f.release = RELEASE_INIT;
        return r;
}
