/* SPDX-License-Identifier: Apache-2.0 */
#include "kallsyms.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "fileio.h"

#define CHUNK 65536          /* longer than any line */
#define TEXT_MAX (256 << 20) /* ten times what a kernel with all its modules has */

/* "ffffffff82a07a80 D rename_lock": address, type, name; of a module's, a tab and "[module]" follow. A global symbol, of which the
 * kernel has one by each name; data may have the type of code (7.3: T), as only the section counts. */
#define GLOBAL "DBRT"

static void line_take(const char *line, struct kernel_symbol *symbols, size_t n) {
        unsigned long long address;
        char type, name[128], more;

        /* Nearly every line ends here. */
        if (strnlen(line, 20) < 20 || !strchr(GLOBAL, line[17]))
                return;
        if (sscanf(line, "%16llx %c %127s%c", &address, &type, name, &more) != 3 || !strchr(GLOBAL, type))
                return;
        for (size_t i = 0; i < n; i++)
                if (symbols[i].address == 0 && streq(symbols[i].name, name))
                        symbols[i].address = address;
}

static bool all_found(const struct kernel_symbol *symbols, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (symbols[i].address == 0)
                        return false;
        return true;
}

/* The whole lines at the beginning of the text; returns how long they are. */
static size_t lines_take(char *text, size_t len, struct kernel_symbol *symbols, size_t n) {
        size_t at = 0;

        for (char *end; (end = memchr(text + at, '\n', len - at)); at = (size_t)(end - text) + 1) {
                *end = '\0';
                line_take(text + at, symbols, n);
        }
        return at;
}

int kallsyms_find(int fd, struct kernel_symbol *symbols, size_t n) {
        cleanup_free char *text = malloc(CHUNK);
        size_t kept = 0, total = 0;

        if (!text)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                symbols[i].address = 0;
        while (!all_found(symbols, n) && total < TEXT_MAX) {
                ssize_t r = fd_read_some(&fd, text + kept, CHUNK - kept);
                size_t taken;

                if (r <= 0)
                        return (int)r;
                total += (size_t)r;
                kept += (size_t)r;
                taken = lines_take(text, kept, symbols, n);
                if (taken == 0 && kept == CHUNK)
                        return -EBADMSG;
                memmove(text, text + taken, kept - taken);
                kept -= taken;
        }
        return 0;
}

void kallsyms_rules_locks(const char *root, struct lsm_rules_kernel *ret) {
        struct kernel_symbol symbols[] = {{"rename_lock"}, {"mount_lock"}};
        char path[PATH_MAX];
        cleanup_fd int fd = -1;

        *ret = (struct lsm_rules_kernel){0};
        snprintf(path, sizeof(path), "%s/proc/kallsyms", root);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || kallsyms_find(fd, symbols, ARRAY_SIZE(symbols)) < 0 || !all_found(symbols, ARRAY_SIZE(symbols)))
                return;
        ret->rename_lock = symbols[0].address;
        ret->mount_lock = symbols[1].address;
}
