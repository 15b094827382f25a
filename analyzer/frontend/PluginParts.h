/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The plugin's parts: annotations taken off before code is generated, findings as Clang's diagnostics, the unit into the object.
 * Stands on Unit.h and the engine's one header. */
#ifndef AGLET_FRONTEND_PLUGIN_PARTS_H
#define AGLET_FRONTEND_PLUGIN_PARTS_H

#include "Unit.h"

#include <optional>

namespace aglet {

/* What -fplugin-arg-aglet-… said. */
struct PluginOptions {
    bool off = false, embed = true;
    int level = 0;                  /* 0: as the configuration says */
    std::vector<std::string> rules; /* empty: all */
    std::string config;             /* empty: the nearest .aglet.yml */
};

/* Take our annotations off the declaration and all that is declared in it, into `aside`. */
void set_aside(clang::Decl *decl, SetAside &aside);

/* Analyse the unit alone, as a part of an open program, and say what is found. Takes the unit. */
void report_findings(clang::CompilerInstance &compiler, const PluginOptions &options, unit *made);

/* Hand the unit's bytes to the code generator, for section .aglet of the object file. */
void embed_unit(clang::CompilerInstance &compiler, clang::ASTContext &ast, const unit *made);

/* Does this compilation end in an object file that can carry a section of ours? */
bool can_embed(const clang::CompilerInstance &compiler);

} // namespace aglet

#endif
