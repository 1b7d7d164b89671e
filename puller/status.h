/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node is doing and why, as one JSON document (docs/status.md) and as a table made from that document: people and
 * scripts read the same facts.
 */
#pragma once

#include <stdio.h>

#include "node.h"
#include "source.h"

#define STATUS_FORMAT 1

/* A new document. Works on a node that is open for reading. */
int status_collect(struct node *n, const struct source *source, json_t **ret, struct err *err);
/* The table; colours when `colour`. */
void status_print(FILE *f, const json_t *status, bool colour);
/* Exit status of `--check`: 0, 1 stale, 4 something is quarantined or not enforced as it should be. */
int status_check(const json_t *status);
