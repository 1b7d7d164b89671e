/* SPDX-License-Identifier: Apache-2.0 */
/* The checks: each way in which a repository that somebody else holds could give a node what its owners did not mean to be there
 * now. tests/tuf has the same from outside, case by case; here is what only a hostile caller can do, and what a set tells. */
#include "tuf_fixture.h"
#include "tuf_time.h"

#define ACCEPT(call)                    \
        do {                            \
                err.reason = 0;         \
                assert_done(call, err); \
        } while (0)

static int setup(void **state) {
        *state = repo_new();
        return 0;
}

static int teardown(void **state) {
        repo_free(*state);
        return 0;
}

static int begin_at(struct repo *f, int64_t now, bool ignore, struct tuf_trust **ret, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->root, f->keys[0]);

        return tuf_trust_new(&s, &(struct tuf_trust_options){.now = now, .ignore_expiry = ignore}, ret, err);
}

static struct tuf_trust *begin(struct repo *f) {
        struct tuf_trust *t = NULL;
        struct err err = {};

        assert_done(begin_at(f, NOW, false, &t, &err), err);
        return t;
}

static int root(struct repo *f, struct tuf_trust *t, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->root, f->keys[0]);

        return tuf_trust_root(t, &s, err);
}
static int timestamp(struct repo *f, struct tuf_trust *t, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->timestamp, f->keys[1]);

        return tuf_trust_timestamp(t, &s, err);
}
static int snapshot(struct repo *f, struct tuf_trust *t, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->snapshot, f->keys[2]);

        return tuf_trust_snapshot(t, &s, err);
}
static int targets(struct repo *f, struct tuf_trust *t, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->targets, f->keys[3]);

        return tuf_trust_targets(t, &s, err);
}
static int previous(struct repo *f, struct tuf_trust *t, enum tuf_type type, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s =
                type == TUF_TIMESTAMP ? sign_by(f->timestamp, f->keys[1]) : sign_by(f->snapshot, f->keys[2]);

        return tuf_trust_previous(t, type, &s, err);
}
static int bundles(struct repo *f, struct tuf_trust *t, const struct tuf_want *want, struct err *err) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(f->bundles, f->keys[4]);

        return tuf_trust_delegated(t, want, &s, err);
}

static void up_to_targets(struct repo *f, struct tuf_trust *t) {
        struct err err = {};

        ACCEPT(timestamp(f, t, &err));
        ACCEPT(snapshot(f, t, &err));
        ACCEPT(targets(f, t, &err));
}

static void whole_way(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct tuf_document doc;
        struct tuf_target target;
        struct tuf_want want;
        struct err err = {};
        char time[TUF_TIME_SIZE], hex[SHA256_HEX];
        struct repo *f = *state;

        up_to_targets(f, t);
        assert_int_equal(tuf_trust_find(t, "elsewhere", &target, &want, &err), -ENOENT);
        assert_int_equal(err.reason, REASON_UNKNOWN_TARGET);
        assert_int_equal(tuf_trust_find(t, "bundles/a", &target, &want, &err), -EAGAIN);
        assert_string_equal(want.role, "bundles");
        assert_int_equal(want.version, 1);
        assert_int_equal(want.max, TUF_TARGETS_MAX);
        ACCEPT(bundles(f, t, &want, &err));
        ACCEPT(tuf_trust_find(t, "bundles/a", &target, &want, &err));
        assert_string_equal(target.role, "bundles");
        assert_int_equal(target.length, 3);
        assert_true(target.has_sha256);
        hex_encode(target.sha256, sizeof(target.sha256), hex);
        assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_string_equal(target.hash, hex);
        assert_int_equal(json_integer_value(json_object_get(target.custom, "release")), 7);
        assert_int_equal(tuf_trust_find(t, "bundles/b", &target, &want, &err), -ENOENT);

        /* What a set tells of it. */
        assert_int_equal(tuf_trust_documents(t), 5);
        assert_int_equal(tuf_trust_role(t, "bundles", &doc), 0);
        assert_int_equal(doc.common.version, 1);
        assert_int_equal(doc.signers->n, 1);
        assert_string_equal(doc.signers->a[0].keyid, keyid(f->keys[4]));
        assert_memory_equal(doc.signers->a[0].material, privkey_public(f->keys[4])->material, SHA256_SIZE);
        assert_int_equal(doc.threshold, 1);
        assert_int_equal(doc.parent, TUF_TARGETS);
        assert_true(tuf_trust_key_authorised(t, target.document, privkey_public(f->keys[4])->material));
        assert_false(tuf_trust_key_authorised(t, target.document, privkey_public(f->keys[3])->material));
        assert_int_equal(tuf_trust_role(t, "timestamp", &doc), 0);
        tuf_time_format(doc.common.issued, time);
        assert_string_equal(time, "2027-01-01T00:00:00Z");
        assert_false(tuf_trust_any_expired(t));
        assert_int_equal(tuf_trust_role(t, "rollouts", &doc), -ENOENT);
        assert_int_equal(tuf_trust_document(t, 5, &doc), -ENOENT);
        tuf_trust_forget(t);
        assert_int_equal(tuf_trust_find(t, "bundles/a", &target, &want, &err), -EAGAIN);
}

