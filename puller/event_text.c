/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on a terminal, one line each:
 *
 *      2026-01-31 12:00:00.123  denied  baseline/shadow-protect release 42  cat[812] uid 0  file_open /etc/shadow  EACCES: ...
 *
 * For a release that bakes: "would deny  baseline/shadow-protect would be denied by release 43  ...".
 */
#include <string.h>
#include <time.h>

#include "event.h"

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define DIM "\033[2m"
#define RESET "\033[0m"

struct line {
        struct buf *out;
        const json_t *event;
        bool colour, sentence;
        int r; /* the first failure; then nothing more is appended */
};

static void put(struct line *l, const char *text) {
        if (l->r >= 0)
                l->r = buf_append(l->out, text, strlen(text));
}

static void paint(struct line *l, const char *colour) {
        if (l->colour)
                put(l, colour);
}

static const char *get(const struct line *l, const char *key) {
        return json_string_value(json_object_get(l->event, key));
}

/* The member's text, between these; nothing when there is none. Printable already if it came from our reporter. */
static void put_text(struct line *l, const char *before, const char *key, const char *after) {
        const char *text = get(l, key);

        if (!text)
                return;
        put(l, before);
        if (l->r >= 0)
                l->r = event_escape(l->out, text, strlen(text), false);
        put(l, after);
}

static void put_number(struct line *l, const char *before, const char *key, const char *after) {
        const json_t *v = json_object_get(l->event, key);

        if (l->r >= 0 && json_is_integer(v))
                l->r = buf_printf(l->out, "%s%lld%s", before, (long long)json_integer_value(v), after);
}

/* RFC 3339 in UTC, as event.c writes it, as local time. */
static void put_time(struct line *l) {
        const char *text = get(l, "time"), *rest;
        struct tm tm = {0}, local;
        char day[32];
        time_t t;

        if (l->sentence)
                return;
        rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        if (!rest || rest[0] != '.' || strspn(rest + 1, "0123456789") < 3)
                return;
        t = timegm(&tm);
        if (!localtime_r(&t, &local) || strftime(day, sizeof(day), "%F %T", &local) == 0)
                return;
        paint(l, DIM);
        if (l->r >= 0)
                l->r = buf_printf(l->out, "%s%.4s", day, rest);
        paint(l, RESET);
        put(l, "  ");
}

static void put_word(struct line *l, const char *colour, const char *word) {
        paint(l, colour);
        if (l->r >= 0)
                l->r = buf_printf(l->out, "%-*s", l->sentence ? 0 : 10, word);
        paint(l, RESET);
        put(l, "  ");
}

/* Of a release that is not in force: what a person must not take for what the node does. */
static bool in_shadow(const struct line *l) {
        const char *mode = get(l, "mode");

        return mode && streq(mode, "shadow");
}

static void put_decision(struct line *l, bool denied) {
        put_time(l);
        put_word(l, denied ? RED : YELLOW, denied ? "denied" : "would deny");
        put_text(l, "", "bundle", "/");
        put_text(l, "", "policy", "");
        put_text(l, "/", "rule", "");
        put_number(l, in_shadow(l) ? " would be denied by release " : " release ", "release", "  ");
        put_text(l, "", "comm", "");
        put_number(l, "[", "tgid", "]");
        put_number(l, " uid ", "uid", "  ");
        put_text(l, "", "hook", "");
        put_text(l, " ", "object", "");
        put_text(l, "  ", "errno", "");
        put_text(l, ": ", "why", "");
        put_text(l, "  in ", "cgroup_path", "");
        put_text(l, "  container ", "container", "");
        put_text(l, " ", "container_name", "");
        put_text(l, " of pod ", "pod_namespace", "/");
        put_text(l, get(l, "pod_namespace") ? "" : " of pod ", "pod_name", "");
        put_number(l, "  ", "count", " times");
}

static void put_swap(struct line *l) {
        put_time(l);
        put_word(l, "", "swap");
        put_text(l, "", "bundle", "");
        put_number(l, " release ", "release", "");
        put_text(l, " (", "version", ")");
        put_text(l, "  ", "state", "");
        put_text(l, " ", "reason", "");
        put_text(l, ": ", "message", "");
}

static int format(struct line l) {
        const json_t *version = json_object_get(l.event, "v");
        const char *type = get(&l, "type");
        struct buf *out = l.out;
        size_t before = out->len;

        if (!json_is_integer(version) || json_integer_value(version) != EVENT_VERSION || !type)
                return -EBADMSG;
        if (streq(type, "denied") || streq(type, "would-deny"))
                put_decision(&l, streq(type, "denied"));
        else if (streq(type, "swap"))
                put_swap(&l);
        else if (streq(type, "unreadable")) {
                put_time(&l);
                put_word(&l, YELLOW, "unreadable");
                put(&l, "a record in the ring buffer is not an event");
        } else if (streq(type, "dropped")) {
                put_time(&l);
                put_word(&l, YELLOW, "dropped");
                put_number(&l, "", "count", " events: the kernel's buffer was full");
        } else if (streq(type, "lost")) {
                put_word(&l, YELLOW, "lost");
                put_number(&l, "", "count", " events: this reader was too slow");
        } else
                return -EBADMSG;
        if (!l.sentence)
                put(&l, "\n");
        if (l.r < 0) {
                out->len = before;
                if (out->data)
                        out->data[before] = '\0';
        }
        return l.r;
}

int event_text_format(const json_t *event, bool colour, struct buf *out) {
        return format((struct line){.out = out, .event = event, .colour = colour});
}

int event_sentence_format(const json_t *event, struct buf *out) {
        return format((struct line){.out = out, .event = event, .sentence = true});
}
