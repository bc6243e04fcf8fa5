#pragma once
// Stable Diffusion 1.x and 2.x: the model that everything in persona.hpp takes, its parts, its folders.

#include <persona/stable_diffusion/init_weights.hpp>
#include <persona/stable_diffusion/save_folder.hpp>
#include <persona/stable_diffusion/stable_diffusion.hpp>
