#pragma once

#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// Weights of a module of LibTorch's, each with a slot of its own here; for the length of one call the module is given
/// what stands in the slots, and then its own tensors back. Copies share the module and have their own slots, so that
/// one copy is changed and the others are not.
class ReboundWeights {
 public:
  /// Puts a tensor where the module reads it; keeps the module alive.
  using Set = std::function<void(const Tensor&)>;

  /// `own` is the module's tensor: it is lent without its gradient, since a base is never trained.
  void add(std::string name, WeightKind kind, Tensor own, Set set) {
    const auto base = own.requires_grad() ? own.detach() : own;
    entries_.push_back({std::move(name), kind, std::move(own), base, base, std::move(set)});
  }

  /// One reference a weight; they hold while this object stays and none is added. What bake() put into a slot is its
  /// base from then on.
  std::vector<WeightRef> refs() {
    std::vector<WeightRef> refs;
    for (Entry& entry : entries_) {
      if (!entry.current.requires_grad()) entry.base = entry.current;
      refs.push_back({.name = entry.name, .host = {}, .kind = entry.kind, .base = entry.base, .slot = &entry.current});
    }
    return refs;
  }

  /// The module reads the slots while this lives; calls through copies wait for one another.
  class Scope {
   public:
    explicit Scope(const ReboundWeights& weights) : lock_(*weights.mutex_), weights_(weights) {
      for (const Entry& entry : weights_.entries_)
        if (!entry.current.is_same(entry.own)) entry.set(entry.current);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      for (const Entry& entry : weights_.entries_)
        if (!entry.current.is_same(entry.own)) entry.set(entry.own);
    }

   private:
    std::unique_lock<std::mutex> lock_;
    const ReboundWeights& weights_;
  };

 private:
  struct Entry {
    std::string name;
    WeightKind kind;
    Tensor own, base, current;
    Set set;
  };
  std::vector<Entry> entries_{};
  std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
};

namespace detail {
/// What a parameter of one of LibTorch's layers does there; nothing where it cannot be changed.
inline std::optional<WeightKind> kind_of_parameter(std::string_view layer, std::string_view parameter,
                                                   std::int64_t axes) {
  if (parameter.ends_with("bias")) return axes == 1 ? std::optional(WeightKind::bias) : std::nullopt;
  if (layer.find("Embedding") != layer.npos) return axes == 2 ? std::optional(WeightKind::embedding) : std::nullopt;
  if (layer.find("Transpose") != layer.npos) return std::nullopt;  // its kernel stands the other way round
  if (axes == 1) return WeightKind::norm;
  if (axes == 2) return WeightKind::linear;
  if (axes == 4) return WeightKind::conv2d;
  return std::nullopt;
}
}  // namespace detail

}  // namespace persona
