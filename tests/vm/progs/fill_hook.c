// SPDX-License-Identifier: Apache-2.0
/*
 * fill_hook OBJECT COMMAND...: attaches the programs of an object, which are more than a hook has places for, until the kernel takes no
 * more, and runs the command then. Exits with the command's status; 125 when the hook could not be filled.
 */
#include <bpf/libbpf.h>
#include <errno.h>

#include "run_command.h"

/* -E2BIG when the hook is full. */
static int attach_all(const char *path) {
        struct bpf_object *obj = bpf_object__open(path);
        struct bpf_program *prog;

        if (!obj || bpf_object__load(obj) < 0)
                return -EINVAL;
        bpf_object__for_each_program(prog, obj) if (!bpf_program__attach(prog)) return -errno;
        return 0;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap) {
        return 0;
}

int main(int argc, char **argv) {
        int r;

        if (argc < 3) {
                fprintf(stderr, "usage: fill_hook OBJECT COMMAND...\n");
                return CANNOT;
        }
        libbpf_set_print(quiet);
        r = attach_all(argv[1]);
        if (r != -E2BIG) {
                fprintf(stderr, "fill_hook: %d, not E2BIG\n", r);
                return CANNOT;
        }
        return command_run(argv + 2);
}
