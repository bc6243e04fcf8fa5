#pragma once
// What generated images are scored by; bring the networks.

#include <persona/metric/clip_score.hpp>
#include <persona/metric/identity.hpp>
#include <persona/metric/perceptual.hpp>
#include <persona/metric/probe.hpp>
