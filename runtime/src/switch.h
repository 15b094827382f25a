/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Switching between C stacks on one OS thread.
 * Stands on the System V x86-64 and AAPCS64 calling conventions, and on the fiber interfaces of
 * ThreadSanitizer and AddressSanitizer: where those are compiled in, and of the first also where only the program
 * is compiled for it and the library is the checked one. */
#ifndef AGLET_SRC_SWITCH_H
#define AGLET_SRC_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AGLET_TSAN_ 1
#endif
#if __has_feature(address_sanitizer)
#define AGLET_ASAN_ 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) && !defined(AGLET_TSAN_)
#define AGLET_TSAN_ 1
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(AGLET_ASAN_)
#define AGLET_ASAN_ 1
#endif

/* Weak: in most programs that are linked with the checked library they are not there. */
#if defined(AGLET_TSAN_) || defined(AGLET_CHECKED_LIBRARY)
#define AGLET_FIBERS_ 1
void *__tsan_get_current_fiber(void) __attribute__((weak));
void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));
#endif
#ifdef AGLET_ASAN_
void __asan_unpoison_memory_region(const volatile void *bottom, size_t size);
void __sanitizer_start_switch_fiber(void **fake_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake, const void **bottom_old, size_t *size_old);
#endif

/* Where a stack that is not running will go on. The callee-saved registers lie at `sp`, in the
 * order switch.c pushes them, which is what a debugger needs to unwind a parked task. */
struct context {
    void *sp;
#ifdef AGLET_FIBERS_
    void *fiber; /* as ThreadSanitizer knows it; NULL where that does not run */
#endif
#ifdef AGLET_ASAN_
    void *fake;
    const void *bottom;
    size_t size;
#endif
};

/* Save the callee-saved registers here, store the stack pointer in *save, and go on at `load`. */
void aglet_switch_(void **save, void *load);

/* Make *ctx a stack that, when first switched to, calls entry(arg). entry must not return.
 *
 * Requires  [bottom, bottom+size) is writable and 16-byte aligned at its top. */
void context_make(struct context *ctx, void *bottom, size_t size, void (*entry)(void *), void *arg);

/* Fill *ctx for the stack the thread runs on now, so that others can switch back to it. */
void context_adopt(struct context *ctx);

/* Tell the sanitizers that *ctx will not run again. */
void context_drop(struct context *ctx);

/* Call visit(arg) so that to an unwinder its caller is the code that `ctx` will go on with.
 * Requires  nothing can run in *ctx meanwhile. */
void context_visit(const struct context *ctx, void (*visit)(void *arg), void *arg);

/* What a switch saves, in words, and which of them is where it goes on. */
#if defined(__x86_64__)
enum { CONTEXT_WORDS = 7, CONTEXT_PC = 6 };
#elif defined(__aarch64__)
enum { CONTEXT_WORDS = 22, CONTEXT_PC = 11 };
#endif

/* The first thing the entry function of a made context must do. */
static inline void context_entered(struct context *self) {
#ifdef AGLET_ASAN_
    __sanitizer_finish_switch_fiber(self->fake, NULL, NULL);
#else
    (void)self;
#endif
}

/* Leave `from` (the running stack) and go on in `to`; returns when somebody switches to `from`. */
static inline void context_switch(struct context *from, struct context *to) {
#ifdef AGLET_ASAN_
    __sanitizer_start_switch_fiber(&from->fake, to->bottom, to->size);
#endif
#ifdef AGLET_FIBERS_
    if (__builtin_expect(to->fiber != NULL, 0))
        __tsan_switch_to_fiber(to->fiber, 0);
#endif
    aglet_switch_(&from->sp, to->sp);
#ifdef AGLET_ASAN_
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
}

#endif
