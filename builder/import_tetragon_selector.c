/* SPDX-License-Identifier: Apache-2.0 */
/* A selector: whom and what it is about, and what is done then. */
#include <signal.h>
#include <stdio.h>

#include "import_tetragon.h"
#include "selftest.h"

void tg_selector_done(struct tg_selector *s) {
        struct strv *lists[] = {&s->ops,        &s->path,    &s->not_path,    &s->exe,  &s->not_exe,  &s->parent,
                                &s->not_parent, &s->cap,     &s->family,      &s->type, &s->protocol, &s->signal,
                                &s->command,    &s->address, &s->not_address, &s->port};

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                strv_done(lists[i]);
}

/* ---- programs ------------------------------------------------------------------------------------------------------------ */

static bool is_true(const struct yaml_node *node) {
        return node && node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_BOOL && yaml_is_true(node);
}

static void binaries_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *list, const char *key, struct strv *in,
                          struct strv *out) {
        static const struct {
                const char *word;
                enum tg_compare compare;
                bool negated;
        } operators[] = {{"In", TG_EQUAL, false},        {"NotIn", TG_EQUAL, true},      {"Prefix", TG_PREFIX, false},
                         {"NotPrefix", TG_PREFIX, true}, {"Postfix", TG_POSTFIX, false}, {"NotPostfix", TG_POSTFIX, true}};
        static const char *const names[] = {"operator", "values", "followChildren"};
        const struct yaml_node *v[3];

        if (!list || !tg_list(tg, list, key))
                return;
        for (size_t i = 0; i < list->n; i++) {
                const char *word;
                size_t k = 0;

                if (!tg_keys(tg, list->items[i], key, names, 3, v))
                        continue;
                if (!v[0] || !v[1]) {
                        import_error(tg->im, list->items[i]->pos, "'%s' has no '%s'", key, v[0] ? "values" : "operator");
                        continue;
                }
                word = tg_text(tg, v[0], "operator");
                if (!word || !tg_list(tg, v[1], "values"))
                        continue;
                while (k < ARRAY_SIZE(operators) && !streq(operators[k].word, word))
                        k++;
                if (k == ARRAY_SIZE(operators)) {
                        import_error(tg->im, v[0]->pos,
                                     "operator '%s' of '%s': it is In, NotIn, Prefix, NotPrefix, Postfix or NotPostfix", word,
                                     key);
                        continue;
                }
                if (is_true(v[2]))
                        tg_unsaid(tg, s, v[2]->pos, "'followChildren': rules know a task's program and its parent's, no further");
                if (!operators[k].negated && in->n > 0)
                        tg_unsaid(tg, s, v[0]->pos, "a second list of programs that must hold as well");
                for (size_t m = 0; m < v[1]->n; m++)
                        tg_path(tg, s, v[1]->items[m], operators[k].compare, false, operators[k].negated ? out : in);
        }
}

/* ---- namespaces ---------------------------------------------------------------------------------------------------------- */

/* Those that a rule's `host` looks at. */
static bool is_of_host(const char *word) {
        return streq(word, "Pid") || streq(word, "Mnt") || streq(word, "User");
}

static bool is_host_ns(struct tg *tg, const struct yaml_node *values) {
        const char *text = values->n == 1 ? tg_text(tg, values->items[0], "values") : NULL;

        return text && streq(text, "host_ns");
}

