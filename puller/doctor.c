/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>

#include "fileio.h"

#define DOCTOR_VERSION 1
#define SMALL_FILE_MAX (1u << 20)

static const char *const result_words[] = {[FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail"};

void doctor_done(struct doctor *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->findings[i].found);
                free(d->findings[i].remedy);
        }
        free(d->findings);
        d->findings = NULL;
        d->n = 0;
}

int doctor_run(struct doctor *d, struct err *err) {
        static void (*const checks[])(struct doctor *) = {
                check_kernel,
                check_mode,
                check_lsm,
                check_btf,
                check_jit,
                check_lockdown,
                check_capabilities,
                check_namespaces,
                check_bpffs,
                check_cgroup,
                check_loading,
                check_ring_buffer,
                check_hooks,
                check_token,
                check_user_namespaces,
                check_landlock,
                check_unprivileged_bpf,
                check_kernel_symbols,
                check_state,
                check_users,
                check_clock,
                check_node_id,
        };

        for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
                checks[i](d);
        return d->no_memory ? err_errno(err, -ENOMEM, "doctor") : 0;
}

void doctor_found(struct doctor *d, const char *check, enum finding_result result, const char *remedy, const char *fmt, ...) {
        struct finding *more = reallocarray(d->findings, d->n + 1, sizeof(*more));
        struct finding f = {.check = check, .result = result, .remedy = remedy ? strdup(remedy) : NULL};
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&f.found, fmt, ap) < 0)
                f.found = NULL;
        va_end(ap);
        if (more)
                d->findings = more;
        if (!more || !f.found || (remedy && !f.remedy)) {
                free(f.found);
                free(f.remedy);
                d->no_memory = true;
                return;
        }
        d->findings[d->n++] = f;
}

int doctor_read(const struct doctor *d, struct buf *ret, const char *fmt, ...) {
        char path[PATH_MAX];
        size_t n = strlen(d->root);
        va_list ap;
        int r;

        if (n >= sizeof(path))
                return -ENAMETOOLONG;
        memcpy(path, d->root, n);
        va_start(ap, fmt);
        r = vsnprintf(path + n, sizeof(path) - n, fmt, ap);
        va_end(ap);
        if (r < 0 || (size_t)r >= sizeof(path) - n)
                return -ENAMETOOLONG;
        r = file_read(AT_FDCWD, path, SMALL_FILE_MAX, ret, NULL);
        if (r < 0)
                return r;
        if (!ret->data && buf_reserve(ret, 1) < 0)
                return -ENOMEM;
        while (ret->len > 0 && strchr(" \t\n", ret->data[ret->len - 1]))
                ret->data[--ret->len] = '\0';
        return 0;
}

int doctor_read_number(const struct doctor *d, const char *path, long long *ret) {
        cleanup_buf struct buf b = {0};
        char *end;
        long long v;
        int r;

        r = doctor_read(d, &b, "%s", path);
        if (r < 0)
                return r;
        errno = 0;
        v = strtoll(b.data, &end, 10);
        if (errno || end == b.data || *end)
                return -EBADMSG;
        *ret = v;
        return 0;
}

/* ---- what it says -------------------------------------------------------------------------------------------------- */

static size_t count(const struct doctor *d, enum finding_result result) {
        size_t n = 0;

        for (size_t i = 0; i < d->n; i++)
                n += d->findings[i].result == result;
        return n;
}

bool doctor_can_enforce(const struct doctor *d) {
        return d->n > 0 && !d->no_memory && count(d, FINDING_FAIL) == 0;
}

json_t *doctor_json(const struct doctor *d) {
        cleanup_json json_t *findings = json_array();

        for (size_t i = 0; findings && i < d->n; i++) {
                const struct finding *f = &d->findings[i];
                json_t *o = json_pack("{s:s, s:s, s:s, s:s*}", "check", f->check, "result", result_words[f->result], "found",
                                      f->found, "remedy", f->remedy);

                if (json_array_append_new(findings, o) < 0)
                        return NULL;
        }
        return json_pack("{s:i, s:b, s:O}", "v", DOCTOR_VERSION, "can_enforce", doctor_can_enforce(d), "findings", findings);
}

void doctor_print(const struct doctor *d, FILE *f, bool utf8, bool colour) {
        static const char *const signs[2][3] = {{"+", "!", "x"}, {"\342\234\223", "!", "\342\234\227"}};
        static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
        const char *reset = colour ? "\033[0m" : "";
        size_t fails = count(d, FINDING_FAIL), warns = count(d, FINDING_WARN);

        for (size_t i = 0; i < d->n; i++) {
                const struct finding *g = &d->findings[i];

                fprintf(f, "%s%s%s %-18s %s\n", colour ? colours[g->result] : "", signs[utf8][g->result], reset, g->check,
                        g->found);
                if (g->remedy)
                        fprintf(f, "  %-18s %s %s\n", "", utf8 ? "\342\206\222" : "->", g->remedy);
        }
        fputc('\n', f);
        if (doctor_can_enforce(d))
                fprintf(f, "This node can enforce.");
        else
                fprintf(f, "This node cannot enforce: %zu of %zu checks failed.", fails, d->n);
        if (warns)
                fprintf(f, " Warnings: %zu.", warns);
        fputc('\n', f);
}
