/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bundle_file.h"
#include "cmd.h"
#include "sign.h"
#include "sign_pending.h"

static const struct option_spec options[] = {
        {"key", 'k', "KEY", "the private key: a PEM file or an OpenSSL store URI", true},
        {"source", 's', "DIR", "of a pending release: build it again from there, and sign only what is the same"},
        {"repo", 'r', "DIR", "the repository that it is for (default: the one in whose pending/ it lies)"},
        {"root", 0, "ROOT", "sign only if the repository follows from this root.json, which you trust"},
};

static int sign(const struct args *args, const char *path, struct err *err) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_fd int fd = memfd_create("bundle", MFD_CLOEXEC);
        bool unchanged;
        int e = fd < 0 ? err_errno(err, -errno, "cannot make a memory file") : 0;

        for (size_t i = 0; e == 0 && args_nth(args, "key", i); i++)
                e = signers_add(&signers, args_nth(args, "key", i), err);
        /* A damaged bundle is not worth a signature: everything but the other signatures is checked. */
        if (e == 0)
                e = bundle_file_load(path, NULL, 0, &file, err);
        if (e == 0)
                e = signers_sign(&signers, &file.env, err);
        if (e == 0 && lseek(file.fd, 0, SEEK_SET) < 0)
                e = err_errno(err, -errno, "cannot read it again");
        if (e == 0)
                e = bundle_replace_manifest(file.fd, fd, &file.env, err);
        if (e == 0)
                e = file_publish(fd, path, 0644, &unchanged, err);
        if (e < 0)
                return e;
        for (size_t i = 0; i < signers.n; i++)
                printf("%s: signed by %s%s\n", path, privkey_public(signers.keys[i])->id_hex, unchanged ? " (already)" : "");
        printf("%s %s, release %ju, content id %s, %zu signature%s\n", file.manifest->name, file.manifest->version,
               (uintmax_t)file.manifest->release, file.manifest->content_hex, file.env.n_sigs, file.env.n_sigs == 1 ? "" : "s");
        return 0;
}

static int run(const struct args *args) {
        const char *path = args->operands[0];
        struct err err = {};
        struct stat st;
        int e;

        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                e = sign_pending(args, &err);
        else if (args_has(args, "source") || args_has(args, "repo") || args_has(args, "root"))
                return usage_error(args->command, "--source, --repo and --root go with a pending change, which is a folder");
        else
                e = sign(args, path, &err);
        return e < 0 ? report_error(path, &err, e) : output_end(0);
}

const struct command cmd_sign = {
        .name = "sign",
        .operands = "FILE|PENDING",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "add a signature to a bundle or to a pending change",
        .details = "For several signatures, each person signs the file that the one before has signed. The\n"
                   "content id stays the same. Of a pending change of a repository, everything that it changes is\n"
                   "shown first.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
