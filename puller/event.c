/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <string.h>
#include <time.h>

#include "event_names.h"
#include "plan.h"
#include "rules_counts.h"
#include "text.h"

#define NS_PER_S 1000000000LL

int event_read(const void *p, size_t n, struct lsm_event *ret) {
        struct lsm_event e;

        if (n != sizeof(e))
                return -EBADMSG;
        memcpy(&e, p, sizeof(e));
        if (e.abi != LSM_ABI || e.mode > LSM_MODE_SHADOW || e.error < 1 || e.error > 4095 || e.release > JSON_INT_MAX ||
            e.count < 1 || e.count > JSON_INT_MAX)
                return -EBADMSG;
        *ret = e;
        return 0;
}

static int64_t clock_ns(clockid_t clock) {
        struct timespec ts;

        clock_gettime(clock, &ts);
        return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t event_clock_boottime(void) {
        return clock_ns(CLOCK_BOOTTIME);
}

int64_t event_clock_offset(void) {
        return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* ---- texts from outside ---- */

/* Characters that a terminal obeys rather than shows: C0 and C1 controls, line separators, changes of direction. */
static bool printable(uint32_t c) {
        return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && c != 0x61c && !(c >= 0x200b && c <= 0x200f) &&
               !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff && !(c >= 0xe0000 && c <= 0xe007f);
}

int event_escape(struct buf *out, const char *text, size_t n, bool backslash) {
        cleanup_free char *copy = strndup(text, n);
        int r = copy ? 0 : -ENOMEM;

        for (const char *p = copy; r >= 0 && *p;) {
                uint32_t c;
                size_t len = utf8_decode(p, &c);

                if (len > 0 && printable(c) && !(backslash && c == '\\')) {
                        r = buf_append(out, p, len);
                } else {
                        if (len == 0)
                                len = 1;
                        for (size_t i = 0; r >= 0 && i < len; i++)
                                r = buf_printf(out, "\\x%02x", (unsigned char)p[i]);
                }
                p += len;
        }
        return r;
}

/* ---- to JSON ---- */

/* A member for text from outside; none when it is empty. */
static int set_text(json_t *o, const char *key, const char *text, size_t n) {
        cleanup_buf struct buf b = {0};

        if (n == 0 || text[0] == '\0')
                return 0;
        if (event_escape(&b, text, n, true) < 0)
                return -ENOMEM;
        return json_object_set_new(o, key, json_stringn(b.data, b.len)) < 0 ? -ENOMEM : 0;
}

static int set_name(json_t *o, const char *key, const char *name, uint64_t number) {
        char text[32];

        if (!name)
                snprintf(text, sizeof(text), "#%llu", (unsigned long long)number);
        return json_object_set_new(o, key, json_string(name ? name : text)) < 0 ? -ENOMEM : 0;
}

static int set_integer(json_t *o, const char *key, uint64_t n) {
        return json_object_set_new(o, key, json_integer((json_int_t)n)) < 0 ? -ENOMEM : 0;
}

static json_t *event_begin(const char *type) {
        return json_pack("{s:i, s:s}", "v", EVENT_VERSION, "type", type);
}

/* RFC 3339, in UTC. */
static int set_instant(json_t *o, const char *key, int64_t ns) {
        char day[32], text[64];
        time_t seconds = ns / NS_PER_S;
        struct tm tm;

        if (ns < 0 || !gmtime_r(&seconds, &tm) || strftime(day, sizeof(day), "%FT%T", &tm) == 0)
                return 0;
        snprintf(text, sizeof(text), "%s.%06dZ", day, (int)(ns % NS_PER_S / 1000));
        return json_object_set_new(o, key, json_string(text)) < 0 ? -ENOMEM : 0;
}

static int set_time(json_t *o, int64_t ns) {
        return set_instant(o, "time", ns);
}

/* For a rule, the policy that it is in, and not the engine of all rules. */
static int set_policy(json_t *o, const struct lsm_event *e, const char *name) {
        char policy[LSM_RULE_ID_LEN], rule[LSM_RULE_ID_LEN];
        int r;

        if (!name || !streq(name, ENGINE_POLICY) || !rule_name_split(e->why, sizeof(e->why), policy, rule))
                return set_name(o, "policy", name, e->policy);
        r = set_name(o, "policy", policy, 0);
        return r < 0 ? r : set_name(o, "rule", rule, 0);
}

static int set_source(json_t *o, const struct lsm_event *e, const struct event_names *names) {
        const char *version = event_names_version(names, e->bundle, e->release);
        int r;

        r = set_name(o, "bundle", event_names_bundle(names, e->bundle), e->bundle);
        if (r >= 0 && version)
                r = set_name(o, "version", version, 0);
        if (r >= 0)
                r = set_integer(o, "release", e->release);
        if (r >= 0)
                r = set_policy(o, e, event_names_policy(names, e->bundle, e->release, e->policy));
        if (r >= 0)
                r = set_name(o, "hook", event_names_hook(names, e->bundle, e->release, e->hook), e->hook);
        return r;
}

static int set_decision(json_t *o, const struct lsm_event *e) {
        static const char *const modes[] = {
                [LSM_MODE_ENFORCE] = "enforce", [LSM_MODE_AUDIT] = "audit", [LSM_MODE_SHADOW] = "shadow"};
        int r;

        r = set_name(o, "mode", e->mode < ARRAY_SIZE(modes) ? modes[e->mode] : NULL, e->mode);
        if (r >= 0)
                r = set_name(o, "errno", strerrorname_np(e->error), (uint32_t)e->error);
        return r < 0 || json_object_get(o, "rule") ? r : set_text(o, "why", e->why, sizeof(e->why));
}

static int set_subject(json_t *o, const struct lsm_event *e) {
        const struct {
                const char *key;
                uint32_t value;
        } ids[] = {{"pid", e->pid}, {"tgid", e->tgid}, {"uid", e->uid}, {"gid", e->gid}};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(ids); i++)
                r = set_integer(o, ids[i].key, ids[i].value);
        if (r >= 0)
                r = set_text(o, "comm", e->comm, sizeof(e->comm));
        if (r >= 0)
                r = set_text(o, "object", e->object, sizeof(e->object));
        if (r >= 0 && e->cgroup > 0 && e->cgroup <= JSON_INT_MAX)
                r = set_integer(o, "cgroup", e->cgroup);
        return r;
}

/* Of an event that stands for several denials. */
static int set_count(json_t *o, const struct lsm_event *e, int64_t time_ns) {
        int r = e->count > 1 || e->first_ns ? set_integer(o, "count", e->count) : 0;

        if (r >= 0 && e->first_ns && e->first_ns <= e->time_ns)
                r = set_instant(o, "first", time_ns - (int64_t)(e->time_ns - e->first_ns));
        return r;
}

json_t *event_json(const struct lsm_event *e, int64_t time_ns, const struct event_names *names) {
        cleanup_json json_t *o = event_begin(e->mode == LSM_MODE_ENFORCE ? "denied" : "would-deny");

        if (!o || set_time(o, time_ns) < 0 || set_source(o, e, names) < 0 || set_decision(o, e) < 0 || set_subject(o, e) < 0 ||
            set_count(o, e, time_ns) < 0)
                return NULL;
        return steal_pointer(o);
}

json_t *event_note_json(const struct event_note *n, int64_t time_ns) {
        cleanup_json json_t *o = event_begin("swap");

        if (!o || set_time(o, time_ns) < 0 || set_text(o, "bundle", n->bundle, sizeof(n->bundle)) < 0 ||
            set_text(o, "version", n->version, sizeof(n->version)) < 0 ||
            (n->release > 0 && n->release <= JSON_INT_MAX && set_integer(o, "release", n->release) < 0) ||
            set_text(o, "state", n->state, sizeof(n->state)) < 0 || set_text(o, "reason", n->reason, sizeof(n->reason)) < 0 ||
            set_text(o, "message", n->message, sizeof(n->message)) < 0)
                return NULL;
        return steal_pointer(o);
}

json_t *event_unreadable_json(int64_t time_ns) {
        cleanup_json json_t *o = event_begin("unreadable");

        return !o || set_time(o, time_ns) < 0 ? NULL : steal_pointer(o);
}

json_t *event_lost_json(uint64_t count) {
        cleanup_json json_t *o = event_begin("lost");

        return !o || set_integer(o, "count", count) < 0 ? NULL : steal_pointer(o);
}

json_t *event_dropped_json(uint64_t count, int64_t time_ns) {
        cleanup_json json_t *o = event_begin("dropped");

        return !o || set_time(o, time_ns) < 0 || set_integer(o, "count", count) < 0 ? NULL : steal_pointer(o);
}

json_t *event_live_json(void) {
        return event_begin("live");
}

int event_json_format(const json_t *event, struct buf *out) {
        cleanup_free char *text = json_dumps(event, JSON_COMPACT);

        return text ? buf_printf(out, "%s\n", text) : -ENOMEM;
}
