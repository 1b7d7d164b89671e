/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_words.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "selftest.h"

static const char *const words[LSM_OPS_N] = {
#define X(id, text) [LSM_OP_##id] = (text),
        LSM_OPS(X)
#undef X
};

#define HOOKS_MAX 4 /* of an operation */

/* The hooks that ask about an operation; none: it is known, but not decided by this version. */
static const char *const hooks[LSM_OPS_N][HOOKS_MAX] = {
        [LSM_OP_FILE_READ] = {"file_open"},
        [LSM_OP_FILE_WRITE] = {"file_open"},
        [LSM_OP_FILE_CREATE] = {"path_mknod"},
        [LSM_OP_FILE_EXEC] = {"bprm_check_security", "file_open"},
        [LSM_OP_FILE_MMAP_EXEC] = {"mmap_file", "file_mprotect"},
        [LSM_OP_FILE_UNLINK] = {"path_unlink", "path_rmdir"},
        [LSM_OP_FILE_RENAME] = {"path_rename"},
        [LSM_OP_FILE_LINK] = {"path_link"},
        [LSM_OP_FILE_SYMLINK] = {"path_symlink"},
        [LSM_OP_FILE_MKDIR] = {"path_mkdir"},
        [LSM_OP_FILE_CHMOD] = {"path_chmod"},
        [LSM_OP_FILE_CHOWN] = {"path_chown"},
        [LSM_OP_FILE_TRUNCATE] = {"path_truncate", "file_truncate"},
        [LSM_OP_FILE_MKNOD] = {"path_mknod"},
        [LSM_OP_FILE_SETXATTR] = {"inode_setxattr", "inode_removexattr", "inode_set_acl", "inode_remove_acl"},
        [LSM_OP_EXEC] = {"bprm_check_security", "file_open"},
        [LSM_OP_CAPABILITY] = {"capable"},
        [LSM_OP_SOCKET_CREATE] = {"socket_create"},
        [LSM_OP_PTRACE] = {"ptrace_access_check"},
        [LSM_OP_MOUNT] = {"sb_mount", "move_mount"},
        [LSM_OP_UMOUNT] = {"sb_umount"},
        [LSM_OP_MOVE_MOUNT] = {"move_mount", "sb_mount"},
        [LSM_OP_PIVOT_ROOT] = {"sb_pivotroot"},
        [LSM_OP_SIGNAL] = {"task_kill"},
        [LSM_OP_BPF] = {"bpf"},
        [LSM_OP_MODULE_LOAD] = {"kernel_read_file", "kernel_load_data"},
        [LSM_OP_KEXEC] = {"kernel_read_file", "kernel_load_data"},
        [LSM_OP_USERNS_CREATE] = {"userns_create"},
        [LSM_OP_SETUID] = {"task_fix_setuid"},
        [LSM_OP_SETGID] = {"task_fix_setgid"},
        [LSM_OP_SOCKET_BIND] = {"socket_bind"},
        [LSM_OP_SOCKET_LISTEN] = {"socket_listen"},
        [LSM_OP_SOCKET_ACCEPT] = {"socket_accept"},
        [LSM_OP_SOCKET_SENDMSG] = {"socket_sendmsg"},
        /* Who sends to an address connects to it. */
        [LSM_OP_SOCKET_CONNECT] = {"socket_connect", "socket_sendmsg"},
};

/* Instead, where UNIX sockets are meant: they are known by what is found at a path. */
static const char *const unix_hooks[LSM_OPS_N][HOOKS_MAX] = {
        [LSM_OP_SOCKET_BIND] = {"socket_bind", "path_mknod"},
        [LSM_OP_SOCKET_LISTEN] = {"socket_listen"},
        [LSM_OP_SOCKET_ACCEPT] = {"socket_accept"},
        [LSM_OP_SOCKET_CONNECT] = {"unix_stream_connect", "unix_may_send"},
        [LSM_OP_SOCKET_SENDMSG] = {"socket_sendmsg", "unix_may_send"},
};

#define OPS_EXEC (LSM_OP_BIT(LSM_OP_EXEC) | LSM_OP_BIT(LSM_OP_FILE_EXEC))

uint64_t rules_ops_named(const char *word) {
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], word))
                        return LSM_OP_BIT(i) & OPS_EXEC ? OPS_EXEC : LSM_OP_BIT(i);
        return 0;
}

bool rules_ops_supported(uint64_t set) {
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (set & LSM_OP_BIT(i) && !hooks[i][0])
                        return false;
        return true;
}

void rules_ops_show(uint64_t set, char *ret, size_t n) {
        size_t len = 0;

        if (set & OPS_EXEC)
                set &= ~LSM_OP_BIT(LSM_OP_FILE_EXEC);
        ret[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(words) && len < n; i++)
                if (set & LSM_OP_BIT(i))
                        len += (size_t)snprintf(ret + len, n - len, "%s%s", len > 0 ? ", " : "", words[i]);
}

