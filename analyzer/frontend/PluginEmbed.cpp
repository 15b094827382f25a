/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Puts the unit into the object file: a file-scope asm declaration at the end, which fills a section that the linker leaves out.
 * Stands on ir/file.h for the bytes. So the graphs travel wherever the object does: ccache, distcc, archives. */
#include "PluginParts.h"
#include "ir/file.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace clang;

namespace aglet {

bool can_embed(const CompilerInstance &compiler) {
    switch (compiler.getFrontendOpts().ProgramAction) {
    case frontend::EmitObj:
    case frontend::EmitAssembly:
    case frontend::EmitBC: return compiler.getTarget().getTriple().isOSBinFormatELF();
    default: return false;
    }
}

/* A name by which this process, whose own assembler it is, can read the bytes until it ends; empty where there is none.
 * Text of a megabyte costs the assembler as much as the whole analysis, the bytes themselves next to nothing. */
static std::string readable_here(const unsigned char *bytes, size_t size) {
    int fd = memfd_create("aglet", MFD_CLOEXEC);
    if (fd < 0)
        return "";
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, bytes + done, size - done);
        if (n <= 0) {
            close(fd);
            return "";
        }
        done += size_t(n);
    }
    std::string path = "/proc/self/fd/" + std::to_string(fd);
    if (access(path.c_str(), R_OK) != 0) {
        close(fd);
        return "";
    }
    return path;
}

static std::string section(bool at_is_comment) {
    return std::string("\t.section .aglet,\"e\",") + (at_is_comment ? "%" : "@") + "progbits\n";
}

/* Zeros, of which a unit has many, are runs of one directive; the rest is text with octal escapes. */
static std::string as_text(const unsigned char *bytes, size_t size) {
    std::string out;
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
    return out;
}

void embed_unit(CompilerInstance &compiler, ASTContext &ast, const unit *made) {
    size_t size;
    unsigned char *bytes = unit_encode(made, &size);
    auto arch = compiler.getTarget().getTriple().getArch();
    bool at_is_comment = arch == llvm::Triple::arm || arch == llvm::Triple::armeb ||
                         arch == llvm::Triple::thumb || arch == llvm::Triple::thumbeb;
    std::string path;
    if (compiler.getFrontendOpts().ProgramAction == frontend::EmitObj)
        path = readable_here(bytes, size);
    std::string contents = path.empty() ? as_text(bytes, size) : "\t.incbin \"" + path + "\"\n";
    free(bytes);
    FileScopeAsmDecl *decl = make_file_scope_asm(ast, section(at_is_comment) + contents + "\t.previous\n");
    compiler.getASTConsumer().HandleTopLevelDecl(DeclGroupRef(decl));
}

} // namespace aglet
