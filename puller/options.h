/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of lsmpull takes, and how commands speak: results to stdout, errors in one line to stderr. */
#pragma once

#include <getopt.h>

#include "config.h"
#include "op.h"

/* Options that all commands share; a command lists its own after them. */
enum { OPT_COMMON = 0x100, OPT_CONFIG, OPT_STATE, OPT_RUN, OPT_BPFFS, OPT_CGROUP, OPT_FETCHER, OPT_HELP, OPT_OWN };
#define COMMON_OPTIONS                                                                                                \
        {"config", required_argument, NULL, OPT_CONFIG}, {"state", required_argument, NULL, OPT_STATE},               \
                {"run", required_argument, NULL, OPT_RUN}, {"bpffs", required_argument, NULL, OPT_BPFFS},             \
                {"cgroup", required_argument, NULL, OPT_CGROUP}, {"fetcher", required_argument, NULL, OPT_FETCHER}, { \
                "help", no_argument, NULL, OPT_HELP                                                                   \
        }
#define COMMON_HELP                                                                 \
        "  --config FILE   configuration (default /etc/lsmpull/lsmpull.yaml)\n"     \
        "  --state DIR     journal, store, quarantine (default /var/lib/lsmpull)\n" \
        "  --run DIR       control socket (default /run/lsmpull)\n"                 \
        "  --bpffs DIR     where bpffs is mounted (default /sys/fs/bpf)\n"          \
        "  --cgroup DIR    where the probe's cgroup is made (default: below the agent's own)\n"

struct options {
        char *config_path; /* NULL: the default, which may be absent */
        char *state, *run, *bpffs, *cgroup, *fetcher;
        bool help;
};
void options_done(struct options *o);
#define cleanup_options cleanup(options_done)
/* Takes an option if it is a common one. */
bool options_take(struct options *o, int opt, const char *arg);
/* Defaults, file, flags. Relative paths become absolute. Says what is wrong; returns 0 or an exit code. */
int options_config(const struct options *o, struct config *ret);

/* One line to stderr: "lsmpull: refused: REASON: MESSAGE" (3), "lsmpull: failed: REASON: ..." (4), "lsmpull: ..." (others).
 * Returns the exit code. */
int report_error(const char *what, const struct err *err, int r);
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Has it done by the running agent, or, when none runs, does it itself under the lock, after making the node converge.
 * Progress goes to stderr. Returns the exit code; *ret (may be NULL) keeps the answer, else the message is printed.
 */
int op_perform(const struct config *config, struct op_request *req, struct op_answer *ret);
