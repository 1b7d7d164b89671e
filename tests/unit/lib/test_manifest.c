/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest: a loader follows its references and lengths without looking twice, so none may lead astray. */
#include "manifest.h"
#include "unit.h"

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define MEMBER(path, length) "{\"path\":\"" path "\",\"length\":" length ",\"sha256\":\"" ZERO "\"}"

static const char example[] =
        "{\"_type\":\"lsm-bundle\",\"format\":1,\"abi\":1,\"name\":\"baseline\",\"version\":\"1.4.0\",\"release\":42,"
        "\"policies\":["
        "{\"name\":\"shadow\",\"object\":\"objects/shadow.bpf.o\",\"plain\":false,\"mode\":\"enforce\",\"scope\":{},"
        "\"programs\":[{\"name\":\"p_open\",\"hook\":\"file_open\"},{\"name\":\"p_exec\",\"hook\":\"bprm_check_security\"}],"
        "\"maps\":[{\"name\":\"names\",\"type\":\"hash\",\"key_size\":32,\"value_size\":1,\"max_entries\":4,"
        "\"seed\":\"seeds/shadow.names.bin\"},"
        "{\"name\":\"seen\",\"type\":\"array\",\"key_size\":4,\"value_size\":8,\"max_entries\":1}]},"
        "{\"name\":\"raw\",\"object\":\"objects/raw.bpf.o\",\"plain\":true,\"mode\":\"enforce\",\"scope\":{},"
        "\"programs\":[{\"name\":\"r_open\",\"hook\":\"file_open\"}],\"maps\":[]}],"
        "\"requires\":{\"hooks\":[\"file_open\"],\"helpers\":[],\"features\":[\"ringbuf\"]},"
        "\"provenance\":{\"commit\":\"\",\"compiler\":\"clang\",\"date\":0,"
        "\"sources\":[{\"path\":\"a.c\",\"sha256\":\"" ZERO "\"}]},"
        "\"members\":[" MEMBER("selftests.json", "10") "," MEMBER("objects/raw.bpf.o", "20") "," MEMBER(
                "objects/shadow.bpf.o", "30") "," MEMBER("seeds/shadow.names.bin", "66") "," MEMBER("sources/a.c", "40") "]}";

/* The example with one text replaced, made canonical. */
static void document(const char *find, const char *with, struct buf *ret) {
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf text = {};
        const char *at = find ? strstr(example, find) : example;
        struct err err = {};

        if (!at)
                fail_msg("the example has no %s", find);
        buf_append(&text, example, (size_t)(at - example));
        if (find)
                buf_printf(&text, "%s%s", with, at + strlen(find));
        else
                buf_printf(&text, "%s", example);
        if (json_parse(text.data, text.len, &j, &err) < 0)
                fail_msg("%s: %s", err.msg, text.data);
        assert_done(json_canonical(j, ret, &err), err);
}

static void test_example(void **state) {
        cleanup_manifest struct manifest *m = NULL;
        cleanup_buf struct buf b = {};
        uint8_t sum[SHA256_SIZE];
        struct err err = {};

        document(NULL, NULL, &b);
        assert_done(manifest_parse(b.data, b.len, &m, &err), err);
        assert_string_equal(m->name, "baseline");
        assert_string_equal(m->version, "1.4.0");
        assert_int_equal(m->release, 42);
        assert_int_equal(m->abi, 1);
        assert_int_equal(m->n_members, 5);
        assert_int_equal(m->selftests, 0);
        assert_int_equal(m->n_policies, 2);
        assert_string_equal(m->members[m->policies[0].object].path, "objects/shadow.bpf.o");
        assert_string_equal(m->members[m->policies[1].object].path, "objects/raw.bpf.o");
        assert_int_equal(m->policies[0].n_programs, 2);
        assert_string_equal(m->policies[0].programs[1].hook, "bprm_check_security");
        assert_int_equal(m->policies[0].n_maps, 2);
        assert_string_equal(m->members[m->policies[0].maps[0].seed].path, "seeds/shadow.names.bin");
        assert_int_equal(m->policies[0].maps[1].seed, -1);
        assert_false(m->policies[0].plain);
        assert_true(m->policies[1].plain);
        assert_int_equal(m->members[3].length, 66);
        assert_int_equal(sha256(b.data, b.len, sum), 0);
        assert_memory_equal(sum, m->content_id, sizeof(sum));
        assert_int_equal(strlen(m->content_hex), 64);
        assert_non_null(json_object_get(m->doc, "provenance"));
}

