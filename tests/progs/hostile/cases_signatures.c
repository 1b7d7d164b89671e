/* SPDX-License-Identifier: Apache-2.0 */
/* Who has signed what. "test" is trusted, and "other" where two must have signed. */
#include <stdio.h>

#include "forge.h"

#define KEYS_BOTH "test other"

static void signed_by(struct forge *f, const char *name, const char *reason, const char *keys, const struct signer *signers,
                      size_t n) {
        cleanup_buf struct buf manifest = {}, first = {}, tar = {}, archive = {};

        envelope_put(&manifest, &f->text, signers, n);
        manifest_tar_put(&first, &manifest);
        members_put(f, &tar, 0, f->n);
        tar_end_put(&tar);
        frame_put(&archive, first.data, first.len);
        frame_put(&archive, tar.data, tar.len);
        case_put(f, name, reason, BOTH, keys, &archive);
}
#define signed_by(f, name, reason, keys, ...)                                  \
        signed_by(f, name, reason, keys, (const struct signer[]){__VA_ARGS__}, \
                  sizeof((const struct signer[]){__VA_ARGS__}) / sizeof(struct signer))

static void signatories(struct forge *f) {
        const struct signer test = {.key = f->test}, other = {.key = f->other};
        const uint8_t unknown_id[SHA256_SIZE] = {1, 2, 3};
        const struct signer under_unknown = {.key = f->test, .keyid = unknown_id};
        const struct signer under_other = {.key = f->test, .named = f->other},
                            other_as_test = {.key = f->other, .named = f->test};
        cleanup_buf struct buf elsewhere = {};
        cleanup_buf struct buf manifest = {};

        signed_by(f, "good-signed-by-both", "accepted", KEYS_BOTH, test, other);
        signed_by(f, "good-signed-by-a-stranger-too", "accepted", "test", other, test);

        signed_by(f, "signed-by-another-key", "unknown-key", "test", other);
        signed_by(f, "signed-under-an-unknown-id", "unknown-key", "test", under_unknown);
        signed_by(f, "signed-by-another-key-under-this-id", "bad-signature", "test", other_as_test);
        signed_by(f, "signed-by-one-of-two", "threshold-not-met", KEYS_BOTH, test);
        signed_by(f, "signed-by-the-other-of-two", "threshold-not-met", KEYS_BOTH, other);
        signed_by(f, "signed-twice-by-one", "malformed", KEYS_BOTH, test, test);
        signed_by(f, "signed-twice-under-an-unknown-id", "threshold-not-met", KEYS_BOTH, test, under_unknown);
        signed_by(f, "signed-twice-under-the-other-id", "bad-signature", KEYS_BOTH, test, under_other);

        /* A real signature by the trusted key, over something else. */
        must(buf_append(&elsewhere, "{\"_type\":\"root\"}", 16) == 0);
        signed_by(f, "signature-of-another-document", "bad-signature", "test", {.key = f->test, .over = &elsewhere});
        elsewhere.len = 0;
        must(buf_append(&elsewhere, f->text.data, f->text.len - 1) == 0);
        signed_by(f, "signature-of-the-beginning", "bad-signature", "test", {.key = f->test, .over = &elsewhere});
        elsewhere.len = 0;
        must(buf_append(&elsewhere, "", 0) == 0);
        signed_by(f, "signature-of-nothing", "bad-signature", "test", {.key = f->test, .over = &elsewhere});

        must(buf_printf(&manifest, "{\"signatures\":[],\"signed\":%s}", f->text.data) == 0);
        case_put_manifest(f, "signed-by-nobody", "unknown-key", &manifest);
}

static void too_many(struct forge *f) {
        struct signer signers[SIGNATURES_MAX + 1];
        uint8_t ids[SIGNATURES_MAX + 1][SHA256_SIZE] = {};
        cleanup_buf struct buf manifest = {};

        for (size_t i = 0; i < ARRAY_SIZE(signers); i++) {
                ids[i][0] = (uint8_t)i;
                signers[i] = (struct signer){.key = f->test, .keyid = i ? ids[i] : NULL};
        }
        envelope_put(&manifest, &f->text, signers, ARRAY_SIZE(signers));
        case_put_manifest(f, "signatures-65", "malformed", &manifest);
}

/* One character of the signed part is another one, and it is still good JSON. */
static void changed(struct forge *f, const char *name, const char *find, const char *replace) {
        cleanup_buf struct buf good = {}, manifest = {};
        const char *at;

        must(strlen(find) == strlen(replace));
        envelope_put_plain(f, &good, &f->text);
        at = strstr(good.data, find);
        must(at);
        must(buf_append(&manifest, good.data, (size_t)(at - good.data)) == 0 &&
             buf_printf(&manifest, "%s%s", replace, at + strlen(find)) == 0);
        case_put_manifest(f, name, "bad-signature", &manifest);
}

/* The first character behind `after` is flipped, in hex. */
static void flipped(struct forge *f, const char *name, const char *reason, const char *after) {
        cleanup_buf struct buf manifest = {};
        char *at;

        envelope_put_plain(f, &manifest, &f->text);
        at = strstr(manifest.data, after);
        must(at);
        at += strlen(after);
        *at = *at == '0' ? '1' : '0';
        case_put_manifest(f, name, reason, &manifest);
}

void cases_signatures(struct forge *f) {
        signatories(f);
        too_many(f);
        changed(f, "changed-release", "\"release\":2", "\"release\":3");
        changed(f, "changed-mode", "\"enforce\"", "\"enforcE\"");
        changed(f, "changed-type", "\"lsm-bundle\"", "\"lsm-rollup\"");
        changed(f, "changed-hook", "\"file_open\"", "\"file_lock\"");
        flipped(f, "flipped-in-the-listed-digest", "bad-signature", "\"path\":\"selftests.json\",\"sha256\":\"");
        flipped(f, "flipped-in-the-signature", "bad-signature", "\"sig\":\"");
        flipped(f, "flipped-in-the-key-id", "unknown-key", "\"keyid\":\"");
}
