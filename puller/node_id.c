/* SPDX-License-Identifier: Apache-2.0 */
#include "node_id.h"

#include <stdio.h>
#include <systemd/sd-id128.h>

/* Made once, for this use: other programs' ids of the same machine cannot be compared with ours. */
#define APPLICATION_ID SD_ID128_MAKE(3e, 9b, 51, c0, 7a, 2d, 4f, 86, 9c, 14, d5, e8, 60, b7, 2f, a1)

int node_id_get(const struct config *c, char ret[static 129], struct err *err) {
        sd_id128_t id;
        int r;

        if (c->node_id) {
                snprintf(ret, 129, "%s", c->node_id);
                return 0;
        }
        r = sd_id128_get_machine_app_specific(APPLICATION_ID, &id);
        if (r < 0)
                return err_set(err, r, REASON_CONFIG,
                               "this machine has no id (/etc/machine-id: %s): set one, or node-id in the "
                               "configuration",
                               strerror(-r));
        sd_id128_to_string(id, ret);
        return 0;
}

const char *machine_id_fault(const char *text) {
        size_t n = strspn(text, "0123456789abcdef"), end = n + strspn(text + n, "\n");

        if (!*text || *text == '\n')
                return "is empty";
        if (streq(text, "uninitialized") || streq(text, "uninitialized\n"))
                return "has not been made yet";
        if (n != 32 || text[end])
                return "is not 32 hex digits";
        /* All one digit: written by hand, or by whoever prepared an image. */
        return strspn(text, (char[]){text[0], '\0'}) == n ? "is no random number" : NULL;
}
