/* SPDX-License-Identifier: Apache-2.0 */
#include "hasher.h"

#include <pthread.h>
#include <signal.h>

#define STACK_SIZE (256 * 1024)

struct piece {
        const void *p;
        size_t n;
};

struct hasher {
        struct digest *digest; /* the thread's, while there is a piece */
        bool threaded;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t more, less;         /* a piece was added, or the end; a piece was taken away */
        struct piece pieces[HASHER_DEPTH]; /* a ring; the first one is in work and stays until it is done */
        size_t first, n;
        bool quit;
        int r; /* the first failure */
};

static void *work(void *arg) {
        struct hasher *h = arg;

        pthread_mutex_lock(&h->lock);
        for (;;) {
                struct piece piece;
                int r;

                while (h->n == 0 && !h->quit)
                        pthread_cond_wait(&h->more, &h->lock);
                if (h->n == 0)
                        break;
                piece = h->pieces[h->first];
                pthread_mutex_unlock(&h->lock);
                r = digest_update(h->digest, piece.p, piece.n);
                pthread_mutex_lock(&h->lock);
                if (r < 0 && h->r == 0)
                        h->r = r;
                h->first = (h->first + 1) % HASHER_DEPTH;
                h->n--;
                pthread_cond_signal(&h->less);
        }
        pthread_mutex_unlock(&h->lock);
        return NULL;
}

/* Signals are for the caller's thread: its handlers and masks know nothing of another. */
static bool thread_start(struct hasher *h) {
        pthread_attr_t attr;
        sigset_t all, old;
        int r;

        if (pthread_attr_init(&attr) != 0)
                return false;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_attr_setstacksize(&attr, STACK_SIZE);
        if (r == 0)
                r = pthread_create(&h->thread, &attr, work, h);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        pthread_attr_destroy(&attr);
        return r == 0;
}

int hasher_new(bool threaded, struct hasher **ret) {
        struct hasher *h = calloc(1, sizeof(*h));

        if (!h)
                return -ENOMEM;
        h->digest = digest_new();
        if (!h->digest) {
                free(h);
                return -ENOMEM;
        }
        pthread_mutex_init(&h->lock, NULL);
        pthread_cond_init(&h->more, NULL);
        pthread_cond_init(&h->less, NULL);
        h->threaded = threaded && thread_start(h);
        *ret = h;
        return 0;
}

void hasher_free(struct hasher *h) {
        if (!h)
                return;
        if (h->threaded) {
                pthread_mutex_lock(&h->lock);
                h->quit = true;
                pthread_cond_signal(&h->more);
                pthread_mutex_unlock(&h->lock);
                pthread_join(h->thread, NULL);
        }
        pthread_cond_destroy(&h->less);
        pthread_cond_destroy(&h->more);
        pthread_mutex_destroy(&h->lock);
        digest_free(h->digest);
        free(h);
}

/* Waits until at most `max` pieces are left. */
static int wait_for(struct hasher *h, size_t max) {
        while (h->n > max)
                pthread_cond_wait(&h->less, &h->lock);
        return h->r;
}

int hasher_update(struct hasher *h, const void *p, size_t n) {
        int r;

        if (!h->threaded)
                return digest_update(h->digest, p, n);
        pthread_mutex_lock(&h->lock);
        r = wait_for(h, HASHER_DEPTH - 1);
        if (r == 0) {
                h->pieces[(h->first + h->n) % HASHER_DEPTH] = (struct piece){p, n};
                h->n++;
                pthread_cond_signal(&h->more);
        }
        pthread_mutex_unlock(&h->lock);
        return r;
}

int hasher_wait(struct hasher *h) {
        int r;

        if (!h->threaded)
                return 0;
        pthread_mutex_lock(&h->lock);
        r = wait_for(h, 0);
        pthread_mutex_unlock(&h->lock);
        return r;
}

int hasher_finish(struct hasher *h, uint8_t ret[static SHA256_SIZE]) {
        int r = hasher_wait(h);

        return r < 0 ? r : digest_finish(h->digest, ret);
}
