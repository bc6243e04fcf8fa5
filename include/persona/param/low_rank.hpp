#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/model/weight_host.hpp>
#include <persona/param/low_rank_factors.hpp>
#include <persona/param/subset.hpp>
#include <persona/param/thin_svd.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace persona {

/// How the factors of a low-rank change begin.
enum class LowRankInit {
  gaussian,  ///< A ~ N(0, 1 / r^2), B = 0 (diffusers' scripts)
  uniform,   ///< A ~ U(-1 / sqrt(n), 1 / sqrt(n)), B = 0 (peft, kohya)
  pissa      ///< the r largest singular values and vectors of the base, which is let go of them (Meng et al. 2024)
};

inline std::string_view to_string(LowRankInit init) {
  switch (init) {
    case LowRankInit::gaussian: return "gaussian";
    case LowRankInit::uniform: return "uniform";
    case LowRankInit::pissa: return "pissa";
  }
  return "";
}

/// LoRA (Hu et al. 2022): W' = W + (alpha / r) B A of every weight chosen, linear or convolution; A and B are trained.
struct LowRank {
  using plays = Plays<Role::weight_parameterization>;
  std::int64_t rank = 4;
  double alpha = 0;              ///< 0: the rank, so that the scale is 1
  bool rank_stabilized = false;  ///< scale alpha / sqrt(r) (Kalajdzievski 2023)
  LowRankInit init = LowRankInit::gaussian;
  Subset weights = subsets::attention();
  double lr_scale = 1;  ///< of the learning rate: beside a parameterization that wants another

  bool selects(const WeightRef& ref) const { return weights(ref); }
  double scale() const {
    const auto r = static_cast<double>(rank), a = alpha > 0 ? alpha : r;
    return a / (rank_stabilized ? std::sqrt(r) : r);
  }

  /// Throws Error where the weight is neither a matrix nor a kernel, .alpha is negative, or, for PiSSA, the weight has
  /// no such rank.
  std::shared_ptr<LowRankFactors> bind(const WeightRef& ref, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    auto [a, b] = factors(ref, context);
    a.lr_scale = b.lr_scale = lr_scale;
    LowRankStart start;
    if (init == LowRankInit::pissa) start = {a.value.detach().clone(), b.value.detach().clone()};
    return std::make_shared<LowRankFactors>(std::move(a), std::move(b), scale(), std::move(start));
  }
  /// A and B as they begin.
  std::pair<Leaf, Leaf> factors(const WeightRef& ref, const BindContext& context) const {
    expect_fits(ref);
    auto shape = ref.base.sizes().vec();
    const auto m = shape[0], n = ref.base.numel() / m;
    shape[0] = rank;
    const auto options = ref.base.options().dtype(at::kFloat);
    if (init == LowRankInit::pissa) {
      if (!at::isfinite(ref.base).all().item<bool>())
        throw Error("LowRank: " + ref.full_name(), "the base weight has values that are not finite",
                    "it has no decomposition to start from: is the model's file whole?");
      const auto svd = thin_svd(ref.base.flatten(1));
      const auto root = at::sqrt(svd.s.slice(0, 0, rank) / scale());
      return {make_leaf("lora_A", (root.unsqueeze(1) * svd.vt.slice(0, 0, rank)).reshape(shape)),
              make_leaf("lora_B", svd.u.slice(1, 0, rank) * root)};
    }
    // Keyed by name: one weight more or less moves no other's.
    const auto generator =
        context.random.at(Stream::initialization, static_cast<std::int64_t>(hash_text(ref.full_name())));
    const auto a = init == LowRankInit::gaussian
                       ? at::randn(shape, generator, options) / static_cast<double>(rank)
                       : (2 * at::rand(shape, generator, options) - 1) / std::sqrt(static_cast<double>(n));
    return {make_leaf("lora_A", a), make_leaf("lora_B", at::zeros({m, rank}, options))};
  }

  double default_learning_rate() const { return 1e-4; }
  std::int64_t default_steps() const { return 500; }
  Description describe() const {
    return {"LowRank",
            {{"rank", rank},
             {"alpha", alpha},
             {"rank_stabilized", rank_stabilized},
             {"init", init},
             {"weights", weights.name},
             {"lr_scale", lr_scale}}};
  }

 private:
  void expect_fits(const WeightRef& ref) const {
    const auto& base = ref.base;
    if (base.dim() != 2 && base.dim() != 4)
      throw Error("LowRank: " + ref.full_name(), "has " + std::to_string(base.dim()) + " axes",
                  "a matrix or a convolution's kernel has a rank: leave it out of .weights");
    if (!(alpha >= 0) || !std::isfinite(alpha))
      throw Error("LowRank: .alpha", "is " + std::to_string(alpha), "above 0, or 0 for the rank");
    if (!(lr_scale >= 0) || !std::isfinite(lr_scale))
      throw Error("LowRank: .lr_scale", "is " + std::to_string(lr_scale), "0 or more");
    const auto most = std::min(base.size(0), base.numel() / base.size(0));
    if (rank < 1 || (init == LowRankInit::pissa && rank > most))
      throw Error("LowRank: " + ref.full_name(), ".rank is " + std::to_string(rank),
                  "between 1 and " + std::to_string(most) + " here");
  }
};

}  // namespace persona
