/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_record.h"

#include <stdio.h>
#include <time.h>

#include "fileio.h"
#include "folder.h"
#include "record.h"

#define RECORD "repository.json"
#define RECORD_TYPE "lsm-repository"
#define RECORD_MAX (1u << 20)
#define PAPERS "trust"
#define MEMORIES_MAX 256
#ifndef LSM_BUILD_TIME
#define LSM_BUILD_TIME 0
#endif

void repo_record_done(struct repo_record *r) {
        free(r->list);
        *r = (struct repo_record){};
}

struct repo_memory *repo_memory_of(struct repo_record *r, const char *bundle) {
        struct repo_memory *list;

        for (size_t i = 0; i < r->n; i++)
                if (streq(r->list[i].bundle, bundle))
                        return &r->list[i];
        list = reallocarray(r->list, r->n + 1, sizeof(*list));
        if (!list)
                return NULL;
        r->list = list;
        list[r->n] = (struct repo_memory){};
        snprintf(list[r->n].bundle, sizeof(list->bundle), "%s", bundle);
        return &list[r->n++];
}

/* ---- the record ------------------------------------------------------------------------------------------------------- */

static int memory_parse(const json_t *j, struct repo_memory *m, struct err *err) {
        uint64_t next;
        int r = record_get_text(j, "bundle", m->bundle, sizeof(m->bundle), err);

        if (r >= 0)
                r = record_get_uint(j, "floor", JSON_INT_MAX, &m->floor, err);
        if (r >= 0)
                r = record_get_text(j, "why", m->why, sizeof(m->why), err);
        if (r >= 0)
                r = record_get_text(j, "reason", m->reason, sizeof(m->reason), err);
        if (r >= 0)
                r = record_get_text(j, "sentence", m->sentence, sizeof(m->sentence), err);
        if (r >= 0)
                r = record_get_uint(j, "next", JSON_INT_MAX, &next, err);
        if (r >= 0)
                r = record_get_uint(j, "release", JSON_INT_MAX, &m->release, err);
        if (r >= 0)
                r = record_get_text(j, "taken", m->taken, sizeof(m->taken), err);
        if (r >= 0)
                r = record_get_text(j, "taken_before", m->taken_before, sizeof(m->taken_before), err);
        if (r < 0)
                return r;
        m->next = (int64_t)next;
        m->removed = json_is_true(json_object_get(j, "removed"));
        return 0;
}

int repo_record_load(int state_fd, struct repo_record *ret, struct err *err) {
        cleanup_repo_record struct repo_record rec = {};
        cleanup_json json_t *doc = NULL;
        json_t *bundles, *entry;
        uint64_t issued;
        size_t i;
        int r = record_load(state_fd, RECORD, RECORD_TYPE, RECORD_MAX, &doc, err);

        *ret = (struct repo_record){};
        if (r == -ENOENT)
                return 0;
        if (r >= 0)
                r = record_get_uint(doc, "issued", JSON_INT_MAX, &issued, err);
        if (r >= 0)
                r = json_get_array(doc, "bundles", &bundles, err);
        if (r < 0)
                return err_wrap(err, r, RECORD);
        if (json_array_size(bundles) > MEMORIES_MAX)
                return err_set(err, -EBADMSG, REASON_TOO_LARGE, RECORD ": more than %d bundles", MEMORIES_MAX);
        rec.issued = (int64_t)issued;
        rec.list = new_array(json_array_size(bundles), sizeof(*rec.list));
        if (!rec.list)
                return err_errno(err, -ENOMEM, RECORD);
        json_array_foreach(bundles, i, entry) {
                r = memory_parse(entry, &rec.list[rec.n++], err);
                if (r < 0)
                        return err_wrap(err, r, RECORD);
        }
        *ret = rec;
        rec = (struct repo_record){};
        return 0;
}

static bool record_equal(const struct repo_record *a, const struct repo_record *b) {
        if (a->issued != b->issued || a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++) {
                const struct repo_memory *x = &a->list[i], *y = &b->list[i];

                if (!streq(x->bundle, y->bundle) || x->floor != y->floor || !streq(x->why, y->why) ||
                    !streq(x->reason, y->reason) || !streq(x->sentence, y->sentence) || x->next != y->next ||
                    x->release != y->release || !streq(x->taken, y->taken) || !streq(x->taken_before, y->taken_before) ||
                    x->removed != y->removed)
                        return false;
        }
        return true;
}

int repo_record_save(int state_fd, const struct repo_record *rec, struct err *err) {
        cleanup_repo_record struct repo_record there = {};
        json_t *list;

        if (repo_record_load(state_fd, &there, NULL) == 0 && there.n > 0 && record_equal(&there, rec))
                return 0;
        list = json_array();
        for (size_t i = 0; i < rec->n; i++) {
                const struct repo_memory *m = &rec->list[i];

                json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:s, s:o*, s:I, s:I, s:s, s:s, s:b}", "bundle", m->bundle,
                                                      "floor", (json_int_t)m->floor, "why", m->why, "reason", m->reason,
                                                      "sentence", record_text(m->sentence), "next", (json_int_t)m->next,
                                                      "release", (json_int_t)m->release, "taken", m->taken, "taken_before",
                                                      m->taken_before, "removed", m->removed));
        }
        if (json_array_size(list) != rec->n) {
                json_decref(list);
                return err_errno(err, -ENOMEM, RECORD);
        }
        return record_save(state_fd, RECORD, RECORD_TYPE,
                           json_pack("{s:I, s:o}", "issued", (json_int_t)rec->issued, "bundles", list), err);
}

int repo_removed_set(int state_fd, const char *bundle, bool removed, struct err *err) {
        cleanup_repo_record struct repo_record rec = {};
        int r = repo_record_load(state_fd, &rec, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < rec.n; i++)
                if (!bundle || streq(rec.list[i].bundle, bundle))
                        rec.list[i].removed = removed;
        return rec.n ? repo_record_save(state_fd, &rec, err) : 0;
}

/* ---- the metadata ------------------------------------------------------------------------------------------------------ */

int repo_papers_load(int state_fd, struct papers *ret, struct err *err) {
        cleanup_fd int fd = regular_open(state_fd, PAPERS, err);
        cleanup_buf struct buf b = {};
        int r;

        *ret = (struct papers){};
        if (fd == -ENOENT)
                return 0;
        r = fd < 0 ? fd : fd_read_all(fd, PAPERS_MAX, &b, err);
        if (r >= 0)
                r = papers_unpack(b.data, b.len, ret, err);
        return r < 0 ? err_wrap(err, r, PAPERS) : 0;
}

int repo_papers_save(int state_fd, const struct papers *p, struct err *err) {
        cleanup_buf struct buf b = {};
        int r = papers_pack(p, &b, err);

        return r < 0 ? r : file_replace(state_fd, PAPERS, 0600, b.data, b.len, err);
}

int64_t repo_now(int64_t issued, enum rollout_clock *ret_clock) {
        int64_t now = (int64_t)time(NULL), floor = issued > LSM_BUILD_TIME ? issued : LSM_BUILD_TIME;

        if (ret_clock)
                *ret_clock = now < floor ? ROLLOUT_CLOCK_DOUBTFUL : ROLLOUT_CLOCK_GOOD;
        return now < floor ? floor : now;
}
