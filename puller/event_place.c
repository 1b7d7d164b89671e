/* SPDX-License-Identifier: Apache-2.0 */
#include "event_place.h"

#include "container_names.h"
#include "event.h"
#include "event_cgroup.h"

static void text_add(json_t *event, const char *key, const char *text, size_t len) {
        cleanup_buf struct buf b = {0};

        if (event_escape(&b, text, len, true) >= 0)
                json_object_set_new(event, key, json_stringn(b.data, b.len));
}

void event_place_set(json_t *event, const char *cgroup_path, const char *run_dir) {
        static const struct {
                const char *key, *of; /* member of container_names_of() */
        } names[] = {{"container_name", "name"}, {"pod_name", "pod"}, {"pod_namespace", "namespace"}};
        cleanup_json json_t *known = NULL;
        const char *container;
        size_t len;

        json_object_del(event, "cgroup_path");
        json_object_del(event, "container");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                json_object_del(event, names[i].key);
        if (!cgroup_path)
                return;
        text_add(event, "cgroup_path", cgroup_path, strlen(cgroup_path));
        if (!cgroup_container(cgroup_path, &container, &len))
                return;
        text_add(event, "container", container, len);
        known = container_names_of(run_dir, container, len);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const json_t *text = json_object_get(known, names[i].of);

                if (text)
                        text_add(event, names[i].key, json_string_value(text), json_string_length(text));
        }
}
