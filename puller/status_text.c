/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <time.h>

#include "status.h"

#define WIDTH 110
#define LABEL "%-12s" /* source, loader, quarantine, ...: what is said about each begins at column 12 */
#define LABEL_WIDTH 12

struct paint {
        const char *good, *warn, *bad, *dim, *off;
};

static const char *str(const json_t *j, const char *key) {
        const char *s = json_string_value(json_object_get(j, key));

        return s ? s : "";
}

static long long num(const json_t *j, const char *key) {
        return json_integer_value(json_object_get(j, key));
}

static void ago(char *ret, size_t size, long long now, long long then) {
        long long s = now - then;

        if (then == 0)
                snprintf(ret, size, "never");
        else if (s < 0)
                snprintf(ret, size, "in the future");
        else if (s < 120)
                snprintf(ret, size, "%lld s ago", s);
        else if (s < 7200)
                snprintf(ret, size, "%lld min ago", s / 60);
        else if (s < 172800)
                snprintf(ret, size, "%lld h ago", s / 3600);
        else
                snprintf(ret, size, "%lld days ago", s / 86400);
}

static const char *state_paint(const struct paint *p, const char *state) {
        if (streq(state, "enforcing"))
                return p->good;
        return streq(state, "trial") || streq(state, "audit") ? p->warn : p->bad;
}

/* Puts text where the line has come to column `indent`; what does not fit goes on below, at that column. */
static void put_text(FILE *f, const char *text, int indent) {
        int column = indent;

        for (const char *p = text; *p; p += strspn(p, " ")) {
                int n = (int)strcspn(p, " ");

                if (column > indent && column + 1 + n > WIDTH) {
                        fprintf(f, "\n%*s", indent, "");
                        column = indent;
                } else if (column > indent) {
                        fputc(' ', f);
                        column++;
                }
                fprintf(f, "%.*s", n, p);
                column += n;
                p += n;
        }
        fputc('\n', f);
}

/* Somebody has detached it there. */
static void missing_lines(FILE *f, const json_t *b, const struct paint *p) {
        const json_t *hook;
        size_t i;

        json_array_foreach(json_object_get(b, "missing_hooks"), i, hook)
                fprintf(f, "  %snot attached to %s: the agent puts it back at its next poll, or when it starts%s\n", p->bad,
                        json_string_value(hook), p->off);
}

static void bundle_line(FILE *f, const json_t *b, long long now, const struct paint *p) {
        const json_t *gen = json_object_get(b, "in_force"), *staged = json_object_get(b, "staged");
        const char *state = str(b, "state");
        char release[96] = "-", since[32] = "-";

        if (json_is_object(gen)) {
                snprintf(release, sizeof(release), "%lld (%s)", num(gen, "release"), str(gen, "version"));
                ago(since, sizeof(since), now, num(gen, "since"));
        }
        fprintf(f, "%-24s %-16s %s%-10s%s %s\n", str(b, "name"), release, state_paint(p, state), state, p->off, since);
        if (streq(state, "trial"))
                fprintf(f, "  %srelease %lld is on trial, %lld s left%s\n", p->warn, num(staged, "release"),
                        num(json_object_get(b, "gate"), "seconds_left"), p->off);
        else if (streq(state, "unmanaged"))
                fprintf(f, "  %senforced, but no journal says what: install a release, or remove it%s\n", p->bad, p->off);
        else if (streq(state, "incomplete"))
                missing_lines(f, b, p);
        else if (!json_is_object(gen))
                fprintf(f, "  nothing is enforced\n");
}

/* Why this node runs what it runs. */
static void rollout_lines(FILE *f, const json_t *b, const struct paint *p) {
        const json_t *r = json_object_get(b, "rollout");

        if (!json_is_object(r))
                return;
        fputs("  ", f);
        if (*str(r, "reason"))
                fprintf(f, "%s%s%s: ", p->bad, str(r, "reason"), p->off);
        put_text(f, str(r, "sentence"), 2);
}

/* What has changed since about those who vouched for it. It stays in force all the same. */
static void authority_lines(FILE *f, const json_t *b, const struct paint *p) {
        const json_t *a = json_object_get(b, "authority");

        if (num(a, "signers_removed"))
                fprintf(f, "  %sby %lld of %lld keys that the repository has removed since%s\n", p->warn,
                        num(a, "signers_removed"), num(a, "signers"), p->off);
        if (json_is_true(json_object_get(a, "unlisted")))
                fprintf(f, "  %sthe repository lists this release no more%s\n", p->warn, p->off);
        if (json_is_true(json_object_get(a, "old_anchor")))
                fprintf(f, "  %sby a trust anchor that was replaced since%s\n", p->warn, p->off);
}

/* Whether an entry has this value there: then the quarantine tells the story, and once is enough. */
static bool in_quarantine(const json_t *status, const char *key, const char *value) {
        const json_t *q;
        size_t i;

        json_array_foreach(json_object_get(status, "quarantine"), i, q) {
                if (streq(str(q, key), value))
                        return true;
        }
        return false;
}

