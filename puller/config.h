/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's configuration: defaults, then /etc/lsmpull/lsmpull.yaml, then flags. Every path can be moved, so that tests and
 * several instances can live side by side. Unknown keys, and all else that is not understood, are errors with file:line:column.
 *
 *      source: {repository: DIR|URL}                                    # polled by `run`; without a source: only `install`
 *      source: {git: DIR|URL, branch: NAME}                             # the same, in a branch of a Git repository
 *      source: {bundle: FILE|URL, keys: [PUB.pem...], threshold: N}     # one bundle, by its own signatures
 *      trust: {root: FILE}                                              # the anchor of a repository
 *      bundles: [NAME...]                                               # which of the repository's
 *      ring: NAME                                                       # in their rollouts
 *      node-id: TEXT                                                    # places the node in its ring
 *      first_boot: DIR                                                  # a repository on this disk, while nothing is in force
 *      poll: {interval: 60s, jitter: 10}                                # percent
 *      https: {ca: FILE, certificate: FILE, key: FILE, token: FILE, user: NAME, proxy: URL}
 *      ssh: {key: FILE, known-hosts: FILE}
 *      on_stale: {run: [PROGRAM, ARG...], after: 1d}
 *      metrics: {file: FILE.prom}
 *      events: {file: {path: FILE, max_size: 64MiB, keep: 5}, journald: true|false}
 *      events: {http: {url: URL, format: loki|splunk|otlp, token: FILE, ca: FILE, certificate: FILE, key: FILE, tenant: NAME,
 *                      labels: [NAME=VALUE...], max_size: 64MiB}}
 *      confirm: {deadline: 60s, health: 10s, max-denials: N, command: [PROGRAM, ARG...]}
 *      limits: {archive: 64MiB, content: 256MiB}
 *      mode: enforce|audit                                              # audit lowers every policy; it is never raised
 *      audit: [BUNDLE/POLICY...]                                        # these alone are lowered to audit (lowered.h)
 *      bpf-token: true|false
 *      users: {fetcher: NAME, loader: NAME, reporter: NAME}
 *      paths: {state: DIR, run: DIR, cache: DIR, bpffs: DIR, cgroup: DIR}
 *
 * Files and folders are absolute paths. http:// is refused: a signature does not show that somebody on the way holds back what
 * is newer. (Events may go by it to a collector on this machine.)
 */
#pragma once

#include "bundle.h"
#include "key.h"
#include "manifest.h"

enum source_kind { SOURCE_NONE, SOURCE_BUNDLE, SOURCE_HTTPS, SOURCE_GIT, SOURCE_DIRECTORY };

struct config {
        char *file; /* the file it was read from; NULL: none */
        /* At most one of these three: an absolute path (file:// taken off), or a URL: https://, with `git` also ssh://. */
        char *source;     /* one bundle */
        char *repository; /* no slash at its end */
        char *git;
        char *git_branch;
        char *root_file;      /* the trust anchor of repository and git */
        char **bundles;       /* NULL-terminated names, each once; NULL: none */
        char *ring;           /* never NULL */
        char *node_id;        /* NULL: made from the machine's id (node_id.h) */
        char *first_boot;     /* NULL: none */
        char **stale_command; /* NULL-terminated argv; NULL: none */
        int64_t stale_after_ns;
        char *metrics_file;       /* NULL: none */
        char *events_file;        /* NULL: none */
        uint64_t events_max_size; /* 0: not said */
        unsigned events_keep;     /* 0: not said */
        bool events_journald;
        /* The receiver in the network. url NULL: none; each of the others may be NULL. */
        char *events_url, *events_format, *events_token, *events_ca, *events_certificate, *events_key, *events_tenant;
        char **events_labels;  /* NULL-terminated, NAME=VALUE */
        uint64_t events_spool; /* bytes; 0: not said */
        char *https_user;      /* the token is this user's password; NULL: it is a bearer token */
        char *ssh_key, *ssh_known_hosts;
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
        char **audit; /* NULL-terminated, BUNDLE/POLICY, each once; NULL: none */
        char *fetcher_user, *loader_user, *reporter_user;
        char *state_dir, *run_dir, *cache_dir, *bpffs_dir, *cgroup_dir; /* cgroup_dir NULL: below the agent's own */
        char *fetcher_exe; /* NULL: this program. For tests that put a hostile program in the fetcher's place */
        bool bpf_token;    /* use a BPF token where the kernel has one (default) */
};

#define CONFIG_MAX (1u << 20)
#define CONFIG_BUNDLES_MAX 64
#define CONFIG_AUDIT_MAX 64 /* so that all names of a bundle fit in LOWERED_MAX */

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
/* The same for a whole repository: no query, and without slashes at its end. */
int repository_parse(const char *text, char **ret, struct err *err);
/* A Git repository: a path, or https:// or ssh:// without a password in it. */
int git_url_parse(const char *text, char **ret, struct err *err);

/* Where releases come from. */
enum source_kind config_source_kind(const struct config *c);
/* Its address, for messages; NULL: none. */
const char *config_source_address(const struct config *c);
