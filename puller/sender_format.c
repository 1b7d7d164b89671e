/* SPDX-License-Identifier: Apache-2.0 */
#include "sender_format.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "event.h"
#include "sink_journal.h"

#define LABEL_MAX 128
#define S_NS 1000000000LL

int sender_format_parse(const char *word, enum sender_format *ret) {
        static const char *const words[] = {[SENDER_LOKI] = "loki", [SENDER_SPLUNK] = "splunk", [SENDER_OTLP] = "otlp"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(word, words[i])) {
                        *ret = (enum sender_format)i;
                        return 0;
                }
        return -EINVAL;
}

bool sender_label_valid(const char *text) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
        size_t n = strspn(text, letters), all = strlen(text);

        if (n == 0 || text[n] != '=' || (text[0] >= '0' && text[0] <= '9') || !text[n + 1] || all > LABEL_MAX)
                return false;
        for (size_t i = n + 1; i < all; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return false;
        return true;
}

/* ---- what all of them need ---------------------------------------------------------------------------------------------- */

/* RFC 3339 as events have it: UTC, microseconds. */
static int64_t time_of(const json_t *event, int64_t otherwise) {
        const char *text = json_string_value(json_object_get(event, "time"));
        struct tm tm = {0};
        unsigned us = 0;
        int end = 0;
        time_t s;

        if (!text ||
            sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
                   &tm.tm_sec, &us, &end) != 7 ||
            !end || text[end])
                return otherwise;
        tm.tm_year -= 1900;
        tm.tm_mon--;
        s = timegm(&tm);
        return s > 0 ? (int64_t)s * S_NS + (int64_t)us * 1000 : otherwise;
}

static const char *type_of(const json_t *event) {
        const char *type = json_string_value(json_object_get(event, "type"));

        return type ? type : "";
}

