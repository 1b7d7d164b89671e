/* SPDX-License-Identifier: Apache-2.0 */
/* The rollback page of journal.h: what is written when nothing else can be. */
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "journal.h"
#include "json.h"
#include "text.h"

#define PAGE_NAME "rollback"
#define PAGE_LEN 4096

_Static_assert(sizeof(struct rollback_page) <= PAGE_LEN, "one page");

static const char magic[8] = "LSMRB1";

/* The file, with its one block allocated. */
static int page_open(int state_fd, struct err *err) {
        cleanup_fd int fd = openat(state_fd, PAGE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        struct stat st;
        int r;

        if (fd < 0 && errno == ELOOP)
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, PAGE_NAME ": not a regular file");
        if (fd < 0 || fstat(fd, &st) < 0)
                return err_errno(err, -errno, PAGE_NAME);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, PAGE_NAME ": not a regular file");
        if (st.st_size > PAGE_LEN && ftruncate(fd, PAGE_LEN) < 0)
                return err_errno(err, -errno, PAGE_NAME);
        /* A hole, or a short file, would make the write into the mapping a SIGBUS on a full disk. */
        r = -posix_fallocate(fd, 0, PAGE_LEN);
        if (r < 0)
                return err_errno(err, r, PAGE_NAME);
        if (fsync(fd) < 0 || fsync(state_fd) < 0)
                return err_errno(err, -errno, PAGE_NAME);
        return steal_fd(&fd);
}

int rollback_page_map(int state_fd, struct rollback_page **ret, struct err *err) {
        cleanup_fd int fd = page_open(state_fd, err);
        void *page;

        if (fd < 0)
                return fd;
        page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (page == MAP_FAILED)
                return err_errno(err, -errno, PAGE_NAME);
        /* Kept in memory, so that writing to it never has to read the disk; not allowed to is no reason to stop. */
        (void)mlock(page, PAGE_LEN);
        *ret = page;
        return 0;
}

/* The text and zeros behind it: nothing of an earlier record stays. */
static void text_set(char *field, size_t size, const char *text) {
        size_t i = 0;

        for (; i + 1 < size && text && text[i]; i++)
                field[i] = text[i];
        memset(field + i, 0, size - i);
}

void rollback_page_write(struct rollback_page *page, const char *bundle, const char *content_hex, uint64_t release,
                         const char *reason, const char *message) {
        /* The magic makes it a record: gone before the first field changes, back when the last has reached the disk. An
         * msync that fails must not hide the record from a restart, which needs the page alone. */
        memset(page->magic, 0, sizeof(page->magic));
        atomic_thread_fence(memory_order_seq_cst);
        text_set(page->bundle, sizeof(page->bundle), bundle);
        text_set(page->content_hex, sizeof(page->content_hex), content_hex);
        text_set(page->reason, sizeof(page->reason), reason);
        text_set(page->message, sizeof(page->message), message);
        page->release = release;
        (void)msync(page, PAGE_LEN, MS_SYNC);
        atomic_thread_fence(memory_order_seq_cst);
        memcpy(page->magic, magic, sizeof(magic));
        (void)msync(page, PAGE_LEN, MS_SYNC);
}

bool rollback_page_read(const struct rollback_page *page, struct rollback_page *ret) {
        struct rollback_page p = *page; /* judged and used in one copy */

        if (memcmp(p.magic, magic, sizeof(magic)) != 0)
                return false;
        if (!memchr(p.bundle, 0, sizeof(p.bundle)) || !memchr(p.content_hex, 0, sizeof(p.content_hex)) ||
            !memchr(p.reason, 0, sizeof(p.reason)) || !memchr(p.message, 0, sizeof(p.message)))
                return false;
        if (!name_valid(p.bundle) || !sha256_hex_valid(p.content_hex) || p.release > JSON_INT_MAX ||
            reason_from_word(p.reason) == REASON_NONE)
                return false;
        text_clean(p.message, sizeof(p.message), p.message);
        *ret = p;
        return true;
}

void rollback_page_clear(struct rollback_page *page) {
        memset(page->magic, 0, sizeof(page->magic));
        (void)msync(page, PAGE_LEN, MS_SYNC);
}
