/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Everything the runtime offers, in one include. Stands on the headers below, each of which stands alone. */
#ifndef AGLET_AGLET_H
#define AGLET_AGLET_H

#include "aglet/arc.h"
#include "aglet/barrier.h"
#include "aglet/base.h"
#include "aglet/cond.h"
#include "aglet/guard.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"
#include "aglet/once.h"
#include "aglet/rwlock.h"
#include "aglet/semaphore.h"
#include "aglet/thread.h"

#endif
