/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's side: the only place where libbpf reads objects that came from outside (signed, but not written by us). */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "child.h"
#include "fileio.h"
#include "loader.h"
#include "loader_parts.h"
#include "loader_proto.h"
#include "loader_rules.h"
#include "loader_seed.h"
#include "loader_scope.h"
#include "lsm_abi.h"
#include "token.h"
#include "verifier_log.h"

struct work {
        int sock;
        struct loader_start start;
        struct manifest *manifest;
        struct plan plan;
        int *members, *slots;
        int events, folds;
        int guard[LOADER_GUARD_MAPS];
        int mounts;          /* -1: not needed */
        char token_path[64]; /* "" without a token: libbpf must not look for one by itself */
};

static int receive_fd(int sock, void *p, size_t size, int *ret_fd) {
        size_t n = 1;
        ssize_t r = msg_recv(sock, p, size, ret_fd, &n);

        return r < 0 ? (int)r : r != (ssize_t)size || n != 1 ? -EPROTO : 0;
}

static int receive_guard(struct work *w) {
        size_t n = LOADER_GUARD_MAPS;
        char tag;
        ssize_t r = msg_recv(w->sock, &tag, 1, w->guard, &n);

        return r < 0 ? (int)r : r != 1 || n != LOADER_GUARD_MAPS ? -EPROTO : 0;
}

