/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Size bound of the cache directory. Stands on POSIX directories; another run may remove the same files meanwhile. */
#include "evict.h"
#include "files.h"
#include "say.h"
#include "base/alloc.h"
#include "base/vec.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct kept {
    char *path;
    uint64_t size;
    time_t used;
};
typedef VEC(struct kept) kept_list;

void evict_touch(const char *path) {
    struct stat st;
    if (stat(path, &st) == 0 && time(NULL) - st.st_mtime > 3600)
        utimensat(AT_FDCWD, path, NULL, 0);
}

static uint64_t bound(void) {
    const char *text = getenv("AGLET_CACHE_SIZE");
    char *end;
    uint64_t n = text && isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    if (text && *text && !n)
        say("AGLET_CACHE_SIZE is '%s', which is no size such as 500M or 4G; 2G is taken", text);
    if (!n)
        return UINT64_C(2) << 30;
    switch (toupper((unsigned char)*end)) {
    case 'K': return n << 10;
    case 'M': return n << 20;
    case 'G': return n << 30;
    default: return n;
    }
}

/* Add the files below `path` to the list; returns their size. */
static uint64_t walk(const char *path, kept_list *list) {
    uint64_t sum = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        char *full = path_join(path, e->d_name);
        if (S_ISDIR(st.st_mode)) {
            sum += walk(full, list);
            free(full);
        } else {
            vec_push(list, ((struct kept){full, (uint64_t)st.st_size, st.st_mtime}));
            sum += (uint64_t)st.st_size;
        }
    }
    if (dir)
        closedir(dir);
    return sum;
}

static int older_first(const void *a, const void *b) {
    const struct kept *x = a, *y = b;
    return x->used != y->used ? (x->used < y->used ? -1 : 1) : strcmp(x->path, y->path);
}

static void clear_left_over(const char *directory) {
    char *path = path_join(directory, "tmp");
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct stat st;
        if (strncmp(e->d_name, "run-", 4) == 0 && fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
            time(NULL) - st.st_mtime > 86400) {
            char *run = path_join(path, e->d_name);
            directory_remove(run);
            free(run);
        }
    }
    if (dir)
        closedir(dir);
    free(path);
}

/* Returns what is left. */
static uint64_t evict(const char *directory, uint64_t most) {
    static const char *const kinds[] = {"m", "u", "r", "s"};
    kept_list list = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *path = path_join(directory, kinds[i]);
        sum += walk(path, &list);
        free(path);
    }
    size_t removed = 0;
    if (sum > most) {
        qsort(list.at, list.n, sizeof *list.at, older_first);
        for (size_t i = 0; i < list.n && sum > most / 5 * 4; i++)
            if (unlink(list.at[i].path) == 0) {
                sum -= list.at[i].size;
                removed++;
            }
        say_verbose("the cache was over its bound; %zu files that were not used for long are gone", removed);
    }
    for (size_t i = 0; i < list.n; i++)
        free(list.at[i].path);
    vec_free(&list);
    clear_left_over(directory);
    return sum;
}

enum { MOST_RUNS = 1000 }; /* between one walk and the next */

/* The file of sizes: what was there when the directory was walked, then what each run stored since, 64 bits each. Runs that end
 * together append one after the other. A file replaced by its like counts twice, until the next walk.
 * Returns false when that is unknown or outdated. */
static bool add_up(int fd, uint64_t stored, uint64_t *sum) {
    uint64_t sizes[MOST_RUNS];
    if (write(fd, &stored, sizeof stored) != (ssize_t)sizeof stored)
        return false;
    const ssize_t got = pread(fd, sizes, sizeof sizes, 0);
    *sum = 0;
    for (ssize_t i = 0; i < got / (ssize_t)sizeof *sizes; i++)
        if (__builtin_add_overflow(*sum, sizes[i], sum))
            return false;
    return got > (ssize_t)sizeof stored && got < (ssize_t)sizeof sizes && got % (ssize_t)sizeof *sizes == 0;
}

void evict_after(const char *directory, uint64_t stored) {
    char *path = path_join(directory, "sizes");
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const uint64_t most = bound();
    uint64_t sum = 0;
    if (fd < 0 || !add_up(fd, stored, &sum) || sum > most) {
        sum = evict(directory, most);
        file_write(path, &sum, sizeof sum);
    }
    if (fd >= 0)
        close(fd);
    free(path);
}
