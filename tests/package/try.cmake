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

# The project in PROJECTS/<project> must not configure, and CMake must say `sentence`.
function(refuse project sentence)
  set(build "${WORK}/${MODE}")
  file(REMOVE_RECURSE "${build}")
  execute_process(COMMAND ${CMAKE_COMMAND} -S "${PROJECTS}/${project}" -B "${build}" ${common} ${ARGN}
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

set(with_persona "-Dpersona_DIR=${installed}/share/cmake/persona")
set(without_json -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON -DCMAKE_DISABLE_FIND_PACKAGE_utf8proc=ON
  -DUTF8PROC_INCLUDE_DIR= -DUTF8PROC_LIBRARY=)

if(MODE STREQUAL "install")
  include("${CMAKE_CURRENT_LIST_DIR}/install.cmake")
elseif(MODE STREQUAL "install_tree")
  consume(consumer ${with_torch} ${with_persona} -DEVERYTHING=ON)
elseif(MODE STREQUAL "build_tree")
  consume(consumer ${with_torch} "-Dpersona_DIR=${BUILD_TREE}" -DCMAKE_CXX_STANDARD=17)  # persona's target asks for 20
elseif(MODE STREQUAL "reexport")
  # A library on top of persona is installed, and used by a project that never names persona or LibTorch.
  set(build "${WORK}/reexport-library")
  file(REMOVE_RECURSE "${build}" "${WORK}/reexport-installed")
  run("configuring the library" ${CMAKE_COMMAND} -S "${PROJECTS}/reexport" -B "${build}" ${common} ${with_torch}
    ${with_persona})
  run("installing the library" ${CMAKE_COMMAND} --install "${build}" --prefix "${WORK}/reexport-installed")
  consume(reexport/user ${with_torch} ${with_persona}
    "-Dportrait_DIR=${WORK}/reexport-installed/share/cmake/portrait")
elseif(MODE STREQUAL "torch_variables")
  # A LibTorch that CMake knows by TORCH_LIBRARIES alone: the mock package defines no target.
  consume(consumer "-DTorch_DIR=${PROJECTS}/variables" "-DMACHINE=${MACHINE}" ${with_persona})
elseif(MODE STREQUAL "no_torch")
  refuse(consumer "persona needs LibTorch 2.11 or newer and found none" -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON
    ${with_persona})
elseif(MODE STREQUAL "older_torch")
  refuse(consumer "persona needs LibTorch 2.11 or newer and found 1.13.1" "-DTorch_DIR=${PROJECTS}/older_torch" ${with_persona})
elseif(MODE STREQUAL "no_torch_in_sources")
  refuse(subdirectory "persona needs LibTorch 2.11 or newer and found none" -DCMAKE_DISABLE_FIND_PACKAGE_Torch=ON
    "-DPERSONA=${SOURCE}")
elseif(MODE STREQUAL "one_component")
  consume(images ${with_torch} ${with_persona} ${without_json})
elseif(MODE STREQUAL "missing_library")
  refuse(consumer "persona did not find nlohmann-json and utf8proc for its component 'stable_diffusion'"
    ${with_torch} ${with_persona} ${without_json})
elseif(MODE STREQUAL "unknown_component")
  refuse(consumer "persona did not find a component 'telepathy'; this persona was built with: images" ${with_torch}
    ${with_persona} -DCOMPONENT=telepathy)
elseif(MODE STREQUAL "version")
  refuse(consumer "that is compatible with requested version \"9.0\"" ${with_torch} ${with_persona} -DWANTED=9.0)
elseif(MODE STREQUAL "older_cxx")
  # Without the target, which asks for C++20: what is said first is ours. LibTorch is not even looked for.
  execute_process(COMMAND "${CXX}" -std=c++17 -fsyntax-only "-I${SOURCE}/include" "${PROJECTS}/consumer/other.cpp"
    RESULT_VARIABLE status ERROR_VARIABLE said)
  string(REGEX MATCH "[^\n]*error:[^\n]*" first "${said}")
  if(status EQUAL 0 OR NOT first MATCHES "persona. needs C..20: link the target")
    message(FATAL_ERROR "older_cxx: compiled as C++17 (${status}), without our sentence first:\n${said}")
  endif()
elseif(MODE STREQUAL "your_own_method")
  include("${CMAKE_CURRENT_LIST_DIR}/own_method.cmake")
elseif(MODE STREQUAL "program")
  file(REMOVE_RECURSE "${WORK}/program")
  run("installing" ${CMAKE_COMMAND} --install "${BUILD_TREE}" --prefix "${WORK}/program" --component persona_program)
  file(GLOB_RECURSE files RELATIVE "${WORK}/program" "${WORK}/program/*")
  list(SORT files)
  if(NOT files STREQUAL "bin/persona;share/bash-completion/completions/persona;share/zsh/site-functions/_persona")
    message(FATAL_ERROR "program: what was installed is: ${files}")
  endif()
  run("running" ${CMAKE_COMMAND} -E chdir / "${WORK}/program/bin/persona" --help)
  run("completing" bash -c "set -e
    source '${WORK}/program/share/bash-completion/completions/persona'
    complete -p persona
    COMP_WORDS=(persona per) COMP_CWORD=1
    _persona_words
    [ \"\${COMPREPLY[*]}\" = personalize ]")
elseif(MODE STREQUAL "subdirectory")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}")
  run("installing" ${CMAKE_COMMAND} --install "${WORK}/${MODE}" --prefix "${WORK}/${MODE}/installed")
  if(EXISTS "${WORK}/${MODE}/installed/include")
    message(FATAL_ERROR "a project that installs itself installs persona's headers too")
  endif()
elseif(MODE STREQUAL "subdirectory_torch_first")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}" -DTORCH_FIRST=ON)
elseif(MODE STREQUAL "fetch_content")
  consume(subdirectory ${with_torch} "-DPERSONA=${SOURCE}" -DFETCH=ON)
elseif(MODE STREQUAL "vcpkg_files")
  include("${CMAKE_CURRENT_LIST_DIR}/vcpkg_files.cmake")
elseif(MODE STREQUAL "vcpkg")
  set(FEATURES images stable-diffusion)
  include("${CMAKE_CURRENT_LIST_DIR}/vcpkg.cmake")
  consume(consumer ${with_torch} "-Dpersona_DIR=${CURRENT_PACKAGES_DIR}/share/persona")
elseif(MODE STREQUAL "vcpkg_core")
  set(FEATURES "")
  set(NOT_THERE ${without_json} -DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON)
  include("${CMAKE_CURRENT_LIST_DIR}/vcpkg.cmake")
  refuse(consumer "persona did not find a component 'images'; this persona was built with: libtorch" ${with_torch}
    "-Dpersona_DIR=${CURRENT_PACKAGES_DIR}/share/persona")
else()
  message(FATAL_ERROR "no such way to consume persona: ${MODE}")
endif()
