# Which header belongs to which target, by its path below include/persona/: what needs libpng or libjpeg, what needs
# nlohmann-json or utf8proc, what wraps LibTorch's own modules, the opt-in folders; all the rest is persona::persona's. The
# test `floors` checks that no header includes one of a target that its own target does not link.

set(PERSONA_IMAGES_HEADERS "^(images|data/read_photos|io/(png|jpeg|read_image|report)|generate/run_report)\\.hpp$")
set(PERSONA_STABLE_DIFFUSION_HEADERS "^(stable_diffusion\\.hpp|stable_diffusion/.*|io/json\\.hpp)$")
set(PERSONA_LIBTORCH_HEADERS "^libtorch/")
set(PERSONA_OPT_IN_HEADERS "^(cuda|distributed)/")
