/* SPDX-License-Identifier: Apache-2.0 */
/* Which operations of rules a self-test tries. */
#pragma once

#include <stdint.h>

#include "rules_yaml.h"
#include "selftest.h"

/* As bits (LSM_OP_BIT); 0: none that rules know. */
uint64_t selftest_rule_ops(const struct selftest *t);
/* Those that the policy can deny: by a rule, or where no rule decides. */
uint64_t rules_denied_ops(const struct rules_policy *policy);
