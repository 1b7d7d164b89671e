/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_show.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "repo_rollout.h"
#include "repo_time.h"

/* ---- what there is ---------------------------------------------------------------------------------------------------- */

void repo_view_done(struct repo_view *v) {
        releases_done(&v->releases);
        for (size_t i = 0; i < v->n_rollouts; i++)
                rollout_free(v->rollouts[i]);
        free(v->rollouts);
        for (size_t i = 0; i < v->n_pending; i++)
                repo_change_done(&v->pending[i]);
        free(v->pending);
}

static int rollouts_read(const struct repo *repo, struct repo_view *v, struct err *err) {
        json_t *targets = json_object_get(repo->docs[ROLE_ROLLOUTS].body, "targets"), *entry;
        const char *target;

        v->rollouts = new_array(json_object_size(targets), sizeof(*v->rollouts));
        if (!v->rollouts)
                return err_errno(err, -ENOMEM, "rollouts");
        json_object_foreach(targets, target, entry) {
                cleanup_buf struct buf text = {};
                int e = repo_target_read(repo, target, entry, ROLLOUT_MAX, &text, err);

                if (e == 0)
                        e = rollout_parse(text.data, text.len, NULL, &v->rollouts[v->n_rollouts], err);
                if (e < 0)
                        return err_wrap(err, e, "%s", target);
                v->n_rollouts++;
        }
        return 0;
}

/* Whatever in pending/ is no change is not ours to show. */
static int pending_read(const struct repo *repo, struct repo_view *v, struct err *err) {
        int fd = openat(repo->fd, "pending", O_RDONLY | O_DIRECTORY | O_CLOEXEC), e = 0;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!d) {
                close_p(&fd);
                return 0;
        }
        while (e == 0 && (entry = readdir(d))) {
                cleanup_free char *path = NULL;
                struct repo_change *pending;

                if (entry->d_name[0] == '.')
                        continue;
                path = repo_pending_path(repo, entry->d_name);
                pending = reallocarray(v->pending, v->n_pending + 1, sizeof(*pending));
                if (pending)
                        v->pending = pending;
                if (!path || !pending)
                        e = err_errno(err, -ENOMEM, "pending");
                else if (repo_pending_load(repo, path, &pending[v->n_pending], NULL) == 0)
                        v->n_pending++;
        }
        closedir(d);
        return e;
}

int repo_view_read(const struct repo *repo, struct repo_view *ret, struct err *err) {
        int e = releases_read(&repo->docs[ROLE_BUNDLES], &ret->releases, err);

        if (e == 0)
                e = rollouts_read(repo, ret, err);
        return e < 0 ? e : pending_read(repo, ret, err);
}

enum expiry repo_expiry(const struct repo *repo, enum repo_role role) {
        int64_t left = repo->docs[role].expires - repo->now;

        return left <= 0 ? EXPIRY_PAST : left < repo->period[role] / 5 ? EXPIRY_SOON : EXPIRY_GOOD;
}

const char *expiry_word(enum expiry expiry) {
        static const char *const words[] = {[EXPIRY_GOOD] = "good", [EXPIRY_SOON] = "soon", [EXPIRY_PAST] = "expired"};

        return words[expiry];
}

/* ---- as text ------------------------------------------------------------------------------------------------------------ */

static int role_text(const struct repo *repo, enum repo_role role, struct buf *out) {
        cleanup_role_keys struct role_keys keys = {};
        const struct repo_doc *doc = &repo->docs[role];
        const json_t *delegator = repo->docs[role_delegator(role)].body;
        struct sig_report report = {};
        enum expiry expiry = repo_expiry(repo, role);
        char left[DURATION_TEXT], threshold[32];
        int e;

        if (!doc->body || role_keys_read(delegator, role_name(role), &keys, NULL) < 0)
                return 0;
        role_verify(delegator, role_name(role), &doc->env, &report, NULL);
        duration_show(doc->expires - repo->now, left);
        snprintf(threshold, sizeof(threshold), "%zu of %zu", keys.threshold, keys.n_listed);
        e = buf_printf(out, "%-10s %7ju  %-9s  %s%-10s%s ", role_name(role), (uintmax_t)doc->version, threshold,
                       expiry == EXPIRY_PAST ? "-" : " ", left,
                       expiry == EXPIRY_PAST   ? "EXPIRED"
                       : expiry == EXPIRY_SOON ? "soon   "
                                               : "       ");
        for (size_t i = 0; e == 0 && i < keys.ring.n; i++)
                e = buf_printf(out, " %.16s%s", keys.ring.keys[i].id_hex, report.valid[i] ? "" : " (not signed)");
        if (e == 0 && keys.n_listed > keys.ring.n)
                e = buf_printf(out, " +%zu of a kind that is not known", keys.n_listed - keys.ring.n);
        return e < 0 ? e : buf_printf(out, "\n");
}

