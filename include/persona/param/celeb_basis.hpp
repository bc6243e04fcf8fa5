#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/param/name_basis.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace persona {

/// Celeb Basis (Yuan et al., NeurIPS 2023): v_c = mean_c + sum_i a_ci b_ci over the principal directions of the names'
/// c-th rows; only the coefficients a are trained, n x components floats. This is the direct form, the published code's
/// `use_rm_mlp`; CelebMapper has the coefficients made from a face's feature. They start at the projection of the
/// initial rows (a mean row where these are the names' mean).
struct CelebBasis {
  using plays = Plays<Role::row_parameterization>;
  std::vector<std::string> names{};  ///< people the model knows, "First Last"
  std::int64_t components = 512;     ///< at most; fewer where the names span fewer
  NameColumns columns = NameColumns::pieces;
  bool unit_norm = false;  ///< |v_c - mean_c| = 1, as in the mapper's form; else raw

  struct State {
    Leaf coefficients{};  ///< [n, K]
    NameBasis basis{};
    bool unit_norm = false;
    std::vector<Leaf> leaves() const { return {coefficients}; }
    /// [n, D].
    Tensor rows() const { return basis.rows(coefficients.value, unit_norm); }
  };

  /// rows [n, D] -> n x K coefficients. Throws Error where there are no names, or none has an n-th word.
  template <class Model>
  State bind(const Tensor& rows, const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    State state{.basis = NameBasis::of(model, names, rows.size(0), columns, components, "CelebBasis"),
                .unit_norm = unit_norm};
    auto start = state.basis.project(rows);
    // a direction is needed where a row lies at the mean itself
    if (const auto at_mean = at::linalg_vector_norm(start, 2, {1}, true) < 1e-6;
        unit_norm && at_mean.any().template item<bool>())
      start = at::where(at_mean, start + at::randn(start.sizes(), context.generator()).to(start.device()), start);
    state.coefficients = make_leaf("coefficients", start);
    return state;
  }
  double default_learning_rate() const { return 1e-2; }
  std::int64_t default_steps() const { return 400; }
  Description describe() const {
    return {"CelebBasis",
            {{"names", names}, {"components", components}, {"columns", columns}, {"unit_norm", unit_norm}}};
  }
};

}  // namespace persona
