# Exports of the build tree and the install tree. Every target has an export set of its own: a component's file is
# read only when it is asked for, since only then are its dependencies looked for. All of the library is one component of
# `cmake --install`, persona_library; the program is another, persona_program.

set(PERSONA_CMAKE_DIR "${CMAKE_INSTALL_DATADIR}/cmake/persona")
get_property(persona_targets GLOBAL PROPERTY PERSONA_TARGETS)

# An export set wants the rule even where a parent's installation is to have nothing of persona.
set(persona_only_for_the_export)
if(NOT PERSONA_INSTALL)
  set(persona_only_for_the_export EXCLUDE_FROM_ALL)
endif()
set(PERSONA_COMPONENTS "")
foreach(target IN LISTS persona_targets)
  string(REGEX REPLACE "^persona_" "persona-" export ${target})
  if(NOT target STREQUAL "persona")
    string(REGEX REPLACE "^persona_" "" component ${target})
    string(APPEND PERSONA_COMPONENTS " ${component}")
  endif()
  install(TARGETS ${target} EXPORT ${export}-targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    COMPONENT persona_library ${persona_only_for_the_export})
  export(EXPORT ${export}-targets NAMESPACE persona:: FILE "${PROJECT_BINARY_DIR}/${export}-targets.cmake")
  if(PERSONA_INSTALL)
    install(EXPORT ${export}-targets NAMESPACE persona:: DESTINATION "${PERSONA_CMAKE_DIR}" COMPONENT persona_library)
  endif()
endforeach()
string(STRIP "${PERSONA_COMPONENTS}" PERSONA_COMPONENTS)

configure_package_config_file(cmake/persona-config.cmake.in "${PROJECT_BINARY_DIR}/persona-config.cmake"
  INSTALL_DESTINATION "${PERSONA_CMAKE_DIR}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/persona-config-version.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_file(cmake/persona-torch.cmake "${PROJECT_BINARY_DIR}/persona-torch.cmake" COPYONLY)
configure_file(cmake/persona-utf8proc.cmake "${PROJECT_BINARY_DIR}/persona-utf8proc.cmake" COPYONLY)

if(PERSONA_INSTALL)
  install(FILES
    "${PROJECT_BINARY_DIR}/persona-config.cmake" "${PROJECT_BINARY_DIR}/persona-config-version.cmake"
    cmake/persona-torch.cmake cmake/persona-utf8proc.cmake
    DESTINATION "${PERSONA_CMAKE_DIR}" COMPONENT persona_library)
  install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/persona" COMPONENT persona_library)
endif()
