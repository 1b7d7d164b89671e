/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: a mistake in it must be shown where it stands, and never be read as something weaker than what was meant. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "buf.h"
#include "config.h"
#include "fileio.h"

#define S 1000000000LL

static void parse_ok(struct config *c, const char *yaml) {
        struct err err = {};

        assert_int_equal(config_defaults(c, &err), 0);
        if (config_parse(c, "c.yaml", yaml, strlen(yaml), &err) < 0)
                fail_msg("refused: %s\n%s", err.msg, yaml);
}

/* Refused, with the exit code of a wrong configuration, at this place, and with these words. */
static void refused(const char *yaml, const char *place, const char *words) {
        cleanup_config struct config c = {};
        struct err err = {};

        assert_int_equal(config_defaults(&c, &err), 0);
        if (config_parse(&c, "c.yaml", yaml, strlen(yaml), &err) >= 0)
                fail_msg("taken: %s", yaml);
        if (err.reason != REASON_CONFIG || err_exit_code(&err, -1) != 2)
                fail_msg("reason '%s': %s", reason_word(err.reason), err.msg);
        if (strncmp(err.msg, place, strlen(place)) != 0)
                fail_msg("not at %s: %s\n%s", place, err.msg, yaml);
        if (!strstr(err.msg, words))
                fail_msg("'%s' not in: %s", words, err.msg);
}

/* The only way is down: there is no word by which a policy could be raised. */
static void policies_are_lowered(void **state) {
        cleanup_buf struct buf many = {};
        cleanup_config struct config c = {};

        parse_ok(&c, "audit: [baseline/credentials, web/raw-sockets]\n");
        assert_string_equal(c.audit[0], "baseline/credentials");
        assert_string_equal(c.audit[1], "web/raw-sockets");
        assert_null(c.audit[2]);
        refused("audit: [baseline]\n", "c.yaml:1:9", "'baseline' is not BUNDLE/POLICY");
        refused("audit: [a/b, Web/x]\n", "c.yaml:1:14", "BUNDLE/POLICY");
        refused("audit: [a/b/c]\n", "c.yaml:1:9", "BUNDLE/POLICY");
        refused("audit: [a/]\n", "c.yaml:1:9", "BUNDLE/POLICY");
        refused("audit: [a/b, a/b]\n", "c.yaml:1:14", "twice");
        refused("audit: []\n", "c.yaml:1:1", "a list of 1 to 64");
        refused("audit: a/b\n", "c.yaml:1:", "a list is needed");
        refused("audit: {a/b: enforce}\n", "c.yaml:1:", "");
        assert_int_equal(buf_printf(&many, "audit: ["), 0);
        for (int i = 0; i < 65; i++)
                assert_int_equal(buf_printf(&many, "a/p%d, ", i), 0);
        assert_int_equal(buf_printf(&many, "]\n"), 0);
        refused(many.data, "c.yaml:1:1", "a list of 1 to 64");
}

static void defaults(void **state) {
        static const char *const empty[] = {"", "\n", "# nothing\n", "---\n", "poll:\n", "poll: {}\n", "{}"};

        for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
                cleanup_config struct config c = {};

                parse_ok(&c, empty[i]);
                assert_int_equal(config_source_kind(&c), SOURCE_NONE);
                assert_null(config_source_address(&c));
                assert_string_equal(c.git_branch, "main");
                assert_string_equal(c.root_file, "/etc/lsmpull/root.json");
                assert_string_equal(c.ring, "stable");
                assert_string_equal(c.ssh_known_hosts, "/etc/ssh/ssh_known_hosts");
                assert_null(c.bundles);
                assert_null(c.node_id);
                assert_null(c.first_boot);
                assert_null(c.stale_command);
                assert_null(c.events_file);
                assert_false(c.events_journald);
                assert_int_equal(c.stale_after_ns, 86400 * S);
                assert_null(c.metrics_file);
                assert_int_equal(c.n_key_files, 0);
                assert_int_equal(c.poll_interval_ns, 60 * S);
                assert_int_equal(c.poll_jitter_percent, 10);
                assert_int_equal(c.deadline_ns, 60 * S);
                assert_int_equal(c.health_ns, 10 * S);
                assert_int_equal(c.max_denials, -1);
                assert_null(c.health_command);
                assert_int_equal(c.limits.max_archive, 64 << 20);
                assert_int_equal(c.limits.max_content, 256 << 20);
                assert_int_equal(c.mode, MODE_ENFORCE);
                assert_true(c.bpf_token);
                assert_string_equal(c.fetcher_user, "lsmpull-fetch");
                assert_string_equal(c.loader_user, "lsmpull-load");
                assert_string_equal(c.reporter_user, "lsmpull-report");
                assert_string_equal(c.state_dir, "/var/lib/lsmpull");
                assert_string_equal(c.run_dir, "/run/lsmpull");
                assert_string_equal(c.bpffs_dir, "/sys/fs/bpf");
                assert_null(c.cgroup_dir);
        }
}

