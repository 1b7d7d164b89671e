/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's side of the spool. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "spool.h"
#include "spool_parts.h"
#include "util.h"

void spool_segment_done(struct spool_segment *g) {
        buf_done(&g->lines);
        *g = (struct spool_segment){0};
}

static int remove_name(int dir, const char *name) {
        if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
                return 0;
        /* Somebody's folder of that name: without its name it holds up nothing. */
        if ((errno == EISDIR || errno == EPERM) && unlinkat(dir, name, AT_REMOVEDIR) == 0)
                return 0;
        return -errno;
}

int spool_remove(int dir, uint64_t number) {
        char name[SPOOL_NAME_MAX];

        spool_name(name, number, SPOOL_SENDING);
        return remove_name(dir, name);
}

/* The oldest becomes the sender's. 0: it was none, or the writer was faster and has dropped it. */
static int claim(int dir, uint64_t number) {
        char ready[SPOOL_NAME_MAX], name[SPOOL_NAME_MAX];
        struct stat st;

        spool_name(name, number, SPOOL_SENDING);
        spool_name(ready, number, SPOOL_READY);
        if (fstatat(dir, ready, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) /* Landlock lets no link be renamed */
                return remove_name(dir, ready);
        if (renameat(dir, ready, dir, name) == 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

int spool_take(int dir, struct spool_segment *ret) {
        char name[SPOOL_NAME_MAX];
        struct spool_list list;
        int r;

        *ret = (struct spool_segment){0};
        for (;;) {
                r = spool_list(dir, &list);
                if (r < 0 || (!list.sending && !list.ready))
                        return r;
                r = list.sending ? 1 : claim(dir, list.oldest);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                ret->number = list.sending ? list.sending : list.oldest;
                spool_name(name, ret->number, SPOOL_SENDING);
                r = spool_read(dir, name, &ret->lines);
                if (r >= 0)
                        return 1;
                spool_segment_done(ret);
                if (r == -EBADMSG)
                        r = remove_name(dir, name);
                if (r < 0)
                        return r;
        }
}
