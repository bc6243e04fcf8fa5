#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/base_sketch.hpp>
#include <persona/param/spectral_factors.hpp>
#include <persona/param/subset.hpp>
#include <persona/param/vector_shift.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace persona {

/// What is learned of 1-D weights.
enum class VectorForm {
  shift,  ///< one number an entry, added (SVDiff: "all 1-D weights", full length)
  scale   ///< one number a weight, as svdiff-pytorch has it
};

inline std::string_view to_string(VectorForm form) {
  switch (form) {
    case VectorForm::shift: return "shift";
    case VectorForm::scale: return "scale";
  }
  return "";
}

/// SVDiff (Han et al. 2023): W' = U diag(relu(s + delta)) V^T of every weight chosen; only delta is trained, from 0.
/// Scales of norms get a shift of their own length, at a rate of their own; biases are left alone.
struct SpectralShift {
  using plays = Plays<Role::weight_parameterization>;
  Subset weights = subsets::unet();
  VectorForm vectors = VectorForm::shift;
  double vector_lr_scale = 1e-3;  ///< of the learning rate of 1-D weights: the authors' 1e-6 where others have 1e-3
  bool residual = false;          ///< add W - U diag(s) V^T back, as the authors' code does: one more product a layer
  SpectralPlan plan = SpectralPlan::automatic;

  bool selects(const WeightRef& ref) const { return ref.kind != WeightKind::bias && weights(ref); }

  /// How many numbers are trained of a weight.
  std::int64_t shifts(const WeightRef& ref) const {
    const auto rows = ref.base.size(0);
    if (ref.base.dim() == 1) return vectors == VectorForm::shift ? rows : 1;
    return std::min(rows, ref.base.numel() / rows);
  }

  /// Throws Error where the weight is neither a vector, a matrix nor a kernel, or is not finite.
  std::shared_ptr<const Replacement> bind(const WeightRef& ref, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    const auto& base = ref.base;
    if (!(vector_lr_scale >= 0) || !std::isfinite(vector_lr_scale))
      throw Error("SpectralShift: .vector_lr_scale", "is " + std::to_string(vector_lr_scale), "0 or more");
    if (base.dim() != 1 && base.dim() != 2 && base.dim() != 4)
      throw Error("SpectralShift: " + ref.full_name(), "has " + std::to_string(base.dim()) + " axes",
                  "a vector, a matrix or a convolution's kernel can be shifted: leave it out of .weights");
    if (!at::isfinite(base).all().item<bool>())
      throw Error("SpectralShift: " + ref.full_name(), "is not finite", "is the model's file whole?");
    auto delta = make_leaf("delta", at::zeros({shifts(ref)}, base.options()));
    if (base.dim() == 1) {
      delta.lr_scale = vector_lr_scale;
      if (vectors == VectorForm::shift)
        return std::make_shared<VectorShift>(std::move(delta), BaseSketch::of(ref.base));
      return std::make_shared<VectorScale>(std::move(delta), BaseSketch::of(ref.base));
    }
    return SpectralFactors::of(base, std::move(delta), plan, residual, context.cache);
  }

  double default_learning_rate() const { return 1e-3; }
  std::int64_t default_steps() const { return 500; }
  Description describe() const {
    return {"SpectralShift",
            {{"weights", weights.name},
             {"vectors", vectors},
             {"vector_lr_scale", vector_lr_scale},
             {"residual", residual},
             {"plan", plan}}};
  }
};

}  // namespace persona
