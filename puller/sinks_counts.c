/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of sinks, in memory that supervisor and reporter share. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "sinks.h"
#include "text.h"

/* Without these, whoever has taken over the reporter could make the file shorter, and the supervisor's next look would end it. */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

const char *sink_name(enum sink_kind kind) {
        static const char *const names[] = {[SINK_FILE] = "file", [SINK_JOURNALD] = "journald", [SINK_HTTP] = "http"};

        return names[kind];
}

const char *sink_error(uint32_t error) {
        if (error == 0)
                return "";
        if (error == EBADMSG)
                return "what is there is not a file of events, and is left alone";
        return strerror(error < 4096 ? (int)error : EIO);
}

static int map(int fd, struct sinks_counts **ret) {
        void *p = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

int sinks_counts_new(struct sinks_counts **ret, struct err *err) {
        cleanup_fd int fd = memfd_create("sinks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0 || ftruncate(fd, sizeof(**ret)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return err_errno(err, -errno, "counters of sinks");
        r = map(fd, ret);
        return r < 0 ? err_errno(err, r, "counters of sinks") : steal_fd(&fd);
}

int sinks_counts_map(int fd, struct sinks_counts **ret, struct err *err) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "counters of sinks");
        r = st.st_size == sizeof(**ret) && fcntl(fd, F_GET_SEALS) == SEALS ? map(fd, ret) : -EBADMSG;
        return r < 0 ? err_errno(err, r, "counters of sinks") : 0;
}

void sinks_counts_free(struct sinks_counts *counts) {
        if (counts)
                munmap(counts, sizeof(*counts));
}

bool sinks_counts_failing(const struct sinks_counts *counts) {
        for (size_t i = 0; counts && i < SINK_KINDS; i++)
                if (counts->of[i].on && (counts->of[i].error || counts->of[i].trouble))
                        return true;
        return false;
}

/* The reporter may write what it likes. */
static json_int_t number(uint64_t n) {
        return n > JSON_INT_MAX ? JSON_INT_MAX : (json_int_t)n;
}

/* Both children may write what they like. */
static json_t *one_json(enum sink_kind kind, struct sink_counts *c) {
        char trouble[SINK_TROUBLE_MAX];
        const char *error = sink_error(c->error);
        json_t *j;

        c->trouble_text[sizeof(c->trouble_text) - 1] = '\0';
        text_clean(trouble, sizeof(trouble), c->trouble_text);
        if (!*error && c->trouble)
                error = *trouble ? trouble : "the receiver takes nothing";
        j = json_pack("{s:s, s:I, s:I, s:I, s:s}", "name", sink_name(kind), "written", number(c->written), "dropped",
                      number(c->dropped), "retried", number(c->retried), "error", error);
        if (kind == SINK_HTTP) {
                uint64_t waiting = c->taken - c->written - c->refused - c->dropped;

                json_object_set_new(j, "waiting", json_integer(waiting > JSON_INT_MAX ? 0 : (json_int_t)waiting));
                json_object_set_new(j, "refused", json_integer(number(c->refused)));
        }
        return j;
}

json_t *sinks_counts_json(const struct sinks_counts *counts) {
        json_t *list = json_array();

        for (size_t i = 0; counts && i < SINK_KINDS; i++) {
                const volatile struct sink_counts *from = &counts->of[i];
                struct sink_counts c = *from;

                if (c.on)
                        json_array_append_new(list, one_json(i, &c));
        }
        return list;
}
