/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>

#include "control.h"

#define CONFIG_DEFAULT "/etc/lsmpull/lsmpull.yaml"

void options_done(struct options *o) {
        free(o->config_path);
        free(o->state);
        free(o->run);
        free(o->bpffs);
        free(o->cgroup);
        free(o->fetcher);
        *o = (struct options){0};
}

static char *absolute(const char *path) {
        char *cwd, *r = NULL;

        if (path[0] == '/')
                return strdup(path);
        cwd = getcwd(NULL, 0);
        if (cwd && asprintf(&r, "%s/%s", cwd, path) < 0)
                r = NULL;
        free(cwd);
        return r;
}

bool options_take(struct options *o, int opt, const char *arg) {
        char **place = NULL;

        switch (opt) {
        case OPT_CONFIG:
                place = &o->config_path;
                break;
        case OPT_STATE:
                place = &o->state;
                break;
        case OPT_RUN:
                place = &o->run;
                break;
        case OPT_BPFFS:
                place = &o->bpffs;
                break;
        case OPT_CGROUP:
                place = &o->cgroup;
                break;
        case OPT_FETCHER:
                place = &o->fetcher;
                break;
        case OPT_HELP:
                o->help = true;
                return true;
        default:
                return false;
        }
        free(*place);
        *place = absolute(arg);
        return true;
}

static void take(char **place, const char *value) {
        char *copy = value ? strdup(value) : NULL;

        if (copy) {
                free(*place);
                *place = copy;
        }
}

int options_config(const struct options *o, struct config *ret) {
        struct err err = {0};
        int r = config_defaults(ret, &err);

        if (r >= 0)
                r = config_load(ret, o->config_path ? o->config_path : CONFIG_DEFAULT, o->config_path != NULL, &err);
        if (r < 0)
                return report_error(NULL, &err, r);
        take(&ret->state_dir, o->state);
        take(&ret->run_dir, o->run);
        take(&ret->bpffs_dir, o->bpffs);
        take(&ret->cgroup_dir, o->cgroup);
        take(&ret->fetcher_exe, o->fetcher);
        r = config_check(ret, &err);
        return r < 0 ? report_error(NULL, &err, r) : 0;
}

int report_error(const char *what, const struct err *err, int r) {
        int code = err_exit_code(err, r);
        const char *word = reason_word(err->reason);

        fprintf(stderr, "lsmpull: %s%s%s%s%s%s\n", what ? what : "", what ? ": " : "",
                code == 3   ? "refused: "
                : code == 4 ? "failed: "
                            : "",
                code >= 3 ? word : "", code >= 3 ? ": " : "", err->msg[0] ? err->msg : strerror(-r));
        return code;
}

int usage_error(const char *command, const char *fmt, ...) {
        va_list ap;

        fputs("lsmpull: ", stderr);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fprintf(stderr, "; see lsmpull %s%s--help\n", command, *command ? " " : "");
        return 2;
}

static void print_line(const char *line) {
        fprintf(stderr, "%s\n", line);
}

static void say(void *ctx, const char *line) {
        print_line(line);
}

static int perform_here(const struct config *config, struct op_request *req, struct op_answer *ret, struct err *err) {
        enum node_access access = req->op == OP_STATUS ? NODE_READ : NODE_WRITE;
        struct node node = {.say = say};
        struct source source;
        int r;

        r = node_open(config, access, &waiter_plain, &node, err);
        if (r < 0)
                return r;
        source_load(&node, &source);
        /* What an earlier run left unfinished comes first. A bundle that cannot be repaired was said, and must not stop an
         * operator who is about to replace or remove it. */
        if (access == NODE_WRITE)
                swap_recover(&node, NULL);
        op_run(&node, &source, req, ret);
        node_close(&node);
        return 0;
}

int op_perform(const struct config *config, struct op_request *req, struct op_answer *ret) {
        cleanup_op_answer struct op_answer own = {0};
        struct op_answer *answer = ret ? ret : &own;
        cleanup_fd int conn = -1;
        struct err err = {0};
        int r;

        conn = control_connect(config->run_dir, &err);
        if (conn >= 0)
                r = control_ask(conn, req, print_line, answer, &err);
        else /* no agent, or a policy that denies sockets: the lock says whether somebody else is at work */
                r = perform_here(config, req, answer, &err);
        if (r < 0)
                return report_error(NULL, &err, r);
        if (answer->exit_code) {
                err.reason = reason_from_word(answer->reason);
                snprintf(err.msg, sizeof(err.msg), "%s", answer->message);
                report_error(NULL, &err, -1);
        } else if (!ret && answer->message[0])
                printf("%s\n", answer->message);
        return answer->exit_code;
}
