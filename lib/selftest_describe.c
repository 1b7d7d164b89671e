/* SPDX-License-Identifier: Apache-2.0 */
/* A self-test in words, for people who read why a release was refused. */
#include <stdio.h>
#include <sys/socket.h>

#include "selftest.h"

/* As written, without the '@' of an abstract one; empty: none is named. */
static const char *unix_address(const struct selftest *t) {
        if (t->family != AF_UNIX || t->op == SELFTEST_SOCKET)
                return "";
        return t->at.path ?: t->addr.un.sun_path + 1;
}

static void operand_describe(const struct selftest *t, char *what, size_t n) {
        switch (t->op) {
        case SELFTEST_RENAME:
        case SELFTEST_LINK:
        case SELFTEST_MOVE_MOUNT:
                snprintf(what, n, " %.140s to %.140s", t->at.path, t->to.path);
                break;
        case SELFTEST_MOUNT:
                snprintf(what, n, " %.140s on %.140s", t->to.path ? t->to.path : t->fs, t->at.path);
                break;
        case SELFTEST_CAPABILITY:
                snprintf(what, n, " %s", capability_name(t->capability));
                break;
        case SELFTEST_SOCKET:
        case SELFTEST_BIND:
        case SELFTEST_CONNECT:
        case SELFTEST_LISTEN:
        case SELFTEST_ACCEPT:
        case SELFTEST_SENDMSG:
                snprintf(what, n, " %s %s%s%.200s", selftest_family_word(t->family), selftest_type_word(t->type),
                         unix_address(t)[0] ? " " : "", unix_address(t));
                break;
        case SELFTEST_PTRACE:
                snprintf(what, n, " a child");
                break;
        case SELFTEST_SIGNAL:
                snprintf(what, n, " %s to a child", signal_name(t->signal));
                break;
        case SELFTEST_BPF:
                snprintf(what, n, " %s", command_name(t->command));
                break;
        case SELFTEST_MODULE_LOAD:
        case SELFTEST_KEXEC:
                snprintf(what, n, " from %.300s", t->memory ? "memory" : t->at.path ? t->at.path : "a file");
                break;
        case SELFTEST_SETUID:
        case SELFTEST_SETGID:
                snprintf(what, n, " %u", t->id);
                break;
        default:
                if (t->at.path)
                        snprintf(what, n, " %.300s", t->at.path);
        }
}

void selftest_describe(const struct selftest *t, char *ret, size_t n) {
        char what[320] = "", who[160] = "";
        size_t len;

        operand_describe(t, what, sizeof(what));
        if (t->as.uid)
                snprintf(who, sizeof(who), ", uid %u", t->as.uid);
        len = strlen(who);
        if (t->as.apart)
                snprintf(who + len, sizeof(who) - len, ", in namespaces of its own");
        len = strlen(who);
        if (*t->as.scope)
                snprintf(who + len, sizeof(who) - len, ", in the scope of '%s'", t->as.scope);
        snprintf(ret, n, "%s%s as %s%s", selftest_op_word(t->op), what, t->as.comm, who);
}
