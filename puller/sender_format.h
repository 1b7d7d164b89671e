/* SPDX-License-Identifier: Apache-2.0 */
/* Events in the forms that receivers take: one request's body from some lines of the spool. */
#pragma once

#include "buf.h"
#include "err.h"
#include "json.h"

enum sender_format {
        SENDER_LOKI,   /* Grafana Loki, POST /loki/api/v1/push */
        SENDER_SPLUNK, /* Splunk HTTP Event Collector, POST /services/collector/event */
        SENDER_OTLP,   /* OpenTelemetry logs, POST /v1/logs, as JSON */
        SENDER_FORMATS,
};
/* "loki", "splunk", "otlp"; -EINVAL. */
int sender_format_parse(const char *word, enum sender_format *ret);

#define SENDER_LABELS_MAX 16
/* NAME=VALUE: a name as Loki wants it (a letter or _, then letters, digits, _), and a value of printable ASCII. */
bool sender_label_valid(const char *text);

struct sender_about {
        const char *host;
        const char *const *labels; /* NAME=VALUE, NULL-terminated */
        int64_t now_ns;            /* time of day, for events that have none */
};
/* lines: objects of JSON, one a line, each with its newline, in their order, which is kept. What is no event is passed over. The body
 * is appended to `out`. */
int sender_body(enum sender_format format, const struct sender_about *about, const char *lines, size_t n, struct buf *out);
/* What the answer of a receiver that has accepted says of single events all the same: how many it has rejected. */
uint64_t sender_rejected(enum sender_format format, const char *answer, size_t n);
