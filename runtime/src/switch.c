/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The two dozen instructions that change stacks, and how a fresh stack is laid out.
 * Stands on nothing. The return is `pop; jmp` and not `ret`: the return predictor would guess the
 * caller of the stack we left, and a wrong guess costs three times the whole switch. */
#include "switch.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)

/* Saved, from the lowest address: mxcsr, x87 control word, r15 r14 r13 r12 rbx rbp, resume address.
 * The control words are compared before they are loaded: loading them stalls, comparing does not. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl aglet_switch_\n"
        ".hidden aglet_switch_\n"
        ".type aglet_switch_,@function\n"
        "aglet_switch_:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n"
        "  stmxcsr (%rsp)\n"
        "  fnstcw 4(%rsp)\n"
        "  movl (%rsp), %eax\n"
        "  movzwl 4(%rsp), %ecx\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  xorl (%rsp), %eax\n"
        "  testl $0xffc0, %eax\n"
        "  jne 1f\n"
        "2: cmpw 4(%rsp), %cx\n"
        "  jne 3f\n"
        "4: addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  popq %rcx\n"
        "  jmpq *%rcx\n"
        "1: ldmxcsr (%rsp)\n"
        "  jmp 2b\n"
        "3: fldcw 4(%rsp)\n"
        "  jmp 4b\n"
        ".size aglet_switch_,.-aglet_switch_\n"
        ".p2align 4\n"
        ".type aglet_switch_entry_,@function\n"
        "aglet_switch_entry_:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined rip\n"
        "  movq %r13, %rdi\n"
        "  call *%r12\n"
        "  ud2\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_entry_,.-aglet_switch_entry_\n");

enum { SAVED_WORDS = 8 };

static void lay_out(void **top, void **sp, void (*entry)(void *), void *arg) {
    extern void aglet_switch_entry_(void);
    void **frame = top - SAVED_WORDS;
    uint32_t mxcsr;
    uint16_t cw;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(cw));
    uint64_t control = (uint64_t)mxcsr | (uint64_t)cw << 32;
    memset(frame, 0, SAVED_WORDS * sizeof *frame);
    memcpy(&frame[0], &control, sizeof control);
    memcpy(&frame[4], &entry, sizeof entry); /* r12 */
    frame[3] = arg;                          /* r13 */
    void (*start)(void) = aglet_switch_entry_;
    memcpy(&frame[7], &start, sizeof start);
    *sp = frame;
}

#elif defined(__aarch64__)

/* Saved, from the lowest address: x19..x28, x29, x30 (where to go on), d8..d15, fpcr. */
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
        "  mrs x10, fpcr\n"
        "  str x10, [sp, #160]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldr x11, [sp, #160]\n"
        "  cmp x10, x11\n"
        "  b.eq 1f\n"
        "  msr fpcr, x11\n"
        "1: ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #176\n"
        "  mov x16, x30\n"
        "  br x16\n"
        ".size aglet_switch_,.-aglet_switch_\n"
        ".p2align 4\n"
        ".type aglet_switch_entry_,%function\n"
        "aglet_switch_entry_:\n"
        "  .cfi_startproc\n"
        "  .cfi_undefined x30\n"
        "  mov x0, x20\n"
        "  blr x19\n"
        "  brk #1\n"
        "  .cfi_endproc\n"
        ".size aglet_switch_entry_,.-aglet_switch_entry_\n");

enum { SAVED_WORDS = 22 };

static void lay_out(void **top, void **sp, void (*entry)(void *), void *arg) {
    extern void aglet_switch_entry_(void);
    void **frame = top - SAVED_WORDS;
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    memset(frame, 0, SAVED_WORDS * sizeof *frame);
    memcpy(&frame[0], &entry, sizeof entry);
    frame[1] = arg;
    void (*start)(void) = aglet_switch_entry_;
    memcpy(&frame[11], &start, sizeof start);
    memcpy(&frame[20], &fpcr, sizeof fpcr);
    *sp = frame;
}

#else
#error "aglet: stackful tasks need x86-64 or aarch64"
#endif

void context_make(struct context *ctx, void *bottom, size_t size, void (*entry)(void *), void *arg) {
    void **top = (void **)((uintptr_t)((char *)bottom + size) & ~(uintptr_t)15);
    *ctx = (struct context){0};
    lay_out(top, &ctx->sp, entry, arg);
#ifdef AGLET_TSAN_
    ctx->fiber = __tsan_create_fiber(0);
#endif
#ifdef AGLET_ASAN_
    ctx->bottom = bottom;
    ctx->size = size;
#endif
}

void context_adopt(struct context *ctx) {
    *ctx = (struct context){0};
#ifdef AGLET_TSAN_
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
#ifdef AGLET_TSAN_
    if (ctx->fiber)
        __tsan_destroy_fiber(ctx->fiber);
#endif
    *ctx = (struct context){0};
}
