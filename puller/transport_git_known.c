/* SPDX-License-Identifier: Apache-2.0 */
#include "transport_git_known.h"

#define LINE_MAX_LEN 8192

/* One line, NUL-terminated, of which the next call has nothing more; NULL at the end. libssh2 1.10 reads on to a NUL, whatever
 * length it is told. */
static const char *line_next(const struct buf *file, size_t *at, char text[static LINE_MAX_LEN]) {
        while (*at < file->len) {
                const char *p = file->data + *at, *eol = memchr(p, '\n', file->len - *at);
                size_t n = eol ? (size_t)(eol - p) : file->len - *at;

                *at += n + 1;
                if (n >= LINE_MAX_LEN)
                        n = 0; /* as good as not there */
                memcpy(text, p, n);
                text[n] = 0;
                return text;
        }
        return NULL;
}

int ssh_known_load(struct ssh_known *k, LIBSSH2_SESSION *session, const struct buf *file, struct err *err) {
        char text[LINE_MAX_LEN];
        const char *line;
        size_t at = 0;

        *k = (struct ssh_known){.hosts = libssh2_knownhost_init(session), .file = file};
        if (!k->hosts)
                return err_errno(err, -ENOMEM, "ssh: known_hosts");
        for (unsigned n = 1; (line = line_next(file, &at, text)); n++)
                if (line[0] != '@' &&
                    libssh2_knownhost_readline(k->hosts, line, strlen(line), LIBSSH2_KNOWNHOST_FILE_OPENSSH) < 0 &&
                    k->bad_line == 0)
                        k->bad_line = n;
        return 0;
}

void ssh_known_done(struct ssh_known *k) {
        if (k->hosts)
                libssh2_knownhost_free(k->hosts);
        *k = (struct ssh_known){};
}

static int check(const struct ssh_known *k, const char *host, uint16_t port, const char *key, size_t n, int type,
                 struct libssh2_knownhost **ret) {
        *ret = NULL;
        return libssh2_knownhost_checkp(k->hosts, host, port, key, n,
                                        LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | type, ret);
}

/* Found out with a key that nobody has: of a kind that is known, it is the wrong one. */
int ssh_known_kinds(const struct ssh_known *k, const char *host, uint16_t port, struct buf *ret, struct err *err) {
        static const struct {
                int type;
                const char *name;
        } kinds[] = {
                {LIBSSH2_KNOWNHOST_KEY_ED25519, "ssh-ed25519"},
                {LIBSSH2_KNOWNHOST_KEY_ECDSA_256, "ecdsa-sha2-nistp256"},
                {LIBSSH2_KNOWNHOST_KEY_ECDSA_384, "ecdsa-sha2-nistp384"},
                {LIBSSH2_KNOWNHOST_KEY_ECDSA_521, "ecdsa-sha2-nistp521"},
        };
        struct libssh2_knownhost *found;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (check(k, host, port, "-", 1, kinds[i].type, &found) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH &&
                    buf_printf(ret, "%s%s", ret->len ? "," : "", kinds[i].name) < 0)
                        return err_errno(err, -ENOMEM, "ssh");
        if (ret->len > 0)
                return 0;
        if (k->bad_line)
                return err_set(err, -EACCES, REASON_NONE,
                               "ssh: known_hosts has no Ed25519 or ECDSA key of %s, port %u; its line %u is not understood", host,
                               port, k->bad_line);
        return err_set(err, -EACCES, REASON_NONE, "ssh: known_hosts has no Ed25519 or ECDSA key of %s, port %u", host, port);
}

/* "@revoked HOSTS TYPE KEY": for whatever hosts, it is not taken for anybody's. */
static bool is_revoked(const struct ssh_known *k, const char *key) {
        static const char marker[] = "@revoked";
        char text[LINE_MAX_LEN];
        const char *line;
        size_t at = 0;

        while ((line = line_next(k->file, &at, text))) {
                const char *p = line;

                if (strncmp(p, marker, strlen(marker)) != 0)
                        continue;
                for (int word = 0; word < 3; word++) {
                        p += strcspn(p, " \t");
                        p += strspn(p, " \t");
                }
                if (strcspn(p, " \t\r") == strlen(key) && strncmp(p, key, strlen(key)) == 0)
                        return true;
        }
        return false;
}

int ssh_known_check(const struct ssh_known *k, const char *host, uint16_t port, const char *key, size_t n, struct err *err) {
        struct libssh2_knownhost *found;

        if (check(k, host, port, key, n, 0, &found) != LIBSSH2_KNOWNHOST_CHECK_MATCH || !found || !found->key)
                return err_set(err, -EACCES, REASON_NONE, "ssh: the key of %s is not the one in known_hosts", host);
        if (is_revoked(k, found->key))
                return err_set(err, -EACCES, REASON_NONE, "ssh: the key of %s is revoked in known_hosts", host);
        return 0;
}