static void namespace_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *node) {
        static const char *const names[] = {"namespace", "operator", "values"};
        const struct yaml_node *v[3];
        const char *space, *word, *host;

        if (!tg_keys(tg, node, "a filter of matchNamespaces", names, 3, v))
                return;
        if (!v[0] || !v[1] || !v[2]) {
                import_error(tg->im, node->pos, "a filter of matchNamespaces has no '%s'", names[!v[0] ? 0 : !v[1] ? 1 : 2]);
                return;
        }
        space = tg_text(tg, v[0], "namespace");
        word = tg_text(tg, v[1], "operator");
        if (!space || !word || !tg_list(tg, v[2], "values"))
                return;
        if (!streq(word, "In") && !streq(word, "NotIn")) {
                import_error(tg->im, v[1]->pos, "operator '%s' of 'matchNamespaces': it is In or NotIn", word);
                return;
        }
        host = streq(word, "In") ? "true" : "false";
        if (!is_of_host(space))
                tg_unsaid(tg, s, v[0]->pos, "namespace '%s': rules ask for the host's Pid, Mnt and User namespaces", space);
        else if (!is_host_ns(tg, v[2]))
                tg_unsaid(tg, s, v[2]->pos, "namespaces by number: rules know the host's alone (host_ns)");
        else if (s->host && !streq(s->host, host))
                tg_unsaid(tg, s, node->pos,
                          "in one namespace of the host's and not in another: rules ask for all three together");
        else {
                s->host = host;
                import_note(tg->im, v[0]->pos, "'host' is about the Pid, Mnt and User namespaces together");
        }
}

static void namespaces_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *list) {
        for (size_t i = 0; list && tg_list(tg, list, "matchNamespaces") && i < list->n; i++)
                namespace_read(tg, s, list->items[i]);
}

/* ---- what is done -------------------------------------------------------------------------------------------------------- */

static bool number_read(struct tg *tg, const struct yaml_node *node, const char *key, bool *ret_negative, uint64_t *ret) {
        if (node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_INT && yaml_int(node, ret_negative, ret) == 0)
                return true;
        import_error(tg->im, node->pos, "'%s' is a whole number, not %s", key, yaml_describe(node));
        return false;
}

static void override_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *action, const struct yaml_node *error) {
        bool negative = false;
        uint64_t v = 0;

        s->class = TG_DENY;
        if (error && !number_read(tg, error, "argError", &negative, &v))
                return;
        if (v == 0)
                tg_unsaid(tg, s, (error ?: action)->pos, "Override with %s denies nothing, and rules cannot make things succeed",
                          error ? "argError 0" : "no argError");
        else if (!negative || v > 4095 || !errno_name((int)v))
                import_error(tg->im, error->pos, "argError %s: it is an error's number, negative: -1 is EPERM, -13 EACCES",
                             error->text);
        else
                s->error = (int)v;
}

static void signal_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *action, const struct yaml_node *sig) {
        bool negative = false;
        uint64_t v = 0;

        if (sig && !number_read(tg, sig, "argSig", &negative, &v))
                return;
        if (negative || v != SIGKILL) {
                tg_unsaid(tg, s, (sig ?: action)->pos, "rules send no signal but 9, SIGKILL");
                return;
        }
        s->class = TG_DENY;
        s->kill = true;
}

static bool is_other_action(const char *word) {
        static const char *const words[] = {"FollowFD",  "UnfollowFD", "CopyFD",      "GetUrl",
                                            "DnsLookup", "TrackSock",  "UntrackSock", "CleanupEnforcerNotification",
                                            "Set"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], word))
                        return true;
        return false;
}

