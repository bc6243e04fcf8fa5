# A LibTorch that is found and too old, as a distribution may have one.
add_library(torch INTERFACE IMPORTED)
set(TORCH_LIBRARIES torch)
set(Torch_FOUND TRUE)
