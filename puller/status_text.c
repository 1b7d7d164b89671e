/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <time.h>

#include "status.h"

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

static void bundle_line(FILE *f, const json_t *b, long long now, const struct paint *p) {
        const json_t *gen = json_object_get(b, "in_force"), *left = json_object_get(b, "left"), *staged = json_object_get(b, "staged");
        const char *state = str(b, "state");
        char release[96] = "-", since[32] = "-", note[700] = "";

        if (json_is_object(gen)) {
                snprintf(release, sizeof(release), "%lld (%s)", num(gen, "release"), str(gen, "version"));
                ago(since, sizeof(since), now, num(gen, "since"));
        }
        if (streq(state, "trial"))
                snprintf(note, sizeof(note), "release %lld on trial, %lld s left", num(staged, "release"),
                         num(json_object_get(b, "gate"), "seconds_left"));
        else if (json_is_object(left))
                snprintf(note, sizeof(note), "release %lld: %s: %.500s", num(left, "release"), str(left, "reason"), str(left, "message"));
        else if (!json_is_object(gen))
                snprintf(note, sizeof(note), "nothing is enforced");
        fprintf(f, "%-20s %-14s %s%-10s%s %-14s %s\n", str(b, "name"), release, state_paint(p, state), state, p->off, since, note);
}

static void policy_lines(FILE *f, const json_t *b, const struct paint *p) {
        const json_t *policy, *hook;
        size_t i, k;

        json_array_foreach(json_object_get(b, "policies"), i, policy) {
                fprintf(f, "  %-22s %-9s", str(policy, "name"), str(policy, "mode"));
                fprintf(f, " %lld denied", num(policy, "denied"));
                if (num(policy, "would_deny"))
                        fprintf(f, ", %lld would be", num(policy, "would_deny"));
                if (num(policy, "errors"))
                        fprintf(f, ", %s%lld undecidable%s", p->warn, num(policy, "errors"), p->off);
                if (num(policy, "events_lost"))
                        fprintf(f, ", %s%lld events lost%s", p->warn, num(policy, "events_lost"), p->off);
                fprintf(f, "%s  ", p->dim);
                json_array_foreach(json_object_get(policy, "hooks"), k, hook) fprintf(f, " %s", json_string_value(hook));
                fprintf(f, "%s\n", p->off);
        }
        if (num(json_object_get(b, "gate"), "misses"))
                fprintf(f, "  %s%lld calls found an empty slot and were denied: please report this%s\n", p->bad,
                        num(json_object_get(b, "gate"), "misses"), p->off);
}

static void source_lines(FILE *f, const json_t *status, const struct paint *p) {
        const json_t *s = json_object_get(status, "source");
        char when[32];

        if (!json_is_object(s)) {
                fprintf(f, "source     none: releases come by `lsmpull install` only\n");
                return;
        }
        ago(when, sizeof(when), num(status, "time"), num(s, "last_success"));
        fprintf(f, "source     %s, last heard from %s%s\n", str(s, "address"), when,
                json_is_true(json_object_get(s, "stale")) ? " (stale)" : "");
        if (num(s, "failures"))
                fprintf(f, "           %sfailed %lld times: %s: %s%s\n", p->warn, num(s, "failures"), str(s, "reason"), str(s, "message"),
                        p->off);
        if (*str(s, "refused_reason"))
                fprintf(f, "           %snewest release refused: %s: %s%s\n", p->bad, str(s, "refused_reason"), str(s, "refused_message"),
                        p->off);
}

void status_print(FILE *f, const json_t *status, bool colour) {
        const struct paint p = colour ? (struct paint){"\033[32m", "\033[33m", "\033[31m", "\033[2m", "\033[0m"}
                                      : (struct paint){"", "", "", "", ""};
        const json_t *b, *q, *loader = json_object_get(status, "loader");
        long long now = num(status, "time");
        size_t i;

        fprintf(f, "%-20s %-14s %-10s %-14s %s\n", "BUNDLE", "RELEASE", "STATE", "SINCE", "");
        json_array_foreach(json_object_get(status, "bundles"), i, b) {
                bundle_line(f, b, now, &p);
                policy_lines(f, b, &p);
        }
        if (json_array_size(json_object_get(status, "bundles")) == 0)
                fprintf(f, "(none)               -              %snone%s       -              nothing is enforced\n", p.bad, p.off);
        fputc('\n', f);
        source_lines(f, status, &p);
        if (!streq(str(status, "mode"), "enforce"))
                fprintf(f, "mode       %s%s%s (%s)\n", p.warn, str(status, "mode"), p.off, str(status, "mode_source"));
        if (json_is_object(loader)) {
                if (json_is_true(json_object_get(loader, "token")))
                        fprintf(f, "loader     uid %lld, in a user namespace, BPF token\n", num(loader, "uid"));
                else
                        fprintf(f, "loader     uid %lld, CAP_BPF and CAP_PERFMON alone%s%s\n", num(loader, "uid"),
                                *str(loader, "why_no_token") ? "; no BPF token: " : "", str(loader, "why_no_token"));
        }
        if (json_is_true(json_object_get(status, "paused")))
                fprintf(f, "paused     %sno new releases are taken; `lsmpull resume` ends that%s\n", p.warn, p.off);
        json_array_foreach(json_object_get(status, "quarantine"), i, q) {
                char since[32];

                ago(since, sizeof(since), now, num(q, "since"));
                fprintf(f, "quarantine %s%s release %lld%s, %s: %s: %s%s\n", p.bad, str(q, "bundle"), num(q, "release"), p.off, since,
                        str(q, "reason"), str(q, "message"),
                        json_is_true(json_object_get(q, "holds_here")) ? "" : " (another kernel or agent: may be tried again)");
        }
}
