/* SPDX-License-Identifier: Apache-2.0 */
/*
 * with_bpf OBJECT COMMAND...: loads a BPF object, attaches all its programs, runs the command under them, and detaches.
 * Exits with the command's status; 125 when the object could not be loaded or attached.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 125

int main(int argc, char **argv) {
        struct bpf_object *obj;
        struct bpf_program *prog;
        int status;
        pid_t pid;

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
        pid = fork();
        if (pid == 0) {
                execvp(argv[2], argv + 2);
                perror(argv[2]);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                return CANNOT;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
