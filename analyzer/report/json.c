/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The report as JSON: an object with the tool's version and every finding, whatever its state.
 * Stands on json_out.h; docs/outputs.md lists the members. */
#include <inttypes.h>
#include "json_out.h"
#include "paths.h"
#include "writers.h"

static void put_position(struct json_out *j, const struct position *at, const struct report_context *ctx) {
    if (!at->file)
        return;
    json_pair(j, "file", path_below(ctx->root, at->file));
    json_pair_number(j, "line", at->line);
    json_pair_number(j, "column", at->col);
    if (at->end_line) {
        json_pair_number(j, "end_line", at->end_line);
        json_pair_number(j, "end_column", at->end_col);
    }
    if (at->macro && *at->macro)
        json_pair(j, "macro", at->macro);
}

static void put_finding(struct json_out *j, const struct finding *f, const struct report_context *ctx) {
    char fingerprint[20];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, f->fingerprint);
    json_open(j, '{');
    json_pair(j, "rule", f->rule);
    json_pair(j, "severity", severity_name(f->severity));
    json_pair_number(j, "level", f->level);
    json_pair(j, "message", f->message);
    put_position(j, &f->at, ctx);
    json_pair(j, "function", f->function);
    json_pair(j, "subject", f->subject);
    json_pair(j, "fingerprint", fingerprint);
    json_pair(j, "state", finding_state(f, ctx->baseline));
    json_pair(j, "reason", f->suppressed);
    json_key(j, "notes");
    json_open(j, '[');
    for (size_t i = 0; i < f->n_notes; i++) {
        json_open(j, '{');
        json_pair(j, "message", f->notes[i].text);
        put_position(j, &f->notes[i].at, ctx);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_key(j, "fixes");
    json_open(j, '[');
    for (size_t i = 0; i < f->n_fixits; i++) {
        json_open(j, '{');
        put_position(j, &f->fixits[i].at, ctx);
        json_pair(j, "text", f->fixits[i].text);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

void write_json(const struct report *r, const struct report_context *ctx, struct sources *sources,
                FILE *out) {
    struct json_out j = {.out = out};
    (void)sources;
    json_open(&j, '{');
    json_pair(&j, "tool", "aglet");
    json_pair(&j, "version", ctx->version ? ctx->version : "0");
    json_pair_number(&j, "format", 1);
    json_key(&j, "findings");
    json_open(&j, '[');
    for (size_t i = 0; i < report_count(r); i++)
        put_finding(&j, report_at(r, i), ctx);
    json_close(&j, ']');
    json_close(&j, '}');
    fputc('\n', out);
}
