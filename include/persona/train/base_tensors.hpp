#pragma once

#include <persona/core/hash.hpp>
#include <persona/core/tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace persona::detail {

/// A model's tensors, watched for writes. Copies share what they know.
class BaseTensors {
 public:
  BaseTensors() = default;
  /// Not kept, they may go when the model lets go of them; their fingerprint is then taken at once.
  BaseTensors(std::vector<Tensor> tensors, bool keep) {
    for (const Tensor& tensor : tensors) {
      watched_->tensors.emplace_back(tensor.getIntrusivePtr());
      watched_->versions.push_back(version(tensor));
    }
    if (!keep) (void)fingerprint();
    if (keep) watched_->kept = std::move(tensors);
  }

  /// Of all values; computed once, since nobody writes them and reading all takes a while.
  std::uint64_t fingerprint() const {
    if (!watched_->fingerprint) {
      std::uint64_t hash = 0;
      for_each([&](const Tensor& tensor, std::size_t) { hash = persona::hash_tensor(tensor, hash); });
      watched_->fingerprint = hash;
    }
    return *watched_->fingerprint;
  }
  /// In-place writes since they were first watched, into those that are still there.
  std::int64_t writes() const {
    std::int64_t sum = 0;
    for_each([&](const Tensor& tensor, std::size_t i) { sum += version(tensor) - watched_->versions[i]; });
    return sum;
  }

 private:
  static std::int64_t version(const Tensor& tensor) { return tensor.is_inference() ? 0 : tensor._version(); }
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < watched_->tensors.size(); ++i)
      if (auto held = watched_->tensors[i].lock()) f(Tensor(std::move(held)), i);
  }

  struct Watched {
    std::vector<Tensor> kept{};
    std::vector<c10::weak_intrusive_ptr<c10::TensorImpl>> tensors{};
    std::vector<std::int64_t> versions{};
    std::optional<std::uint64_t> fingerprint{};
  };
  std::shared_ptr<Watched> watched_ = std::make_shared<Watched>();
};

}  // namespace persona::detail
