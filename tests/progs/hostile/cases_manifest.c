/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests that say what must not be, signed by the very key that is trusted. A case is an edit of the good manifest's canonical
 * text that keeps it canonical: so it is the meaning that is refused, not the form.
 */
#include <stdio.h>

#include "forge.h"

struct edit {
        const char *name, *reason;
        const char *find; /* '#': any digits */
        const char *replace;
};

/* Length of the match at s, or 0. */
static size_t matches(const char *s, const char *find) {
        const char *at = s;

        for (; *find; find++) {
                size_t n = *find == '#' ? strspn(at, "0123456789") : *at == *find;

                if (n == 0)
                        return 0;
                at += n;
        }
        return (size_t)(at - s);
}

/* Replaces the first place that matches. */
static void edit_put(struct forge *f, const struct edit *e, enum where where) {
        cleanup_buf struct buf text = {};
        const char *at = f->text.data;
        size_t n = 0;

        while (*at && (n = matches(at, e->find)) == 0)
                at++;
        if (n == 0)
                fprintf(stderr, "%s: nothing matches %s\n", e->name, e->find);
        must(n > 0);
        must(buf_append(&text, f->text.data, (size_t)(at - f->text.data)) == 0 &&
             buf_printf(&text, "%s%s", e->replace, at + n) == 0);
        case_put_text(f, e->name, e->reason, where, &text);
}

/* ---- the document ----------------------------------------------------------------------------------------------------- */

