/* SPDX-License-Identifier: Apache-2.0 */
#include "papers.h"

#include <endian.h>

#define MAGIC "LSMPAPR1"
#define MAGIC_LEN 8

static void paper_done(struct paper *p) {
        tuf_signed_done(&p->s);
        buf_done(&p->data);
}

void papers_done(struct papers *p) {
        for (size_t i = 0; i < p->n; i++)
                paper_done(&p->list[i]);
        free(p->list);
        *p = (struct papers){};
}

/* ---- collecting ------------------------------------------------------------------------------------------------------ */

static int paper_new(struct papers *p, enum paper_kind kind, const char *name, struct paper **ret, struct err *err) {
        struct paper *list;

        if (p->n >= PAPERS_COUNT_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "more than %d documents", PAPERS_COUNT_MAX);
        if (!*name || strlen(name) >= sizeof(list->name))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a document with no name, or one that is too long");
        list = reallocarray(p->list, p->n + 1, sizeof(*list));
        if (!list)
                return err_errno(err, -ENOMEM, "metadata");
        p->list = list;
        list[p->n] = (struct paper){.kind = kind};
        strcpy(list[p->n].name, name);
        *ret = &list[p->n];
        return 0;
}

static int signed_copy(const struct tuf_signed *s, struct tuf_signed *ret) {
        cleanup_tuf_signed struct tuf_signed copy = {.n_sigs = s->n_sigs, .file = s->file};

        copy.sigs = new_array(s->n_sigs, sizeof(*s->sigs));
        if (!copy.sigs || buf_append(&copy.bytes, s->bytes.data, s->bytes.len) < 0)
                return -ENOMEM;
        if (s->n_sigs)
                memcpy(copy.sigs, s->sigs, s->n_sigs * sizeof(*s->sigs));
        *ret = copy;
        copy = (struct tuf_signed){};
        return 0;
}

int papers_add_metadata(struct papers *p, const char *role, const struct tuf_signed *s, struct err *err) {
        struct paper *paper;
        int r = paper_new(p, PAPER_METADATA, role, &paper, err);

        if (r < 0)
                return r;
        if (signed_copy(s, &paper->s) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        p->n++;
        return 0;
}

int papers_add_file(struct papers *p, const char *path, const void *data, size_t n, struct err *err) {
        struct paper *paper;
        int r = paper_new(p, PAPER_FILE, path, &paper, err);

        if (r < 0)
                return r;
        if (buf_append(&paper->data, data, n) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        p->n++;
        return 0;
}

const struct paper *papers_find(const struct papers *p, enum paper_kind kind, const char *name) {
        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].kind == kind && streq(p->list[i].name, name))
                        return &p->list[i];
        return NULL;
}

/* ---- packed ---------------------------------------------------------------------------------------------------------- */

static int paper_pack(const struct paper *p, struct buf *out, struct err *err) {
        cleanup_buf struct buf body = {};
        const struct buf *data = &p->data;
        uint16_t name_len = htole16((uint16_t)strlen(p->name));
        uint8_t kind = (uint8_t)p->kind;
        uint32_t len;
        int r = 0;

        if (p->kind == PAPER_METADATA) {
                r = tuf_signed_pack(&p->s, &body, err);
                if (r < 0)
                        return r;
                data = &body;
        }
        len = htole32((uint32_t)data->len);
        if (buf_append(out, &kind, 1) < 0 || buf_append(out, &name_len, 2) < 0 || buf_append(out, p->name, strlen(p->name)) < 0 ||
            buf_append(out, &len, 4) < 0 || buf_append(out, data->data, data->len) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        return out->len > PAPERS_MAX ? err_set(err, -EFBIG, REASON_TOO_LARGE, "metadata of more than %u bytes", PAPERS_MAX) : 0;
}

int papers_pack(const struct papers *p, struct buf *out, struct err *err) {
        cleanup_buf struct buf b = {};
        uint32_t n = htole32((uint32_t)p->n);
        int r = 0;

        if (buf_append(&b, MAGIC, MAGIC_LEN) < 0 || buf_append(&b, &n, 4) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        for (size_t i = 0; r >= 0 && i < p->n; i++)
                r = paper_pack(&p->list[i], &b, err);
        if (r < 0)
                return r;
        return buf_append(out, b.data, b.len) < 0 ? err_errno(err, -ENOMEM, "metadata") : 0;
}

/* The next n bytes, or NULL. */
static const uint8_t *take(const uint8_t **p, size_t *left, size_t n) {
        const uint8_t *at = *p;

        if (n > *left)
                return NULL;
        *p += n;
        *left -= n;
        return at;
}

static int damaged(struct err *err) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "packed metadata is damaged");
}