/* What this format does not know is left alone: a later one may say more about the same things. */
static void test_unknown_members_are_kept(void **state) {
        cleanup_manifest struct manifest *m = NULL;
        cleanup_buf struct buf b = {};
        struct err err = {};

        document("\"abi\":1,", "\"abi\":1,\"later\":{\"x\":[1]},", &b);
        assert_done(manifest_parse(b.data, b.len, &m, &err), err);
        assert_non_null(json_object_get(m->doc, "later"));
}

static const struct {
        const char *find, *with;
        enum reason reason;
} refused[] = {
        {"lsm-bundle", "lsm-rollout", REASON_WRONG_TYPE},
        {"\"format\":1", "\"format\":2", REASON_UNSUPPORTED_FORMAT},
        {"\"abi\":1", "\"abi\":0", REASON_MALFORMED},
        {"\"abi\":1", "\"abi\":4294967296", REASON_MALFORMED},
        {"\"abi\":1,", "", REASON_MALFORMED},
        {"\"name\":\"baseline\"", "\"name\":\"Base line\"", REASON_MALFORMED},
        {"\"name\":\"baseline\"", "\"name\":\"../x\"", REASON_MALFORMED},
        {"\"name\":\"baseline\"", "\"name\":\"\"", REASON_MALFORMED},
        {"\"name\":\"baseline\"", "\"name\":7", REASON_MALFORMED},
        {"1.4.0", "1.4", REASON_MALFORMED},
        {"1.4.0", "01.4.0", REASON_MALFORMED},
        {"\"release\":42", "\"release\":0", REASON_MALFORMED},
        {"\"release\":42", "\"release\":-1", REASON_MALFORMED},
        {"\"release\":42", "\"release\":\"42\"", REASON_MALFORMED},
        /* members */
        {"\"path\":\"sources/a.c\"", "\"path\":\"sources/../../a.c\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"/etc/passwd\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"sources//a.c\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"sources/\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"sources/\\u00e4.c\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"\"", REASON_UNSAFE_PATH},
        {"\"path\":\"sources/a.c\"", "\"path\":\"other/a.c\"", REASON_MALFORMED},
        {"\"path\":\"sources/a.c\"", "\"path\":\"manifest.json\"", REASON_MALFORMED},
        {"\"path\":\"sources/a.c\"", "\"path\":\"seeds/shadow.names.bin\"", REASON_DUPLICATE_MEMBER},
        {"\"path\":\"sources/a.c\"", "\"path\":\"objects/a\"", REASON_WRONG_ORDER},
        {"\"path\":\"objects/raw.bpf.o\"", "\"path\":\"objects/zzz.bpf.o\"", REASON_WRONG_ORDER},
        {"\"path\":\"selftests.json\"", "\"path\":\"objects/a.bpf.o\"", REASON_MISSING_MEMBER},
        {MEMBER("selftests.json", "10") ",", "", REASON_MISSING_MEMBER},
        {"\"length\":40", "\"length\":-1", REASON_MALFORMED},
        {"\"length\":40", "\"length\":\"40\"", REASON_MALFORMED},
        {"\"length\":40,", "", REASON_MALFORMED},
        {"\"length\":40,\"sha256\":\"0", "\"length\":40,\"sha256\":\"", REASON_MALFORMED},
        {"\"length\":40,\"sha256\":\"0", "\"length\":40,\"sha256\":\"F", REASON_MALFORMED},
        {MEMBER("sources/a.c", "40"), "7", REASON_MALFORMED},
        /* references */
        {"\"object\":\"objects/raw.bpf.o\"", "\"object\":\"objects/shadow.bpf.o\"", REASON_MALFORMED},
        {"\"object\":\"objects/raw.bpf.o\"", "\"object\":\"sources/a.c\"", REASON_MALFORMED},
        {"\"name\":\"raw\",\"object\":\"objects/raw.bpf.o\"", "\"name\":\"raw2\",\"object\":\"objects/raw2.bpf.o\"",
         REASON_MISSING_MEMBER},
        {"\"name\":\"raw\",\"object\":\"objects/raw.bpf.o\"", "\"name\":\"shadow\",\"object\":\"objects/shadow.bpf.o\"",
         REASON_MALFORMED},
        {"\"seed\":\"seeds/shadow.names.bin\"", "\"seed\":\"seeds/shadow.other.bin\"", REASON_MALFORMED},
        {"\"seed\":\"seeds/shadow.names.bin\"", "\"seed\":\"sources/a.c\"", REASON_MALFORMED},
        {"\"seed\":\"seeds/shadow.names.bin\"", "\"seed\":null", REASON_MALFORMED},
        {"\"max_entries\":4,\"seed\":\"seeds/shadow.names.bin\"", "\"max_entries\":4", REASON_MALFORMED}, /* a seed nobody uses */
        {"seeds/shadow.names.bin\",\"length\"", "seeds/shadow.other.bin\",\"length\"", REASON_MISSING_MEMBER},
        {"\"length\":66", "\"length\":67", REASON_MALFORMED},  /* half a record */
        {"\"length\":66", "\"length\":165", REASON_MALFORMED}, /* five records, four entries */
        {"\"key_size\":32,\"value_size\":1", "\"key_size\":0,\"value_size\":0", REASON_MALFORMED},
        {"\"key_size\":32,\"value_size\":1", "\"key_size\":4294967295,\"value_size\":4294967295", REASON_MALFORMED},
        {"\"key_size\":32", "\"key_size\":4294967296", REASON_MALFORMED},
        {"\"type\":\"hash\"", "\"type\":\"\"", REASON_MALFORMED},
        {"\"name\":\"seen\"", "\"name\":\"names\"", REASON_MALFORMED},
        {"\"name\":\"seen\"", "\"name\":\"../seen\"", REASON_MALFORMED},
        /* policies, programs, hooks */
        {"\"name\":\"raw\"", "\"name\":\"Raw\"", REASON_MALFORMED},
        {"\"plain\":false,", "", REASON_MALFORMED},
        {"\"plain\":false", "\"plain\":0", REASON_MALFORMED},
        {"\"plain\":false", "\"plain\":true", REASON_MALFORMED}, /* a plain one before another on file_open */
        {"\"plain\":true,\"mode\":\"enforce\"", "\"plain\":true,\"mode\":\"audit\"", REASON_MALFORMED},
        {"\"plain\":false,\"mode\":\"enforce\"", "\"plain\":false,\"mode\":\"shadow\"", REASON_MALFORMED},
        {"\"mode\":\"enforce\",\"scope\":{}", "\"mode\":\"enforce\"", REASON_MALFORMED},
        {"\"mode\":\"enforce\",\"scope\":{}", "\"mode\":\"enforce\",\"scope\":{\"unit\":\"a.service\"}",
         REASON_UNSUPPORTED_FORMAT},
        {"\"hook\":\"bprm_check_security\"", "\"hook\":\"file_open\"", REASON_MALFORMED}, /* two on one hook */
        {"\"hook\":\"bprm_check_security\"", "\"hook\":\"file/open\"", REASON_MALFORMED},
        {"\"name\":\"p_exec\"", "\"optional\":true,\"name\":\"p_exec\"", REASON_UNSUPPORTED_FORMAT},
        {"\"name\":\"p_exec\"", "\"optional\":1,\"name\":\"p_exec\"", REASON_MALFORMED},
        {"\"name\":\"r_open\"", "\"optional\":true,\"name\":\"r_open\"", REASON_UNSUPPORTED_FORMAT},
        {"\"name\":\"p_exec\"", "\"name\":\"p_open\"", REASON_MALFORMED},
        {"\"name\":\"p_exec\"", "\"name\":\"p exec\"", REASON_MALFORMED},
        {"\"programs\":[{\"name\":\"r_open\",\"hook\":\"file_open\"}]", "\"programs\":[]", REASON_MALFORMED},
        {"\"programs\":[{\"name\":\"r_open\",\"hook\":\"file_open\"}]", "\"programs\":[[]]", REASON_MALFORMED},
        {"\"maps\":[]", "\"maps\":{}", REASON_MALFORMED},
        /* what is only shown has its shape, too: whoever shows it relies on that */
        {"\"hooks\":[\"file_open\"]", "\"hooks\":[1]", REASON_MALFORMED},
        {"\"helpers\":[],", "", REASON_MALFORMED},
        {"\"commit\":\"\"", "\"commit\":null", REASON_MALFORMED},
        {"\"date\":0", "\"date\":-1", REASON_MALFORMED},
        {"\"sources\":[{\"path\":\"a.c\"", "\"sources\":[{\"path\":1", REASON_MALFORMED},
        {"\"sources\":[{\"path\":\"a.c\",\"sha256\":\"0", "\"sources\":[{\"path\":\"a.c\",\"sha256\":\"x", REASON_MALFORMED},
};

