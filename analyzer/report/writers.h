/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The writers behind report_write, one per format.
 * Stands on output.h. */
#ifndef AGLET_REPORT_WRITERS_H
#define AGLET_REPORT_WRITERS_H

#include "output.h"
#include "source.h"

void write_text(const struct report *r, const struct report_context *ctx, struct sources *sources, FILE *out);
void write_json(const struct report *r, const struct report_context *ctx, struct sources *sources, FILE *out);
void write_sarif(const struct report *r, const struct report_context *ctx, struct sources *sources,
                 FILE *out);
void write_html(const struct report *r, const struct report_context *ctx, struct sources *sources, FILE *out);

/* "hint", "warning", "error". */
const char *severity_name(enum severity s);
/* "new", "known" (in the baseline), "suppressed". */
const char *finding_state(const struct finding *f, const struct baseline *b);

#endif
