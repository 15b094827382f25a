/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The report as SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format), for code scanning services.
 * Stands on json_out.h. One run; rules with their CERT, MISRA and CWE tags; files relative to the repository
 * under the base id SRCROOT; columns in code points; the story as related locations and as a code flow. */
#include <inttypes.h>
#include <string.h>
#include "json_out.h"
#include "paths.h"
#include "writers.h"

struct sarif {
    struct json_out json;
    const struct report *report;
    const struct report_context *ctx;
    struct sources *sources;
};

static const char *level_of(enum severity s) {
    return s == SEVERITY_ERROR ? "error" : s == SEVERITY_WARNING ? "warning" : "note";
}

/* ---- positions ---- */

/* Percent-encode what RFC 3986 does not allow in a path. */
static void put_uri(struct json_out *j, const char *prefix, const char *path) {
    char text[4096];
    size_t n = 0;
    json_key(j, "uri");
    for (; *prefix && n < sizeof text - 4; prefix++)
        text[n++] = *prefix;
    for (; *path && n < sizeof text - 4; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~/+,@=", c))
            text[n++] = (char)c;
        else
            n += (size_t)snprintf(text + n, 4, "%%%02X", c);
    }
    json_text_n(j, text, n);
}

static void put_artifact(struct sarif *s, const char *file) {
    struct json_out *j = &s->json;
    const char *below = path_below(s->ctx->root, file);
    json_key(j, "artifactLocation");
    json_open(j, '{');
    put_uri(j, *below == '/' ? "file://" : "", below);
    if (*below != '/')
        json_pair(j, "uriBaseId", "SRCROOT");
    json_close(j, '}');
}

/* A byte column as a column of code points. */
static uint32_t code_points(struct sarif *s, const char *file, uint32_t line, uint32_t col) {
    size_t n;
    const char *text = source_line(source_of(s->sources, file), line, &n);
    uint32_t points = 1;
    if (!text)
        return col;
    for (uint32_t i = 0; i + 1 < col; i++)
        points += i >= n || ((unsigned char)text[i] & 0xc0) != 0x80;
    return points;
}

static void put_region(struct sarif *s, const char *key, const struct position *at) {
    struct json_out *j = &s->json;
    json_key(j, key);
    json_open(j, '{');
    json_pair_number(j, "startLine", at->line);
    if (at->col)
        json_pair_number(j, "startColumn", code_points(s, at->file, at->line, at->col));
    if (at->end_line >= at->line && at->end_line) {
        json_pair_number(j, "endLine", at->end_line);
        if (at->end_col && (at->end_line > at->line || at->end_col >= at->col))
            json_pair_number(j, "endColumn", code_points(s, at->file, at->end_line, at->end_col));
    }
    json_close(j, '}');
}

static void put_location(struct sarif *s, const struct position *at, const char *function,
                         const char *message, uint64_t id) {
    struct json_out *j = &s->json;
    json_open(j, '{');
    if (id)
        json_pair_number(j, "id", id);
    if (at->file) {
        json_key(j, "physicalLocation");
        json_open(j, '{');
        put_artifact(s, at->file);
        if (at->line)
            put_region(s, "region", at);
        json_close(j, '}');
    }
    if (function) {
        json_key(j, "logicalLocations");
        json_open(j, '[');
        json_open(j, '{');
        json_pair(j, "name", function);
        json_pair(j, "kind", "function");
        json_close(j, '}');
        json_close(j, ']');
    }
    if (message) {
        json_key(j, "message");
        json_open(j, '{');
        json_pair(j, "text", message);
        json_close(j, '}');
    }
    json_close(j, '}');
}

/* ---- rules ---- */

/* "CWE-667" is also given as code scanning services spell it. */
static void put_tags(struct sarif *s, const char *tags) {
    struct json_out *j = &s->json;
    json_key(j, "tags");
    json_open(j, '[');
    json_text(j, "concurrency");
    for (const char *at = tags ? tags : ""; *at;) {
        size_t n = strcspn(at, " ");
        if (n)
            json_text_n(j, at, n);
        if (n > 4 && n < 30 && !strncmp(at, "CWE-", 4)) {
            char text[60];
            snprintf(text, sizeof text, "external/cwe/cwe-%.*s", (int)n - 4, at + 4);
            json_text(j, text);
        }
        at += n;
        at += strspn(at, " ");
    }
    json_close(j, ']');
}

static void put_rule(struct sarif *s, const struct report_rule *rule) {
    struct json_out *j = &s->json;
    json_open(j, '{');
    json_pair(j, "id", rule->id);
    if (rule->summary) {
        json_key(j, "shortDescription");
        json_open(j, '{');
        json_pair(j, "text", rule->summary);
        json_close(j, '}');
    }
    if (rule->page) {
        json_key(j, "help");
        json_open(j, '{');
        json_pair(j, "text", rule->page);
        json_pair(j, "markdown", rule->page);
        json_close(j, '}');
    }
    json_key(j, "properties");
    json_open(j, '{');
    put_tags(s, rule->tags);
    json_close(j, '}');
    json_close(j, '}');
}

static size_t rule_index(const struct report_context *ctx, const char *id) {
    size_t i = 0;
    while (i < ctx->n_rules && strcmp(ctx->rules[i].id, id) != 0)
        i++;
    return i;
}

