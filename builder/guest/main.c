/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lsmbundle test` runs in a guest, as its only program: lets lsmpull install the bundle, and then, in a guest in which a
 * nanosecond is an instruction, measures what the hooks cost. One program and no shell, because from the moment of installing on
 * the bundle decides what may be done here.
 *
 * It prints lines that builder/test_guest.c reads:
 *      @kernel RELEASE                         first of all
 *      @out TEXT                               a line of lsmpull's
 *      @install CODE                           its exit code
 *      @empty RUNS NS                          an empty program on file_open
 *      @hook NAME RUNS NS workload|all         the program that the kernel calls there, with all that it calls
 *      @program HOOK INSNS JITED VERIFIED      a policy's program, in the order in which they were loaded
 *      @workload TRIED DENIED
 *      @note TEXT                              what could not be measured, and why
 *      @log TEXT                               a line of the verifier's log
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"
#include "workload.h"

#define BUNDLE "/test/bundle.tar.zst"
#define KEY "/test/key.pub"
#define VERIFIER_LOG "/var/lib/lsmpull/verifier.log"
#define LOG_TAIL (256l << 10)
#define WARM_UP 10
#define ROUNDS 100
#define STUB "lsm_allow" /* what the agent puts where no policy is; loaded with a token, policies have no names */

static void lines_print(const char *tag, FILE *f) {
        char *line = NULL;
        size_t size = 0;

        while (getline(&line, &size, f) > 0) {
                line[strcspn(line, "\n")] = '\0';
                printf("%s %s\n", tag, line);
        }
        free(line);
}

static void child_run(int out) {
        if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
                execl("/usr/sbin/lsmpull", "lsmpull", "install", BUNDLE, "--key", KEY, NULL);
        _exit(127);
}

static int install(void) {
        int out[2], status;
        FILE *f;
        pid_t pid;

        if (pipe2(out, O_CLOEXEC) < 0)
                return 127;
        pid = fork();
        if (pid == 0)
                child_run(out[1]);
        close(out[1]);
        f = fdopen(out[0], "r");
        if (pid < 0 || !f)
                return 127;
        lines_print("@out", f);
        fclose(f);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return 127;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Its end, where the verdict is. */
static void verifier_log_print(void) {
        FILE *f = fopen(VERIFIER_LOG, "r");
        int c;

        if (!f)
                return;
        if (fseek(f, -LOG_TAIL, SEEK_END) == 0)
                do
                        c = getc(f);
                while (c != EOF && c != '\n');
        else
                rewind(f);
        lines_print("@log", f);
        fclose(f);
}

/* What timing a program costs by itself: to be taken off from all other figures. */
static void empty_measure(struct program_list *list) {
        int link = program_empty_attach();

        if (link < 0) {
                printf("@note an empty program cannot be attached: %s\n", strerror(-link));
                return;
        }
        for (unsigned i = 0; i < 10 * ROUNDS; i++)
                close(open("/dev/null", O_RDONLY | O_CLOEXEC));
        if (programs_read(list) == 0)
                for (unsigned i = 0; i < list->n; i++)
                        if (list->v[i].attached && strcmp(list->v[i].name, "empty") == 0)
                                printf("@empty %lu %lu\n", list->v[i].runs, list->v[i].ns);
        close(link);
}

static const struct program *program_find(const struct program_list *list, uint32_t id) {
        for (unsigned i = 0; i < list->n; i++)
                if (list->v[i].id == id)
                        return &list->v[i];
        return NULL;
}

static void programs_print(const struct program_list *before, const struct program_list *after) {
        for (unsigned i = 0; i < after->n; i++) {
                const struct program *p = &after->v[i], *was = program_find(before, p->id);
                bool called = was && p->runs > was->runs;

                if (p->attached)
                        printf("@hook %s %lu %lu %s\n", p->hook[0] ? p->hook : "?", called ? p->runs - was->runs : p->runs,
                               called ? p->ns - was->ns : p->ns, called ? "workload" : "all");
                else if (strcmp(p->name, STUB) != 0)
                        printf("@program %s %u %u %u\n", p->hook[0] ? p->hook : "?", p->insns, p->jited, p->verified);
        }
}

static void measure(struct program_list *before, struct program_list *after) {
        struct workload w = {0};
        int e;

        workload_run(&w, WARM_UP);
        w = (struct workload){0};
        e = programs_read(before);
        if (e == 0) {
                workload_run(&w, ROUNDS);
                e = programs_read(after);
        }
        if (e < 0) {
                printf("@note the kernel's programs cannot be listed: %s\n", strerror(-e));
                return;
        }
        programs_print(before, after);
        printf("@workload %zu %zu\n", w.tried, w.denied);
}

int main(void) {
        static struct program_list before, after;
        struct utsname name;
        int e, code;

        setvbuf(stdout, NULL, _IOLBF, 0);
        prctl(PR_SET_NAME, "lsmbundle-test");
        uname(&name);
        printf("@kernel %s\n", name.release);
        e = workload_begin();
        if (e < 0)
                printf("@note no scratch files: %s\n", strerror(-e));
        e = programs_count();
        if (e < 0)
                printf("@note the kernel does not time programs: %s\n", strerror(-e));
        else
                empty_measure(&before);
        code = install();
        printf("@install %d\n", code);
        if (code != 0)
                verifier_log_print();
        else
                measure(&before, &after);
        return 0;
}
