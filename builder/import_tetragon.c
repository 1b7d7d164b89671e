/* SPDX-License-Identifier: Apache-2.0 */
/* Tetragon's documents: what they are, whom they are for, and their hooks. */
#include "import_tetragon.h"

#include <stdio.h>

#include "fields.h"

#define API_VERSION "cilium.io/v1alpha1"

static bool absent(const struct yaml_node *node) {
        return node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_NULL;
}

static void unknown_key(struct tg *tg, const struct yaml_node *key, const char *what, const char *const *names, size_t n) {
        cleanup_buf struct buf known = {};

        for (size_t i = 0; i < n; i++)
                tg_try(tg, buf_printf(&known, "%s%s", i > 0 ? ", " : "", names[i]));
        import_error(tg->im, key->pos, "%s has no key '%s'; it has: %s", what, key->kind == YAML_SCALAR ? key->text : "?",
                     known.data ?: "");
}

bool tg_keys(struct tg *tg, const struct yaml_node *map, const char *what, const char *const *names, size_t n,
             const struct yaml_node **ret) {
        size_t before = tg->im->diags.n_errors;

        for (size_t i = 0; i < n; i++)
                ret[i] = NULL;
        if (map->kind != YAML_MAP) {
                import_error(tg->im, map->pos, "%s is a mapping, not %s", what, yaml_describe(map));
                return false;
        }
        for (size_t k = 0; k < map->n; k++) {
                size_t i = 0;

                while (i < n && !(map->keys[k]->kind == YAML_SCALAR && streq(names[i], map->keys[k]->text)))
                        i++;
                if (i == n)
                        unknown_key(tg, map->keys[k], what, names, n);
                else if (!absent(map->items[k]))
                        ret[i] = map->items[k];
        }
        return tg->im->diags.n_errors == before;
}

bool tg_list(struct tg *tg, const struct yaml_node *node, const char *key) {
        if (node->kind == YAML_LIST)
                return true;
        import_error(tg->im, node->pos, "'%s' is a list, not %s", key, yaml_describe(node));
        return false;
}

const char *tg_text(struct tg *tg, const struct yaml_node *node, const char *key) {
        return field_text(node, key, &tg->im->diags);
}

void tg_try(struct tg *tg, int e) {
        tg->out_of_memory = tg->out_of_memory || e < 0;
}

void tg_add(struct tg *tg, struct strv *to, const char *text) {
        if (!strv_has(to, text))
                tg_try(tg, strv_add(to, text));
}

/* ---- hooks --------------------------------------------------------------------------------------------------------------- */

#define AT_OPEN "it is asked at each reading and writing; rules are asked when the file is opened"
#define IMAGES \
        "rules are about modules and kernels to start, from a file and from memory alike, and about nothing else that is read"
#define BOTH_NAMES "rules are asked about the old name and the new one"

