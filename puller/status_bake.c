/* SPDX-License-Identifier: Apache-2.0 */
#include "status_bake.h"

#include "bake.h"
#include "bpffs.h"
#include "shadow.h"

/* Of a policy that is not made of rules there are none. */
static void rules_set(json_t *policy, json_t *rules) {
        if (json_array_size(rules))
                json_object_set(policy, "rules", rules);
        json_decref(rules);
}

/* While the shadow runs: what each of its policies would have denied. */
static json_t *policies_json(const struct node *n, const struct bundle *b) {
        json_t *list = json_array();
        char **policies;
        size_t count;

        if (shadow_policies(n, b, &policies, &count, NULL) < 0)
                return list;
        for (size_t i = 0; i < count; i++) {
                struct lsm_counters c;
                json_t *policy;

                shadow_counters(n, b, policies[i], &c);
                policy = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", policies[i], "would_deny", (json_int_t)c.would_deny,
                                   "events_lost", (json_int_t)c.lost, "events_folded", (json_int_t)c.folded, "errors",
                                   (json_int_t)c.errors);
                if (streq(policies[i], ENGINE_POLICY))
                        rules_set(policy, shadow_rules_json(n, b));
                json_array_append_new(list, policy);
        }
        strings_free(policies, count);
        return list;
}

json_t *status_bake(const struct node *n, const struct bundle *b) {
        struct bake_facts facts;

        bake_look(n, b, bake_clock(), &facts);
        if (facts.state == BAKE_STATE_NONE)
                return json_null();
        return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "release", (json_int_t)facts.release, "version",
                         b->bake.version, "content", facts.content_hex, "since", (json_int_t)b->bake.started, "seconds",
                         (json_int_t)facts.seconds, "for", (json_int_t)b->bake.for_s, "allow", (json_int_t)b->bake.allow,
                         "would_deny", (json_int_t)facts.would_deny, "policies", policies_json(n, b));
}