static void every_key(void **state) {
        cleanup_config struct config c = {};

        parse_ok(&c, "source:\n"
                     "  bundle: https://example.net/b/baseline.tar.zst\n"
                     "  keys: [/etc/lsmpull/a.pub, /etc/lsmpull/b.pub]\n"
                     "  threshold: 2\n"
                     "poll: {interval: 5m, jitter: 0}\n"
                     "https: {ca: /ca.pem, certificate: /c.pem, key: /k.pem, token: /t, user: git, proxy: 'http://proxy:3128'}\n"
                     "trust: {root: /r.json}\n"
                     "ring: canary\n"
                     "node-id: web-17.example.net\n"
                     "ssh: {known-hosts: /kh}\n"
                     "on_stale: {run: [/bin/page, me], after: 2h}\n"
                     "metrics: {file: /m/lsmpull.prom}\n"
                     "events:\n"
                     "  file: {path: /var/log/x/events.json, max_size: 1MiB, keep: 2}\n"
                     "  journald: true\n"
                     "confirm:\n"
                     "  deadline: 2m\n"
                     "  health: 1500ms\n"
                     "  max-denials: 0\n"
                     "  command: [/bin/check, --fast, '']\n"
                     "limits: {archive: 1MiB, content: 512KiB}\n"
                     "mode: audit\n"
                     "bpf-token: false\n"
                     "users: {fetcher: f, loader: l, reporter: r}\n"
                     "paths: {state: /s, run: /r, cache: /k, bpffs: /b, cgroup: /c}\n");
        assert_string_equal(c.source, "https://example.net/b/baseline.tar.zst");
        assert_int_equal(config_source_kind(&c), SOURCE_BUNDLE);
        assert_string_equal(c.https_user, "git");
        assert_string_equal(c.root_file, "/r.json");
        assert_string_equal(c.ring, "canary");
        assert_string_equal(c.node_id, "web-17.example.net");
        assert_string_equal(c.ssh_known_hosts, "/kh");
        assert_string_equal(c.stale_command[1], "me");
        assert_null(c.stale_command[2]);
        assert_int_equal(c.stale_after_ns, 7200 * S);
        assert_string_equal(c.metrics_file, "/m/lsmpull.prom");
        assert_string_equal(c.events_file, "/var/log/x/events.json");
        assert_int_equal(c.events_max_size, 1 << 20);
        assert_int_equal(c.events_keep, 2);
        assert_true(c.events_journald);
        assert_int_equal(c.n_key_files, 2);
        assert_string_equal(c.key_files[1], "/etc/lsmpull/b.pub");
        assert_int_equal(c.threshold, 2);
        assert_int_equal(c.poll_interval_ns, 300 * S);
        assert_int_equal(c.poll_jitter_percent, 0);
        assert_string_equal(c.ca, "/ca.pem");
        assert_string_equal(c.certificate, "/c.pem");
        assert_string_equal(c.client_key, "/k.pem");
        assert_string_equal(c.token_file, "/t");
        assert_string_equal(c.proxy, "http://proxy:3128");
        assert_int_equal(c.deadline_ns, 120 * S);
        assert_int_equal(c.health_ns, S * 3 / 2);
        assert_int_equal(c.max_denials, 0);
        assert_string_equal(c.health_command[0], "/bin/check");
        assert_string_equal(c.health_command[1], "--fast");
        assert_string_equal(c.health_command[2], "");
        assert_null(c.health_command[3]);
        assert_int_equal(c.limits.max_archive, 1 << 20);
        assert_int_equal(c.limits.max_content, 512 << 10);
        assert_int_equal(c.mode, MODE_AUDIT);
        assert_false(c.bpf_token);
        assert_string_equal(c.fetcher_user, "f");
        assert_string_equal(c.loader_user, "l");
        assert_string_equal(c.reporter_user, "r");
        assert_string_equal(c.state_dir, "/s");
        assert_string_equal(c.run_dir, "/r");
        assert_string_equal(c.cache_dir, "/k");
        assert_string_equal(c.bpffs_dir, "/b");
        assert_string_equal(c.cgroup_dir, "/c");
}

static void later_parse_replaces(void **state) {
        cleanup_config struct config c = {};
        static const char second[] = "source: {bundle: /b, keys: [/z]}\nconfirm: {command: [/new]}\n";

        parse_ok(&c, "source: {bundle: /a, keys: [/x, /y]}\nconfirm: {command: [/old, arg]}\n");
        assert_int_equal(config_parse(&c, "d.yaml", second, strlen(second), NULL), 0);
        assert_string_equal(c.source, "/b");
        assert_int_equal(c.n_key_files, 1);
        assert_string_equal(c.key_files[0], "/z");
        assert_string_equal(c.health_command[0], "/new");
        assert_null(c.health_command[1]);
}

