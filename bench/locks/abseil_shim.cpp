/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* abseil's Mutex as C functions, linked with -flto so that the shim costs no call of its own (Debian: libabsl-dev). */
#include <absl/synchronization/mutex.h>
#include <new>
extern "C" {
void absl_init(void *m) {
    new (m) absl::Mutex;
}
void absl_lock(void *m) {
    static_cast<absl::Mutex *>(m)->Lock();
}
void absl_unlock(void *m) {
    static_cast<absl::Mutex *>(m)->Unlock();
}
void absl_rlock(void *m) {
    static_cast<absl::Mutex *>(m)->ReaderLock();
}
void absl_runlock(void *m) {
    static_cast<absl::Mutex *>(m)->ReaderUnlock();
}
}
static_assert(sizeof(absl::Mutex) <= 8, "peer_abseil.c gives it eight bytes");
