/* SPDX-License-Identifier: Apache-2.0 */
/* Which events somebody wants to see. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "event.h"

#define NS_PER_S 1000000000LL

static bool pair_valid(const char *pair) {
        const char *slash = strchr(pair, '/');
        char bundle[64];

        if (!slash)
                return name_valid(pair);
        if ((size_t)(slash - pair) >= sizeof(bundle))
                return false;
        memcpy(bundle, pair, slash - pair);
        bundle[slash - pair] = '\0';
        return name_valid(bundle) && name_valid(slash + 1);
}

bool event_filter_valid(const struct event_filter *f) {
        if (f->policy && !pair_valid(f->policy))
                return false;
        if (f->bundle && !name_valid(f->bundle))
                return false;
        if (f->rule && !name_valid(f->rule))
                return false;
        return !f->mode || streq(f->mode, "enforce") || streq(f->mode, "audit") || streq(f->mode, "shadow");
}

static const char *member(const json_t *event, const char *key) {
        return json_string_value(json_object_get(event, key));
}

static bool is(const json_t *event, const char *key, const char *wanted) {
        const char *value = member(event, key);

        return !wanted || (value && streq(value, wanted));
}

static bool policy_is(const json_t *event, const char *pair) {
        const char *slash = pair ? strchr(pair, '/') : NULL, *bundle;

        if (!slash)
                return is(event, "policy", pair);
        bundle = member(event, "bundle");
        return bundle && strlen(bundle) == (size_t)(slash - pair) && memcmp(bundle, pair, slash - pair) == 0 &&
               is(event, "policy", slash + 1);
}

bool event_passes(const struct event_filter *f, const json_t *event) {
        const char *type = member(event, "type"), *time = member(event, "time");

        if (!type)
                return false;
        if (streq(type, "lost") || streq(type, "dropped")) /* concerns every reader */
                return true;
        if (f->denied && !streq(type, "denied"))
                return false;
        if (f->since && time && strcmp(time, f->since) < 0)
                return false;
        return policy_is(event, f->policy) && is(event, "bundle", f->bundle) && is(event, "rule", f->rule) &&
               is(event, "mode", f->mode);
}

/* The length of "90s"; 0: it is none. */
static int64_t duration(const char *text) {
        static const struct {
                char unit;
                int64_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
        size_t digits = strspn(text, "0123456789");

        if (digits < 1 || digits > 6 || text[digits] == '\0' || text[digits + 1] != '\0')
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (text[digits] == units[i].unit)
                        return strtol(text, NULL, 10) * units[i].seconds;
        return 0;
}

int event_since(const char *text, int64_t now_ns, char ret[static 32]) {
        int64_t seconds = duration(text);
        struct tm tm = {0};
        const char *rest;
        time_t t;

        if (seconds > 0) {
                t = now_ns / NS_PER_S - seconds;
                return gmtime_r(&t, &tm) && strftime(ret, 32, "%FT%T", &tm) > 0 ? 0 : -EINVAL;
        }
        rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!rest || strlen(text) >= 32)
                return -EINVAL;
        if (rest[0] == '.' && strspn(rest + 1, "0123456789") >= 1 && strspn(rest + 1, "0123456789") <= 6)
                rest += 1 + strspn(rest + 1, "0123456789");
        if (!streq(rest, "Z"))
                return -EINVAL;
        /* Without the Z, which is greater than a digit: a shorter text comes before each that begins with it. */
        snprintf(ret, 32, "%.*s", (int)(rest - text), text);
        return 0;
}
