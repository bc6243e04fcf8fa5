include(CMakeFindDependencyMacro)
find_dependency(persona)
include("${CMAKE_CURRENT_LIST_DIR}/portrait-targets.cmake")
