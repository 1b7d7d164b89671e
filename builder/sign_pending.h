/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cmd.h"

/* Shows what a pending change would change, and signs it with the keys of --key. --source, --repo and --root as `lsmbundle sign` has them. */
int sign_pending(const struct args *args, struct err *err);