/* As the kernel calls them; where security_NAME and the hook differ, both. */
static const struct tg_hook hooks[] = {
        {"file_open", {"file.read", "file.write"}, {TG_OBJECT}, NULL},
        {"file_permission", {"file.read", "file.write"}, {TG_OBJECT, TG_MASK}, AT_OPEN},
        {"mmap_file", {"file.mmap-exec"}, {TG_OBJECT, TG_PROT}, NULL},
        {"bprm_check", {"exec"}, {TG_OBJECT}, NULL},
        {"bprm_check_security", {"exec"}, {TG_OBJECT}, NULL},
        {"bprm_creds_for_exec", {"exec"}, {TG_OBJECT}, NULL},
        {"bprm_creds_from_file", {"exec"}, {TG_OBJECT, TG_OBJECT}, NULL},
        {"path_mknod", {"file.create", "file.mknod"}, {TG_DIR, TG_OBJECT}, NULL},
        {"path_mkdir", {"file.mkdir"}, {TG_DIR, TG_OBJECT}, NULL},
        {"path_symlink", {"file.symlink"}, {TG_DIR, TG_OBJECT}, NULL},
        {"path_unlink", {"file.unlink"}, {TG_DIR, TG_OBJECT}, "file.unlink is about empty folders, too"},
        {"path_rmdir", {"file.unlink"}, {TG_DIR, TG_OBJECT}, "file.unlink is about files, too"},
        {"path_rename", {"file.rename"}, {TG_DIR, TG_OBJECT, TG_DIR, TG_OBJECT}, BOTH_NAMES},
        {"path_link", {"file.link"}, {TG_OBJECT, TG_DIR, TG_OBJECT}, BOTH_NAMES},
        {"path_chmod", {"file.chmod"}, {TG_OBJECT}, NULL},
        {"path_chown", {"file.chown"}, {TG_OBJECT}, NULL},
        {"path_truncate", {"file.truncate"}, {TG_OBJECT}, NULL},
        {"capable", {"capability"}, {TG_OTHER, TG_OTHER, TG_CAP}, NULL},
        {"socket_create", {"socket.create"}, {TG_FAMILY, TG_TYPE, TG_PROTOCOL}, NULL},
        {"socket_bind", {"socket.bind"}, {TG_SOCK, TG_ADDRESS}, NULL},
        {"socket_connect", {"socket.connect"}, {TG_SOCK, TG_ADDRESS}, "socket.connect is about sending to an address, too"},
        {"socket_listen", {"socket.listen"}, {TG_SOCK}, NULL},
        {"socket_accept", {"socket.accept"}, {TG_SOCK, TG_OTHER}, NULL},
        {"socket_sendmsg", {"socket.sendmsg"}, {TG_SOCK, TG_OTHER}, NULL},
        {"ptrace_access_check", {"ptrace"}, {TG_OTHER}, NULL},
        {"sb_mount", {"mount"}, {TG_OTHER, TG_OBJECT}, "mount is about move_mount(2), too"},
        {"sb_umount", {"umount"}, {TG_OTHER}, NULL},
        {"move_mount",
         {"move-mount"},
         {TG_OBJECT, TG_OBJECT},
         "move-mount is about MS_MOVE of mount(2), too, and about both places"},
        {"sb_pivotroot", {"pivot-root"}, {TG_OBJECT, TG_OBJECT}, "rules are asked about both places"},
        {"task_kill", {"signal"}, {TG_OTHER, TG_OTHER, TG_SIGNAL}, NULL},
        {"bpf", {"bpf"}, {TG_COMMAND}, NULL},
        {"kernel_read_file", {"module.load", "kexec"}, {TG_OTHER, TG_OTHER}, IMAGES},
        {"kernel_load_data", {"module.load", "kexec"}, {TG_OTHER}, IMAGES},
        {"userns_create", {"userns.create"}, {TG_OTHER}, NULL},
        {"create_user_ns", {"userns.create"}, {TG_OTHER}, NULL},
        {"task_fix_setuid", {"setuid"}, {TG_OTHER, TG_OTHER, TG_OTHER}, NULL},
        {"task_fix_setgid", {"setgid"}, {TG_OTHER, TG_OTHER, TG_OTHER}, NULL},
};

static const struct tg_hook *hook_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
                if (streq(hooks[i].name, name))
                        return &hooks[i];
        return NULL;
}

static bool is_true(const struct yaml_node *node) {
        return node && node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_BOOL && yaml_is_true(node);
}

/* The hook that a kprobe is on. NULL: reported. */
static const char *kprobe_hook(struct tg *tg, const struct yaml_node *call, const struct yaml_node *syscall) {
        static const char prefix[] = "security_";
        const char *text = tg_text(tg, call, "call");

        if (!text)
                return NULL;
        if (strncmp(text, prefix, strlen(prefix)) != 0) {
                import_left_out(tg->im, call->pos, "'%s': rules are asked at the LSM's hooks: security_* functions are those",
                                text);
                return NULL;
        }
        if (is_true(syscall)) {
                import_error(tg->im, syscall->pos, "'%s' is no system call: syscall: false", text);
                return NULL;
        }
        return text + strlen(prefix);
}

