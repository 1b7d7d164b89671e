/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_pins.h"

#include "bpffs.h"

int scope_maps_pin(const char *dir, const struct loaded *loaded, enum scope_map which, struct err *err) {
        char path[PATH_MAX];
        int r = pin_remove(dir, err);

        for (size_t i = 0; r >= 0 && loaded && i < loaded->n_policies; i++) {
                int map = which == SCOPE_MAP_HASH ? loaded->policies[i].scope_hash : loaded->policies[i].scope_probes;

                if (map < 0)
                        continue;
                r = pin_mkdir(dir, err);
                if (r >= 0)
                        r = pin_path(path, "%s/%s", dir, loaded->manifest->policies[i].name);
                if (r >= 0)
                        r = pin_put(map, path, err);
        }
        return r;
}
