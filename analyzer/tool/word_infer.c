/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet infer: the lock annotations that a code base keeps already, as a patch that writes them down.
 * Stands on proposed.h and edits.h. What is proposed was tried: each program is solved again with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "edits.h"
#include "files.h"
#include "changed.h"
#include "report/paths.h"
#include "proposed.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "base/hash.h"

struct infer {
    struct edits edits;
    struct map64 done;      /* places that another program's proposals were written to already */
    struct map64 exclusive; /* needs that some program has exclusively */
    char *root;             /* files outside it are not ours to edit */
    size_t guards, needs, unplaced, outside, broken;
};

static bool is_ours(struct infer *f, const struct position *at) {
    const bool ours = at->file && path_below(f->root, at->file) != at->file;

    f->outside += !ours;
    return ours;
}

static uint64_t place_key(const struct position *at, const char *text) {
    return hash_add(hash_add(hash_string(at->file ? at->file : ""), (uint64_t)at->line << 32 | at->col),
                    hash_string(text));
}

/* Was it written down for another program, which shares the file? */
static bool is_done(struct infer *f, const struct position *at, const char *text) {
    bool fresh;

    *map64_place(&f->done, place_key(at, text), &fresh) = 1;
    return !fresh;
}

static void exclusive_needs(struct infer *f, const struct tried_program *t) {
    for (size_t k = 0; k < t->found.needs.n; k++) {
        const struct proposed_need *n = &t->found.needs.at[k];
        const struct position at = program_position(n->unit, n->at);
        if (!n->shared)
            map64_put(&f->exclusive, place_key(&at, n->text), 1);
    }
}

static void count(struct infer *f, bool placed, size_t *counter, const struct position *at,
                  const char *name) {
    *counter += placed;
    f->unplaced += !placed;
    if (!placed)
        say_verbose("%s:%u: '%s' stands where no annotation can be put by a patch", at->file, at->line, name);
}

static void edit_guard(struct infer *f, const struct program *p, const struct assumed_guard *g) {
    const struct unit *u;
    const ir_loc loc = item_loc(p, g->item, &u);
    const struct position at = program_position(u, loc);
    char lock[120], *text;

    if (is_done(f, &at, "") || !is_ours(f, &at))
        return;
    item_lock_text(p, g->lock, lock, sizeof lock);
    text = xasprintf(" AGLET_GUARDED_BY(%s)", lock);
    count(f, edits_declarator(&f->edits, &at, text), &f->guards, &at, item_name(p, g->item));
    free(text);
}

static void edit_need(struct infer *f, const struct program *p, const struct proposed_need *n) {
    const struct position at = program_position(n->unit, n->at);
    const bool shared = !map64_find(&f->exclusive, place_key(&at, n->text));
    const char *macro = shared ? "AGLET_REQUIRES_SHARED" : "AGLET_REQUIRES";
    char *text;

    if (is_done(f, &at, n->text) || !is_ours(f, &at))
        return;
    text = n->prototype ? xasprintf(" %s(%s)", macro, n->text) : xasprintf("%s(%s) ", macro, n->text);
    count(f, n->prototype ? edits_prototype(&f->edits, &at, text) : edits_definition(&f->edits, &at, text),
          &f->needs, &at, p->funcs.at[n->func].name);
    free(text);
}

static void say_summary(const struct infer *f) {
    if (!f->guards)
        say("nothing to propose: no member or variable without a guard is written and always touched with "
            "one lock of its struct or file held");
    else
        say("%zu guards and %zu requirements in %zu files; the whole program keeps every one of them",
            f->guards, f->needs, edits_files(&f->edits));
    if (f->broken)
        say("%zu more looked so but are not kept everywhere: aglet lint shows where, once they are annotated",
            f->broken);
    if (f->unplaced)
        say("%zu stand in macros or where no attribute may stand, and are left out (--verbose lists them)",
            f->unplaced);
    if (f->outside)
        say("%zu stand in files outside '%s' and are left out", f->outside, f->root);
}

static int infer_work(struct program_units *programs, size_t n, const struct program_options *options,
                      void *data) {
    struct infer *f = data;
    struct proposed found = {0};
    char err[SAY_MAX] = "";
    int status = EXIT_CLEAN;

    proposed_find(&found, programs, n, options);
    f->broken = found.broken;
    for (size_t i = 0; i < n; i++)
        exclusive_needs(f, &found.programs[i]);
    for (size_t i = 0; i < n; i++) {
        const struct tried_program *t = &found.programs[i];
        for (size_t k = 0; k < t->found.guards.n; k++)
            edit_guard(f, t->solved, &t->found.guards.at[k]);
        for (size_t k = 0; k < t->found.needs.n; k++)
            edit_need(f, t->solved, &t->found.needs.at[k]);
    }
    say_summary(f);
    edits_include(&f->edits, "<aglet/annotations.h>");
    if (!edits_print(&f->edits, f->root, err, sizeof err)) {
        say("%s", err);
        status = EXIT_TROUBLE;
    }
    proposed_free(&found);
    return status;
}

static int infer(int argc, char **argv) {
    struct infer f = {0};
    char *here = path_working();
    const struct solved_word word = {
        .usage = "[FILE...] [-- COMPILER FLAGS]",
        .about =
            "Prints a patch that writes down the lock annotations a program keeps already: which member is "
            "always touched "
            "under which lock of its struct, which variable under which of its file, and what functions of "
            "several files need of their callers.\v"
            "Apply it with `patch -p1` or `git apply` at the top of the repository. Every annotation in it "
            "was tried on "
            "the whole program and draws no finding; from then on a line that breaks one does.",
        .work = infer_work,
        .data = &f};

    f.root = repository_root(here);
    if (!f.root)
        f.root = xstrdup(here);
    const int status = solved_run(&word, argc, argv);
    edits_free(&f.edits);
    map64_free(&f.done);
    map64_free(&f.exclusive);
    free(f.root);
    free(here);
    return status;
}

AGLET_WORD("infer", "[-p BUILD] [--program NAME] [FILE...]",
           "propose the lock annotations that a code base keeps already, as a patch", infer)
