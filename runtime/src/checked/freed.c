/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Memory that is freed with locks in it. Stands on engine.h; told by the preloaded library, or by a
 * sanitizer's hooks where the program runs under one. */
#include "engine.h"

#include "misuse.h"

struct freed {
    const void *memory, *caller;
};

static void look(struct lock_record *r, void *context) {
    struct freed *f = context;
    struct check_thread *t = thread_self(), *owner = atomic_load(&r->owner);
    struct held *h = held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED);
    if (owner == NULL && h == NULL) {
        record_free(r); /* the usual end of a lock that nobody destroys */
        return;
    }
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("freed-held", atomic_load(&r->lock), false);
    misuse_say(m, "memory is freed with %s in it, which thread '%s' holds", lock_words(r, words),
               owner != NULL ? owner->name : t->name);
    note_here(m, "it is freed", f->caller);
    if (h != NULL)
        note_here(m, "the lock was taken", h->site);
    misuse_close(m);
    t->inside--;
}

void check_memory_freed(const void *memory, size_t size, const void *caller) {
    struct check_thread *t = check_self;
    if (lock_records == NULL || (t != NULL && t->inside != 0))
        return;
    struct freed f = {memory, caller};
    records_within(memory, size, look, &f);
}

void check_memory_unmapped(const void *memory, size_t size, const void *caller) {
    check_memory_freed(memory, size, caller);
    classes_forget(memory, size);
}

#ifndef AGLET_PRELOAD
/* As in sanitizer/allocator_interface.h; there only under a sanitizer. */
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *, size_t),
                                              void (*freed)(const volatile void *)) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *memory) __attribute__((weak));

static void allocated(const volatile void *memory, size_t size) {
    (void)memory;
    (void)size;
}

static void freed(const volatile void *memory) {
    if (memory != NULL)
        check_memory_freed((const void *)(uintptr_t)memory, __sanitizer_get_allocated_size(memory), CALLER());
}

__attribute__((constructor(106))) static void watch_sanitizer(void) {
    if (__sanitizer_install_malloc_and_free_hooks != NULL && __sanitizer_get_allocated_size != NULL)
        __sanitizer_install_malloc_and_free_hooks(allocated, freed);
}

/* The preloaded library, which sees every free, calls this where the program has the checked library as well.
 */
__attribute__((visibility("default"))) void aglet_memory_freed_(const void *memory, size_t size) {
    check_memory_freed(memory, size, CALLER());
}
#endif
