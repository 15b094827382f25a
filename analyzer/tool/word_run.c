/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet run PROGRAM …: starts an unmodified pthread program under the checked runtime, and one that is linked with Aglet's
 * own with the checked form of it. Stands on the preload library and the loader's search path. Everything after the program's name is the program's; options of ours come before it and are added to AGLET_OPTIONS. */
#include "files.h"
#include "layout.h"
#include "preload.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(FILE *out) {
    fputs("Usage: aglet run [--options LIST] [--] PROGRAM [arguments]\n\n"
          "Runs an unmodified pthread program under Aglet's checked runtime (by LD_PRELOAD). One that is "
          "linked\n"
          "with libaglet gets the checked libaglet, too (by LD_LIBRARY_PATH).\n"
          "  --options LIST   added to AGLET_OPTIONS, as in exitcode=0:log_path=found.txt;\n"
          "                   --options help=1 makes the program list them\n"
          "The exit status is the program's, or 66 when something was reported.\n",
          out);
    return out == stdout ? EXIT_CLEAN : EXIT_TROUBLE;
}

/* Put two lists between colons into the environment. */
static void set_list(const char *name, const char *first, const char *second) {
    bool both = first && *first && second && *second;
    char *now = xasprintf("%s%s%s", first ? first : "", both ? ":" : "", second ? second : "");
    setenv(name, now, 1);
    free(now);
}

static int run(int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return usage(stdout);
        const char *list = NULL;
        if (strncmp(argv[i], "--options=", 10) == 0)
            list = argv[i] + 10;
        else if (strcmp(argv[i], "--options") == 0 && i + 1 < argc)
            list = argv[++i];
        if (!list) {
            say("aglet run does not know '%s'; options come before the program, see aglet run --help",
                argv[i]);
            return EXIT_TROUBLE;
        }
        set_list("AGLET_OPTIONS", getenv("AGLET_OPTIONS"), list); /* the later word wins */
    }
    if (i >= argc)
        return usage(stderr);
    char *library = layout_find("libaglet_preload.so");
    if (!library) {
        say("the checked runtime (libaglet_preload.so) does not lie beside the command; build Aglet with "
            "AGLET_RUNTIME, or set AGLET_HOME");
        return EXIT_TROUBLE;
    }
    char *first;
    const char *why_not = preload_refused(argv[i], &first);
    if (why_not) {
        say("cannot check '%s': %s", argv[i], why_not);
        return EXIT_TROUBLE;
    }
    char *checked = layout_find("checked/libaglet.so.1");
    if (checked) {
        char *folder = path_directory(checked);
        set_list("LD_LIBRARY_PATH", folder, getenv("LD_LIBRARY_PATH"));
        free(folder);
    }
    free(checked);
    set_list("LD_PRELOAD", library, getenv("LD_PRELOAD"));
    if (first)
        set_list("LD_PRELOAD", first, getenv("LD_PRELOAD"));
    free(first);
    free(library);
    execvp(argv[i], argv + i);
    int why = errno;
    say("cannot run '%s': %s", argv[i], strerror(why));
    return why == ENOENT ? 127 : 126;
}

AGLET_WORD("run", "PROGRAM [arguments]", "run a pthread program under the checked runtime", run)