static int hooks_add(const char *const table[LSM_OPS_N][HOOKS_MAX], uint64_t set, struct strv *to) {
        int e = 0;

        for (size_t i = 0; i < LSM_OPS_N; i++)
                for (size_t k = 0; e == 0 && set & LSM_OP_BIT(i) && k < HOOKS_MAX && table[i][k]; k++)
                        e = strv_add_set(to, table[i][k]);
        return e;
}

int rules_hooks_add(uint64_t ops, uint64_t unix_ops, struct strv *to) {
        int e = hooks_add(hooks, ops, to);

        return e < 0 ? e : hooks_add(unix_hooks, unix_ops, to);
}

struct word {
        const char *word;
        int number;
};

static int word_find(const struct word *list, size_t n, const char *word) {
        for (size_t i = 0; i < n; i++)
                if (streq(list[i].word, word))
                        return list[i].number;
        return -EINVAL;
}

static const struct word actions[] = {
        {"deny", LSM_RULE_DENY},
        {"kill", LSM_RULE_KILL},
        {"audit", LSM_RULE_AUDIT},
        {"allow", LSM_RULE_ALLOW},
};

int rules_action_named(const char *word) {
        return word_find(actions, ARRAY_SIZE(actions), word);
}

const char *rules_action_word(enum lsm_rule_action action) {
        return actions[action].word;
}

int rules_capability_named(const char *word) {
        return capability_from_name(word);
}

int rules_family_named(const char *word) {
        static const struct word families[] = {
                {"unix", AF_UNIX},
                {"inet", AF_INET},
                {"inet6", AF_INET6},
                {"netlink", AF_NETLINK},
                {"packet", AF_PACKET},
                {"bluetooth", AF_BLUETOOTH},
                {"can", AF_CAN},
                {"tipc", AF_TIPC},
                {"vsock", AF_VSOCK},
                {"xdp", AF_XDP},
                {"alg", AF_ALG},
                {"rds", AF_RDS},
                {"key", AF_KEY},
                {"nfc", AF_NFC},
                {"smc", AF_SMC},
                {"qipcrtr", AF_QIPCRTR},
                {"kcm", AF_KCM},
                {"ax25", AF_AX25},
                {"x25", AF_X25},
                {"netrom", AF_NETROM},
                {"rose", AF_ROSE},
                {"appletalk", AF_APPLETALK},
                {"ipx", AF_IPX},
                {"rxrpc", AF_RXRPC},
                {"phonet", AF_PHONET},
                {"caif", AF_CAIF},
                {"ieee802154", AF_IEEE802154},
                {"llc", AF_LLC},
                {"atmpvc", AF_ATMPVC},
                {"atmsvc", AF_ATMSVC},
                {"pppox", AF_PPPOX},
                {"isdn", AF_ISDN},
        };

        return word_find(families, ARRAY_SIZE(families), word);
}

int rules_type_named(const char *word) {
        static const struct word types[] = {
                {"stream", SOCK_STREAM},       {"dgram", SOCK_DGRAM}, {"raw", SOCK_RAW},       {"rdm", SOCK_RDM},
                {"seqpacket", SOCK_SEQPACKET}, {"dccp", SOCK_DCCP},   {"packet", SOCK_PACKET},
        };

        return word_find(types, ARRAY_SIZE(types), word);
}

/* Of IP. */
int rules_protocol_named(const char *word) {
        static const struct word protocols[] = {
                {"icmp", IPPROTO_ICMP},     {"tcp", IPPROTO_TCP},         {"udp", IPPROTO_UDP},     {"dccp", IPPROTO_DCCP},
                {"sctp", IPPROTO_SCTP},     {"gre", IPPROTO_GRE},         {"esp", IPPROTO_ESP},     {"ah", IPPROTO_AH},
                {"icmpv6", IPPROTO_ICMPV6}, {"udplite", IPPROTO_UDPLITE}, {"mptcp", IPPROTO_MPTCP}, {"raw", IPPROTO_RAW},
        };

        return word_find(protocols, ARRAY_SIZE(protocols), word);
}

int rules_signal_named(const char *word) {
        static const struct word signals[] = {
                {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},   {"SIGTRAP", SIGTRAP},
                {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},   {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1},
                {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2}, {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM},
                {"SIGCHLD", SIGCHLD}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN},
                {"SIGTTOU", SIGTTOU}, {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ}, {"SIGWINCH", SIGWINCH},
                {"SIGIO", SIGIO},     {"SIGPWR", SIGPWR},   {"SIGSYS", SIGSYS},
        };

        return word_find(signals, ARRAY_SIZE(signals), word);
}

int rules_command_named(const char *word) {
        /* Rules write them as the kernel does. */
        return strchr(word, '-') ? -EINVAL : command_from_name(word);
}
