#pragma once

#include <persona/core/error.hpp>
#include <persona/core/tensor.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace persona {

/// One expected dimension: a number, or a name that any size satisfies.
struct Dim {
  Dim(std::int64_t size) : size(size) {}  // NOLINT: a shape reads as {2, "D"}
  Dim(const char* name) : name(name) {}   // NOLINT
  Dim(std::int64_t size, const char* name) : size(size), name(name) {}
  std::int64_t size = -1;
  std::string_view name;
};

/// "[2, 77, 768]".
inline std::string shape_string(at::IntArrayRef sizes) {
  std::string text = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) text += (i ? ", " : "") + std::to_string(sizes[i]);
  return text + "]";
}

/// Throws Error naming `where`, the expected and the found shape unless `x` has the shape `expected`.
inline void expect_shape(const Tensor& x, std::initializer_list<Dim> expected, const std::string& where,
                         const std::string& hint = {}) {
  bool same = x.defined() && x.dim() == static_cast<std::int64_t>(expected.size());
  std::string wanted = "[";
  std::int64_t axis = 0;
  for (const Dim& dim : expected) {
    if (same && dim.size >= 0 && x.size(axis) != dim.size) same = false;
    wanted += axis++ ? ", " : "";
    wanted += dim.name;
    if (dim.size >= 0) wanted += (dim.name.empty() ? "" : " = ") + std::to_string(dim.size);
  }
  if (same) return;
  throw Error(where,
              "expected a tensor of shape " + wanted + "], got " +
                  (x.defined() ? shape_string(x.sizes()) : std::string("an undefined tensor")),
              hint);
}

}  // namespace persona
