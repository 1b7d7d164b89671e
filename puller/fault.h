/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points: places where tests kill or stop the agent, to show that it converges from there. Only a build with
 * -DLSM_FAULTS (make VARIANT=faults) has them; in all others they are nothing.
 *
 *      LSM_FAULT=NAME[:N]         SIGKILL at the fault point of that name, the Nth time it is reached (default: the first)
 *      LSM_FAULT_STOP=NAME[:N]    SIGSTOP there; SIGCONT goes on
 *
 * Names: "journal:STEP:before" and "journal:STEP:after" around each journal_save(); others stand where they are called.
 */
#pragma once

#ifdef LSM_FAULTS
void fault_point(const char *name);
#else
static inline void fault_point(const char *name) {
        (void)name;
}
#endif
