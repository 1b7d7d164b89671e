/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "cmd.h"
#include "options.h"

static const char help[] =
        "Usage: lsmpull install FILE|URL --key PUB... [--threshold N]\n"
        "\n"
        "Applies one bundle now, with all checks and rollback. Every --key must have signed it, unless --threshold says\n"
        "how many are enough.\n"
        "\n"
        "  --key PUB       trusted public key (PEM); may be given several times\n"
        "  --threshold N   how many of the keys must have signed\n" COMMON_HELP;

static int bundle_open(const char *arg, struct op_request *req) {
        req->named = strdup(arg);
        if (strncmp(arg, "file:///", 8) == 0)
                arg += 7;
        if (strstr(arg, "://")) {
                req->url = strdup(arg);
                return req->url && req->named ? 0 : 1;
        }
        req->file = open(arg, O_RDONLY | O_CLOEXEC);
        if (req->file < 0) {
                fprintf(stderr, "lsmpull: %s: %s\n", arg, strerror(errno));
                return 1;
        }
        return 0;
}

int cmd_install(int argc, char **argv) {
        enum { KEY = OPT_OWN, THRESHOLD };
        static const struct option options[] = {
                COMMON_OPTIONS, {"key", required_argument, NULL, KEY}, {"threshold", required_argument, NULL, THRESHOLD}, {0}};
        cleanup_op_request struct op_request req = OP_REQUEST_INIT;
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        struct err err = {0};
        size_t n_keys = 0;
        char *end;
        int opt, r;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (opt == KEY) {
                        r = keyring_add_file(&req.ring, optarg, &err);
                        if (r < 0) {
                                report_error(NULL, &err, r);
                                return 2;
                        }
                        n_keys++;
                } else if (opt == THRESHOLD) {
                        req.threshold = strtoul(optarg, &end, 10);
                        if (*end || req.threshold < 1 || req.threshold > SIGNATURES_MAX)
                                return usage_error("install", "--threshold '%s' is no number from 1 to %d", optarg,
                                                   SIGNATURES_MAX);
                } else if (!options_take(&o, opt, optarg))
                        return usage_error("install", "wrong option");
        }
        if (o.help)
                return fputs(help, stdout) < 0;
        if (optind + 1 != argc)
                return usage_error("install", "which bundle? One file or URL");
        if (req.ring.n == 0)
                return usage_error("install", "whose signature is to be trusted? --key PUB");
        if (req.threshold > n_keys)
                return usage_error("install", "--threshold %zu with %zu keys can never be met", req.threshold, n_keys);
        /* All that were given, not all that differ: one key under two names is still one signature short. */
        if (req.threshold == 0)
                req.threshold = n_keys;
        r = options_config(&o, &config);
        if (r == 0)
                r = bundle_open(argv[optind], &req);
        req.op = OP_INSTALL;
        return r ? r : op_perform(&config, &req, NULL);
}