static void test_refused(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                struct manifest *m = NULL;
                cleanup_buf struct buf b = {};
                struct err err = {};
                int r;

                document(refused[i].find, refused[i].with, &b);
                r = manifest_parse(b.data, b.len, &m, &err);
                if (r >= 0 || err.reason != refused[i].reason)
                        fail_msg("%s -> %s: %d, '%s': %s", refused[i].find, refused[i].with, r, reason_word(err.reason), err.msg);
                assert_null(m);
        }
}

/* ---- programs that a node may leave out -------------------------------------------------------------------------------- */

#define PATH "{\"name\":\"p_path\",\"hook\":\"path_truncate\"}"
#define XATTR "{\"name\":\"p_xattr\",\"hook\":\"inode_setxattr\"}"
#define ACL_OPTIONAL "{\"name\":\"p_acl\",\"hook\":\"inode_set_acl\",\"optional\":true}"
#define FILE_OPTIONAL "{\"name\":\"p_file\",\"hook\":\"file_truncate\",\"optional\":true}"

static int engine_parse(const char *name, const char *map, const char *programs, struct manifest **ret, struct err *err) {
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf text = {}, b = {};

        buf_printf(&text,
                   "{\"_type\":\"lsm-bundle\",\"format\":1,\"abi\":1,\"name\":\"x\",\"version\":\"1.0.0\",\"release\":1,"
                   "\"policies\":[{\"name\":\"%s\",\"object\":\"objects/%s.bpf.o\",\"plain\":false,\"mode\":\"enforce\","
                   "\"scope\":{},\"programs\":[%s],\"maps\":[{\"name\":\"%s\",\"type\":\"hash\",\"key_size\":8,"
                   "\"value_size\":8,\"max_entries\":1}]}],\"requires\":{\"hooks\":[],\"helpers\":[],\"features\":[]},"
                   "\"provenance\":{\"commit\":\"\",\"compiler\":\"clang\",\"date\":0,\"sources\":[]},\"members\":["
                   "{\"path\":\"selftests.json\",\"length\":1,\"sha256\":\"" ZERO "\"},"
                   "{\"path\":\"objects/%s.bpf.o\",\"length\":1,\"sha256\":\"" ZERO "\"}]}",
                   name, name, programs, map, name);
        assert_done(json_parse(text.data, text.len, &j, err), *err);
        assert_done(json_canonical(j, &b, err), *err);
        return manifest_parse(b.data, b.len, ret, err);
}