static int paper_unpack(const uint8_t **p, size_t *left, struct papers *ret, struct err *err) {
        const uint8_t *head = take(p, left, 3), *name, *len_at, *body;
        char text[sizeof(ret->list->name)] = "";
        struct paper *paper;
        size_t name_len;
        uint32_t len;
        int r;

        if (!head || (head[0] != PAPER_METADATA && head[0] != PAPER_FILE))
                return damaged(err);
        name_len = (size_t)head[1] | (size_t)head[2] << 8;
        name = name_len < sizeof(text) ? take(p, left, name_len) : NULL;
        len_at = name ? take(p, left, 4) : NULL;
        if (!len_at || memchr(name, 0, name_len))
                return damaged(err);
        memcpy(text, name, name_len);
        memcpy(&len, len_at, 4);
        len = le32toh(len);
        body = take(p, left, len);
        if (!body)
                return damaged(err);
        r = paper_new(ret, head[0], text, &paper, err);
        if (r < 0)
                return r;
        if (paper->kind == PAPER_METADATA)
                r = tuf_signed_unpack(body, len, &paper->s, err);
        else if (buf_append(&paper->data, body, len) < 0)
                r = err_errno(err, -ENOMEM, "metadata");
        if (r >= 0)
                ret->n++;
        return r;
}

int papers_unpack(const void *data, size_t n, struct papers *ret, struct err *err) {
        cleanup_papers struct papers p = {};
        const uint8_t *at = data, *magic, *count_at;
        size_t left = n;
        uint32_t count;

        if (n > PAPERS_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "metadata of more than %u bytes", PAPERS_MAX);
        magic = take(&at, &left, MAGIC_LEN);
        count_at = take(&at, &left, 4);
        if (!magic || !count_at || memcmp(magic, MAGIC, MAGIC_LEN) != 0)
                return damaged(err);
        memcpy(&count, count_at, 4);
        for (uint32_t i = 0; i < le32toh(count); i++) {
                int r = paper_unpack(&at, &left, &p, err);

                if (r < 0)
                        return r;
        }
        if (left > 0)
                return damaged(err);
        *ret = p;
        p = (struct papers){};
        return 0;
}

int papers_digest(const struct papers *p, uint8_t ret[static SHA256_SIZE], struct err *err) {
        cleanup_buf struct buf b = {};
        int r = papers_pack(p, &b, err);

        if (r >= 0 && sha256(b.data, b.len, ret) < 0)
                r = err_errno(err, -EIO, "SHA-256");
        return r;
}

/* ---- verified -------------------------------------------------------------------------------------------------------- */

static size_t roots_count(const struct papers *p) {
        size_t n = 0;

        while (n < p->n && p->list[n].kind == PAPER_METADATA && streq(p->list[n].name, "root"))
                n++;
        return n;
}

static bool signed_equal(const struct tuf_signed *a, const struct tuf_signed *b) {
        return a->bytes.len == b->bytes.len && memcmp(a->bytes.data, b->bytes.data, a->bytes.len) == 0;
}

static int missing(const char *role, struct err *err) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "the %s metadata is missing", role);
}

/* From the anchor to the newest root. `known`: how many were trusted the last time. */
static int roots_verify(const struct papers *p, size_t known, const struct tuf_signed *anchor, struct tuf_trust *trust,
                        struct err *err) {
        size_t n = roots_count(p);
        int r = 0;

        if (n == 0 || !signed_equal(&p->list[0].s, anchor))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "the chain of roots does not begin with the anchor");
        if (n < known)
                return err_set(err, -ESTALE, REASON_ROLLED_BACK_METADATA, "the chain ends %zu roots before the one trusted here",
                               known - n);
        for (size_t i = 1; r >= 0 && i < n; i++) {
                if (i == known)
                        tuf_trust_roots_known(trust);
                r = tuf_trust_root(trust, &p->list[i].s, err);
        }
        if (r >= 0 && known == n)
                tuf_trust_roots_known(trust);
        return r;
}

