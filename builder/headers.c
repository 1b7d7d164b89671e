/* SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include <fcntl.h>

#include "fileio.h"

/* Paths are relative to the top of the tree, where make runs the compiler. */
#define EMBED(symbol, file)                                                        \
        extern const char symbol##_begin[], symbol##_end[];                        \
        __asm__(".pushsection .rodata\n"                                           \
                ".global " #symbol "_begin, " #symbol "_end\n" #symbol "_begin:\n" \
                ".incbin \"" file "\"\n" #symbol "_end:\n"                         \
                ".byte 0\n"                                                        \
                ".popsection\n")

/* gen/headers.inc is made by the makefile: all that is in bpf/include and bpf/engine. */
#define HEADER(name, file) EMBED(header_##name, file);
#include "headers.inc"
#undef HEADER

const struct header headers[] = {
#define HEADER(name, file) {#name ".h", header_##name##_begin, header_##name##_end},
#include "headers.inc"
#undef HEADER
};
const size_t n_headers = ARRAY_SIZE(headers);

int headers_write(int dirfd, struct err *err) {
        for (size_t i = 0; i < n_headers; i++) {
                const struct header *h = &headers[i];
                cleanup_fd int fd = openat(dirfd, h->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
                int e;

                if (fd < 0)
                        return err_errno(err, -errno, "cannot write '%s'", h->name);
                e = fd_write_all(fd, h->begin, h->end - h->begin);
                if (e < 0)
                        return err_errno(err, e, "cannot write '%s'", h->name);
        }
        return 0;
}
