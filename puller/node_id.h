/* SPDX-License-Identifier: Apache-2.0 */
/* Who this node is in a rollout: `node-id` of the configuration, else an id made from the machine's (sd_id128(3)), which does not
 * give that away. It decides the node's place in its ring, and nothing else: it is no secret and no proof. */
#pragma once

#include "config.h"

/* bad-configuration when there is neither: nodes without an id would all move together. */
int node_id_get(const struct config *c, char ret[static 129], struct err *err);

/* Content of /etc/machine-id: NULL if it can tell one machine from another, else what is wrong with it. */
const char *machine_id_fault(const char *text);
