#pragma once
#include <persona/persona.hpp>

#include <persona/images.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/testing.hpp>
