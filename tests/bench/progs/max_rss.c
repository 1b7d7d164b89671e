/* SPDX-License-Identifier: Apache-2.0 */
/* max_rss COMMAND...: runs it, its output going nowhere, and prints the most KiB that it had resident. Exits with its status. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct rusage usage;
        int status;
        pid_t pid;

        if (argc < 2)
                return 2;
        pid = fork();
        if (pid == 0) {
                dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
                execvp(argv[1], argv + 1);
                perror(argv[1]);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
                return 2;
        printf("%ld\n", usage.ru_maxrss);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
