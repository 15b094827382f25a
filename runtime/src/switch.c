/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The two dozen instructions that change stacks, and how a fresh stack is laid out.
 * Stands on nothing.
 *
 * The return is `ret`, although it returns on another stack: all stacks suspend at the same place (leave in
 * worker.c), so the return predictor, which guesses the caller of the stack we left, guesses right up to the
 * program's own function. A `pop; jmp` leaves an entry too many in it, and every return after the switch is
 * then guessed wrong (measured: 7 ns). The floating-point control registers are not switched: reading mxcsr
 * costs twice the switch (4.6 ns). */
#include "switch.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* Where a made stack begins: calls its entry function. Global, because a linker may not relocate a local one.
 */
__attribute__((visibility("hidden"))) void aglet_switch_entry_(void);

#if defined(__x86_64__)

/* Saved, from the lowest address: r15 r14 r13 r12 rbx rbp, resume address. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl aglet_switch_\n"
        ".hidden aglet_switch_\n"
        ".type aglet_switch_,@function\n"
        "aglet_switch_:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size aglet_switch_,.-aglet_switch_\n"
        ".p2align 4\n"
        ".globl aglet_switch_entry_\n"
        ".hidden aglet_switch_entry_\n"
        ".type aglet_switch_entry_,@function\n"
        "aglet_switch_entry_:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined rip\n"
        "  movq %r13, %rdi\n"
        "  call *%r12\n"
        "  ud2\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_entry_,.-aglet_switch_entry_\n"
        /* What was saved at rbx is where the caller's registers lie; nothing of our own caller is told. */
        ".p2align 4\n"
        ".globl aglet_switch_visit_\n"
        ".hidden aglet_switch_visit_\n"
        ".type aglet_switch_visit_,@function\n"
        "aglet_switch_visit_:\n"
        "  .cfi_startproc\n"
        "  pushq %rbx\n"
        "  movq %rdi, %rbx\n"
        "  movq %rdx, %rdi\n"
        "  .cfi_def_cfa rbx, 56\n"
        "  .cfi_offset rip, -8\n  .cfi_offset rbp, -16\n  .cfi_offset rbx, -24\n  .cfi_offset r12, -32\n"
        "  .cfi_offset r13, -40\n  .cfi_offset r14, -48\n  .cfi_offset r15, -56\n"
        "  call *%rsi\n"
        "  popq %rbx\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_visit_,.-aglet_switch_visit_\n");

static void lay_out(void **top, void **sp, void (*entry)(void *), void *arg) {
    void **frame = top - CONTEXT_WORDS;
    memset(frame, 0, CONTEXT_WORDS * sizeof *frame);
    memcpy(&frame[3], &entry, sizeof entry); /* r12 */
    frame[2] = arg;                          /* r13 */
    void (*start)(void) = aglet_switch_entry_;
    memcpy(&frame[CONTEXT_PC], &start, sizeof start);
    *sp = frame;
}

#elif defined(__aarch64__)

/* Saved, from the lowest address: x19..x28, x29, x30 (where to go on), d8..d15; 16 bytes are spare. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl aglet_switch_\n"
        ".hidden aglet_switch_\n"
        ".type aglet_switch_,%function\n"
        "aglet_switch_:\n"
        "  sub sp, sp, #176\n"
        "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #176\n"
        "  ret\n"
        ".size aglet_switch_,.-aglet_switch_\n"
        ".p2align 4\n"
        ".globl aglet_switch_entry_\n"
        ".hidden aglet_switch_entry_\n"
        ".type aglet_switch_entry_,%function\n"
        "aglet_switch_entry_:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined x30\n"
        "  mov x0, x20\n"
        "  blr x19\n"
        "  brk #1\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_entry_,.-aglet_switch_entry_\n"
        /* What was saved at x19 is where the caller's registers lie; nothing of our own caller is told. */
        ".p2align 4\n"
        ".globl aglet_switch_visit_\n"
        ".hidden aglet_switch_visit_\n"
        ".type aglet_switch_visit_,%function\n"
        "aglet_switch_visit_:\n"
        "  .cfi_startproc\n"
        "  stp x29, x30, [sp, #-32]!\n"
        "  str x19, [sp, #16]\n"
        "  mov x19, x0\n"
        "  mov x0, x2\n"
        "  .cfi_def_cfa x19, 176\n"
        "  .cfi_offset x19, -176\n  .cfi_offset x20, -168\n  .cfi_offset x21, -160\n"
        "  .cfi_offset x22, -152\n  .cfi_offset x23, -144\n  .cfi_offset x24, -136\n"
        "  .cfi_offset x25, -128\n  .cfi_offset x26, -120\n  .cfi_offset x27, -112\n"
        "  .cfi_offset x28, -104\n  .cfi_offset x29, -96\n  .cfi_offset x30, -88\n"
        "  blr x1\n"
        "  ldr x19, [sp, #16]\n"
        "  ldp x29, x30, [sp], #32\n"
        "  ret\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_visit_,.-aglet_switch_visit_\n");

static void lay_out(void **top, void **sp, void (*entry)(void *), void *arg) {
    void **frame = top - CONTEXT_WORDS;
    memset(frame, 0, CONTEXT_WORDS * sizeof *frame);
    memcpy(&frame[0], &entry, sizeof entry);
    frame[1] = arg;
    void (*start)(void) = aglet_switch_entry_;
    memcpy(&frame[CONTEXT_PC], &start, sizeof start);
    *sp = frame;
}

#else
#error "aglet: stackful tasks need x86-64 or aarch64"
#endif

void context_make(struct context *ctx, void *bottom, size_t size, void (*entry)(void *), void *arg) {
    void **top = (void **)((uintptr_t)((char *)bottom + size) & ~(uintptr_t)15);
    *ctx = (struct context){0};
    lay_out(top, &ctx->sp, entry, arg);
#ifdef AGLET_FIBERS_
    if (__tsan_create_fiber)
        ctx->fiber = __tsan_create_fiber(0);
#endif
#ifdef AGLET_ASAN_
    ctx->bottom = bottom;
    ctx->size = size;
#endif
}

void aglet_switch_visit_(void *sp, void (*visit)(void *), void *arg);

void context_visit(const struct context *ctx, void (*visit)(void *), void *arg) {
    aglet_switch_visit_(ctx->sp, visit, arg);
}

void context_adopt(struct context *ctx) {
    *ctx = (struct context){0};
#ifdef AGLET_FIBERS_
    if (__tsan_get_current_fiber)
        ctx->fiber = __tsan_get_current_fiber();
#endif
#ifdef AGLET_ASAN_
    pthread_attr_t attr;
    void *bottom = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &bottom, &size);
        pthread_attr_destroy(&attr);
    }
    ctx->bottom = bottom;
    ctx->size = size;
#endif
}

void context_drop(struct context *ctx) {
#ifdef AGLET_FIBERS_
    if (ctx->fiber)
        __tsan_destroy_fiber(ctx->fiber);
#endif
#ifdef AGLET_ASAN_
    /* The frames it still has would leave their marks to the next stack at this place. */
    __asan_unpoison_memory_region(ctx->bottom, ctx->size);
#endif
    *ctx = (struct context){0};
}
