/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches into the kernel itself: bpf(2), modules, another kernel. What is loaded is never an image of anything. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "probe_ops.h"

/* ---- bpf(2) ---- */

static int map_create(void) {
        union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};

        return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* "return 0", attached to nothing. */
static int prog_load(void) {
        static const struct bpf_insn insns[] = {
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
                {.code = BPF_JMP | BPF_EXIT},
        };
        union bpf_attr attr = {
                .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                .insns = (uintptr_t)insns,
                .insn_cnt = ARRAY_SIZE(insns),
                .license = (uintptr_t) "GPL",
        };

        return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/*
 * Any other command: it is asked of the policy first, and then looked at. Each refuses what is set behind its own last operand
 * (EINVAL), before it does anything; and if one did not, no descriptor, number or address of all ones leads anywhere (EBADF).
 * The size is that of Linux 6.1's operands, the smallest there are here, for more than a kernel knows it refuses unasked.
 */
#define BPF_ATTR_SIZE 144

static int bpf_nonsense(int command) {
        unsigned char attr[BPF_ATTR_SIZE];
        long r;

        memset(attr, 0xff, sizeof(attr));
        r = syscall(SYS_bpf, command, attr, sizeof(attr));
        if (r >= 0)
                return -ENOTRECOVERABLE; /* it has been taken: not foreseen */
        return errno == EINVAL || errno == EBADF ? 0 : -errno;
}

static int bpf_perform(struct attempt *a) {
        cleanup_fd int fd = -1;

        if (!selftest_bpf_makes(a->test))
                return bpf_nonsense(a->test->command);
        fd = a->test->command == BPF_PROG_LOAD ? prog_load() : map_create();
        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_bpf = {.perform = bpf_perform};

/* ---- images that are none ---- */

static const char image[4096]; /* zeros: neither a module nor a kernel */

static int image_prepare(struct attempt *a) {
        return a->test->at.path ? place_make(a, &a->test->at, a->at, PLACE_IMAGE) : 0;
}

/* Open for reading alone: the kernel takes no image that somebody may be writing. */
static int image_arrange(struct attempt *a) {
        cleanup_fd int memory = -1;
        char path[64];

        if (a->test->memory)
                return 0;
        if (a->test->at.path) {
                a->fd = open(a->at, O_RDONLY | O_CLOEXEC);
                return a->fd < 0 ? setup_failed(a, -errno, "opening the file") : 0;
        }
        memory = memfd_create("lsmpull-selftest", MFD_CLOEXEC);
        if (memory < 0 || write(memory, image, sizeof(image)) != sizeof(image))
                return setup_failed(a, -errno, "making a memory file");
        snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
        a->fd = open(path, O_RDONLY | O_CLOEXEC);
        return a->fd < 0 ? setup_failed(a, -errno, "opening a memory file") : 0;
}

/* The policy is asked before the image is looked at; these say that it was, and was none. */
static int image_answer(int error) {
        switch (error) {
        case ENOEXEC:
        case EINVAL:
        case EBADMSG:
        case ENODATA:
        case ENOKEY:
        case EKEYREJECTED:
        case ENOPKG:
                return 0;
        default:
                return -error;
        }
}

static int module_load_perform(struct attempt *a) {
        long r = a->test->memory ? syscall(SYS_init_module, image, sizeof(image), "") : syscall(SYS_finit_module, a->fd, "", 0);

        return r < 0 ? image_answer(errno) : 0;
}

const struct probe_op probe_op_module_load = {.prepare = image_prepare, .arrange = image_arrange, .perform = module_load_perform};

/* One segment more than there may be: it is looked at after the policy, and before anything is done. None at all would take out a
 * kernel that has been loaded. */
static int kexec_perform(struct attempt *a) {
        long r = a->test->memory ? syscall(SYS_kexec_load, 0, KEXEC_SEGMENT_MAX + 1, NULL, 0)
                                 : syscall(SYS_kexec_file_load, a->fd, -1, 1, "", KEXEC_FILE_NO_INITRAMFS);

        return r < 0 ? image_answer(errno) : 0;
}

const struct probe_op probe_op_kexec = {.prepare = image_prepare, .arrange = image_arrange, .perform = kexec_perform};
