/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes the list of dependencies from which the lint's cache judges whether a unit still holds.
 * Stands on stat and xxhash: a file's hash is of the bytes that were parsed, not of the file as it is afterwards. */
#include "ExtractDependencies.h"

#include <llvm/Support/Path.h>
#include <cinttypes>
#include <cstdio>
#include <dlfcn.h>
#include <sys/stat.h>
#include <xxhash.h>

using namespace clang;

namespace aglet {

void ListeningFileSystem::missed(const llvm::Twine &path, std::error_code error) {
    if (error != std::errc::no_such_file_or_directory && error != std::errc::not_a_directory)
        return;
    llvm::SmallString<256> full;
    path.toVector(full);
    if (full.empty() || full[0] == '<')
        return;
    makeAbsolute(full);
    misses.insert(full.str().str());
}

llvm::ErrorOr<llvm::vfs::Status> ListeningFileSystem::status(const llvm::Twine &path) {
    auto result = ProxyFileSystem::status(path);
    if (!result)
        missed(path, result.getError());
    return result;
}

llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>>
ListeningFileSystem::openFileForRead(const llvm::Twine &path) {
    auto result = ProxyFileSystem::openFileForRead(path);
    if (!result)
        missed(path, result.getError());
    return result;
}

static uint64_t nanoseconds(const struct stat &st) {
    return uint64_t(st.st_mtim.tv_sec) * 1000000000u + uint64_t(st.st_mtim.tv_nsec);
}

static bool has_line_end(const std::string &path) {
    return path.find('\n') != std::string::npos;
}

bool write_dependencies(const std::string &path, SourceManager &sm, const ListeningFileSystem &listener,
                        bool uncacheable) {
    FILE *out = fopen(path.c_str(), "w");
    if (!out)
        return false;
    fputs("aglet-deps 1\n", out);

    const auto main_entry = sm.getFileEntryRefForID(sm.getMainFileID());
    auto read = [&](llvm::StringRef name, const FileEntry *entry, const SrcMgr::ContentCache &content) {
        auto buffer = content.getBufferIfLoaded();
        if (!buffer)
            return;
        llvm::SmallString<256> full(name);
        sm.getFileManager().makeAbsolutePath(full);
        std::string where = full.str().str();
        struct stat st;
        if (has_line_end(where) || stat(where.c_str(), &st) != 0 ||
            uint64_t(st.st_size) != buffer->getBufferSize() ||
            st.st_mtim.tv_sec != entry->getModificationTime()) {
            uncacheable = true;
            return;
        }
        fprintf(out, "read %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 " %s\n", uint64_t(st.st_size),
                nanoseconds(st), uint64_t(st.st_ino),
                uint64_t(XXH3_64bits(buffer->getBufferStart(), buffer->getBufferSize())), where.c_str());
    };
    /* The main file first; the others in the order of their names, so that equal runs write equal lists. */
    std::map<std::string, std::pair<const FileEntry *, const SrcMgr::ContentCache *>> files;
    for (auto it = sm.fileinfo_begin(); it != sm.fileinfo_end(); ++it) {
        if (!it->second)
            continue;
        const FileEntry *entry = file_entry(it->first);
        if (main_entry && entry == file_entry(*main_entry))
            read(main_entry->getName(), entry, *it->second);
        else
            files[entry_name(it->first).str()] = {entry, it->second};
    }
    for (auto &[name, of] : files)
        read(name, of.first, *of.second);

    Dl_info library;
    struct stat st;
    char *real = nullptr;
    if (dladdr(reinterpret_cast<void *>(&clang::getClangFullRepositoryVersion), &library) &&
        library.dli_fname && (real = realpath(library.dli_fname, nullptr)) && stat(real, &st) == 0)
        fprintf(out, "read %" PRIu64 " %" PRIu64 " %" PRIu64 " 0000000000000000 %s\n", uint64_t(st.st_size),
                nanoseconds(st), uint64_t(st.st_ino), real);
    free(real);

    for (const std::string &miss : listener.misses) {
        if (has_line_end(miss))
            uncacheable = true;
        else
            fprintf(out, "miss %s\n", miss.c_str());
    }
    if (uncacheable)
        fputs("uncacheable\n", out);
    fputs("end\n", out);
    bool good = !ferror(out);
    return fclose(out) == 0 && good;
}

} // namespace aglet
