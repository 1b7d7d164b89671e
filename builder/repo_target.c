/* SPDX-License-Identifier: Apache-2.0 */
/* Targets: their entries in metadata, and their files. */
#include <fcntl.h>
#include <stdio.h>

#include "fileio.h"
#include "repo.h"

char *repo_target_path(const char *target, const uint8_t sha256[static SHA256_SIZE]) {
        const char *slash = strrchr(target, '/');
        char hex[SHA256_HEX], *path;

        hex_encode(sha256, SHA256_SIZE, hex);
        if (asprintf(&path, "targets/%.*s%s.%s", slash ? (int)(slash - target) + 1 : 0, target, hex, slash ? slash + 1 : target) <
            0)
                return NULL;
        return path;
}

json_t *repo_target_entry(const struct repo_doc *doc, const char *target) {
        return json_object_get(json_object_get(doc->body, "targets"), target);
}

int repo_entry_read(const json_t *entry, uint64_t *ret_length, uint8_t ret_sha256[static SHA256_SIZE], struct err *err) {
        const char *hex;
        json_t *hashes;
        long long length;
        int e = json_get_int(entry, "length", 0, JSON_INT_MAX, &length, err);

        if (e == 0)
                e = json_get_object(entry, "hashes", &hashes, err);
        if (e == 0)
                e = json_get_string(hashes, "sha256", &hex, err);
        if (e == 0 && hex_decode(hex, ret_sha256, SHA256_SIZE) < 0)
                e = err_set(err, -EBADMSG, REASON_MALFORMED, "'sha256' is not 64 lower-case hex digits");
        if (e == 0)
                *ret_length = (uint64_t)length;
        return e;
}

int repo_target_read(const struct repo *repo, const char *target, const json_t *entry, size_t max, struct buf *ret,
                     struct err *err) {
        uint8_t want[SHA256_SIZE], found[SHA256_SIZE];
        cleanup_free char *path = NULL;
        uint64_t length;
        int e = repo_entry_read(entry, &length, want, err);

        if (e < 0)
                return err_wrap(err, e, "%s", target);
        path = repo_target_path(target, want);
        if (!path)
                return err_errno(err, -ENOMEM, "target");
        e = file_read(repo->fd, path, max, ret, err);
        if (e < 0)
                return e;
        if (ret->len != length)
                return err_set(err, -EBADMSG, REASON_LENGTH_MISMATCH, "%s has not the length that is listed", path);
        if (sha256(ret->data, ret->len, found) < 0 || !digest_equal(want, found))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "%s has not the digest that is listed", path);
        return 0;
}

bool repo_target_there(const struct repo *repo, const char *target, const json_t *entry) {
        cleanup_free char *path = NULL;
        uint8_t digest[SHA256_SIZE];
        uint64_t length;

        if (repo_entry_read(entry, &length, digest, NULL) < 0)
                return false;
        path = repo_target_path(target, digest);
        return path && faccessat(repo->fd, path, F_OK, 0) == 0;
}
