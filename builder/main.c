/* SPDX-License-Identifier: Apache-2.0 */
/* lsmbundle: BPF-LSM policies to signed, versioned bundles. */
#include <signal.h>
#include <stdio.h>

#include "cmd.h"

static const struct command *const commands[] = {
        &cmd_keygen,          &cmd_lint,        &cmd_build,        &cmd_sign,
        &cmd_verify,          &cmd_inspect,     &cmd_diff,         &cmd_test,
        &cmd_repo_init,       &cmd_repo_stage,  &cmd_repo_publish, &cmd_repo_promote,
        &cmd_repo_refresh,    &cmd_repo_rotate, &cmd_repo_show,    &cmd_import_kubearmor,
        &cmd_import_tetragon,
};

/* Of one group ("repo"), or of none: all. */
static void commands_print(const char *group) {
        size_t n = strlen(group);

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (strncmp(commands[i]->name, group, n) == 0)
                        printf("  %-17s %-14s %s\n", commands[i]->name, commands[i]->operands, commands[i]->summary);
}

static int program_help(void) {
        printf("usage: lsmbundle COMMAND ...\n\n"
               "Compiles BPF-LSM policies into signed, versioned bundles, and publishes them.\n\ncommands:\n");
        commands_print("");
        printf("\nlsmbundle COMMAND --help tells more; lsmbundle --version tells which one this is.\n"
               "exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 failed on a kernel\n");
        return output_end(0);
}

static int group_help(const char *group) {
        printf("usage: lsmbundle %s COMMAND ...\n\ncommands:\n", group);
        commands_print(group);
        printf("\nlsmbundle %s COMMAND --help tells more.\n", group);
        return output_end(0);
}

static bool is_group(const char *word) {
        size_t n = strlen(word);

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
                        return true;
        return false;
}

/* group: the word before, or "". */
static const struct command *command_find(const char *group, const char *word) {
        char name[64];

        snprintf(name, sizeof(name), "%s%s%s", group, *group ? " " : "", word);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (streq(commands[i]->name, name))
                        return commands[i];
        return NULL;
}

static int program_usage(const char *group, const char *fmt, const char *what) {
        fputs("lsmbundle: ", stderr);
        fprintf(stderr, fmt, what);
        fprintf(stderr, ": see lsmbundle %s%s--help\n", group, *group ? " " : "");
        return reason_exit_code(REASON_USAGE);
}

static bool is_help(const char *word) {
        return streq(word, "--help") || streq(word, "-h");
}

int main(int argc, char **argv) {
        const struct command *command;
        cleanup_args struct args args = {};
        const char *group = "";
        int code;

        /* `lsmbundle inspect ... | head` is no error of ours, but a write that fails must be seen as one. */
        signal(SIGPIPE, SIG_DFL);
        if (argc < 2)
                return program_usage("", "a command is needed%s", "");
        if (is_help(argv[1]))
                return program_help();
        if (streq(argv[1], "--version")) {
                printf("lsmbundle " LSM_VERSION "\n");
                return output_end(0);
        }
        if (is_group(argv[1])) {
                group = argv[1];
                argc--;
                argv++;
                if (argc < 2)
                        return program_usage(group, "%s needs a command", group);
                if (is_help(argv[1]))
                        return group_help(group);
        }
        command = command_find(group, argv[1]);
        if (!command)
                return program_usage(group, "there is no command '%s'", argv[1]);
        if (!args_parse(command, argc - 1, argv + 1, &args, &code))
                return code;
        return command->run(&args);
}
