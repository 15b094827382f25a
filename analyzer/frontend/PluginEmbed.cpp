/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Puts the unit into the object file: a file-scope asm declaration at the end, which fills a section that the linker leaves out.
 * Stands on ir/file.h for the bytes. So the graphs travel wherever the object does: ccache, distcc, archives. */
#include "PluginParts.h"
#include "ir/file.h"

using namespace clang;

namespace aglet {

bool can_embed(const CompilerInstance &compiler)
{
    switch (compiler.getFrontendOpts().ProgramAction) {
    case frontend::EmitObj:
    case frontend::EmitAssembly:
    case frontend::EmitBC:
        return compiler.getTarget().getTriple().isOSBinFormatELF();
    default:
        return false;
    }
}

/* Zeros, of which a unit has many, are runs of one directive; the rest is text with octal escapes. */
static std::string directives(const unsigned char *bytes, size_t size, bool at_is_comment)
{
    std::string out = "\t.section .aglet,\"e\",";
    out += at_is_comment ? "%progbits\n" : "@progbits\n";
    out.reserve(size * 2 + 64);
    for (size_t i = 0; i < size;) {
        size_t zeros = i;
        while (zeros < size && !bytes[zeros])
            zeros++;
        if (zeros - i >= 12 || zeros == size) {
            out += "\t.zero " + std::to_string(zeros - i) + "\n";
            i = zeros;
            continue;
        }
        out += "\t.ascii \"";
        for (size_t line = i + 4096; i < size && i < line; i++) {
            unsigned char c = bytes[i];
            if (!c) {
                size_t end = i;
                while (end < size && !bytes[end])
                    end++;
                if (end - i >= 12)
                    break;
            }
            if (c == '"' || c == '\\') {
                out += '\\';
                out += char(c);
            } else if (c >= 0x20 && c < 0x7f) {
                out += char(c);
            } else {
                out += '\\';
                /* An octal escape takes up to three digits: short ones must not run into a digit that follows. */
                bool digit_follows = i + 1 < size && bytes[i + 1] >= '0' && bytes[i + 1] <= '7';
                if (digit_follows || c >= 64)
                    out += char('0' + (c >> 6));
                if (digit_follows || c >= 8)
                    out += char('0' + ((c >> 3) & 7));
                out += char('0' + (c & 7));
            }
        }
        out += "\"\n";
    }
    out += "\t.previous\n";
    return out;
}

void embed_unit(CompilerInstance &compiler, ASTContext &ast, const unit *made)
{
    size_t size;
    unsigned char *bytes = unit_encode(made, &size);
    auto arch = compiler.getTarget().getTriple().getArch();
    bool at_is_comment = arch == llvm::Triple::arm || arch == llvm::Triple::armeb || arch == llvm::Triple::thumb ||
                         arch == llvm::Triple::thumbeb;
    std::string text = directives(bytes, size, at_is_comment);
    free(bytes);
    FileScopeAsmDecl *decl = make_file_scope_asm(ast, text);
    compiler.getASTConsumer().HandleTopLevelDecl(DeclGroupRef(decl));
}

} // namespace aglet
