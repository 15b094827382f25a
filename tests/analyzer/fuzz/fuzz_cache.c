/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libFuzzer on what the command reads from its cache and from objects: no bytes may crash it. The first byte chooses the
 * reader. Sums are made right first, or nothing would ever get past them. Stands on tool/manifest.h, report_file.h, object_units.h.
 * Sources tool/manifest.c tool/deps.c tool/file_facts.c tool/files.c tool/report_file.c tool/object_units.c report/finding.c report/source.c */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/hash.h"
#include "ir/file.h"
#include "tool/manifest.h"
#include "tool/object_units.h"
#include "tool/report_file.h"

static void see(void *context, const unsigned char *bytes, size_t size, const char *member)
{
    (void)member;
    char err[200];
    struct unit *u = unit_decode(bytes, size, err, sizeof err);
    *(size_t *)context += u != NULL;
    unit_free(u);
}

static void read_manifest(const char *text, size_t size)
{
    static const char magic[] = "aglet-manifest 1\n";
    char *whole = xmalloc(sizeof magic + size + 32);
    size_t n = sizeof magic - 1;
    memcpy(whole, magic, n);
    memcpy(whole + n, text, size);
    n += size;
    n += (size_t)sprintf(whole + n, "sum %016llx\n", (unsigned long long)hash_bytes(whole, n));
    struct manifest m;
    if (manifest_parse(whole, n, &m)) {
        size_t again;
        free(manifest_print(&m, &again));
        manifest_free(&m);
    }
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    struct deps deps;
    struct report *r;
    size_t seen = 0;
    size--;
    switch (data[0] % 4) {
    case 0: read_manifest(text, size); break;
    case 1:
        if (deps_parse(text, size, &deps))
            deps_free(&deps);
        break;
    case 2:
        r = report_new();
        if (report_decode(text, size, r)) {
            size_t again;
            free(report_encode(r, &again));
        }
        report_free(r);
        break;
    default: object_units(data + 1, size, see, &seen, NULL); break;
    }
    return 0;
}