static const struct edit edits[] = {
        {"type-rollout", "wrong-type", "\"_type\":\"lsm-bundle\"", "\"_type\":\"lsm-rollout\""},
        {"type-selftests", "wrong-type", "\"_type\":\"lsm-bundle\"", "\"_type\":\"lsm-selftests\""},
        {"type-root", "wrong-type", "\"_type\":\"lsm-bundle\"", "\"_type\":\"root\""},
        {"type-empty", "wrong-type", "\"_type\":\"lsm-bundle\"", "\"_type\":\"\""},
        {"type-number", "malformed", "\"_type\":\"lsm-bundle\"", "\"_type\":1"},
        {"type-missing", "malformed", "\"_type\":\"lsm-bundle\",", ""},
        {"format-2", "unsupported-format", "\"format\":1", "\"format\":2"},
        {"format-0", "unsupported-format", "\"format\":1", "\"format\":0"},
        {"format-text", "malformed", "\"format\":1", "\"format\":\"1\""},
        {"format-missing", "malformed", "\"format\":1,", ""},
        {"abi-0", "malformed", ABI, "\"abi\":0"},
        {"abi-beyond-32-bits", "malformed", ABI, "\"abi\":4294967297"},
        {"release-0", "malformed", "\"release\":2", "\"release\":0"},
        {"release-negative", "malformed", "\"release\":2", "\"release\":-2"},
        {"release-text", "malformed", "\"release\":2", "\"release\":\"2\""},
        {"release-true", "malformed", "\"release\":2", "\"release\":true"},
        {"release-null", "malformed", "\"release\":2", "\"release\":null"},
        {"release-missing", "malformed", "\"release\":2,", ""},
        {"name-upper-case", "malformed", "\"name\":\"refusals\"", "\"name\":\"Refusals\""},
        {"name-path", "malformed", "\"name\":\"refusals\"", "\"name\":\"../../etc\""},
        {"name-dots", "malformed", "\"name\":\"refusals\"", "\"name\":\"..\""},
        {"name-empty", "malformed", "\"name\":\"refusals\"", "\"name\":\"\""},
        {"name-dash-first", "malformed", "\"name\":\"refusals\"", "\"name\":\"-x\""},
        {"name-64-letters", "malformed", "\"name\":\"refusals\"",
         "\"name\":\"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\""},
        {"version-two-numbers", "malformed", "\"version\":\"1.0.2\"", "\"version\":\"1.0\""},
        {"version-path", "malformed", "\"version\":\"1.0.2\"", "\"version\":\"../1.0.2\""},
        {"requires-number", "malformed", "\"features\":[\"ringbuf\"]", "\"features\":[1]"},
        {"provenance-date-negative", "malformed", "\"date\":#", "\"date\":-1"},

        /* policies */
        {"scope", "unsupported-format", "\"scope\":{}", "\"scope\":{\"cgroup\":\"/system.slice\"}"},
        {"optional-program", "unsupported-format", "\"name\":\"lsm_file_open\"", "\"name\":\"lsm_file_open\",\"optional\":true"},
        {"mode-shadow", "malformed", "\"mode\":\"enforce\"", "\"mode\":\"shadow\""},
        {"mode-of-a-plain-policy", "malformed",
         "\"mode\":\"enforce\",\"name\":\"guard\",\"object\":\"objects/guard.bpf.o\",\"plain\":false",
         "\"mode\":\"audit\",\"name\":\"guard\",\"object\":\"objects/guard.bpf.o\",\"plain\":true"},
        {"plain-text", "malformed", "\"plain\":false", "\"plain\":\"no\""},
        {"policy-name-path", "malformed", "\"name\":\"guard\",", "\"name\":\"../guard\","},
        {"hook-path", "malformed", "\"hook\":\"file_open\"", "\"hook\":\"../file_open\""},
        {"hook-empty", "malformed", "\"hook\":\"file_open\"", "\"hook\":\"\""},
        {"hook-twice", "malformed", "\"hook\":\"socket_create\"", "\"hook\":\"file_open\""},
        {"program-blank", "malformed", "\"name\":\"lsm_file_open\"", "\"name\":\"lsm file_open\""},
        {"program-twice", "malformed", "\"name\":\"lsm_socket_create\"", "\"name\":\"lsm_file_open\""},
        {"map-name-path", "malformed", "\"name\":\"guarded\"", "\"name\":\"../guarded\""},
        {"map-type-blank", "malformed", "\"type\":\"hash\"", "\"type\":\"a hash\""},

        /* what they refer to */
        {"object-is-a-seed", "malformed", "\"object\":\"objects/guard.bpf.o\"", "\"object\":\"seeds/guard.guarded.bin\""},
        {"object-is-selftests", "malformed", "\"object\":\"objects/guard.bpf.o\"", "\"object\":\"selftests.json\""},
        {"object-elsewhere", "malformed", "\"object\":\"objects/guard.bpf.o\"", "\"object\":\"objects/other.bpf.o\""},
        {"object-path", "malformed", "\"object\":\"objects/guard.bpf.o\"", "\"object\":\"objects/../objects/guard.bpf.o\""},
        {"object-not-listed", "missing-member", "\"name\":\"guard\",\"object\":\"objects/guard.bpf.o\"",
         "\"name\":\"other\",\"object\":\"objects/other.bpf.o\""},
        {"seed-is-an-object", "malformed", "\"seed\":\"seeds/guard.guarded.bin\"", "\"seed\":\"objects/guard.bpf.o\""},
        {"seed-is-a-source", "malformed", "\"seed\":\"seeds/guard.guarded.bin\"", "\"seed\":\"sources/notes.txt\""},
        {"seed-not-listed", "missing-member", "\"name\":\"guarded\",\"seed\":\"seeds/guard.guarded.bin\"",
         "\"name\":\"others\",\"seed\":\"seeds/guard.others.bin\""},
        {"seed-of-nobody", "malformed", "\"seed\":\"seeds/guard.guarded.bin\",", ""},
        {"seed-not-whole-records", "malformed", "\"key_size\":32", "\"key_size\":31"},
        {"seed-record-of-nothing", "malformed",
         "\"key_size\":32,\"max_entries\":64,\"name\":\"guarded\",\"seed\":\"seeds/guard.guarded.bin\",\"type\":\"hash\",\"value_size\":1",
         "\"key_size\":0,\"max_entries\":64,\"name\":\"guarded\",\"seed\":\"seeds/guard.guarded.bin\",\"type\":\"hash\",\"value_size\":0"},
        {"seed-more-than-the-map", "malformed", "\"max_entries\":64", "\"max_entries\":1"},
        {"seed-key-beyond-32-bits", "malformed", "\"key_size\":32", "\"key_size\":4294967328"},

        /* members */
        {"listed-path-up", "unsafe-path", "\"path\":\"sources/notes.txt\"", "\"path\":\"sources/../../x\""},
        {"listed-path-absolute", "unsafe-path", "\"path\":\"sources/notes.txt\"", "\"path\":\"/etc/cron.d/x\""},
        {"listed-path-backslash", "unsafe-path", "\"path\":\"sources/notes.txt\"", "\"path\":\"sources/a\\\\b\""},
        {"listed-path-utf8", "unsafe-path", "\"path\":\"sources/notes.txt\"", "\"path\":\"sources/\xc3\xa9\""},
        {"listed-kind", "malformed", "\"path\":\"sources/notes.txt\"", "\"path\":\"zebra/notes.txt\""},
        {"listed-manifest", "malformed", "\"path\":\"sources/notes.txt\"", "\"path\":\"manifest.json\""},
        {"listed-selftests-not", "missing-member", "\"path\":\"selftests.json\"", "\"path\":\"objects/a.bpf.o\""},
        {"listed-twice", "duplicate-member", "\"path\":\"sources/notes.txt\"", "\"path\":\"sources/empty\""},
        {"listed-out-of-order", "wrong-order", "\"path\":\"sources/notes.txt\"", "\"path\":\"sources/a\""},
        {"listed-kinds-out-of-order", "wrong-order", "\"path\":\"sources/notes.txt\"", "\"path\":\"objects/z.bpf.o\""},
        {"listed-length-negative", "malformed", "\"length\":#,\"path\":\"selftests.json\"",
         "\"length\":-1,\"path\":\"selftests.json\""},
        {"listed-length-text", "malformed", "\"length\":#,\"path\":\"selftests.json\"",
         "\"length\":\"9\",\"path\":\"selftests.json\""},
        {"listed-length-wrong", "length-mismatch", "\"length\":#,\"path\":\"selftests.json\"",
         "\"length\":7,\"path\":\"selftests.json\""},
        {"listed-300-MiB", "too-large", "\"length\":#,\"path\":\"selftests.json\"",
         "\"length\":314572800,\"path\":\"selftests.json\""},
        {"listed-almost-2^53", "too-large", "\"length\":#,\"path\":\"selftests.json\"",
         "\"length\":9007199254740991,\"path\":\"selftests.json\""},
        {"listed-digest-short", "malformed", "\"path\":\"selftests.json\",\"sha256\":\"",
         "\"path\":\"selftests.json\",\"sha256\":\"0"},
        {"listed-digest-upper-case", "malformed", "\"path\":\"selftests.json\",\"sha256\":\"",
         "\"path\":\"selftests.json\",\"sha256\":\"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\",\"x\":\""},
        {"listed-digest-wrong", "digest-mismatch", "\"path\":\"selftests.json\",\"sha256\":\"",
         "\"path\":\"selftests.json\",\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"x\":\""},
};

