#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/param/name_basis.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// Celeb Basis (Yuan et al., NeurIPS 2023): one linear layer with LeakyReLU(0.2) makes the coefficients of CelebBasis
/// from a face's recogniser feature, each row's of length one: v_c = mean_c + sum_i a_ci b_ci / |a_c|. The layer is
/// trained, n x K x (F + 1) floats; its weights start at N(0, 1) without scaling, as in the published code. Where the
/// rows started does not matter. The published code keeps a running average of the coefficients and saves that; here
/// what is learned is what was trained.
struct CelebMapper {
  using plays = Plays<Role::row_parameterization>;
  std::vector<std::string> names{};  ///< people the model knows, "First Last"
  Tensor feature{};  ///< [F], what a face recogniser says of the photo; its length does not matter; or [N, F], one for
                     ///< each subject, in their order
  std::int64_t components = 512;  ///< at most; fewer where the names span fewer
  NameColumns columns = NameColumns::pieces;

  struct State {
    Leaf weight{}, bias{};  ///< [n K, F], [n K]
    Tensor feature{};       ///< [F] of length one
    NameBasis basis{};
    std::vector<Leaf> leaves() const { return {weight, bias}; }
    /// [n, D].
    Tensor rows() const {
      const auto out = at::leaky_relu(weight.value.matmul(as_compute(feature, weight.value)) + bias.value, 0.2);
      return basis.rows(out.view({basis.directions.size(0), basis.directions.size(1)}), /*unit_norm=*/true);
    }
  };

  /// The mapper with the feature of subject i of n; throws Error where there is none for each.
  CelebMapper of_subject(std::size_t i, std::size_t n) const {
    if (!feature.defined() || feature.numel() == 0)
      throw Error("CelebMapper", "no face feature", "give .feature = what a face recogniser says of the photo");
    if (feature.dim() == 1 && n == 1) return *this;
    if (feature.dim() != 2 || feature.size(0) != static_cast<std::int64_t>(n))
      throw Error("CelebMapper",
                  "a face feature of shape " + shape_string(feature.sizes()) + " for " + std::to_string(n) +
                      (n == 1 ? " subject" : " subjects"),
                  "give .feature [F] for one subject, or [N, F], one for each subject in their order");
    auto own = *this;
    own.feature = feature[static_cast<std::int64_t>(i)];
    return own;
  }

  /// Throws Error without names, or a feature for every subject.
  template <class Model>
  State bind(const Tensor& rows, const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    const auto flat = of_subject(context.subject, context.subjects.size()).feature.detach().to(at::kFloat);
    const double length = at::linalg_vector_norm(flat).item<double>();
    if (!(length > 0) || !std::isfinite(length))
      throw Error("CelebMapper", "the face feature is zero or not finite", "look at what the recogniser gives");
    State state{.basis = NameBasis::of(model, names, rows.size(0), columns, components, "CelebMapper")};
    if (state.basis.directions.size(1) < 2)
      throw Error("CelebMapper", "there is one direction, and coefficients of length one say nothing on it",
                  "give more names (the paper has 691), or more .components");
    const auto device = state.basis.means.device();
    const auto out = state.basis.directions.size(0) * state.basis.directions.size(1);
    state.feature = (flat / length).to(device);
    state.weight = make_leaf("weight", at::randn({out, flat.size(0)}, context.generator()).to(device));
    state.bias = make_leaf("bias", at::zeros({out}, state.basis.means.options()));
    return state;
  }
  double default_learning_rate() const { return 1e-2; }
  std::int64_t default_steps() const { return 400; }
  Description describe() const {
    return {"CelebMapper",
            {{"names", names},
             {"feature", feature.defined() ? persona::hash_tensor(feature) : std::uint64_t{0}},
             {"components", components},
             {"columns", columns}}};
  }
};

}  // namespace persona