/* {"NAME": "VALUE"} of the labels, added to an object. */
static int labels_add(json_t *object, const char *const *labels) {
        for (size_t i = 0; labels && labels[i]; i++) {
                const char *eq = strchr(labels[i], '=');
                char name[LABEL_MAX + 1];

                if (!eq)
                        return -EINVAL;
                snprintf(name, sizeof(name), "%.*s", (int)(eq - labels[i]), labels[i]);
                if (json_object_set_new(object, name, json_string(eq + 1)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int dump(const json_t *j, struct buf *out) {
        cleanup_free char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

        return text ? buf_append(out, text, strlen(text)) : -ENOMEM;
}

struct lines {
        const char *p, *end, *line;
        size_t n;
        json_t *event;
};
#define LINES_INIT(from, len) \
        { .p = (from), .end = (from) + (len) }

static void lines_done(struct lines *l) {
        json_decref(l->event);
}

/* The next line that is an event. */
static bool lines_next(struct lines *l) {
        const char *newline;

        json_decref(l->event);
        l->event = NULL;
        while (!l->event && l->p < l->end && (newline = memchr(l->p, '\n', (size_t)(l->end - l->p)))) {
                l->line = l->p;
                l->n = (size_t)(newline - l->p);
                l->p = newline + 1;
                if (json_parse(l->line, l->n, &l->event, NULL) < 0)
                        l->event = NULL;
                else if (!json_is_object(l->event)) {
                        json_decref(l->event);
                        l->event = NULL;
                }
        }
        return l->event;
}

/* ---- Loki --------------------------------------------------------------------------------------------------------------- */

/* Few labels, of few values each: every combination of them is a stream of its own there. */
static json_t *loki_stream(json_t *streams, const struct sender_about *about, const char *type) {
        json_t *s, *labels, *values;
        size_t i;

        json_array_foreach(streams, i, s) {
                if (streq(json_string_value(json_object_get(json_object_get(s, "stream"), "type")), type))
                        return json_object_get(s, "values");
        }
        labels = json_pack("{s:s, s:s, s:s}", "job", "lsmpull", "host", about->host, "type", type);
        values = json_array();
        if (!labels || labels_add(labels, about->labels) < 0 ||
            json_array_append_new(streams, json_pack("{s:o, s:o}", "stream", labels, "values", values)) < 0)
                return NULL;
        return values;
}

static int loki_body(const struct sender_about *about, struct lines *l, struct buf *out) {
        cleanup_json json_t *streams = json_array(), *body = NULL;

        while (lines_next(l)) {
                json_t *values = loki_stream(streams, about, type_of(l->event));
                char ns[32];

                snprintf(ns, sizeof(ns), "%lld", (long long)time_of(l->event, about->now_ns));
                if (!values || json_array_append_new(values, json_pack("[s, s%]", ns, l->line, l->n)) < 0)
                        return -ENOMEM;
        }
        body = json_pack("{s:O}", "streams", streams);
        return dump(body, out);
}

/* ---- Splunk ------------------------------------------------------------------------------------------------------------- */

static int splunk_body(const struct sender_about *about, struct lines *l, struct buf *out) {
        cleanup_json json_t *fields = json_object();
        int r = labels_add(fields, about->labels);

        while (r >= 0 && lines_next(l)) {
                int64_t ns = time_of(l->event, about->now_ns);
                cleanup_json json_t *rest = json_pack("{s:s, s:s, s:s, s:O, s:O}", "host", about->host, "source", "lsmpull",
                                                      "sourcetype", "lsmpull:event", "fields", fields, "event", l->event);
                cleanup_buf struct buf text = {0};

                r = dump(rest, &text);
                /* A number with just this fraction, which no JSON library writes; and the rest without its brace. */
                if (r >= 0)
                        r = buf_printf(out, "{\"time\":%lld.%06lld,%s\n", (long long)(ns / S_NS), (long long)(ns % S_NS / 1000),
                                       text.data + 1);
        }
        return r;
}

/* ---- OTLP --------------------------------------------------------------------------------------------------------------- */

static json_t *otlp_value(const json_t *value) {
        char number[32];

        if (!json_is_integer(value))
                return json_pack("{s:s%}", "stringValue", json_string_value(value) ?: "",
                                 json_is_string(value) ? json_string_length(value) : 0);
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        return json_pack("{s:s}", "intValue", number); /* 64 bits are text there */
}

static int otlp_attribute(json_t *list, const char *prefix, const char *key, json_t *value) {
        cleanup_free char *name = NULL;

        if (asprintf(&name, "%s%s", prefix, key) < 0)
                return -ENOMEM;
        return json_array_append_new(list, json_pack("{s:s, s:o}", "key", name, "value", value)) < 0 ? -ENOMEM : 0;
}

/* syslog's weight as OpenTelemetry's. */
static int severity(const json_t *event, const char **ret_text) {
        switch (sink_journal_priority(event)[0]) {
        case '4':
                *ret_text = "WARN";
                return 13;
        case '5':
                *ret_text = "INFO2";
                return 10;
        default:
                *ret_text = "INFO";
                return 9;
        }
}

static json_t *otlp_record(const struct sender_about *about, const json_t *event) {
        cleanup_buf struct buf sentence = {0};
        cleanup_json json_t *attributes = json_array();
        const char *key, *text;
        json_t *value;
        char ns[32];
        int weight = severity(event, &text), r = 0;

        snprintf(ns, sizeof(ns), "%lld", (long long)time_of(event, about->now_ns));
        if (event_sentence_format(event, &sentence) < 0) /* of a newer reporter: the fields say it all */
                buf_printf(&sentence, "%s", type_of(event));
        json_object_foreach((json_t *)event, key, value) {
                if (r >= 0 && (json_is_string(value) || json_is_integer(value)))
                        r = otlp_attribute(attributes, "lsmpull.", key, otlp_value(value));
        }
        if (r < 0)
                return NULL;
        return json_pack("{s:s, s:s, s:i, s:s, s:{s:s%}, s:O}", "timeUnixNano", ns, "observedTimeUnixNano", ns, "severityNumber",
                         weight, "severityText", text, "body", "stringValue", sentence.data ? sentence.data : "", sentence.len,
                         "attributes", attributes);
}

static json_t *otlp_resource(const struct sender_about *about) {
        json_t *list = json_array();
        int r = otlp_attribute(list, "", "service.name", json_pack("{s:s}", "stringValue", "lsmpull"));

        if (r >= 0)
                r = otlp_attribute(list, "", "host.name", json_pack("{s:s}", "stringValue", about->host));
        for (size_t i = 0; r >= 0 && about->labels && about->labels[i]; i++) {
                const char *eq = strchr(about->labels[i], '=');
                char name[LABEL_MAX + 1];

                if (!eq)
                        continue;
                snprintf(name, sizeof(name), "%.*s", (int)(eq - about->labels[i]), about->labels[i]);
                r = otlp_attribute(list, "", name, json_pack("{s:s}", "stringValue", eq + 1));
        }
        if (r >= 0)
                return list;
        json_decref(list);
        return NULL;
}

static int otlp_body(const struct sender_about *about, struct lines *l, struct buf *out) {
        cleanup_json json_t *records = json_array(), *body = NULL;

        while (lines_next(l))
                if (json_array_append_new(records, otlp_record(about, l->event)) < 0)
                        return -ENOMEM;
        body = json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:s}, s:O}]}]}", "resourceLogs", "resource", "attributes",
                         otlp_resource(about), "scopeLogs", "scope", "name", "lsmpull", "version", LSM_VERSION, "logRecords",
                         records);
        return dump(body, out);
}

/* ------------------------------------------------------------------------------------------------------------------------- */

int sender_body(enum sender_format format, const struct sender_about *about, const char *lines, size_t n, struct buf *out) {
        static int (*const bodies[])(const struct sender_about *, struct lines *, struct buf *) = {
                [SENDER_LOKI] = loki_body, [SENDER_SPLUNK] = splunk_body, [SENDER_OTLP] = otlp_body};
        cleanup(lines_done) struct lines l = LINES_INIT(lines, n);

        return bodies[format](about, &l, out);
}

uint64_t sender_rejected(enum sender_format format, const char *answer, size_t n) {
        cleanup_json json_t *j = NULL;
        const json_t *count;
        long long rejected;

        if (format != SENDER_OTLP || n == 0 || json_parse_foreign(answer, n, &j, NULL) < 0)
                return 0;
        count = json_object_get(json_object_get(j, "partialSuccess"), "rejectedLogRecords");
        rejected = json_is_string(count) ? strtoll(json_string_value(count), NULL, 10) : json_integer_value(count);
        return rejected > 0 ? (uint64_t)rejected : 0;
}
