/* SPDX-License-Identifier: Apache-2.0 */
/* The self-tests' vocabulary: what a test says arrives as it was said, and nothing that could do harm gets past the parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "selftest.h"

/* ---- helpers ---- */

/* A document with this text as its list, made canonical as the builder does. */
static void document(const char *list, struct buf *ret) {
        cleanup_buf struct buf text = {};
        cleanup_json json_t *j = NULL;

        assert_int_equal(buf_printf(&text, "{\"_type\":\"lsm-selftests\",\"format\":1,\"tests\":%s}", list), 0);
        assert_int_equal(json_parse(text.data, text.len, &j, NULL), 0);
        assert_int_equal(json_canonical(j, ret, NULL), 0);
}

static int parse_list(const char *list, struct selftests *ret, struct err *err) {
        cleanup_buf struct buf b = {};

        document(list, &b);
        return selftests_parse(b.data, b.len, ret, err);
}

static int parse_one(const char *as, const char *what, const char *expect, struct selftests *ret, struct err *err) {
        cleanup_buf struct buf b = {};

        assert_int_equal(buf_printf(&b, "[{\"name\":\"t\",\"as\":%s,\"do\":%s,\"expect\":\"%s\"}]", as, what, expect), 0);
        return parse_list(b.data, ret, err);
}

/* The one test with this `do`; the caller frees. */
static struct selftests accepted(const char *what) {
        struct selftests tests = {};
        struct err err = {};

        if (parse_one("{}", what, "ok", &tests, &err) < 0)
                fail_msg("%s: %s", what, err.msg);
        assert_int_equal(tests.n, 1);
        return tests;
}

static void refused(const char *as, const char *what, const char *expect, enum reason reason, const char *words) {
        struct selftests tests = {};
        struct err err = {};
        int r = parse_one(as, what, expect, &tests, &err);

        if (r >= 0)
                fail_msg("accepted: as %s do %s expect %s", as, what, expect);
        assert_null(tests.tests);
        if (err.reason != reason || !strstr(err.msg, words))
                fail_msg("do %s: [%s] %s; expected [%s] ...%s...", what, reason_word(err.reason), err.msg, reason_word(reason),
                         words);
        assert_non_null(strstr(err.msg, "self-test 1: 't': "));
}

/* ---- what is understood ---- */

static void test_document(void **state) {
        cleanup_selftests struct selftests tests = {};
        cleanup_selftest struct selftest again = {};
        struct err err = {};

        assert_int_equal(parse_list("[]", &tests, &err), 0);
        assert_int_equal(tests.n, 0);
        selftests_done(&tests);

        assert_int_equal(parse_list("[{\"name\":\"shadow is closed\",\"as\":{\"comm\":\"unprivileged\",\"uid\":65534},"
                                    "\"do\":{\"open\":\"/etc/shadow\",\"flags\":[\"read\"]},\"expect\":\"EACCES\"},"
                                    "{\"name\":\"hostname still opens\",\"do\":{\"open\":\"/etc/hostname\"},\"expect\":\"ok\"}]",
                                    &tests, &err),
                         0);
        assert_int_equal(tests.n, 2);
        assert_string_equal(tests.tests[0].name, "shadow is closed");
        assert_string_equal(tests.tests[0].as.comm, "unprivileged");
        assert_int_equal(tests.tests[0].as.uid, 65534);
        assert_int_equal(tests.tests[0].op, SELFTEST_OPEN);
        assert_int_equal(tests.tests[0].flags, SELFTEST_O_READ);
        assert_string_equal(tests.tests[0].at.path, "/etc/shadow");
        assert_int_equal(tests.tests[0].expect, EACCES);
        assert_int_equal(tests.tests[1].expect, 0);

        /* The probe reads a test back from its own JSON: it must be the same test. */
        assert_int_equal(selftest_parse(tests.tests[0].json, strlen(tests.tests[0].json), &again, &err), 0);
        assert_string_equal(again.name, "shadow is closed");
        assert_int_equal(again.as.uid, 65534);
        assert_int_equal(again.expect, EACCES);
        assert_string_equal(again.json, tests.tests[0].json);
}

static void test_subject(void **state) {
        static const struct {
                const char *as;
                struct selftest_subject expected;
        } cases[] = {
                {"{}", {"selftest", 0, 0, SELFTEST_CAPS_ALL}},
                {"{\"uid\":7}", {"selftest", 7, 7, 0}},
                {"{\"uid\":7,\"gid\":0}", {"selftest", 7, 0, 0}},
                {"{\"gid\":9}", {"selftest", 0, 9, SELFTEST_CAPS_ALL}},
                {"{\"caps\":\"none\"}", {"selftest", 0, 0, 0}},
                {"{\"uid\":7,\"caps\":\"all\"}", {"selftest", 7, 7, SELFTEST_CAPS_ALL}},
                {"{\"caps\":[]}", {"selftest", 0, 0, 0}},
                {"{\"caps\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"]}", {"selftest", 0, 0, 1ULL | 1ULL << 40}},
                {"{\"comm\":\"123456789012345\",\"uid\":4294967294}", {"123456789012345", 4294967294, 4294967294, 0}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = {};
                const struct selftest_subject *as;

                assert_int_equal(parse_one(cases[i].as, "{\"fork\":true}", "ok", &tests, NULL), 0);
                as = &tests.tests[0].as;
                assert_string_equal(as->comm, cases[i].expected.comm);
                assert_int_equal(as->uid, cases[i].expected.uid);
                assert_int_equal(as->gid, cases[i].expected.gid);
                assert_true(as->caps == cases[i].expected.caps);
        }
}