/* What was trusted the last time is the measure, unless today's keys did not sign it. */
static void previous_take(const struct papers *before, struct tuf_trust *trust) {
        static const struct {
                enum tuf_type type;
                const char *role;
        } kept[] = {{TUF_TIMESTAMP, "timestamp"}, {TUF_SNAPSHOT, "snapshot"}};

        if (tuf_trust_rotated(trust))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
                const struct paper *paper = papers_find(before, PAPER_METADATA, kept[i].role);

                if (paper && tuf_trust_previous(trust, kept[i].type, &paper->s, NULL) < 0)
                        return;
        }
}

static int timestamp_verify(struct papers *p, const struct papers *before, struct tuf_trust *trust, struct err *err) {
        struct paper *paper = (struct paper *)papers_find(p, PAPER_METADATA, "timestamp");
        struct tuf_signed old = {};
        int r;

        if (!paper)
                return missing("timestamp", err);
        r = tuf_trust_timestamp(trust, &paper->s, err);
        if (r != 1)
                return r;
        if (signed_copy(&papers_find(before, PAPER_METADATA, "timestamp")->s, &old) < 0)
                return err_errno(err, -ENOMEM, "metadata");
        tuf_signed_done(&paper->s);
        paper->s = old;
        return 0;
}

int papers_verify(struct papers *p, const struct tuf_signed *anchor, const struct papers *before,
                  const struct tuf_trust_options *options, struct tuf_trust **ret, struct err *err) {
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        const struct paper *paper;
        int r;

        /* Another anchor is another beginning. */
        if (before && (roots_count(before) == 0 || !signed_equal(&before->list[0].s, anchor)))
                before = NULL;
        r = tuf_trust_new(anchor, options, &trust, err);
        if (r >= 0)
                r = roots_verify(p, before ? roots_count(before) : 0, anchor, trust, err);
        if (r < 0)
                return err_wrap(err, r, "root");
        if (before)
                previous_take(before, trust);
        r = timestamp_verify(p, before, trust, err);
        if (r >= 0 && !tuf_trust_keep_snapshot(trust)) {
                paper = papers_find(p, PAPER_METADATA, "snapshot");
                r = paper ? tuf_trust_snapshot(trust, &paper->s, err) : missing("snapshot", err);
        }
        if (r < 0)
                return r;
        paper = papers_find(p, PAPER_METADATA, "targets");
        r = paper ? tuf_trust_targets(trust, &paper->s, err) : missing("targets", err);
        if (r < 0)
                return r;
        *ret = steal_pointer(trust);
        return 0;
}

int papers_target(const struct papers *p, struct tuf_trust *trust, const char *path, struct tuf_target *ret, struct err *err) {
        struct tuf_want want;
        int r;

        while ((r = tuf_trust_find(trust, path, ret, &want, err)) == -EAGAIN) {
                const struct paper *paper = papers_find(p, PAPER_METADATA, want.role);

                if (!paper)
                        return err_set(err, -ENOENT, REASON_NONE, "the metadata of role '%s' is not here", want.role);
                r = tuf_trust_delegated(trust, &want, &paper->s, err);
                if (r < 0)
                        return err_wrap(err, r, "role '%s'", want.role);
        }
        return r;
}

int papers_file(const struct papers *p, struct tuf_trust *trust, const char *path, const struct buf **ret, struct err *err) {
        const struct paper *paper;
        struct tuf_target target;
        struct tuf_file file;
        int r = papers_target(p, trust, path, &target, err);

        if (r < 0)
                return r;
        paper = papers_find(p, PAPER_FILE, path);
        if (!paper)
                return err_set(err, -ENOENT, REASON_NONE, "'%s' is not here", path);
        if (tuf_file_of(paper->data.data, paper->data.len, &file) < 0)
                return err_errno(err, -EIO, "SHA-256");
        r = tuf_file_check(&file, target.entry, err);
        if (r < 0)
                return err_wrap(err, r, "'%s'", path);
        *ret = &paper->data;
        return 0;
}
