/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writing a report, one piece after another, then making it: to the hook, or printed.
 * Stands on options.h, symbol.h, ilock.h; the public side is aglet/misuse.h.
 *
 *     struct misuse *m = misuse_open("double-lock", mu, true);
 *     misuse_say(m, "thread '%s' locks %s, which it already holds", …);
 *     misuse_note(m, "it took it here");
 *     misuse_stack(m, pcs, count);
 *     if (!misuse_close(m)) return;
 *
 * Every function takes the NULL that misuse_open gives where a report is not to be made. */
#ifndef AGLET_SRC_MISUSE_H
#define AGLET_SRC_MISUSE_H

#include "aglet/misuse.h"

struct misuse;

/* Begin a report; others wait until it is closed.
 *
 * Requires  no lock of the library is held: the report may call malloc and the program's hook.
 * Returns   NULL while this thread is already writing one (a crash or a signal in the middle of a report):
 *           then nothing is reported, and a sentence says so. */
struct misuse *misuse_open(const char *rule, const void *object, bool fatal);

/* Between open and say: this is no finding but a hint. It is shown, and neither counted nor a reason to end.
 */
void misuse_hint(struct misuse *m);

/* The one sentence, then notes in order, each with the stack that explains it, if any. A note can name one
 * place, which is shown as function, file and line. */
void misuse_say(struct misuse *m, const char *format, ...) AGLET_PRINTF(2, 3);
void misuse_note(struct misuse *m, const char *format, ...) AGLET_PRINTF(2, 3);
void misuse_stack(struct misuse *m, const void *const *pcs, unsigned count);
void misuse_place(struct misuse *m, const void *pc);

/* Make it. Where no hook takes it, one that shows the same places as an earlier one of its rule is counted
 * instead of printed (repeats.h; option repeats). A fatal one, and with halt_on_error any one, ends the
 * process with the exit code unless a hook is set. Returns whether the hook, or being suppressed, let the
 * program come back from a fatal one: always true then. */
bool misuse_close(struct misuse *m);

/* The one-line form for findings with neither notes nor stacks. */
void misuse_report(const char *rule, const void *object, bool fatal, const void *caller, const char *format,
                   ...) AGLET_PRINTF(5, 6);

/* For who looks up names without making a report: nobody else does meanwhile. False: a report is being
 * written, by this thread or for too long; then look up nothing that needs more than what is mapped. */
bool misuse_hold(void);
void misuse_let_go(void);

/* Is this thread between those two, or writing a report? */
bool misuse_is_writing(void);

/* The library itself cannot go on (no memory, no key): say it, end the process. For what the program did
 * wrong there is misuse_open. */
AGLET_NORETURN void misuse_give_up(const char *sentence);

/* Something smaller cannot be had (the checker ran out of memory): said once per place, the program goes on.
 */
void misuse_warn(const char *sentence);

#endif
