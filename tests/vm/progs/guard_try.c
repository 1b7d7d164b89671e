/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard_try WHAT [ARGUMENT]: does to the agent what somebody with root's rights may think of. Exit status: 0 done, 1 refused with
 * EPERM, 2 something else was in the way.
 *
 *      gate PATH           finds the map whose pin has this id by that id, and writes a value of it back
 *      map-id ID, prog-id ID, link-id ID     opens by id
 *      ids PATH            prints the id of a pinned map, of a link, and of the link's program
 *      attach PID          PTRACE_ATTACH, and detaches
 *      mem PID             opens /proc/PID/mem for writing
 *      writev PID          process_vm_writev() to nowhere
 *      getfd PID           pidfd_getfd() of descriptor 0
 *      nice PID, sched PID, ioprio PID, rlimit PID, pages PID
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int judge(long r) {
        int e = errno;

        if (r >= 0)
                return 0;
        fprintf(stderr, "%s\n", strerror(e));
        return e == EPERM ? 1 : 2;
}

static int ids(const char *path) {
        int fd = bpf_obj_get(path);
        struct bpf_link_info link = {0};
        struct bpf_map_info map = {0};
        unsigned int n = sizeof(map);

        if (fd < 0)
                return judge(fd);
        if (!strcmp(path + strlen(path) - 4, "link")) {
                n = sizeof(link);
                if (bpf_obj_get_info_by_fd(fd, &link, &n) < 0)
                        return judge(-1);
                printf("%u %u\n", link.id, link.prog_id);
        } else if (bpf_obj_get_info_by_fd(fd, &map, &n) < 0)
                return judge(-1);
        else
                printf("%u\n", map.id);
        return 0;
}

/* The whole value, as it stands. */
static int gate_write(unsigned int id) {
        struct bpf_map_info info = {0};
        unsigned int n = sizeof(info), zero = 0;
        char value[4096];
        int fd = bpf_map_get_fd_by_id(id);

        if (fd < 0)
                return judge(fd);
        if (bpf_obj_get_info_by_fd(fd, &info, &n) < 0 || info.value_size > sizeof(value) ||
            bpf_map_lookup_elem(fd, &zero, value) < 0)
                return 2;
        return judge(bpf_map_update_elem(fd, &zero, value, BPF_ANY));
}

static int attach(pid_t pid) {
        int status;

        if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0)
                return judge(-1);
        waitpid(pid, &status, __WALL);
        return judge(ptrace(PTRACE_DETACH, pid, 0, 0));
}

static int pages(pid_t pid) {
        unsigned long from = 1, to = 1;

        return judge(syscall(SYS_migrate_pages, pid, 8 * sizeof(from), &from, &to));
}

int main(int argc, char **argv) {
        const char *what = argc == 3 ? argv[1] : "";
        const char *arg = argc == 3 ? argv[2] : "";
        struct rlimit limit = {1 << 20, 1 << 20};
        char path[64];
        struct iovec byte = {path, 1};
        pid_t pid = atoi(arg);

#define IS(word) (!strcmp(what, word))
        if (IS("ids"))
                return ids(arg);
        if (IS("gate"))
                return gate_write((unsigned int)pid);
        if (IS("map-id"))
                return judge(bpf_map_get_fd_by_id((unsigned int)pid));
        if (IS("prog-id"))
                return judge(bpf_prog_get_fd_by_id((unsigned int)pid));
        if (IS("link-id"))
                return judge(bpf_link_get_fd_by_id((unsigned int)pid));
        if (IS("attach"))
                return attach(pid);
        if (IS("mem")) {
                snprintf(path, sizeof(path), "/proc/%d/mem", pid);
                errno = 0;
                /* procfs says EACCES for what ptrace calls EPERM. */
                if (open(path, O_RDWR) >= 0)
                        return 0;
                return errno == EACCES ? 1 : judge(-1);
        }
        if (IS("writev"))
                return process_vm_writev(pid, &byte, 1, &(struct iovec){(void *)4096, 1}, 1, 0) < 0 && errno == EFAULT
                               ? 0
                               : judge(-1);
        if (IS("getfd"))
                return judge(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 0, 0));
        if (IS("nice"))
                return judge(setpriority(PRIO_PROCESS, (id_t)pid, 1));
        if (IS("sched"))
                return judge(sched_setscheduler(pid, SCHED_BATCH, &(struct sched_param){0}));
        if (IS("ioprio"))
                return judge(syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 5));
        if (IS("rlimit"))
                return judge(syscall(SYS_prlimit64, pid, RLIMIT_CORE, &limit, NULL));
        if (IS("pages"))
                return pages(pid);
        fprintf(stderr, "usage: guard_try WHAT ARGUMENT\n");
        return 2;
}
