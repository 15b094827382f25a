/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet-clang-N.so: what `clang -fplugin=` loads. Asks the compiler around it for its version and only then loads the plugin proper.
 * Stands on the dynamic loader and on none of Clang's symbols, for a plugin of another Clang would not even load: the loader
 * would name a missing symbol, and nobody would know what to do. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

/* The code of one C++ function, std::string clang::getClangFullVersion(), is called through the ABI that GCC and Clang share: the
 * result's place is a hidden first argument, and a string begins with the pointer to its text. */
struct cxx_string {
    const char *text;
    size_t length;
    char rest[48];
};
typedef struct cxx_string version_function(void);

/* The major version of the Clang that this process is, 0 when it is none. */
static int clang_major(void) {
    version_function *version;
    void *symbol = dlsym(RTLD_DEFAULT, "_ZN5clang19getClangFullVersionB5cxx11Ev");
    if (!symbol)
        symbol = dlsym(RTLD_DEFAULT, "_ZN5clang19getClangFullVersionEv");
    if (!symbol)
        return 0;
    memcpy(&version, &symbol, sizeof version);
    struct cxx_string full = version();
    const char *number = full.text ? strstr(full.text, "version ") : NULL;
    return number ? atoi(number + strlen("version ")) : 0;
}

static void say_and_end(const char *what) {
    fprintf(stderr, "aglet: error: %s\n", what);
    _exit(1);
}

__attribute__((constructor)) static void load_plugin(void) {
    char text[4096];
    int major = clang_major();
    if (major != AGLET_CLANG_MAJOR) {
        if (major)
            snprintf(text, sizeof text,
                     "this plugin is for Clang " TEXT(
                         AGLET_CLANG_MAJOR) " and was loaded by Clang %d; "
                                            "use aglet-clang-%d.so, or `aglet cc`, which chooses by itself",
                     major, major);
        else
            snprintf(text, sizeof text,
                     "this plugin is for Clang " TEXT(AGLET_CLANG_MAJOR) " and was loaded by something else");
        say_and_end(text);
    }
    Dl_info self;
    static char here;
    if (!dladdr(&here, &self) || !self.dli_fname)
        say_and_end("the plugin cannot find its own file");
    const char *slash = strrchr(self.dli_fname, '/');
    int length = slash ? (int)(slash - self.dli_fname) + 1 : 0;
    char path[4096];
    snprintf(path, sizeof path, "%.*saglet-clang-" TEXT(AGLET_CLANG_MAJOR) ".impl.so", length,
             self.dli_fname);
    if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        snprintf(text, sizeof text, "the plugin's other half does not load: %s", dlerror());
        say_and_end(text);
    }
}
