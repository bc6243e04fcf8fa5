# The command line program `persona`: examples/persona.cpp, built where the libraries that it wants are found, and installed
# with the completions for shells that it prints. Its target is persona_cli, since persona is the library's.

if(PROJECT_IS_TOP_LEVEL)
  set(persona_cli_default AUTO)
else()
  set(persona_cli_default OFF)
endif()
set(PERSONA_BUILD_CLI ${persona_cli_default} CACHE STRING
  "Build and install the program persona: ON, OFF, or AUTO, which is ON where CLI11 and toml++ are found")
set_property(CACHE PERSONA_BUILD_CLI PROPERTY STRINGS AUTO ON OFF)
set(persona_cli_source "${PROJECT_SOURCE_DIR}/examples/persona.cpp")
if(NOT PERSONA_BUILD_CLI OR NOT EXISTS "${persona_cli_source}")
  return()
endif()

find_package(CLI11 QUIET)
find_package(tomlplusplus QUIET)
set(persona_cli_missing)
if(NOT TARGET CLI11::CLI11)
  list(APPEND persona_cli_missing "CLI11 (Debian: libcli11-dev)")
endif()
if(NOT TARGET tomlplusplus::tomlplusplus)
  list(APPEND persona_cli_missing "toml++ (Debian: libtomlplusplus-dev)")
endif()
if(NOT PERSONA_IMAGES)
  list(APPEND persona_cli_missing "PERSONA_IMAGES")
endif()
if(NOT PERSONA_STABLE_DIFFUSION)
  list(APPEND persona_cli_missing "PERSONA_STABLE_DIFFUSION")
endif()
if(persona_cli_missing)
  list(JOIN persona_cli_missing ", " persona_cli_missing)
  if(PERSONA_BUILD_CLI STREQUAL "AUTO")
    message(STATUS "the program persona is left out; it needs ${persona_cli_missing}")
    return()
  endif()
  message(FATAL_ERROR "the program persona needs ${persona_cli_missing}: install it, or take PERSONA_BUILD_CLI=OFF.")
endif()

include(cmake/persona-development.cmake)
add_executable(persona_cli "${persona_cli_source}")
target_link_libraries(persona_cli PRIVATE persona_development CLI11::CLI11 tomlplusplus::tomlplusplus)
target_include_directories(persona_cli PRIVATE examples)
target_compile_options(persona_cli PRIVATE $<$<CONFIG:Release>:${PERSONA_PROGRAM_OPTIMIZATION}>)
set_target_properties(persona_cli PROPERTIES OUTPUT_NAME persona
  RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples"
  INSTALL_RPATH_USE_LINK_PATH ON)  # where its libraries were found when it was built, except inside this project
if(TARGET torch)
  # cmake/setup.sh puts LibTorch inside this project's build folder, where the line above does not look.
  set_property(TARGET persona_cli APPEND PROPERTY INSTALL_RPATH "$<TARGET_FILE_DIR:torch>")
endif()

set(persona_completion "${PROJECT_BINARY_DIR}/examples/completion")
file(MAKE_DIRECTORY "${persona_completion}")
add_custom_command(TARGET persona_cli POST_BUILD COMMENT "" VERBATIM
  COMMAND persona_cli completion bash > "${persona_completion}/persona"
  COMMAND persona_cli completion zsh > "${persona_completion}/_persona")

if(PERSONA_INSTALL)
  # OPTIONAL: the headers can be installed from a tree that was configured and never built.
  install(TARGETS persona_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT persona_program OPTIONAL)
  install(FILES "${persona_completion}/persona" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    COMPONENT persona_program OPTIONAL)
  install(FILES "${persona_completion}/_persona" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions"
    COMPONENT persona_program OPTIONAL)
endif()