static void sources(void **state) {
        static const struct {
                const char *text, *want;
        } good[] = {{"/srv/b.tar.zst", "/srv/b.tar.zst"},
                    {"file:///srv/b.tar.zst", "/srv/b.tar.zst"},
                    {"https://h/b", "https://h/b"},
                    {"https://[::1]:8443/b?x=@y", "https://[::1]:8443/b?x=@y"}};
        static const struct {
                const char *text, *words;
        } bad[] = {{"http://h/b", "http:// is refused: anybody on the way could hold back newer releases"},
                   {"HTTP://h/b", "http:// is refused"},
                   {"relative/b", "no absolute path"},
                   {"ftp://h/b", "no absolute path"},
                   {"", "no absolute path"},
                   {"https://", "names no host"},
                   {"https:///b", "names no host"},
                   {"https://user:secret@h/b", "https.token"},
                   {"file://host/b", "file:///PATH"},
                   {"file:///a%20b", "without %-escapes"},
                   {"/a b", "no spaces"},
                   {"/a\nb", "control"}};
        struct err err;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_free char *got = NULL;

                assert_int_equal(source_parse(good[i].text, &got, &err), 0);
                assert_string_equal(got, good[i].want);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                char *got = NULL;

                assert_int_equal(source_parse(bad[i].text, &got, &err), -EINVAL);
                assert_null(got);
                assert_int_equal(err.reason, REASON_CONFIG);
                assert_non_null(strstr(err.msg, bad[i].words));
        }
        /* A secret that somebody wrote into the URL must not come back in a message, which ends in logs. */
        assert_int_equal(source_parse("https://user:secret@h/b", &(char *){NULL}, &err), -EINVAL);
        assert_null(strstr(err.msg, "secret"));
}

static void repositories(void **state) {
        static const struct {
                const char *yaml, *address;
                enum source_kind kind;
        } good[] = {
                {"source: {repository: https://h/repo/}\nbundles: [a]\n", "https://h/repo", SOURCE_HTTPS},
                {"source: {repository: https://h}\nbundles: [a, b-2]\nfirst_boot: /usr/share/repo\n", "https://h", SOURCE_HTTPS},
                {"source: {repository: /srv/repo//}\nbundles: [a]\n", "/srv/repo", SOURCE_DIRECTORY},
                {"source: {repository: file:///srv/repo}\nbundles: [a]\n", "/srv/repo", SOURCE_DIRECTORY},
                {"source: {repository: /}\nbundles: [a]\n", "/", SOURCE_DIRECTORY},
                {"source: {git: https://h/r.git, branch: release/v1.x}\nbundles: [a]\n", "https://h/r.git", SOURCE_GIT},
                {"source: {git: /srv/r.git}\nbundles: [a]\n", "/srv/r.git", SOURCE_GIT},
                {"source: {git: 'ssh://git@h:2222/r.git'}\nbundles: [a]\nssh: {key: /k}\n", "ssh://git@h:2222/r.git", SOURCE_GIT},
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_config struct config c = {};

                parse_ok(&c, good[i].yaml);
                assert_int_equal(config_source_kind(&c), good[i].kind);
                assert_string_equal(config_source_address(&c), good[i].address);
                assert_string_equal(c.bundles[0], "a");
        }
}

/* A sink that was meant and is not there would be missed when it is needed. */
static void wrong_sinks(void **state) {
        refused("events: {journal: true}\n", "c.yaml:1:10:", "'events.journal'; here are known: file, http, journald");
        refused("events: {file: {paht: /a/b}}\n", "c.yaml:1:17:", "'events.file.paht'; here are known: path, max_size, keep");
        refused("events: {file: /a/b}\n", "c.yaml:1:10:", "keys are needed");
        refused("events: {journald: yes}\n", "c.yaml:1:20:", "true");
        refused("events: {file: {path: /b}}\n", "c.yaml:1:23:", "a file in a folder");
        refused("events: {file: {path: b/c}}\n", "c.yaml:1:23:", "an absolute path");
        refused("events: {file: {path: /b/}}\n", "c.yaml:1:23:", "a file in a folder");
        refused("events: {file: {path: /a/b, keep: 0}}\n", "c.yaml:1:35:", "1");
        refused("events: {file: {path: /a/b, keep: 101}}\n", "c.yaml:1:35:", "100");
        refused("events: {file: {path: /a/b, max_size: 1KiB}}\n", "c.yaml:1:29:", "at least 64KiB");
        refused("events: {file: {keep: 3}}\n", "c.yaml:1:17:", "without events.file.path");
        refused("events: {file: {max_size: 1MiB}}\n", "c.yaml:1:17:", "without events.file.path");
        refused("events: {file: {path: /a/b}, file: {keep: 1}}\n", "c.yaml:1:", "");
        refused("event: {journald: true}\n", "c.yaml:1:1:", "metrics, events, confirm");
        refused("file: {path: /a/b}\n", "c.yaml:1:1:", "unknown key");
        refused("events.file: {path: /a/b}\n", "c.yaml:1:1:", "unknown key");
}

