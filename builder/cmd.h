/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: a table from which the help is printed and the command line is read. A command reports its own error, once, and
 * returns the exit code (docs: 0 done, 1 failed, 2 wrong usage, 3 refused).
 */
#pragma once

#include "err.h"
#include "util.h"

struct option_spec {
        const char *name; /* without "--" */
        char letter;      /* 0: none */
        const char *arg;  /* NULL: a flag */
        const char *help;
        bool repeats;
};

struct args {
        const struct command *command;
        const char *const *operands;
        size_t n_operands;
        struct option_value {
                const struct option_spec *spec;
                const char *value;
        } * options;
        size_t n_options;
};

struct command {
        const char *name;
        const char *operands; /* as the help shows them */
        size_t min_operands, max_operands;
        const char *summary;
        const char *details; /* further lines of its help; NULL: none */
        const struct option_spec *options;
        size_t n_options;
        int (*run)(const struct args *args);
};

/* A name of two words, as "repo init", is a command of a group. */
extern const struct command cmd_keygen, cmd_lint, cmd_build, cmd_sign, cmd_verify, cmd_inspect, cmd_diff, cmd_test;
extern const struct command cmd_repo_init, cmd_repo_stage, cmd_repo_publish, cmd_repo_promote, cmd_repo_refresh, cmd_repo_rotate,
        cmd_repo_show;

extern const struct command cmd_import_kubearmor, cmd_import_tetragon;

/* Reads what follows the command's name. false: *ret_code is the exit code (help was printed, or the usage is wrong). */
bool args_parse(const struct command *command, int argc, char **argv, struct args *ret, int *ret_code);
void args_done(struct args *args);
#define cleanup_args cleanup(args_done)
bool args_has(const struct args *args, const char *name);
/* The value of an option; NULL: not given. */
const char *args_get(const struct args *args, const char *name);
/* The i-th value of an option that repeats; NULL: no more. */
const char *args_nth(const struct args *args, const char *name, size_t i);
/* A whole number; *ret is untouched when the option is not given. -EINVAL: reported. */
int args_number(const struct args *args, const char *name, uint64_t min, uint64_t max, uint64_t *ret);

/* "lsmbundle: COMMAND: WHAT: see ..."; returns 2. */
int usage_error(const struct command *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "lsmbundle: WHAT: WHY", or "lsmbundle: refused: WORD: WHAT: WHY"; returns the exit code. what may be NULL. */
int report_error(const char *what, const struct err *err, int e);
/* Writes what stdout still holds; returns code, or 1 when that failed. */
int output_end(int code);
