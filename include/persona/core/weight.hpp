#pragma once

#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace persona {

/// What a weight does in its layer; parameterizations select by it.
enum class WeightKind { linear, conv2d, norm, bias, embedding };

/// Stride and zero padding, the same on both axes.
struct Conv2dShape {
  std::int64_t stride = 1, padding = 0;
};

/// A weight's change as a file holds it.
struct StoredChange {
  std::string form{};                       ///< who reads it, without dots; empty: it cannot be stored
  std::map<std::string, Tensor> tensors{};  ///< on the CPU; names without dots
};

namespace detail {
/// Throws Error where what an adapter makes of a weight has another shape.
inline const Tensor& like(const Tensor& value, const Tensor& base) {
  if (!value.defined() || value.sizes() != base.sizes())
    throw Error("value(base)",
                "a change of weights gives " +
                    (value.defined() ? shape_string(value.sizes()) : std::string("nothing")) + " for a weight of " +
                    shape_string(base.sizes()),
                "return a tensor shaped like the base");
  return value;
}
}  // namespace detail

/// What both kinds of weight change share: the leaves that an optimizer trains.
class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual std::vector<Leaf> leaves() const = 0;
  /// False where of `base` only shape, dtype and device are asked: then a run on a model of its own need not keep it.
  virtual bool reads_base() const { return true; }
  /// The change as it is now; a type with `static constexpr std::string_view form` and
  /// `static std::shared_ptr<const A> from(const StoredChange&, const WeightRef&, const std::filesystem::path& cache)`
  /// is read again.
  virtual StoredChange stored() const { return {}; }
  /// Throws Error naming the weight where the change means nothing on this base: asked before what one model learned is
  /// put into another.
  virtual void expect_base(const Tensor& /*base*/, const std::string& /*name*/) const {}
  /// A copy whose leaves are detached copies: what was learned so far, whatever training does next. Of the same kind
  /// (Replacement or Delta) as this.
  virtual std::shared_ptr<const Adapter> snapshot() const = 0;
};

/// Takes the place of a weight: y = R(x), defined on the untouched base W0. At most one a weight.
class Replacement : public Adapter {
 public:
  /// The replaced weight, shaped like `base`, differentiable in the leaves.
  virtual Tensor value(const Tensor& base) const = 0;
  /// value(base) - base, where it can be had with less rounding.
  virtual Tensor difference(const Tensor& base) const { return value(base) - base; }
  /// value(base) as it is written into a model of its own, where that can be had with less rounding.
  virtual Tensor written(const Tensor& base) const { return value(base); }
  virtual Tensor linear(const Tensor& x, const Tensor& base, const Tensor& bias) const {
    return at::linear(x, as_compute(detail::like(value(base), base), x), bias);
  }
  virtual Tensor conv2d(const Tensor& x, const Tensor& base, const Tensor& bias, Conv2dShape shape) const {
    return at::conv2d(x, as_compute(detail::like(value(base), base), x), bias, shape.stride, shape.padding);
  }
};

/// Adds to a weight: y = W0 x + D(x). Any number a weight; of a sum, each with leaves and a form of other names.
class Delta : public Adapter {
 public:
  /// The added weight, shaped like `base`, differentiable in the leaves.
  virtual Tensor value(const Tensor& base) const = 0;
  virtual Tensor linear(const Tensor& x, const Tensor& base) const {
    return at::linear(x, as_compute(detail::like(value(base), base), x));
  }
  /// y + D(x) for x [..., in] and y [..., out]; overridden where the sum costs less than its parts.
  virtual Tensor add_linear(const Tensor& y, const Tensor& x, const Tensor& base) const { return y + linear(x, base); }
  virtual Tensor conv2d(const Tensor& x, const Tensor& base, Conv2dShape shape) const {
    return at::conv2d(x, as_compute(detail::like(value(base), base), x), {}, shape.stride, shape.padding);
  }
};

/// A frozen base tensor and what is learned on top of it: y = R(x) + sum_i D_i(x). Copies share the base.
struct Weight {
  WeightKind kind = WeightKind::linear;
  Tensor base{};
  std::shared_ptr<const Replacement> replacement{};
  std::vector<std::shared_ptr<const Delta>> deltas{};

  bool adapted() const { return replacement || !deltas.empty(); }

  /// The weight as one tensor, shaped like `base`: the materialized plan, and the only one for norms, biases and
  /// tables.
  Tensor value() const { return sum(replacement ? replacement->value(base) : base); }
  /// The same to be written into a model of its own, rounded less.
  Tensor written() const { return sum(replacement ? replacement->written(base) : base); }

  /// x [..., in] -> [..., out]; `bias` may be undefined.
  Tensor linear(const Tensor& x, const Tensor& bias) const {
    auto y = replacement ? replacement->linear(x, base, bias) : at::linear(x, base, bias);
    for (const auto& delta : deltas) y = delta->add_linear(y, x, base);
    return y;
  }

  /// x [B, ci, H, W] -> [B, co, H', W']; `bias` may be undefined.
  Tensor conv2d(const Tensor& x, const Tensor& bias, Conv2dShape shape) const {
    auto y = replacement ? replacement->conv2d(x, base, bias, shape)
                         : at::conv2d(x, base, bias, shape.stride, shape.padding);
    for (const auto& delta : deltas) y = y + delta->conv2d(x, base, shape);
    return y;
  }

 private:
  Tensor sum(const Tensor& replaced) const {
    auto all = detail::like(replaced, base).to(base.scalar_type());
    for (const auto& delta : deltas) all = all + detail::like(delta->value(base), base).to(base.scalar_type());
    return all;
  }
};

/// A weight of the given shape without storage (a meta tensor): a loader fills it, and checks it against this shape.
inline Weight unfilled_weight(WeightKind kind, at::IntArrayRef shape) {
  return Weight{.kind = kind, .base = at::empty(shape, at::TensorOptions().device(at::kMeta).dtype(at::kFloat))};
}

namespace detail {
template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

inline std::string join_name(const std::string& prefix, std::string_view name) {
  if (prefix.empty() || name.empty()) return prefix + std::string(name);
  return prefix + "." + std::string(name);
}
}  // namespace detail

/// Calls f(name, weight) for every Weight below `node`, in declaration order, with dotted names.
/// A node is a Weight, a vector or optional of nodes, or a struct with `static void visit(self, f)` that calls
/// f("member", self.member) for each of its members.
template <class Node, class F>
void for_each_weight(Node& node, F&& f, const std::string& prefix = {}) {
  using N = std::remove_const_t<Node>;
  if constexpr (std::same_as<N, Weight>) {
    f(prefix, node);
  } else if constexpr (detail::is_vector<N>) {
    for (std::size_t i = 0; i < node.size(); ++i)
      for_each_weight(node[i], f, detail::join_name(prefix, std::to_string(i)));
  } else if constexpr (detail::is_optional<N>) {
    if (node) for_each_weight(*node, f, prefix);
  } else {
    N::visit(node,
             [&](std::string_view name, auto& child) { for_each_weight(child, f, detail::join_name(prefix, name)); });
  }
}

}  // namespace persona
