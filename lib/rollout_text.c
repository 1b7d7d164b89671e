/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of times and durations in a rollout. */
#include <stdio.h>
#include <time.h>

#include "rollout.h"

static const struct {
        char letter;
        int64_t seconds;
} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

int rollout_duration_parse(const char *text, int64_t *ret_s) {
        size_t n = strspn(text, "0123456789");
        int64_t v = 0;

        /* One text for each number: no leading zeros. */
        if (n == 0 || n > 9 || (n > 1 && text[0] == '0') || !text[n] || text[n + 1])
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                v = v * 10 + (text[i] - '0');
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (text[n] == units[i].letter) {
                        if (v > ROLLOUT_SECONDS_MAX / units[i].seconds)
                                return -ERANGE;
                        *ret_s = v * units[i].seconds;
                        return 0;
                }
        return -EINVAL;
}

void rollout_duration_format(int64_t s, char ret[static 32]) {
        size_t i = 0;

        while (s != 0 && s % units[i].seconds != 0)
                i++;
        if (s == 0)
                i = ARRAY_SIZE(units) - 1;
        snprintf(ret, 32, "%lld%c", (long long)(s / units[i].seconds), units[i].letter);
}

/* Two digits at p, from min to max; -1: something else. */
static int two_digits(const char *p, int min, int max) {
        int v;

        if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
                return -1;
        v = (p[0] - '0') * 10 + (p[1] - '0');
        return v < min || v > max ? -1 : v;
}

int rollout_time_parse(const char *text, int64_t *ret) {
        struct tm tm = {0}, again;
        int century, year, month, day;
        time_t t;

        if (strnlen(text, 21) != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
            text[16] != ':' || text[19] != 'Z')
                return -EINVAL;
        century = two_digits(text, 19, 99);
        year = two_digits(text + 2, 0, 99);
        month = two_digits(text + 5, 1, 12);
        day = two_digits(text + 8, 1, 31);
        tm.tm_hour = two_digits(text + 11, 0, 23);
        tm.tm_min = two_digits(text + 14, 0, 59);
        tm.tm_sec = two_digits(text + 17, 0, 59);
        if (century < 0 || year < 0 || month < 0 || day < 0 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
                return -EINVAL;
        tm.tm_year = century * 100 + year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        t = timegm(&tm);
        /* timegm() makes the 31st of June the 1st of July. */
        if (t < 0 || !gmtime_r(&t, &again) || again.tm_mday != day)
                return -EINVAL;
        *ret = t;
        return 0;
}

void rollout_time_format(int64_t t, char ret[static 32]) {
        time_t when = t < 0 ? 0 : t > ROLLOUT_TIME_MAX ? ROLLOUT_TIME_MAX : t;
        struct tm tm;

        if (!gmtime_r(&when, &tm) || strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                snprintf(ret, 32, "?");
}
