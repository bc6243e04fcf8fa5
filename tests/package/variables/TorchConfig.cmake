# A LibTorch package of the kind that defines variables and no target; MACHINE says where the real one is.
include("${MACHINE}")
set(TORCH_LIBRARIES "${TORCH_LIBRARY_FILES}")
set(TORCH_INCLUDE_DIRS "${TORCH_INCLUDE_DIRECTORIES}")
set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=1")
set(Torch_FOUND TRUE)
