#pragma once
// For testing components, the library's own and yours: a tiny deterministic model, and the invariants that every sum
// must keep.

#include <persona/testing/invariants.hpp>
#include <persona/testing/tiny_model.hpp>