/* The release that was tried last and is not in force. */
static void left_lines(FILE *f, const json_t *status, const json_t *b, const struct paint *p) {
        const json_t *left = json_object_get(b, "left");

        if (!json_is_object(left) || in_quarantine(status, "content", str(left, "content")))
                return;
        fprintf(f, "  %srelease %lld was left: %s%s\n    ", p->warn, num(left, "release"), str(left, "reason"), p->off);
        put_text(f, str(left, "message"), 4);
}

static const char *mode_text(const json_t *policy) {
        return streq(str(policy, "mode"), "audit") && streq(str(policy, "signed_mode"), "enforce") ? "audit, lowered"
                                                                                                   : str(policy, "mode");
}

/* A plain policy is an ordinary program: it has no counters, and no mode to lower. */
static void policy_line(FILE *f, const json_t *policy, const struct paint *p) {
        bool plain = strstr(str(policy, "mode"), "plain");
        char hooks[256] = "";
        const json_t *hook;
        size_t i;

        json_array_foreach(json_object_get(policy, "hooks"), i, hook) {
                size_t n = strlen(hooks);

                snprintf(hooks + n, sizeof(hooks) - n, "%s%s", i ? " " : "", json_string_value(hook));
        }
        fprintf(f, "  %-22s %-16s %s%-24s%s ", str(policy, "name"), plain ? "enforce, plain" : mode_text(policy), p->dim, hooks,
                p->off);
        if (plain) {
                fprintf(f, "%sdenials are not counted%s\n", p->dim, p->off);
                return;
        }
        fprintf(f, "%lld denied", num(policy, "denied"));
        if (num(policy, "would_deny"))
                fprintf(f, ", %lld would be", num(policy, "would_deny"));
        if (num(policy, "errors"))
                fprintf(f, ", %s%lld undecidable%s", p->warn, num(policy, "errors"), p->off);
        if (num(policy, "events_folded"))
                fprintf(f, ", %lld folded", num(policy, "events_folded"));
        if (num(policy, "events_lost"))
                fprintf(f, ", %s%lld events lost%s", p->warn, num(policy, "events_lost"), p->off);
        fputc('\n', f);
}

/* Policies that are written as rules. */
static void written_lines(FILE *f, const json_t *policy, const struct paint *p) {
        const json_t *written;
        size_t i;

        json_array_foreach(json_object_get(policy, "written"), i, written)
                fprintf(f, "    %s%-20s%s %s\n", p->dim, str(written, "name"), p->off, mode_text(written));
}

/* Rules that have decided something. */
static void rule_lines(FILE *f, const json_t *policy, const struct paint *p) {
        static const struct {
                const char *key, *text;
        } counts[] = {{"denied", "denied"}, {"would_deny", "would be"}, {"allowed", "allowed"}};
        const json_t *rule;
        size_t i;

        json_array_foreach(json_object_get(policy, "rules"), i, rule) {
                const char *before = " ";
                char name[160];

                if (!num(rule, "denied") && !num(rule, "would_deny") && !num(rule, "allowed"))
                        continue;
                snprintf(name, sizeof(name), "%s/%s", str(rule, "policy"), str(rule, "rule"));
                fprintf(f, "    %s%-61s%s", p->dim, name, p->off);
                for (size_t k = 0; k < ARRAY_SIZE(counts); k++)
                        if (num(rule, counts[k].key)) {
                                fprintf(f, "%s%lld %s", before, num(rule, counts[k].key), counts[k].text);
                                before = ", ";
                        }
                fputc('\n', f);
        }
}

static void policy_lines(FILE *f, const json_t *b, const struct paint *p) {
        const json_t *policy;
        size_t i;

        json_array_foreach(json_object_get(b, "policies"), i, policy) {
                policy_line(f, policy, p);
                written_lines(f, policy, p);
                rule_lines(f, policy, p);
        }
        if (num(json_object_get(b, "gate"), "misses"))
                fprintf(f, "  %s%lld calls found an empty slot and were denied: please report this%s\n", p->bad,
                        num(json_object_get(b, "gate"), "misses"), p->off);
}

/* REASON: MESSAGE below a label. */
static void put_trouble(FILE *f, const char *paint, const char *reason, const char *message, const struct paint *p) {
        fprintf(f, "%s%s%s\n" LABEL, paint, reason, p->off, "");
        put_text(f, message, LABEL_WIDTH);
}

static void source_lines(FILE *f, const json_t *status, const struct paint *p) {
        const json_t *s = json_object_get(status, "source");
        char when[32];

        if (!json_is_object(s)) {
                fprintf(f, LABEL "none: releases come by `lsmpull install` only\n", "source");
                return;
        }
        ago(when, sizeof(when), num(status, "time"), num(s, "last_success"));
        fprintf(f, LABEL "%s\n" LABEL "last heard from: %s%s%s%s\n", "source", str(s, "address"), "", when, p->warn,
                json_is_true(json_object_get(s, "stale")) ? " (stale)" : "", p->off);
        if (num(s, "failures")) {
                fprintf(f, LABEL "failed %lld time%s: ", "", num(s, "failures"), num(s, "failures") == 1 ? "" : "s");
                put_trouble(f, p->warn, str(s, "reason"), str(s, "message"), p);
        }
        if (*str(s, "refused_reason") && in_quarantine(status, "message", str(s, "refused_message")))
                fprintf(f, LABEL "what it offers is in quarantine\n", "");
        else if (*str(s, "refused_reason")) {
                fprintf(f, LABEL "what it offers is refused: ", "");
                put_trouble(f, p->bad, str(s, "refused_reason"), str(s, "refused_message"), p);
        }
}

