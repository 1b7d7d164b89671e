/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two rules of a policy is asked first, and whether it leaves the other anything to decide. */
#pragma once

#include "rules_yaml.h"

/* Where paths are equally specific: deny and kill before audit before allow, then the order of the file. < 0: a is asked first. */
int rules_asked_cmp(const struct rules_rule *a, const struct rules_rule *b);

/* true: b asks for at least what a asks for, so that every task of b is one of a. */
bool rules_subject_covers(const struct rules_subject *a, const struct rules_subject *b);
/* true: whatever the path, when b would decide about a task and an object, so would a. Operations are not compared. */
bool rules_cover_tasks(const struct rules_rule *a, const struct rules_rule *b);
