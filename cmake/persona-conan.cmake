# Read by what Conan's CMakeDeps makes of the package: links what the package requires also where Conan takes it from the
# system (platform_requires), and makes persona::torch out of whatever LibTorch there is.

include("${CMAKE_CURRENT_LIST_DIR}/persona-torch.cmake")
if(NOT TARGET persona::torch)
  message(FATAL_ERROR "${persona_torch_missing}")
endif()
find_package(range-v3 REQUIRED)
set_property(TARGET persona::persona APPEND PROPERTY INTERFACE_LINK_LIBRARIES persona::torch range-v3::range-v3)
if(TARGET persona::images)
  find_package(PNG REQUIRED)
  find_package(JPEG REQUIRED)
  set_property(TARGET persona::images APPEND PROPERTY INTERFACE_LINK_LIBRARIES PNG::PNG JPEG::JPEG)
endif()
if(TARGET persona::stable_diffusion)
  find_package(nlohmann_json REQUIRED)
  include("${CMAKE_CURRENT_LIST_DIR}/persona-utf8proc.cmake")
  if(NOT TARGET persona::utf8proc)
    message(FATAL_ERROR "${persona_utf8proc_missing}")
  endif()
  set_property(TARGET persona::stable_diffusion APPEND PROPERTY INTERFACE_LINK_LIBRARIES
    nlohmann_json::nlohmann_json persona::utf8proc)
endif()
