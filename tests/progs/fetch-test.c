/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches one bundle as the agent does, and says what came of it, so that tests/cli can hold the fetcher against real servers
 * on machines whose kernel can enforce nothing.
 *
 *      fetch-test [OPTION...] --key PUB URL|FILE
 *      fetch-test --make DIR
 *
 * The first prints one line: "ok ...", "not-modified ..." or "failed ..."; the exit code is lsmpull's. The second makes a bundle
 * to fetch, DIR/sample.tar.zst, signed with a new key, DIR/sample.pub.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "child.h"
#include "fetch.h"
#include "fileio.h"
#include "key.h"

#include "../unit/puller/made_bundle.h"

#define NOBODY 65534
#define S 1000000000LL

static int usage(const char *what) {
        fprintf(stderr, "fetch-test: %s\n", what);
        return 2;
}

static int report(int r, const struct fetched *f, const struct err *err) {
        char sandbox[256];

        sandbox_report_format(&f->sandbox, sandbox, sizeof(sandbox));
        if (r < 0)
                printf("failed reason=%s retry-after=%d status=%d sandbox=%s message=%s\n", reason_word(err->reason),
                       f->retry_after_s, f->http_status, f->sandbox.parts ? sandbox : "none", err->msg);
        else if (f->not_modified)
                printf("not-modified status=%d sandbox=%s\n", f->http_status, sandbox);
        else
                printf("ok name=%s version=%s content=%s members=%zu etag=%s last-modified=%s sandbox=%s\n",
                       f->release.manifest->name, f->release.manifest->version, f->release.manifest->content_hex,
                       f->release.manifest->n_members, f->etag ? f->etag : "", f->last_modified ? f->last_modified : "", sandbox);
        return err_exit_code(err, r);
}

static int make(const char *path) {
        cleanup_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
        cleanup_privkey struct privkey *key = NULL;
        cleanup_buf struct buf pem = {};
        struct made_bundle b;
        struct err err;
        int r;

        if (dir < 0)
                return usage("cannot open the folder");
        if (privkey_generate(&key, &err) < 0 || pubkey_pem(privkey_public(key), &pem, &err) < 0 ||
            file_replace(dir, "sample.pub", 0644, pem.data, pem.len, &err) < 0)
                return usage(err.msg);
        fd = openat(dir, "sample.tar.zst", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return usage("cannot write the bundle");
        made_bundle_make(&b, MANIFEST_TYPE, 3, 100000, &key, 1);
        r = bundle_write(fd, &b.env, b.members, b.n, 0, &err);
        made_bundle_done(&b);
        return r < 0 ? usage(err.msg) : 0;
}

int main(int argc, char **argv) {
        enum { KEY = 1, ETAG, LAST_MODIFIED, CA, CERT, CLIENT_KEY, TOKEN, PROXY, TIMEOUT, LOW_SPEED, MAX_ARCHIVE };
        static const struct option options[] = {
                {"key", 1, NULL, KEY},
                {"etag", 1, NULL, ETAG},
                {"last-modified", 1, NULL, LAST_MODIFIED},
                {"ca", 1, NULL, CA},
                {"cert", 1, NULL, CERT},
                {"client-key", 1, NULL, CLIENT_KEY},
                {"token", 1, NULL, TOKEN},
                {"proxy", 1, NULL, PROXY},
                {"timeout", 1, NULL, TIMEOUT},
                {"low-speed", 1, NULL, LOW_SPEED},
                {"max-archive", 1, NULL, MAX_ARCHIVE},
                {},
        };
        struct fetch_request req = {
                .fd = -1, .limits = bundle_limits_default, .timeout_ns = 60 * S, .uid = NOBODY, .gid = NOBODY};
        cleanup_keyring struct keyring ring = {};
        cleanup_fetched struct fetched f = FETCHED_INIT;
        cleanup_fd int file = -1;
        struct err err = {};
        int c, r;

        if (argc == 2 && strcmp(argv[1], "@fetcher") == 0)
                return fetcher_main(CHILD_SOCK);
        if (argc == 3 && strcmp(argv[1], "--make") == 0)
                return make(argv[2]);
        while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (c) {
                case KEY:
                        if (keyring_add_file(&ring, optarg, &err) < 0)
                                return usage(err.msg);
                        break;
                case ETAG:
                        req.etag = optarg;
                        break;
                case LAST_MODIFIED:
                        req.last_modified = optarg;
                        break;
                case CA:
                        req.ca = optarg;
                        break;
                case CERT:
                        req.certificate = optarg;
                        break;
                case CLIENT_KEY:
                        req.client_key = optarg;
                        break;
                case TOKEN:
                        req.token = optarg;
                        break;
                case PROXY:
                        req.proxy = optarg;
                        break;
                case TIMEOUT:
                        req.timeout_ns = atoi(optarg) * S;
                        break;
                case LOW_SPEED:
                        req.low_speed_s = atoi(optarg);
                        break;
                case MAX_ARCHIVE:
                        req.limits.max_archive = strtoull(optarg, NULL, 10);
                        break;
                default:
                        return 2;
                }
        if (optind + 1 != argc)
                return usage("one URL or file");
        if (strstr(argv[optind], "://"))
                req.url = argv[optind];
        else
                req.fd = file = open(argv[optind], O_RDONLY | O_CLOEXEC);
        if (!req.url && file < 0)
                return usage("cannot open the file");
        r = fetch_bundle(&req, &(struct bundle_trust){.ring = &ring, .threshold = 1}, &waiter_plain, &f, &err);
        return report(r, &f, &err);
}
