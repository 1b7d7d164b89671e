/* SPDX-License-Identifier: Apache-2.0 */
/* Gives files to a fuzz target, one after the other, without libFuzzer. A finding is an abort, as it is there. */
#include <fcntl.h>

#include "fileio.h"
#include "fuzz.h"

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                cleanup_buf struct buf b = {};
                struct err err = {};
                uint8_t *p;

                if (file_read(AT_FDCWD, argv[i], 16 << 20, &b, &err) < 0) {
                        fprintf(stderr, "%s\n", err.msg);
                        return 1;
                }
                printf("%s\n", argv[i]);
                fflush(stdout);
                p = malloc(b.len ? b.len : 1); /* of exactly this size: the sanitizers see a byte too far */
                must(p);
                if (b.len)
                        memcpy(p, b.data, b.len);
                LLVMFuzzerTestOneInput(p, b.len);
                free(p);
        }
        return 0;
}
