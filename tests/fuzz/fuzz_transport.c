/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, paths, branches and header fields, as the transports take them apart: whatever is taken can do no harm where it goes. */
#include <strings.h>

#include "fuzz.h"
#include "https.h"
#include "../../puller/transport_names.h"

static bool printable(const char *s) {
        for (; *s; s++)
                if (*s < ' ' || *s > '~')
                        return false;
        return true;
}

static void try_path(const char *s) {
        cleanup_buf struct buf url = {};
        const char *tail;

        if (!transport_path_valid(s))
                return;
        must(printable(s) && s[0] && s[0] != '/' && !strchr(s, '\\') && strlen(s) < TRANSPORT_PATH_MAX);
        for (const char *p = s; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
                size_t n = strcspn(p, "/");

                must(n > 0 && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.'));
                must(!(n == 4 && strncasecmp(p, ".git", 4) == 0));
        }
        must(transport_url_join("https://host/a", s, &url, NULL) == 0);
        must(strncmp(url.data, "https://host/a/", 15) == 0);
        tail = url.data + 15;
        must(!tail[strcspn(tail, " ?#\\\"<>:@&=+")] && printable(tail));
        if (!strchr(s, '/'))
                must(!transport_name_odd(s));
}

static void try_base(const char *s) {
        cleanup_buf struct buf url = {};
        uint16_t ports[HTTPS_PORTS_MAX];
        struct err err = {};
        size_t n = 0;

        if (transport_url_join(s, "x", &url, &err) < 0) {
                must(err.reason == REASON_CONFIG);
                return;
        }
        must(printable(s) && strncasecmp(s, "https://", 8) == 0 && !strpbrk(s, "?# \\"));
        must(strcmp(url.data + url.len - 2, "/x") == 0);
        if (https_ports(url.data, NULL, ports, &n, &err) == 0)
                must(n >= 1 && n <= 2 && ports[0] > 0);
}

static void try_address(const char *s) {
        struct branch_address a;
        struct err err = {};

        if (transport_address_parse(s, &a, &err) < 0) {
                must(err.reason == REASON_CONFIG);
                return;
        }
        must(a.user[0] != '-' && printable(a.user) && !strpbrk(a.user, ":@/ '\""));
        switch (a.reach) {
        case BRANCH_HTTPS:
                must(strncmp(a.url, "https://", 8) == 0 && printable(a.url) && !strpbrk(a.url, "?# "));
                must(!memchr(a.url + 8, '@', strcspn(a.url + 8, "/")));
                return;
        case BRANCH_SSH:
                must(a.user[0] && a.host[0] && a.host[0] != '-' && a.port > 0 && !strpbrk(a.host, "@/[] '\"$`;"));
                must(a.path[0] && a.path[0] != '-' && printable(a.path));
                return;
        case BRANCH_LOCAL:
                must(a.path[0] == '/' && strcmp(a.path, s) == 0);
                return;
        }
        must(false);
}

static void try_branch(const char *s) {
        if (!transport_branch_valid(s))
                return;
        must(s[0] && s[0] != '-' && printable(s) && !strstr(s, "..") && !strpbrk(s, " ~^:?*[\\") && strlen(s) <= 200);
        must(transport_path_valid(s) || strcasestr(s, ".git") || strcasestr(s, "git~1"));
}

static void try_header(const char *s) {
        uint64_t first, last, total;

        if (https_content_range_parse(s, &first, &last, &total) == 0)
                must(first <= last && last < total);
        if (https_validator_strong(s))
                must(https_validator_valid(s) && s[0] == '"' && strlen(s) >= 2);
        if (https_validator_valid(s))
                must(s[0] && printable(s) && strlen(s) < HTTPS_VALIDATOR_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *s = malloc(size + 1); /* of exactly this size */

        must(s);
        if (size)
                memcpy(s, data, size);
        s[size] = 0;
        try_path(s);
        try_base(s);
        try_address(s);
        try_branch(s);
        try_header(s);
        transport_name_odd(s);
        free(s);
        return 0;
}
