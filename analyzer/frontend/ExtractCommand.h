/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A row of a compile database made fit for this Clang: what only says where output goes, or only gcc knows, is left out.
 * Stands on nothing but strings. */
#ifndef AGLET_FRONTEND_EXTRACT_COMMAND_H
#define AGLET_FRONTEND_EXTRACT_COMMAND_H

#include <string>
#include <vector>

namespace aglet {

/* `command` begins with the compiler's name, whatever it is; `clang` is the path of the Clang that takes its place.
 * Returns  a command that parses the same source with it, for the driver, or for the compiler proper when the second
 *          word is "-cc1". */
std::vector<std::string> parse_only_command(const std::vector<std::string> &command,
                                            const std::string &clang);

} // namespace aglet

#endif
