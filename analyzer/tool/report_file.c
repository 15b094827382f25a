/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Findings as bytes: 32-bit numbers and counted strings, in the order of struct finding. Stands on report/finding.h. */
#include "report_file.h"
#include "base/vec.h"
#include <string.h>

static const char magic[] = "aglet-findings 4";

typedef VEC(char) bytes_list;

static void put_number(bytes_list *out, uint32_t n) {
    vec_append(out, (const char *)&n, sizeof n);
}

/* A string and its NUL, counted; NULL is 0. */
static void put_string(bytes_list *out, const char *s) {
    uint32_t n = s ? (uint32_t)strlen(s) + 1 : 0;
    put_number(out, n);
    if (n)
        vec_append(out, s, n);
}

static void put_position(bytes_list *out, const struct position *p) {
    put_string(out, p->file);
    put_number(out, p->line);
    put_number(out, p->col);
    put_number(out, p->end_line);
    put_number(out, p->end_col);
    put_string(out, p->macro);
}

char *report_encode(const struct report *r, size_t *size) {
    bytes_list out = {0};
    put_string(&out, magic);
    put_number(&out, (uint32_t)report_count(r));
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *f = report_at(r, i);
        put_string(&out, f->rule);
        put_number(&out, (uint32_t)f->severity);
        put_number(&out, f->level);
        put_position(&out, &f->at);
        put_string(&out, f->message);
        put_string(&out, f->function);
        put_string(&out, f->subject);
        put_string(&out, f->suppressed);
        put_number(&out, (uint32_t)f->fingerprint);
        put_number(&out, (uint32_t)(f->fingerprint >> 32));
        put_number(&out, (uint32_t)f->n_notes);
        for (size_t n = 0; n < f->n_notes; n++) {
            put_position(&out, &f->notes[n].at);
            put_string(&out, f->notes[n].text);
        }
        put_number(&out, (uint32_t)f->n_fixits);
        for (size_t n = 0; n < f->n_fixits; n++) {
            put_position(&out, &f->fixits[n].at);
            put_string(&out, f->fixits[n].text);
        }
    }
    for (size_t i = 0; report_left_out_at(r, i); i++)
        put_string(&out, report_left_out_at(r, i));
    *size = out.n;
    return out.at;
}

struct reader {
    const char *at, *end;
    bool good;
};

static uint32_t get_number(struct reader *in) {
    uint32_t n = 0;
    if (in->end - in->at < (ptrdiff_t)sizeof n) {
        in->good = false;
        in->at = in->end;
        return 0;
    }
    memcpy(&n, in->at, sizeof n);
    in->at += sizeof n;
    return n;
}

static const char *get_string(struct reader *in) {
    uint32_t n = get_number(in);
    if (n == 0)
        return NULL;
    if ((size_t)(in->end - in->at) < n || in->at[n - 1] != '\0') {
        in->good = false;
        in->at = in->end;
        return NULL;
    }
    const char *s = in->at;
    in->at += n;
    return s;
}

static struct position get_position(struct reader *in) {
    struct position p = {0};
    p.file = get_string(in);
    p.line = get_number(in);
    p.col = get_number(in);
    p.end_line = get_number(in);
    p.end_col = get_number(in);
    p.macro = get_string(in);
    return p;
}

static const char *or_empty(const char *s) {
    return s ? s : "";
}

bool report_decode(const char *bytes, size_t size, struct report *out) {
    struct reader in = {bytes, bytes + size, true};
    const char *head = get_string(&in);
    if (!head || strcmp(head, magic) != 0)
        return false;
    uint32_t n = get_number(&in);
    for (uint32_t i = 0; i < n && in.good; i++) {
        const char *rule = get_string(&in);
        uint32_t severity = get_number(&in), level = get_number(&in);
        struct position at = get_position(&in);
        const char *message = get_string(&in), *function = get_string(&in), *subject = get_string(&in),
                   *suppressed = get_string(&in);
        uint64_t fingerprint = get_number(&in);
        fingerprint |= (uint64_t)get_number(&in) << 32;
        if (!in.good || severity > SEVERITY_ERROR || !rule || !message)
            return false;
        report_begin(out, rule, (enum severity)severity, &at, "%s", message);
        report_level(out, level);
        if (function || subject)
            report_subject(out, function, "%s", or_empty(subject));
        if (suppressed)
            report_suppressed(out, suppressed);
        report_fingerprint(out, fingerprint);
        uint32_t notes = get_number(&in);
        for (uint32_t k = 0; k < notes && in.good; k++) {
            struct position where = get_position(&in);
            report_note(out, &where, "%s", or_empty(get_string(&in)));
        }
        uint32_t fixits = get_number(&in);
        for (uint32_t k = 0; k < fixits && in.good; k++) {
            struct position where = get_position(&in);
            report_fixit(out, &where, or_empty(get_string(&in)));
        }
    }
    while (in.good && in.at != in.end) {
        const char *left_out = get_string(&in);
        if (left_out)
            report_left_out(out, "%s", left_out);
        else
            in.good = false;
    }
    return in.good;
}

void report_copy(struct report *out, const struct finding *f) {
    report_begin(out, f->rule, f->severity, &f->at, "%s", f->message);
    report_level(out, f->level);
    if (f->function || f->subject)
        report_subject(out, f->function, "%s", or_empty(f->subject));
    if (f->suppressed)
        report_suppressed(out, f->suppressed);
    report_fingerprint(out, f->fingerprint);
    for (size_t i = 0; i < f->n_notes; i++)
        report_note(out, &f->notes[i].at, "%s", f->notes[i].text);
    for (size_t i = 0; i < f->n_fixits; i++)
        report_fixit(out, &f->fixits[i].at, f->fixits[i].text);
}
