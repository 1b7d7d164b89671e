/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The engine: one program for each hook that the rules of a bundle need. `lsmbundle build` writes the source that includes this,
 * with the sizes of the tables (lsm_rules_abi.h) and the hooks:
 *
 *      #define RULES_CELLS 1234
 *      ...
 *      #define RULES_ON_file_open 1
 *      #include <lsm_rules.h>
 */
#pragma once

#define LSM_REPORT_INLINE __noinline
#include <lsm_policy.h>

#include "lsm_rules_abi.h"

#include "lsm_rules_maps.h"
#include "lsm_rules_walk.h"

#include "lsm_rules_cache.h"

#include "lsm_rules_question.h"

#include "lsm_rules_decide.h"

#include "lsm_rules_backing.h"

#include "lsm_rules_move.h"

#include "lsm_rules_net.h"

#include "lsm_rules_hooks.h"

#include "lsm_rules_hooks_net.h"

#include "lsm_rules_hooks_node.h"
