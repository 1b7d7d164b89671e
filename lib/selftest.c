/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest.h"

#include <stdio.h>

#include "envelope.h"

static const char *const op_words[] = {
#define X(id, word) [id] = word,
        SELFTEST_OPS(X)
#undef X
};

const char *selftest_op_word(enum selftest_op op) {
        return op < SELFTEST_OP_COUNT ? op_words[op] : "?";
}

void selftest_done(struct selftest *t) {
        free(t->name);
        free(t->at.path);
        free(t->at.dir);
        free(t->to.path);
        free(t->to.dir);
        free(t->fs);
        free(t->json);
        *t = (struct selftest){};
}

void selftests_done(struct selftests *tests) {
        for (size_t i = 0; i < tests->n; i++)
                selftest_done(&tests->tests[i]);
        free(tests->tests);
        *tests = (struct selftests){};
}

static int malformed(struct err *err, const char *what) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", what);
}

/* ---- the subject ---- */

static int caps_parse(const json_t *j, uint64_t *ret, struct err *err) {
        const char *word = json_string_value(j);
        uint64_t caps = 0;
        json_t *v;
        size_t i;

        if (word && (streq(word, "all") || streq(word, "none"))) {
                *ret = streq(word, "all") ? SELFTEST_CAPS_ALL : 0;
                return 0;
        }
        if (!json_is_array(j))
                return malformed(err, "'caps' is neither all nor none nor a list of capabilities");
        json_array_foreach(j, i, v) {
                int cap = json_is_string(v) ? capability_from_name(json_string_value(v)) : -EINVAL;

                if (cap < 0)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' in 'caps' is no capability",
                                       json_is_string(v) ? json_string_value(v) : "?");
                if (caps & 1ULL << cap)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "%s stands twice in 'caps'", capability_name(cap));
                caps |= 1ULL << cap;
        }
        *ret = caps;
        return 0;
}

static int id_parse(const json_t *j, const char *key, uint32_t *ret, struct err *err) {
        long long id;
        int r = json_get_int(j, key, 0, UINT32_MAX - 1, &id, err); /* the highest means "leave as it is" to setresuid(2) */

        if (r < 0)
                return r;
        *ret = id;
        return 0;
}

static int subject_parse(const json_t *j, struct selftest_subject *ret, struct err *err) {
        struct selftest_subject as = {.comm = "selftest"};
        const char *key, *comm;
        json_t *v;
        int r;

        json_object_foreach((json_t *)j, key, v) {
                if (!streq(key, "comm") && !streq(key, "uid") && !streq(key, "gid") && !streq(key, "caps") &&
                    !streq(key, "host") && !streq(key, "scope"))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "'as' knows no '%s' (comm, uid, gid, caps, host, scope)",
                                       key);
        }

        if (json_object_get(j, "comm")) {
                r = json_get_string(j, "comm", &comm, err);
                if (r < 0)
                        return r;
                if (!comm[0] || strlen(comm) >= sizeof(as.comm))
                        return malformed(err, "'comm' has 1 to 15 bytes");
                strcpy(as.comm, comm);
        }
        if (json_object_get(j, "uid")) {
                r = id_parse(j, "uid", &as.uid, err);
                if (r < 0)
                        return r;
        }
        as.gid = as.uid;
        if (json_object_get(j, "gid")) {
                r = id_parse(j, "gid", &as.gid, err);
                if (r < 0)
                        return r;
        }
        as.caps = as.uid == 0 ? SELFTEST_CAPS_ALL : 0;
        if (json_object_get(j, "caps")) {
                r = caps_parse(json_object_get(j, "caps"), &as.caps, err);
                if (r < 0)
                        return r;
        }
        if (json_object_get(j, "host")) {
                if (!json_is_boolean(json_object_get(j, "host")))
                        return malformed(err, "'host' is true or false");
                as.apart = json_is_false(json_object_get(j, "host"));
        }
        if (json_object_get(j, "scope")) {
                const char *policy;

                r = json_get_string(j, "scope", &policy, err);
                if (r < 0)
                        return r;
                if (!name_valid(policy))
                        return malformed(err, "'scope' is the name of a policy, in whose scope to be");
                strcpy(as.scope, policy);
        }
        *ret = as;
        return 0;
}

/* ---- how it must end ---- */

/* Errors that say "the network has no such thing": where connect is allowed, they are what a harmless attempt ends in. */
static bool errno_is_networks(int error) {
        return error == ECONNREFUSED || error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
               error == EADDRNOTAVAIL;
}

static bool op_meets_network(enum selftest_op op) {
        return op == SELFTEST_CONNECT || op == SELFTEST_BIND || op == SELFTEST_SENDMSG || op == SELFTEST_LISTEN ||
               op == SELFTEST_ACCEPT;
}

