/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the kernel of a shadow, and its end. */
#include <bpf/bpf.h>
#include <stdio.h>

#include "enforce_parts.h"
#include "fault.h"
#include "rules_counts.h"
#include "shadow_parts.h"

const char *hook_order_word(enum hook_order order) {
        return order == HOOK_NEWEST_FIRST ? "newest-first" : "oldest-first";
}

int shadow_path(const struct node *n, const char *bundle, char ret[static PATH_MAX]) {
        return pin_path(ret, "%s/bundle/%s/shadow", n->agent.dir, bundle);
}

bool shadow_exists(const struct node *n, const char *bundle) {
        char path[PATH_MAX];

        return shadow_path(n, bundle, path) >= 0 && access(path, F_OK) == 0;
}

/* ---- whole? ----------------------------------------------------------------------------------------------------------- */

/* The shadow's dispatcher is attached, and runs behind the one that enforces, if there is one. */
static bool hook_whole(const struct node *n, const char *bundle, const char *content, const char *hook, enum hook_order order) {
        struct bpf_link_info shadow, enforcing;
        char path[PATH_MAX];
        int r;

        pin_path(path, "%s/bundle/%s/shadow/%s/hook/%s/link", n->agent.dir, bundle, content, hook);
        if (link_info(path, &shadow) < 0)
                return false;
        pin_path(path, "%s/bundle/%s/hook/%s/link", n->agent.dir, bundle, hook);
        r = link_info(path, &enforcing);
        if (r < 0)
                return r == -ENOENT;
        /* Links are numbered in the order in which they were made. */
        return order == HOOK_NEWEST_FIRST ? shadow.id < enforcing.id : enforcing.id < shadow.id;
}

static bool content_whole(const struct node *n, const char *bundle, const char *content) {
        enum hook_order order = HOOK_NEWEST_FIRST;
        char dir[PATH_MAX], path[PATH_MAX], **hooks;
        bool whole = true;
        size_t count;

        if (pin_path(dir, "%s/bundle/%s/shadow/%s", n->agent.dir, bundle, content) < 0 ||
            pin_path(path, "%s/%s", dir, hook_order_word(order)) < 0)
                return false;
        if (access(path, F_OK) < 0) {
                order = HOOK_OLDEST_FIRST;
                pin_path(path, "%s/%s", dir, hook_order_word(order));
                if (access(path, F_OK) < 0)
                        return false;
        }
        if (pin_path(path, "%s/hook", dir) < 0 || pin_list(path, &hooks, &count, NULL) < 0)
                return false;
        for (size_t i = 0; whole && i < count; i++)
                whole = hook_whole(n, bundle, content, hooks[i], order);
        strings_free(hooks, count);
        return whole;
}

/* The content id of the only shadow there is. */
static bool content_find(const struct node *n, const char *bundle, char ret[static SHA256_HEX]) {
        char path[PATH_MAX], **names;
        bool found;
        size_t count;

        if (shadow_path(n, bundle, path) < 0 || pin_list(path, &names, &count, NULL) < 0)
                return false;
        found = count == 1 && sha256_hex_valid(names[0]);
        if (found)
                memcpy(ret, names[0], SHA256_HEX);
        strings_free(names, count);
        return found;
}

bool shadow_running(const struct node *n, const struct bundle *b, char ret_content_hex[static SHA256_HEX]) {
        char content[SHA256_HEX];

        if (!content_find(n, b->name, content) || !content_whole(n, b->name, content))
                return false;
        memcpy(ret_content_hex, content, sizeof(content));
        return true;
}

/* ---- counted ---------------------------------------------------------------------------------------------------------- */

int shadow_counters(const struct node *n, const struct bundle *b, const char *policy, struct lsm_counters *ret) {
        char content[SHA256_HEX], path[PATH_MAX];

        *ret = (struct lsm_counters){0};
        if (!content_find(n, b->name, content))
                return 0;
        pin_path(path, "%s/bundle/%s/shadow/%s/counters/%s", n->agent.dir, b->name, content, policy);
        return counters_read(path, ret);
}

int shadow_policies(const struct node *n, const struct bundle *b, char ***ret, size_t *ret_n, struct err *err) {
        char content[SHA256_HEX], path[PATH_MAX];

        if (!content_find(n, b->name, content))
                return err_set(err, -ENOENT, REASON_NONE, "bundle '%s' has no shadow", b->name);
        pin_path(path, "%s/bundle/%s/shadow/%s/counters", n->agent.dir, b->name, content);
        return pin_list(path, ret, ret_n, err);
}

json_t *shadow_rules_json(const struct node *n, const struct bundle *b) {
        char content[SHA256_HEX], path[PATH_MAX];

        if (!content_find(n, b->name, content) ||
            pin_path(path, "%s/bundle/%s/shadow/%s/rules", n->agent.dir, b->name, content) < 0)
                return json_array();
        return rules_counts_json(path);
}

int shadow_count(const struct node *n, const struct bundle *b, uint64_t *ret_would_deny, struct err *err) {
        uint64_t sum = 0;
        char **policies;
        size_t count;
        int r;

        r = shadow_policies(n, b, &policies, &count, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < count; i++) {
                struct lsm_counters c;

                r = shadow_counters(n, b, policies[i], &c);
                sum += c.would_deny;
        }
        strings_free(policies, count);
        if (r < 0)
                return err_errno(err, r, "counters of the shadow of '%s'", b->name);
        *ret_would_deny = sum;
        return 0;
}

/* ---- ended ------------------------------------------------------------------------------------------------------------ */

static int content_detach(const char *dir, struct err *err) {
        char path[PATH_MAX], **hooks;
        size_t count;
        int r;

        for (enum hook_order order = HOOK_NEWEST_FIRST; order <= HOOK_OLDEST_FIRST; order++) {
                r = pin_path(path, "%s/%s", dir, hook_order_word(order));
                if (r >= 0)
                        r = pin_remove(path, err);
                if (r < 0)
                        return r;
        }
        fault_point("shadow:stopping");
        r = pin_path(path, "%s/hook", dir);
        if (r >= 0)
                r = pin_list(path, &hooks, &count, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < count; i++) {
                r = pin_path(path, "%s/hook/%s/link", dir, hooks[i]);
                if (r >= 0)
                        r = link_remove(path, err);
        }
        strings_free(hooks, count);
        return r;
}

int shadow_stop(const struct node *n, const char *bundle, struct err *err) {
        char path[PATH_MAX], dir[PATH_MAX], **names;
        size_t count;
        int r;

        r = shadow_path(n, bundle, path);
        if (r < 0 || access(path, F_OK) < 0)
                return r;
        r = pin_list(path, &names, &count, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < count; i++) {
                r = pin_path(dir, "%s/%s", path, names[i]);
                if (r >= 0)
                        r = content_detach(dir, err);
        }
        strings_free(names, count);
        if (r >= 0)
                r = pin_remove(path, err);
        /* Of a bundle of which nothing was in force that was all. */
        if (r >= 0 && !enforcement_exists(&n->agent, bundle) && pin_path(dir, "%s/bundle/%s", n->agent.dir, bundle) >= 0)
                rmdir(dir);
        return r;
}
