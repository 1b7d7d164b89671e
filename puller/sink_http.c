/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_http.h"

#include "util.h"

int sink_http_prepare(struct sink_http *s, int dir, int wake, uint64_t max_size) {
        int r;

        *s = (struct sink_http){.spool = SPOOL_INIT, .wake = wake};
        if (dir < 0)
                return -ENOENT;
        r = spool_begin(&s->spool, dir, max_size);
        return r;
}

void sink_http_done(struct sink_http *s) {
        spool_done(&s->spool);
        close_p(&s->wake);
        s->wake = -1;
}

int sink_http_write(struct sink_http *s, const void *p, size_t n, struct spool_sum *lost) {
        int r = 0;

        /* Before a segment is begun: between segments it cannot become too much. */
        if (s->spool.dir >= 0 && (s->spool.fd < 0 || s->spool.size == 0 || s->spool.size + n > SPOOL_SEGMENT_MAX))
                r = spool_make_room(&s->spool, lost);
        return r < 0 ? r : spool_append(&s->spool, p, n);
}

bool sink_http_flush(struct sink_http *s) {
        int r = s->spool.dir < 0 ? 0 : spool_publish(&s->spool);

        /* A full pipe has woken it already. */
        if (r > 0 && s->wake >= 0 && write(s->wake, "", 1) < 0)
                return s->spool.size == 0;
        return s->spool.dir < 0 || s->spool.size == 0;
}
