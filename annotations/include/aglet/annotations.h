/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The words with which C code tells Aglet who owns what, which lock guards what, and what may cross a thread.
 * Stands on nothing: no other header, any compiler, C99 to C23, C++.
 *
 * Every macro is an annotation for the checker and nothing at all for the compiler. Only where __AGLET__ is
 * defined, which the plugin and `aglet lint` do, do they expand to attributes that Clang keeps in its syntax
 * tree; the plugin drops those before code is generated. Annotated code is the same code to the last byte.
 *
 * Locks are named by C expressions as seen from the annotated declaration: a sibling field, also one declared
 * later (`mu`), a parameter (`box->mu`), a global, an array element (`row[i].mu`), `return` for the result.
 * They are read by Aglet, not by the compiler, and a name that stands for nothing is an error.
 *
 *     struct account {
 *         pthread_mutex_t mu;
 *         long balance AGLET_GUARDED_BY(mu);
 *     };
 *     void account_add(struct account *a, long n) AGLET_REQUIRES(a->mu); */
#ifndef AGLET_ANNOTATIONS_H
#define AGLET_ANNOTATIONS_H

#if defined(__AGLET__) && defined(__clang__)
#define AGLET_ANNOTATE_(text) __attribute__((annotate("aglet:" text)))
#define AGLET_TEXT_(...) #__VA_ARGS__
#else
#define AGLET_ANNOTATE_(text)
#define AGLET_TEXT_(...) ""
#endif

/* The three forms an annotation has: a bare word, a word about expressions, a word with a reason in quotes.
 * Arguments of the second form reach it macro-expanded. */
#define AGLET_WORD_(name) AGLET_ANNOTATE_(name "()")
#define AGLET_ABOUT_(name, ...) AGLET_ANNOTATE_(name "(" AGLET_TEXT_(__VA_ARGS__) ")")
#define AGLET_BECAUSE_(name, why) AGLET_ANNOTATE_(name "(" why ")")

/* Types.
 * Written after `struct` or `union`, before the tag, or after the closing brace; on a typedef at its end. */

/* A value of this type may be handed to another thread. Aglet proves it from the fields or names the field
 * that forbids it. */
#define AGLET_SEND AGLET_WORD_("send")
/* A pointer to this type may be used by several threads at once. Proved from the fields, as above. */
#define AGLET_SYNC AGLET_WORD_("sync")
/* The type must stay on its thread, or must not be used by two at once, for a reason no field shows. */
#define AGLET_NOT_SEND(why) AGLET_BECAUSE_("not_send", why)
#define AGLET_NOT_SYNC(why) AGLET_BECAUSE_("not_sync", why)
/* Taken on trust, like Rust's `unsafe impl Send`: the reason is what a reviewer will read. */
#define AGLET_TRUSTED_SEND(why) AGLET_BECAUSE_("trusted_send", why)
#define AGLET_TRUSTED_SYNC(why) AGLET_BECAUSE_("trusted_sync", why)
/* A lock of the program's own; its lock and unlock functions say AGLET_ACQUIRES and AGLET_RELEASES. */
#define AGLET_LOCK_TYPE AGLET_WORD_("lock_type")
/* The same for a lock whose acquire suspends the task: it may be held across yield points. */
#define AGLET_ASYNC_LOCK_TYPE AGLET_WORD_("async_lock_type")
/* A value of this type is a held lock, released when the variable's life ends. */
#define AGLET_GUARD_TYPE AGLET_WORD_("guard_type")

/* File scope */

/* Declares a lock that is no object, for the lock macros to name: AGLET_TOKEN(ui_thread);
 * Requires  `name` is no macro. Takes no storage. */
#define AGLET_TOKEN(name) struct AGLET_ANNOTATE_("token(" AGLET_TEXT_(name) ")") aglet_token_##name

/* Pointers: fields, parameters, variables, results.
 * Written after the outermost star: `struct job *AGLET_OWNED next`. */

/* The only pointer through which its object is used, like Rust's Box. */
#define AGLET_OWNED AGLET_WORD_("owned")
/* One of several pointers, in several threads, to one object, like Rust's Arc or &. */
#define AGLET_SHARED AGLET_WORD_("shared")
/* A parameter: what the argument points to leaves the caller for good. */
#define AGLET_SENDING AGLET_WORD_("sending")
/* The same where the call worked, as its result says: AGLET_SENDING_IF(return == 0). Else it stays the caller's. */
#define AGLET_SENDING_IF(result) AGLET_ABOUT_("sending_if", result)
/* The field that counts the references to its struct. */
#define AGLET_REFCOUNT AGLET_WORD_("refcount")
/* A parameter: the frame of a stackless task, whose fields live across its awaits. */
#define AGLET_FRAME AGLET_WORD_("frame")

