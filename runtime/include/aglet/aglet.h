/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Everything the runtime offers, in one include. Stands on the headers below, each of which stands alone. */
#ifndef AGLET_AGLET_H
#define AGLET_AGLET_H

#include "aglet/arc.h"
#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/async_semaphore.h"
#include "aglet/await.h"
#include "aglet/barrier.h"
#include "aglet/base.h"
#include "aglet/blocking.h"
#include "aglet/broadcast.h"
#include "aglet/channel.h"
#include "aglet/cond.h"
#include "aglet/executor.h"
#include "aglet/fs.h"
#include "aglet/guard.h"
#include "aglet/io.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"
#include "aglet/net.h"
#include "aglet/once.h"
#include "aglet/pool.h"
#include "aglet/rwlock.h"
#include "aglet/select.h"
#include "aglet/semaphore.h"
#include "aglet/stackless.h"
#include "aglet/task.h"
#include "aglet/thread.h"

#endif
