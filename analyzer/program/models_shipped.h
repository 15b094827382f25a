/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The tables that the build makes from annotations/models: sorted by name, read only.
 * Stands on models.h; written by annotations/models/compile.c. */
#ifndef AGLET_PROGRAM_MODELS_SHIPPED_H
#define AGLET_PROGRAM_MODELS_SHIPPED_H

#include "models.h"

extern const struct model_function models_shipped_functions[];
extern const size_t models_n_shipped_functions;
extern const struct model_type models_shipped_types[];
extern const size_t models_n_shipped_types;
extern const uint64_t models_shipped_hash; /* of the model files' texts */

#endif
