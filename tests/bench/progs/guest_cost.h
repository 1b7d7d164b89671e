/* SPDX-License-Identifier: Apache-2.0 */
/* For measurements in a guest whose clock counts instructions (ci/vm --icount): nanoseconds are instructions. */
#pragma once

/* Does it n times; what it cannot do ends the program (guest_die). */
typedef void (*cost_of)(unsigned long n);

/*
 * Prints "WHAT COST", instructions for one of n, measured in a process of its own that is called `comm`: while PENDING, the
 * supervisor is decided by the fallback. The first round after a change is noisy (the guest's background work): the second one
 * counts.
 */
void guest_cost(const char *what, const char *comm, cost_of does, unsigned long n);
/* The same, of one round without another before it: of what is different the first time. */
void guest_cost_first(const char *what, const char *comm, cost_of does, unsigned long n);

/* Makes the directories of a path, and a file there. */
void guest_file_make(const char *path);
