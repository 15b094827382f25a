/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What solving one function came to, kept from one run to the next under all that it was solved from.
 * Stands on linked.h and base/bytes.h.
 *
 * Solving a function is taken for a pure step: its graph, what is known of its callees and callers, and of the program as a whole,
 * go in; its summary, and what is noted of it for the rules, come out. The key of an entry is a hash of what goes in, so an entry is
 * never out of date: what changed has another key, and an entry that nobody asks for is left out when the entries are written again.
 * Everything else (linking, the call graph, the order of solving, its rounds, judging, the rules) is done anew in each run, so that
 * the findings are those of a run without any entries. `AGLET_CHECK_MEMO=1` solves each function all the same and compares: for tests.
 *
 * Entries speak of the functions, members and globals of a program by their names (symbol), since numbers are others in a program with
 * one more of them; and of places in another function's unit by their distance from that function's own, which an edit above it leaves
 * as it is. The numbers of the function's own unit stay: its entry is asked for only while its unit is the same. */
#ifndef AGLET_PROGRAM_MEMO_H
#define AGLET_PROGRAM_MEMO_H

#include "../base/bytes.h"
#include "linked.h"

struct memo;

enum memo_part { MEMO_BASE, MEMO_NEWER };

struct memo *memo_new(void);
void memo_free(struct memo *m); /* NULL is fine */
/* Entries that memo_write gave. The bytes must outlive m. False: they are no entries; m is as before. */
bool memo_read(struct memo *m, enum memo_part part, const void *bytes, size_t size);
/* Those that were found or put since; of MEMO_NEWER, what was not read as MEMO_BASE. malloc'd. */
void *memo_write(const struct memo *m, enum memo_part part, size_t *size);
/* Is what was found and put another than what was read, so that writing is worth while? Of all that is kept most stays the same from one
 * edit to the next: it is written as the base once, and what is newer beside it, until that has grown. */
enum memo_change { MEMO_SAME, MEMO_GREW, MEMO_CHANGED };
enum memo_change memo_changed(const struct memo *m);
/* How many were asked for, and how many of these were there. */
void memo_counts(const struct memo *m, size_t *asked, size_t *found);

/* AGLET_CHECK_MEMO=1: entries are only compared with. */
bool memo_is_checked(void);

/* in: the entry of that key. Valid as long as m. */
bool memo_find(struct memo *m, uint64_t key, struct bytes_in *in);
/* The same of what is no step, and not counted as one. */
bool memo_find_fact(struct memo *m, uint64_t key, struct bytes_in *in);
/* … of which this would be put now: ends the process with a message if they differ. what: "solving the locks of". */
void memo_compare(struct bytes_in known, const struct bytes_out *now, const char *what, const char *of);
/* The bytes are copied; or left out, where there are too many already. */
void memo_put(struct memo *m, uint64_t key, const struct bytes_out *out);

/* ---- what entries are made of ---- */
/* The names of all functions, members and globals; after linking, where there is a memo. */
void symbols_find(struct program *p);
void symbols_free(struct program *p);
/* Of functions, and of members and globals as items (linked.h): 64 bits that are the same in every run; 0 is none. Where there is no memo:
 * the number. */
static inline uint64_t symbol_of_func(const struct program *p, uint32_t func) {
    return p->symbols.of_func ? p->symbols.of_func[func] : func;
}
uint64_t symbol_of_item(const struct program *p, uint32_t item);
/* False: there is none of that name now. */
bool func_of_symbol(const struct program *p, uint64_t symbol, uint32_t *func);
bool item_of_symbol(const struct program *p, uint64_t symbol, uint32_t *item);

/* As bytes; reading sets in->bad where there is none now. */
void put_func(struct bytes_out *out, const struct program *p, uint32_t func);
uint32_t get_func(struct bytes_in *in, const struct program *p);
void put_item(struct bytes_out *out, const struct program *p, uint32_t item);
uint32_t get_item(struct bytes_in *in, const struct program *p);
/* A place in the unit of `func`: its distance from that function, and back. */
int64_t memo_place(const struct program *p, uint32_t func, ir_loc loc);
ir_loc memo_loc(const struct program *p, uint32_t func, int64_t place);

/* Of the program as a whole, as far as no function's own key tells: what is guarded, locks, models' words, and the facts of all
 * functions together. After the effects. */
uint64_t memo_environment(const struct program *p);

#endif
