/* SPDX-License-Identifier: Apache-2.0 */
/* Records in the cache: 8 bytes of length (little-endian), that much JSON, the object. */
#include <endian.h>

#include "json.h"
#include "record.h"

static json_t *file_pack(const struct source_file *f) {
        char hex[SHA256_HEX];

        hex_encode(f->sha256, SHA256_SIZE, hex);
        return json_pack("{s:s, s:s, s:i, s:s}", "path", f->path, "name", f->name, "origin", (int)f->origin, "sha256", hex);
}

int record_pack(const struct record *r, const struct buf *object, struct buf *ret) {
        cleanup_json json_t *doc = NULL;
        cleanup_buf struct buf text = {};
        json_t *files = json_array();
        char hex[SHA256_HEX];
        uint64_t length;
        int e;

        for (size_t i = 0; i < r->n_files; i++)
                if (json_array_append_new(files, file_pack(&r->files[i])) < 0) {
                        json_decref(files);
                        return -ENOMEM;
                }
        hex_encode(r->shadows, SHA256_SIZE, hex);
        doc = json_pack("{s:o, s:s, s:s}", "files", files, "shadows", hex, "messages", r->messages);
        if (!doc)
                return -ENOMEM;
        /* Not the canonical form: messages have line breaks. */
        cleanup_free char *dump = json_dumps(doc, JSON_COMPACT);

        length = htole64(dump ? strlen(dump) : 0);
        e = dump ? buf_append(ret, &length, sizeof(length)) : -ENOMEM;
        if (e == 0)
                e = buf_append(ret, dump, strlen(dump));
        return e < 0 ? e : buf_append(ret, object->data, object->len);
}

static int file_unpack(const json_t *j, struct source_file *f) {
        const char *path, *name, *hex;
        int origin;

        if (json_unpack((json_t *)j, "{s:s, s:s, s:i, s:s}", "path", &path, "name", &name, "origin", &origin, "sha256", &hex) <
                    0 ||
            origin < ORIGIN_TREE || origin > ORIGIN_SYSTEM || hex_decode(hex, f->sha256, SHA256_SIZE) < 0)
                return -EBADMSG;
        f->origin = origin;
        f->path = strdup(path);
        f->name = strdup(name);
        return f->path && f->name ? 0 : -ENOMEM;
}

int record_unpack(const struct buf *packed, struct record *ret, struct buf *ret_object) {
        cleanup_record struct record r = {};
        cleanup_json json_t *doc = NULL;
        const char *hex, *messages;
        json_t *files, *file;
        uint64_t length;
        size_t i;
        int e;

        if (packed->len < sizeof(length))
                return -EBADMSG;
        memcpy(&length, packed->data, sizeof(length));
        length = le64toh(length);
        if (length > packed->len - sizeof(length))
                return -EBADMSG;
        doc = json_loadb(packed->data + sizeof(length), length, JSON_REJECT_DUPLICATES, NULL);
        if (!doc || json_unpack(doc, "{s:o, s:s, s:s}", "files", &files, "shadows", &hex, "messages", &messages) < 0 ||
            !json_is_array(files) || hex_decode(hex, r.shadows, SHA256_SIZE) < 0)
                return -EBADMSG;
        r.messages = strdup(messages);
        r.files = new_array(json_array_size(files), sizeof(*r.files));
        if (!r.messages || !r.files)
                return -ENOMEM;
        json_array_foreach(files, i, file) {
                e = file_unpack(file, &r.files[r.n_files++]);
                if (e < 0)
                        return e;
        }
        e = buf_append(ret_object, packed->data + sizeof(length) + length, packed->len - sizeof(length) - length);
        if (e < 0)
                return e;
        *ret = r;
        r = (struct record){};
        return 0;
}
