# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# aglet_check(target): compile this target with the checker. Stands on AGLET_PLUGIN_DIR, where the plugins are.

# aglet_check(target [REQUIRED] [ARGS argument...])
#
# Ensures   each C source of the target is compiled with the plugin of the compiler's own major, and the arguments
#           (see the guide) go to it. The target also gets Aglet::annotations.
# Without   Clang, or a plugin for this Clang, the target is built as ever and one status line says why it is not
#           checked; with REQUIRED that is an error. `aglet lint` does not depend on the compiler used here.
function(aglet_check target)
  cmake_parse_arguments(PARSE_ARGV 1 check "REQUIRED" "" "ARGS")
  if(check_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "aglet_check(${target}): unknown argument \"${check_UNPARSED_ARGUMENTS}\"")
  endif()
  # Not by target_link_libraries: a target that uses it without PRIVATE and PUBLIC may not be given them.
  set_property(TARGET ${target} APPEND PROPERTY LINK_LIBRARIES Aglet::annotations)

  string(REGEX MATCH "^[0-9]+" major "${CMAKE_C_COMPILER_VERSION}")
  set(plugin ${AGLET_PLUGIN_DIR}/aglet-clang-${major}.so)
  set(why "")
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    set(why "the plugin needs Clang, and this compiler is ${CMAKE_C_COMPILER_ID}")
  elseif(NOT EXISTS ${plugin} AND NOT TARGET aglet-clang-${major})
    set(why "there is no plugin for Clang ${major} in ${AGLET_PLUGIN_DIR}")
  endif()
  if(why)
    set(severity STATUS)
    if(check_REQUIRED)
      set(severity FATAL_ERROR)
    endif()
    message(${severity} "Aglet: ${target} is not checked: ${why}")
    return()
  endif()

  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-fplugin=${plugin}>)
  foreach(argument IN LISTS check_ARGS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:C>:-fplugin-arg-aglet-${argument}>)
  endforeach()
  # A new plugin is a new opinion: compile again. In Aglet's own tree it must also be built first.
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} TARGET_DIRECTORY ${target} APPEND PROPERTY OBJECT_DEPENDS ${plugin})
  if(TARGET aglet-clang-${major})
    add_dependencies(${target} aglet-clang-${major})
  endif()
endfunction()
