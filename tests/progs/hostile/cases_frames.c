/* SPDX-License-Identifier: Apache-2.0 */
/* Where the archive begins and ends, cuts and flipped bytes anywhere in it, and what zstd frames may claim. */
#include <stdio.h>

#include <zstd.h>

#include "forge.h"

#define GIB (1ULL << 30)

/* The tars of the two frames of a good archive. */
struct tars {
        struct buf manifest, first, second;
};

static void tars_put(const struct forge *f, struct tars *t) {
        *t = (struct tars){};
        envelope_put_plain(f, &t->manifest, &f->text);
        manifest_tar_put(&t->first, &t->manifest);
        members_put(f, &t->second, 0, f->n);
        tar_end_put(&t->second);
}

static void tars_done(struct tars *t) {
        buf_done(&t->manifest);
        buf_done(&t->first);
        buf_done(&t->second);
}
#define cleanup_tars cleanup(tars_done)

static void bytes(struct forge *f, const char *name, const char *reason, const void *p, size_t n) {
        cleanup_buf struct buf archive = {};

        must(buf_append(&archive, p, n) == 0);
        case_put(f, name, reason, BOTH, "test", &archive);
}

/* ---- the good one, in the ways that the bad ones are made --------------------------------------------------------------- */

static void controls(struct forge *f, const struct tars *t) {
        cleanup_buf struct buf raw = {};

        case_put_tar(f, "good", "accepted", &t->second);
        frame_put_raw(&raw, t->first.data, t->first.len, 0);
        frame_put_raw(&raw, t->second.data, t->second.len, 0);
        case_put(f, "good-raw-blocks", "accepted", BOTH, "test", &raw);
        raw.len = 0;
        frame_put_raw(&raw, t->first.data, t->first.len, 0);
        frame_put_raw(&raw, t->second.data, t->second.len - (size_t)2 * BLOCK, (uint64_t)2 * BLOCK);
        case_put(f, "good-zeros-in-a-block", "accepted", BOTH, "test", &raw);
}

/* ---- not an archive at all ------------------------------------------------------------------------------------------------ */

static void not_an_archive(struct forge *f, const struct tars *t) {
        static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        static const uint8_t legacy[] = {0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0, 0}; /* zstd 0.7 */
        static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
        cleanup_buf struct buf after_skippable = {}, one_frame = {}, swapped = {}, text = {};

        bytes(f, "file-empty", "truncated", "", 0);
        bytes(f, "file-three-bytes", "truncated", "\x28\xb5\x2f", 3);
        bytes(f, "file-text", "malformed", "<html>404</html>\n", 17);
        bytes(f, "file-tar", "malformed", t->first.data, t->first.len);
        bytes(f, "file-manifest", "malformed", t->manifest.data, t->manifest.len);
        bytes(f, "file-gzip", "malformed", gzip, sizeof(gzip));
        bytes(f, "file-old-zstd", "malformed", legacy, sizeof(legacy));

        must(buf_append(&after_skippable, skippable, sizeof(skippable)) == 0);
        frame_put(&after_skippable, t->first.data, t->first.len);
        frame_put(&after_skippable, t->second.data, t->second.len);
        case_put(f, "frame-skippable-first", "malformed", BOTH, "test", &after_skippable);

        must(buf_append(&one_frame, t->first.data, t->first.len) == 0 &&
             buf_append(&one_frame, t->second.data, t->second.len) == 0);
        frame_put(&swapped, one_frame.data, one_frame.len);
        case_put(f, "frame-only-one", "trailing-data", BOTH, "test", &swapped);
        swapped.len = 0;
        frame_put(&swapped, t->second.data, t->second.len);
        frame_put(&swapped, t->first.data, t->first.len);
        case_put(f, "frame-order", "missing-member", BOTH, "test", &swapped);
        frame_put(&text, "not a tar", 9);
        case_put(f, "frame-of-nine-bytes", "truncated", BOTH, "test", &text);
        text.len = 0;
        frame_put(&text, t->manifest.data, t->manifest.len);
        case_put(f, "frame-no-tar", "malformed", BOTH, "test", &text);
}

/* ---- after the end ---------------------------------------------------------------------------------------------------------- */

static void appended(struct forge *f, const struct tars *t, const char *name, const void *p, size_t n) {
        cleanup_buf struct buf archive = {};

        frame_put(&archive, t->first.data, t->first.len);
        frame_put(&archive, t->second.data, t->second.len);
        must(buf_append(&archive, p, n) == 0);
        case_put(f, name, "trailing-data", BOTH, "test", &archive);
}

static void in_the_tar(struct forge *f, const struct tars *t, const char *name, size_t cut, const void *p, size_t n) {
        cleanup_buf struct buf tar = {};

        must(buf_append(&tar, t->second.data, t->second.len - cut) == 0 && buf_append(&tar, p, n) == 0);
        case_put_tar(f, name, "trailing-data", &tar);
}

