/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The table of gcc's own options. Stands on the manuals of gcc 12 and Clang 14 to 22. */
#include "gcc_only.h"
#include "string_list.h"
#include <string.h>

bool is_gcc_only(const char *arg) {
    /* Both -fNAME and -fno-NAME; what ends in '*' is a prefix. */
    static const char *const features[] = {
        "analyzer",
        "conserve-stack",
        "allow-store-data-races",
        "var-tracking*",
        "ipa-*",
        "tree-*",
        "gcse*",
        "ivopts",
        "modulo-sched*",
        "sched-*",
        "schedule-insns*",
        "selective-scheduling*",
        "rerun-cse-after-loop",
        "cse-*",
        "thread-jumps",
        "crossjumping",
        "if-conversion*",
        "isolate-erroneous-paths*",
        "loop-*",
        "graphite*",
        "partial-inlining",
        "devirtualize*",
        "early-inlining",
        "inline-small-functions",
        "inline-functions-called-once",
        "peephole*",
        "prefetch-loop-arrays",
        "reorder-blocks*",
        "reorder-functions",
        "rename-registers",
        "web",
        "split-*",
        "store-merging",
        "code-hoisting",
        "combine-stack-adjustments",
        "compare-elim",
        "cprop-registers",
        "dce",
        "dse",
        "defer-pop",
        "delayed-branch",
        "forward-propagate",
        "guess-branch-probability",
        "hoist-adjacent-loads",
        "lifetime-dse*",
        "live-range-shrinkage",
        "lra-remat",
        "predictive-commoning",
        "profile-reorder-functions",
        "ira-*",
        "sel-sched*",
        "shrink-wrap*",
        "ssa-*",
        "stdarg-opt",
        "version-loops-for-strides",
        "vpt",
        "whole-program",
        "fat-lto-objects",
        "lto-*",
        "use-linker-plugin",
        "uncaught-exceptions",
        "dump-*",
        "diagnostics-path-format*",
        "diagnostics-show-caret",
        "no-diagnostics-show-caret",
        "mem-report*",
        "opt-info*",
        "gnu-unique",
        "harden-*",
        "zero-call-used-regs-*",
        "record-gcc-switches-*",
        "branch-target-load-optimize*",
        "caller-saves",
        "toplevel-reorder",
        "section-anchors",
        "sync-libcalls",
        "stack-clash-*",
        "callgraph-info*",
        "canon-prefix-map",
        "limit-function-alignment",
    };
    static const char *const whole[] = {
        "-mrecord-mcount",
        "-mno-fp-ret-in-387",
        "-mfp-ret-in-387",
        "-maccumulate-outgoing-args",
        "-mno-accumulate-outgoing-args",
        "-minline-all-stringops",
        "-mpush-args",
        "-mno-push-args",
        "-mno-align-stringops",
        "-no-integrated-cpp",
        "-mfancy-math-387",
        "-mno-fancy-math-387",
        "-fno-if-conversion",
        "-save-temps=cwd",
        "-mglibc",
    };
    static const char *const prefixes[] = {
        "-mindirect-branch",
        "-mfunction-return",
        "-mpreferred-stack-boundary",
        "-mincoming-stack-boundary",
        "-mstringop-strategy",
        "-mmemcpy-strategy",
        "-mmemset-strategy",
        "-fdiagnostics-format=sarif",
        "-fdiagnostics-urls",
        "-fdiagnostics-minimum-margin",
        "-flto-partition",
        "-flto-compression",
        "-fprofile-partial-training",
        "-fexcess-precision=standard",
        "-fcf-check-attribute",
        "-mneeded",
        "-specs=",
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(arg, whole[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (starts_with(arg, prefixes[i]))
            return true;
    if (!starts_with(arg, "-f"))
        return false;
    const char *name = starts_with(arg, "-fno-") ? arg + 5 : arg + 2;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        size_t n = strlen(features[i]);
        if (features[i][n - 1] == '*' ? strncmp(name, features[i], n - 1) == 0
                                      : strcmp(name, features[i]) == 0)
            return true;
    }
    return false;
}