static void receivers(void **state) {
        static const char *const good[] = {
                "{url: 'https://h/loki/api/v1/push', format: loki, tenant: a|b, labels: [env=prod, a_1=x y]}",
                "{url: 'https://h:8088/services/collector/event', format: splunk, token: /t, max_size: 1MiB}",
                "{url: 'http://127.0.0.1:4318/v1/logs', format: otlp}",
                "{url: 'http://[::1]:4318/v1/logs', format: otlp, ca: /c, certificate: /c, key: /k}",
                "{url: 'http://localhost:4318/v1/logs', format: otlp}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_config struct config c = {};
                char yaml[256];

                snprintf(yaml, sizeof(yaml), "events: {http: %s}\n", good[i]);
                parse_ok(&c, yaml);
                assert_non_null(c.events_url);
        }
}

static void wrong_receivers(void **state) {
        static const struct {
                const char *http, *words;
        } wrong[] = {
                {"{url: 'http://collector/v1/logs', format: otlp}", "http:// is for a collector on this machine"},
                {"{url: 'http://127.0.0.1.example.net/v1/logs', format: otlp}", "http:// is for a collector on this machine"},
                {"{url: 'http://localhost@h/v1/logs', format: otlp}", "http:// is for a collector on this machine"},
                {"{url: 'ftp://h/', format: otlp}", "only https://"},
                {"{url: 'https://u:p@h/', format: otlp}", "must not hold a user or password"},
                {"{url: /var/log, format: otlp}", "only https://"},
                {"{url: 'https://h/'}", "Say format"},
                {"{url: 'https://h/', format: elastic}", "loki, splunk or otlp"},
                {"{format: loki}", "without events.http.url"},
                {"{labels: [a=b]}", "without events.http.url"},
                {"{url: 'https://h/', format: splunk}", "without events.http.token"},
                {"{url: 'https://h/', format: otlp, key: /k}", "without events.http.certificate"},
                {"{url: 'https://h/', format: otlp, certificate: /c}", "without events.http.key"},
                {"{url: 'https://h/', format: otlp, tenant: a}", "only Loki has tenants"},
                {"{url: 'https://h/', format: loki, tenant: a b}", "a tenant"},
                {"{url: 'https://h/', format: loki, labels: [1a=b]}", "a label"},
                {"{url: 'https://h/', format: loki, labels: [a]}", "a label"},
                {"{url: 'https://h/', format: loki, labels: [a=]}", "a label"},
                {"{url: 'https://h/', format: loki, labels: [a=b, a=b]}", "there twice"},
                {"{url: 'https://h/', format: loki, labels: a=b}", "a list is needed"},
                {"{url: 'https://h/', format: loki, max_size: 64KiB}", "at least 1MiB"},
                {"{url: 'https://h/', format: loki, token: t}", "an absolute path"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                char yaml[256];

                snprintf(yaml, sizeof(yaml), "events: {http: %s}\n", wrong[i].http);
                refused(yaml, "c.yaml:1:", wrong[i].words);
        }
}

static void wrong_repositories(void **state) {
        refused("source: {repository: http://h/r}\nbundles: [a]\n", "c.yaml:1:22:", "http:// is refused");
        refused("source: {repository: 'https://h/r?x=1'}\nbundles: [a]\n", "c.yaml:1:22:", "query");
        refused("source: {repository: repo}\nbundles: [a]\n", "c.yaml:1:22:", "no absolute path");
        refused("source: {repository: 'https://u:p@h/r'}\nbundles: [a]\n", "c.yaml:1:22:", "https.token");
        refused("source: {git: 'git://h/r'}\nbundles: [a]\n", "c.yaml:1:15:", "ssh://");
        refused("source: {git: 'http://h/r'}\nbundles: [a]\n", "c.yaml:1:15:", "http:// is refused");
        refused("source: {git: 'git@h:r.git'}\nbundles: [a]\n", "c.yaml:1:15:", "no ssh:// URL");
        refused("source: {git: 'ssh://git:pw@h/r'}\nbundles: [a]\nssh: {key: /k}\n", "c.yaml:1:15:", "ssh.key");
        refused("source: {git: 'ssh://h'}\nbundles: [a]\nssh: {key: /k}\n", "c.yaml:1:15:", "ssh://USER@HOST/PATH");
        refused("source: {git: 'ssh://@h/r'}\nbundles: [a]\nssh: {key: /k}\n", "c.yaml:1:15:", "ssh://USER@HOST/PATH");
        refused("source: {git: 'ssh:///r'}\nbundles: [a]\nssh: {key: /k}\n", "c.yaml:1:15:", "ssh://USER@HOST/PATH");
        refused("source: {git: 'ssh://g@h/r x'}\nbundles: [a]\n", "c.yaml:1:15:", "no spaces");
        refused("source: {git: /r, branch: '-x'}\nbundles: [a]\n", "c.yaml:1:27:", "a branch's name");
        refused("source: {git: /r, branch: 'a..b'}\nbundles: [a]\n", "c.yaml:1:27:", "a branch's name");
        refused("source: {git: /r, branch: 'a:b'}\nbundles: [a]\n", "c.yaml:1:27:", "a branch's name");
        refused("source: {git: /r, branch: 'a.lock'}\nbundles: [a]\n", "c.yaml:1:27:", "a branch's name");
        refused("source: {git: /r, branch: ''}\nbundles: [a]\n", "c.yaml:1:27:", "a branch's name");
        refused("source: {repository: /r}\n", "c.yaml:1:10:", "bundles: [NAME]");
        refused("source: {git: /r}\n", "c.yaml:1:10:", "bundles: [NAME]");
        refused("source: {git: /r, repository: /r}\nbundles: [a]\n", "c.yaml:1:19:", "one source is enough");
        refused("source: {bundle: /b, keys: [/k], repository: /r}\nbundles: [a]\n", "c.yaml:1:34:", "one source is enough");
        refused("source: {git: /r, bundle: /b, keys: [/k]}\nbundles: [a]\n", "c.yaml:1:10:", "one source is enough");
        refused("source: {repository: /r, keys: [/k]}\nbundles: [a]\n", "c.yaml:1:26:", "trust.root");
        refused("source: {repository: /r, threshold: 1}\nbundles: [a]\n", "c.yaml:1:26:", "without source.bundle");
        refused("bundles: [a]\n", "c.yaml:1:1:", "without source.repository");
        refused("first_boot: /r\n", "c.yaml:1:1:", "without source.repository");
        refused("source: {bundle: /b, keys: [/k]}\nbundles: [a]\n", "c.yaml:2:1:", "without source.repository");
        refused("source: {git: 'ssh://g@h/r'}\nbundles: [a]\n", "c.yaml:1:10:", "needs ssh.key");
        refused("source: {git: /r}\nbundles: [a]\nssh: {key: /k}\n", "c.yaml:3:7:", "ssh://");
        refused("source: {repository: /r}\nbundles: a\n", "c.yaml:2:10:", "a list is needed");
        refused("source: {repository: /r}\nbundles: []\n", "c.yaml:2:", "a list of 1 to 64");
        refused("source: {repository: /r}\nbundles: [a, A]\n", "c.yaml:2:14:", "a name");
        refused("source: {repository: /r}\nbundles: [a, b, a]\n", "c.yaml:2:17:", "there twice");
}

static void durations(void **state) {
        static const struct {
                const char *text;
                int64_t want;
        } good[] = {{"1ms", 1000000}, {"1500ms", S * 3 / 2}, {"90s", 90 * S},         {"5m", 300 * S},
                    {"2h", 7200 * S}, {"1d", 86400 * S},     {"30d", 30 * 86400 * S}, {"007s", 7 * S}};
        static const char *const bad[] = {"",
                                          "s",
                                          "90",
                                          "90 s",
                                          " 90s",
                                          "90s ",
                                          "-1s",
                                          "+1s",
                                          "1.5s",
                                          "1e3s",
                                          "0s",
                                          "0ms",
                                          "31d",
                                          "721h",
                                          "1w",
                                          "1S",
                                          "1sec",
                                          "1s1s",
                                          "18446744073709551617s",
                                          "9223372036854775807d"};
        int64_t v;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(duration_parse(good[i].text, &v), 0);
                assert_int_equal(v, good[i].want);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                v = -7;
                if (duration_parse(bad[i], &v) >= 0)
                        fail_msg("'%s' was taken as %lld", bad[i], (long long)v);
                assert_int_equal(v, -7);
        }
}

