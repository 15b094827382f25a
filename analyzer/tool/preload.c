/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Whether a program takes preloaded libraries, by what its ELF file says of itself. Stands on <elf.h>. */
#include "preload.h"
#include "base/alloc.h"
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const unsigned char *bytes;
    size_t size;
};

/* Copy a structure out of the file; false when it does not lie in it. */
static bool get(const struct image *m, uint64_t at, void *out, size_t size) {
    if (at > m->size || size > m->size - at)
        return false;
    memcpy(out, m->bytes + at, size);
    return true;
}

static bool header_at(const struct image *m, const ElfW(Ehdr) * file, unsigned i, ElfW(Phdr) * out) {
    return i < file->e_phnum && get(m, file->e_phoff + (uint64_t)i * file->e_phentsize, out, sizeof *out);
}

/* The place in the file of what the program will see at an address; 0 for none. */
static uint64_t place_of(const struct image *m, const ElfW(Ehdr) * file, uint64_t address) {
    ElfW(Phdr) p;
    for (unsigned i = 0; header_at(m, file, i, &p); i++)
        if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
            return p.p_offset + (address - p.p_vaddr);
    return 0;
}

/* gcc links its sanitizers as libraries, which end a program in which they are not the first. */
static char *sanitizer_needed(const struct image *m, const ElfW(Ehdr) * file, const ElfW(Phdr) * dynamic) {
    static const char *const sanitizers[] = {"libasan.so",   "libtsan.so",       "liblsan.so",
                                             "libhwasan.so", "libclang_rt.asan", "libclang_rt.tsan"};
    ElfW(Dyn) d;
    uint64_t strings = 0;
    for (uint64_t at = dynamic->p_offset; get(m, at, &d, sizeof d) && d.d_tag != DT_NULL; at += sizeof d)
        if (d.d_tag == DT_STRTAB)
            strings = place_of(m, file, d.d_un.d_ptr);
    for (uint64_t at = dynamic->p_offset; strings != 0 && get(m, at, &d, sizeof d) && d.d_tag != DT_NULL;
         at += sizeof d) {
        uint64_t name = strings + d.d_un.d_val;
        if (d.d_tag != DT_NEEDED || name >= m->size || memchr(m->bytes + name, '\0', m->size - name) == NULL)
            continue;
        for (size_t i = 0; i < sizeof sanitizers / sizeof *sanitizers; i++)
            if (strncmp((const char *)m->bytes + name, sanitizers[i], strlen(sanitizers[i])) == 0)
                return xasprintf("%s", (const char *)m->bytes + name);
    }
    return NULL;
}

static const char *refused(const struct image *m, const struct stat *facts, char **first) {
    ElfW(Ehdr) file;
    ElfW(Phdr) p;
    if (!get(m, 0, &file, sizeof file) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0)
        return NULL;
    if (file.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return "it is for another word size than Aglet's checked runtime";
    if ((facts->st_mode & S_ISUID && facts->st_uid != getuid()) ||
        (facts->st_mode & S_ISGID && facts->st_gid != getgid()))
        return "it runs with another user's rights, and the system preloads nothing into such programs";
    bool interpreted = false;
    for (unsigned i = 0; header_at(m, &file, i, &p); i++) {
        interpreted |= p.p_type == PT_INTERP;
        if (p.p_type == PT_DYNAMIC && *first == NULL)
            *first = sanitizer_needed(m, &file, &p);
    }
    return interpreted ? NULL
                       : "it is linked statically, so nothing can be preloaded; link it without -static";
}

/* Where execvp finds the program, malloc'd; NULL when it does not. */
static char *found_in_path(const char *program) {
    if (strchr(program, '/') != NULL)
        return xasprintf("%s", program);
    const char *path = getenv("PATH");
    for (const char *at = path != NULL ? path : "/bin:/usr/bin"; *at != '\0';) {
        size_t n = strcspn(at, ":");
        char *candidate = xasprintf("%.*s%s%s", (int)n, at, n != 0 ? "/" : "", program);
        if (access(candidate, X_OK) == 0)
            return candidate;
        free(candidate);
        at += n + (at[n] == ':');
    }
    return NULL;
}

const char *preload_refused(const char *program, char **first) {
    *first = NULL;
    char *path = found_in_path(program);
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    free(path);
    struct stat facts;
    const char *why = NULL;
    if (fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0) {
        struct image m = {mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0),
                          (size_t)facts.st_size};
        if (m.bytes != MAP_FAILED) {
            why = refused(&m, &facts, first);
            munmap((void *)(uintptr_t)m.bytes, m.size);
        }
    }
    if (fd >= 0)
        close(fd);
    return why;
}
