#pragma once

#include <persona/core/error.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/param/subspace_basis.hpp>

namespace persona {

/// weight * |1 - sum_i w_i|, summed over the rows of SubspaceBasis: a term of BaTex's published code, whose script
/// leaves it at 0; the paper does not have it.
struct SumToOne {
  using plays = Plays<Role::regularizer>;
  double weight = 1;

  Tensor loss(const StepView& view) const {
    Tensor sum;
    for (const Leaf& leaf : view.leaves) {
      if (!SubspaceBasis::is_weights(leaf.name)) continue;
      const auto term = (1 - leaf.value.sum(1)).abs().sum();
      sum = sum.defined() ? sum + term : term;
    }
    if (!sum.defined())
      throw Error("SumToOne", "nothing of this sum is a weight of a basis", "add a SubspaceBasis, or take it out");
    return weight * sum;
  }
  Description describe() const { return {"SumToOne", {{"weight", weight}}}; }
};

}  // namespace persona
