# Every page, and every heading of one, that a sentence of the library, an example, a script or a package file sends its reader
# to exists; so does what the links of the documentation lead to.
cmake_minimum_required(VERSION 3.24)

set(failures "")
set(count 0)

# The anchors of a page's headings, as GitHub and pandoc make them: lower case, no punctuation, a hyphen for each space.
function(anchors_of page result)
  string(MD5 key "${page}")
  get_property(known GLOBAL PROPERTY "anchors_${key}" SET)
  if(NOT known)
    file(READ "${page}" text)
    string(REGEX REPLACE "[][;]" "" text "\n${text}")  # they would keep a list from being split
    string(REGEX MATCHALL "\n#+ [^\n]*" headings "${text}")
    set(anchors "")
    foreach(heading IN LISTS headings)
      string(REGEX REPLACE "^\n#+ " "" heading "${heading}")
      string(TOLOWER "${heading}" heading)
      string(REGEX REPLACE "[^a-z0-9 _-]" "" heading "${heading}")
      string(REPLACE " " "-" heading "${heading}")
      list(APPEND anchors "${heading}")
    endforeach()
    set_property(GLOBAL PROPERTY "anchors_${key}" "${anchors}")
  endif()
  get_property(anchors GLOBAL PROPERTY "anchors_${key}")
  set(${result} "${anchors}" PARENT_SCOPE)
endfunction()

# from: who says so; target: PATH or PATH#ANCHOR, the path absolute
function(check from target named)
  math(EXPR more "${count} + 1")
  set(count ${more} PARENT_SCOPE)
  string(REGEX MATCH "^[^#]+" path "${target}")
  if(NOT EXISTS "${path}")
    set(failures "${failures}  ${from} names ${named}, which does not exist\n" PARENT_SCOPE)
  elseif(target MATCHES "#(.+)$")
    set(anchor "${CMAKE_MATCH_1}")
    anchors_of("${path}" anchors)
    if(NOT anchor IN_LIST anchors)
      set(failures "${failures}  ${from} names ${named}, and the page has no such heading\n" PARENT_SCOPE)
    endif()
  endif()
endfunction()

file(GLOB_RECURSE speakers "${ROOT}/include/*.hpp" "${ROOT}/examples/*.[hc]pp" "${ROOT}/examples/*.sh" "${ROOT}/bench/*.[hc]pp"
  "${ROOT}/tests/*.[hc]pp" "${ROOT}/tests/*.sh" "${ROOT}/tests/*.py" "${ROOT}/tests/*CMakeLists.txt" "${ROOT}/cmake/*"
  "${ROOT}/test_package/*" "${ROOT}/docs/*.sh")
foreach(speaker IN LISTS speakers ITEMS "${ROOT}/CMakeLists.txt" "${ROOT}/conanfile.py")
  file(READ "${speaker}" text)
  string(REGEX MATCHALL "docs/[A-Za-z0-9_/-]+\\.md(#[a-z0-9_-]+)?" pages "${text}")
  list(REMOVE_DUPLICATES pages)
  foreach(page IN LISTS pages)
    check("${speaker}" "${ROOT}/${page}" "${page}")
  endforeach()
endforeach()

file(GLOB texts "${ROOT}/*.md")
file(GLOB_RECURSE more "${ROOT}/docs/*.md" "${ROOT}/examples/*.md" "${ROOT}/bench/*.md")
list(FILTER more EXCLUDE REGEX "/docs/site/")  # the reference's first page: its links hold in the site
foreach(page IN LISTS texts more)
  file(READ "${page}" text)
  cmake_path(GET page PARENT_PATH folder)
  string(REPLACE "](" "@(" text "${text}")  # a bracket would keep a list from being split
  string(REGEX MATCHALL "@\\([^) ]+" links "${text}")
  foreach(link IN LISTS links)
    string(SUBSTRING "${link}" 2 -1 link)
    if(link MATCHES "^#")
      check("${page}" "${page}${link}" "${link}")
    elseif(link MATCHES "[./]" AND NOT link MATCHES "^[a-z]+:")  # a lambda's parameters are no link
      check("${page}" "${folder}/${link}" "${link}")
    endif()
  endforeach()
endforeach()

if(failures)
  message(FATAL_ERROR "the documentation points to nothing:\n${failures}")
endif()
message(STATUS "${count} links and page names hold")
