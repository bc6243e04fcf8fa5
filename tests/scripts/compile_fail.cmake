# Compiles CASE and demands that it fails, with the sentence of its first line `// expect: ...` in an error of the compiler.
# A case that uses PERSONA_POSITIVE_TWIN is compiled a second time with it defined, and must then succeed: so no broken
# include can pass for the error that was meant.
cmake_minimum_required(VERSION 3.24)

file(STRINGS "${CASE}" source)
list(GET source 0 first)
if(NOT first MATCHES "^// expect: (.+)$")
  message(FATAL_ERROR "${CASE}: the first line must be '// expect: <sentence>'")
endif()
string(STRIP "${CMAKE_MATCH_1}" sentence)

# Without echoed source lines: a sentence counts only where the compiler says it, not where a header spells it.
set(flags "@${RESPONSE}" -fsyntax-only -fmessage-length=0 -fno-diagnostics-show-caret)
if(EXISTS "${HEADER}.pch")
  list(APPEND flags -include-pch "${HEADER}.pch")
else()
  list(APPEND flags -include "${HEADER}")
endif()
execute_process(COMMAND "${COMPILER}" ${flags} "${CASE}" RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(status EQUAL 0)
  message(FATAL_ERROR "${CASE} compiles, and must not.")
endif()

set(found FALSE)
set(errors "")
string(REPLACE ";" "\\;" lines "${said}")
string(REGEX REPLACE "[][]" "_" lines "${lines}")  # a list would take brackets for its own
string(REGEX REPLACE "[][]" "_" wanted "${sentence}")
string(REPLACE "\n" ";" lines "${lines}")
foreach(line IN LISTS lines)
  if(line MATCHES "error: ")
    string(APPEND errors "  ${line}\n")
    string(FIND "${line}" "${wanted}" at)
    if(NOT at EQUAL -1)
      set(found TRUE)
    endif()
  endif()
endforeach()
if(NOT found)
  message(FATAL_ERROR "${CASE} fails, but not with our sentence.\nexpected: ${sentence}\nthe errors:\n${errors}")
endif()

if(source MATCHES "PERSONA_POSITIVE_TWIN")
  execute_process(COMMAND "${COMPILER}" ${flags} -DPERSONA_POSITIVE_TWIN "${CASE}"
    RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "the positive twin of ${CASE} must compile:\n${said}")
  endif()
endif()