static void order(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct tuf_want want = {.role = "bundles", .parent = TUF_TARGETS};
        struct tuf_target target;
        struct repo *f = *state;
        struct err err = {};

        assert_int_equal(snapshot(f, t, &err), -EINVAL);
        assert_int_equal(targets(f, t, &err), -EINVAL);
        assert_int_equal(bundles(f, t, &want, &err), -EINVAL);
        assert_int_equal(tuf_trust_find(t, "x", &target, &want, &err), -EINVAL);
        assert_int_equal(tuf_trust_want(t, TUF_SNAPSHOT, &want, &err), -EINVAL);
        assert_false(tuf_trust_keep_snapshot(t));
        ACCEPT(timestamp(f, t, &err));
        assert_int_equal(timestamp(f, t, &err), -EINVAL);
        assert_int_equal(root(f, t, &err), -EINVAL);
        assert_int_equal(previous(f, t, TUF_TIMESTAMP, &err), -EINVAL);
        assert_int_equal(targets(f, t, &err), -EINVAL);
        assert_int_equal(tuf_trust_want(t, TUF_TARGETS, &want, &err), -EINVAL);
        ACCEPT(snapshot(f, t, &err));
        assert_int_equal(snapshot(f, t, &err), -EINVAL);
        assert_int_equal(previous(f, t, TUF_SNAPSHOT, &err), -EINVAL);
        ACCEPT(targets(f, t, &err));
        assert_int_equal(targets(f, t, &err), -EINVAL);
        assert_int_equal(tuf_trust_previous(t, TUF_ROOT, &(struct tuf_signed){}, &err), -EINVAL);
}

/* A caller whose wants are made up gets nothing that the metadata does not delegate. */
static void wants_made_up(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct tuf_want want = {.parent = TUF_TARGETS};
        struct repo *f = *state;
        struct err err = {};

        list(f->snapshot, "other.json", f->bundles);
        up_to_targets(f, t);
        strcpy(want.role, "other"); /* listed, not delegated to */
        assert_true(bundles(f, t, &want, &err) < 0);
        strcpy(want.role, "targets");
        assert_true(bundles(f, t, &want, &err) < 0);
        strcpy(want.role, "bundles");
        for (size_t parent = 0; parent < 1000; parent++) {
                want.parent = parent;
                if (parent != TUF_TARGETS)
                        assert_int_equal(bundles(f, t, &want, &err), -EINVAL);
        }
        want.parent = SIZE_MAX;
        assert_int_equal(bundles(f, t, &want, &err), -EINVAL);
        want.parent = TUF_TARGETS;
        memset(want.role, 'b', sizeof(want.role));
        assert_int_equal(bundles(f, t, &want, &err), -EINVAL);
        memset(&want.role, 0, sizeof(want.role));
        strcpy(want.role, "bundles");
        ACCEPT(bundles(f, t, &want, &err));
        assert_int_equal(bundles(f, t, &want, &err), -EINVAL); /* the same twice */
}

static void signatures_first(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        cleanup_tuf_signed struct tuf_signed s = sign_by(((struct repo *)*state)->timestamp, NULL), garbage = {};
        struct repo *f = *state;
        struct err err = {};

        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_UNKNOWN_KEY);
        sign_more(&s, f->keys[2]);
        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_UNKNOWN_KEY);
        sign_more(&s, f->keys[1]);
        s.sigs[1].sig[0] ^= 1;
        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_BAD_SIGNATURE);
        s.sigs[1].sig[0] ^= 1;
        s.bytes.data[20] ^= 1;
        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_BAD_SIGNATURE);
        s.bytes.data[20] ^= 1;
        /* Bytes that are no JSON at all are not looked at before somebody has signed them... */
        assert_int_equal(buf_printf(&garbage.bytes, "}{"), 0);
        assert_refused(tuf_trust_timestamp(t, &garbage, &err), err, REASON_UNKNOWN_KEY);
        sign_more(&garbage, f->keys[1]);
        assert_refused(tuf_trust_timestamp(t, &garbage, &err), err, REASON_MALFORMED);
        /* ... and nothing of that has changed the set. */
        ACCEPT(tuf_trust_timestamp(t, &s, &err));
}

