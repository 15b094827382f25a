/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where things are in the source, as a reader sees it: outside macro bodies, after #line directives.
 * Stands on Clang's source manager. Every result is kept: a range is looked up many times, once per event and expression. */
#include "Unit.h"
#include "base/hash.h"

#include <llvm/Support/FileSystem.h>
#include <llvm/Support/Path.h>

using namespace clang;

namespace aglet {

ir_str UnitLowering::str(llvm::StringRef text) {
    return build_str(b, text.data(), text.size());
}

/* Builds outside the source directory name it by ".."; patterns, git and code hosts do not. Behind a symbolic link ".." leads
 * elsewhere, and the name stays as it is. */
static bool leads_to_the_same(const llvm::Twine &path, const llvm::Twine &shorter) {
    llvm::sys::fs::UniqueID one, other;
    return !llvm::sys::fs::getUniqueID(path, one) && !llvm::sys::fs::getUniqueID(shorter, other) &&
           one == other;
}

std::string UnitLowering::absolute(llvm::StringRef path) {
    if (path.empty() || path.front() == '<')
        return path.str();
    llvm::SmallString<256> full(path);
    sm.getFileManager().makeAbsolutePath(full);
    llvm::sys::path::remove_dots(full, /*remove_dot_dot=*/false);
    if (full.str().find("/../") == llvm::StringRef::npos)
        return full.str().str();
    std::string &known = shortened[full];
    if (known.empty()) {
        llvm::SmallString<256> shorter(full);
        llvm::sys::path::remove_dots(shorter, /*remove_dot_dot=*/true);
        known = (leads_to_the_same(full, shorter) ? shorter : full).str().str();
    }
    return known;
}

const UnitLowering::File &UnitLowering::file(FileID id) {
    if (last_file.id == id && last_file.file)
        return last_file;
    File &entry = files[id];
    if (!entry.file) {
        SourceLocation start = sm.getLocForStartOfFile(id);
        llvm::StringRef name = file_name_of(sm, id);
        uint32_t flags = 0;
        if (SrcMgr::isSystem(sm.getFileCharacteristic(start)))
            flags |= IR_FILE_SYSTEM;
        if (id == sm.getMainFileID())
            flags |= IR_FILE_MAIN;
        std::string path = name.empty() ? sm.getBufferName(start).str() : absolute(name);
        entry.id = id;
        entry.file = build_file(b, path.c_str(), flags,
                                hash_bytes(sm.getBufferData(id).data(), sm.getBufferData(id).size()));
        entry.has_line_directives = sm.getSLocEntry(id).getFile().hasLineDirectives();
    }
    last_file = entry;
    return last_file;
}

void UnitLowering::every_file() {
    for (unsigned i = 0; i < sm.local_sloc_entry_size(); i++) {
        const SrcMgr::SLocEntry &entry = sm.getLocalSLocEntry(i);
        if (!entry.isFile())
            continue;
        FileID id = sm.getFileID(SourceLocation::getFromRawEncoding(entry.getOffset()));
        if (!file_name_of(sm, id).empty())
            file(id);
    }
}

/* One end of a range, out of every macro: an argument of a macro is where it was written, the rest is the macro's use. */
static SourceLocation out_of_macros(const SourceManager &sm, SourceLocation at, bool end, bool &in_body) {
    while (at.isMacroID()) {
        if (sm.isMacroArgExpansion(at)) {
            at = sm.getImmediateSpellingLoc(at);
            continue;
        }
        auto expansion = sm.getImmediateExpansionRange(at);
        at = end ? expansion.getEnd() : expansion.getBegin();
        in_body = true;
    }
    return at;
}

ir_loc UnitLowering::loc(SourceRange range) {
    if (range.isInvalid())
        return 0;
    ir_loc &known = locs[{range.getBegin().getRawEncoding(), range.getEnd().getRawEncoding()}];
    if (known)
        return known;

    bool in_body = false;
    SourceLocation begin = out_of_macros(sm, range.getBegin(), false, in_body);
    SourceLocation end = out_of_macros(sm, range.getEnd(), true, in_body);
    auto [file_id, first] = sm.getDecomposedLoc(begin);
    auto [end_id, last] = sm.getDecomposedLoc(end);
    if (file_id != end_id || last < first) {
        /* Arguments in another order than written: the use of the outermost macro is all that can be pointed at. */
        auto expansion = sm.getExpansionRange(range.getBegin());
        begin = expansion.getBegin();
        end = sm.isWrittenInSameFile(begin, expansion.getEnd()) ? expansion.getEnd() : begin;
        std::tie(file_id, first) = sm.getDecomposedLoc(begin);
        std::tie(end_id, last) = sm.getDecomposedLoc(end);
        in_body = range.getBegin().isMacroID();
    }

    const File &in = file(file_id);
    ir_loc_rec rec = {};
    rec.file = in.file;
    rec.line = sm.getLineNumber(file_id, first);
    rec.col = sm.getColumnNumber(file_id, first);
    last += Lexer::MeasureTokenLength(end, sm, ast.getLangOpts());
    rec.end_line = sm.getLineNumber(file_id, last);
    rec.end_col = sm.getColumnNumber(file_id, last);
    if (in.has_line_directives) {
        PresumedLoc presumed = sm.getPresumedLoc(begin);
        if (presumed.isValid()) {
            rec.end_line += presumed.getLine() - rec.line;
            rec.line = presumed.getLine();
            /* Preprocessed elsewhere (distcc): a relative name is relative to where that was, which the reader knows. */
            bool elsewhere = ends_with(file_name_of(sm, sm.getMainFileID()), ".i");
            rec.file = build_file(
                b, elsewhere ? presumed.getFilename() : absolute(presumed.getFilename()).c_str(), 0, 0);
        }
    }
    if (in_body) {
        SourceLocation use =
            sm.getExpansionLoc(range.getBegin().isMacroID() ? range.getBegin() : range.getEnd());
        unsigned length = Lexer::MeasureTokenLength(use, sm, ast.getLangOpts());
        rec.macro = str(llvm::StringRef(sm.getCharacterData(use), length));
    }
    ir_loc made = build_loc(b, &rec);
    return locs[{range.getBegin().getRawEncoding(), range.getEnd().getRawEncoding()}] = made;
}

} // namespace aglet