static void loader_line(FILE *f, const json_t *status) {
        const json_t *loader = json_object_get(status, "loader");
        const char *why = str(loader, "why_no_token");
        char line[1024];

        if (!json_is_object(loader))
                return;
        if (json_is_true(json_object_get(loader, "token"))) {
                fprintf(f, LABEL "uid %lld, in a user namespace, BPF token\n", "loader", num(loader, "uid"));
                return;
        }
        snprintf(line, sizeof(line), "uid %lld, CAP_BPF and CAP_PERFMON alone%s%s", num(loader, "uid"), *why ? ": " : "", why);
        fprintf(f, LABEL, "loader");
        put_text(f, line, LABEL_WIDTH);
}

/* What the engine of rules does not know of this node. */
static void rules_lines(FILE *f, const json_t *status, const struct paint *p) {
        const json_t *rules = json_object_get(json_object_get(status, "loader"), "rules");
        const char *label = "rules";

        if (!json_is_object(rules))
                return;
        if (!json_is_true(json_object_get(rules, "remembers"))) {
                fprintf(f, LABEL "%s", label, p->warn);
                put_text(
                        f,
                        "every decision is made anew: the kernel does not show where rename_lock and mount_lock are (`lsmpull doctor`)",
                        LABEL_WIDTH);
                fputs(p->off, f);
                label = "";
        }
        if (num(rules, "no_room"))
                fprintf(f, LABEL "%s%lld file systems are known by the path alone that a process sees%s\n", label, p->warn,
                        num(rules, "no_room"), p->off);
}

static void quarantine_lines(FILE *f, const json_t *status, const struct paint *p) {
        const char *label = "quarantine";
        const json_t *q;
        size_t i;

        json_array_foreach(json_object_get(status, "quarantine"), i, q) {
                char since[32];

                ago(since, sizeof(since), num(status, "time"), num(q, "since"));
                fprintf(f, LABEL "%s release %lld, %s%s: ", label, str(q, "bundle"), num(q, "release"), since,
                        json_is_true(json_object_get(q, "holds_here")) ? ""
                                                                       : ", with another kernel or agent (may be tried again)");
                put_trouble(f, p->bad, str(q, "reason"), str(q, "message"), p);
                label = "";
        }
}

static void sink_lines(FILE *f, const json_t *status, const struct paint *p) {
        const char *label = "events";
        const json_t *s;
        size_t i;

        json_array_foreach(json_object_get(status, "sinks"), i, s) {
                const char *error = str(s, "error");
                long long dropped = num(s, "dropped");

                fprintf(f, LABEL "%s: %lld written", label, str(s, "name"), num(s, "written"));
                if (num(s, "waiting"))
                        fprintf(f, ", %lld waiting", num(s, "waiting"));
                if (dropped)
                        fprintf(f, ", %s%lld dropped%s", p->bad, dropped, p->off);
                if (num(s, "refused"))
                        fprintf(f, ", %s%lld refused%s", p->bad, num(s, "refused"), p->off);
                if (*error)
                        fprintf(f, ", %sfails: %s%s", p->bad, error, p->off);
                fputc('\n', f);
                label = "";
        }
}

void status_print(FILE *f, const json_t *status, bool colour) {
        const struct paint p = colour ? (struct paint){"\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[0m"}
                                      : (struct paint){"", "", "", "", ""};
        const json_t *b, *bundles = json_object_get(status, "bundles");
        size_t i;

        fprintf(f, "%-24s %-16s %-10s %s\n", "BUNDLE", "RELEASE", "STATE", "SINCE");
        json_array_foreach(bundles, i, b) {
                bundle_line(f, b, num(status, "time"), &p);
                rollout_lines(f, b, &p);
                authority_lines(f, b, &p);
                left_lines(f, status, b, &p);
                policy_lines(f, b, &p);
        }
        if (json_array_size(bundles) == 0)
                fprintf(f, "(none)                   -                %snone%s       nothing is enforced\n", p.bad, p.off);
        fputc('\n', f);
        source_lines(f, status, &p);
        if (!streq(str(status, "mode"), "enforce"))
                fprintf(f, LABEL "%s%s%s (%s)\n", "mode", p.warn, str(status, "mode"), p.off, str(status, "mode_source"));
        loader_line(f, status);
        rules_lines(f, status, &p);
        sink_lines(f, status, &p);
        if (json_is_true(json_object_get(status, "paused")))
                fprintf(f, LABEL "%sno new releases are taken; `lsmpull resume` ends that%s\n", "paused", p.warn, p.off);
        quarantine_lines(f, status, &p);
}