static int expect_parse(const json_t *j, struct selftest *t, struct err *err) {
        const char *word;
        int e, r;

        r = json_get_string(j, "expect", &word, err);
        if (r < 0)
                return r;
        e = streq(word, "ok") ? 0 : errno_from_name(word);
        if (e < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'expect' is '%s': neither ok nor an error's name (EACCES ...)",
                               word);
        if (op_meets_network(t->op) && errno_is_networks(e))
                return err_set(err, -EBADMSG, REASON_MALFORMED,
                               "'expect' is %s, which is what the network itself answers: %s cannot tell it from a denial", word,
                               selftest_op_word(t->op));
        /* What is asked of bpf(2) is nonsense but for two commands, which make something. */
        if (t->op == SELFTEST_BPF && !selftest_bpf_makes(t) && (e == EINVAL || e == EBADF))
                return err_set(err, -EBADMSG, REASON_MALFORMED,
                               "'expect' is %s, which is what the kernel itself answers: bpf cannot tell it from a denial", word);
        t->expect = e;
        return 0;
}

/* ---- a test, a document ---- */

static int name_parse(const json_t *j, char **ret, struct err *err) {
        const char *name;
        int r = json_get_string(j, "name", &name, err);

        if (r < 0)
                return r;
        if (!name[0] || strlen(name) > SELFTEST_NAME_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'name' has 1 to %d bytes", SELFTEST_NAME_MAX);
        *ret = strdup(name);
        return *ret ? 0 : err_errno(err, -ENOMEM, "self-tests");
}

static int test_fields_parse(const json_t *j, struct selftest *t, struct err *err) {
        json_t *as = NULL, *what = NULL, *v;
        const char *key;
        int r;

        json_object_foreach((json_t *)j, key, v) {
                if (!streq(key, "name") && !streq(key, "as") && !streq(key, "do") && !streq(key, "expect"))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "unknown key '%s' (name, as, do, expect)", key);
        }

        if (json_object_get(j, "as")) {
                r = json_get_object(j, "as", &as, err);
                if (r < 0)
                        return r;
        }
        r = subject_parse(as, &t->as, err);
        if (r < 0)
                return r;
        r = json_get_object(j, "do", &what, err);
        if (r < 0)
                return r;
        r = selftest_op_parse(what, t, err);
        if (r < 0)
                return r;
        return expect_parse(j, t, err);
}

static int test_parse(const json_t *j, struct selftest *ret, struct err *err) {
        cleanup_selftest struct selftest t = {};
        cleanup_buf struct buf b = {};
        int r;

        if (!json_is_object(j))
                return malformed(err, "not an object");
        r = name_parse(j, &t.name, err);
        if (r < 0)
                return r;
        r = test_fields_parse(j, &t, err);
        if (r < 0)
                return err_wrap(err, r, "'%s'", t.name);
        r = json_canonical(j, &b, err);
        if (r < 0)
                return err_wrap(err, r, "'%s'", t.name);
        if (b.len > SELFTEST_JSON_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s': more than %d bytes", t.name, SELFTEST_JSON_MAX);
        t.json = steal_pointer(b.data);

        *ret = t;
        t = (struct selftest){};
        return 0;
}

int selftest_parse(const void *p, size_t n, struct selftest *ret, struct err *err) {
        cleanup_json json_t *j = NULL;
        int r = json_parse(p, n, &j, err);

        return r < 0 ? r : test_parse(j, ret, err);
}

static int document_parse(const json_t *list, struct selftests *tests, struct err *err) {
        cleanup_json json_t *names = json_object();
        json_t *j;
        size_t i;

        tests->tests = new_array(json_array_size(list), sizeof(*tests->tests));
        if (!names || !tests->tests)
                return err_errno(err, -ENOMEM, "self-tests");
        json_array_foreach(list, i, j) {
                struct selftest *t = &tests->tests[i];
                int r = test_parse(j, t, err);

                if (r < 0)
                        return err_wrap(err, r, "self-test %zu", i + 1);
                tests->n++;
                if (json_object_get(names, t->name))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "self-test %zu: there is another one named '%s'", i + 1,
                                       t->name);
                if (json_object_set_new(names, t->name, json_true()) < 0)
                        return err_errno(err, -ENOMEM, "self-tests");
        }
        return 0;
}

int selftests_parse(const void *p, size_t n, struct selftests *ret, struct err *err) {
        cleanup_selftests struct selftests tests = {};
        cleanup_json json_t *doc = NULL;
        json_t *list = NULL, *v;
        const char *key;
        int r;

        r = signed_open(p, n, SELFTESTS_TYPE, &doc, err);
        if (r < 0)
                return err_wrap(err, r, "self-tests");
        json_object_foreach(doc, key, v) {
                if (!streq(key, "_type") && !streq(key, "format") && !streq(key, "tests"))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "self-tests: unknown key '%s'", key);
        }
        r = json_get_array(doc, "tests", &list, err);
        if (r < 0)
                return err_wrap(err, r, "self-tests");
        if (json_array_size(list) > SELFTESTS_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "more than %d self-tests", SELFTESTS_MAX);
        r = document_parse(list, &tests, err);
        if (r < 0)
                return r;

        *ret = tests;
        tests = (struct selftests){};
        return 0;
}
