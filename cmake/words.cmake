# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds the words of the aglet command (one analyzer/tool/word_<name>.c each) and the rule pages it prints.

# Sets `out` to the sources of the words in `dir` and of the table of them all, which is written to `table`. Each is
# compiled with AGLET_WORD_SYMBOL, the symbol its AGLET_WORD defines.
function(aglet_collect_words out dir table)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/word_*.c)
  set(declarations "")
  set(entries "")
  foreach(source IN LISTS sources)
    get_filename_component(stem ${source} NAME_WE)
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS AGLET_WORD_SYMBOL=aglet_${stem})
    string(APPEND declarations "extern const struct word aglet_${stem};\n")
    string(APPEND entries "    &aglet_${stem},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT
"/* The table of all words, in the order of their names. Made by cmake/words.cmake. */
#include <stddef.h>
#include \"tool/word.h\"

${declarations}
const struct word *const words_all[] = {
${entries}    NULL,
};
")
  set(${out} ${sources} ${table} PARENT_SCOPE)
endfunction()

# Writes `table`, a C source with the bytes of every page in `dir` (struct page of tool/page.h).
function(aglet_collect_pages dir table)
  file(GLOB pages CONFIGURE_DEPENDS ${dir}/*.md)
  set(arrays "")
  set(entries "")
  foreach(page IN LISTS pages)
    get_filename_component(id ${page} NAME_WE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
    string(MAKE_C_IDENTIFIER "page_${id}" symbol)
    file(READ ${page} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    string(APPEND arrays "static const unsigned char ${symbol}[] = {${bytes}0};\n")
    string(APPEND entries "    {\"${id}\", ${symbol}, sizeof ${symbol} - 1},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT
"/* The pages of docs/rules, in the order of their names. Made by cmake/words.cmake. */
#include \"tool/page.h\"

${arrays}
const struct page pages_all[] = {
${entries}    {NULL, NULL, 0},
};
")
endfunction()
