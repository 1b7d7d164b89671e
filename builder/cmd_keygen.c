/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "cmd.h"
#include "fileio.h"
#include "key.h"
#include "strv.h"

static const struct option_spec options[] = {
        {"dir", 'd', "DIR", "where to write them (default: here)"},
};

static bool file_name_valid(const char *name) {
        size_t n = strlen(name);

        return n > 0 && n <= 200 && name[0] != '.' && name[0] != '-' && !strchr(name, '/');
}

/* Neither file may be there: a key that was overwritten is lost, a public key that was is a trap. */
static int names_free(int dirfd, const struct strv *names, struct err *err) {
        for (size_t i = 0; i < names->n; i++)
                if (faccessat(dirfd, names->v[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return err_set(err, -EEXIST, REASON_NONE, "'%s' exists and is never overwritten", names->v[i]);
        return 0;
}

static int write_pair(int dirfd, const struct strv *names, const struct privkey *key, struct err *err) {
        cleanup_buf_wipe struct buf secret = {};
        cleanup_buf struct buf public = {};
        int e = privkey_pem(key, &secret, err);

        if (e == 0)
                e = pubkey_pem(privkey_public(key), &public, err);
        if (e == 0)
                e = file_create(dirfd, names->v[0], 0600, secret.data, secret.len, err);
        if (e < 0)
                return e;
        e = file_create(dirfd, names->v[1], 0644, public.data, public.len, err);
        if (e < 0)
                unlinkat(dirfd, names->v[0], 0);
        return e;
}

static int keygen(const char *name, const char *dir, struct err *err) {
        cleanup_privkey struct privkey *key = NULL;
        cleanup_strv struct strv names = {};
        cleanup_fd int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int e;

        if (dirfd < 0)
                return err_errno(err, -errno, "cannot open '%s'", dir);
        if (strv_addf(&names, "%s.key", name) < 0 || strv_addf(&names, "%s.pub", name) < 0)
                return err_errno(err, -ENOMEM, "names");
        e = names_free(dirfd, &names, err);
        if (e == 0)
                e = privkey_generate(&key, err);
        if (e == 0)
                e = write_pair(dirfd, &names, key, err);
        if (e < 0)
                return e;
        printf("%s\n", privkey_public(key)->id_hex);
        return 0;
}

static int run(const struct args *args) {
        const char *name = args->operands[0];
        struct err err = {};
        int e;

        if (!file_name_valid(name))
                return usage_error(args->command, "'%s' is not a name for two files", name);
        e = keygen(name, args_get(args, "dir") ?: ".", &err);
        return e < 0 ? report_error("keygen", &err, e) : output_end(0);
}

const struct command cmd_keygen = {
        .name = "keygen",
        .operands = "NAME",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "make a signing key: NAME.key (secret, 0600) and NAME.pub; prints the key id",
        .details = "The secret key is PKCS#8 PEM, the public one SPKI PEM (Ed25519), as OpenSSL writes them.\n"
                   "Files that exist are never overwritten.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
