/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adversary WHAT [ARGUMENT]: one step of an attack. Exit status: 0 the kernel let it happen, or had nothing against it but that what
 * it was given is no module, no kernel; 1 refused with EPERM or EACCES; 2 something else was in the way.
 *
 *      packet, raw           a socket that sees, that forges packets
 *      shocker FILE          opens a file by its handle, as one leaves a container
 *      iopl                  I/O ports
 *      log                   the kernel's log
 *      module, module-file FILE, kexec
 *      bpf                   loads a kprobe's program
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int judge(long r) {
        int e = errno;

        if (r >= 0 || e == ENOEXEC)
                return 0;
        fprintf(stderr, "adversary: %s\n", strerror(e));
        return e == EPERM || e == EACCES ? 1 : 2;
}

static int shocker(const char *file) {
        struct {
                struct file_handle head;
                char bytes[MAX_HANDLE_SZ];
        } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
        int mount, root = open(file, O_RDONLY);

        if (root < 0 || name_to_handle_at(AT_FDCWD, file, &handle.head, &mount, 0) < 0) {
                perror(file);
                return 2;
        }
        return judge(open_by_handle_at(root, &handle.head, O_RDONLY));
}

static int kexec(void) {
        int fd = memfd_create("kernel", 0);

        if (fd < 0 || ftruncate(fd, 4096) < 0)
                return 2;
        return judge(syscall(SYS_kexec_file_load, fd, -1, 1UL, "", 4UL /* KEXEC_FILE_NO_INITRAMFS */));
}

static int bpf_load(void) {
        /* r0 = 0; exit */
        const struct bpf_insn program[] = {{.code = 0xb7}, {.code = 0x95}};

        return judge(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "adversary", "GPL", program, 2, NULL));
}

int main(int argc, char **argv) {
        const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";
        char zeros[64] = {0};

#define IS(word) (!strcmp(what, word))
        if (IS("packet"))
                return judge(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
        if (IS("raw"))
                return judge(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        if (IS("shocker"))
                return shocker(arg);
        if (IS("iopl"))
                return judge(iopl(3));
        if (IS("log"))
                return judge(klogctl(3, zeros, sizeof(zeros)));
        if (IS("module"))
                return judge(syscall(SYS_init_module, zeros, sizeof(zeros), ""));
        if (IS("module-file"))
                return judge(syscall(SYS_finit_module, open(arg, O_RDONLY), "", 0));
        if (IS("kexec"))
                return kexec();
        if (IS("bpf"))
                return bpf_load();
        fprintf(stderr, "usage: adversary WHAT [ARGUMENT]\n");
        return 2;
}
