# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# aglet_verify(prefix file [PROPERTY value...]): one test per built Clang major, in which Clang itself (-verify) holds the
# plugin's diagnostics against the `expected-warning {{…}}` comments of the file. Notes may be left out of the comments.
#
# A line `Flags  -std=c99 …` in the file's first comment adds compiler flags.
function(aglet_verify prefix file)
  get_filename_component(name ${file} NAME_WE)
  file(STRINGS ${file} flags REGEX "^ \\* Flags +" LIMIT_COUNT 1)
  string(REGEX REPLACE "^ \\* Flags +| *\\*/ *$" "" flags "${flags}")
  separate_arguments(flags UNIX_COMMAND "${flags}")
  foreach(major IN LISTS AGLET_CLANG_MAJORS)
    if(NOT TARGET aglet-clang-${major})
      continue()
    endif()
    find_program(clang NAMES /usr/lib/llvm-${major}/bin/clang clang-${major} NO_CACHE)
    add_test(NAME ${prefix}.${name}.clang-${major} COMMAND ${clang} -std=gnu11 -Wno-everything
      -I${PROJECT_SOURCE_DIR}/annotations/include -I${PROJECT_SOURCE_DIR}/runtime/include
      -fplugin=$<TARGET_FILE:aglet-clang-${major}> -fsyntax-only
      -Xclang -verify -Xclang -verify-ignore-unexpected=note ${flags} ${file})
    set_tests_properties(${prefix}.${name}.clang-${major} PROPERTIES TIMEOUT 60 LABELS ${prefix} ${ARGN})
    unset(clang)
  endforeach()
endfunction()

# aglet_verify_both(prefix): the same for each .c file of the folder, then the file through the lint, which has to say the same.
function(aglet_verify_both prefix)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  foreach(file IN LISTS files)
    aglet_verify(${prefix} ${file})
    get_filename_component(name ${file} NAME_WE)
    if(TARGET aglet)
      add_test(NAME ${prefix}.${name}.lint COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/support/expect.py
        $<TARGET_FILE:aglet> ${PROJECT_SOURCE_DIR} ${file})
      set_tests_properties(${prefix}.${name}.lint PROPERTIES TIMEOUT 60 SKIP_RETURN_CODE 77 LABELS ${prefix})
    endif()
  endforeach()
endfunction()
