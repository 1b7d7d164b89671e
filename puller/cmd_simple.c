/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask one thing of the node, at most about one bundle. */
#include <stdio.h>

#include "cmd.h"
#include "options.h"

struct simple {
        const char *name, *help;
        enum op op;
        bool takes_bundle, needs_bundle, confirmed;
};

/* Breaking the glass should take more than a slip of the hand: the bundle's name once more, or --yes. */
static int confirm(const char *bundle) {
        char line[128] = "";

        if (!isatty(STDIN_FILENO))
                return usage_error("remove", "nothing of '%s' would be enforced any more: say --yes", bundle);
        fprintf(stderr, "Nothing of '%s' will be enforced any more on this node. Type its name to go on: ", bundle);
        if (!fgets(line, sizeof(line), stdin))
                return 2;
        line[strcspn(line, "\n")] = '\0';
        if (streq(line, bundle))
                return 0;
        fputs("lsmpull: not removed\n", stderr);
        return 1;
}

static int perform(const struct simple *s, int argc, char **argv) {
        enum { FOR = OPT_OWN, YES };
        static const struct option options[] = {
                COMMON_OPTIONS, {"for", required_argument, NULL, FOR}, {"yes", no_argument, NULL, YES}, {0}};
        cleanup_op_request struct op_request req = OP_REQUEST_INIT;
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        bool yes = false;
        int opt, r;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (opt == FOR && s->op == OP_PAUSE) {
                        if (duration_parse(optarg, &req.pause_ns) < 0)
                                return usage_error(s->name, "--for '%s' is no duration such as 90s, 15m or 2h", optarg);
                } else if (opt == YES && s->confirmed)
                        yes = true;
                else if (!options_take(&o, opt, optarg))
                        return usage_error(s->name, "wrong option");
        }
        if (o.help)
                return fputs(s->help, stdout) < 0;
        if (argc - optind > (s->takes_bundle ? 1 : 0))
                return usage_error(s->name, "'%s' is too much", argv[argc - 1]);
        if (s->needs_bundle && optind == argc)
                return usage_error(s->name, "which bundle?");
        if (optind < argc) {
                if (!name_valid(argv[optind]))
                        return usage_error(s->name, "'%s' is no bundle's name", argv[optind]);
                snprintf(req.bundle, sizeof(req.bundle), "%s", argv[optind]);
        }
        r = options_config(&o, &config);
        if (r == 0 && s->confirmed && !yes)
                r = confirm(req.bundle);
        req.op = s->op;
        return r ? r : op_perform(&config, &req, NULL);
}

int cmd_once(int argc, char **argv) {
        static const struct simple s = {
                .name = "once",
                .op = OP_ONCE,
                .help = "Usage: lsmpull once\n"
                        "\n"
                        "One cycle now: asks the configured source, applies what is new. Asks a running agent, else does it itself.\n" COMMON_HELP};

        return perform(&s, argc, argv);
}

int cmd_rollback(int argc, char **argv) {
        static const struct simple s = {
                .name = "rollback",
                .op = OP_ROLLBACK,
                .takes_bundle = true,
                .help = "Usage: lsmpull rollback [BUNDLE]\n"
                        "\n"
                        "Back to the previous release, at once; the one that is left is quarantined until `lsmpull retry`.\n" COMMON_HELP};

        return perform(&s, argc, argv);
}

int cmd_remove(int argc, char **argv) {
        static const struct simple s = {.name = "remove",
                                        .op = OP_REMOVE,
                                        .takes_bundle = true,
                                        .needs_bundle = true,
                                        .confirmed = true,
                                        .help = "Usage: lsmpull remove BUNDLE [--yes]\n"
                                                "\n"
                                                "Stops enforcing a bundle and forgets it, until it is installed again.\n"
                                                "\n"
                                                "  --yes           do not ask\n" COMMON_HELP};

        return perform(&s, argc, argv);
}

int cmd_retry(int argc, char **argv) {
        static const struct simple s = {
                .name = "retry",
                .op = OP_RETRY,
                .takes_bundle = true,
                .help = "Usage: lsmpull retry [BUNDLE]\n"
                        "\n"
                        "Forgets the quarantine, of one bundle or of all: the next poll may try those releases again.\n" COMMON_HELP};

        return perform(&s, argc, argv);
}

int cmd_pause(int argc, char **argv) {
        static const struct simple s = {
                .name = "pause",
                .op = OP_PAUSE,
                .help = "Usage: lsmpull pause [--for DURATION]\n"
                        "\n"
                        "Takes no new releases; what is in force stays in force. Survives a reboot, shows in status.\n"
                        "\n"
                        "  --for DURATION  resume by itself after 90s, 15m, 2h\n" COMMON_HELP};

        return perform(&s, argc, argv);
}

int cmd_resume(int argc, char **argv) {
        static const struct simple s = {.name = "resume",
                                        .op = OP_RESUME,
                                        .help = "Usage: lsmpull resume\n"
                                                "\n"
                                                "Takes new releases again.\n" COMMON_HELP};

        return perform(&s, argc, argv);
}
