# Consumes persona in one way, MODE, as an external project would; MACHINE says where things are on this machine.
cmake_minimum_required(VERSION 3.24)

include("${MACHINE}")
set(installed "${WORK}/moved")  # where the install tree was moved to, after it was installed elsewhere
set(common -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${CXX}" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
  --no-warn-unused-cli)
set(with_torch "-DTorch_DIR=${TORCH_DIR}" "-DCMAKE_PREFIX_PATH=${PREFIX_PATH}")

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${MODE}: ${what} failed (${status}): ${command}\n${said}")
  endif()
endfunction()

# Configures the project in PROJECTS/<project> with the given options, builds it, runs its program `consumer`.
function(consume project)
  set(build "${WORK}/${MODE}")
  file(REMOVE_RECURSE "${build}")
  run("configuring" ${CMAKE_COMMAND} -S "${PROJECTS}/${project}" -B "${build}" ${common} ${ARGN})
  run("building" ${CMAKE_COMMAND} --build "${build}")
  run("running" "${build}/consumer")
endfunction()

# The project must not configure, and CMake must say `sentence`.
function(refuse sentence)
  set(build "${WORK}/${MODE}")
  file(REMOVE_RECURSE "${build}")
  execute_process(COMMAND ${CMAKE_COMMAND} -S "${PROJECTS}/consumer" -B "${build}" ${common} ${ARGN}
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(status EQUAL 0)
    message(FATAL_ERROR "${MODE}: configures, and must not")
  endif()
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  string(FIND "${said}" "${sentence}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${MODE}: refused without our sentence '${sentence}':\n${said}")
  endif()
endfunction()

if(MODE STREQUAL "install")
  # Installed in one place, used from another; no path of this machine in what CMake will read.
  file(REMOVE_RECURSE "${WORK}/installed" "${installed}")
  run("installing" ${CMAKE_COMMAND} --install "${BUILD_TREE}" --prefix "${WORK}/installed")
  file(RENAME "${WORK}/installed" "${installed}")
  file(GLOB_RECURSE files "${installed}/*.cmake")
  if(NOT files)
    message(FATAL_ERROR "nothing for CMake was installed")
  endif()
  foreach(file IN LISTS files)
    file(READ "${file}" text)
    if(text MATCHES "[\"; ](/[A-Za-z0-9_.-]+/[^\"; ]*)")
      message(FATAL_ERROR "${file} names a path of this machine: ${CMAKE_MATCH_1}")
    endif()
    if(file MATCHES "-targets\\.cmake$" AND text MATCHES "[^A-Za-z_:]torch(_cpu|_library)?[;\"]")
      message(FATAL_ERROR "${file} names LibTorch's targets; only persona::torch may be exported")
    endif()
  endforeach()
elseif(MODE STREQUAL "install_tree")
  consume(consumer ${with_torch} "-Dpersona_DIR=${installed}/share/cmake/persona" -DEVERYTHING=ON)
elseif(MODE STREQUAL "build_tree")
  consume(consumer ${with_torch} "-Dpersona_DIR=${BUILD_TREE}")
elseif(MODE STREQUAL "reexport")
  # A library on top of persona is installed, and used by a project that never names persona or LibTorch.
  set(build "${WORK}/reexport-library")
  file(REMOVE_RECURSE "${build}" "${WORK}/reexport-installed")
  run("configuring the library" ${CMAKE_COMMAND} -S "${PROJECTS}/reexport" -B "${build}" ${common} ${with_torch}
    "-Dpersona_DIR=${installed}/share/cmake/persona")
  run("installing the library" ${CMAKE_COMMAND} --install "${build}" --prefix "${WORK}/reexport-installed")
  consume(reexport/user ${with_torch} "-Dpersona_DIR=${installed}/share/cmake/persona"
    "-Dportrait_DIR=${WORK}/reexport-installed/share/cmake/portrait")
elseif(MODE STREQUAL "torch_variables")
  # A LibTorch that CMake knows by TORCH_LIBRARIES alone: the mock package defines no target.
  consume(consumer "-DTorch_DIR=${PROJECTS}/variables" "-DMACHINE=${MACHINE}" "-Dpersona_DIR=${installed}/share/cmake/persona")
elseif(MODE STREQUAL "no_torch")
  refuse("persona needs LibTorch 2.11 or newer and found none" -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON
    "-Dpersona_DIR=${installed}/share/cmake/persona")
elseif(MODE STREQUAL "unknown_component")
  refuse("persona did not find a component 'telepathy'" ${with_torch} -DCOMPONENT=telepathy
    "-Dpersona_DIR=${installed}/share/cmake/persona")
elseif(MODE STREQUAL "version")
  refuse("that is compatible with requested version \"7.0\"" ${with_torch} -DWANTED=7.0
    "-Dpersona_DIR=${installed}/share/cmake/persona")
elseif(MODE STREQUAL "subdirectory")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}")
elseif(MODE STREQUAL "subdirectory_torch_first")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}" -DTORCH_FIRST=ON)
elseif(MODE STREQUAL "fetch_content")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}" -DFETCH=ON)
elseif(MODE STREQUAL "vcpkg")
  include("${CMAKE_CURRENT_LIST_DIR}/vcpkg.cmake")
else()
  message(FATAL_ERROR "no such way to consume persona: ${MODE}")
endif()
