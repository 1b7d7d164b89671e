/* SPDX-License-Identifier: Apache-2.0 */
/* One rollout with a ring of each kind. */
#pragma once

#include "rollout.h"
#include "unit.h"

#define H 3600LL
#define D (24 * H)
#define T0 1795334400LL /* 2026-11-22T08:00:00Z */

#define B41 "bundles/baseline-1.3.2.tar.zst"
#define B42 "bundles/baseline-1.4.0.tar.zst"
#define CHOICE41 "\"release\":41,\"target\":\"" B41 "\""
#define CHOICE42 "\"release\":42,\"target\":\"" B42 "\""
#define WAVES \
        "\"waves\":[{\"after\":\"1h\",\"percent\":1},{\"after\":\"24h\",\"percent\":25},{\"after\":\"72h\",\"percent\":100}]"
#define STARTED "\"started\":\"2026-11-22T08:00:00Z\""
#define DOCUMENT(rings, hold) "{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\",\"rings\":{" rings "}" hold "}"
#define RING(name, content) "\"" name "\":{" content "}"

static const char example[] = DOCUMENT(
        RING("canary", CHOICE42 ",\"bake\":{\"for\":\"30m\",\"allow\":0}") "," RING("stable", CHOICE42 "," STARTED "," WAVES ",\"else\":{" CHOICE41 "}") "," RING("all", CHOICE42) "," RING(
                "late", CHOICE42
                "," STARTED) "," RING("back",
                                      CHOICE41) "," RING("slow", CHOICE42
                                                         "," STARTED
                                                         "," WAVES) "," RING("part", CHOICE42
                                                                             "," STARTED
                                                                             ",\"waves\":[{\"after\":\"0s\",\"percent\":10}]") "," RING("none",
                                                                                                                                        CHOICE42
                                                                                                                                        "," STARTED
                                                                                                                                        ",\"waves\":[{\"after\":\"0s\",\"percent\":0}],\"else\":{" CHOICE41
                                                                                                                                        "}") "," RING("lenient",
                                                                                                                                                      CHOICE42
                                                                                                                                                      ",\"bake\":{\"for\":\"1h\",\"allow\":10}"),
        ",\"hold\":false");

static inline struct rollout *parse(const char *text) {
        struct rollout *r = NULL;
        struct err err = {};

        assert_done(rollout_parse(text, strlen(text), "baseline", &r, &err), err);
        return r;
}