static void test_subject_refusals(void **state) {
        static const char *const cases[][2] = {
                {"{\"comm\":\"\"}", "1 to 15"},
                {"{\"comm\":\"1234567890123456\"}", "1 to 15"},
                {"{\"comm\":5}", "not a string"},
                {"{\"uid\":-1}", "not between"},
                {"{\"uid\":4294967295}", "not between"},
                {"{\"uid\":\"root\"}", "not an integer"},
                {"{\"gid\":4294967295}", "not between"},
                {"{\"caps\":\"some\"}", "neither all nor none"},
                {"{\"caps\":true}", "neither all nor none"},
                {"{\"caps\":[\"CAP_NONSENSE\"]}", "'CAP_NONSENSE' in 'caps' is no capability"},
                {"{\"caps\":[\"sys_admin\"]}", "no capability"},
                {"{\"caps\":[1]}", "no capability"},
                {"{\"caps\":[\"CAP_BPF\",\"CAP_BPF\"]}", "CAP_BPF stands twice"},
                {"{\"role\":\"credentials\"}", "knows no 'role'"},
                {"{\"host\":\"no\"}", "'host' is true or false"},
                {"{\"host\":0}", "'host' is true or false"},
                {"{\"scope\":\"\"}", "'scope' is the name of a policy"},
                {"{\"scope\":\"A/../b\"}", "'scope' is the name of a policy"},
                {"{\"scope\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
                 "'scope' is the name of a policy"},
                {"{\"scope\":[\"a\"]}", "'scope'"},
                {"[]", "not an object"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refused(cases[i][0], "{\"fork\":true}", "ok", REASON_MALFORMED, cases[i][1]);
}

static void test_expect_refusals(void **state) {
        refused("{}", "{\"fork\":true}", "denied", REASON_MALFORMED, "neither ok nor");
        refused("{}", "{\"fork\":true}", "eacces", REASON_MALFORMED, "neither ok nor");
        refused("{}", "{\"fork\":true}", "OK", REASON_MALFORMED, "neither ok nor");
        refused("{}", "{\"fork\":true}", "13", REASON_MALFORMED, "neither ok nor");
        refused("{}", "{\"fork\":true}", "", REASON_MALFORMED, "neither ok nor");
        /* A closed port says ECONNREFUSED without any policy: such a test would always pass. */
        refused("{}", "{\"connect\":{\"family\":\"inet\"}}", "ECONNREFUSED", REASON_MALFORMED, "network itself");
        refused("{}", "{\"connect\":{\"family\":\"inet\"}}", "ENETUNREACH", REASON_MALFORMED, "network itself");
        refused("{}", "{\"bind\":{\"family\":\"inet\"}}", "EADDRNOTAVAIL", REASON_MALFORMED, "network itself");
        refused("{}", "{\"sendmsg\":{\"family\":\"inet\"}}", "ENETUNREACH", REASON_MALFORMED, "network itself");
        /* So does bpf(2) of what it is asked. */
        refused("{}", "{\"bpf\":\"map-freeze\"}", "EINVAL", REASON_MALFORMED, "kernel itself");
        refused("{}", "{\"bpf\":\"link_detach\"}", "EBADF", REASON_MALFORMED, "kernel itself");
}

static void test_places(void **state) {
        static const struct {
                const char *what, *dir, *leaf;
        } cases[] = {
                {"{\"open\":\"/etc/shadow\"}", NULL, NULL},
                {"{\"open\":\"/etc/\"}", "/etc", NULL},
                {"{\"open\":\"/\"}", "/", NULL},
                {"{\"open\":\"/*/shadow\"}", "/", "shadow"},
                {"{\"open\":\"/a b/..c/*/.x\"}", "/a b/..c", ".x"},
                {"{\"open\":\"/a*b\"}", NULL, NULL},
                {"{\"create\":\"/dev/shm/\"}", "/dev/shm", NULL},
                {"{\"unlink\":\"/processes/\"}", "/processes", NULL},
                {"{\"mkdir\":\"/tmp/*/d\"}", "/tmp", "d"},
                {"{\"exec\":\"/tmp/\"}", "/tmp", NULL},
                {"{\"exec\":\"/usr/bin/id\"}", NULL, NULL},
                {"{\"open\":\"/proc/kcore\"}", NULL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = accepted(cases[i].what);
                const struct selftest_place *at = &tests.tests[0].at;

                assert_int_equal(!at->dir, !cases[i].dir);
                assert_int_equal(!at->leaf, !cases[i].leaf);
                if (at->dir)
                        assert_string_equal(at->dir, cases[i].dir);
                if (at->leaf)
                        assert_string_equal(at->leaf, cases[i].leaf);
        }
}

static void test_open(void **state) {
        static const struct {
                const char *what;
                int flags;
        } cases[] = {
                {"{\"open\":\"/f\"}", SELFTEST_O_READ},
                {"{\"open\":\"/f\",\"flags\":[\"write\"]}", SELFTEST_O_WRITE},
                {"{\"open\":\"/f\",\"flags\":[\"read\",\"append\"]}", SELFTEST_O_READ | SELFTEST_O_APPEND},
                {"{\"open\":\"/tmp/\",\"flags\":[\"write\",\"create\",\"truncate\"]}",
                 SELFTEST_O_WRITE | SELFTEST_O_CREATE | SELFTEST_O_TRUNCATE},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = accepted(cases[i].what);

                assert_int_equal(tests.tests[0].flags, cases[i].flags);
        }
}

static void test_other_operations(void **state) {
        cleanup_selftests struct selftests mmap_default = accepted("{\"mmap\":\"/usr/bin/id\"}");
        cleanup_selftests struct selftests mmap_exec = accepted("{\"mmap\":\"/usr/bin/id\",\"prot\":[\"read\",\"exec\"]}");
        cleanup_selftests struct selftests rename = accepted("{\"rename\":[\"/tmp/\",\"/etc/*/x\"]}");
        cleanup_selftests struct selftests mount = accepted("{\"mount\":{\"type\":\"tmpfs\",\"target\":\"/mnt\"}}");
        cleanup_selftests struct selftests bind =
                accepted("{\"mount\":{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/mnt\"}}");
        cleanup_selftests struct selftests cap = accepted("{\"capability\":\"CAP_SYS_PTRACE\"}");

        assert_int_equal(mmap_default.tests[0].flags, PROT_READ);
        assert_int_equal(mmap_exec.tests[0].flags, PROT_READ | PROT_EXEC);
        assert_string_equal(rename.tests[0].at.dir, "/tmp");
        assert_string_equal(rename.tests[0].to.dir, "/etc");
        assert_string_equal(rename.tests[0].to.leaf, "x");
        assert_string_equal(mount.tests[0].fs, "tmpfs");
        assert_null(mount.tests[0].to.path);
        assert_string_equal(bind.tests[0].to.path, "/etc");
        assert_string_equal(bind.tests[0].at.path, "/mnt");
        assert_int_equal(cap.tests[0].capability, 19);
}

static void test_stand_ins(void **state) {
        cleanup_selftests struct selftests one = accepted("{\"unlink\":\"/etc/passwd\"}");
        cleanup_selftests struct selftests open = accepted("{\"open\":\"/etc/passwd\",\"flags\":[\"write\",\"truncate\"]}");
        cleanup_selftests struct selftests real = accepted("{\"open\":\"/etc/passwd\",\"flags\":[\"write\"]}");
        cleanup_selftests struct selftests both = accepted("{\"rename\":[\"/etc/passwd\",\"/etc/x/passwd\"]}");
        cleanup_selftests struct selftests up = accepted("{\"link\":[\"/etc/a/b/c\",\"/etc/b\"]}");
        cleanup_selftests struct selftests fresh = accepted("{\"chmod\":\"/tmp/\"}");

        assert_true(one.tests[0].at.stand_in && open.tests[0].at.stand_in);
        assert_false(real.tests[0].at.stand_in || fresh.tests[0].at.stand_in);
        assert_true(both.tests[0].at.stand_in && both.tests[0].to.stand_in);
        assert_string_equal(up.tests[0].to.path, "/etc/b");
}

static void test_what_reaches_into_the_kernel(void **state) {
        cleanup_selftests struct selftests file = accepted("{\"module-load\":\"file\"}");
        cleanup_selftests struct selftests memory = accepted("{\"kexec\":\"memory\"}");
        cleanup_selftests struct selftests place = accepted("{\"module-load\":\"/lib/modules/x.ko\"}");
        cleanup_selftests struct selftests prog = accepted("{\"bpf\":\"prog-load\"}");
        cleanup_selftests struct selftests map = accepted("{\"bpf\":\"map-create\"}");
        cleanup_selftests struct selftests id = accepted("{\"setuid\":4294967294}");
        cleanup_selftests struct selftests node = accepted("{\"mknod\":\"/tmp/\",\"kind\":\"block\"}");

        assert_false(file.tests[0].memory);
        assert_null(file.tests[0].at.path);
        assert_true(memory.tests[0].memory);
        assert_true(place.tests[0].at.stand_in);
        assert_int_equal(prog.tests[0].command, BPF_PROG_LOAD);
        assert_int_equal(map.tests[0].command, BPF_MAP_CREATE);
        assert_int_equal(id.tests[0].id, 4294967294);
        assert_int_equal(node.tests[0].flags, S_IFBLK);
}

static void test_plain_operations(void **state) {
        static const struct {
                const char *what;
                enum selftest_op op;
        } cases[] = {
                {"{\"ptrace\":\"child\"}", SELFTEST_PTRACE},      {"{\"signal\":\"child\"}", SELFTEST_SIGNAL},
                {"{\"bpf\":\"map-create\"}", SELFTEST_BPF},       {"{\"fork\":true}", SELFTEST_FORK},
                {"{\"read\":\"/etc/hostname\"}", SELFTEST_READ},  {"{\"create\":\"/tmp/\"}", SELFTEST_CREATE},
                {"{\"unlink\":\"/tmp/\"}", SELFTEST_UNLINK},      {"{\"mkdir\":\"/tmp/\"}", SELFTEST_MKDIR},
                {"{\"rmdir\":\"/tmp/\"}", SELFTEST_RMDIR},        {"{\"symlink\":\"/tmp/*/x\"}", SELFTEST_SYMLINK},
                {"{\"chmod\":\"/etc/x\"}", SELFTEST_CHMOD},       {"{\"chown\":\"/etc/x\"}", SELFTEST_CHOWN},
                {"{\"truncate\":\"/etc/x\"}", SELFTEST_TRUNCATE}, {"{\"setxattr\":\"/etc/x\"}", SELFTEST_SETXATTR},
                {"{\"bpf\":\"prog-load\"}", SELFTEST_BPF},        {"{\"userns\":\"create\"}", SELFTEST_USERNS},
                {"{\"umount\":\"/mnt\"}", SELFTEST_UMOUNT},       {"{\"pivot-root\":\"/mnt\"}", SELFTEST_PIVOT_ROOT},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = accepted(cases[i].what);

                assert_int_equal(tests.tests[0].op, cases[i].op);
        }
}

static void test_socket(void **state) {
        static const struct {
                const char *what;
                int family, type, protocol;
        } cases[] = {
                {"{\"socket\":[\"inet\",\"stream\"]}", AF_INET, SOCK_STREAM, 0},
                {"{\"socket\":[\"inet\",\"raw\"]}", AF_INET, SOCK_RAW, IPPROTO_ICMP},
                {"{\"socket\":[\"inet6\",\"raw\"]}", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
                {"{\"socket\":[\"inet\",\"raw\",255]}", AF_INET, SOCK_RAW, 255},
                {"{\"socket\":[\"inet\",\"dgram\",\"udp\"]}", AF_INET, SOCK_DGRAM, IPPROTO_UDP},
                {"{\"socket\":[\"packet\",\"raw\"]}", AF_PACKET, SOCK_RAW, 0},
                {"{\"socket\":[\"netlink\",\"raw\"]}", AF_NETLINK, SOCK_RAW, 0},
                {"{\"socket\":[\"unix\",\"seqpacket\"]}", AF_UNIX, SOCK_SEQPACKET, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = accepted(cases[i].what);

                assert_int_equal(tests.tests[0].family, cases[i].family);
                assert_int_equal(tests.tests[0].type, cases[i].type);
                assert_int_equal(tests.tests[0].protocol, cases[i].protocol);
        }
}

static void test_connect(void **state) {
        cleanup_selftests struct selftests inet = accepted("{\"connect\":{\"family\":\"inet\"}}");
        cleanup_selftests struct selftests udp =
                accepted("{\"connect\":{\"family\":\"inet\",\"type\":\"dgram\",\"address\":\"10.1.2.3\",\"port\":443}}");
        cleanup_selftests struct selftests inet6 =
                accepted("{\"connect\":{\"family\":\"inet6\",\"address\":\"::1\",\"port\":22}}");
        cleanup_selftests struct selftests local = accepted("{\"connect\":{\"family\":\"unix\"}}");

        assert_int_equal(inet.tests[0].type, SOCK_STREAM);
        assert_int_equal(ntohl(inet.tests[0].addr.in.sin_addr.s_addr), INADDR_LOOPBACK);
        assert_int_equal(inet.tests[0].addr.in.sin_port, 0); /* the probe finds a closed one */
        assert_int_equal(ntohl(udp.tests[0].addr.in.sin_addr.s_addr), 0x0a010203);
        assert_int_equal(ntohs(udp.tests[0].addr.in.sin_port), 443);
        assert_int_equal(inet6.tests[0].addr.any.sa_family, AF_INET6);
        assert_int_equal(ntohs(inet6.tests[0].addr.in6.sin6_port), 22);
        assert_int_equal(local.tests[0].family, AF_UNIX);
}

/* ---- what is refused ---- */

static void test_operation_refusals(void **state) {
        static const char *const cases[][2] = {
                {"{}", "names no operation"},
                {"{\"fork\":true,\"open\":\"/f\"}", "two operations"},
                {"{\"fork\":true,\"flags\":[\"read\"]}", "unknown key 'flags'"},
                {"{\"open\":\"/f\",\"prot\":[\"read\"]}", "unknown key 'prot'"},
                {"{\"fork\":false}", "operand is true"},
                {"{\"fork\":1}", "operand is true"},
                /* paths */
                {"{\"open\":5}", "not a path"},
                {"{\"open\":\"\"}", "a path starts with"},
                {"{\"open\":\"etc/shadow\"}", "a path starts with"},
                {"{\"open\":\"/etc/../etc/shadow\"}", "a path starts with"},
                {"{\"open\":\"/etc/./shadow\"}", "a path starts with"},
                {"{\"open\":\"/etc//shadow\"}", "a path starts with"},
                {"{\"open\":\"//\"}", "a path starts with"},
                {"{\"open\":\"/etc/..\"}", "a path starts with"},
                {"{\"open\":\"/a/*/b/c\"}", "one name"},
                {"{\"open\":\"/a/*/*/c\"}", "one name"},
                {"{\"open\":\"/a/*/\"}", "one name"},
                /* open */
                {"{\"open\":\"/f\",\"flags\":[]}", "list of words"},
                {"{\"open\":\"/f\",\"flags\":\"read\"}", "list of words"},
                {"{\"open\":\"/f\",\"flags\":[\"path\"]}", "knows no 'path'"},
                {"{\"open\":\"/f\",\"flags\":[1]}", "knows no"},
                {"{\"open\":\"/f\",\"flags\":[\"read\",\"read\"]}", "twice"},
                {"{\"open\":\"/tmp/\",\"flags\":[\"create\"]}", "needs read, write or append"},
                {"{\"open\":\"/tmp/\",\"flags\":[\"read\",\"truncate\"]}", "'truncate' needs write"},
                /* a real file must never be made, emptied, moved or removed, even where the policy fails */
                {"{\"open\":\"/etc/passwd\",\"flags\":[\"truncate\"]}", "needs read"},
                {"{\"open\":\"/nologin\",\"flags\":[\"write\",\"create\"]}", "nothing can stand in"},
                {"{\"create\":\"/x\"}", "nothing can stand in"},
                {"{\"unlink\":\"/vmlinuz\"}", "nothing can stand in"},
                {"{\"mkdir\":\"/sys/x\"}", "nothing is made"},
                {"{\"chmod\":\"/dev/null\"}", "nothing is made"},
                {"{\"truncate\":\"/proc/self/comm\"}", "nothing is made"},
                {"{\"rename\":[\"/etc/passwd\",\"/tmp/\"]}", "different file systems"},
                {"{\"link\":[\"/tmp/\",\"/etc/passwd\"]}", "different file systems"},
                {"{\"rename\":[\"/etc/passwd\",\"/tmp/passwd\"]}", "the directory of one of them holds the other"},
                {"{\"rename\":[\"/etc/passwd\",\"/etcx/passwd\"]}", "the directory of one of them holds the other"},
                {"{\"link\":[\"/etc/passwd\",\"/etc/passwd\"]}", "one and the same"},
                {"{\"link\":\"/etc/passwd\"}", "[FROM, TO]"},
                {"{\"mknod\":\"/tmp/\",\"kind\":\"file\"}", "'kind' is one of"},
                {"{\"mkdir\":\"/tmp/\",\"kind\":\"fifo\"}", "unknown key 'kind'"},
                {"{\"rename\":[\"/tmp/\"]}", "[FROM, TO]"},
                {"{\"rename\":\"/tmp/\"}", "[FROM, TO]"},
                {"{\"rename\":[\"/tmp/\",7]}", "not a path"},
                {"{\"mkdir\":\"/sys/fs/cgroup/\"}", "nothing is made"},
                {"{\"create\":\"/proc/\"}", "nothing is made"},
                {"{\"create\":\"/dev/\"}", "nothing is made"},
                {"{\"create\":\"/dev/mqueue/*/x\"}", "nothing is made"},
                {"{\"exec\":\"/sys/\"}", "nothing is made"},
                {"{\"read\":\"/proc/kmsg\"}", "reading can act"},
                {"{\"read\":\"/sys/kernel/x\"}", "reading can act"},
                {"{\"mmap\":\"/dev/mem\"}", "reading can act"},
                {"{\"mmap\":\"/f\",\"prot\":[\"shared\"]}", "knows no 'shared'"},
                /* mount */
                {"{\"mount\":\"/mnt\"}", "{type, target, source}"},
                {"{\"mount\":{\"target\":\"/mnt\"}}", "'type' is missing"},
                {"{\"mount\":{\"type\":\"ext4\",\"target\":\"/mnt\"}}", "'type' is one of"},
                {"{\"mount\":{\"type\":\"cgroup\",\"target\":\"/mnt\"}}", "'type' is one of"},
                {"{\"mount\":{\"type\":\"tmpfs\"}}", "not a path"},
                {"{\"mount\":{\"type\":\"bind\",\"target\":\"/mnt\"}}", "'source' goes with"},
                {"{\"mount\":{\"type\":\"tmpfs\",\"target\":\"/mnt\",\"source\":\"/dev/sda\"}}", "'source' goes with"},
                {"{\"mount\":{\"type\":\"tmpfs\",\"target\":\"/mnt\",\"flags\":[]}}", "it knows type"},
                {"{\"mount\":{\"type\":\"tmpfs\",\"target\":\"/mnt/\"}}", "no slash at the end"},
                /* sockets */
                {"{\"socket\":\"inet\"}", "[FAMILY, TYPE]"},
                {"{\"socket\":[\"inet\"]}", "[FAMILY, TYPE]"},
                {"{\"socket\":[\"inet\",\"raw\",1,2]}", "[FAMILY, TYPE]"},
                {"{\"socket\":[\"alg\",\"seqpacket\"]}", "the family is one of"},
                {"{\"socket\":[2,\"stream\"]}", "the family is one of"},
                {"{\"socket\":[\"inet\",\"rdm\"]}", "the type is one of"},
                {"{\"socket\":[\"inet\",\"raw\",-1]}", "the protocol is one of"},
                {"{\"socket\":[\"inet\",\"raw\",65536]}", "the protocol is one of"},
                {"{\"socket\":[\"inet\",\"raw\",\"ospf\"]}", "the protocol is one of"},
                {"{\"connect\":\"127.0.0.1:1\"}", "{family, type, address, port}"},
                {"{\"connect\":{}}", "'family' is one of"},
                {"{\"connect\":{\"family\":\"packet\"}}", "'family' is one of"},
                {"{\"connect\":{\"family\":\"inet\",\"type\":\"raw\"}}", "'type' is stream or dgram"},
                {"{\"accept\":{\"family\":\"inet\",\"address\":\"10.0.0.1\"}}", "loopback address only"},
                {"{\"accept\":{\"family\":\"inet6\",\"address\":\"::ffff:127.0.0.1\"}}", "loopback address only"},
                {"{\"listen\":{\"family\":\"inet\",\"type\":\"dgram\"}}", "it takes a stream"},
                {"{\"sendmsg\":{\"family\":\"inet\",\"type\":\"stream\"}}", "it takes dgram"},
                {"{\"sendmsg\":{\"family\":\"inet\",\"address\":\"255.255.255.255\"}}", "kernel itself"},
                {"{\"bind\":{\"family\":\"packet\"}}", "do bind: 'family' is one of"},
                {"{\"bind\":\"0.0.0.0:1\"}", "do bind: its operand is not"},
                {"{\"connect\":{\"family\":\"inet\",\"address\":\"::1\"}}", "no address of its family"},
                {"{\"connect\":{\"family\":\"inet\",\"address\":\"localhost\"}}", "no address of its family"},
                {"{\"connect\":{\"family\":\"inet\",\"type\":\"dgram\",\"address\":\"255.255.255.255\"}}", "kernel itself"},
                {"{\"connect\":{\"family\":\"inet\",\"port\":0}}", "not between"},
                {"{\"connect\":{\"family\":\"inet\",\"port\":65536}}", "not between"},
                {"{\"connect\":{\"family\":\"inet\",\"host\":\"x\"}}", "it knows family"},
                {"{\"connect\":{\"family\":\"unix\",\"port\":1}}", "has no port"},
                {"{\"connect\":{\"family\":\"unix\",\"address\":\"run/x\"}}", "a path, or '@' and a name"},
                {"{\"bind\":{\"family\":\"unix\",\"address\":\"@\"}}", "2 to 107 bytes"},
                {"{\"bind\":{\"family\":\"unix\",\"address\":\"/proc/x\"}}", "nothing is made in /proc"},
                {"{\"bind\":{\"family\":\"unix\",\"address\":\"/var/lib/a-long-name/of-a-folder/in-which/it-is/\"}}", "no room"},
                {"{\"signal\":\"child\",\"send\":\"NONE\"}", "no signal's name"},
                {"{\"signal\":\"child\",\"send\":\"RTMIN\"}", "no signal's name"},
                {"{\"ptrace\":\"child\",\"send\":\"TERM\"}", "unknown key 'send'"},
                /* the rest */
                {"{\"ptrace\":1}", "the word child"},
                {"{\"ptrace\":\"init\"}", "the word child"},
                {"{\"signal\":\"1\"}", "the word child"},
                {"{\"bpf\":\"prog-attack\"}", "map-create"},
                {"{\"umount\":\"/\"}", "not '/'"},
                {"{\"umount\":\"/mnt/\"}", "without a slash"},
                {"{\"pivot-root\":\"/*/x\"}", "without a slash"},
                {"{\"move-mount\":[\"/mnt\",\"/srv\"]}", "{source, target}"},
                {"{\"move-mount\":{\"source\":\"/mnt\"}}", "not a path"},
                {"{\"move-mount\":{\"source\":\"/mnt\",\"target\":\"/mnt\"}}", "one and the same"},
                {"{\"move-mount\":{\"source\":\"/mnt\",\"target\":\"/srv\",\"x\":1}}", "it knows source and target"},
                {"{\"module-load\":true}", "the word memory, the word file, or a path"},
                {"{\"module-load\":\"overlay\"}", "the word memory, the word file, or a path"},
                {"{\"kexec\":\"/proc/x\"}", "nothing is made"},
                {"{\"userns\":true}", "the word create"},
                {"{\"setuid\":\"root\"}", "the number of an id"},
                {"{\"setuid\":-1}", "the number of an id"},
                {"{\"setgid\":4294967295}", "the number of an id"},
                {"{\"capability\":\"SYS_ADMIN\"}", "no capability"},
                {"{\"capability\":21}", "no capability"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                refused("{}", cases[i][0], "EACCES", REASON_MALFORMED, cases[i][1]);
        refused("{}", "{\"swapon\":\"/tmp/\"}", "ok", REASON_UNSUPPORTED_FORMAT, "knows no operation 'swapon'");
        refused("{}", "{\"capability\":\"CAP_MAC_ADMIN\"}", "ok", REASON_UNSUPPORTED_FORMAT, "no harmless way");
}

static void test_long_paths(void **state) {
        cleanup_buf struct buf b = {}, many = {};

        assert_int_equal(buf_printf(&b, "{\"open\":\"/%0*d\"}", 256, 7), 0);
        refused("{}", b.data, "ok", REASON_MALFORMED, "over-long");

        assert_int_equal(buf_printf(&many, "{\"open\":\""), 0);
        for (int i = 0; i < 2040; i++)
                assert_int_equal(buf_printf(&many, "/a"), 0);
        assert_int_equal(buf_printf(&many, "\"}"), 0);
        refused("{}", many.data, "ok", REASON_MALFORMED, "over-long");
}

static void test_document_refusals(void **state) {
        static const struct {
                const char *text;
                enum reason reason;
                const char *words;
        } cases[] = {
                {"", REASON_MALFORMED, ""},
                {"[]", REASON_MALFORMED, "not an object"},
                {"{\"_type\":\"lsm-selftests\",\"format\":1}", REASON_MALFORMED, "'tests' is missing"},
                {"{\"_type\":\"lsm-selftests\",\"format\":1,\"tests\":{}}", REASON_MALFORMED, "not an array"},
                {"{\"_type\":\"lsm-selftests\",\"format\":1,\"more\":1,\"tests\":[]}", REASON_MALFORMED, "unknown key 'more'"},
                {"{\"_type\":\"lsm-selftests\",\"format\":2,\"tests\":[]}", REASON_UNSUPPORTED_FORMAT, "format 2"},
                {"{\"_type\":\"lsm-bundle\",\"format\":1,\"tests\":[]}", REASON_WRONG_TYPE, "lsm-bundle"},
                {"{\"_type\":\"lsm-selftests\", \"format\":1,\"tests\":[]}", REASON_MALFORMED, "canonical"},
                {"{\"_type\":\"lsm-selftests\",\"format\":1,\"tests\":[5]}", REASON_MALFORMED, "self-test 1: not an object"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct selftests tests = {};
                struct err err = {};

                assert_true(selftests_parse(cases[i].text, strlen(cases[i].text), &tests, &err) < 0);
                assert_null(tests.tests);
                assert_int_equal(err.reason, cases[i].reason);
                assert_non_null(strstr(err.msg, cases[i].words));
        }
}

static void test_test_refusals(void **state) {
        static const char *const cases[][2] = {
                {"[{}]", "self-test 1: 'name' is missing"},
                {"[{\"name\":\"\",\"do\":{\"fork\":true},\"expect\":\"ok\"}]", "'name' has"},
                {"[{\"name\":\"a\",\"expect\":\"ok\"}]", "self-test 1: 'a': 'do' is missing"},
                {"[{\"name\":\"a\",\"do\":\"fork\",\"expect\":\"ok\"}]", "'do' is not an object"},
                {"[{\"name\":\"a\",\"do\":{\"fork\":true}}]", "'expect' is missing"},
                {"[{\"name\":\"a\",\"do\":{\"fork\":true},\"expect\":0}]", "'expect' is not a string"},
                {"[{\"name\":\"a\",\"do\":{\"fork\":true},\"expect\":\"ok\",\"skip\":true}]", "unknown key 'skip'"},
                {"[{\"name\":\"a\",\"do\":{\"fork\":true},\"expect\":\"ok\"},"
                 "{\"name\":\"a\",\"do\":{\"fork\":true},\"expect\":\"ok\"}]",
                 "self-test 2: there is another one named 'a'"},
        };
        cleanup_buf struct buf name = {}, many = {};
        struct selftests tests = {};
        struct err err = {};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_true(parse_list(cases[i][0], &tests, &err) < 0);
                assert_null(tests.tests);
                assert_int_equal(err.reason, REASON_MALFORMED);
                if (!strstr(err.msg, cases[i][1]))
                        fail_msg("%s: %s", cases[i][0], err.msg);
        }

        assert_int_equal(
                buf_printf(&name, "[{\"name\":\"%0*d\",\"do\":{\"fork\":true},\"expect\":\"ok\"}]", SELFTEST_NAME_MAX + 1, 7), 0);
        assert_true(parse_list(name.data, &tests, &err) < 0);
        assert_non_null(strstr(err.msg, "'name' has"));

        for (int i = 0; i <= SELFTESTS_MAX; i++)
                assert_int_equal(
                        buf_printf(&many, "%c{\"name\":\"%d\",\"do\":{\"fork\":true},\"expect\":\"ok\"}", i ? ',' : '[', i), 0);
        assert_int_equal(buf_append(&many, "]", 1), 0);
        assert_true(parse_list(many.data, &tests, &err) < 0);
        assert_non_null(strstr(err.msg, "more than"));
}

/* ---- in words ---- */

static void test_describe(void **state) {
        static const char *const cases[][3] = {
                {"{\"comm\":\"unprivileged\"}", "{\"open\":\"/etc/shadow\"}", "open /etc/shadow as unprivileged"},
                {"{\"uid\":65534}", "{\"exec\":\"/tmp/\"}", "exec /tmp/ as selftest, uid 65534"},
                {"{}", "{\"rename\":[\"/a/\",\"/b/*/c\"]}", "rename /a/ to /b/*/c as selftest"},
                {"{}", "{\"mount\":{\"type\":\"bind\",\"source\":\"/etc\",\"target\":\"/mnt\"}}",
                 "mount /etc on /mnt as selftest"},
                {"{}", "{\"mount\":{\"type\":\"proc\",\"target\":\"/mnt\"}}", "mount proc on /mnt as selftest"},
                {"{}", "{\"socket\":[\"inet\",\"raw\"]}", "socket inet raw as selftest"},
                {"{}", "{\"connect\":{\"family\":\"inet6\"}}", "connect inet6 stream as selftest"},
                {"{}", "{\"capability\":\"CAP_SYS_ADMIN\"}", "capability CAP_SYS_ADMIN as selftest"},
                {"{}", "{\"ptrace\":\"child\"}", "ptrace a child as selftest"},
                {"{}", "{\"signal\":\"child\"}", "signal TERM to a child as selftest"},
                {"{}", "{\"bpf\":\"map-create\"}", "bpf map-create as selftest"},
                {"{}", "{\"fork\":true}", "fork as selftest"},
                {"{\"host\":true}", "{\"fork\":true}", "fork as selftest"},
                {"{\"host\":false,\"uid\":7}", "{\"fork\":true}", "fork as selftest, uid 7, in namespaces of its own"},
                {"{\"host\":false,\"scope\":\"web-2\",\"uid\":7}", "{\"fork\":true}",
                 "fork as selftest, uid 7, in namespaces of its own, in the scope of 'web-2'"},
                {"{}", "{\"link\":[\"/a/\",\"/b/*/c\"]}", "link /a/ to /b/*/c as selftest"},
                {"{}", "{\"move-mount\":{\"source\":\"/a\",\"target\":\"/b\"}}", "move-mount /a to /b as selftest"},
                {"{}", "{\"bind\":{\"family\":\"inet\"}}", "bind inet stream as selftest"},
                {"{}", "{\"bpf\":\"prog-load\"}", "bpf prog-load as selftest"},
                {"{}", "{\"module-load\":\"file\"}", "module-load from a file as selftest"},
                {"{}", "{\"kexec\":\"memory\"}", "kexec from memory as selftest"},
                {"{}", "{\"module-load\":\"/a/b\"}", "module-load from /a/b as selftest"},
                {"{}", "{\"setuid\":7}", "setuid 7 as selftest"},
                {"{}", "{\"chmod\":\"/etc/x\"}", "chmod /etc/x as selftest"},
        };
        char words[512], cut[8];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_selftests struct selftests tests = {};

                assert_int_equal(parse_one(cases[i][0], cases[i][1], "ok", &tests, NULL), 0);
                selftest_describe(&tests.tests[0], words, sizeof(words));
                assert_string_equal(words, cases[i][2]);
                selftest_describe(&tests.tests[0], cut, sizeof(cut));
                assert_int_equal(strlen(cut), sizeof(cut) - 1);
        }
}

static void test_names(void **state) {
        assert_int_equal(errno_from_name("EPERM"), 1);
        assert_int_equal(errno_from_name("EHWPOISON"), 133);
        assert_int_equal(errno_from_name("ok"), -EINVAL);
        assert_int_equal(errno_from_name(""), -EINVAL);
        assert_string_equal(errno_name(0), "ok");
        assert_string_equal(errno_name(EACCES), "EACCES");
        assert_string_equal(errno_name(-EACCES), "EACCES");
        assert_string_equal(errno_name(4095), "unknown error");
        for (int i = 0; i <= 40; i++)
                assert_int_equal(capability_from_name(capability_name(i)), i);
        assert_null(capability_name(41));
        assert_null(capability_name(-1));
        assert_false(capability_testable(41));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_subject),
                cmocka_unit_test(test_subject_refusals),
                cmocka_unit_test(test_expect_refusals),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_other_operations),
                cmocka_unit_test(test_stand_ins),
                cmocka_unit_test(test_what_reaches_into_the_kernel),
                cmocka_unit_test(test_plain_operations),
                cmocka_unit_test(test_socket),
                cmocka_unit_test(test_connect),
                cmocka_unit_test(test_operation_refusals),
                cmocka_unit_test(test_long_paths),
                cmocka_unit_test(test_document_refusals),
                cmocka_unit_test(test_test_refusals),
                cmocka_unit_test(test_describe),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
