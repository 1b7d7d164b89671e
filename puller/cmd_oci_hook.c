/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container runtime starts when it makes a container, and when it is gone (hooks "createRuntime" and "poststop" of the OCI
 * runtime specification). Whatever goes wrong, the runtime is told that all is well: it would not start the container.
 */
#include <stdio.h>

#include "cmd.h"
#include "container_names.h"
#include "fileio.h"
#include "options.h"

#define STATE_MAX (1 << 20)

static const char help[] = "Usage: lsmpull oci-hook < STATE\n"
                           "\n"
                           "Keeps what a container is called, for `lsmpull events`. For a container runtime, which starts it as\n"
                           "one of its hooks, createRuntime and poststop, and gives it the container's state. It never fails.\n"
                           "\n" COMMON_HELP;

static void take(const struct config *config) {
        cleanup_buf struct buf state = {};
        struct err err = {0};
        int r = fd_read_all(STDIN_FILENO, STATE_MAX, &state, &err);

        if (r >= 0)
                r = container_names_take(config->run_dir, state.data ?: "", state.len, &err);
        if (r < 0)
                report_error("oci-hook", &err, r);
}

/* A runtime that cannot write all of its state may take that for a failure. */
static void drain(void) {
        char rest[4096];

        while (read(STDIN_FILENO, rest, sizeof(rest)) > 0)
                ;
}

int cmd_oci_hook(int argc, char **argv) {
        static const struct option options[] = {COMMON_OPTIONS, {0}};
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        bool wrong = false;
        int opt;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
                wrong = !options_take(&o, opt, optarg) || wrong;
        if (o.help)
                return fputs(help, stdout) < 0;
        if (wrong || optind < argc)
                usage_error("oci-hook", optind < argc ? "'%s' is too much" : "wrong option", argv[optind]);
        else if (options_config(&o, &config) == 0)
                take(&config);
        drain();
        return 0;
}