/* The same JSON in another form, rightly signed: a form that others would not check the signature of is refused. */
static void not_canonical(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        cleanup_tuf_signed struct tuf_signed s = {};
        struct repo *f = *state;
        struct err err = {};
        char *text = json_dumps(f->timestamp, JSON_INDENT(1));

        assert_int_equal(buf_append(&s.bytes, text, strlen(text)), 0);
        free(text);
        sign_more(&s, f->keys[1]);
        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_MALFORMED);
}

static void roots(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state), *none = NULL;
        cleanup_tuf_signed struct tuf_signed one = {}, both = {};
        struct repo *f = *state;
        struct tuf_document doc;
        struct err err = {};

        assert_refused(root(f, t, &err), err, REASON_ROLLED_BACK_METADATA); /* version 1 again */
        set_version(f->root, 3);
        assert_refused(root(f, t, &err), err, REASON_ROLLED_BACK_METADATA);
        set_version(f->root, 2);
        set_key(f, "root", f->keys[5]);
        assert_refused(root(f, t, &err), err, REASON_UNKNOWN_KEY); /* by the old key alone */
        one = sign_by(f->root, f->keys[5]);
        assert_refused(tuf_trust_root(t, &one, &err), err, REASON_UNKNOWN_KEY); /* by the new key alone */
        assert_refused(tuf_trust_new(&(struct tuf_signed){}, &(struct tuf_trust_options){}, &none, &err), err, REASON_MALFORMED);
        assert_null(none);
        assert_int_equal(tuf_trust_document(t, TUF_ROOT, &doc), 0);
        assert_int_equal(doc.common.version, 1);
        both = sign_by(f->root, f->keys[0]);
        sign_more(&both, f->keys[5]);
        ACCEPT(tuf_trust_root(t, &both, &err));
        assert_int_equal(tuf_trust_document(t, TUF_ROOT, &doc), 0);
        assert_int_equal(doc.common.version, 2);
        assert_false(tuf_trust_rotated(t));
}

static void rotation(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state), *known = begin(*state);
        struct repo *f = *state;
        struct err err = {};

        set_version(f->root, 2);
        set_key(f, "snapshot", f->keys[6]);
        ACCEPT(root(f, t, &err));
        assert_true(tuf_trust_rotated(t));
        assert_int_equal(previous(f, t, TUF_TIMESTAMP, &err), -ESTALE);
        assert_int_equal(previous(f, t, TUF_SNAPSHOT, &err), -ESTALE);
        /* One who has seen that root already forgets nothing. */
        ACCEPT(root(f, known, &err));
        tuf_trust_roots_known(known);
        assert_false(tuf_trust_rotated(known));
        set_version(f->root, 3);
        ACCEPT(root(f, known, &err));
        assert_false(tuf_trust_rotated(known));
        ACCEPT(previous(f, known, TUF_TIMESTAMP, &err));
        assert_refused(previous(f, known, TUF_SNAPSHOT, &err), err, REASON_UNKNOWN_KEY); /* the old key's */
}

static void timestamp_goes_back(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state), *u = begin(*state), *v = begin(*state);
        struct repo *f = *state;
        struct tuf_document doc;
        struct err err = {};

        set_version(f->timestamp, 5);
        ACCEPT(previous(f, t, TUF_TIMESTAMP, &err));
        ACCEPT(previous(f, u, TUF_TIMESTAMP, &err));
        ACCEPT(previous(f, v, TUF_TIMESTAMP, &err));
        set_version(f->timestamp, 4);
        assert_refused(timestamp(f, t, &err), err, REASON_ROLLED_BACK_METADATA);
        set_version(f->timestamp, 5);
        set_version(f->snapshot, 9);
        list_all(f);
        assert_int_equal(timestamp(f, t, &err), 1); /* the same version: what was there is kept */
        assert_int_equal(tuf_trust_role(t, "timestamp", &doc), 0);
        set_version(f->timestamp, 6);
        assert_int_equal(timestamp(f, u, &err), 0);
        set_version(f->snapshot, 0);
        list_all(f);
        json_object_set_new(json_object_get(json_object_get(f->timestamp, "meta"), "snapshot.json"), "version", json_integer(1));
        ACCEPT(timestamp(f, v, &err));
        {
                cleanup_tuf_trust struct tuf_trust *w = begin(f);

                set_version(f->snapshot, 3);
                list_all(f);
                ACCEPT(previous(f, w, TUF_TIMESTAMP, &err));
                set_version(f->timestamp, 7);
                set_version(f->snapshot, 2);
                list_all(f);
                assert_refused(timestamp(f, w, &err), err, REASON_ROLLED_BACK_METADATA);
        }
}

