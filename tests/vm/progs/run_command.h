/* SPDX-License-Identifier: Apache-2.0 */
/* A command that is run under what a program has attached. */
#pragma once

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 125

/* What a shell would say of it; CANNOT when it could not be started. */
static inline int command_run(char **argv) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                execvp(argv[0], argv);
                perror(argv[0]);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
                return CANNOT;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
