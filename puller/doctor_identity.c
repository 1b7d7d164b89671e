/* SPDX-License-Identifier: Apache-2.0 */
/* Check: can a rollout tell this node from others? */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "doctor.h"
#include "node_id.h"

#define MACHINE_ID "/etc/machine-id"
#define HOST_KEYS "/etc/ssh/ssh_host_*_key"
#define TEMPLATE_S (24 * 3600) /* what a first boot makes, it makes within a day */

static bool modified(const char *path, time_t *ret) {
        struct stat st;

        if (stat(path, &st) < 0)
                return false;
        *ret = st.st_mtime;
        return true;
}

/* A clone's host keys are made when it first boots; an id that is a day older than all of them came with the template. */
static bool from_template(const struct doctor *d) {
        char id[PATH_MAX], pattern[PATH_MAX];
        time_t made, oldest = 0, t;
        glob_t keys = {0};

        snprintf(id, sizeof(id), "%s" MACHINE_ID, d->root);
        snprintf(pattern, sizeof(pattern), "%s" HOST_KEYS, d->root);
        if (!modified(id, &made) || glob(pattern, GLOB_NOSORT, NULL, &keys) != 0)
                return false;
        for (size_t i = 0; i < keys.gl_pathc; i++)
                if (modified(keys.gl_pathv[i], &t) && (oldest == 0 || t < oldest))
                        oldest = t;
        globfree(&keys);
        return oldest > 0 && made < oldest - TEMPLATE_S;
}

void check_node_id(struct doctor *d) {
        static const char remedy[] = "rm " MACHINE_ID "; systemd-machine-id-setup; or set node-id in the configuration";
        cleanup_buf struct buf text = {0};
        const char *fault;

        if (d->config->node_id) {
                doctor_found(d, "node-id", FINDING_OK, NULL, "'%s', from the configuration", d->config->node_id);
                return;
        }
        if (doctor_read(d, &text, MACHINE_ID) < 0) {
                doctor_found(d, "node-id", FINDING_WARN, remedy, "there is no " MACHINE_ID ": rollouts cannot place this node");
                return;
        }
        fault = machine_id_fault(text.data ? text.data : "");
        if (fault)
                doctor_found(d, "node-id", FINDING_WARN, remedy, MACHINE_ID " %s: rollouts cannot tell this node from others",
                             fault);
        else if (from_template(d))
                doctor_found(d, "node-id", FINDING_WARN,
                             "if it came with a template: rm " MACHINE_ID
                             "; systemd-machine-id-setup; or set node-id in the configuration",
                             MACHINE_ID
                             " is older than this machine's ssh keys: machines with the same id move together in a rollout");
        else
                doctor_found(d, "node-id", FINDING_OK, NULL, "made from " MACHINE_ID);
}
