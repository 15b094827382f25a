/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Takes our annotations off declarations as Clang finishes them: those that code generation would see cost code quality.
 * Stands on Clang putting each declaration of a function's body into the function's context. */
#include "PluginParts.h"

using namespace clang;

namespace aglet {

static void set_aside_here(Decl *decl, SetAside &aside) {
    if (!decl->hasAttrs())
        return;
    AttrVec &attrs = decl->getAttrs();
    AttrVec kept;
    for (Attr *attr : attrs) {
        if (is_annotation(attr))
            aside[decl].push_back(cast<AnnotateAttr>(attr));
        else
            kept.push_back(attr);
    }
    if (kept.size() == attrs.size())
        return;
    decl->dropAttrs();
    if (!kept.empty())
        decl->setAttrs(kept);
}

void set_aside(Decl *decl, SetAside &aside) {
    set_aside_here(decl, aside);
    if (auto *function = dyn_cast<FunctionDecl>(decl)) {
        for (ParmVarDecl *param : function->parameters())
            set_aside_here(param, aside);
        for (Decl *inner : function->decls())
            if (!isa<ParmVarDecl>(inner))
                set_aside(inner, aside);
    } else if (auto *record = dyn_cast<RecordDecl>(decl)) {
        for (FieldDecl *member : record->fields())
            set_aside_here(member, aside);
    }
}

} // namespace aglet
