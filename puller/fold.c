/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include <sys/mman.h>

#include "bpffs.h"
#include "json.h"

#define FOLDS_SIZE (LSM_FOLDS_SIZE * sizeof(struct lsm_fold))

int fold_map(int fd, struct lsm_fold **ret, struct err *err) {
        void *p;
        int r = pin_map_mmap(fd, FOLDS_SIZE, &p);

        if (r < 0)
                return err_errno(err, r, "cannot map what policies have folded");
        *ret = p;
        return 0;
}

void fold_unmap(struct lsm_fold *folds) {
        if (folds)
                munmap(folds, FOLDS_SIZE);
}

/* The place as it is while its word is `w`: whoever folds, tells or makes it another kind's changes the word. */
static bool take(struct lsm_fold *f, uint64_t w, struct lsm_event *ret) {
        *ret = f->event;
        ret->count = LSM_FOLD_COUNT(w);
        ret->first_ns = f->first_ns;
        ret->time_ns = f->last_ns;
        ret->folding = 0;
        return __atomic_compare_exchange_n(&f->word, &w, w & ~LSM_FOLD_COUNT_MASK, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

bool fold_take(struct lsm_fold *folds, uint64_t now_ns, bool all, fold_fn fn, void *ctx) {
        bool again = false;

        for (size_t i = 0; i < LSM_FOLDS; i++) {
                struct lsm_fold *f = &folds[i];
                uint64_t w = __atomic_load_n(&f->word, __ATOMIC_SEQ_CST);
                bool open = LSM_FOLD_OPEN(w, now_ns);
                struct lsm_event e;

                if (!(w & LSM_FOLD_READY)) /* nobody's, or not anybody's yet */
                        continue;
                if (LSM_FOLD_COUNT(w) > 0 && (all || !open)) {
                        if (take(f, w, &e))
                                fn(ctx, &e);
                        else
                                again = true;
                }
                again |= open && LSM_FOLD_TOLD(w) >= LSM_FOLD_BURST;
        }
        return again;
}

uint64_t fold_take_lost(struct lsm_fold *folds) {
        uint64_t n = __atomic_exchange_n(&folds[LSM_FOLDS_LOST].word, 0, __ATOMIC_SEQ_CST);

        return n > JSON_INT_MAX ? JSON_INT_MAX : n;
}