static void action_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *node, bool *silent) {
        enum { ACTION, ERROR, SIG, RATE, SCOPE, KERNEL, USER, IMA, N_ARGS };
        static const char *const names[] = {"action",           "argError",       "argSig",  "rateLimit", "rateLimitScope",
                                            "kernelStackTrace", "userStackTrace", "imaHash", "argFd",     "argName",
                                            "argUrl",           "argFqdn",        "argSock", "argIndex",  "argValue"};
        const struct yaml_node *v[ARRAY_SIZE(names)];
        const char *word;

        if (!tg_keys(tg, node, "an action", names, ARRAY_SIZE(names), v))
                return;
        if (!v[ACTION]) {
                import_error(tg->im, node->pos, "an action has no 'action'");
                return;
        }
        word = tg_text(tg, v[ACTION], "action");
        if (!word)
                return;
        for (size_t i = RATE; i < N_ARGS; i++)
                if (v[i])
                        import_left_out(tg->im, v[i]->pos, "'%s': events are what they are: rules say nothing of them", names[i]);
        if (streq(word, "Override"))
                override_read(tg, s, v[ACTION], v[ERROR]);
        else if (streq(word, "Sigkill")) {
                s->class = TG_DENY;
                s->kill = true;
        } else if (streq(word, "Signal"))
                signal_read(tg, s, v[ACTION], v[SIG]);
        else if (streq(word, "NoPost"))
                *silent = true;
        else if (streq(word, "NotifyEnforcer"))
                tg_unsaid(tg, s, v[ACTION]->pos, "'NotifyEnforcer': its enforcer is one of system calls");
        else if (is_other_action(word))
                import_left_out(tg->im, v[ACTION]->pos, "action '%s': rules deny, kill, report or allow", word);
        else if (!streq(word, "Post"))
                import_error(tg->im, v[ACTION]->pos,
                             "there is no action '%s'; most are Override, Sigkill, Signal, Post and NoPost", word);
}

static void actions_read(struct tg *tg, struct tg_selector *s, const struct yaml_node *list) {
        bool silent = false, unsaid = s->unsaid;

        s->class = TG_AUDIT;
        s->unsaid = false;
        for (size_t i = 0; list && tg_list(tg, list, "matchActions") && i < list->n; i++)
                action_read(tg, s, list->items[i], &silent);
        if (s->class == TG_AUDIT && silent)
                s->class = TG_NONE;
        else if (silent)
                import_note(tg->im, list->pos, "NoPost: a denial is always an event");
        /* What is done cannot be said: rules do nothing there; but whom it is about they know. */
        if (s->unsaid)
                s->class = TG_NONE;
        s->unsaid = unsaid;
        if (tg->monitor && s->class == TG_DENY)
                s->class = TG_AUDIT;
}

/* ---- selectors ------------------------------------------------------------------------------------------------------------- */

void tg_selector_read(struct tg *tg, const struct tg_entry *entry, struct tg_selector *s) {
        enum { ARGS, BINARIES, PARENTS, ACTIONS, NAMESPACES, OTHERS };
        static const char *const names[] = {"matchArgs",
                                            "matchBinaries",
                                            "matchParentBinaries",
                                            "matchActions",
                                            "matchNamespaces",
                                            "matchPIDs",
                                            "matchNamespaceChanges",
                                            "matchCapabilities",
                                            "matchCapabilityChanges",
                                            "matchReturnArgs",
                                            "matchReturnActions",
                                            "matchCurrentCred",
                                            "matchData",
                                            "macros"};
        static const char *const why[] = {"rules know no processes by their number",
                                          "rules ask where a task is, not where it goes",
                                          "rules ask which capability is used, not which a task has",
                                          "rules ask which capability is used, not which a task has",
                                          "rules decide before something is done",
                                          "rules decide before something is done",
                                          "rules know users by 'uid', which is not taken from here",
                                          "rules do not look at data",
                                          "rules have no macros: write them out"};
        const struct yaml_node *v[ARRAY_SIZE(names)];

        if (!tg_keys(tg, s->node, "a selector", names, ARRAY_SIZE(names), v))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(why); i++)
                if (v[OTHERS + i])
                        tg_unsaid(tg, s, v[OTHERS + i]->pos, "'%s': %s", names[OTHERS + i], why[i]);
        if (v[ARGS] && tg_list(tg, v[ARGS], "matchArgs"))
                tg_args_read(tg, entry, s, v[ARGS]);
        binaries_read(tg, s, v[BINARIES], "matchBinaries", &s->exe, &s->not_exe);
        binaries_read(tg, s, v[PARENTS], "matchParentBinaries", &s->parent, &s->not_parent);
        namespaces_read(tg, s, v[NAMESPACES]);
        actions_read(tg, s, v[ACTIONS]);
}
