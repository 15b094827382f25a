/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is kept from one run to the next: the unit of each command, and what a whole run found.
 * Stands on manifest.h and files.h. Two levels, as in ccache:
 *
 *     command key ──manifest──▶ [files read, probes that failed] ──▶ unit id ──▶ unit bytes
 *     unit ids + level, rules, models, configuration ──▶ findings
 *
 * So an unchanged file is never parsed again, and an unchanged program not even solved again.
 *
 * Layout of the directory: m/xx/… manifests, u/xx/… units, r/xx/… findings, s/xx/… solved functions, tmp/, sizes (evict.c); each file is written whole by
 * rename and carries a hash of its own, so a run may be killed, and several may share the directory. A file that is not ours, or cut off, counts as absent
 * (said under --verbose) and is written anew. What a run stores beyond the bound pushes out what was used longest ago. */
#ifndef AGLET_TOOL_CACHE_H
#define AGLET_TOOL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "deps.h"
#include "file_facts.h"
#include "files.h"
#include "manifest.h"
#include "string_list.h"
#include "ir/unit.h"

struct cache;

/* A hash of 128 bits over what is fed to it, each piece kept apart from the next. */
struct cache_hash;
struct cache_hash *cache_hash_new(const char *purpose);
void cache_hash_bytes(struct cache_hash *h, const void *bytes, size_t size);
void cache_hash_string(struct cache_hash *h, const char *s); /* NULL is kept apart from "" */
void cache_hash_number(struct cache_hash *h, uint64_t n);
void cache_hash_id(struct cache_hash *h, struct cache_id id);
struct cache_id cache_hash_end(struct cache_hash *h); /* frees h */

/* Open the cache in `directory`; NULL: $AGLET_CACHE_DIR, $XDG_CACHE_HOME/aglet or ~/.cache/aglet. `facts` outlives it.
 * Returns NULL with a sentence in err when nothing can be read or kept there; a directory that may only be read is opened, and
 * the sentence says that nothing will be kept (err is "" when all is well). */
struct cache *cache_open(const char *directory, struct file_facts *facts, char *err, size_t err_size);
/* Bring the size under its bound (evict.h) when something was stored; free. NULL is fine. */
void cache_close(struct cache *c);

/* The unit that this command gave when all its files were as they are now. False: it has to be made. */
bool cache_find_unit(struct cache *c, struct cache_id command, struct cache_id *unit);
/* Or NULL, said under --verbose, when it is absent or no unit. */
struct unit *cache_load_unit(struct cache *c, struct cache_id unit);
/* Keep a unit and what it depends on. Takes the contents of deps. `file` holds the same bytes and is moved into the cache, if it lies in
 * cache_temporary; or NULL. The id is set even when nothing can be stored (c may be NULL). */
void cache_store_unit(struct cache *c, struct cache_id command, struct deps *deps, const void *bytes,
                      size_t size, const char *file, struct cache_id *unit);

/* What a run found, as bytes of report_file.h. */
bool cache_load_findings(struct cache *c, struct cache_id key, struct file_view *out);
void cache_store_findings(struct cache *c, struct cache_id key, const void *bytes, size_t size);

/* What solving a program's functions came to, as bytes of program/memo.h: the last of that key. */
bool cache_load_solved(struct cache *c, struct cache_id key, struct file_view *out);
void cache_store_solved(struct cache *c, struct cache_id key, const void *bytes, size_t size);

/* From now on nothing is written to it, which is said with the reason, of so many characters. */
void cache_give_up(struct cache *c, const char *why, int length);
bool cache_is_writable(const struct cache *c); /* c may be NULL */

/* A directory for files of this run, on the same file system as the cache where that can be written to; removed by cache_close.
 * Otherwise, or with c NULL, it is made in $TMPDIR. malloc'd path, or NULL with errno set. */
char *cache_temporary(struct cache *c);

#endif
