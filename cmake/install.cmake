# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What an installed Aglet consists of, and how CMake and pkg-config find it. Stands on the targets of the other parts:
# those that are built are installed, and the version comes from project() alone.
include(CMakePackageConfigHelpers)
set(aglet_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Aglet)

install(DIRECTORY annotations/include/aglet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
set(exported aglet_annotations)
set_target_properties(aglet_annotations PROPERTIES EXPORT_NAME annotations)

if(TARGET aglet_runtime_release)
  install(DIRECTORY runtime/include/aglet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
  foreach(kind release checked)
    set(folder ${CMAKE_INSTALL_LIBDIR})
    if(kind STREQUAL checked)
      string(APPEND folder /aglet/checked)
    endif()
    foreach(form "" _static)
      set_target_properties(aglet_runtime_${kind}${form} PROPERTIES EXPORT_NAME runtime_${kind}${form})
      install(TARGETS aglet_runtime_${kind}${form} EXPORT AgletTargets
        LIBRARY DESTINATION ${folder} ARCHIVE DESTINATION ${folder})
    endforeach()
  endforeach()
endif()
if(TARGET aglet_preload)
  install(TARGETS aglet_preload LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/aglet)
endif()

install(TARGETS ${exported} EXPORT AgletTargets)
install(EXPORT AgletTargets NAMESPACE Aglet:: DESTINATION ${aglet_cmake_dir})
configure_package_config_file(cmake/AgletConfig.cmake.in ${PROJECT_BINARY_DIR}/AgletConfig.cmake
  INSTALL_DESTINATION ${aglet_cmake_dir} PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/AgletConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/AgletConfig.cmake ${PROJECT_BINARY_DIR}/AgletConfigVersion.cmake cmake/Aglet.cmake
  DESTINATION ${aglet_cmake_dir})

# aglet.pc links the release library, aglet-checked.pc the checked one; both are relocatable. Programs remember where the
# library is, unless it is installed where the loader looks anyhow. As a runpath: LD_LIBRARY_PATH comes before it.
file(RELATIVE_PATH aglet_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(kind release checked)
  set(aglet_pc_name aglet)
  set(aglet_pc_description "Fearless concurrency for C")
  set(aglet_pc_libdir "\${libdir}")
  if(kind STREQUAL checked)
    set(aglet_pc_name aglet-checked)
    string(APPEND aglet_pc_description ", the library that reports misuse")
    set(aglet_pc_libdir "\${libdir}/aglet/checked")
  endif()
  set(aglet_pc_rpath " -Wl,--enable-new-dtags,-rpath,${aglet_pc_libdir}")
  if(kind STREQUAL release AND CMAKE_INSTALL_PREFIX STREQUAL /usr)
    set(aglet_pc_rpath "")
  endif()
  set(aglet_pc_libs "")
  if(TARGET aglet_runtime_release)
    set(aglet_pc_libs "-L${aglet_pc_libdir}${aglet_pc_rpath} -laglet -pthread")
  endif()
  configure_file(cmake/aglet.pc.in ${PROJECT_BINARY_DIR}/${aglet_pc_name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${aglet_pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