static void hook_read(struct tg *tg, const struct yaml_node *node, bool is_kprobe) {
        enum { CALL, ARGS, SELECTORS, MESSAGE, TAGS, SYSCALL, RETURN, RETURN_ARG, RETURN_ACTION, IGNORE, DATA, N_KEYS };
        static const char *const kprobe[] = {"call",   "args",      "selectors",       "message", "tags", "syscall",
                                             "return", "returnArg", "returnArgAction", "ignore",  "data"};
        static const char *const lsm[] = {"hook", "args", "selectors", "message", "tags"};
        const struct yaml_node *v[N_KEYS] = {};
        struct tg_entry entry = {.node = node, .is_kprobe = is_kprobe};
        const char *name;

        if (!tg_keys(tg, node, is_kprobe ? "a kprobe" : "a hook of lsmhooks", is_kprobe ? kprobe : lsm,
                     is_kprobe ? ARRAY_SIZE(kprobe) : ARRAY_SIZE(lsm), v))
                return;
        if (!v[CALL]) {
                import_error(tg->im, node->pos, is_kprobe ? "a kprobe has no 'call'" : "a hook of lsmhooks has no 'hook'");
                return;
        }
        name = is_kprobe ? kprobe_hook(tg, v[CALL], v[SYSCALL]) : tg_text(tg, v[CALL], "hook");
        if (!name)
                return;
        if (is_true(v[RETURN]) || v[RETURN_ACTION] || v[DATA])
                import_left_out(tg->im, (v[RETURN_ACTION] ?: v[DATA] ?: v[RETURN])->pos,
                                "'return', 'returnArgAction', 'data': rules decide before something is done");
        entry.hook = hook_find(name);
        entry.args = v[ARGS];
        entry.selectors = v[SELECTORS];
        if (!entry.hook) {
                import_left_out(tg->im, v[CALL]->pos, "'%s': rules are not asked at this hook by this version", name);
                return;
        }
        if ((entry.args && !tg_list(tg, entry.args, "args")) || (entry.selectors && !tg_list(tg, entry.selectors, "selectors")))
                return;
        if (entry.hook->note)
                import_note(tg->im, v[CALL]->pos, "'%s': %s", name, entry.hook->note);
        tg_args_check(tg, &entry);
        tg_rules_make(tg, &entry);
}

static void hooks_read(struct tg *tg, const struct yaml_node *list, const char *key, bool is_kprobe) {
        for (size_t i = 0; list && tg_list(tg, list, key) && i < list->n; i++)
                hook_read(tg, list->items[i], is_kprobe);
}

/* ---- whom it is for ------------------------------------------------------------------------------------------------------ */

/* A node knows neither labels nor names of pods: what was meant for some containers would hold for all that runs on the node. */
static void scope_check(struct tg *tg, const struct yaml_node *at, const char *what) {
        if (!at)
                return;
        if (tg->im->whole_node)
                import_left_out(tg->im, at->pos,
                                "%s: a node knows neither labels nor names of pods, and the rules of '%s' hold for all of it",
                                what, tg->name);
        else
                import_error(
                        tg->im, at->pos,
                        "%s: '%s' is for some pods or containers, and a node knows neither their labels nor their names: the "
                        "rules would hold for the whole node. If that may be: --whole-node; a scope can be added then",
                        what, tg->name);
}

static void options_read(struct tg *tg, const struct yaml_node *list) {
        static const char *const names[] = {"name", "value"};
        const struct yaml_node *v[2];

        for (size_t i = 0; list && tg_list(tg, list, "options") && i < list->n; i++) {
                const char *name, *value;

                if (!tg_keys(tg, list->items[i], "an option", names, 2, v) || !v[0] || !v[1])
                        continue;
                name = tg_text(tg, v[0], "name");
                value = tg_text(tg, v[1], "value");
                if (!name || !value)
                        continue;
                if (!streq(name, "policy-mode"))
                        import_note(tg->im, v[0]->pos, "option '%s': it is about Tetragon itself", name);
                else if (streq(value, "monitor"))
                        tg->monitor = true;
                else if (!streq(value, "enforce"))
                        import_error(tg->im, v[1]->pos, "policy-mode '%s': it is enforce or monitor", value);
        }
}

