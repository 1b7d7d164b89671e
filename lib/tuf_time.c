/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_time.h"

#include <stdio.h>

#define DAY 86400

/* Days since 1970-01-01 in the Gregorian calendar; a year begins in March here, so that the leap day is its last. */
static int64_t days_from_date(int64_t y, int m, int d) {
        int64_t era, of_era;

        y -= m <= 2;
        era = (y >= 0 ? y : y - 399) / 400;
        of_era = y - era * 400;
        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1 - 719468;
}

static void date_from_days(int64_t days, int64_t *ret_y, int *ret_m, int *ret_d) {
        int64_t era, day, y, doy;
        int m;

        days += 719468;
        era = (days >= 0 ? days : days - 146096) / 146097;
        day = days - era * 146097;
        y = (day - day / 1460 + day / 36524 - day / 146096) / 365;
        doy = day - (365 * y + y / 4 - y / 100);
        m = (int)((5 * doy + 2) / 153);
        *ret_d = (int)(doy - (153 * m + 2) / 5 + 1);
        *ret_m = m < 10 ? m + 3 : m - 9;
        *ret_y = y + era * 400 + (*ret_m <= 2);
}

static int month_days(int64_t y, int m) {
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        return days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static bool digits(const char *s, int n, int *ret) {
        *ret = 0;
        for (int i = 0; i < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return false;
                *ret = *ret * 10 + (s[i] - '0');
        }
        return true;
}

int tuf_time_parse(const char *text, int64_t *ret) {
        int y, mo, d, h, mi, s;

        if (strlen(text) != TUF_TIME_SIZE - 1 || !digits(text, 4, &y) || text[4] != '-' || !digits(text + 5, 2, &mo) ||
            text[7] != '-' || !digits(text + 8, 2, &d) || text[10] != 'T' || !digits(text + 11, 2, &h) || text[13] != ':' ||
            !digits(text + 14, 2, &mi) || text[16] != ':' || !digits(text + 17, 2, &s) || text[19] != 'Z')
                return -EINVAL;
        if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || s > 59)
                return -EINVAL;
        *ret = days_from_date(y, mo, d) * DAY + h * 3600 + mi * 60 + s;
        return 0;
}

void tuf_time_format(int64_t t, char ret[static TUF_TIME_SIZE]) {
        const int64_t first = days_from_date(0, 1, 1) * DAY, last = days_from_date(10000, 1, 1) * DAY - 1;
        int64_t y, days;
        int m, d, s;

        t = t < first ? first : t > last ? last : t;
        days = (t >= 0 ? t : t - (DAY - 1)) / DAY;
        s = (int)(t - days * DAY);
        date_from_days(days, &y, &m, &d);
        snprintf(ret, TUF_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000, (unsigned)m % 100, (unsigned)d % 100,
                 (unsigned)(s / 3600) % 100, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}
