# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds the rules: one .c file in analyzer/rules is one rule, and its file name is the rule's id.

# Sets `out` to the sources of the rules in `dir` and of the table of them all, which is written to `table`.
# Each source is compiled with AGLET_RULE_SYMBOL, the symbol its AGLET_RULE defines. A file whose id is not its
# name, or two rules of one id, stop the configuration.
function(aglet_collect_rules out dir table)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c)
  set(declarations "")
  set(entries "")
  set(ids "")
  foreach(source IN LISTS sources)
    get_filename_component(stem ${source} NAME_WE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(READ ${source} text)
    string(REGEX MATCHALL "AGLET_RULE\\([ \n]*\"[^\"]*\"" uses "${text}")
    list(LENGTH uses n)
    if(NOT n EQUAL 1)
      message(FATAL_ERROR "${source}: ${n} uses of AGLET_RULE; a rule's file has exactly one")
    endif()
    string(REGEX REPLACE ".*\"([^\"]*)\"" "\\1" id "${uses}")
    if(id IN_LIST ids)
      message(FATAL_ERROR "${source}: two rules have the id \"${id}\"; an id names one rule")
    endif()
    if(NOT id STREQUAL stem)
      message(FATAL_ERROR "${source}: the rule's id is \"${id}\"; a rule's file is named by its id")
    endif()
    list(APPEND ids ${id})
    string(REPLACE "-" "_" symbol "aglet_rule_${id}")
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS AGLET_RULE_SYMBOL=${symbol})
    string(APPEND declarations "extern const struct rule ${symbol};\n")
    string(APPEND entries "    &${symbol},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${table} @ONLY CONTENT
"/* The table of all rules, in the order of their ids. Made by cmake/rules.cmake. */
#include \"rules/rule.h\"

${declarations}
const struct rule *const rules_all[] = {
${entries}    NULL,
};
")
  set(${out} ${sources} ${table} PARENT_SCOPE)
endfunction()
