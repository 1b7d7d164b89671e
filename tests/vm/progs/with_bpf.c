/* SPDX-License-Identifier: Apache-2.0 */
/*
 * with_bpf OBJECT COMMAND...: loads a BPF object, attaches all its programs, runs the command under them, and detaches.
 * Exits with the command's status; 125 when the object could not be loaded or attached.
 */
#include <bpf/libbpf.h>

#include "run_command.h"

int main(int argc, char **argv) {
        struct bpf_object *obj;
        struct bpf_program *prog;

        if (argc < 3) {
                fprintf(stderr, "usage: with_bpf OBJECT COMMAND...\n");
                return CANNOT;
        }
        obj = bpf_object__open(argv[1]);
        if (!obj || bpf_object__load(obj) < 0) {
                perror(argv[1]);
                return CANNOT;
        }
        bpf_object__for_each_program(prog, obj) {
                if (!bpf_program__attach(prog)) {
                        perror(bpf_program__name(prog));
                        return CANNOT;
                }
        }
        return command_run(argv + 2);
}
