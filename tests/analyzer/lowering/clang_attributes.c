/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Clang's own thread-safety attributes, read as our words.
 * Stands on nothing. */
#define TSA(x) __attribute__((x))
struct TSA(capability("mutex")) mutex { int word; };
extern struct mutex mu, other;
int n TSA(guarded_by(mu));
int *p TSA(pt_guarded_by(mu)) TSA(acquired_after(other));
void lock(struct mutex *m) TSA(acquire_capability(*m)) TSA(locks_excluded(other));
void unlock(struct mutex *m) TSA(release_capability(m));
int try_it(struct mutex *m) TSA(try_acquire_capability(1, m));
void both(void) TSA(requires_capability(mu, other)) TSA(requires_shared_capability(mu));
struct mutex *get(void) TSA(lock_returned(mu));
void held(void) TSA(assert_capability(mu));
void trusted(void) TSA(no_thread_safety_analysis);
void all(void)
{
    lock(get());
    both();
    held();
    trusted();
    unlock(&mu);
    *p = n = try_it(&mu);
}
