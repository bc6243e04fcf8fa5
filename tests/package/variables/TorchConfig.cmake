# A LibTorch package of the kind that defines variables and no target.
set(TORCH_LIBRARIES "${PERSONA_MOCK_LIBRARIES}")
set(TORCH_INCLUDE_DIRS "${PERSONA_MOCK_INCLUDES}")
set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=1")
set(Torch_FOUND TRUE)