static void snapshot_goes_back(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct repo *f = *state;
        struct err err = {};
        json_t *meta = json_object_get(f->snapshot, "meta");

        set_version(f->bundles, 8);
        list_all(f);
        ACCEPT(previous(f, t, TUF_SNAPSHOT, &err));
        set_version(f->snapshot, 2);
        set_version(f->bundles, 7);
        list_all(f);
        ACCEPT(timestamp(f, t, &err));
        assert_false(tuf_trust_keep_snapshot(t));
        assert_refused(snapshot(f, t, &err), err, REASON_ROLLED_BACK_METADATA);
        json_object_del(meta, "bundles.json");
        assert_refused(snapshot(f, t, &err), err, REASON_ROLLED_BACK_METADATA);
        set_version(f->bundles, 8);
        list(f->snapshot, "bundles.json", f->bundles);
        ACCEPT(snapshot(f, t, &err));
}

static void mixed(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct tuf_target target;
        struct repo *f = *state;
        struct tuf_want want;
        struct err err = {};

        ACCEPT(timestamp(f, t, &err));
        set_version(f->snapshot, 2);
        assert_refused(snapshot(f, t, &err), err, REASON_MIXED_METADATA);
        set_version(f->snapshot, 1);
        ACCEPT(snapshot(f, t, &err));
        set_version(f->targets, 2);
        assert_refused(targets(f, t, &err), err, REASON_MIXED_METADATA);
        set_version(f->targets, 1);
        ACCEPT(targets(f, t, &err));
        assert_int_equal(tuf_trust_find(t, "bundles/a", &target, &want, &err), -EAGAIN);
        set_version(f->bundles, 2);
        assert_refused(bundles(f, t, &want, &err), err, REASON_MIXED_METADATA);
}

static void expiry(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state), *old = NULL, *again = NULL;
        struct tuf_document doc;
        struct repo *f = *state;
        struct tuf_want want;
        struct tuf_target target;
        struct err err = {};

        set_expires(f->timestamp, PAST);
        ACCEPT(previous(f, t, TUF_TIMESTAMP, &err)); /* as a measure it will do */
        assert_refused(timestamp(f, t, &err), err, REASON_EXPIRED);
        set_version(f->timestamp, 2);
        assert_refused(timestamp(f, t, &err), err, REASON_EXPIRED);
        set_expires(f->timestamp, FUTURE);
        ACCEPT(timestamp(f, t, &err));
        set_expires(f->snapshot, PAST);
        assert_refused(snapshot(f, t, &err), err, REASON_EXPIRED);
        set_expires(f->snapshot, FUTURE);
        ACCEPT(snapshot(f, t, &err));
        set_expires(f->targets, PAST);
        assert_refused(targets(f, t, &err), err, REASON_EXPIRED);
        set_expires(f->targets, "2027-01-15T08:00:00Z"); /* the very second */
        assert_refused(targets(f, t, &err), err, REASON_EXPIRED);
        set_expires(f->targets, "2027-01-15T08:00:01Z");
        ACCEPT(targets(f, t, &err));
        assert_int_equal(tuf_trust_find(t, "bundles/a", &target, &want, &err), -EAGAIN);
        set_expires(f->bundles, PAST);
        assert_refused(bundles(f, t, &want, &err), err, REASON_EXPIRED);

        /* A root may have expired as long as there is a newer one, and not when it is the last. */
        set_expires(f->root, PAST);
        ACCEPT(begin_at(f, NOW, false, &old, &err));
        assert_refused(timestamp(f, old, &err), err, REASON_EXPIRED);

        /* What was accepted once is started again. */
        ACCEPT(begin_at(f, NOW, true, &again, &err));
        up_to_targets(f, again);
        assert_int_equal(tuf_trust_find(again, "bundles/a", &target, &want, &err), -EAGAIN);
        ACCEPT(bundles(f, again, &want, &err));
        assert_true(tuf_trust_any_expired(again));
        assert_int_equal(tuf_trust_role(again, "bundles", &doc), 0);
        assert_true(doc.expired);
        assert_int_equal(tuf_trust_role(again, "timestamp", &doc), 0);
        assert_false(doc.expired);
}

