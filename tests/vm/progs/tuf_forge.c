/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody with stolen keys writes: a metadata file is changed, signed with these keys and no others, and written again.
 *
 *      tuf_forge IN OUT KEY... -- CHANGE...
 *
 * CHANGE: PATH=JSON sets a member of `signed`, PATH= removes it; "/" parts the names in PATH ("~" stands for "/" in a name).
 */
#include <fcntl.h>
#include <stdio.h>

#include "envelope.h"
#include "fileio.h"

static int die(const char *what, const struct err *err) {
        fprintf(stderr, "tuf_forge: %s: %s\n", what, err ? err->msg : "");
        return 2;
}

static int change(json_t *at, const char *text) {
        const char *value = strchr(text, '=');
        cleanup_free char *path = value ? strndup(text, (size_t)(value - text)) : NULL;
        char *name, *rest = path;
        json_t *set;

        if (!path)
                return die(text, NULL);
        while ((name = strsep(&rest, "/"))) {
                for (char *p = name; *p; p++)
                        if (*p == '~')
                                *p = '/';
                if (!rest)
                        break;
                at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
                if (!at)
                        return die(name, NULL);
        }
        if (!value[1])
                return json_object_del(at, name) < 0 ? die(name, NULL) : 0;
        set = json_loads(value + 1, JSON_DECODE_ANY, NULL);
        return !set || json_object_set_new(at, name, set) < 0 ? die(text, NULL) : 0;
}

int main(int argc, char **argv) {
        cleanup_envelope struct envelope env = {};
        cleanup_buf struct buf in = {}, out = {};
        cleanup_json json_t *doc = NULL;
        struct err err = {};
        int i = 3, keys_end;

        if (argc < 5)
                return die("usage: IN OUT KEY... -- CHANGE...", NULL);
        if (file_read(AT_FDCWD, argv[1], 1 << 20, &in, &err) < 0 || json_parse(in.data, in.len, &doc, &err) < 0)
                return die(argv[1], &err);
        while (i < argc && !streq(argv[i], "--"))
                i++;
        keys_end = i;
        for (i++; i < argc; i++)
                if (change(json_object_get(doc, "signed"), argv[i]))
                        return 2;
        if (json_canonical(json_object_get(doc, "signed"), &env.bytes, &err) < 0)
                return die(argv[1], &err);
        for (i = 3; i < keys_end; i++) {
                cleanup_privkey struct privkey *key = NULL;

                if (privkey_load(argv[i], &key, &err) < 0 || envelope_sign(&env, key, &err) < 0)
                        return die(argv[i], &err);
        }
        if (envelope_format(&env, &out, &err) < 0 || file_replace(AT_FDCWD, argv[2], 0644, out.data, out.len, &err) < 0)
                return die(argv[2], &err);
        return 0;
}
