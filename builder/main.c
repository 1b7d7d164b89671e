/* SPDX-License-Identifier: Apache-2.0 */
/* lsmbundle: BPF-LSM policies to signed, versioned bundles. */
#include <signal.h>
#include <stdio.h>

#include "cmd.h"

static const struct command *const commands[] = {
        &cmd_keygen, &cmd_lint, &cmd_build, &cmd_sign, &cmd_verify, &cmd_inspect, &cmd_diff,
};

static int program_help(void) {
        printf("usage: lsmbundle COMMAND ...\n\n"
               "Compiles BPF-LSM policies into signed, versioned bundles, and shows what is in them.\n\ncommands:\n");
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                printf("  %-9s %-14s %s\n", commands[i]->name, commands[i]->operands, commands[i]->summary);
        printf("\nlsmbundle COMMAND --help tells more; lsmbundle --version tells which one this is.\n"
               "exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused\n");
        return output_end(0);
}

static const struct command *command_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (streq(commands[i]->name, name))
                        return commands[i];
        return NULL;
}

static int program_usage(const char *fmt, const char *what) {
        fputs("lsmbundle: ", stderr);
        fprintf(stderr, fmt, what);
        fputs(": see lsmbundle --help\n", stderr);
        return reason_exit_code(REASON_USAGE);
}

int main(int argc, char **argv) {
        const struct command *command;
        cleanup_args struct args args = {};
        int code;

        /* `lsmbundle inspect ... | head` is no error of ours, but a write that fails must be seen as one. */
        signal(SIGPIPE, SIG_DFL);
        if (argc < 2)
                return program_usage("a command is needed%s", "");
        if (streq(argv[1], "--help") || streq(argv[1], "-h"))
                return program_help();
        if (streq(argv[1], "--version")) {
                printf("lsmbundle " LSM_VERSION "\n");
                return output_end(0);
        }
        command = command_find(argv[1]);
        if (!command)
                return program_usage("there is no command '%s'", argv[1]);
        if (!args_parse(command, argc - 1, argv + 1, &args, &code))
                return code;
        return command->run(&args);
}
