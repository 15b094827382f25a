/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Rust's Rc: an object with a plain reference count goes to a thread while a reference stays here. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>

typedef struct image {
    int references;
    unsigned char *pixels;
} image;

static image *image_ref(image *im)
{
    im->references++;
    return im;
}

static void image_unref(image *im)
{
    if (--im->references == 0) {
        free(im->pixels);
        free(im);
    }
}

static void *encode(void *arg)
{
    image *im = arg;
    im->pixels[0] ^= 1;
    image_unref(im);
    return NULL;
}

int encode_beside(image *im)
{
    pthread_t t;
    if (pthread_create(&t, NULL, encode, image_ref(im)) != 0) { // expected-warning {{a reference stays behind, and count 'im->references' is not atomic [aglet-send]}}
        image_unref(im);
        return -1;
    }
    image_unref(im);
    return pthread_detach(t);
}

/* The count is written out, and a helper starts the thread. */
static int start_encoder(thrd_t *t, thrd_start_t entry, image *im)
{
    return thrd_create(t, entry, im);
}

static int encode_c11(void *arg)
{
    image *im = arg;
    if (--im->references == 0)
        free(im);
    return 0;
}

int encode_beside_c11(image *im)
{
    thrd_t t;
    ++im->references;
    if (start_encoder(&t, encode_c11, im) != thrd_success) // expected-warning {{a reference stays behind, and count 'im->references' is not atomic [aglet-send]}}
        return -1;
    image_unref(im);
    return thrd_join(t, NULL);
}

/* Mended: the only reference moves. */
int encode_and_forget(image *im)
{
    pthread_t t;
    if (pthread_create(&t, NULL, encode, im) != 0) { // no diagnostic: no reference stays
        image_unref(im);
        return -1;
    }
    return pthread_detach(t);
}

/* Mended: the count is atomic. */
typedef struct {
    atomic_int references;
    unsigned char *pixels;
} atomic_image;

static void atomic_image_unref(atomic_image *im)
{
    if (atomic_fetch_sub_explicit(&im->references, 1, memory_order_acq_rel) == 1) {
        free(im->pixels);
        free(im);
    }
}

static void *encode_atomic(void *arg)
{
    atomic_image *im = arg;
    atomic_image_unref(im);
    return NULL;
}

int encode_atomic_beside(atomic_image *im)
{
    pthread_t t;
    atomic_fetch_add_explicit(&im->references, 1, memory_order_relaxed);
    if (pthread_create(&t, NULL, encode_atomic, im) != 0) { // no diagnostic: its count is atomic
        atomic_image_unref(im);
        return -1;
    }
    atomic_image_unref(im);
    return pthread_detach(t);
}
