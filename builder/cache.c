/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "fileio.h"

#define ENTRY_MAGIC "lsmbundle cache 1\n"
#define ENTRY_HEADER (sizeof(ENTRY_MAGIC) - 1 + SHA256_SIZE)
#define ENTRY_MAX (64u << 20)
#define ENTRY_AGE (30 * 24 * 3600) /* seconds without use after which an entry is removed */

struct cache {
        int fd;
};

void cache_free(struct cache *cache) {
        if (!cache)
                return;
        close_p(&cache->fd);
        free(cache);
}

static int dir_open(int at, const char *name) {
        if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
                return -1;
        return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The directory is ours alone: what stands in it is compiled code that will be signed. */
static bool dir_private(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int cache_dir_open(void) {
        const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
        cleanup_fd int top = -1, fd = -1;

        if (base && base[0] == '/') {
                top = dir_open(AT_FDCWD, base);
        } else if (home && home[0] == '/') {
                cleanup_fd int home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (home_fd >= 0)
                        top = dir_open(home_fd, ".cache");
        }
        if (top < 0)
                return -1;
        fd = dir_open(top, "lsmbundle");
        return fd >= 0 && dir_private(fd) ? steal_fd(&fd) : -1;
}

struct cache *cache_open(void) {
        cleanup_fd int fd = cache_dir_open();
        struct cache *cache = fd < 0 ? NULL : new_array(1, sizeof(*cache));

        if (cache)
                cache->fd = steal_fd(&fd);
        return cache;
}

static bool entry_whole(const struct buf *b) {
        uint8_t digest[SHA256_SIZE];

        return b->len >= ENTRY_HEADER && memcmp(b->data, ENTRY_MAGIC, sizeof(ENTRY_MAGIC) - 1) == 0 &&
               sha256(b->data + ENTRY_HEADER, b->len - ENTRY_HEADER, digest) == 0 &&
               memcmp(digest, b->data + sizeof(ENTRY_MAGIC) - 1, SHA256_SIZE) == 0;
}

int cache_get(struct cache *cache, const uint8_t key[static SHA256_SIZE], struct buf *ret) {
        cleanup_buf struct buf entry = {};
        char name[SHA256_HEX];
        int e;

        if (!cache)
                return -ENOENT;
        hex_encode(key, SHA256_SIZE, name);
        e = file_read(cache->fd, name, ENTRY_MAX, &entry, NULL);
        if (e < 0 || !entry_whole(&entry))
                return -ENOENT;
        utimensat(cache->fd, name, (struct timespec[]){{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}}, 0);
        return buf_append(ret, entry.data + ENTRY_HEADER, entry.len - ENTRY_HEADER) < 0 ? -ENOENT : 0;
}

static void cache_prune(struct cache *cache) {
        int fd = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        time_t now = time(NULL);
        struct dirent *entry;
        struct stat st;

        if (!dir) {
                close_p(&fd);
                return;
        }
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.' && fstatat(cache->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISREG(st.st_mode) && now - st.st_mtime > ENTRY_AGE)
                        unlinkat(cache->fd, entry->d_name, 0);
        closedir(dir);
}

/* Not fsynced: after a power cut the digest tells. */
void cache_put(struct cache *cache, const uint8_t key[static SHA256_SIZE], const void *p, size_t n) {
        uint8_t digest[SHA256_SIZE];
        char name[SHA256_HEX], temp[SHA256_HEX + 32];
        cleanup_fd int fd = -1;

        if (!cache || n > ENTRY_MAX - ENTRY_HEADER || sha256(p, n, digest) < 0)
                return;
        hex_encode(key, SHA256_SIZE, name);
        snprintf(temp, sizeof(temp), "%s.%ld.tmp", name, (long)getpid());
        fd = openat(cache->fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return;
        if (fd_write_all(fd, ENTRY_MAGIC, sizeof(ENTRY_MAGIC) - 1) < 0 || fd_write_all(fd, digest, sizeof(digest)) < 0 ||
            fd_write_all(fd, p, n) < 0 || renameat(cache->fd, temp, cache->fd, name) < 0)
                unlinkat(cache->fd, temp, 0);
        else
                cache_prune(cache);
}
