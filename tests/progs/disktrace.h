/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What disktrace writes and powercut reads: one record for each change of a folder's files, in the order in which they were made,
 * with the bytes of name, name2 and data behind it. The records up to DISK_BEGIN are what was there before: as good as synced.
 */
#pragma once

#include <stdint.h>

enum disk_kind {
        DISK_BEGIN = 1,
        DISK_FILE,     /* ino: a new file `name` in dir */
        DISK_FOLDER,   /* ino: a new folder */
        DISK_META,     /* mode, uid and gid of ino */
        DISK_WRITE,    /* data at `off` */
        DISK_TRUNCATE, /* to `off` bytes */
        DISK_RENAME,   /* `name` in dir to `name2` in dir2 */
        DISK_LINK,     /* ino is also `name2` in dir2 */
        DISK_UNLINK,   /* `name` in dir, a file or an empty folder */
        DISK_SYNC,     /* fsync(ino) */
        DISK_SYNC_ALL,
};

struct disk_record {
        uint32_t kind, mode, uid, gid;
        uint64_t ino, dir, dir2;
        int64_t off;
        uint32_t name_len, name2_len, data_len, zero;
};
