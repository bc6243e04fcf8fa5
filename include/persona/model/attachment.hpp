#pragma once

#include <persona/core/error.hpp>
#include <persona/core/weight.hpp>
#include <persona/model/weight_host.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

/// The changes that hang on one weight of a model, taken off again when this goes out of scope.
class Attachment {
 public:
  explicit Attachment(WeightRef ref) : ref_(std::move(ref)) { changed_.base = ref_.base; }
  Attachment(Attachment&& other) noexcept
      : ref_(std::move(other.ref_)),
        changed_(std::move(other.changed_)),
        attached_(std::exchange(other.attached_, false)) {}
  Attachment& operator=(Attachment&& other) noexcept {
    if (this != &other) {
      detach();
      ref_ = std::move(other.ref_);
      changed_ = std::move(other.changed_);
      attached_ = std::exchange(other.attached_, false);
    }
    return *this;
  }
  ~Attachment() { detach(); }

  const WeightRef& ref() const { return ref_; }
  /// The weight with its changes as one tensor, for a model of its own.
  Tensor written() const { return changed_.written(); }

  /// Hangs a Replacement or a Delta on the weight; a second Replacement throws Error.
  template <class AdapterPtr>
  void add(AdapterPtr adapter) {
    if constexpr (std::is_convertible_v<AdapterPtr, std::shared_ptr<const Replacement>>) {
      if (changed_.replacement || replaced())
        throw Error(ref_.full_name(), "two components replace this weight",
                    "a weight takes one Replacement (spectral shift, full weights, DoRA) and any number of Deltas");
      changed_.replacement = adapter;
      if (auto** weight = std::get_if<Weight*>(&ref_.slot)) (*weight)->replacement = adapter;
    } else {
      changed_.deltas.push_back(adapter);
      if (auto** weight = std::get_if<Weight*>(&ref_.slot)) (*weight)->deltas.push_back(adapter);
    }
    attached_ = true;
  }

  /// Lets go of a base that nothing reads any more, and leaves NaNs of its shape that take no memory. For models that
  /// no one else has: the weight does not come back.
  void let_go() {
    auto** weight = std::get_if<Weight*>(&ref_.slot);
    const auto reads = [](const auto& adapter) { return adapter->reads_base(); };
    if (!weight || !changed_.replacement || reads(changed_.replacement) ||
        std::ranges::any_of(changed_.deltas, reads) || (*weight)->deltas.size() != changed_.deltas.size())
      return;
    const auto nothing = at::full({1}, std::numeric_limits<double>::quiet_NaN(), ref_.base.options());
    (*weight)->base = changed_.base = ref_.base = nothing.expand(ref_.base.sizes());
  }

  /// Slots that hold a plain tensor are given the weight as the leaves have it now; call it before each step.
  void refresh() const {
    if (auto* const* tensor = std::get_if<Tensor*>(&ref_.slot)) **tensor = changed_.value();
    if (auto* set = std::get_if<std::function<void(const Tensor&)>>(&ref_.slot)) (*set)(changed_.value());
  }

 private:
  bool replaced() const {
    auto* const* weight = std::get_if<Weight*>(&ref_.slot);
    return weight && (*weight)->replacement;
  }
  void detach() noexcept {
    if (!std::exchange(attached_, false)) return;
    if (auto** weight = std::get_if<Weight*>(&ref_.slot)) {
      if (changed_.replacement) (*weight)->replacement.reset();
      std::erase_if((*weight)->deltas, [&](const auto& delta) {
        return std::ranges::find(changed_.deltas, delta) != changed_.deltas.end();
      });
    } else if (auto** tensor = std::get_if<Tensor*>(&ref_.slot)) {
      **tensor = ref_.base;
    } else if (auto* set = std::get_if<std::function<void(const Tensor&)>>(&ref_.slot)) {
      (*set)(ref_.base);
    }
  }

  WeightRef ref_;
  Weight changed_{};
  bool attached_ = false;
};

}  // namespace persona
