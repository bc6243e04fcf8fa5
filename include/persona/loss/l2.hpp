#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/loss/step_view.hpp>

#include <string>
#include <string_view>

namespace persona {

/// How L2Reg measures the distance of the rows from their start.
enum class L2Form {
  squared,        ///< ||v - v_init||^2 over all entries: Cross Initialization, Eq. 4 and 5 (the paper)
  mean_of_norms,  ///< mean over rows of ||v - v_init + 1e-6||: the published code's
                  ///< torch.nn.functional.pairwise_distance
};

inline std::string_view to_string(L2Form form) {
  switch (form) {
    case L2Form::squared: return "squared";
    case L2Form::mean_of_norms: return "mean_of_norms";
  }
  return "";
}

/// weight * distance of the rows from where they started (Cross Initialization's regularizer; 1e-5 in the paper),
/// summed over subjects; of rows by layer, `squared` sums over the layers too, and `mean_of_norms` takes the mean; of
/// rows that differ by sample, both take the samples' mean. The start of rows by layer or timestep is the
/// Initializer's, for all of them, also where they go on from learned ones (LayeredRows::from).
struct L2Reg {
  using plays = Plays<Role::regularizer>;
  double weight = 1e-5;
  L2Form form = L2Form::squared;

  Tensor loss(const StepView& view) const {
    if (view.rows.empty())
      throw Error("L2Reg", "this sum trains no token rows", "add an Initializer, or a regularizer of what is trained");
    if (!(weight >= 0)) throw Error("L2Reg", ".weight is " + std::to_string(weight), "0 or more");
    Tensor sum;
    for (std::size_t i = 0; i < view.rows.size(); ++i) {
      const auto difference = view.rows[i] - view.initial_rows[i];
      const double samples = difference.dim() == 4 ? static_cast<double>(difference.size(1)) : 1.0;
      const auto term = form == L2Form::squared ? difference.square().sum() / samples
                                                : at::linalg_vector_norm(difference + 1e-6, 2, {-1}).mean();
      sum = sum.defined() ? sum + term : term;
    }
    return weight * sum;
  }
  Description describe() const { return {"L2Reg", {{"weight", weight}, {"form", form}}}; }
};

}  // namespace persona
