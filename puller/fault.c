/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#ifdef LSM_FAULTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether `variable` asks for this point now. Counts in *hits how often it was reached. */
static int due(const char *variable, const char *name, unsigned long *hits) {
        const char *spec = getenv(variable);
        size_t n = strlen(name);
        unsigned long wanted = 1;

        if (!spec || strncmp(spec, name, n) != 0)
                return 0;
        if (spec[n] == ':') {
                char *end;

                wanted = strtoul(spec + n + 1, &end, 10);
                if (end == spec + n + 1 || *end) /* another point whose name begins with this one's */
                        return 0;
        } else if (spec[n])
                return 0;
        return ++*hits == wanted;
}

void fault_point(const char *name) {
        static unsigned long kills, stops; /* one point per variable, so one counter each is enough */

        if (due("LSM_FAULT", name, &kills))
                kill(getpid(), SIGKILL);
        if (due("LSM_FAULT_STOP", name, &stops))
                kill(getpid(), SIGSTOP);
}

#endif