/* Ignoring expiry ignores nothing else. */
static void expiry_alone(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = NULL;
        struct repo *f = *state;
        struct err err = {};

        ACCEPT(begin_at(f, NOW, true, &t, &err));
        set_version(f->timestamp, 2);
        ACCEPT(previous(f, t, TUF_TIMESTAMP, &err));
        set_version(f->timestamp, 1);
        assert_true(timestamp(f, t, &err) < 0);
        set_version(f->timestamp, 3);
        ACCEPT(timestamp(f, t, &err));
        set_version(f->snapshot, 2);
        assert_refused(snapshot(f, t, &err), err, REASON_MIXED_METADATA);
}

static void keep_snapshot(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state), *u = begin(*state);
        struct repo *f = *state;
        struct err err = {};

        ACCEPT(previous(f, t, TUF_SNAPSHOT, &err));
        ACCEPT(timestamp(f, t, &err));
        assert_true(tuf_trust_keep_snapshot(t));
        ACCEPT(targets(f, t, &err));
        ACCEPT(previous(f, u, TUF_SNAPSHOT, &err));
        set_version(f->snapshot, 2);
        list_all(f);
        ACCEPT(timestamp(f, u, &err));
        assert_false(tuf_trust_keep_snapshot(u));
        assert_int_equal(targets(f, u, &err), -EINVAL);
}

/* Length and hashes are of the file, which one who gets only the signed bytes has not seen. */
static void files(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        cleanup_tuf_signed struct tuf_signed s = sign_by(((struct repo *)*state)->snapshot, ((struct repo *)*state)->keys[2]);
        struct repo *f = *state;
        struct err err = {};
        json_t *entry = json_object_get(json_object_get(f->timestamp, "meta"), "snapshot.json");

        json_object_set_new(entry, "length", json_integer(1000));
        ACCEPT(timestamp(f, t, &err));
        assert_int_equal(tuf_file_of("x", 1, &s.file), 0);
        assert_refused(tuf_trust_snapshot(t, &s, &err), err, REASON_LENGTH_MISMATCH);
        s.file = (struct tuf_file){};
        ACCEPT(tuf_trust_snapshot(t, &s, &err));
}

static void many_delegated(void **state) {
        cleanup_tuf_trust struct tuf_trust *t = begin(*state);
        struct repo *f = *state;
        json_t *roles = json_object_get(json_object_get(f->targets, "delegations"), "roles");
        struct tuf_want want = {.parent = TUF_TARGETS};
        struct err err = {};

        for (int i = 0; i <= TUF_DELEGATED_MAX; i++) {
                json_t *role = json_deep_copy(json_array_get(roles, 0));
                char name[32];

                snprintf(name, sizeof(name), "r%d", i);
                json_object_set_new(role, "name", json_string(name));
                json_array_append_new(roles, role);
                strcat(name, ".json");
                list(f->snapshot, name, f->bundles);
        }
        up_to_targets(f, t);
        for (int i = 0; i < TUF_DELEGATED_MAX; i++) {
                snprintf(want.role, sizeof(want.role), "r%d", i);
                ACCEPT(bundles(f, t, &want, &err));
        }
        snprintf(want.role, sizeof(want.role), "r%d", TUF_DELEGATED_MAX);
        assert_refused(bundles(f, t, &want, &err), err, REASON_TOO_LARGE);
        tuf_trust_forget(t);
        ACCEPT(bundles(f, t, &want, &err));
}

/* A document of one kind, signed by a key of another role: each refused in each place but its own. */
static void types(void **state) {
        struct repo *f = *state;
        const json_t *docs[] = {f->root, f->timestamp, f->snapshot, f->targets};

        for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
                cleanup_tuf_trust struct tuf_trust *t = begin(f);
                cleanup_tuf_signed struct tuf_signed s = sign_by(docs[i], f->keys[1]);
                struct err err = {};

                if (i == TUF_TIMESTAMP)
                        ACCEPT(tuf_trust_timestamp(t, &s, &err));
                else
                        assert_refused(tuf_trust_timestamp(t, &s, &err), err, REASON_WRONG_TYPE);
        }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(whole_way),
                TEST(order),
                TEST(wants_made_up),
                TEST(signatures_first),
                TEST(not_canonical),
                TEST(roots),
                TEST(rotation),
                TEST(mixed),
                TEST(timestamp_goes_back),
                TEST(snapshot_goes_back),
                TEST(expiry),
                TEST(expiry_alone),
                TEST(keep_snapshot),
                TEST(files),
                TEST(many_delegated),
                TEST(types),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
