/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "child.h"
#include "cmd.h"
#include "doctor.h"
#include "fetch.h"
#include "health_command.h"
#include "loader.h"
#include "options.h"
#include "probe.h"
#include "rehearsal.h"
#include "repo_fetcher.h"
#include "reporter.h"
#include "sender.h"

static const struct {
        const char *name;
        int (*main)(int argc, char **argv);
        const char *summary;
} commands[] = {
        {"run", cmd_run, "the agent: pull, swap, watch, report"},
        {"once", cmd_once, "one cycle now"},
        {"install", cmd_install, "apply one bundle directly"},
        {"status", cmd_status, "what is in force, and why"},
        {"doctor", cmd_doctor, "can this node enforce?"},
        {"events", cmd_events, "decisions as they happen"},
        {"rollback", cmd_rollback, "back to the previous release, at once"},
        {"remove", cmd_remove, "stop enforcing a bundle"},
        {"retry", cmd_retry, "forget a quarantine"},
        {"pause", cmd_pause, "take no new releases"},
        {"resume", cmd_resume, "take new releases again"},
        {"boot", cmd_boot, "enforce what was confirmed, without any network"},
        {"oci-hook", cmd_oci_hook, "for container runtimes: keep a container's names"},
};

/* Children of the supervisor: this program, executed afresh (child.h). */
static const struct {
        const char *name;
        int (*main)(int sock);
} roles[] = {
        {"@fetcher", fetcher_main},       {"@repository", repo_fetcher_main}, {"@loader", loader_main},
        {"@probe", probe_main},           {"@rehearsal", rehearsal_main},     {"@reporter", reporter_main},
        {"@health", health_command_main}, {"@token-check", token_check_main}, {"@sender", sender_main},
};

static void help(FILE *f) {
        fputs("Usage: lsmpull COMMAND [OPTION]...\n"
              "\n"
              "Pulls signed bundles of kernel security policy, verifies, loads and swaps them in.\n"
              "\n",
              f);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].summary);
        fputs("\n`lsmpull COMMAND --help` tells more.\n", f);
}

/* A release is held as one descriptor per member, of which there may be thousands. */
static void descriptors_raise(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &limit);
        }
}

int main(int argc, char **argv) {
        const char *name = argc > 1 ? argv[1] : "";

        if (streq(name, "@true"))
                return true_main();
        for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
                if (!streq(roles[i].name, name))
                        continue;
                /* It was executed as /proc/self/exe: its name would be "exe" in ps and in events. */
                prctl(PR_SET_NAME, "lsmpull");
                return roles[i].main(CHILD_SOCK);
        }
        if (streq(name, "--help") || streq(name, "help")) {
                help(stdout);
                return 0;
        }
        if (streq(name, "--version")) {
                puts("lsmpull " LSM_VERSION);
                return 0;
        }
        descriptors_raise();
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (streq(commands[i].name, name))
                        return commands[i].main(argc - 1, argv + 1);
        return *name ? usage_error("", "there is no command '%s'", name) : usage_error("", "which command?");
}
