/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's configuration: defaults, then /etc/lsmpull/lsmpull.yaml, then flags. Every path can be moved, so that tests and
 * several instances can live side by side. Unknown keys, and all else that is not understood, are errors with file:line:column.
 *
 *      source: {bundle: FILE|URL, keys: [PUB.pem...], threshold: N}     # polled by `run`; absent: only `install`
 *      poll: {interval: 60s, jitter: 10}                                # percent
 *      https: {ca: FILE, certificate: FILE, key: FILE, token: FILE, proxy: URL}
 *      confirm: {deadline: 60s, health: 10s, max-denials: N, command: [PROGRAM, ARG...]}
 *      limits: {archive: 64MiB, content: 256MiB}
 *      mode: enforce|audit                                              # audit lowers every policy; it is never raised
 *      bpf-token: true|false
 *      users: {fetcher: NAME, loader: NAME, reporter: NAME}
 *      paths: {state: DIR, run: DIR, bpffs: DIR, cgroup: DIR}
 *
 * Files and folders are absolute paths. http:// is refused: a signature does not show that somebody on the way holds back what
 * is newer.
 */
#pragma once

#include "bundle.h"
#include "key.h"
#include "manifest.h"

struct config {
        char *file;   /* the file it was read from; NULL: none */
        char *source; /* NULL: none. An absolute path (file:// taken off) or an https:// URL */
        char **key_files;
        size_t n_key_files;
        size_t threshold; /* 0: every key must have signed */
        int64_t poll_interval_ns;
        unsigned poll_jitter_percent;
        char *ca, *certificate, *client_key, *token_file, *proxy;
        int64_t deadline_ns;   /* from flip to the kernel's fall-back */
        int64_t health_ns;     /* how long a new generation is watched before it is confirmed; < deadline */
        int64_t max_denials;   /* in that time; -1: not limited */
        char **health_command; /* NULL-terminated argv; NULL: none */
        struct bundle_limits limits;
        enum policy_mode mode;
        char *fetcher_user, *loader_user, *reporter_user;
        char *state_dir, *run_dir, *bpffs_dir, *cgroup_dir; /* cgroup_dir NULL: below the agent's own */
        char *fetcher_exe; /* NULL: this program. For tests that put a hostile program in the fetcher's place */
        bool bpf_token;    /* use a BPF token where the kernel has one (default) */
};

#define CONFIG_MAX (1u << 20)

int config_defaults(struct config *ret, struct err *err);
/* p: YAML text; name: for messages. What it sets replaces what was set. After a failure, c is good for config_done() alone. */
int config_parse(struct config *c, const char *name, const void *p, size_t n, struct err *err);
/* An absent file is an error only when the path was named by the user. */
int config_load(struct config *c, const char *path, bool required, struct err *err);
/* What holds between settings (keys with a source, health before the deadline, ...). config_parse() has checked it for the
 * file; flags that change settings afterwards call it again. */
int config_check(const struct config *c, struct err *err);
void config_done(struct config *c);
#define cleanup_config cleanup(config_done)

/* "1500ms", "90s", "5m", "2h", "1d"; > 0, at most 30 days. */
int duration_parse(const char *text, int64_t *ret_ns);
/* "512B", "64KiB", "64MiB", "4GiB", or bytes without a unit; > 0. */
int size_parse(const char *text, uint64_t *ret);
/* A source as `source.bundle` and `install` take it; ret: the path or URL to use. */
int source_parse(const char *text, char **ret, struct err *err);