static void test_optional(void **state) {
        cleanup_manifest struct manifest *m = NULL;
        struct err err = {};

        assert_done(engine_parse("rules", "lsm_rules_roots", PATH "," FILE_OPTIONAL, &m, &err), err);
        assert_false(m->policies[0].programs[0].optional);
        assert_true(m->policies[0].programs[1].optional);
        manifest_free(m);
        m = NULL;
        assert_done(engine_parse("rules", "lsm_rules_roots", XATTR "," ACL_OPTIONAL, &m, &err), err);
        assert_true(m->policies[0].programs[1].optional);
}

/* Each would have something go unasked on a kernel without the hook. */
static void test_optional_refused(void **state) {
        static const struct {
                const char *name, *map, *programs;
        } hostile[] = {
                {"other", "lsm_rules_roots", PATH "," FILE_OPTIONAL}, /* not the engine */
                {"rules", "lsm_rules_other", PATH "," FILE_OPTIONAL},
                {"rules", "lsm_rules_roots", FILE_OPTIONAL}, /* nothing asks it instead */
                {"rules", "lsm_rules_roots", PATH "," ACL_OPTIONAL},
                {"rules", "lsm_rules_roots", "{\"name\":\"a\",\"hook\":\"path_truncate\",\"optional\":true}," FILE_OPTIONAL},
                {"rules", "lsm_rules_roots", PATH ",{\"name\":\"a\",\"hook\":\"file_open\",\"optional\":true}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
                struct manifest *m = NULL;
                struct err err = {};

                assert_refused(engine_parse(hostile[i].name, hostile[i].map, hostile[i].programs, &m, &err), err,
                               REASON_UNSUPPORTED_FORMAT);
        }
}

/* Every member of the document taken away, one after the other. */
static void test_nothing_may_be_missing(void **state) {
        static const char *const keys[] = {"_type",   "format",   "abi",      "name",       "version",
                                           "release", "policies", "requires", "provenance", "members"};

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                cleanup_json json_t *j = NULL;
                cleanup_buf struct buf b = {};
                struct manifest *m = NULL;
                struct err err = {};

                assert_done(json_parse(example, strlen(example), &j, &err), err);
                assert_int_equal(json_object_del(j, keys[i]), 0);
                assert_done(json_canonical(j, &b, &err), err);
                assert_refused(manifest_parse(b.data, b.len, &m, &err), err, REASON_MALFORMED);
        }
}

