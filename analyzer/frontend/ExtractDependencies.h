/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a parse depended on: the files it read and the places where it looked for one in vain.
 * Stands on Clang's file manager and on a file system that listens. The format is tool/deps.h's. */
#ifndef AGLET_FRONTEND_EXTRACT_DEPENDENCIES_H
#define AGLET_FRONTEND_EXTRACT_DEPENDENCIES_H

#include "clang_versions.h"

#include <llvm/Support/VirtualFileSystem.h>
#include <set>

namespace aglet {

/* The real file system; remembers every path that was looked for and is not there. */
class ListeningFileSystem : public llvm::vfs::ProxyFileSystem {
  public:
    ListeningFileSystem() : ProxyFileSystem(llvm::vfs::getRealFileSystem()) {}
    llvm::ErrorOr<llvm::vfs::Status> status(const llvm::Twine &path) override;
    llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>> openFileForRead(const llvm::Twine &path) override;

    std::set<std::string> misses;

  private:
    void missed(const llvm::Twine &path, std::error_code error);
};

/* Write the list for what `sm` read. Returns false, with errno, when the file cannot be written. */
bool write_dependencies(const std::string &path, clang::SourceManager &sm,
                        const ListeningFileSystem &listener, bool uncacheable);

} // namespace aglet

#endif