static void sizes(void **state) {
        static const struct {
                const char *text;
                uint64_t want;
        } good[] = {{"1", 1}, {"512B", 512}, {"64KiB", 65536}, {"64MiB", 64 << 20}, {"4GiB", 4ULL << 30}};
        static const char *const bad[] = {"",
                                          "0",
                                          "0MiB",
                                          "64MB",
                                          "64M",
                                          "64 MiB",
                                          "-1",
                                          "0x10",
                                          "1.5GiB",
                                          "18446744073709551616",
                                          "17179869184GiB",
                                          "9223372036854775808"};
        uint64_t v;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(size_parse(good[i].text, &v), 0);
                assert_int_equal(v, good[i].want);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (size_parse(bad[i], &v) >= 0)
                        fail_msg("'%s' was taken as %llu", bad[i], (unsigned long long)v);
}

static void wrong_keys(void **state) {
        refused("sauce: 1\n", "c.yaml:1:1:", "unknown key 'sauce'; here are known: source, trust, bundles, ring");
        refused("poll:\n  intervall: 60s\n", "c.yaml:2:3:", "unknown key 'poll.intervall'; here are known: interval, jitter");
        refused("poll: {interval: 60s, jitters: 1}\n", "c.yaml:1:23:", "poll.jitters");
        refused("interval: 60s\n", "c.yaml:1:1:", "unknown key 'interval'");
        refused("bundle: /b\n", "c.yaml:1:1:", "unknown key 'bundle'");
        refused("source: {mode: audit}\n", "c.yaml:1:10:", "unknown key 'source.mode'");
        refused("mode: audit\nmode: enforce\n", "c.yaml:2:1:", "");
        refused("poll: {interval: 60s}\npoll: {jitter: 1}\n", "c.yaml:2:1:", "");
        refused("? [a, b]\n: 1\n", "c.yaml:1:", "plain text");
        refused("poll: {? {a: b} : 1}\n", "c.yaml:1:", "plain text");
}

