/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "agent.h"
#include "cmd.h"
#include "options.h"

static const char help_run[] = "Usage: lsmpull run\n"
                               "\n"
                               "The agent: polls its source, swaps, watches, reports; until SIGTERM. SIGHUP: reads its\n"
                               "configuration again and polls.\n" COMMON_HELP;
static const char help_boot[] =
        "Usage: lsmpull boot\n"
        "\n"
        "Enforces what was confirmed before the last shutdown, from the node's own store, without any network.\n" COMMON_HELP;

static int with_config(const char *name, const char *help, int (*main_fn)(const struct options *options, struct config *config),
                       int argc, char **argv) {
        static const struct option options[] = {COMMON_OPTIONS, {0}};
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        int opt, r;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
                if (!options_take(&o, opt, optarg))
                        return usage_error(name, "wrong option");
        if (o.help)
                return fputs(help, stdout) < 0;
        if (optind < argc)
                return usage_error(name, "'%s' is too much", argv[optind]);
        r = options_config(&o, &config);
        return r ? r : main_fn(&o, &config);
}

int cmd_run(int argc, char **argv) {
        return with_config("run", help_run, agent_run, argc, argv);
}

int cmd_boot(int argc, char **argv) {
        return with_config("boot", help_boot, agent_boot, argc, argv);
}
