# For our own programs, tests, examples and benchmarks only: nothing here reaches a consumer.
include_guard(DIRECTORY)

option(PERSONA_WARNINGS_AS_ERRORS "Warnings in persona's own programs are errors" OFF)

add_library(persona_development INTERFACE)
target_compile_options(persona_development INTERFACE
  -Wall -Wextra $<$<BOOL:${PERSONA_WARNINGS_AS_ERRORS}>:-Werror>
  # GCC 12 at -O3 takes members of an aggregate for uninitialized in the clean-up that follows a throw while it is filled.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-maybe-uninitialized>
  $<$<CXX_COMPILER_ID:GNU>:-fconcepts-diagnostics-depth=3>)
target_link_libraries(persona_development INTERFACE persona::persona)
foreach(component IN ITEMS images stable_diffusion libtorch)
  if(TARGET persona_${component})
    target_link_libraries(persona_development INTERFACE persona::${component})
  endif()
endforeach()
# Programs spend their time inside LibTorch; more optimization of their own code costs a third of a build.
set(PERSONA_PROGRAM_OPTIMIZATION -O1)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
endif()

# Source files that something other than a target of this build uses (a script compiles them, another project builds them).
# The test `orphans` fails for a .cpp that no target holds and that is not named here.
function(persona_uses_sources)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
    set_property(GLOBAL APPEND PROPERTY PERSONA_USED_SOURCES "${source}")
  endforeach()
endfunction()

# A program of one source file, with CLI11 and Google Benchmark if the source includes them; where one of them is wanted and
# was not found the program is left out, said so, and `made` is OFF.
find_package(CLI11 QUIET)
find_package(benchmark QUIET)
function(persona_program target source made)
  set(${made} OFF PARENT_SCOPE)
  file(STRINGS "${source}" wanted REGEX "^#include <(CLI|benchmark)/")
  foreach(library IN ITEMS CLI11::CLI11 benchmark::benchmark)
    string(REGEX REPLACE "11.*|::.*" "" folder ${library})
    if(wanted MATCHES "<${folder}/" AND NOT TARGET ${library})
      message(STATUS "${target} is left out: ${library} was not found")
      persona_uses_sources("${source}")
      return()
    elseif(wanted MATCHES "<${folder}/")
      list(APPEND libraries ${library})
    endif()
  endforeach()
  add_executable(${target} "${source}")
  target_link_libraries(${target} PRIVATE persona_development ${libraries})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE PERSONA_SOURCE="${PROJECT_SOURCE_DIR}")
  set(${made} ON PARENT_SCOPE)
endfunction()