static void wrong_shapes(void **state) {
        refused("- a\n", "c.yaml:", "'KEY: VALUE' is needed");
        refused("just text\n", "c.yaml:", "'KEY: VALUE' is needed");
        refused("poll: 60s\n", "c.yaml:1:1:", "keys are needed below it");
        refused("poll: [60s]\n", "c.yaml:1:1:", "keys are needed below it");
        refused("mode: {a: b}\n", "c.yaml:1:1:", "plain text");
        refused("mode: [audit]\n", "c.yaml:1:1:", "one value is needed");
        refused("source: {bundle: /b, keys: /k}\n", "c.yaml:1:28:", "a list is needed");
        refused("source: {bundle: /b, keys: []}\n", "c.yaml:1:22:", "a list of 1 to 64");
        refused("source: {bundle: /b, keys: [[/k]]}\n", "c.yaml:1:22:", "plain text");
        refused("confirm: {command: /bin/true}\n", "c.yaml:1:20:", "a list is needed");
        refused("mode:\n", "c.yaml:1:", "neither");
        refused("poll:\n  interval:\n", "c.yaml:2:", "duration");
        refused("mode: audit\n---\nmode: enforce\n", "c.yaml:", "second document");
        refused("mode: *a\n", "c.yaml:1:", "");
        refused("paths: {state: &a /s, run: *a}\n", "c.yaml:1:", "anchors");
        refused("mode: !!str audit\n", "c.yaml:1:", "tags");
        refused("poll: !x {interval: 60s}\n", "c.yaml:1:", "tags");
        refused("mode: \"audit\\x01\"\n", "c.yaml:1:7:", "control character");
        refused("mode: \"audit\\0\"\n", "c.yaml:1:7:", "NUL");
        refused("mode: [audit\n", "c.yaml:", "");
        refused("poll:\n\tinterval: 60s\n", "c.yaml:2:", "");
        refused("mode: 'audit\n", "c.yaml:", "");
}

