#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/init/encoder_output.hpp>
#include <persona/init/mean_of_names.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace persona {

/// Cross Initialization (Pang et al., CVPR 2024, Eq. 3): rows start at E(mean of the names' rows), the text encoder's
/// output, after its final norm, at positions 1..n of [BOS, means, ...].
struct CrossInit {
  using plays = Plays<Role::initializer>;
  std::vector<std::string> names{};          ///< people the model knows, "First Last"; the paper takes 691
  NameColumns columns = NameColumns::words;  ///< how a name's pieces are assigned to rows
  bool use_encoder = true;  ///< false: the means themselves (the ablation without Cross Initialization)

  /// [n, D]; throws Error without names, or where a column is empty or the encoder's output is not as wide as its rows.
  template <class Model>
  Tensor rows(const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    const auto n = context.current().vectors;
    const auto means = mean_of_names(model, names, n, columns);
    if (!use_encoder) return means;
    return encoder_output(model, means, "CrossInit");
  }
  /// The paper's, for rows that start at E(mean); the means themselves need as many as their parameterization says.
  std::optional<std::int64_t> default_steps() const {
    if (!use_encoder) return {};
    return 320;
  }
  Description describe() const {
    return {"CrossInit", {{"names", names}, {"columns", columns}, {"use_encoder", use_encoder}}};
  }
};

}  // namespace persona
