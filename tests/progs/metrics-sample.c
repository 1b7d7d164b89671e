/* SPDX-License-Identifier: Apache-2.0 */
/* metrics-sample STATUS.json OUT.prom: what the agent would write for this status document, with a map, a hook and a swap that only
 * a kernel can have. */
#include <fcntl.h>
#include <stdio.h>

#include "fileio.h"
#include "metrics.h"

static int sample(const char *from, const char *to, struct err *err) {
        static const struct metrics_counts counts = {.polls_ok = 9, .polls_failed = 2, .refused = {[REASON_BAD_SIGNATURE] = 1}};
        cleanup_metrics struct metrics m = {0};
        cleanup_buf struct buf in = {0}, out = {0};
        json_t *status;
        int r;

        r = file_read(AT_FDCWD, from, 1 << 20, &in, err);
        if (r >= 0)
                r = json_parse(in.data, in.len, &status, err);
        if (r >= 0)
                r = metrics_read(status, &counts, &m, err);
        if (r < 0)
                return r;
        m.time = now_seconds();
        m.hooks = calloc(1, sizeof(*m.hooks));
        if (m.n_bundles > 0)
                m.bundles[0].maps = calloc(1, sizeof(*m.bundles[0].maps));
        if (!m.hooks || (m.n_bundles > 0 && !m.bundles[0].maps))
                return err_errno(err, -ENOMEM, "sample");
        m.hooks[m.n_hooks++] = (struct metrics_hook){"file_open", 33};
        if (m.n_bundles > 0) {
                m.bundles[0].maps[m.bundles[0].n_maps++] = (struct metrics_map){"seen", 50, 100};
                m.bundles[0].swaps =
                        (struct swap_times){.confirmed = 1, .load_ns = 1, .enforced_ns = 1500000000, .confirmed_ns = 12000000000};
        }
        r = metrics_format(&m, &out);
        return r < 0 ? err_errno(err, r, "sample") : file_replace(AT_FDCWD, to, 0644, out.data, out.len, err);
}

int main(int argc, char **argv) {
        struct err err = {0};

        if (argc != 3)
                return 2;
        if (sample(argv[1], argv[2], &err) < 0) {
                fprintf(stderr, "metrics-sample: %s\n", err.msg);
                return 1;
        }
        return 0;
}