static void after_the_end(struct forge *f, const struct tars *t) {
        static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
        cleanup_buf struct buf frame = {}, whole = {}, member = {}, block = {}, first = {}, archive = {};

        appended(f, t, "after-one-byte", "", 1);
        appended(f, t, "after-newline", "\n", 1);
        appended(f, t, "after-skippable", skippable, sizeof(skippable));
        frame_put(&frame, "", 0);
        appended(f, t, "after-empty-frame", frame.data, frame.len);
        frame_put(&whole, t->first.data, t->first.len);
        frame_put(&whole, t->second.data, t->second.len);
        appended(f, t, "after-the-archive-again", whole.data, whole.len);

        zeros_put(&block, BLOCK);
        in_the_tar(f, t, "after-zero-block", 0, block.data, block.len);
        in_the_tar(f, t, "after-one-byte-in-the-tar", 0, "x", 1);
        tar_file_put(&member, "sources/extra", "x", 1);
        tar_end_put(&member);
        in_the_tar(f, t, "after-member-in-the-tar", 0, member.data, member.len);
        block.data[BLOCK - 1] = 'x';
        in_the_tar(f, t, "after-second-block-not-zero", BLOCK, block.data, BLOCK);

        /* In the manifest's frame, behind the manifest. */
        must(buf_append(&first, t->first.data, t->first.len) == 0);
        zeros_put(&first, BLOCK);
        frame_put(&archive, first.data, first.len);
        frame_put(&archive, t->second.data, t->second.len);
        case_put(f, "after-manifest", "trailing-data", BOTH, "test", &archive);
}

/* ---- cut off ------------------------------------------------------------------------------------------------------------------ */

static void cut(struct forge *f, const char *kind, size_t which, const char *reason, const void *p, size_t n) {
        char name[64];

        snprintf(name, sizeof(name), "%s-%zu", kind, which);
        bytes(f, name, reason, p, n);
}

/* Raw blocks: a place in the tar is a place in the file. A good archive of this form is among the controls. */
static void cut_file(struct forge *f, const struct tars *t) {
        cleanup_buf struct buf raw = {}, tar = {};
        size_t head = 6 + 3, second; /* of a frame, and of its first block */

        frame_put_raw(&raw, t->first.data, t->first.len, 0);
        bytes(f, "cut-in-the-frame-header", "truncated", raw.data, 5);
        bytes(f, "cut-in-the-manifest-header", "truncated", raw.data, head + BLOCK / 2);
        bytes(f, "cut-before-the-manifest-text", "truncated", raw.data, head + BLOCK);
        bytes(f, "cut-in-the-manifest", "truncated", raw.data, head + BLOCK + t->manifest.len / 2);
        bytes(f, "cut-after-the-manifest", "truncated", raw.data, raw.len);
        second = raw.len + head;
        frame_put_raw(&raw, t->second.data, t->second.len, 0);
        bytes(f, "cut-in-the-second-frame-header", "truncated", raw.data, second - head + 3);
        for (size_t i = 0; i < f->n; i++) {
                cut(f, "cut-before-member", i, "truncated", raw.data, second + tar.len);
                cut(f, "cut-in-header-of-member", i, "truncated", raw.data, second + tar.len + BLOCK / 2);
                if (f->members[i].len > 1)
                        cut(f, "cut-in-member", i, "truncated", raw.data, second + tar.len + BLOCK + f->members[i].len / 2);
                members_put(f, &tar, i, i + 1);
        }
        bytes(f, "cut-before-the-zero-blocks", "truncated", raw.data, second + tar.len);
        bytes(f, "cut-between-the-zero-blocks", "truncated", raw.data, second + tar.len + BLOCK);
        bytes(f, "cut-the-last-byte", "truncated", raw.data, raw.len - 1);
}

/* The same places, but the frames are whole: only the tar in them ends. */
static void cut_tar(struct forge *f) {
        cleanup_buf struct buf tar = {};
        char name[64];

        for (size_t i = 0; i < f->n; i++) {
                struct buf part = {};

                snprintf(name, sizeof(name), "tar-ends-before-member-%zu", i);
                case_put_tar(f, name, i == 0 ? "truncated" : "missing-member", &tar); /* at first there is no tar at all */
                if (f->members[i].len > 1) {
                        must(buf_append(&part, tar.data, tar.len) == 0);
                        tar_header_put(&part, &(struct tar_header){.path = f->members[i].path, .size = f->members[i].len});
                        must(buf_append(&part, f->members[i].data, f->members[i].len / 2) == 0);
                        snprintf(name, sizeof(name), "tar-ends-in-member-%zu", i);
                        case_put_tar(f, name, "truncated", &part);
                        buf_done(&part);
                }
                members_put(f, &tar, i, i + 1);
        }
        case_put_tar(f, "tar-ends-before-the-zero-blocks", "truncated", &tar);
        zeros_put(&tar, BLOCK);
        case_put_tar(f, "tar-ends-between-the-zero-blocks", "truncated", &tar);
}

/* ---- one flipped byte ------------------------------------------------------------------------------------------------------------ */

