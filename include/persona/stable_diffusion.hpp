#pragma once
// Stable Diffusion 1.x and 2.x: loading, and the model that everything in persona.hpp takes.

#include <persona/stable_diffusion/init_weights.hpp>
#include <persona/stable_diffusion/stable_diffusion.hpp>