/* Data */

/* Touched only with the lock held; of several locks a write needs all, a read any one. */
#define AGLET_GUARDED_BY(...) AGLET_ABOUT_("guarded_by", __VA_ARGS__)
/* The same for what the pointer points to. */
#define AGLET_PT_GUARDED_BY(...) AGLET_ABOUT_("pt_guarded_by", __VA_ARGS__)

/* Functions, function pointer fields and function typedefs: locks */

/* The caller holds these locks, for writing or (…_SHARED) at least for reading, and still holds them after. */
#define AGLET_REQUIRES(...) AGLET_ABOUT_("requires", __VA_ARGS__)
#define AGLET_REQUIRES_SHARED(...) AGLET_ABOUT_("requires_shared", __VA_ARGS__)
/* The caller does not hold these locks: the function takes them itself. */
#define AGLET_EXCLUDES(...) AGLET_ABOUT_("excludes", __VA_ARGS__)
/* Held when the function returns, not before. */
#define AGLET_ACQUIRES(...) AGLET_ABOUT_("acquires", __VA_ARGS__)
#define AGLET_ACQUIRES_SHARED(...) AGLET_ABOUT_("acquires_shared", __VA_ARGS__)
/* Held when the function is called, in either mode, not after. */
#define AGLET_RELEASES(...) AGLET_ABOUT_("releases", __VA_ARGS__)
/* Held after the call exactly when the function returned `value`: AGLET_TRY_ACQUIRES(0, mu). `true` and
 * `false` stand for non-zero and zero. */
#define AGLET_TRY_ACQUIRES(value, ...) AGLET_ABOUT_("try_acquires", value, __VA_ARGS__)
#define AGLET_TRY_ACQUIRES_SHARED(value, ...) AGLET_ABOUT_("try_acquires_shared", value, __VA_ARGS__)
/* Returns only when these locks are held, so they are known to be held after the call, for writing too. Nothing is asked of callers. */
#define AGLET_ASSERTS_HELD(...) AGLET_ABOUT_("asserts_held", __VA_ARGS__)
/* The result is the address of this lock. */
#define AGLET_RETURNS_LOCK(lock) AGLET_ABOUT_("returns_lock", lock)

/* On a lock: it is always taken before, or after, these others. */
#define AGLET_ACQUIRED_BEFORE(...) AGLET_ABOUT_("acquired_before", __VA_ARGS__)
#define AGLET_ACQUIRED_AFTER(...) AGLET_ABOUT_("acquired_after", __VA_ARGS__)

/* Functions, function pointer fields and function typedefs: effects and boundaries */

/* May suspend the calling task, so that its thread runs another one; or promises never to. */
#define AGLET_YIELDS AGLET_WORD_("yields")
#define AGLET_NO_YIELD AGLET_WORD_("no_yield")
/* May stop the operating system's thread without bound; or promises never to. */
#define AGLET_BLOCKS AGLET_WORD_("blocks")
#define AGLET_NO_BLOCK AGLET_WORD_("no_block")
/* Starts `entry(argument)` on another thread or task when it returns 0, or when `result` says:
 * AGLET_SPAWNS_IF(return != NULL, fn, arg). */
#define AGLET_SPAWNS(entry, argument) AGLET_ABOUT_("spawns", entry, argument)
#define AGLET_SPAWNS_IF(result, entry, argument) AGLET_ABOUT_("spawns_if", result, entry, argument)
/* After the call the thread or task of this handle has ended, and what was lent to it is back. */
#define AGLET_JOINS(handle) AGLET_ABOUT_("joins", handle)
/* A stackless task returns to its executor here and comes back: its plain locals are lost. */
#define AGLET_AWAITS AGLET_WORD_("awaits")
/* The task may come back from a yield on another thread. */
#define AGLET_MIGRATES AGLET_WORD_("migrates")
/* The first function of a task, or of a thread, that nothing in sight starts. */
#define AGLET_TASK_ENTRY AGLET_WORD_("task_entry")
#define AGLET_THREAD_ENTRY AGLET_WORD_("thread_entry")

/* Escape */

/* The function's body is not checked; its other annotations still bind its callers. */
#define AGLET_UNCHECKED(why) AGLET_BECAUSE_("unchecked", why)

#endif