static void wrong_values(void **state) {
        refused("poll: {interval: soon}\n", "c.yaml:1:18:", "poll.interval: 'soon' is not a duration");
        refused("poll: {interval: 60}\n", "c.yaml:1:18:", "duration");
        refused("poll: {interval: 10ms}\n", "c.yaml:1:8:", "at least 1s");
        refused("poll: {jitter: 101}\n", "c.yaml:1:16:", "from 0 to 100");
        refused("poll: {jitter: -1}\n", "c.yaml:1:16:", "from 0 to 100");
        refused("poll: {jitter: 10%}\n", "c.yaml:1:16:", "from 0 to 100");
        refused("limits: {archive: 64MB}\n", "c.yaml:1:19:", "size");
        refused("limits: {content: 5GiB}\n", "c.yaml:1:19:", "at most 4GiB");
        refused("mode: permissive\n", "c.yaml:1:7:", "neither audit nor enforce");
        refused("bpf-token: yes\n", "c.yaml:1:12:", "neither true nor false");
        refused("users: {fetcher: root}\n", "c.yaml:1:18:", "not confined");
        refused("users: {fetcher: '0'}\n", "c.yaml:1:18:", "a user's name");
        refused("users: {fetcher: 'a b'}\n", "c.yaml:1:18:", "a user's name");
        refused("users: {fetcher: ''}\n", "c.yaml:1:18:", "a user's name");
        refused("paths: {state: var/lib}\n", "c.yaml:1:16:", "an absolute path");
        refused("paths: {state: ''}\n", "c.yaml:1:16:", "an absolute path");
        refused("https: {ca: ca.pem}\n", "c.yaml:1:13:", "an absolute path");
        refused("https: {proxy: 'proxy:3128'}\n", "c.yaml:1:16:", "URL");
        refused("confirm: {max-denials: few}\n", "c.yaml:1:24:", "a number");
        refused("confirm: {command: [check]}\n", "c.yaml:1:21:", "an absolute path");
        refused("source:\n  bundle: http://h/b\n  keys: [/k]\n", "c.yaml:2:11:", "http:// is refused: anybody on the way");
        refused("source:\n  bundle: /b\n  keys: [k.pub]\n", "c.yaml:3:10:", "an absolute path");
        refused("source: {bundle: /b, keys: [/k], threshold: 0}\n", "c.yaml:1:45:", "from 1 to 64");
        refused("ring: Canary\n", "c.yaml:1:7:", "a name");
        refused("ring: ''\n", "c.yaml:1:7:", "a name");
        refused("ring: [canary]\n", "c.yaml:1:", "one value is needed");
        refused("node-id: 'a b'\n", "c.yaml:1:10:", "a node's id");
        refused("node-id: ''\n", "c.yaml:1:10:", "a node's id");
        refused("node-id: \"n\u00f6de\"\n", "c.yaml:1:10:", "a node's id");
        refused("first_boot: repo\n", "c.yaml:1:13:", "an absolute path");
        refused("trust: {root: root.json}\n", "c.yaml:1:15:", "an absolute path");
        refused("on_stale: {run: /bin/page}\n", "c.yaml:1:17:", "a list is needed");
        refused("on_stale: {run: [page]}\n", "c.yaml:1:18:", "an absolute path");
        refused("on_stale: {run: [/bin/page], after: never}\n", "c.yaml:1:37:", "duration");
        refused("metrics: {file: lsmpull.prom}\n", "c.yaml:1:17:", "an absolute path");
        refused("metrics: {file: /m/lsmpull.txt}\n", "c.yaml:1:17:", "ends in .prom");
        refused("metrics: {file: /m/.prom}\n", "c.yaml:1:17:", "ends in .prom");
        refused("metrics: {file: .prom}\n", "c.yaml:1:17:", "an absolute path");
        refused("https: {token: /t, user: 'a:b'}\n", "c.yaml:1:26:", "no spaces and colons");
        refused("https: {user: git}\n", "c.yaml:1:9:", "https.token");
        refused("ssh: {key: k}\n", "c.yaml:1:12:", "an absolute path");
}

static void between_settings(void **state) {
        refused("source:\n  bundle: /b\n", "c.yaml:2:3:", "it needs source.keys");
        refused("source:\n  keys: [/k]\n", "c.yaml:2:3:", "without source.bundle");
        refused("source:\n  bundle: /b\n  keys: [/k]\n  threshold: 2\n", "c.yaml:4:3:", "higher than the number");
        refused("confirm:\n  deadline: 10s\n  health: 10s\n", "c.yaml:3:3:", "shorter than confirm.deadline");
        refused("confirm:\n  deadline: 5s\n", "c.yaml: confirm.health", "shorter than confirm.deadline");
        refused("confirm:\n  deadline: 2d\n", "c.yaml:2:3:", "at most 1d");
        refused("https: {certificate: /c}\n", "c.yaml:1:9:", "https.key");
        refused("https: {key: /k}\n", "c.yaml:1:9:", "https.certificate");
        refused("users: {fetcher: a, loader: a}\n", "c.yaml:1:21:", "a user of its own");
        refused("users: {reporter: lsmpull-fetch}\n", "c.yaml:1:9:", "a user of its own");
        refused("paths: {run: /run/0123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789012345678901234567}\n",
                "c.yaml:1:9:", "control socket");
}

