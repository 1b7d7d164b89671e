/* SPDX-License-Identifier: Apache-2.0 */
#include "bake.h"

static enum bake_state decided(struct bake_facts *ret, enum bake_state state) {
        ret->state = state;
        return state;
}

/* Is what the record says of use: the same release, beside the same one in force, in the same boot? */
static bool comparable(const struct bake_scene *s) {
        const struct bake_record *b = s->record;

        return b->present && streq(b->content_hex, s->content_hex) && streq(b->base_hex, s->base_hex) &&
               streq(b->boot_id, s->boot_id);
}

enum bake_state bake_decide(const struct bake_scene *s, const struct bake_terms *terms, struct bake_facts *ret) {
        const struct bake_record *b = s->record;

        *ret = (struct bake_facts){.left_s = terms->for_s};
        memcpy(ret->content_hex, s->content_hex, sizeof(ret->content_hex));
        if (!comparable(s) || b->step == BAKE_STARTING)
                return decided(ret, BAKE_STATE_NONE);
        ret->release = b->release;
        if (b->step == BAKE_RUNNING) {
                if (!streq(s->shadow_hex, s->content_hex) || s->now < b->started_clock)
                        return decided(ret, BAKE_STATE_NONE);
                ret->seconds = s->now - b->started_clock;
                ret->would_deny = s->would_deny;
        } else {
                ret->seconds = b->seconds;
                ret->would_deny = b->would_deny;
        }
        ret->left_s = ret->seconds < terms->for_s ? terms->for_s - ret->seconds : 0;
        /* Terms may have changed since. One that has failed may be right under the new ones, but its shadow has ended. */
        if (ret->would_deny > terms->allow)
                return decided(ret, BAKE_STATE_FAILED);
        if (ret->left_s == 0)
                return decided(ret, BAKE_STATE_DONE);
        return decided(ret, b->step == BAKE_RUNNING ? BAKE_STATE_BAKING : BAKE_STATE_NONE);
}