static int receive_fds(int sock, int **ret, size_t n) {
        char tag;

        *ret = new_array(n, sizeof(int));
        if (!*ret)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                int r = receive_fd(sock, &tag, 1, &(*ret)[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* A hook without a descriptor is one that this kernel has not. */
static int receive_slots(struct work *w) {
        w->slots = new_array(w->start.n_hooks, sizeof(int));
        if (!w->slots)
                return -ENOMEM;
        for (size_t i = 0; i < w->start.n_hooks; i++) {
                size_t n = 1;
                char tag;
                ssize_t r = msg_recv(w->sock, &tag, 1, &w->slots[i], &n);

                if (r < 0)
                        return (int)r;
                if (r != 1 || (n == 0) != (tag == '-'))
                        return -EPROTO;
                if (n == 0) {
                        w->slots[i] = -1;
                        if (!plan_hook_leave(&w->plan, i, w->manifest))
                                return -EPROTO;
                }
        }
        return 0;
}

/* Descriptors and memory of `work` live as long as the process does. */
static int receive_work(struct work *w, struct err *err) {
        cleanup_buf struct buf bytes = {0};
        cleanup_fd int manifest = -1;
        char tag;
        int r;

        r = receive_fd(w->sock, &w->start, sizeof(w->start), &manifest);
        if (r >= 0)
                r = memfd_read(manifest, MANIFEST_MAX, &bytes, err);
        if (r >= 0)
                r = manifest_parse(bytes.data, bytes.len, &w->manifest, err);
        if (r >= 0 && !memchr(w->start.lowered, '\0', sizeof(w->start.lowered)))
                r = -EPROTO;
        if (r >= 0) {
                lowered_apply(w->start.lowered, w->manifest);
                r = plan_make(w->manifest, &w->plan, err);
        }
        if (r >= 0 && w->start.shadow)
                plan_shadow(&w->plan, w->manifest);
        if (r >= 0 && (w->start.n_members != w->manifest->n_members || w->start.n_hooks != w->plan.n))
                r = -EPROTO;
        if (r >= 0)
                r = receive_fds(w->sock, &w->members, w->start.n_members);
        if (r >= 0)
                r = receive_slots(w);
        if (r >= 0)
                r = receive_fd(w->sock, &tag, 1, &w->events);
        if (r >= 0)
                r = receive_fd(w->sock, &tag, 1, &w->folds);
        if (r >= 0)
                r = receive_guard(w);
        if (r >= 0 && manifest_has_engine(w->manifest))
                r = receive_fd(w->sock, &tag, 1, &w->mounts);
        return r;
}

/* CAP_BPF and CAP_PERFMON, in the namespace with a token, on the node without; nothing else, and no way back. */
static int privileges_drop(const struct loader_start *start, bool namespaced, struct err *err) {
        static const cap_value_t kept[] = {CAP_BPF, CAP_PERFMON};
        cap_t caps;
        int r = 0;

        if (!namespaced && geteuid() == 0) {
                if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
                    setresgid(start->gid, start->gid, start->gid) < 0 || setresuid(start->uid, start->uid, start->uid) < 0)
                        return err_errno(err, -errno, "loader: cannot become uid %u", start->uid);
        }
        caps = cap_init();
        if (!caps || cap_set_flag(caps, CAP_PERMITTED, ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
            cap_set_flag(caps, CAP_EFFECTIVE, ARRAY_SIZE(kept), kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
                r = err_errno(err, -errno, "loader: cannot keep CAP_BPF and CAP_PERFMON alone");
        cap_free(caps);
        if (r >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                r = -errno;
        return r;
}

/* libbpf gives every string section a map named ".rodata.*": the parameters are in the one whose name ends in ".rodata". */
static struct bpf_map *rodata(struct bpf_object *obj) {
        struct bpf_map *map;

        bpf_object__for_each_map(map, obj) {
                const char *name = bpf_map__name(map), *dot = strrchr(name, '.');

                if (dot && streq(dot, ".rodata"))
                        return map;
        }
        return NULL;
}

void *rodata_variable(struct bpf_object *obj, const char *name, size_t size) {
        const struct btf *btf = bpf_object__btf(obj);
        struct bpf_map *map = rodata(obj);
        const struct btf_var_secinfo *var;
        const struct btf_type *sec;
        size_t map_size;
        char *data;
        int id;

        data = map ? bpf_map__initial_value(map, &map_size) : NULL;
        id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
        if (!data || id < 0)
                return NULL;
        sec = btf__type_by_id(btf, (uint32_t)id);
        var = btf_var_secinfos(sec);
        for (int i = 0; i < btf_vlen(sec); i++, var++) {
                const struct btf_type *type = btf__type_by_id(btf, var->type);
                size_t end;

                if (!streq(btf__name_by_offset(btf, type->name_off), name))
                        continue;
                if (var->size != size || add_overflows((size_t)var->offset, size, &end) || end > map_size)
                        return NULL;
                return data + var->offset;
        }
        return NULL;
}

static int parameters_set(const struct work *w, size_t policy, struct bpf_object *obj, struct err *err) {
        const struct manifest_policy *p = &w->manifest->policies[policy];
        struct lsm_config *config = rodata_variable(obj, "lsm_config", sizeof(*config));
        uint32_t mode = w->start.shadow                           ? LSM_MODE_SHADOW
                        : w->start.audit || p->mode == MODE_AUDIT ? LSM_MODE_AUDIT
                                                                  : LSM_MODE_ENFORCE;

        if (!config || config->abi != LSM_ABI)
                return err_set(err, -EINVAL, REASON_UNSUPPORTED_FORMAT, "policy '%s' was not built for ABI %d of lsm_policy.h",
                               p->name, LSM_ABI);
        *config = (struct lsm_config){
                .abi = LSM_ABI,
                .mode = mode,
                .bundle = w->start.bundle_number,
                .policy = (uint32_t)policy,
                .release = w->manifest->release,
                .slot = w->start.slot,
        };
        return 0;
}

static int program_place(const struct work *w, size_t policy, size_t program, struct bpf_object *obj, struct err *err) {
        const struct manifest_policy *p = &w->manifest->policies[policy];
        const char *hook_name = p->programs[program].hook;
        const struct plan_hook *hook;
        const struct plan_entry *entry = plan_entry_of(&w->plan, policy, program, &hook);
        struct lsm_chain *chain;
        struct bpf_map *slots;
        char name[96];

        snprintf(name, sizeof(name), "lsm_chain_%s", hook_name);
        chain = rodata_variable(obj, name, sizeof(*chain));
        snprintf(name, sizeof(name), "lsm_slots_%s", hook_name);
        slots = bpf_object__find_map_by_name(obj, name);
        if (!entry || !chain || !slots)
                return err_set(err, -EINVAL, REASON_MALFORMED, "policy '%s' has no place in the chain of hook %s", p->name,
                               hook_name);
        *chain = (struct lsm_chain){.next = entry->next, .hook = (uint32_t)(hook - w->plan.hooks)};
        if (bpf_map__reuse_fd(slots, w->slots[hook - w->plan.hooks]) < 0)
                return err_errno(err, -errno, "policy '%s': slots of hook %s", p->name, hook_name);
        return 0;
}

/* The agent's own maps, for those that ask for them by name. */
static int shared_maps_give(const struct work *w, const struct manifest_policy *p, struct bpf_object *obj, struct err *err) {
        const struct {
                const char *name;
                int fd;
        } shared[] = {{"lsm_events", w->events},
                      {"lsm_folds", w->folds},
                      {LSM_GUARD_TASKS, w->guard[0]},
                      {LSM_GUARD_OBJECTS, w->guard[1]},
                      {LSM_GUARD_NODE, w->guard[2]}};

        for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(obj, shared[i].name);

                if (map && bpf_map__reuse_fd(map, shared[i].fd) < 0)
                        return err_errno(err, -errno, "policy '%s': the agent's map %s", p->name, shared[i].name);
        }
        return 0;
}

/* The object keeps the program; neither it nor its place in a chain comes to be. */
static int program_leave(const struct manifest_policy *p, size_t program, struct bpf_object *obj, struct err *err) {
        struct bpf_program *prog = bpf_object__find_program_by_name(obj, p->programs[program].name);
        struct bpf_map *slots;
        char name[96];

        snprintf(name, sizeof(name), "lsm_slots_%s", p->programs[program].hook);
        slots = bpf_object__find_map_by_name(obj, name);
        if (!prog || !slots || bpf_program__set_autoload(prog, false) < 0 || bpf_map__set_autocreate(slots, false) < 0)
                return err_set(err, -EINVAL, REASON_MALFORMED, "policy '%s': program '%s' cannot be left out", p->name,
                               p->programs[program].name);
        return 0;
}

static int policy_prepare(const struct work *w, size_t policy, struct bpf_object *obj, struct err *err) {
        const struct manifest_policy *p = &w->manifest->policies[policy];
        int r;

        if (p->plain)
                return 0;
        r = parameters_set(w, policy, obj, err);
        if (r >= 0)
                r = scope_prepare(w->start.cgroup_storage, obj, err);
        for (size_t i = 0; r >= 0 && i < p->n_programs; i++)
                r = plan_program_absent(&w->plan, &p->programs[i]) ? program_leave(p, i, obj, err)
                                                                   : program_place(w, policy, i, obj, err);
        if (r >= 0 && policy_is_engine(p))
                r = engine_prepare(&w->start.kernel, obj, err);
        return r < 0 ? r : shared_maps_give(w, p, obj, err);
}

static int send_fd(const struct work *w, enum loader_message message, size_t policy, size_t program, int fd) {
        struct loader_packet p = {.message = message, .policy = (uint32_t)policy, .program = (uint32_t)program};

        return msg_send(w->sock, &p, sizeof(p), &fd, 1);
}

/* What the node itself knows goes in, and what is counted for each rule goes out. */
static int engine_hand_over(const struct work *w, size_t policy, struct bpf_object *obj, struct err *err) {
        static const struct {
                const char *map;
                enum loader_message message;
        } given[] = {
                {"lsm_rules_roots", LOADER_ROOTS},
                {"lsm_rules_cells", LOADER_RULE_CELLS},
                {"lsm_rules_counts", LOADER_RULE_COUNTS},
                {"lsm_rules_rules", LOADER_RULE_TABLE},
        };
        struct loader_packet p = {.policy = (uint32_t)policy};
        int r;

        r = engine_fill(&w->manifest->policies[policy], obj, w->members, w->mounts, &p.roots, err);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(given); i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(obj, given[i].map);
                int fd = map ? bpf_map__fd(map) : -1;

                if (fd < 0)
                        return err_set(err, -EINVAL, REASON_MALFORMED, "the rules have no map '%s'", given[i].map);
                p.message = given[i].message;
                r = msg_send(w->sock, &p, sizeof(p), &fd, 1);
        }
        return r;
}

static int policy_hand_over(const struct work *w, size_t policy, struct bpf_object *obj, struct err *err) {
        const struct manifest_policy *p = &w->manifest->policies[policy];
        struct bpf_map *counters = bpf_object__find_map_by_name(obj, "lsm_counters"),
                       *scopes = bpf_object__find_map_by_name(obj, "lsm_scope_hash"),
                       *probes = bpf_object__find_map_by_name(obj, "lsm_scope_probes");
        int r = 0;

        for (size_t i = 0; i < p->n_maps; i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(obj, p->maps[i].name);

                /* Sets that all enforce have no seed; they are lowered and frozen as any. */
                if (p->maps[i].seed < 0 && !(policy_is_engine(p) && streq(p->maps[i].name, "lsm_rules_sets")))
                        continue;
                if (!map || bpf_map__key_size(map) != p->maps[i].key_size || bpf_map__value_size(map) != p->maps[i].value_size ||
                    bpf_map__max_entries(map) != p->maps[i].max_entries)
                        return err_set(err, -EINVAL, REASON_MALFORMED, "policy '%s': map '%s' is not what the manifest says",
                                       p->name, p->maps[i].name);
                r = map_seed(p, &p->maps[i], w->members, w->start.lowered, bpf_map__fd(map), err);
                if (r >= 0)
                        r = send_fd(w, LOADER_SEED, policy, 0, bpf_map__fd(map));
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < p->n_programs; i++) {
                struct bpf_program *prog;

                if (plan_program_absent(&w->plan, &p->programs[i]))
                        continue;
                prog = bpf_object__find_program_by_name(obj, p->programs[i].name);
                r = prog ? send_fd(w, LOADER_PROGRAM, policy, i, bpf_program__fd(prog)) : -ENOENT;
                if (r < 0)
                        return err_errno(err, r, "policy '%s': program '%s'", p->name, p->programs[i].name);
        }
        if (counters && !p->plain)
                r = send_fd(w, LOADER_COUNTERS, policy, 0, bpf_map__fd(counters));
        if (r >= 0 && scopes && bpf_map__autocreate(scopes) && !p->plain)
                r = send_fd(w, LOADER_SCOPES, policy, 0, bpf_map__fd(scopes));
        if (r >= 0 && probes && !p->plain)
                r = send_fd(w, LOADER_PROBES, policy, 0, bpf_map__fd(probes));
        if (r >= 0 && policy_is_engine(p))
                r = engine_hand_over(w, policy, obj, err);
        return r;
}

/* The manifest says which programs there are; an object may not bring others, nor attach them elsewhere than it says. */
static int programs_check(const struct manifest_policy *p, struct bpf_object *obj, struct err *err) {
        struct bpf_program *prog;
        size_t n = 0;

        bpf_object__for_each_program(prog, obj) n++;
        if (n != p->n_programs)
                return err_set(err, -EINVAL, REASON_MALFORMED,
                               "policy '%s': the object holds %zu programs, the manifest lists %zu", p->name, n, p->n_programs);
        for (size_t i = 0; i < p->n_programs; i++) {
                const char *section;

                prog = bpf_object__find_program_by_name(obj, p->programs[i].name);
                section = prog ? bpf_program__section_name(prog) : "";
                if (strncmp(section, "lsm/", 4) != 0 || !streq(section + 4, p->programs[i].hook))
                        return err_set(err, -EINVAL, REASON_MALFORMED,
                                       "policy '%s': program '%s' is not an LSM program for hook %s", p->name,
                                       p->programs[i].name, p->programs[i].hook);
        }
        return 0;
}

static int policy_load(const struct work *w, size_t policy, struct verifier_log *log, struct err *err) {
        const struct manifest_policy *p = &w->manifest->policies[policy];
        LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "lsm", .bpf_token_path = w->token_path);
        cleanup_buf struct buf data = {0};
        struct bpf_object *obj;
        int r;

        r = memfd_read(w->members[p->object], OBJECT_MAX, &data, err);
        if (r < 0)
                return r;
        obj = bpf_object__open_mem(data.data, data.len, &opts);
        if (!obj) {
                char why[128];

                r = -errno;
                libbpf_strerror(r, why, sizeof(why));
                return err_set(err, r, r == -ENOMEM ? REASON_LOAD_FAILED : REASON_MALFORMED,
                               "policy '%s': libbpf cannot read the object: %s", p->name, why);
        }
        verifier_log_reset(log);
        r = programs_check(p, obj, err);
        if (r >= 0)
                r = policy_prepare(w, policy, obj, err);
        if (r >= 0) {
                r = bpf_object__load(obj);
                if (r < 0)
                        verifier_log_explain(log, r, p->name, err);
        }
        if (r >= 0)
                r = policy_hand_over(w, policy, obj, err);
        bpf_object__close(obj);
        return r;
}

static int work_do(struct work *w, struct verifier_log *log, struct err *err) {
        cleanup_fd int delegated = -1;
        int r;

        if (w->start.use_token) {
                struct err why = {0};

                r = token_take(w->sock, &delegated, &why);
                if (r == -EOPNOTSUPP) {
                        struct loader_packet p = {.message = LOADER_NO_TOKEN};

                        snprintf(p.text, sizeof(p.text), "%s", why.msg);
                        msg_send(w->sock, &p, sizeof(p), NULL, 0);
                        _exit(0);
                }
                if (r < 0) {
                        *err = why;
                        return r;
                }
                snprintf(w->token_path, sizeof(w->token_path), "/proc/self/fd/%d", delegated);
        }
        r = privileges_drop(&w->start, w->start.use_token, err);
        for (size_t i = 0; r >= 0 && i < w->manifest->n_policies; i++)
                if (!w->start.shadow || policy_shadowed(&w->manifest->policies[i]))
                        r = policy_load(w, i, log, err);
        return r;
}

int loader_main(int sock) {
        struct loader_packet end = {.message = LOADER_DONE};
        struct work w = {.sock = sock, .events = -1, .folds = -1, .mounts = -1};
        struct verifier_log *log = verifier_log_install();
        struct err err = {0};
        int r, fd = -1;

        r = log ? receive_work(&w, &err) : -ENOMEM;
        if (r >= 0)
                r = work_do(&w, log, &err);
        if (r < 0) {
                end.message = LOADER_FAILED;
                end.reason = err.reason ? err.reason : REASON_LOAD_FAILED;
                end.error = r;
                snprintf(end.text, sizeof(end.text), "%.*s", (int)sizeof(end.text) - 1, err.msg[0] ? err.msg : strerror(-r));
                if (log && verifier_log_len(log))
                        fd = memfd_sealed("verifier-log", verifier_log_text(log), verifier_log_len(log), NULL);
        }
        end.token = w.start.use_token;
        msg_send(sock, &end, sizeof(end), &fd, fd >= 0);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
