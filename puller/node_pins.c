/* SPDX-License-Identifier: Apache-2.0 */
#include "node_pins.h"

#include "bpffs.h"

/* DIR/NAME/SUFFIX, for each NAME in DIR. */
static void each_below(const char *dir, const char *suffix, void (*each)(void *ctx, const char *dir), void *ctx) {
        char path[PATH_MAX], **names = NULL;
        size_t n = 0;

        if (pin_list(dir, &names, &n, NULL) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (pin_path(path, "%s/%s%s%s", dir, names[i], *suffix ? "/" : "", suffix) >= 0)
                        each(ctx, path);
        strings_free(names, n);
}

void node_pins_each(const struct node *n, const char *what, void (*each)(void *ctx, const char *dir), void *ctx) {
        char path[PATH_MAX];

        for (size_t i = 0; i < n->n_bundles; i++) {
                const char *name = n->bundles[i]->name;

                if (pin_path(path, "%s/bundle/%s/%s", n->agent.dir, name, what) >= 0)
                        each_below(path, "", each, ctx);
                if (pin_path(path, "%s/bundle/%s/shadow", n->agent.dir, name) >= 0)
                        each_below(path, what, each, ctx);
        }
}