/* ---- results ---- */

static void put_story(struct sarif *s, const struct finding *f) {
    struct json_out *j = &s->json;
    if (!f->n_notes)
        return;
    json_key(j, "relatedLocations");
    json_open(j, '[');
    for (size_t i = 0; i < f->n_notes; i++)
        put_location(s, &f->notes[i].at, NULL, f->notes[i].text, i + 1);
    json_close(j, ']');
    json_key(j, "codeFlows");
    json_open(j, '[');
    json_open(j, '{');
    json_key(j, "threadFlows");
    json_open(j, '[');
    json_open(j, '{');
    json_key(j, "locations");
    json_open(j, '[');
    for (size_t i = 0; i <= f->n_notes; i++) {
        json_open(j, '{');
        json_key(j, "location");
        if (i < f->n_notes)
            put_location(s, &f->notes[i].at, NULL, f->notes[i].text, 0);
        else
            put_location(s, &f->at, NULL, f->message, 0);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, ']');
}

static void put_fixes(struct sarif *s, const struct finding *f) {
    struct json_out *j = &s->json;
    bool any = false;
    for (size_t i = 0; i < f->n_fixits; i++) {
        const struct fixit *x = &f->fixits[i];
        if (!x->at.file || !x->at.line)
            continue;
        if (!any) {
            json_key(j, "fixes");
            json_open(j, '[');
            json_open(j, '{');
            json_key(j, "artifactChanges");
            json_open(j, '[');
            any = true;
        }
        struct position range = x->at;
        if (!range.end_line) {
            range.end_line = range.line;
            range.end_col = range.col;
        }
        json_open(j, '{');
        put_artifact(s, x->at.file);
        json_key(j, "replacements");
        json_open(j, '[');
        json_open(j, '{');
        put_region(s, "deletedRegion", &range);
        json_key(j, "insertedContent");
        json_open(j, '{');
        json_pair(j, "text", x->text);
        json_close(j, '}');
        json_close(j, '}');
        json_close(j, ']');
        json_close(j, '}');
    }
    if (any) {
        json_close(j, ']');
        json_close(j, '}');
        json_close(j, ']');
    }
}

static void put_result(struct sarif *s, const struct finding *f) {
    struct json_out *j = &s->json;
    char fingerprint[20];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, f->fingerprint);
    json_open(j, '{');
    json_pair(j, "ruleId", f->rule);
    size_t index = rule_index(s->ctx, f->rule);
    if (index < s->ctx->n_rules)
        json_pair_number(j, "ruleIndex", index);
    json_pair(j, "level", level_of(f->severity));
    json_key(j, "message");
    json_open(j, '{');
    json_pair(j, "text", f->message);
    json_close(j, '}');
    json_key(j, "locations");
    json_open(j, '[');
    if (f->at.file)
        put_location(s, &f->at, f->function, NULL, 0);
    json_close(j, ']');
    put_story(s, f);
    put_fixes(s, f);
    json_key(j, "partialFingerprints");
    json_open(j, '{');
    json_pair(j, "aglet/v1", fingerprint);
    json_close(j, '}');
    if (s->ctx->baseline)
        json_pair(j, "baselineState", baseline_has(s->ctx->baseline, f) ? "unchanged" : "new");
    if (f->suppressed) {
        json_key(j, "suppressions");
        json_open(j, '[');
        json_open(j, '{');
        json_pair(j, "kind", "inSource");
        json_pair(j, "justification", f->suppressed);
        json_close(j, '}');
        json_close(j, ']');
    }
    json_key(j, "properties");
    json_open(j, '{');
    json_pair(j, "severity", severity_name(f->severity));
    json_pair_number(j, "level", f->level);
    json_pair(j, "subject", f->subject);
    json_close(j, '}');
    json_close(j, '}');
}

void write_sarif(const struct report *r, const struct report_context *ctx, struct sources *sources,
                 FILE *out) {
    struct sarif s = {{.out = out}, r, ctx, sources};
    struct json_out *j = &s.json;
    json_open(j, '{');
    json_pair(j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_pair(j, "version", "2.1.0");
    json_key(j, "runs");
    json_open(j, '[');
    json_open(j, '{');
    json_key(j, "tool");
    json_open(j, '{');
    json_key(j, "driver");
    json_open(j, '{');
    json_pair(j, "name", "aglet");
    json_pair(j, "semanticVersion", ctx->version ? ctx->version : "0.0.0");
    json_key(j, "rules");
    json_open(j, '[');
    for (size_t i = 0; i < ctx->n_rules; i++)
        put_rule(&s, &ctx->rules[i]);
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, '}');
    json_pair(j, "columnKind", "unicodeCodePoints");
    json_key(j, "originalUriBaseIds");
    json_open(j, '{');
    json_key(j, "SRCROOT");
    json_open(j, '{');
    json_key(j, "description");
    json_open(j, '{');
    json_pair(j, "text", "the root of the source repository");
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
    json_key(j, "results");
    json_open(j, '[');
    for (size_t i = 0; i < report_count(r); i++)
        put_result(&s, report_at(r, i));
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
    fputc('\n', out);
}
