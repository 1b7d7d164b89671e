/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_time.h"

#include <stdio.h>

void duration_show(int64_t seconds, char ret[static DURATION_TEXT]) {
        long long s = seconds < 0 ? -seconds : seconds, d = s / 86400, h = s / 3600 % 24, m = s / 60 % 60;

        if (d >= 10)
                snprintf(ret, DURATION_TEXT, "%lld d", d);
        else if (d > 0)
                snprintf(ret, DURATION_TEXT, "%lld d %lld h", d, h);
        else if (h > 0)
                snprintf(ret, DURATION_TEXT, "%lld h %lld min", h, m);
        else if (m > 0)
                snprintf(ret, DURATION_TEXT, "%lld min", m);
        else
                snprintf(ret, DURATION_TEXT, "%lld s", s);
}
