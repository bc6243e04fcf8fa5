#pragma once

#include <persona/core/hash.hpp>
#include <persona/core/tensor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace persona::detail {

/// A model's tensors, watched without being kept: copies share what they know.
class BaseTensors {
 public:
  BaseTensors() = default;
  explicit BaseTensors(const std::vector<Tensor>& tensors) {
    for (const Tensor& tensor : tensors) watched_->tensors.emplace_back(tensor.getIntrusivePtr());
  }

  /// Of all values; computed once, since nobody writes them and reading all takes a while.
  std::uint64_t fingerprint() const {
    if (!watched_->fingerprint) {
      std::uint64_t hash = 0;
      for_each([&](const Tensor& tensor) { hash = persona::hash_tensor(tensor, hash); });
      watched_->fingerprint = hash;
    }
    return *watched_->fingerprint;
  }
  /// Sum of the in-place version counters of those that are still there.
  std::int64_t versions() const {
    std::int64_t sum = 0;
    for_each([&](const Tensor& tensor) { sum += tensor.is_inference() ? 0 : tensor._version(); });
    return sum;
  }

 private:
  template <class F>
  void for_each(F&& f) const {
    for (const auto& weak : watched_->tensors)
      if (auto held = weak.lock()) f(Tensor(std::move(held)));
  }

  struct Watched {
    std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> tensors{};
    std::optional<std::uint64_t> fingerprint{};
  };
  std::shared_ptr<Watched> watched_ = std::make_shared<Watched>();
};

}  // namespace persona::detail