/* ---- more of everything than there may be ------------------------------------------------------------------------------ */

static void doc_put(struct forge *f, const char *name, const char *reason, json_t *doc) {
        cleanup_buf struct buf text = {};

        canonical_put(&text, doc);
        case_put_text(f, name, reason, BOTH, &text);
        json_decref(doc);
}

/* n members that look like sources; lengths that add up to more than 64 bits hold. */
static void many_members(struct forge *f, const char *name, const char *reason, size_t n, json_int_t length) {
        json_t *doc = json_deep_copy(f->doc), *members = json_object_get(doc, "members");
        char path[64], hex[SHA256_HEX];

        digest_hex("", 0, hex);
        while (json_array_size(members) < n) {
                snprintf(path, sizeof(path), "sources/z%04zu", json_array_size(members));
                must(json_array_append_new(members,
                                           json_pack("{s:s, s:I, s:s}", "path", path, "length", length, "sha256", hex)) == 0);
        }
        doc_put(f, name, reason, doc);
}

/* n policies, each with an object and a program on file_open. */
static void many_policies(struct forge *f, const char *name, const char *reason, size_t n) {
        json_t *doc = json_deep_copy(f->doc), *members = json_object_get(doc, "members"), *policies = json_array();
        char policy[32], path[64], hex[SHA256_HEX];

        digest_hex("", 0, hex);
        while (json_array_size(members) > 1)
                json_array_remove(members, json_array_size(members) - 1);
        for (size_t i = 0; i < n; i++) {
                snprintf(policy, sizeof(policy), "p%03zu", i);
                snprintf(path, sizeof(path), "objects/%s.bpf.o", policy);
                json_array_append_new(members, json_pack("{s:s, s:i, s:s}", "path", path, "length", 0, "sha256", hex));
                json_array_append_new(policies, json_pack("{s:s, s:s, s:s, s:b, s:{}, s:[], s:[{s:s, s:s}]}", "name", policy,
                                                          "object", path, "mode", "enforce", "plain", 0, "scope", "maps",
                                                          "programs", "name", "p", "hook", "file_open"));
        }
        json_object_set_new(doc, "policies", policies);
        doc_put(f, name, reason, doc);
}

static void two_plain(struct forge *f) {
        json_t *doc = json_deep_copy(f->doc), *policies, *policy, *members = json_object_get(doc, "members");
        char hex[SHA256_HEX];

        digest_hex("", 0, hex);
        policies = json_object_get(doc, "policies");
        policy = json_deep_copy(json_array_get(policies, 0));
        json_object_set_new(policy, "plain", json_true());
        json_object_set_new(policy, "name", json_string("a"));
        json_object_set_new(policy, "object", json_string("objects/a.bpf.o"));
        json_object_set_new(policy, "maps", json_array());
        json_array_insert_new(policies, 0, policy);
        json_array_insert_new(members, 1, json_pack("{s:s, s:i, s:s}", "path", "objects/a.bpf.o", "length", 0, "sha256", hex));
        doc_put(f, "plain-policy-not-last", "malformed", doc);
}

static void emptied(struct forge *f, const char *name, const char *reason, const char *key) {
        json_t *doc = json_deep_copy(f->doc);

        json_object_set_new(doc, key, json_array());
        doc_put(f, name, reason, doc);
}

static void larger_than_allowed(struct forge *f) {
        json_t *doc = json_deep_copy(f->doc);
        cleanup_free char *filler = malloc((1 << 20) + 1);

        must(filler);
        memset(filler, 'x', 1 << 20);
        filler[1 << 20] = '\0';
        json_object_set_new(json_object_get(doc, "provenance"), "commit", json_string(filler));
        doc_put(f, "manifest-of-more-than-1-MiB", "too-large", doc);
}

void cases_manifest(struct forge *f) {
        for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
                edit_put(f, &edits[i], BOTH);
        emptied(f, "members-none", "missing-member", "members");
        emptied(f, "policies-none", "malformed", "policies");
        many_members(f, "members-4097", "too-large", 4097, 0);
        many_members(f, "members-beyond-64-bits", "too-large", 4096, JSON_INT_MAX);
        many_policies(f, "policies-33-on-a-hook", "malformed", 33);
        many_policies(f, "policies-257", "malformed", 257);
        two_plain(f);
        larger_than_allowed(f);
}