/* Flags come after the file, and are judged by the same rules. */
static void check_after_flags(void **state) {
        cleanup_config struct config c = {};
        struct err err = {};

        parse_ok(&c, "confirm: {deadline: 20s}\n");
        assert_int_equal(config_check(&c, &err), 0);
        c.health_ns = c.deadline_ns;
        assert_int_equal(config_check(&c, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
}

static void odd_bytes(void **state) {
        cleanup_config struct config c = {};
        cleanup_buf struct buf big = {};
        struct err err = {};

        assert_int_equal(config_defaults(&c, NULL), 0);
        assert_int_equal(config_parse(&c, "c", "mode: audit\0\nmode: enforce\n", 26, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
        assert_int_equal(config_parse(&c, "c", "\xff\xfe\x80", 3, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
        assert_int_equal(buf_reserve(&big, CONFIG_MAX + 1), 0);
        memset(big.data, '\n', CONFIG_MAX + 1);
        assert_int_equal(config_parse(&c, "c", big.data, CONFIG_MAX + 1, &err), -EFBIG);
        memset(big.data, '[', 100000);
        assert_true(config_parse(&c, "c", big.data, 100000, &err) < 0);
        assert_int_equal(err.reason, REASON_CONFIG);
}

static void files(void **state) {
        char dir[] = "/tmp/lsm-config.XXXXXX", path[64];
        cleanup_config struct config c = {};
        struct err err = {};

        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/lsmpull.yaml", dir);
        assert_int_equal(config_defaults(&c, NULL), 0);
        assert_int_equal(config_load(&c, path, false, &err), 0); /* nobody asked for it */
        assert_int_equal(config_load(&c, path, true, &err), -ENOENT);
        assert_int_equal(err_exit_code(&err, -ENOENT), 2);
        assert_non_null(strstr(err.msg, path));
        assert_true(config_load(&c, dir, false, &err) < 0); /* there, but no file: an error, asked for or not */
        assert_int_equal(err_exit_code(&err, -1), 2);

        assert_int_equal(file_create(AT_FDCWD, path, 0600, "mode: audit\n", 12, NULL), 0);
        assert_int_equal(config_load(&c, path, false, &err), 0);
        assert_int_equal(c.mode, MODE_AUDIT);
        assert_int_equal(file_replace(AT_FDCWD, path, 0600, "mode: x\n", 8, NULL), 0);
        assert_true(config_load(&c, path, false, &err) < 0);
        assert_non_null(strstr(err.msg, "lsmpull.yaml:1:7: "));
        unlink(path);
        rmdir(dir);
}

/* With every key of the example switched on, but for those of the other kinds of source. */
static void example_switched_on(const char *text, const char *const *others, enum source_kind kind) {
        cleanup_config struct config c = {};
        cleanup_free char *copy = strdup(text);
        cleanup_buf struct buf on = {};
        size_t n_keys = 0, n_others = 0;

        assert_non_null(copy);
        for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
                bool other = false;

                if (line[0] == '#' && (!line[1] || (line[1] == ' ' && line[2] != ' '))) /* "# text"; not "#section:", "#  key:" */
                        continue;
                n_keys += strchr(line, ':') != NULL;
                for (const char *const *o = others; *o; o++)
                        other |= strncmp(line + 1, *o, strlen(*o)) == 0;
                n_others += other;
                if (!other)
                        assert_int_equal(buf_printf(&on, "%s\n", line + (line[0] == '#')), 0);
        }
        parse_ok(&c, on.data);
        assert_int_equal(n_keys, 54 + 14); /* settings and sections: a new key must be shown there, too */
        for (size_t i = 0; others[i]; i++)
                assert_true(n_others-- > 0);
        assert_int_equal(n_others, 0);
        assert_int_equal(config_source_kind(&c), kind);
        assert_non_null(c.health_command);
        assert_non_null(c.stale_command);
        assert_non_null(c.metrics_file);
        assert_non_null(c.proxy);
        assert_non_null(c.cgroup_dir);
}

/* The example that is installed must be what the program takes: as it is (all defaults), and with what it shows switched on. */
static void example(void **state) {
        static const char *const no_git[] = {
                "  git:",         "  branch:", "  bundle:", "  keys:", "  threshold:", "ssh:", "  key: /etc/lsmpull/ssh",
                "  known-hosts:", NULL};
        static const char *const only_git[] = {"  repository:", "  bundle:", "  keys:", "  threshold:", NULL};
        static const char *const only_bundle[] = {
                "  repository:",           "  git:",         "  branch:", "bundles:", "first_boot:", "ssh:",
                "  key: /etc/lsmpull/ssh", "  known-hosts:", NULL};
        const char *path = getenv("LSM_SOURCE_DIR");
        cleanup_config struct config c = {};
        cleanup_buf struct buf b = {};
        char name[PATH_MAX];
        struct err err = {};

        snprintf(name, sizeof(name), "%s/puller/lsmpull.yaml", path ? path : ".");
        if (file_read(AT_FDCWD, name, CONFIG_MAX, &b, &err) < 0)
                fail_msg("%s (run from the source's folder, or set LSM_SOURCE_DIR)", err.msg);
        parse_ok(&c, b.data);
        assert_int_equal(config_source_kind(&c), SOURCE_NONE);
        example_switched_on(b.data, no_git, SOURCE_HTTPS);
        example_switched_on(b.data, only_git, SOURCE_GIT);
        example_switched_on(b.data, only_bundle, SOURCE_BUNDLE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(defaults),
                cmocka_unit_test(policies_are_lowered),
                cmocka_unit_test(every_key),
                cmocka_unit_test(later_parse_replaces),
                cmocka_unit_test(sources),
                cmocka_unit_test(repositories),
                cmocka_unit_test(wrong_repositories),
                cmocka_unit_test(wrong_sinks),
                cmocka_unit_test(receivers),
                cmocka_unit_test(wrong_receivers),
                cmocka_unit_test(durations),
                cmocka_unit_test(sizes),
                cmocka_unit_test(wrong_keys),
                cmocka_unit_test(wrong_shapes),
                cmocka_unit_test(wrong_values),
                cmocka_unit_test(between_settings),
                cmocka_unit_test(check_after_flags),
                cmocka_unit_test(odd_bytes),
                cmocka_unit_test(files),
                cmocka_unit_test(example),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
