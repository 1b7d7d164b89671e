// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * guard: what the good bundle enforces that hostile ones are made from. A process named "unprivileged" may open none of the seeded
 * names (file_open) and make no packet socket (socket_create); two hooks, so that a manifest can keep quiet about one of them.
 */
#include <lsm_policy.h>

SEED_SET(guarded, char[32], 64);

LSM_POLICY(file_open, struct file *file) {
        if (comm_is("unprivileged") && file_name_in(file, &guarded))
                return DENY_PATH(EACCES, "opens a guarded file", &file->f_path);
        return ALLOW;
}

LSM_POLICY(socket_create, int family, int type, int protocol, int kern) {
        if (!kern && family == AF_PACKET && comm_is("unprivileged"))
                return DENY(EPERM, "makes a packet socket");
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
