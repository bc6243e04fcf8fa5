#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/io/adapter_keys.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/learned/learned.hpp>
#include <persona/param/layered_rows.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace persona {

namespace detail {
/// Rows by layer as kohya's 16 tensors [n, D].
inline std::map<std::string, Tensor> xti_tensors(const LearnedRows& row) {
  const auto found = row.stored.tensors.find("rows");
  if (row.stored.form != LayeredRows::State::form || found == row.stored.tensors.end() ||
      found->second.size(0) != static_cast<std::int64_t>(xti_layer_names.size()))
    throw Error("export_to", "'" + row.token + "' is not rows for 16 layers",
                "kohya's XTI form holds what LayeredRows learns on a Stable Diffusion UNet");
  std::map<std::string, Tensor> tensors;
  for (std::size_t i = 0; i < xti_layer_names.size(); ++i)
    tensors.emplace(xti_layer_names[i], found->second[static_cast<std::int64_t>(i)].contiguous());
  return tensors;
}

inline void expect_rows(const Tensor& rows, at::ScalarType stored, const std::string& where) {
  if (!at::isFloatingType(stored))
    throw Error(where, std::string("holds ") + at::toString(stored) + " numbers", "rows are floating-point numbers");
  if (rows.numel() == 0) throw Error(where, "is of shape " + shape_string(rows.sizes()), "there is nothing in it");
  if (!at::isfinite(rows).all().item<bool>())
    throw Error(where, "holds numbers that are not finite", "what learned them went wrong: take an earlier file");
}

inline LearnedRows read_xti(const SafeTensors& file, const std::filesystem::path& path, std::string token) {
  std::vector<Tensor> layers;
  for (const char* name : xti_layer_names) {
    const auto stored = file.load(name);
    const auto where = path.string() + ": " + name;
    expect_shape(stored, {"vectors", "D"}, where);
    layers.push_back(stored.to(at::kFloat));
    expect_shape(layers.back(), {{layers.front().size(0), "vectors"}, {layers.front().size(1), "D"}}, where,
                 "all layers have rows of one shape");
    expect_rows(layers.back(), stored.scalar_type(), where);
  }
  LearnedRows row{.token = std::move(token), .rows = at::stack(layers).mean(0)};
  const auto state = LayeredRows::State::from({.tensors = {{"rows", at::stack(layers)}}});
  row.stored = state.stored();
  row.layered = [state](const RowQuery& query) { return state.rows(query); };
  return row;
}
}  // namespace detail

}  // namespace persona
