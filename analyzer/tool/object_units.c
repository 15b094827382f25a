/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads .aglet sections of ELF files (32 and 64 bits, both byte orders) and of archives. Stands on <elf.h>. */
#include "object_units.h"
#include "ir/file.h"
#include <ar.h>
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

struct view {
    const unsigned char *bytes;
    size_t size;
    bool swapped, wide; /* the other byte order; 64 bits */
};

static uint64_t field(const struct view *v, size_t at, size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)v->bytes[at + i] << 8 * (v->swapped ? width - 1 - i : i);
    return value;
}
/* A field of one of the two forms of a structure that starts at `base`; its bounds were checked by the caller. */
#define FIELD(v, base, type, name)                                                                           \
    ((v)->wide ? field((v), (base) + offsetof(Elf64_##type, name), sizeof(((Elf64_##type *)0)->name))        \
               : field((v), (base) + offsetof(Elf32_##type, name), sizeof(((Elf32_##type *)0)->name)))

static bool inside(const struct view *v, uint64_t at, uint64_t length) {
    return at <= v->size && length <= v->size - at;
}

/* The units one after the other in a section; linkers pad between them with zeros. */
static const char *section_units(const unsigned char *bytes, size_t size, const char *member,
                                 object_unit *found, void *context) {
    for (size_t at = 0; at < size;) {
        size_t n = unit_encoded_length(bytes + at, size - at);
        if (n > 0 && n <= size - at) {
            found(context, bytes + at, n, member);
            at += n;
        } else if (bytes[at] == 0) {
            at++;
        } else {
            return "its .aglet section holds something else than units of this version";
        }
    }
    return NULL;
}

static const char *elf_units(const unsigned char *bytes, size_t size, const char *member, object_unit *found,
                             void *context) {
    struct view v = {bytes, size, bytes[EI_DATA] == ELFDATA2MSB, bytes[EI_CLASS] == ELFCLASS64};
    size_t header = v.wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr),
           entry = v.wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    if (size < header)
        return "it is cut off";
    uint64_t table = FIELD(&v, 0, Ehdr, e_shoff), count = FIELD(&v, 0, Ehdr, e_shnum),
             stride = FIELD(&v, 0, Ehdr, e_shentsize);
    uint64_t names = FIELD(&v, 0, Ehdr, e_shstrndx);
    if (table == 0)
        return NULL;
    if (stride < entry || !inside(&v, table, entry))
        return "its section table lies outside of it";
    if (count == 0) /* more than 65,279: the count is in the first entry */
        count = FIELD(&v, table, Shdr, sh_size);
    if (names == SHN_XINDEX)
        names = FIELD(&v, table, Shdr, sh_link);
    if (count > (size - table) / stride || names >= count)
        return "its section table lies outside of it";
    uint64_t strings = FIELD(&v, table + names * stride, Shdr, sh_offset),
             strings_size = FIELD(&v, table + names * stride, Shdr, sh_size);
    if (!inside(&v, strings, strings_size))
        return "its section names lie outside of it";
    const char *trouble = NULL;
    for (uint64_t i = 1; i < count; i++) {
        uint64_t at = table + i * stride, name = FIELD(&v, at, Shdr, sh_name);
        if (name >= strings_size || strings_size - name < sizeof ".aglet" ||
            memcmp(bytes + strings + name, ".aglet", sizeof ".aglet") != 0)
            continue;
        uint64_t from = FIELD(&v, at, Shdr, sh_offset), length = FIELD(&v, at, Shdr, sh_size);
        if (FIELD(&v, at, Shdr, sh_type) == SHT_NOBITS || !inside(&v, from, length))
            return "its .aglet section lies outside of it";
        if (FIELD(&v, at, Shdr, sh_flags) & SHF_COMPRESSED)
            return "its .aglet section is compressed";
        const char *bad = section_units(bytes + from, (size_t)length, member, found, context);
        if (bad)
            trouble = bad;
    }
    return trouble;
}

static bool is_elf(const unsigned char *bytes, size_t size) {
    return size >= EI_NIDENT && memcmp(bytes, ELFMAG, SELFMAG) == 0;
}

/* The member's name without the padding, or from the table of long names ("/123"). */
static void member_name(const struct ar_hdr *h, const char *longs, size_t longs_size, char *out,
                        size_t out_size) {
    size_t n = sizeof h->ar_name;
    const char *from = h->ar_name;
    if (h->ar_name[0] == '/' && h->ar_name[1] >= '0' && h->ar_name[1] <= '9') {
        size_t at = (size_t)strtoul(h->ar_name + 1, NULL, 10);
        if (at < longs_size) {
            from = longs + at;
            n = longs_size - at;
        }
    }
    size_t i = 0;
    while (i < n && i + 1 < out_size && from[i] != '/' && from[i] != '\n' && from[i] != ' ') {
        out[i] = from[i];
        i++;
    }
    out[i] = '\0';
}

static const char *archive_units(const unsigned char *bytes, size_t size, object_unit *found, void *context) {
    const char *trouble = NULL, *longs = NULL;
    size_t longs_size = 0;
    for (size_t at = SARMAG; at < size;) {
        if (size - at < sizeof(struct ar_hdr))
            return "it is cut off";
        const struct ar_hdr *h = (const struct ar_hdr *)(bytes + at);
        if (memcmp(h->ar_fmag, ARFMAG, sizeof h->ar_fmag) != 0)
            return "a member's header is damaged";
        char digits[sizeof h->ar_size + 1];
        memcpy(digits, h->ar_size, sizeof h->ar_size);
        digits[sizeof h->ar_size] = '\0';
        size_t length = (size_t)strtoull(digits, NULL, 10);
        at += sizeof *h;
        if (length > size - at)
            return "it is cut off";
        if (memcmp(h->ar_name, "// ", 3) == 0) {
            longs = (const char *)bytes + at;
            longs_size = length;
        } else if (is_elf(bytes + at, length)) {
            char name[256];
            member_name(h, longs, longs_size, name, sizeof name);
            const char *bad = elf_units(bytes + at, length, name, found, context);
            if (bad)
                trouble = bad;
        }
        at += length + (length & 1);
    }
    return trouble;
}

enum object_kind object_units(const unsigned char *bytes, size_t size, object_unit *found, void *context,
                              const char **broken) {
    const char *trouble = NULL;
    enum object_kind kind = OBJECT_FOREIGN;
    if (is_elf(bytes, size)) {
        kind = OBJECT_ELF;
        trouble = elf_units(bytes, size, "", found, context);
    } else if (size >= SARMAG && memcmp(bytes, ARMAG, SARMAG) == 0) {
        kind = OBJECT_ARCHIVE;
        trouble = archive_units(bytes, size, found, context);
    } else if (unit_encoded_length(bytes, size) > 0) {
        kind = OBJECT_UNIT;
        trouble = section_units(bytes, size, "", found, context);
    }
    if (broken)
        *broken = trouble;
    return kind;
}