static void test_only_canonical_bytes(void **state) {
        struct manifest *m = NULL;
        cleanup_buf struct buf b = {};
        struct err err = {};

        assert_refused(manifest_parse(example, strlen(example), &m, &err), err, REASON_MALFORMED);
        document(NULL, NULL, &b);
        buf_append(&b, " ", 1);
        assert_refused(manifest_parse(b.data, b.len, &m, &err), err, REASON_MALFORMED);
        b.len = MANIFEST_MAX + 1;
        assert_refused(manifest_parse(b.data, b.len, &m, &err), err, REASON_TOO_LARGE);
}

/* n policies, all on one hook. */
static int on_one_hook(size_t n, struct err *err) {
        cleanup_manifest struct manifest *m = NULL;
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf text = {}, b = {};

        buf_printf(&text, "{\"_type\":\"lsm-bundle\",\"format\":1,\"abi\":1,\"name\":\"b\",\"version\":\"0.0.1\",\"release\":1,"
                          "\"requires\":{\"hooks\":[],\"helpers\":[],\"features\":[]},"
                          "\"provenance\":{\"commit\":\"\",\"compiler\":\"\",\"date\":0,\"sources\":[]},\"policies\":[");
        for (size_t i = 0; i < n; i++)
                buf_printf(&text,
                           "%s{\"name\":\"p%03zu\",\"object\":\"objects/p%03zu.bpf.o\",\"plain\":false,\"mode\":\"audit\","
                           "\"scope\":{},\"programs\":[{\"name\":\"p\",\"hook\":\"file_open\"}],\"maps\":[]}",
                           i ? "," : "", i, i);
        buf_printf(&text, "],\"members\":[" MEMBER("selftests.json", "0"));
        for (size_t i = 0; i < n; i++)
                buf_printf(&text, ",{\"path\":\"objects/p%03zu.bpf.o\",\"length\":1,\"sha256\":\"" ZERO "\"}", i);
        buf_printf(&text, "]}");
        assert_done(json_parse(text.data, text.len, &j, err), *err);
        assert_done(json_canonical(j, &b, err), *err);
        return manifest_parse(b.data, b.len, &m, err);
}

static void test_chain_length(void **state) {
        struct err err = {};

        assert_done(on_one_hook(1, &err), err);
        assert_done(on_one_hook(32, &err), err);
        assert_refused(on_one_hook(33, &err), err, REASON_MALFORMED);
        assert_refused(on_one_hook(POLICIES_MAX + 1, &err), err, REASON_MALFORMED);
        assert_refused(on_one_hook(0, &err), err, REASON_MALFORMED);
}