/* ---- documents ----------------------------------------------------------------------------------------------------------- */

static void spec_read(struct tg *tg, const struct yaml_node *spec) {
        enum { KPROBES, LSMHOOKS, FENTRIES, POD, CONTAINER, HOST, OPTIONS, OTHERS };
        static const char *const names[] = {"kprobes",      "lsmhooks", "fentries",    "podSelector",    "containerSelector",
                                            "hostSelector", "options",  "tracepoints", "uprobes",        "usdts",
                                            "loader",       "lists",    "enforcers",   "selectorsMacros"};
        static const char *const why[] = {"rules are asked at the LSM's hooks, not at tracepoints",
                                          "rules are asked at the LSM's hooks, not in programs",
                                          "rules are asked at the LSM's hooks, not in programs",
                                          "rules are not asked when programs are loaded into memory",
                                          "rules have no lists of functions",
                                          "they are about system calls",
                                          "rules have no macros: write them out"};
        const struct yaml_node *v[ARRAY_SIZE(names)];

        if (!tg_keys(tg, spec, "'spec'", names, ARRAY_SIZE(names), v))
                return;
        scope_check(tg, v[POD], "'podSelector'");
        scope_check(tg, v[CONTAINER], "'containerSelector'");
        if (v[HOST] && (v[HOST]->kind != YAML_MAP || v[HOST]->n > 0))
                import_error(tg->im, v[HOST]->pos, "'hostSelector' is {}: Tetragon knows no other");
        for (size_t i = 0; i < ARRAY_SIZE(why); i++)
                if (v[OTHERS + i])
                        import_left_out(tg->im, v[OTHERS + i]->pos, "'%s': %s", names[OTHERS + i], why[i]);
        options_read(tg, v[OPTIONS]);
        hooks_read(tg, v[LSMHOOKS], "lsmhooks", false);
        hooks_read(tg, v[KPROBES], "kprobes", true);
        hooks_read(tg, v[FENTRIES], "fentries", true);
}

static const struct yaml_node *child(const struct yaml_node *map, const char *key) {
        for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
                if (map->keys[i]->kind == YAML_SCALAR && streq(map->keys[i]->text, key))
                        return map->items[i];
        return NULL;
}

static int document_read(struct import *im, const struct yaml_node *root) {
        enum { API, KIND, METADATA, SPEC, STATUS, N_KEYS };
        static const char *const names[] = {"apiVersion", "kind", "metadata", "spec", "status"};
        struct tg tg = {.im = im, .root = root};
        const struct yaml_node *v[N_KEYS], *name;
        const char *kind, *api;

        if (!tg_keys(&tg, root, "a tracing policy", names, N_KEYS, v))
                return 0;
        for (size_t i = API; i <= SPEC; i++)
                if (!v[i]) {
                        import_error(im, root->pos, "a tracing policy has no '%s'", names[i]);
                        return 0;
                }
        api = tg_text(&tg, v[API], "apiVersion");
        kind = tg_text(&tg, v[KIND], "kind");
        name = child(v[METADATA], "name");
        if (!api || !kind)
                return 0;
        if (!streq(api, API_VERSION))
                import_error(im, v[API]->pos, "apiVersion '%s': it is " API_VERSION, api);
        if (!streq(kind, "TracingPolicy") && !streq(kind, "TracingPolicyNamespaced")) {
                import_error(im, v[KIND]->pos, "kind '%s': it is TracingPolicy or TracingPolicyNamespaced", kind);
                return 0;
        }
        if (!name) {
                import_error(im, v[METADATA]->pos, "'metadata' has no 'name'");
                return 0;
        }
        tg.name = tg_text(&tg, name, "name");
        if (!tg.name)
                return 0;
        if (streq(kind, "TracingPolicyNamespaced"))
                scope_check(&tg, v[KIND], "TracingPolicyNamespaced");
        spec_read(&tg, v[SPEC]);
        return tg.out_of_memory ? -ENOMEM : 0;
}

const struct import_format import_tetragon = {.name = "tetragon", .read = document_read};
