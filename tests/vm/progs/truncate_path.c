/* SPDX-License-Identifier: Apache-2.0 */
/* truncate_path FILE: makes it empty by its name, without opening it. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
        if (argc != 2) {
                fputs("usage: truncate_path FILE\n", stderr);
                return 2;
        }
        if (truncate(argv[1], 0) < 0) {
                perror(argv[1]);
                return 1;
        }
        return 0;
}
