/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "doctor.h"
#include "options.h"

static const char help[] =
        "Usage: lsmpull doctor [--json]\n"
        "\n"
        "Can this node enforce? Says what was found and what to do about it, and exits with 0 when it can, 1 when it\n"
        "cannot. It changes nothing. Run it as root.\n"
        "\n"
        "  --json          the same as one JSON document\n" COMMON_HELP;

static int print_json(const struct doctor *d, struct err *err) {
        cleanup_json json_t *doc = doctor_json(d);

        if (!doc)
                return err_errno(err, -ENOMEM, "doctor");
        json_dumpf(doc, stdout, JSON_INDENT(2));
        putchar('\n');
        return 0;
}

/* As the environment says: on a small system the locale's own files are often not there. */
static bool terminal_utf8(void) {
        static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const char *value = getenv(names[i]);

                if (value && *value)
                        return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
        }
        return false;
}

int cmd_doctor(int argc, char **argv) {
        enum { JSON = OPT_OWN };
        static const struct option options[] = {COMMON_OPTIONS, {"json", no_argument, NULL, JSON}, {0}};
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        cleanup_doctor struct doctor d = {.config = &config, .root = ""};
        struct err err = {0};
        bool json = false;
        int opt, r;

        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (opt == JSON)
                        json = true;
                else if (!options_take(&o, opt, optarg))
                        return usage_error("doctor", "wrong option");
        }
        if (o.help)
                return fputs(help, stdout) < 0;
        if (optind < argc)
                return usage_error("doctor", "'%s' is too much", argv[optind]);
        r = options_config(&o, &config);
        if (r)
                return r;
        r = doctor_run(&d, &err);
        if (r >= 0 && json)
                r = print_json(&d, &err);
        else if (r >= 0)
                doctor_print(&d, stdout, terminal_utf8(), isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
        if (r >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
                r = err_errno(&err, -errno, "cannot write");
        if (r < 0)
                return report_error(NULL, &err, r);
        return doctor_can_enforce(&d) ? EXIT_SUCCESS : EXIT_FAILURE;
}
