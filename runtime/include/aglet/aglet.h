/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Everything the runtime offers, in one include. Stands on the headers below, each of which stands alone. */
#ifndef AGLET_AGLET_H
#define AGLET_AGLET_H

#include "aglet/base.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"

#endif
