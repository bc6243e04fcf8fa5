# Read by try.cmake. Builds and runs examples/your_own_method.cpp as docs/how-to/first_own_method.md says: the very file, and
# the CMakeLists.txt of the page, against the installed package.

file(STRINGS "${SOURCE}/examples/your_own_method.cpp" lines)
list(LENGTH lines count)
if(count GREATER 120)
  message(FATAL_ERROR "your_own_method.cpp has ${count} lines, and a method of one's own is to fit into 120")
endif()

file(READ "${SOURCE}/docs/how-to/first_own_method.md" page)
if(NOT page MATCHES "CMakeLists\\.txt <<'EOF'\n(.*)\nEOF\n")
  message(FATAL_ERROR "first_own_method.md writes no CMakeLists.txt")
endif()
set(project "${CMAKE_MATCH_1}\n")

# Every line of the page's shell blocks is a command, but for those of the file that one of them writes.
string(REPLACE "${project}EOF\n" "" page "${page}")
string(REGEX MATCHALL "```sh\n[^`]*```" blocks "${page}")
list(JOIN blocks "\n" commands)
string(REGEX MATCHALL "\n[a-z.][^\n]*" commands "${commands}")
list(LENGTH commands count)
if(count LESS 8 OR count GREATER 20)
  message(FATAL_ERROR "first_own_method.md has ${count} commands; at most 20 are to be typed")
endif()

set(folder "${WORK}/your_own_method-project")
file(REMOVE_RECURSE "${folder}")
file(WRITE "${folder}/CMakeLists.txt" "${project}")
file(COPY "${SOURCE}/examples/your_own_method.cpp" DESTINATION "${folder}")
set(build "${folder}/build")
string(REPLACE ";" ":" libraries "${PREFIX_PATH}")
run("configuring" ${CMAKE_COMMAND} -E env "CMAKE_PREFIX_PATH=${libraries}"  # as build/env.sh sets it
  ${CMAKE_COMMAND} -S "${folder}" -B "${build}" ${common} "-DTorch_DIR=${TORCH_DIR}" "-DCMAKE_PREFIX_PATH=${installed}")
run("building" ${CMAKE_COMMAND} --build "${build}")
run("running" ${CMAKE_COMMAND} -E env OMP_NUM_THREADS=1 ${CMAKE_COMMAND} "-DPROGRAM=${build}/your_own_method"
  "-DEXPECTED=${SOURCE}/examples/your_own_method.expected" -P "${SOURCE}/tests/scripts/output.cmake")