static int releases_text(const struct repo *repo, const struct releases *r, struct buf *out) {
        int e = buf_printf(out, "\n%-20s %7s  %-16s %7s  %s\n", "BUNDLE", "RELEASE", "VERSION", "FLOOR", "CONTENT ID");

        for (size_t i = 0; e == 0 && i < r->n; i++)
                e = buf_printf(out, "%-20s %7ju  %-16s %7ju  %.16s%s%s\n", r->v[i].bundle, (uintmax_t)r->v[i].release,
                               r->v[i].version, (uintmax_t)r->v[i].floor, r->v[i].content,
                               r->v[i].release < release_floor(r, r->v[i].bundle) ? ", below the floor" : "",
                               repo_target_there(repo, r->v[i].target, r->v[i].entry) ? "" : ", pruned");
        return e;
}

/* "all", "1 % after 1h, 25 % after 24h": how much of the ring, and when. */
static int waves_text(const struct rollout_ring *ring, struct buf *out) {
        int e = ring->n_waves == 0 ? buf_printf(out, "all") : 0;

        for (size_t i = 0; e == 0 && i < ring->n_waves; i++) {
                char after[32];

                rollout_duration_format(ring->waves[i].after_s, after);
                e = buf_printf(out, "%s%u %%", i ? ", " : "", ring->waves[i].percent);
                if (e == 0 && ring->waves[i].after_s > 0)
                        e = buf_printf(out, " after %s", after);
        }
        return e;
}

static int ring_text(const struct repo *repo, const struct rollout *r, const struct rollout_ring *ring, struct buf *out) {
        char since[DURATION_TEXT], bake[32];
        int e = buf_printf(out, "%-20s %-12s %7ju  ", r->bundle, ring->name, (uintmax_t)ring->choice.release);

        if (e == 0)
                e = waves_text(ring, out);
        if (e == 0 && ring->has_started) {
                duration_show(repo->now - ring->started, since);
                e = buf_printf(out, "; began %s ago", since);
        }
        if (e == 0 && ring->has_bake) {
                rollout_duration_format(ring->bake_s, bake);
                e = buf_printf(out, "; bakes %s, %ju allowed", bake, (uintmax_t)ring->bake_allow);
        }
        if (e == 0 && ring->has_else)
                e = buf_printf(out, "; else %ju", (uintmax_t)ring->otherwise.release);
        if (e == 0 && r->hold)
                e = buf_printf(out, "; ON HOLD");
        return e < 0 ? e : buf_printf(out, "\n");
}

static int rollouts_text(const struct repo *repo, const struct repo_view *v, struct buf *out) {
        int e = buf_printf(out, "\n%-20s %-12s %7s  %s\n", "BUNDLE", "RING", "RELEASE", "NODES");

        for (size_t i = 0; e == 0 && i < v->n_rollouts; i++)
                for (size_t k = 0; e == 0 && k < v->rollouts[i]->n_rings; k++)
                        e = ring_text(repo, v->rollouts[i], &v->rollouts[i]->rings[k], out);
        return e;
}

static int pending_text(const struct repo *repo, const struct repo_view *v, struct buf *out) {
        int e = buf_printf(out, "\nPENDING\n");

        for (size_t i = 0; e == 0 && i < v->n_pending; i++) {
                struct err why = {};

                if (repo_change_base(repo, &v->pending[i], &why) == 0 && repo_change_complete(repo, &v->pending[i], &why) == 0)
                        snprintf(why.msg, sizeof(why.msg), "complete: to be published");
                e = buf_printf(out, "%-20s %s\n", v->pending[i].name, why.msg);
        }
        return e;
}

int repo_show_text(const struct repo *repo, const struct repo_view *v, struct buf *out) {
        int e = buf_printf(out, "%-10s %7s  %-9s  %-18s  %s\n", "ROLE", "VERSION", "NEEDS", " EXPIRES IN", "KEYS");

        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++)
                e = role_text(repo, role, out);
        if (e == 0 && v->releases.n > 0)
                e = releases_text(repo, &v->releases, out);
        if (e == 0 && v->n_rollouts > 0)
                e = rollouts_text(repo, v, out);
        return e == 0 && v->n_pending > 0 ? pending_text(repo, v, out) : e;
}
