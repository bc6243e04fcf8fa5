# Makes persona::torch out of whatever LibTorch there is: the target `torch` (LibTorch's own package, vcpkg),
# `libtorch::libtorch` or `libtorch::torch` (Conan), or the variables TORCH_*. Only the name persona::torch is ever
# exported, so that no path of one machine gets into an installed file. Without LibTorch the target is not made and
# persona_torch_missing says what to do. Used by the source tree and, installed, by persona-config.cmake.

if(NOT TARGET persona::torch)
  if(NOT (TARGET torch OR TARGET libtorch::libtorch OR TARGET libtorch::torch OR TORCH_LIBRARIES))
    set(persona_targets_global "${CMAKE_FIND_PACKAGE_TARGETS_GLOBAL}")
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # else a parent directory does not see what LibTorch's targets link
    find_package(Torch QUIET)
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL "${persona_targets_global}")
    unset(persona_targets_global)
  endif()

  set(persona_torch_of)
  foreach(candidate IN ITEMS torch libtorch::libtorch libtorch::torch)
    if(TARGET ${candidate} AND NOT persona_torch_of)
      set(persona_torch_of ${candidate})
    endif()
  endforeach()
  if(NOT persona_torch_of AND TORCH_LIBRARIES)
    set(persona_torch_of ${TORCH_LIBRARIES})
    set(persona_torch_from_variables TRUE)
  endif()

  if(persona_torch_of AND Torch_VERSION AND Torch_VERSION VERSION_LESS 2.11)
    set(persona_torch_missing
      "persona needs LibTorch 2.11 or newer and found ${Torch_VERSION} (${Torch_DIR}): set Torch_DIR or CMAKE_PREFIX_PATH to a \
newer one, or run 'bash cmake/setup.sh' in persona's sources.")
  elseif(persona_torch_of)
    add_library(persona::torch INTERFACE IMPORTED GLOBAL)
    # PyTorch's Linux builds export an older std::filesystem of their own (pytorch/pytorch#133437), whose remove_all crashes
    # newer callers: the system's C++ library is to be found first.
    if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
      target_link_libraries(persona::torch INTERFACE "-Wl,--push-state,--no-as-needed,-lstdc++,--pop-state")
    endif()
    target_link_libraries(persona::torch INTERFACE ${persona_torch_of})
    if(persona_torch_from_variables)
      target_include_directories(persona::torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
      separate_arguments(persona_torch_flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
      target_compile_options(persona::torch INTERFACE ${persona_torch_flags})
      unset(persona_torch_flags)
    endif()
  else()
    set(persona_torch_missing
      "persona needs LibTorch 2.11 or newer and found none: set Torch_DIR or CMAKE_PREFIX_PATH to it (for a Python wheel: \
'python3 -c \"import torch; print(torch.utils.cmake_prefix_path)\"'), or run 'bash cmake/setup.sh' in persona's sources.")
  endif()
  unset(persona_torch_of)
  unset(persona_torch_from_variables)
endif()