static void flipped(struct forge *f, const struct tars *t) {
        size_t at = 0;

        for (size_t i = 0; i < f->n; i++) {
                cleanup_buf struct buf tar = {};
                char name[64];

                must(buf_append(&tar, t->second.data, t->second.len) == 0);
                if (f->members[i].len > 0) {
                        tar.data[at + BLOCK + f->members[i].len / 2] ^= 1;
                        snprintf(name, sizeof(name), "flipped-in-member-%zu", i);
                        case_put_tar(f, name, "digest-mismatch", &tar);
                }
                tar.data[at] ^= 1;
                snprintf(name, sizeof(name), "flipped-in-header-of-member-%zu", i);
                case_put_tar(f, name, "malformed", &tar);
                at += BLOCK + (f->members[i].len + BLOCK - 1) / BLOCK * BLOCK;
        }
}

/* ---- what frames may claim --------------------------------------------------------------------------------------------------------- */

/* The manifest's frame with another header in front of its raw blocks. RFC 8878, 3.1.1.1. */
static void header_put(struct forge *f, const struct tars *t, const char *name, const char *reason, const uint8_t *p, size_t n) {
        cleanup_buf struct buf archive = {};

        frame_put_header(&archive, p, n, t->first.data, t->first.len);
        frame_put(&archive, t->second.data, t->second.len);
        case_put(f, name, reason, BOTH, "test", &archive);
}
#define header(f, t, name, reason, ...)                                                        \
        header_put(f, t, name, reason, (const uint8_t[]){0x28, 0xb5, 0x2f, 0xfd, __VA_ARGS__}, \
                   4 + sizeof((const uint8_t[]){__VA_ARGS__}))

static void headers(struct forge *f, const struct tars *t) {
        cleanup_buf struct buf archive = {};

        header(f, t, "good-window-8-MiB", "accepted", 0, 13 << 3);
        header(f, t, "window-8-MiB-and-an-eighth", "too-large", 0, 13 << 3 | 1);
        header(f, t, "window-16-MiB", "too-large", 0, 14 << 3);
        header(f, t, "window-2-GiB", "too-large", 0, 21 << 3);
        header(f, t, "window-3.75-TiB", "too-large", 0, 0xff);
        header(f, t, "window-by-content-size", "too-large", 0xe0, 0, 0, 0, 0, 1, 0, 0, 0); /* one segment of 4 GiB */
        header(f, t, "content-size-too-small", "malformed", 0x80, 10 << 3, 1, 0, 0, 0);
        header(f, t, "dictionary", "malformed", 1, 10 << 3, 7);
        header(f, t, "dictionary-4-bytes", "malformed", 3, 10 << 3, 1, 2, 3, 4);
        header(f, t, "header-reserved-bit", "malformed", 8, 10 << 3);

        /* With a checksum that is wrong: zstd's own, of the content. */
        frame_put_header(&archive, (const uint8_t[]){0x28, 0xb5, 0x2f, 0xfd, 4, 10 << 3}, 6, t->first.data, t->first.len);
        must(buf_append(&archive, "\1\2\3\4", 4) == 0);
        frame_put(&archive, t->second.data, t->second.len);
        case_put(f, "frame-checksum", "malformed", BOTH, "test", &archive);
        bytes(f, "block-reserved-kind", "malformed", "\x28\xb5\x2f\xfd\x00\x50\x07\x00\x00", 9);
        bytes(f, "block-larger-than-allowed", "malformed", "\x28\xb5\x2f\xfd\x00\x50\x03\x00\x80\x00", 10);
        bytes(f, "block-garbage", "malformed", "\x28\xb5\x2f\xfd\x00\x50\x45\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", 17);
}

/* A few kilobytes that unpack to gigabytes. */
static void bombs(struct forge *f, const struct tars *t) {
        cleanup_buf struct buf in_manifest = {}, manifest_size = {}, behind = {}, between = {}, tar = {};

        tar_header_put(&tar, &(struct tar_header){.path = MANIFEST_PATH, .size = 2 * GIB});
        frame_put_raw(&manifest_size, tar.data, tar.len, 2 * GIB);
        case_put(f, "bomb-manifest", "too-large", BOTH, "test", &manifest_size);
        frame_put_raw(&in_manifest, t->first.data, t->first.len, GIB);
        case_put(f, "bomb-after-manifest", "trailing-data", BOTH, "test", &in_manifest);
        frame_put(&behind, t->first.data, t->first.len);
        frame_put_raw(&behind, t->second.data, t->second.len, 4 * GIB);
        case_put(f, "bomb-after-the-end", "trailing-data", BOTH, "test", &behind);

        tar.len = 0;
        members_put(f, &tar, 0, 1);
        tar_header_put(&tar, &(struct tar_header){.path = f->members[1].path, .size = 4 * GIB});
        frame_put(&between, t->first.data, t->first.len);
        frame_put_raw(&between, tar.data, tar.len, 4 * GIB);
        case_put(f, "bomb-member", "length-mismatch", BOTH, "test", &between);
}

void cases_frames(struct forge *f) {
        cleanup_tars struct tars t;

        tars_put(f, &t);
        controls(f, &t);
        not_an_archive(f, &t);
        after_the_end(f, &t);
        cut_file(f, &t);
        cut_tar(f);
        flipped(f, &t);
        headers(f, &t);
        bombs(f, &t);
}