static void test_paths(void **state) {
        static const char *const good[] = {"a", "a/b", "...", "a..b", ".a", "a b", "a/.b/c", "selftests.json", "~", "-"};
        static const char *const bad[] = {"",      "/",       "/a",       "a/",     "a//b", ".",    "..",
                                          "./a",   "a/.",     "a/..",     "a/../b", "../a", "a\\b", "a\nb",
                                          "a\x7f", "\x1b[2J", "\xc3\xa4", "\xff",   "a/./b"};
        char path[257];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!member_path_safe(good[i]))
                        fail_msg("refused: %s", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (member_path_safe(bad[i]))
                        fail_msg("accepted: %s", bad[i]);
        memset(path, 'a', sizeof(path));
        path[255] = 0;
        assert_true(member_path_safe(path));
        path[255] = 'a';
        path[256] = 0;
        assert_false(member_path_safe(path));
}

/* The examples of semver.org's own regular expression, and a few more. */
static void test_versions(void **state) {
        static const char *const good[] = {
                "0.0.4",
                "1.2.3",
                "10.20.30",
                "1.1.2-prerelease+meta",
                "1.1.2+meta",
                "1.1.2+meta-valid",
                "1.0.0-alpha",
                "1.0.0-alpha.beta.1",
                "1.0.0-alpha0.valid",
                "1.0.0-alpha.0valid",
                "1.0.0-rc.1+build.1",
                "2.0.0-rc.1+build.123",
                "1.2.3----RC-SNAPSHOT.12.9.1--.12+788",
                "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
                "1.0.0-0A.is.legal",
                "99999999999999999999999.999999999999999999.99999999999999999",
                "1.2.3-SNAPSHOT-123",
                "1.0.0+001",
        };
        static const char *const bad[] = {
                "",
                "1",
                "1.2",
                "1.2.3-0123",
                "1.2.3-0123.0123",
                "1.1.2+.123",
                "+invalid",
                "-invalid",
                "alpha",
                "1.0.0-alpha_beta",
                "1.0.0-alpha..",
                "1.0.0-alpha..1",
                "01.1.1",
                "1.01.1",
                "1.1.01",
                "1.2.3.DEV",
                "1.2-SNAPSHOT",
                "1.2.31.2.3----RC",
                "1.2-RC-SNAPSHOT",
                "-1.0.3-gamma+b7718",
                "+justmeta",
                "9.8.7+meta+meta",
                "9.8.7-whatever+meta+meta",
                "1.0.0-",
                "1.0.0+",
                "1.0.0 ",
                " 1.0.0",
                "1.0.0-a\n",
                "v1.0.0",
                "1..0",
                "1.0.",
                ".1.0",
                "1.0.0-\xc3\xa4",
        };
        char version[200];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!version_valid(good[i]))
                        fail_msg("refused: %s", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (version_valid(bad[i]))
                        fail_msg("accepted: %s", bad[i]);
        memset(version, '1', sizeof(version));
        memcpy(version, "1.0.", 4);
        version[127] = 0;
        assert_true(version_valid(version));
        version[127] = '1';
        version[128] = 0;
        assert_false(version_valid(version));
}

static void test_hooks_and_identifiers(void **state) {
        char name[129];

        assert_true(hook_valid("file_open"));
        assert_true(hook_valid("_x9"));
        assert_false(hook_valid(""));
        assert_false(hook_valid("9x"));
        assert_false(hook_valid("File"));
        assert_false(hook_valid("a-b"));
        assert_false(hook_valid("a/b"));
        assert_true(identifier_valid("Foo_9"));
        assert_false(identifier_valid("9"));
        assert_false(identifier_valid(""));
        assert_false(identifier_valid("a.b"));
        memset(name, 'a', sizeof(name));
        name[63] = 0;
        assert_true(hook_valid(name));
        name[63] = 'a';
        name[64] = 0;
        assert_false(hook_valid(name));
        name[64] = 'a';
        name[127] = 0;
        assert_true(identifier_valid(name));
        name[127] = 'a';
        name[128] = 0;
        assert_false(identifier_valid(name));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_example),
                cmocka_unit_test(test_unknown_members_are_kept),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_optional),
                cmocka_unit_test(test_optional_refused),
                cmocka_unit_test(test_nothing_may_be_missing),
                cmocka_unit_test(test_only_canonical_bytes),
                cmocka_unit_test(test_chain_length),
                cmocka_unit_test(test_paths),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_hooks_and_identifiers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
