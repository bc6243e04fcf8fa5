# The ctests that are scripts. Those that run the compiler by themselves take its command line, as a consumer of the three
# targets would have it, from the response file compile.rsp.

set(scripts "${CMAKE_CURRENT_SOURCE_DIR}/scripts")
set(response "${CMAKE_CURRENT_BINARY_DIR}/compile.rsp")
set(include_dirs "$<TARGET_PROPERTY:persona_development,INTERFACE_INCLUDE_DIRECTORIES>")
set(definitions "$<TARGET_PROPERTY:persona_development,INTERFACE_COMPILE_DEFINITIONS>")
set(include_dirs "$<FILTER:$<REMOVE_DUPLICATES:${include_dirs}>,EXCLUDE,^(/usr/include|${PROJECT_SOURCE_DIR}/include)$>")
file(GENERATE OUTPUT "${response}" CONTENT
"-std=c++20
-I${PROJECT_SOURCE_DIR}/include
$<$<BOOL:${include_dirs}>:-isystem$<JOIN:${include_dirs},\n-isystem>>
$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},\n-D>>
")

function(persona_script_test name label)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 1800)
endfunction()

# Every public header compiles alone, without a warning, with this compiler, and all of them together with the other one
# where it is found.
find_program(PERSONA_GXX NAMES g++)
find_program(PERSONA_CLANGXX NAMES clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++)
set(compilers "${CMAKE_CXX_COMPILER}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND PERSONA_CLANGXX)
  list(APPEND compilers "${PERSONA_CLANGXX}")
elseif(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND PERSONA_GXX)
  list(APPEND compilers "${PERSONA_GXX}")
endif()
set(how alone)
foreach(compiler IN LISTS compilers)
  cmake_path(GET compiler FILENAME compiler_name)
  persona_script_test(headers.${compiler_name} headers
    bash "${scripts}/headers.sh" "${compiler}" "${response}" "${PROJECT_SOURCE_DIR}/include" ${how})
  set(how together)
  set_tests_properties(headers.${compiler_name} PROPERTIES PROCESSORS 2)
endforeach()

persona_script_test(floors floors ${CMAKE_COMMAND} "-DINCLUDE=${PROJECT_SOURCE_DIR}/include" -P "${scripts}/floors.cmake")

if(PERSONA_BUILD_DOCS)
  persona_script_test(docs docs ${CMAKE_COMMAND} "-DROOT=${PROJECT_SOURCE_DIR}" -P "${scripts}/docs.cmake")
  persona_script_test(docs.code docs bash "${scripts}/docs_code.sh" "${CMAKE_CXX_COMPILER}" "${response}" "${PROJECT_SOURCE_DIR}")
  persona_script_test(docs.sentences docs bash "${scripts}/docs_sentences.sh" "${PROJECT_SOURCE_DIR}")
  persona_script_test(docs.index docs bash "${PROJECT_SOURCE_DIR}/docs/index.sh" --check)
  persona_script_test(docs.reference docs bash "${PROJECT_SOURCE_DIR}/docs/build.sh" --reference "${CMAKE_CURRENT_BINARY_DIR}/reference")
  persona_script_test(docs.site docs bash "${PROJECT_SOURCE_DIR}/docs/build.sh" "${CMAKE_CURRENT_BINARY_DIR}/site")
  set_tests_properties(docs.reference docs.site PROPERTIES SKIP_RETURN_CODE ${skip_code})
endif()

persona_script_test(budget budget bash "${PROJECT_SOURCE_DIR}/bench/compile/lines.sh"
  --check "${PROJECT_SOURCE_DIR}/bench/compile/budget.json" "${CMAKE_CXX_COMPILER}" "${response}" "${PROJECT_SOURCE_DIR}/include")
set_tests_properties(budget PROPERTIES PROCESSORS 2 SKIP_RETURN_CODE ${skip_code})

# tests/compile_fail/<name>.cpp must not compile, and for the reason that its first line names.
set(cases_header "${CMAKE_CURRENT_BINARY_DIR}/compile_fail/cases.hpp")
persona_script_test(compile_fail compile_fail
  bash "${scripts}/compile_fail_header.sh" "${CMAKE_CXX_COMPILER}" "${response}" "${CMAKE_CURRENT_BINARY_DIR}/compile_fail")
set_tests_properties(compile_fail PROPERTIES FIXTURES_SETUP compile_fail_header)
file(GLOB cases CONFIGURE_DEPENDS compile_fail/*.cpp)
persona_uses_sources(${cases})
foreach(case IN LISTS cases)
  cmake_path(GET case STEM name)
  persona_script_test(compile_fail.${name} compile_fail ${CMAKE_COMMAND}
    "-DCASE=${case}" "-DCOMPILER=${CMAKE_CXX_COMPILER}" "-DRESPONSE=${response}" "-DHEADER=${cases_header}"
    -P "${scripts}/compile_fail.cmake")
  set_tests_properties(compile_fail.${name} PROPERTIES FIXTURES_REQUIRED compile_fail_header)
endforeach()

# peer: the references are made anew, with another seed, by the Python libraries themselves; a test needs those alone.
file(GLOB makers CONFIGURE_DEPENDS parity/make_*.py)
if(makers AND TARGET test_parity)
  persona_script_test(peer.parity peer bash "${scripts}/peer_parity.sh" "$<TARGET_FILE:test_parity>"
    "${CMAKE_CURRENT_BINARY_DIR}/peer-data" ${makers})
endif()
file(GLOB peers CONFIGURE_DEPENDS *_peer.py */*_peer.py)
foreach(peer IN LISTS peers)
  cmake_path(GET peer STEM name)
  persona_script_test(peer.${name} peer bash "${scripts}/peer.sh" "${peer}" "${CMAKE_CURRENT_BINARY_DIR}")
  set_tests_properties(peer.${name} PROPERTIES SKIP_RETURN_CODE ${skip_code})
endforeach()
if(TEST peer.parity)
  set_tests_properties(peer.parity PROPERTIES SKIP_RETURN_CODE ${skip_code})
endif()

# cli: the program persona, used wrongly and rightly.
if(TARGET persona_cli)
  foreach(name IN ITEMS wrong_steps runs report)
    persona_script_test(cli.${name} cli bash "${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh" "$<TARGET_FILE:persona_cli>"
      "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}/cli/${name}")
    set_tests_properties(cli.${name} PROPERTIES ENVIRONMENT OMP_NUM_THREADS=1 SKIP_RETURN_CODE ${skip_code})
  endforeach()
endif()

# example: the example programs, used wrongly and with photos of any size.
if(TARGET toyland_render)
  persona_script_test(example.use example bash "${scripts}/examples.sh" "${PROJECT_BINARY_DIR}/examples" "${PROJECT_SOURCE_DIR}"
    "${CMAKE_CURRENT_BINARY_DIR}/examples")
  set_tests_properties(example.use PROPERTIES ENVIRONMENT OMP_NUM_THREADS=1)
endif()
