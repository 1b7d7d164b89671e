/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "options.h"
#include "status.h"

static const char help[] = "Usage: lsmpull status [--json] [--check]\n"
                           "\n"
                           "What is in force on this node, and why.\n"
                           "\n"
                           "  --json          the same as one JSON document\n"
                           "  --check         print nothing; exit 0, 1 when the source is stale, 4 when a release is\n"
                           "                  quarantined or something is not in force\n" COMMON_HELP;

int cmd_status(int argc, char **argv) {
        enum { JSON = OPT_OWN, CHECK };
        static const struct option options[] = {
                COMMON_OPTIONS, {"json", no_argument, NULL, JSON}, {"check", no_argument, NULL, CHECK}, {0}};
        cleanup_op_request struct op_request req = OP_REQUEST_INIT;
        cleanup_op_answer struct op_answer answer = {0};
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        bool json = false, check = false;
        int opt, r;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (opt == JSON)
                        json = true;
                else if (opt == CHECK)
                        check = true;
                else if (!options_take(&o, opt, optarg))
                        return usage_error("status", "wrong option");
        }
        if (o.help)
                return fputs(help, stdout) < 0;
        if (optind < argc)
                return usage_error("status", "'%s' is too much", argv[optind]);
        r = options_config(&o, &config);
        if (r)
                return r;
        req.op = OP_STATUS;
        r = op_perform(&config, &req, &answer);
        if (r)
                return r;
        if (check)
                return status_check(answer.status);
        if (json)
                json_dumpf(answer.status, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        else
                status_print(stdout, answer.status, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
        if (json)
                putchar('\n');
        return 0;
}
