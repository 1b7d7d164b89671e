// SPDX-License-Identifier: Apache-2.0
/*
 * notify_listen PATH: a service manager's notification socket (sd_notify(3)) at PATH; prints every line that comes, behind the time
 * in milliseconds. Runs until it is killed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static long long now_ms(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        char packet[4096], *save, *line;
        ssize_t n;

        if (argc != 2 || strlen(argv[1]) >= sizeof(addr.sun_path))
                return 2;
        strcpy(addr.sun_path, argv[1]);
        unlink(argv[1]);
        if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
                perror(argv[1]);
                return 1;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        while ((n = recv(fd, packet, sizeof(packet) - 1, 0)) >= 0) {
                packet[n] = '\0';
                for (line = strtok_r(packet, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        printf("%lld %s\n", now_ms(), line);
        }
        return 1;
}
