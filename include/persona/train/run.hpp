#pragma once

#include <persona/learned/learned.hpp>
#include <persona/train/checkpoint.hpp>
#include <persona/train/learned_of.hpp>
#include <persona/train/session.hpp>

#include <range/v3/view/interface.hpp>

#include <cstddef>
#include <filesystem>
#include <iterator>
#include <memory>
#include <ranges>
#include <utility>

namespace persona {

/// A run of a sum: a copyable handle, and a view of its steps for both std::ranges and range-v3. `*` computes the step
/// that the loop stands on, `++` moves on; stopping early and looping again goes on from there.
class Run : public ranges::view_base {
 public:
  Run() = default;
  explicit Run(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  class iterator {
   public:
    using value_type = Step;
    using difference_type = std::ptrdiff_t;
    using reference = const Step&;
    using pointer = const Step*;
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(std::shared_ptr<Session> session) : session_(std::move(session)) {}
    reference operator*() const { return session_->current(); }
    pointer operator->() const { return &session_->current(); }
    iterator& operator++() {
      session_->advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    // At the end once every step is computed and the loop has moved past the last.
    friend bool operator==(const iterator& it, std::default_sentinel_t) {
      return it.session_->pending() && it.session_->done();
    }

   private:
    std::shared_ptr<Session> session_{};
  };

  /// The next step to compute: a second loop goes on behind the first.
  iterator begin() const {
    if (!session_->pending()) session_->advance();
    return iterator(session_);
  }
  std::default_sentinel_t end() const { return std::default_sentinel; }

  std::int64_t completed() const { return session_->completed(); }
  std::int64_t steps() const { return session_->steps(); }

  /// Computes every step that is left.
  const Run& drain() const {
    for (const Step& step : *this) static_cast<void>(step);
    session_->check();
    session_->expect_finite_leaves();
    return *this;
  }

  /// What is learned so far, as a value that later steps do not change.
  Learned learned() const { return learned_of(session_->bound(), describe_run(*session_)); }

  /// Writes folder/state.safetensors and, where all that is learned says how a file holds it,
  /// folder/learned.safetensors, all or nothing; {.resume = folder} goes on from it.
  void save(const std::filesystem::path& folder) const { save_checkpoint(*session_, learned(), folder); }

  Session& session() const { return *session_; }

 private:
  std::shared_ptr<Session> session_{};
};

}  // namespace persona

template <>
inline constexpr bool std::ranges::enable_view<persona::Run> = true;
