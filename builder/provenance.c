/* SPDX-License-Identifier: Apache-2.0 */
#include "provenance.h"

#include <ctype.h>
#include <stdio.h>

#include "json.h"
#include "process.h"

void provenance_done(struct provenance *p) {
        free(p->commit);
        *p = (struct provenance){};
}

static bool number_parse(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (!isdigit((unsigned char)*s))
                return false;
        for (; isdigit((unsigned char)*s); s++)
                if (mul_overflows(v, 10, &v) || add_overflows(v, *s - '0', &v) || v > JSON_INT_MAX)
                        return false;
        *ret = v;
        return *s == '\0' || *s == '\n';
}

/* "HASH TIME\n" */
static bool log_parse(const struct process *log, char hash[static 65], uint64_t *ret_time) {
        const char *text = log->out.data ?: "", *space = strchr(text, ' ');
        size_t n = space ? (size_t)(space - text) : 0;

        if (!process_ok(log) || (n != 40 && n != 64) || strspn(text, "0123456789abcdef") != n ||
            !number_parse(space + 1, ret_time))
                return false;
        memcpy(hash, text, n);
        hash[n] = '\0';
        return true;
}

/* Both questions at once. A git that is missing or refuses (no repository, not its owner) is no error: nothing is known then. */
static int ask_git(const char *dir, const struct strv *files, struct process p[static 2]) {
        /* The file system monitor is a command from the repository's own configuration. */
        const char *const log_argv[] = {
                "git", "-C", dir, "-c", "core.fsmonitor=false", "log", "-1", "--no-show-signature", "--format=%H %ct", NULL};
        const char *const status[] = {
                "git", "-C", dir, "-c", "core.fsmonitor=false", "status", "--porcelain", "--untracked-files=all", "--"};
        cleanup_strv struct strv status_argv = {};
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(status); i++)
                e = strv_add(&status_argv, status[i]);
        for (size_t i = 0; e == 0 && i < files->n; i++)
                e = strv_add(&status_argv, files->v[i]);
        if (e < 0)
                return e;
        p[0].argv = log_argv;
        p[1].argv = (const char *const *)status_argv.v;
        e = processes_run(p, 2, 2, NULL, NULL, NULL);
        return e == -EINTR || e == -ENOMEM ? e : 0;
}

static void processes_done(struct process (*p)[2]) {
        process_done(&(*p)[0]);
        process_done(&(*p)[1]);
}

int provenance_find(const char *dir, const struct strv *files, struct provenance *ret, struct err *err) {
        /* A status of its own until it has run: "failed". */
        cleanup(processes_done) struct process p[2] = {{.status = 0xff00}, {.status = 0xff00}};
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        uint64_t date = 0, commit_date = 0;
        char commit[128] = "", hash[65];
        int e;

        if (epoch && *epoch && !number_parse(epoch, &date))
                return err_set(err, -EINVAL, REASON_CONFIG, "SOURCE_DATE_EPOCH '%s' is not a number of seconds", epoch);
        e = ask_git(dir, files, p);
        if (e < 0)
                return err_errno(err, e, "git");
        if (log_parse(&p[0], hash, &commit_date))
                snprintf(commit, sizeof(commit), "%s%s", hash, process_ok(&p[1]) && p[1].out.len == 0 ? "" : "-dirty");
        ret->commit = strdup(commit);
        if (!ret->commit)
                return err_errno(err, -ENOMEM, "provenance");
        ret->date = epoch && *epoch ? date : commit_date;
        return 0;
}
